import * as df from 'durable-functions';
import { inTime } from '../shared/request-timeout';
import { services } from '../shared/services';
import type { Services } from '../shared/services';
import { within } from '../shared/telemetry';
import { inTrace } from '../shared/tracing';
import type { InvocationContext } from '@azure/functions';
import type { DurableClient, OrchestrationContext, Task, TimerTask } from 'durable-functions';

/** Timers of more than six days break on the Azure Storage backend when they are cancelled late; two days keep well clear of that. */
const HOP_MS = 2 * 86_400_000;

/** What the code throws is tried again this often by the durable runtime before the instance fails; the sweeper then starts it afresh. */
const ATTEMPTS = 5;

function retryOptions(): df.RetryOptions {
  const retry = new df.RetryOptions(2_000, ATTEMPTS);
  retry.backoffCoefficient = 2;
  retry.maxRetryIntervalInMilliseconds = 60_000;
  return retry;
}

/** An orchestrator, or a part of one: it yields durable tasks and ends with a result. */
export type Orchestration<Result> = Generator<Task, Result, unknown>;

/** Calls an activity; its result type is what the activity is declared to give. */
export function* callActivity<Result>(
  context: OrchestrationContext,
  name: string,
  input: object,
): Orchestration<Result> {
  return (yield context.df.callActivityWithRetry(name, retryOptions(), input)) as Result;
}

/** Registers an activity; what it tells about itself goes to the log of its invocation. */
export function activity<Input, Result>(
  name: string,
  work: (services: Services, input: Input) => Promise<Result>,
): void {
  df.app.activity(name, { handler: (input: Input, context) => within(context, () => work(services(), input)) });
}

/**
 * Waits for wake-ups and points in time. An event that arrives while the orchestrator does something else completes a wait that was
 * armed before, and the runtime does not deliver it twice: so every wait armed so far is looked at before the next one is armed.
 */
export class Wakeups {
  private armed: Task[] = [];

  constructor(
    private readonly context: OrchestrationContext,
    private readonly event: string,
  ) {}

  /** Waits until `due`, or until a wake-up. @returns whether it was a wake-up. */
  *until(due: Date): Orchestration<boolean> {
    const { df: durable } = this.context;
    while (!this.takeWakeup()) {
      const now = durable.currentUtcDateTime.getTime();
      if (now >= due.getTime()) return false;
      const timer: TimerTask = durable.createTimer(new Date(Math.min(now + HOP_MS, due.getTime())));
      const wait = durable.waitForExternalEvent(this.event);
      this.armed.push(wait);
      yield durable.Task.any([wait, timer]);
      if (!timer.isCompleted) timer.cancel();
    }
    return true;
  }

  private takeWakeup(): boolean {
    const before = this.armed.length;
    this.armed = this.armed.filter((wait) => !wait.isCompleted);
    return this.armed.length < before;
  }
}

/** The durable client of an invocation. */
export const durableIn = (context: InvocationContext): Instances =>
  instances(df.getClient(context), services().config.CALL_TIMEOUT);

const INSTANCE_ID = /^[a-z]+-[A-Za-z0-9_-]{1,90}$/;

/** The durable client's calls, with ids of ours only. */
export interface Instances {
  /**
   * Starts the orchestration under this id, in the trace of this `traceparent` or of what runs now; does nothing where it runs already.
   * @returns whether it was started.
   */
  start(orchestration: string, instanceId: string, input: object, trace?: string): Promise<boolean>;
  /** @returns false where there is no such instance; an instance that has ended takes the event and does nothing. */
  raise(instanceId: string, event: string): Promise<boolean>;
  status(instanceId: string): Promise<{ runtimeStatus: string; customStatus: unknown } | undefined>;
  /** Removes the histories of instances that have ended and were started in this time. @returns how many */
  purge(from: Date, to: Date): Promise<number>;
}

const ENDED = [
  df.OrchestrationRuntimeStatus.Completed,
  df.OrchestrationRuntimeStatus.Failed,
  df.OrchestrationRuntimeStatus.Terminated,
];

/** A call that takes longer than `timeoutMs` fails; it may have acted all the same, as any call that broke off. */
export function instances(client: DurableClient, timeoutMs: number): Instances {
  const inTimeOf = <Result>(call: () => Promise<Result>): Promise<Result> =>
    inTime(timeoutMs, 'The durable engine', call);
  const checked = (id: string): string => {
    if (!INSTANCE_ID.test(id)) throw new Error('this instance id is not one of ours');
    return id;
  };
  return {
    start: async (orchestration, instanceId, input, trace) => {
      try {
        const id = checked(instanceId);
        await inTimeOf(() => inTrace(trace, () => client.startNew(orchestration, { instanceId: id, input })));
        return true;
      } catch (error) {
        // the client gives the status code in its message only
        if (error instanceof Error && error.message.includes('status code: 409')) return false;
        throw error;
      }
    },
    raise: async (instanceId, event) => {
      try {
        const id = checked(instanceId);
        await inTimeOf(() => client.raiseEvent(id, event, {}));
        return true;
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('No instance with ID')) return false;
        throw error;
      }
    },
    status: async (instanceId) => {
      try {
        const id = checked(instanceId);
        const { runtimeStatus, customStatus } = await inTimeOf(() => client.getStatus(id));
        return { runtimeStatus, customStatus };
      } catch (error) {
        if (error instanceof Error && error.message.includes('HTTP 404')) return undefined;
        throw error;
      }
    },
    purge: async (createdTimeFrom, createdTimeTo) =>
      (await client.purgeInstanceHistoryBy({ createdTimeFrom, createdTimeTo, runtimeStatus: ENDED })).instancesDeleted,
  };
}
