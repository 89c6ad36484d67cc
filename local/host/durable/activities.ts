import type { RegisteredFunction, TypedData } from '../functions-core';
import type { Invoker } from '../invocation';
import { placeBelow } from '../trace-context';
import type { DurableFunctions } from './durable-functions';
import { activityFailure } from './failure-details';
import type { HistoryEvent } from './history';
import { events } from './history';
import type { DurableStore, ScheduledActivity } from './store';
import { isFinal } from './store';

/**
 * Runs scheduled activities, the oldest first, so many at a time. An activity leaves the store in the transaction that
 * sends its result; one that was running at a kill runs again.
 */
export class ActivityRunner {
  /** Everything up to this sequence number has been taken. */
  private taken = 0;
  private running = 0;
  /** Whether there may be activities that have not been taken. */
  private more = true;
  private stopped = false;

  constructor(
    private readonly store: DurableStore,
    private readonly functions: DurableFunctions,
    private readonly invoker: Invoker,
    private readonly limit: number,
    private readonly wake: (instanceId: string) => void,
  ) {}

  /** To be called when activities were scheduled. */
  poke(): void {
    this.more = true;
    this.take();
  }

  private take(): void {
    const room = this.limit - this.running;
    if (this.stopped || !this.more || room <= 0) return;
    const activities = this.store.activitiesAfter(this.taken, room);
    this.more = activities.length === room;
    for (const activity of activities) {
      this.taken = activity.seq;
      this.running += 1;
      void this.run(activity);
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(activity: ScheduledActivity): Promise<void> {
    const event = await this.outcome(activity);
    if (!this.store.isOpen) return;
    this.store.transaction(() => {
      this.store.removeActivity(activity.seq);
      const instance = this.store.instance(activity.instanceId);
      if (!instance || instance.executionId !== activity.executionId || isFinal(instance.status)) return;
      this.store.send({ instanceId: activity.instanceId, executionId: activity.executionId, event });
    });
    this.running -= 1;
    this.wake(activity.instanceId);
    this.take();
  }

  private async outcome({ name, taskId, ...activity }: ScheduledActivity): Promise<HistoryEvent> {
    const fn = this.functions.activity(name);
    if (!fn) {
      const { reason, details } = activityFailure(name, new Error(this.functions.unknown('activity', name)));
      return events.taskFailed(Date.now(), taskId, reason, details);
    }
    try {
      const { returnValue } = await this.invoker.invoke(fn, {
        ...activityInput(fn, activity.instanceId, activity.input),
        traceContext: placeBelow(this.store.traceParent(activity.instanceId)),
      });
      return events.taskCompleted(Date.now(), taskId, resultText(returnValue));
    } catch (error) {
      const { reason, details } = activityFailure(fn.name, error);
      return events.taskFailed(Date.now(), taskId, reason, details);
    }
  }
}

/** The trigger's input and metadata; a string arrives as JSON text, which the SDK wrote and parses. */
function activityInput(
  fn: RegisteredFunction,
  instanceId: string,
  inputText: string | null,
): { inputData: { name: string; data: TypedData | undefined }[]; triggerMetadata: Record<string, TypedData> } {
  const { key } = fn.trigger;
  const id: TypedData = { string: instanceId };
  if (inputText === null) return { inputData: [{ name: key, data: undefined }], triggerMetadata: { instanceId: id } };

  const input: unknown = JSON.parse(inputText);
  const data: TypedData = { string: typeof input === 'string' ? input : inputText };
  const properties = typeof input === 'object' && input !== null && !Array.isArray(input) ? Object.entries(input) : [];
  return {
    inputData: [{ name: key, data }],
    triggerMetadata: {
      ...Object.fromEntries(properties.map(([name, value]) => [name, { json: JSON.stringify(value) }])),
      instanceId: id,
      [key]: data,
      data: { json: inputText },
    },
  };
}

function resultText(value: TypedData | null | undefined): string | null {
  if (!value) return null;
  if (value.json !== undefined && value.json !== null) return value.json;
  if (value.bytes) return JSON.stringify(Buffer.from(value.bytes).toString('base64'));
  const plain = value.string ?? value.int ?? value.double;
  return plain === undefined || plain === null ? null : JSON.stringify(plain);
}
