import type { Action, OrchestratorState } from '../../../../local/host/durable/actions';
import type { HistoryEvent } from '../../../../local/host/durable/history';
import { events } from '../../../../local/host/durable/history';
import type { Replayed } from '../../../../local/host/durable/replay';
import { replay } from '../../../../local/host/durable/replay';

const DAY = 86_400_000;
const T0 = Date.parse('2030-01-01T00:00:00Z');
const at = (ms: number): string => new Date(T0 + ms).toISOString();

const begin = (ms = 0): HistoryEvent[] => [
  events.orchestratorStarted(T0 + ms),
  events.executionStarted(T0 + ms, {
    name: 'o',
    version: null,
    instanceId: 'i',
    executionId: 'x',
    input: null,
    parent: null,
  }),
];
const turn = (ms: number, ...arrived: HistoryEvent[]): HistoryEvent[] => [
  events.orchestratorCompleted(T0 + ms),
  events.orchestratorStarted(T0 + ms),
  ...arrived,
];
const scheduled = (id: number, name = 'a'): HistoryEvent => events.taskScheduled(T0, id, name);
const done = (id: number): HistoryEvent => events.taskCompleted(T0, id, '1');
const failed = (id: number): HistoryEvent => events.taskFailed(T0, id, 'reason', 'details');
const raised = (name: string): HistoryEvent => events.eventRaised(T0, name, '1');
const timer = (id: number, ms: number): HistoryEvent => events.timerCreated(T0, id, T0 + ms);
const fired = (id: number, ms: number): HistoryEvent => events.timerFired(T0 + ms, id, T0 + ms);

const activity = (functionName = 'a'): Action => ({ actionType: 0, functionName });
const waitFor = (externalEventName: string): Action => ({ actionType: 6, externalEventName });
const timerAction = (ms: number, isCanceled = false): Action => ({ actionType: 5, fireAt: at(ms), isCanceled });
const any = (...compoundActions: Action[]): Action => ({ actionType: 11, compoundActions });
const all = (...compoundActions: Action[]): Action => ({ actionType: 12, compoundActions });
const retried = (attempts: number, functionName = 'a'): Action => ({
  actionType: 1,
  functionName,
  retryOptions: { firstRetryIntervalInMilliseconds: 1000, maxNumberOfAttempts: attempts, backoffCoefficient: 2 },
});

function play(history: HistoryEvent[], actions: Action[], state: Partial<OrchestratorState> = {}): Replayed {
  const whole = { isDone: false, output: undefined, customStatus: undefined, error: undefined, ...state, actions };
  return replay(history, whole, { name: 'o', executionId: 'x', refusal: () => undefined });
}
const ids = ({ decisions }: Replayed): string[] =>
  decisions.map((one) => `${one.kind}#${one.id}${one.kind === 'timer' ? `@${one.fireAt - T0}` : ''}`);

test('only the first of several actions starts; the next starts when it has completed', () => {
  expect(ids(play(begin(), [activity()]))).toEqual(['activity#0']);
  expect(ids(play([...begin(), scheduled(0)], [activity(), activity()]))).toEqual([]);
  expect(ids(play([...begin(), scheduled(0), ...turn(1, done(0))], [activity(), activity()]))).toEqual(['activity#1']);
});

test('ids count activities, timers and sub-orchestrations depth-first, and leave events out', () => {
  const sub: Action = { actionType: 2, functionName: 's' };
  expect(ids(play(begin(), [all(activity(), waitFor('e'), any(timerAction(5), sub), activity())]))).toEqual([
    'activity#0',
    'timer#1@5',
    'subOrchestration#2',
    'activity#3',
  ]);
});

test('a sub-orchestration without an id gets one from the execution and its own', () => {
  const { decisions } = play(begin(), [{ actionType: 2, functionName: 's' }]);
  expect(decisions).toEqual([expect.objectContaining({ instanceId: 'x:0' })]);
});

test('a retry waits by a timer that doubles, and after the last failure by one that is due at once', () => {
  const actions = [retried(2), activity()];
  const once = [...begin(), scheduled(0), ...turn(10, failed(0))];
  expect(ids(play(once, actions))).toEqual(['timer#1@1010']);
  const twice = [...once, timer(1, 1010), ...turn(1010, fired(1, 1010)), scheduled(2), ...turn(1020, failed(2))];
  expect(ids(play(twice, actions))).toEqual(['timer#3@1020']);
  const gaveUp = [...twice, timer(3, 1020), ...turn(1030, fired(3, 1020))];
  expect(ids(play(gaveUp, actions))).toEqual(['activity#4']);
});

test('two activities that retry side by side take their ids in the order in which they fail', () => {
  const history = [...begin(), scheduled(0), scheduled(1), ...turn(10, failed(1), failed(0))];
  expect(ids(play(history, [all(retried(3), retried(3))]))).toEqual(['timer#2@1010', 'timer#3@1010']);
});

test('of all tasks a failed one does not start what follows before the others are done', () => {
  const actions = [all(activity(), activity()), activity()];
  const one = [...begin(), scheduled(0), scheduled(1), ...turn(1, failed(0))];
  expect(ids(play(one, actions))).toEqual([]);
  expect(ids(play([...one, ...turn(2, done(1))], actions))).toEqual(['activity#2']);
});

test('an event that came before anybody waited is kept, whatever its case', () => {
  const history = [...begin(), raised('LATER'), raised('now')];
  expect(ids(play(history, [waitFor('Now'), waitFor('later'), activity()]))).toEqual(['activity#0']);
});

test('an orchestration completes only when nothing is open: not while a timer that was not cancelled runs', () => {
  const end = { isDone: true, output: 'x' };
  const history = [...begin(), timer(0, DAY), ...turn(5, raised('e'))];
  expect(play(history, [any(waitFor('e'), timerAction(DAY))], end).outcome).toEqual({ kind: 'running' });
  expect(play(history, [any(waitFor('e'), timerAction(DAY, true))], end).outcome).toEqual({
    kind: 'completed',
    output: 'x',
  });
});

describe('a timer beyond six days', () => {
  const actions = (isCanceled: boolean): Action[] => [any(waitFor('e'), timerAction(14 * DAY, isCanceled)), activity()];

  test('goes in hops of three days and then what is left', () => {
    let history = begin();
    const hops: string[] = [];
    for (let id = 0; id < 4; id += 1) {
      const [next] = play(history, actions(false)).decisions;
      if (next?.kind !== 'timer') throw new Error('no timer');
      const due = next.fireAt - T0;
      hops.push(`#${next.id} day ${due / DAY}`);
      history = [...history, timer(next.id, due), ...turn(due, fired(next.id, due))];
    }
    expect(hops).toEqual(['#0 day 3', '#1 day 6', '#2 day 9', '#3 day 14']);
    expect(ids(play(history, actions(false)))).toEqual(['activity#4']);
  });

  test('may be cancelled before its first hop', () => {
    expect(ids(play([...begin(), timer(0, 3 * DAY), ...turn(DAY, raised('e'))], actions(true)))).toEqual([
      'activity#1',
    ]);
  });

  test('fails the orchestration when it is cancelled after its first hop, as on Azure Storage', () => {
    const hopped = [...begin(), timer(0, 3 * DAY), ...turn(3 * DAY, fired(0, 3 * DAY)), timer(1, 6 * DAY)];
    const { outcome } = play([...hopped, ...turn(4 * DAY, raised('e'))], actions(true));
    expect(outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^Non-Deterministic workflow detected: /) as unknown,
    });
  });
});

test('an orchestrator that no longer calls what its history says fails as non-deterministic', () => {
  const history = [...begin(), scheduled(0, 'old'), ...turn(1, done(0))];
  for (const actions of [[activity('new')], [timerAction(5)], []]) {
    expect(play(history, actions).outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining("scheduled an activity task with sequence ID 0 and name 'old'") as unknown,
    });
  }
});

test('while suspended what arrives is held back, and comes through in order on resuming', () => {
  const actions = [activity(), activity('next')];
  const suspended = [...begin(), scheduled(0), ...turn(1, events.executionSuspended(T0, 'r')), ...turn(2, done(0))];
  expect(ids(play(suspended, actions))).toEqual([]);
  expect(ids(play([...suspended, ...turn(3, events.executionResumed(T0, 'r'))], actions))).toEqual(['activity#1']);
});

test('a suspended orchestration can be terminated', () => {
  const history = [...begin(), events.executionSuspended(T0, 'r'), events.executionTerminated(T0, 'stop')];
  expect(play(history, [waitFor('e')]).outcome).toEqual({ kind: 'terminated', reason: 'stop' });
});

test('continueAsNew carries over the events that nobody read, those that came after it last', () => {
  const history = [...begin(), raised('read'), raised('unread'), ...turn(1, raised('read'), raised('after'))];
  const { outcome } = play(history, [waitFor('read'), waitFor('read'), { actionType: 4, input: 2 }], { isDone: true });
  expect(outcome).toMatchObject({ kind: 'continuedAsNew', input: 2, carried: [{ Name: 'unread' }, { Name: 'after' }] });
});

test('an error fails the orchestration once what it still waits for is over', () => {
  const error = { error: 'boom' };
  expect(play([...begin(), scheduled(0)], [activity()], error).outcome).toEqual({ kind: 'running' });
  expect(play([...begin(), scheduled(0), ...turn(1, failed(0))], [activity()], error).outcome).toMatchObject({
    kind: 'failed',
    reason: "Orchestrator function 'o' failed: boom",
  });
});

test('what this host does not have fails at once with a sentence that says what', () => {
  const reasonOf = (action: Action): unknown => (play(begin(), [action]).outcome as { reason?: string }).reason;
  expect(reasonOf({ actionType: 7, instanceId: '@counter@k', operation: 'add' })).toMatch(
    /no durable entities.*'add' to @counter@k/,
  );
  expect(reasonOf({ actionType: 8 })).toMatch(/no durable HTTP/);
  expect(reasonOf({ actionType: 13 })).toMatch(/no locks/);
});
