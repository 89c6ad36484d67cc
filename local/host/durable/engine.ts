import { DueWatch } from '../due-watch';
import { messageOf } from '../host-failure';
import { ActivityRunner } from './activities';
import type { EpisodeContext } from './episode';
import { runEpisode } from './episode';
import { events } from './history';

const TIMERS_AT_ONCE = 200;

/**
 * The real host reads external events from a queue, so events that come one right after the other reach an orchestrator
 * together, or at least before it has finished with the first. Here an event waits until none has followed for so long.
 */
const EVENT_QUIET_MS = 30;
const EVENT_WAIT_AT_MOST_MS = 100;

/** What the engine needs from around it. */
export interface EngineContext extends EpisodeContext {
  /** Called when an episode couldn't be written or read. */
  onFailure: (error: unknown) => void;
}

/**
 * Turns the durable store: runs an episode for each instance that has messages (one at a time per instance), runs
 * activities, fires timers. It remembers only what it is doing now; waiting instances cost nothing but their rows.
 */
export class DurableEngine {
  private readonly queue = new Set<string>();
  private readonly active = new Set<string>();
  private readonly gathering = new Map<string, { timer: NodeJS.Timeout; until: number }>();
  private readonly endings = new Map<string, (() => void)[]>();
  private readonly activities: ActivityRunner;
  private readonly timers: DueWatch;
  private nextDue: number | undefined;
  private stopped = false;

  constructor(private readonly context: EngineContext) {
    const { store, functions, invoker, config } = context;
    const wake = (instanceId: string): void => this.wake(instanceId);
    this.activities = new ActivityRunner(store, functions, invoker, config.maxConcurrentActivityFunctions, wake);
    this.timers = new DueWatch({ next: () => this.nextDue, fire: (now) => this.fireTimers(now) });
  }

  /** Takes up everything that the store holds. */
  start(): void {
    for (const id of this.context.store.instancesWithMessages()) this.wake(id);
    this.activities.poke();
    this.lookAtTimers();
  }

  /** Starts nothing more; what runs goes on. */
  stop(): void {
    this.stopped = true;
    for (const { timer } of this.gathering.values()) clearTimeout(timer);
    this.activities.stop();
    this.timers.stop();
  }

  /** To be called when a message was sent to an instance. */
  wake(instanceId: string): void {
    this.queue.add(instanceId);
    this.pump();
  }

  /** To be called when an external event was sent to an instance. */
  wakeSoon(instanceId: string): void {
    const known = this.gathering.get(instanceId);
    if (known) clearTimeout(known.timer);
    const now = performance.now();
    const until = known?.until ?? now + EVENT_WAIT_AT_MOST_MS;
    const deliver = (): void => {
      this.gathering.delete(instanceId);
      this.wake(instanceId);
    };
    const timer = setTimeout(deliver, Math.min(EVENT_QUIET_MS, Math.max(until - now, 0)));
    this.gathering.set(instanceId, { timer, until });
  }

  /** Resolves when an instance comes to its end, or after so many milliseconds. */
  ended(instanceId: string, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(limit);
        const left = (this.endings.get(instanceId) ?? []).filter((other) => other !== done);
        if (left.length > 0) this.endings.set(instanceId, left);
        else this.endings.delete(instanceId);
        resolve();
      };
      const limit = setTimeout(done, withinMs);
      this.endings.set(instanceId, [...(this.endings.get(instanceId) ?? []), done]);
    });
  }

  private pump(): void {
    if (this.stopped) return;
    for (const id of this.queue) {
      if (this.active.size >= this.context.config.maxConcurrentOrchestratorFunctions) return;
      if (this.active.has(id)) continue;
      this.queue.delete(id);
      this.active.add(id);
      void this.run(id);
    }
  }

  private async run(id: string): Promise<void> {
    try {
      const effects = await runEpisode(this.context, id);
      for (const other of effects.wake) this.queue.add(other);
      if (effects.activities) this.activities.poke();
      if (effects.timers) this.lookAtTimers();
      if (effects.ended) for (const done of this.endings.get(id) ?? []) done();
    } catch (error) {
      // Its messages are still there, so nothing is lost: it is tried again with the next message or start.
      this.context.log('error', 'Host.Triggers.DurableTask', `Episode of ${id} failed: ${messageOf(error)}`);
      this.context.onFailure(error);
    }
    this.active.delete(id);
    this.pump();
  }

  private lookAtTimers(): void {
    this.nextDue = this.context.store.nextDue();
    this.timers.look();
  }

  private fireTimers(now: number): void {
    const { store } = this.context;
    const fired = store.transaction(() => {
      const due = store.dueTimers(now, TIMERS_AT_ONCE);
      for (const timer of due) {
        const event = events.timerFired(now, timer.taskId, timer.due);
        store.removeTimer(timer.seq);
        store.send({ instanceId: timer.instanceId, executionId: timer.executionId, event });
      }
      return due;
    });
    this.nextDue = store.nextDue();
    for (const timer of fired) this.wake(timer.instanceId);
  }
}
