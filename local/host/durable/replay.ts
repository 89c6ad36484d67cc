import type { Action, OrchestratorState, RetryOptions } from './actions';
import type { EventOf, HistoryEvent } from './history';
import { EventType } from './history';

/** Something new that an episode starts; ids are those of the history. */
export type Decision =
  | { kind: 'activity'; id: number; name: string; input: unknown }
  | { kind: 'timer'; id: number; fireAt: number }
  | {
      kind: 'subOrchestration';
      id: number;
      name: string;
      instanceId: string;
      input: unknown;
      version: string | undefined;
    };

/** How an execution stands after an episode. */
export type Outcome =
  | { kind: 'running' }
  | { kind: 'completed'; output: unknown }
  | { kind: 'failed'; reason: string; details: string }
  | { kind: 'terminated'; reason: string }
  | { kind: 'continuedAsNew'; input: unknown; carried: EventOf<'EventRaised'>[] };

export interface Replayed {
  decisions: Decision[];
  outcome: Outcome;
}

/** What a replay has to know of the execution. */
export interface Execution {
  name: string;
  executionId: string;
  /** Says why a function can't be called, if it can't. */
  refusal(kind: 'activity' | 'subOrchestration', functionName: string): string | undefined;
}

/** Lengths that a timer is cut into, in milliseconds. */
export interface TimerLimits {
  /** A timer longer than this is chained from intervals. */
  maximum: number;
  interval: number;
}

/** The Azure Storage provider's limits: timers beyond six days go in hops of three. */
export const AZURE_STORAGE_TIMERS: TimerLimits = { maximum: 6 * 86_400_000, interval: 3 * 86_400_000 };

const DEFAULT_MAX_RETRY_INTERVAL = 6 * 86_400_000;

class NonDeterminism extends Error {}
class Unsupported extends Error {}

/** A promise without the microtask: continuations run where it settles, which is what makes ids come out in order. */
class Wait {
  settled = false;
  failed = false;
  private listeners: (() => void)[] = [];

  settle(failed = false): void {
    if (this.settled) return;
    this.settled = true;
    this.failed = failed;
    const { listeners } = this;
    this.listeners = [];
    for (const listener of listeners) listener();
  }

  then(listener: () => void): void {
    if (this.settled) listener();
    else this.listeners.push(listener);
  }
}

function settledWait(): Wait {
  const wait = new Wait();
  wait.settle();
  return wait;
}

/**
 * Plays an orchestrator's actions against a history, exactly as the durable extension does for out-of-process
 * languages: the actions are awaited one after another, and the history's events settle what they wait for. Ids are
 * given in the order in which things start, so a replay gives each thing the id that it has in the history; where it
 * doesn't, the orchestration fails as non-deterministic. See OutOfProcOrchestrationShim.cs and TaskOrchestrationContext.cs.
 */
export function replay(
  history: readonly HistoryEvent[],
  state: OrchestratorState,
  execution: Execution,
  limits: TimerLimits = AZURE_STORAGE_TIMERS,
): Replayed {
  const player = new Player(state, execution, limits);
  try {
    for (const event of history) player.process(event);
    return player.result();
  } catch (error) {
    if (error instanceof NonDeterminism) return fail(`Non-Deterministic workflow detected: ${error.message}`);
    if (error instanceof Unsupported) return fail(`Orchestrator function '${execution.name}' failed: ${error.message}`);
    throw error;
  }
}

function fail(reason: string): Replayed {
  return { decisions: [], outcome: { kind: 'failed', reason, details: `Message: ${reason}` } };
}

class Player {
  private nextId = 0;
  private now = 0;
  /** Started, and not yet seen in the history. */
  private pending = new Map<number, Decision>();
  private readonly pendingWhileSuspended = new Map<number, Decision>();
  private readonly open = new Map<number, Wait>();
  /** By lower-case name: the extension matches event names whatever their case. */
  private readonly eventWaits = new Map<string, Wait[]>();
  private readonly buffered = new Map<string, EventOf<'EventRaised'>[]>();
  private suspended = false;
  private heldBack: HistoryEvent[] = [];
  private continuing: { input: unknown; carried: EventOf<'EventRaised'>[] } | undefined;
  private terminated: string | undefined;
  private finished = false;

  constructor(
    private readonly state: OrchestratorState,
    private readonly execution: Execution,
    private readonly limits: TimerLimits,
  ) {}

  result(): Replayed {
    const decisions = [...this.pending.values()];
    if (this.terminated !== undefined)
      return { decisions: [], outcome: { kind: 'terminated', reason: this.terminated } };
    // The framework completes nothing while a task is open: a timer that nobody cancelled keeps the instance running.
    if (!this.finished || this.open.size > 0) return { decisions, outcome: { kind: 'running' } };
    return { decisions, outcome: this.outcome() };
  }

  process(event: HistoryEvent): void {
    if (event.EventType === EventType.OrchestratorStarted) {
      this.now = Date.parse(event.Timestamp);
      return;
    }
    const passes = event.EventType === EventType.ExecutionResumed || event.EventType === EventType.ExecutionTerminated;
    if (this.suspended && !passes) {
      if (event.EventType !== EventType.ExecutionSuspended) this.heldBack.push(event);
      return;
    }
    this.apply(event);
  }

  private apply(event: HistoryEvent): void {
    switch (event.EventType) {
      case EventType.ExecutionStarted:
        return this.runActions(this.state.actions, 0);
      case EventType.ExecutionTerminated:
        this.terminated ??= event.Input;
        return;
      case EventType.ExecutionSuspended:
        this.suspended = true;
        return;
      case EventType.ExecutionResumed:
        return this.resume();
      case EventType.TaskScheduled:
        return this.confirm(
          event.EventId,
          'activity',
          `an activity task with sequence ID ${event.EventId} and name '${event.Name}'`,
          event.Name,
        );
      case EventType.SubOrchestrationInstanceCreated:
        return this.confirm(
          event.EventId,
          'subOrchestration',
          `a sub-orchestration task with sequence ID ${event.EventId} and name '${event.Name}'`,
          event.Name,
        );
      case EventType.TimerCreated:
        return this.confirm(event.EventId, 'timer', `a timer task with sequence number ${event.EventId}`);
      case EventType.TaskCompleted:
      case EventType.SubOrchestrationInstanceCompleted:
        return this.settle(event.TaskScheduledId, false);
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceFailed:
        return this.settle(event.TaskScheduledId, true);
      case EventType.TimerFired:
        return this.settle(event.TimerId, false);
      case EventType.EventRaised:
        return this.raise(event);
      case EventType.ExecutionCompleted:
      case EventType.OrchestratorStarted:
      case EventType.OrchestratorCompleted:
        return;
    }
  }

  private outcome(): Outcome {
    const { name } = this.execution;
    if (this.state.error !== undefined) {
      const reason = `Orchestrator function '${name}' failed: ${this.state.error}`;
      return { kind: 'failed', reason, details: `Message: ${this.state.error}, StackTrace: ` };
    }
    if (!this.continuing) return { kind: 'completed', output: this.state.output };
    const unread = [...this.buffered.values()].flat();
    return { kind: 'continuedAsNew', input: this.continuing.input, carried: [...unread, ...this.continuing.carried] };
  }

  private resume(): void {
    this.suspended = false;
    this.pending = new Map([...this.pending, ...this.pendingWhileSuspended]);
    this.pendingWhileSuspended.clear();
    const { heldBack } = this;
    this.heldBack = [];
    for (const event of heldBack) this.process(event);
  }

  private confirm(id: number, kind: Decision['kind'], what: string, name?: string): void {
    const decision = this.pending.get(id);
    const question = 'Was a change made to the orchestrator code after this instance had already started running?';
    if (!decision) {
      throw new NonDeterminism(
        `A previous execution of this orchestration scheduled ${what}, but the current replay execution hasn't (yet?) scheduled this task. ${question}`,
      );
    }
    const sameName =
      name === undefined || (decision.kind !== 'timer' && decision.name.toLowerCase() === name.toLowerCase());
    if (decision.kind !== kind || !sameName) {
      throw new NonDeterminism(
        `A previous execution of this orchestration scheduled ${what}, but the current orchestration replay instead scheduled ` +
          `${decision.kind === 'timer' ? 'a timer' : `'${decision.name}'`} with this sequence number. ${question}`,
      );
    }
    this.pending.delete(id);
  }

  private settle(id: number, failed: boolean): void {
    const wait = this.open.get(id);
    if (!wait) return;
    this.open.delete(id);
    wait.settle(failed);
  }

  private raise(event: EventOf<'EventRaised'>): void {
    if (this.continuing) {
      this.continuing.carried.push(event);
      return;
    }
    const key = event.Name.toLowerCase();
    const wait = this.eventWaits.get(key)?.pop();
    if (wait) wait.settle();
    else this.buffered.set(key, [...(this.buffered.get(key) ?? []), event]);
  }

  private runActions(actions: readonly Action[], from: number): void {
    for (let index = from; index < actions.length; index += 1) {
      const action = actions[index];
      if (!action) break;
      const wait = this.start(action);
      if (!wait.settled) {
        wait.then(() => this.runActions(actions, index + 1));
        return;
      }
    }
    this.finished = this.state.isDone || this.state.error !== undefined;
  }

  private start(action: Action): Wait {
    switch (action.actionType) {
      case 0:
        return this.callActivity(action.functionName, action.input);
      case 1:
        return this.retry(action.retryOptions, () => this.callActivity(action.functionName, action.input));
      case 2:
        return this.callSubOrchestrator(action);
      case 3:
        return this.retry(action.retryOptions, () => this.callSubOrchestrator(action));
      case 4:
        this.continuing = { input: action.input, carried: [] };
        return settledWait();
      case 5:
        return this.createTimer(Date.parse(action.fireAt), action.isCanceled);
      case 6:
        return this.waitForEvent(action.externalEventName);
      case 11:
        return this.any(action.compoundActions.map((inner) => this.start(inner)));
      case 12:
        return this.all(action.compoundActions.map((inner) => this.start(inner)));
      case 7:
      case 9:
        throw new Unsupported(
          `This host has no durable entities: it can't send '${action.operation}' to ${action.instanceId}; run the app on Azure or with Core Tools.`,
        );
      case 8:
        throw new Unsupported(
          `This host has no durable HTTP: call the address from an activity, or run the app on Azure or with Core Tools.`,
        );
      case 10:
      case 13:
      case 14:
        throw new Unsupported(
          'This host has no durable entities and no locks on them; run the app on Azure or with Core Tools.',
        );
    }
  }

  private schedule(decision: Decision): Wait {
    (this.suspended ? this.pendingWhileSuspended : this.pending).set(decision.id, decision);
    const wait = new Wait();
    this.open.set(decision.id, wait);
    return wait;
  }

  private refuseUnknown(kind: 'activity' | 'subOrchestration', name: string): void {
    const refusal = this.execution.refusal(kind, name);
    if (refusal !== undefined) throw new Unsupported(refusal);
  }

  private callActivity(name: string, input: unknown): Wait {
    this.refuseUnknown('activity', name);
    return this.schedule({ kind: 'activity', id: this.nextId++, name, input });
  }

  private callSubOrchestrator(action: Extract<Action, { actionType: 2 | 3 }>): Wait {
    this.refuseUnknown('subOrchestration', action.functionName);
    const id = this.nextId++;
    return this.schedule({
      kind: 'subOrchestration',
      id,
      name: action.functionName,
      instanceId: action.instanceId ?? `${this.execution.executionId}:${id}`,
      input: action.input,
      version: action.version,
    });
  }

  private timer(fireAt: number): { id: number; wait: Wait } {
    const id = this.nextId++;
    return { id, wait: this.schedule({ kind: 'timer', id, fireAt }) };
  }

  private createTimer(fireAt: number, isCanceled: boolean): Wait {
    const isLong = fireAt - this.now > this.limits.maximum;
    const { id, wait } = this.timer(isLong ? this.now + this.limits.interval : fireAt);
    // A cancelled timer has been cancelled from the start as far as the extension knows, so it never makes a second
    // hop. Where the first run did, the ids no longer fit and the orchestration fails, here as there.
    if (isCanceled) {
      this.open.delete(id);
      wait.settle(true);
      return wait;
    }
    const whole = new Wait();
    const hop = (): void => {
      if (this.now >= fireAt) whole.settle();
      else this.createTimer(fireAt, false).then(() => whole.settle());
    };
    wait.then(isLong ? hop : () => whole.settle());
    return whole;
  }

  private waitForEvent(name: string): Wait {
    const key = name.toLowerCase();
    const early = this.buffered.get(key)?.shift();
    if (early) return settledWait();
    const wait = new Wait();
    this.eventWaits.set(key, [...(this.eventWaits.get(key) ?? []), wait]);
    return wait;
  }

  private any(waits: Wait[]): Wait {
    const whole = new Wait();
    for (const wait of waits) wait.then(() => whole.settle());
    if (waits.length === 0) whole.settle();
    return whole;
  }

  private all(waits: Wait[]): Wait {
    const whole = new Wait();
    let left = waits.length;
    const one = (): void => {
      left -= 1;
      if (left === 0) whole.settle(waits.some((wait) => wait.failed));
    };
    for (const wait of waits) wait.then(one);
    if (waits.length === 0) whole.settle();
    return whole;
  }

  private retry(options: RetryOptions, call: () => Wait): Wait {
    const whole = new Wait();
    const firstAttempt = this.now;
    const attempt = (count: number): void => {
      const wait = call();
      wait.then(() => {
        if (!wait.failed) return whole.settle();
        const delay = this.retryDelay(options, count, firstAttempt);
        if (delay === 0) return whole.settle(true);
        // After the last failure the framework still waits for a timer, though for one that is due at once.
        const isLast = count + 1 >= options.maxNumberOfAttempts;
        const { wait: pause } = this.timer(isLast ? this.now : this.now + delay);
        pause.then(() => (isLast ? whole.settle(true) : attempt(count + 1)));
      });
    };
    attempt(0);
    return whole;
  }

  private retryDelay(options: RetryOptions, count: number, firstAttempt: number): number {
    const { retryTimeoutInMilliseconds: timeout } = options;
    if (timeout !== undefined && this.now >= firstAttempt + timeout) return 0;
    const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** count;
    return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? DEFAULT_MAX_RETRY_INTERVAL);
  }
}
