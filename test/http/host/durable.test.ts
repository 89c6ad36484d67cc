import { join } from 'node:path';
import { openClock } from '../../../local/clock/clock';
import { eventually, temporaryFolder } from '../stack/tools';
import { FixtureHost } from './fixture-host';

const folder = temporaryFolder();
const clock = openClock(join(folder.path, 'clock'));
const host = new FixtureHost(folder.path, { clockFile: clock.file });
const DAY = 86_400_000;

beforeAll(() => host.start());
afterAll(async () => {
  await host.stop();
  folder.remove();
});

/** Starts an orchestration and tells how it ended. */
async function run(name: string, input: unknown = null, id = `${name}-1`): Promise<object> {
  await host.begin(name, id, input);
  const { runtimeStatus, output, customStatus } = await host.ended(id);
  return { runtimeStatus, output, customStatus };
}
const completed = (output: unknown, customStatus: unknown = null): object => ({
  runtimeStatus: 'Completed',
  output,
  customStatus,
});

test('activities follow each other, and the last custom status stands', async () => {
  expect(await run('spell', { word: 'a' })).toEqual(completed('a-b-c', { letters: 2 }));
});

test('the history of a finished instance names each activity, with its result, in order', async () => {
  await run('spell', { word: 'x' }, 'spell-history');
  const query = 'showHistory=true&showHistoryOutput=true';
  const { historyEvents = [], ...status } = await host.status('spell-history', query);
  expect(status).toMatchObject({ name: 'spell', instanceId: 'spell-history', input: { word: 'x' } });
  const at: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  const scheduled: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00$/);
  const task = { EventType: 'TaskCompleted', FunctionName: 'join', Input: null, ScheduledTime: scheduled };
  expect(historyEvents).toEqual([
    {
      EventType: 'ExecutionStarted',
      FunctionName: 'spell',
      Input: '{"word":"x"}',
      Timestamp: at,
      Correlation: null,
      ParentTraceContext: null,
      ScheduledStartTime: null,
      Generation: 0,
      GenerateNewTrace: false,
    },
    { ...task, Result: 'x-b', Timestamp: at },
    { ...task, Result: 'x-b-c', Timestamp: at },
    {
      EventType: 'ExecutionCompleted',
      OrchestrationStatus: 'Completed',
      Result: 'x-b-c',
      FailureDetails: null,
      Timestamp: at,
    },
  ]);
});

test('a fan-out gives its results in the order of the calls', async () => {
  expect(await run('squares', [5, 1, 3, 2, 4, 6])).toEqual(completed([25, 1, 9, 4, 16, 36]));
});

test('an activity that fails twice succeeds at the third of three attempts', async () => {
  expect(await run('persistent', { failures: 2 })).toEqual(completed({ attempt: 3 }));
});

test('an activity that fails at every attempt fails its orchestration after the last', async () => {
  expect(await run('hopeless')).toMatchObject({
    runtimeStatus: 'Failed',
    output: expect.stringContaining('The press is stuck.') as unknown,
  });
  expect(host.notes().filter((line) => line === 'press hopeless-1')).toHaveLength(3);
});

test('an orchestration can catch the failure of its sub-orchestration, which ends as failed', async () => {
  expect(await run('outer')).toEqual(completed({ caught: expect.stringContaining("'inner' failed") as unknown }));
  expect(await host.status('outer-1:inner')).toMatchObject({
    name: 'inner',
    parentInstanceId: 'outer-1',
    runtimeStatus: 'Failed',
    output: expect.stringContaining('No fruit for ann.') as unknown,
  });
});

test('of an event and a timer the event wins when it comes first, and the cancelled timer holds nothing up', async () => {
  await host.begin('race', 'race-event', { ms: DAY });
  expect(await host.raise('race-event', 'word', { n: 1 })).toBe(202);
  expect(await host.ended('race-event')).toMatchObject(completed({ winner: 'event', word: { n: 1 } }));
  expect(await host.raise('race-event', 'word', { n: 2 })).toBe(410);
});

test('of an event and a timer the timer wins when no event comes', async () => {
  expect(await run('race', { ms: 30 }, 'race-timer')).toEqual(completed({ winner: 'timer' }));
});

test.each([
  ['is there for an orchestration that looks', true, 'now'],
  ['is lost, as on Azure, to one that waits again without looking', false, null],
])('an event that arrives during an activity %s', async (_, looks, word) => {
  const id = `interrupted-${looks}`;
  await host.begin('interrupted', id, { looks });
  await host.atGate(id);
  expect(await host.raise(id, 'word', 'now')).toBe(202);
  host.openGate(id);
  expect(await host.ended(id)).toMatchObject(completed({ word }));
});

test('events that come before anyone waits for them are kept, those of one name in their order', async () => {
  await host.begin('pairs', 'pairs-1');
  await host.atGate('pairs-1');
  for (const [name, value] of [
    ['right', 'r'],
    ['left', 1],
    ['left', 2],
  ] as const)
    expect(await host.raise('pairs-1', name, value)).toBe(202);
  host.openGate('pairs-1');
  expect(await host.ended('pairs-1')).toMatchObject(completed({ left: [1, 2], right: 'r' }));
});

test('continueAsNew begins again with a new input and a new history', async () => {
  expect(await run('countdown', { from: 4, seen: [] })).toEqual(completed([16, 9, 4, 1], { at: 1 }));
  const { input, historyEvents = [] } = await host.status('countdown-1', 'showHistory=true');
  expect(input).toEqual({ from: 1, seen: [16, 9, 4] });
  expect(historyEvents.map(({ EventType }) => EventType)).toEqual([
    'ExecutionStarted',
    'TaskCompleted',
    'ExecutionCompleted',
  ]);
});

test('events that an execution leaves unread are there for the next one after continueAsNew, in their order', async () => {
  await host.begin('gathers', 'gathers-1', []);
  await host.atGate('gathers-1');
  for (const item of ['a', 'b', 'c']) expect(await host.raise('gathers-1', 'item', item)).toBe(202);
  host.openGate('gathers-1');
  expect(await host.ended('gathers-1')).toMatchObject(completed(['a', 'b', 'c']));
});

test('newGuid gives each call its own GUID, the same at every replay', async () => {
  await host.begin('tokens', 'tokens-1');
  const { output } = await host.ended('tokens-1');
  const { first, carried, third } = output as Record<'first' | 'carried' | 'third', string>;
  const second = carried.slice(first.length + 1);
  expect(carried).toBe(`${first}-${second}`);
  expect(new Set([first, second, third]).size).toBe(3);
  for (const guid of [first, second, third])
    expect(guid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test.each([
  [
    'asksEntity',
    "This host has no durable entities: it can't send 'fill' to @basket@one; run the app on Azure or with Core Tools.",
  ],
  [
    'asksHttp',
    'This host has no durable HTTP: call the address from an activity, or run the app on Azure or with Core Tools.',
  ],
])('%s fails at once with a sentence that names what is not there', async (name, sentence) => {
  expect(await run(name)).toMatchObject({
    runtimeStatus: 'Failed',
    output: expect.stringContaining(sentence) as unknown,
  });
});

// The last one, since it moves the clock of all the others.
test('a timer of ten days fires on the tenth, in hops of three, three and four days, and not before', async () => {
  await host.begin('patient', 'patient-1');
  const fired = async (): Promise<number> => {
    const { historyEvents = [] } = await host.status('patient-1', 'showHistory=true');
    return historyEvents.filter(({ EventType }) => EventType === 'TimerFired').length;
  };
  await host.until('patient-1', ({ runtimeStatus }) => runtimeStatus === 'Running');
  for (const hop of [1, 2]) {
    clock.advance(3 * DAY);
    await eventually(async () => (await fired()) === hop);
  }
  clock.advance(3 * DAY);
  // A later timer that has fired shows that those due before it had their turn.
  await run('race', { ms: 30 }, 'race-on-day-nine');
  expect(await fired()).toBe(2);
  expect((await host.status('patient-1')).runtimeStatus).toBe('Running');
  clock.advance(DAY);
  expect(await host.ended('patient-1')).toMatchObject(completed({ early: false }));
  expect(await fired()).toBe(3);
});
