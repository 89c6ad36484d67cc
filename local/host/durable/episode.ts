import type { DurableConfig } from '../host-config';
import type { TypedData } from '../functions-core';
import { messageOf } from '../host-failure';
import type { Invoker } from '../invocation';
import type { Log } from '../log';
import { placeBelow } from '../trace-context';
import type { OrchestratorState } from './actions';
import { parseOrchestratorState } from './actions';
import type { DurableFunctions } from './durable-functions';
import type { EventOf, HistoryEvent } from './history';
import { events, EventType } from './history';
import { newExecutionId } from './ids';
import type { Decision, Outcome, Replayed } from './replay';
import { replay } from './replay';
import type { DurableStore, Instance } from './store';
import { isFinal, parseEvent } from './store';
import { mayRun } from './versioning';

/** What an episode needs from around it. */
export interface EpisodeContext {
  store: DurableStore;
  functions: DurableFunctions;
  invoker: Invoker;
  config: DurableConfig;
  log: Log;
}

/** Whom an episode leaves something to do. */
export interface Effects {
  wake: string[];
  activities: boolean;
  timers: boolean;
  /** Set when the instance came to its end. */
  ended: boolean;
}

const NOTHING: Effects = { wake: [], activities: false, timers: false, ended: false };

interface Batch {
  past: HistoryEvent[];
  pastTexts: string[];
  fresh: HistoryEvent[];
  consumed: number[];
}

/**
 * One turn of an orchestration: hands the history with what arrived since to the orchestrator function, and puts what
 * it decides into the store in one transaction. A kill before the commit loses nothing; the turn is taken again.
 */
export async function runEpisode(context: EpisodeContext, instanceId: string): Promise<Effects> {
  const { store } = context;
  const instance = store.instance(instanceId);
  if (!instance || isFinal(instance.status)) {
    store.removeMessagesTo(instanceId);
    return NOTHING;
  }
  if (!mayRun(instance.version, context.config)) {
    if (context.config.versionFailureStrategy === 'Reject') {
      context.log(
        'warning',
        'Host.Triggers.DurableTask',
        `${instanceId} has version '${instance.version ?? ''}', which this host may not run; it waits.`,
      );
      return NOTHING;
    }
    return failVersion(context, instance);
  }
  const batch = collect(store, instance);
  if (batch.fresh.length === 0) {
    store.removeMessages(batch.consumed);
    return NOTHING;
  }
  const { replayed, customStatus } = await decide(context, instance, batch);
  if (!store.isOpen) return NOTHING;
  return store.transaction(() => commit(context, instance, batch, replayed, customStatus));
}

function failVersion(context: EpisodeContext, instance: Instance): Effects {
  const batch = collect(context.store, instance);
  const reason = `Version mismatch: the instance has version '${instance.version ?? ''}', this app has '${context.config.defaultVersion ?? ''}'.`;
  const replayed: Replayed = { decisions: [], outcome: { kind: 'failed', reason, details: reason } };
  return context.store.transaction(() => commit(context, instance, batch, replayed, undefined));
}

function collect(store: DurableStore, instance: Instance): Batch {
  const pastTexts = store.history(instance.id);
  const past = pastTexts.map(parseEvent);
  const messages = store.messages(instance.id);
  const arrived = messages
    .filter((message) => message.executionId === undefined || message.executionId === instance.executionId)
    .map((message) => message.event);
  const consumed = messages.map((message) => message.seq);
  if (arrived.length === 0) return { past, pastTexts, fresh: [], consumed };

  const fresh = [events.orchestratorStarted(startTime(past, arrived)), ...arrived];
  const isContinuation =
    instance.status !== 'Pending' && arrived.some((event) => event.EventType === EventType.ExecutionStarted);
  if (isContinuation) fresh.push(events.orchestratorCompleted(Date.now()));
  return { past, pastTexts, fresh, consumed };
}

/** The orchestrator's time never runs back and is never before the time that a fired timer waited for. */
function startTime(past: readonly HistoryEvent[], arrived: readonly HistoryEvent[]): number {
  let time = Date.now();
  const last = past.findLast((event) => event.EventType === EventType.OrchestratorStarted);
  if (last) time = Math.max(time, Date.parse(last.Timestamp));
  for (const event of arrived)
    if (event.EventType === EventType.TimerFired) time = Math.max(time, Date.parse(event.FireAt));
  return time;
}

async function decide(
  context: EpisodeContext,
  instance: Instance,
  batch: Batch,
): Promise<{ replayed: Replayed; customStatus: string | undefined }> {
  const fn = context.functions.orchestrator(instance.name);
  if (!fn)
    return {
      replayed: failure(instance, context.functions.unknown('orchestrator', instance.name)),
      customStatus: undefined,
    };

  let state: OrchestratorState;
  try {
    const data: TypedData = { string: triggerInput(instance, batch) };
    const response = await context.invoker.invoke(fn, {
      inputData: [{ name: fn.trigger.key, data }],
      traceContext: placeBelow(context.store.traceParent(instance.id)),
    });
    state = parseOrchestratorState(JSON.parse(response.returnValue?.json ?? response.returnValue?.string ?? 'null'));
  } catch (error) {
    const reported = stateInError(error);
    if (!reported) return { replayed: failure(instance, messageOf(error)), customStatus: undefined };
    state = reported;
  }
  const execution = {
    name: instance.name,
    executionId: instance.executionId,
    refusal: (kind: 'activity' | 'subOrchestration', name: string) => refusal(context.functions, kind, name),
  };
  const customStatus =
    state.customStatus === undefined || state.customStatus === null ? undefined : JSON.stringify(state.customStatus);
  return { replayed: replay([...batch.past, ...batch.fresh], state, execution), customStatus };
}

function refusal(functions: DurableFunctions, kind: 'activity' | 'subOrchestration', name: string): string | undefined {
  if (kind === 'activity') return functions.activity(name) ? undefined : functions.unknown('activity', name);
  return functions.orchestrator(name) ? undefined : functions.unknown('orchestrator', name);
}

function failure(instance: Instance, message: string): Replayed {
  const reason = `Orchestrator function '${instance.name}' failed: ${message}`;
  return { decisions: [], outcome: { kind: 'failed', reason, details: `Message: ${message}` } };
}

function stateInError(error: unknown): OrchestratorState | undefined {
  const marker = '$OutOfProcData$:';
  const message = messageOf(error);
  const at = message.indexOf(marker);
  if (at < 0) return undefined;
  try {
    return parseOrchestratorState(JSON.parse(message.slice(at + marker.length)));
  } catch {
    return undefined;
  }
}

function triggerInput(instance: Instance, batch: Batch): string {
  const history = [...batch.pastTexts, ...batch.fresh.map((event) => JSON.stringify(event))].join(',');
  const rest = JSON.stringify({
    instanceId: instance.id,
    isReplaying: batch.past.length > 0,
    parentInstanceId: instance.parent?.instanceId ?? null,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: '3.00:00:00',
    maximumShortTimerDuration: '6.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  });
  return `{"history":[${history}],"input":${instance.input ?? 'null'},${rest.slice(1)}`;
}

function commit(
  context: EpisodeContext,
  seen: Instance,
  batch: Batch,
  { decisions, outcome }: Replayed,
  customStatus: string | undefined,
): Effects {
  const { store } = context;
  store.removeMessages(batch.consumed);
  const instance = store.instance(seen.id);
  // Replaced or removed while the function ran: what it decided belongs to nobody.
  if (!instance || instance.executionId !== seen.executionId) return { ...NOTHING, wake: [seen.id] };

  const now = Date.now();
  const updated: Instance = {
    ...withStateOf(batch.fresh, instance),
    updated: now,
    customStatus: customStatus ?? instance.customStatus,
  };
  if (outcome.kind === 'continuedAsNew') return continueAsNew(store, updated, outcome, now);

  const started = decisions.map((decision) => eventFor(decision, context.config, now));
  const fresh = [...batch.fresh, ...started];
  const end = endOf(outcome);
  if (end) fresh.push(events.executionCompleted(now, end.status, end.output));
  if (fresh.at(-1)?.EventType !== EventType.OrchestratorCompleted) fresh.push(events.orchestratorCompleted(now));
  store.appendHistory(instance.id, batch.past.length, fresh);

  if (!end) {
    store.putInstance(updated);
    return begin(context, updated, decisions, now);
  }
  store.putInstance({ ...updated, status: end.status, output: end.output });
  store.removeTimers(instance.id);
  store.removeMessagesTo(instance.id);
  return { wake: tellParent(store, updated, outcome, now), activities: false, timers: false, ended: true };
}

/** The instance row after these events, as the extension's table of instances shows it. */
function withStateOf(fresh: readonly HistoryEvent[], instance: Instance): Instance {
  let { status, output } = instance;
  if (status === 'Pending') status = 'Running';
  for (const event of fresh) {
    if (event.EventType === EventType.ExecutionSuspended) [status, output] = ['Suspended', event.Reason];
    if (event.EventType === EventType.ExecutionResumed) [status, output] = ['Running', event.Reason];
  }
  return { ...instance, status, output };
}

function endOf(outcome: Outcome): { status: 'Completed' | 'Failed' | 'Terminated'; output: string } | undefined {
  switch (outcome.kind) {
    case 'completed':
      return { status: 'Completed', output: JSON.stringify(outcome.output ?? null) };
    case 'failed':
      return { status: 'Failed', output: outcome.reason };
    case 'terminated':
      return { status: 'Terminated', output: outcome.reason };
    case 'running':
    case 'continuedAsNew':
      return undefined;
  }
}

function eventFor(decision: Decision, config: DurableConfig, now: number): HistoryEvent {
  switch (decision.kind) {
    case 'activity':
      return events.taskScheduled(now, decision.id, decision.name);
    case 'timer':
      return events.timerCreated(now, decision.id, decision.fireAt);
    case 'subOrchestration':
      return events.subOrchestrationCreated(
        now,
        decision.id,
        decision.name,
        childVersion(decision, config),
        decision.instanceId,
      );
  }
}

function childVersion(decision: Extract<Decision, { kind: 'subOrchestration' }>, config: DurableConfig): string | null {
  return decision.version ?? config.defaultVersion ?? null;
}

function begin(context: EpisodeContext, instance: Instance, decisions: readonly Decision[], now: number): Effects {
  const { store } = context;
  const effects: Effects = { wake: [], activities: false, timers: false, ended: false };
  const common = { instanceId: instance.id, executionId: instance.executionId };
  for (const decision of decisions) {
    switch (decision.kind) {
      case 'activity':
        store.scheduleActivity({
          ...common,
          taskId: decision.id,
          name: decision.name,
          input: jsonText(decision.input),
        });
        effects.activities = true;
        break;
      case 'timer':
        store.createTimer({ ...common, taskId: decision.id, due: decision.fireAt });
        effects.timers = true;
        break;
      case 'subOrchestration':
        effects.wake.push(beginChild(context, instance, decision, now));
        break;
    }
  }
  return effects;
}

function jsonText(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/** Starts a sub-orchestration; returns the id of the instance that has a message now. */
function beginChild(
  { store, config }: EpisodeContext,
  parent: Instance,
  decision: Extract<Decision, { kind: 'subOrchestration' }>,
  now: number,
): string {
  const existing = store.instance(decision.instanceId);
  if (existing && !isFinal(existing.status)) {
    const reason = `An Orchestration instance with the status ${existing.status} already exists.`;
    const event = events.subOrchestrationFailed(now, decision.id, reason, `Message: ${reason}`);
    store.send({ instanceId: parent.id, executionId: parent.executionId, event });
    return parent.id;
  }
  create(store, {
    instanceId: decision.instanceId,
    name: decision.name,
    version: childVersion(decision, config),
    input: jsonText(decision.input) ?? 'null',
    parent: { name: parent.name, instanceId: parent.id, executionId: parent.executionId, taskId: decision.id },
    now,
  });
  const trace = store.traceParent(parent.id);
  if (trace !== undefined) store.putTraceParent(decision.instanceId, trace);
  return decision.instanceId;
}

/** Puts a new instance, and the message that starts it, in the place of whatever has its id. */
export function create(
  store: DurableStore,
  start: Pick<Instance, 'name' | 'version' | 'input' | 'parent'> & { instanceId: string; now: number },
): void {
  const { instanceId, name, version, input, parent, now } = start;
  const executionId = newExecutionId();
  if (store.instance(instanceId)) store.removeInstance(instanceId);
  store.putInstance({
    id: instanceId,
    executionId,
    name,
    version,
    status: 'Pending',
    input,
    output: null,
    customStatus: null,
    created: now,
    updated: now,
    parent,
  });
  store.send({
    instanceId,
    executionId,
    event: events.executionStarted(now, { instanceId, executionId, name, version, input, parent }),
  });
}

function continueAsNew(
  store: DurableStore,
  instance: Instance,
  outcome: Extract<Outcome, { kind: 'continuedAsNew' }>,
  now: number,
): Effects {
  const executionId = newExecutionId();
  const input = jsonText(outcome.input) ?? 'null';
  const { id: instanceId, name, version, parent } = instance;
  store.removeHistory(instanceId);
  store.removeTimers(instanceId);
  const later = store.messages(instanceId);
  store.removeMessages(later.map((message) => message.seq));
  store.putInstance({ ...instance, executionId, input, output: null, status: 'Running', created: now });
  store.send({
    instanceId,
    executionId,
    event: events.executionStarted(now, { instanceId, executionId, name, version, input, parent }),
  });
  for (const event of carriedOver(outcome.carried)) store.send({ instanceId, executionId, event });
  // What arrived while the function ran comes after what it had not read.
  for (const message of later) store.send({ instanceId, executionId: message.executionId, event: message.event });
  return { wake: [instanceId], activities: false, timers: false, ended: false };
}

function carriedOver(carried: readonly EventOf<'EventRaised'>[]): HistoryEvent[] {
  return carried.map((event) => ({ ...event, IsPlayed: false }));
}

function tellParent(store: DurableStore, instance: Instance, outcome: Outcome, now: number): string[] {
  const { parent } = instance;
  if (!parent) return [];
  const event = messageToParent(outcome, parent.taskId, now);
  if (!event || !store.instance(parent.instanceId)) return [];
  store.send({ instanceId: parent.instanceId, executionId: parent.executionId, event });
  return [parent.instanceId];
}

function messageToParent(outcome: Outcome, taskId: number, now: number): HistoryEvent | undefined {
  switch (outcome.kind) {
    case 'completed':
      return events.subOrchestrationCompleted(now, taskId, JSON.stringify(outcome.output ?? null));
    case 'failed':
      return events.subOrchestrationFailed(now, taskId, outcome.reason, outcome.details);
    case 'terminated':
      return events.subOrchestrationFailed(now, taskId, outcome.reason, outcome.reason);
    case 'running':
    case 'continuedAsNew':
      return undefined;
  }
}
