import type { DurableConfig } from '../host-config';
import type { DurableEngine } from './engine';
import { create } from './episode';
import type { HistoryEvent } from './history';
import { events, EventType } from './history';
import { newInstanceId } from './ids';
import type { DurableStore, Instance, InstanceFilter } from './store';
import { isFinal, parseEvent } from './store';

/** What became of a request to start an instance. */
export type Started = { kind: 'started'; instanceId: string } | { kind: 'exists'; status: string };

/** What became of a message to an instance. */
export type Sent = 'sent' | 'unknown' | 'finished';

/** What can be done to orchestrations from outside: the operations of the durable client. */
export class Orchestrations {
  constructor(
    private readonly store: DurableStore,
    private readonly engine: DurableEngine,
    private readonly config: DurableConfig,
  ) {}

  /** Starts an instance; `input` is JSON text. A finished instance of that id is replaced, a running one refuses. */
  /** @param traceParent the trace that the starter is in */
  start(
    name: string,
    instanceId: string | undefined,
    input: string | null,
    version: string | undefined,
    traceParent?: string,
  ): Started {
    const id = instanceId ?? newInstanceId();
    const result = this.store.transaction((): Started => {
      const existing = this.store.instance(id);
      const mayReplace = this.config.overridableExistingInstanceStates === 'AnyState';
      if (existing && !isFinal(existing.status) && !mayReplace) return { kind: 'exists', status: existing.status };
      const chosen = version ?? this.config.defaultVersion ?? null;
      create(this.store, { instanceId: id, name, version: chosen, input, parent: null, now: Date.now() });
      if (traceParent !== undefined) this.store.putTraceParent(id, traceParent);
      return { kind: 'started', instanceId: id };
    });
    if (result.kind === 'started') this.engine.wake(id);
    return result;
  }

  get(instanceId: string): Instance | undefined {
    return this.store.instance(instanceId);
  }

  history(instanceId: string): HistoryEvent[] {
    return this.store.history(instanceId).map(parseEvent);
  }

  list(filter: InstanceFilter, from: string, limit: number): Instance[] {
    return this.store.instances(filter, from, limit);
  }

  /** Raises an event; `data` is JSON text. */
  raiseEvent(instanceId: string, name: string, data: string): Sent {
    return this.send(instanceId, events.eventRaised(Date.now(), name, data));
  }

  terminate(instanceId: string, reason: string): Sent {
    return this.send(instanceId, events.executionTerminated(Date.now(), reason));
  }

  suspend(instanceId: string, reason: string): Sent {
    return this.send(instanceId, events.executionSuspended(Date.now(), reason));
  }

  resume(instanceId: string, reason: string): Sent {
    return this.send(instanceId, events.executionResumed(Date.now(), reason));
  }

  /** Forgets a finished instance. */
  purge(instanceId: string): void {
    this.store.transaction(() => this.store.removeInstance(instanceId));
  }

  /** Forgets the finished instances that a filter chooses; returns how many those were. */
  purgeAll(filter: InstanceFilter): number {
    const finished = (['Completed', 'Failed', 'Terminated', 'Canceled'] as const).filter(
      (status) => !filter.statuses?.length || filter.statuses.includes(status),
    );
    if (finished.length === 0) return 0;
    return this.store.transaction(() => {
      const ids = this.store.instanceIds({ ...filter, statuses: finished });
      for (const id of ids) this.store.removeInstance(id);
      return ids.length;
    });
  }

  /** Resolves when the instance ends, or after so many milliseconds. */
  async ended(instanceId: string, withinMs: number): Promise<void> {
    const instance = this.store.instance(instanceId);
    if (instance && !isFinal(instance.status)) await this.engine.ended(instanceId, withinMs);
  }

  private send(instanceId: string, event: HistoryEvent): Sent {
    const sent = this.store.transaction((): Sent => {
      const instance = this.store.instance(instanceId);
      if (!instance) return 'unknown';
      if (isFinal(instance.status)) return 'finished';
      this.store.send({ instanceId, executionId: undefined, event });
      return 'sent';
    });
    if (sent !== 'sent') return sent;
    if (event.EventType === EventType.EventRaised) this.engine.wakeSoon(instanceId);
    else this.engine.wake(instanceId);
    return sent;
  }
}
