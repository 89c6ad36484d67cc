// Beside orchestrations.test.ts: what shows only at gates, or in what the management API tells of an instance.
import { temporaryFolder } from '../stack/tools';
import { FixtureHost } from './fixture-host';

const folder = temporaryFolder();
const host = new FixtureHost(folder.path);

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

test('an orchestration can catch the failure of its sub-orchestration, which ends as failed', async () => {
  expect(await run('outer')).toEqual(completed({ caught: expect.stringContaining("'inner' failed") as unknown }));
  expect(await host.status('outer-1:inner')).toMatchObject({
    name: 'inner',
    parentInstanceId: 'outer-1',
    runtimeStatus: 'Failed',
    output: expect.stringContaining('No fruit for ann.') as unknown,
  });
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
