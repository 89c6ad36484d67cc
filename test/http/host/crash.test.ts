import { setImmediate } from 'node:timers/promises';
import { temporaryFolder } from '../stack/tools';
import { FixtureHost } from './fixture-host';

const ORCHESTRATIONS = 20;
const STEPS = 8;
const TIMERS = 6;
const KILLS = 10;
/** As host.json of the fixture says. */
const ACTIVITIES_AT_ONCE = 4;
const ids = Array.from({ length: ORCHESTRATIONS }, (_, index) => `ledger-${index}`);
const steps = Array.from({ length: STEPS }, (_, step) => step);

// Where the host dies: as an orchestrator decides, as an activity begins, as it has had its effect but not yet given its result.
const MOMENTS = ['episode', 'begin', 'done'] as const;

const folder = temporaryFolder();
const host = new FixtureHost(folder.path);
afterAll(async () => {
  await host.kill();
  folder.remove();
});

const count = (kind: string): number => host.notes().filter((line) => line.startsWith(kind)).length;

/** Waits, looking without a pause, until `more` further lines of a kind stand in the notes. */
async function progress(kind: string, more: number): Promise<void> {
  const wanted = count(kind) + more;
  const until = performance.now() + 20_000;
  while (count(kind) < wanted) {
    if (performance.now() > until) throw new Error(`No progress after a restart:\n${host.output.slice(-3000)}`);
    await setImmediate();
  }
}

test('a host that is killed again and again loses no orchestration, activity or timer, and gives no wrong result', async () => {
  await host.start();
  await Promise.all(ids.map((id) => host.begin('ledger', id)));

  for (let kill = 0; kill < KILLS; kill += 1) {
    await progress(MOMENTS[kill % MOMENTS.length] ?? 'done', 3 + kill);
    await host.kill();
    await host.start();
  }
  const effects = (): Set<string> => new Set(host.notes().filter((line) => line.startsWith('done')));
  expect(effects().size).toBeLessThan(ORCHESTRATIONS * STEPS);

  for (const id of ids) {
    const { runtimeStatus, output } = await host.ended(id, 30_000);
    expect({ runtimeStatus, output }).toEqual({
      runtimeStatus: 'Completed',
      output: steps.map((step) => `${id}/${step}`),
    });
  }
  expect([...effects()].sort()).toEqual(ids.flatMap((id) => steps.map((step) => `done ${id} ${step}`)).sort());
  // Only what was under way when the host died is done twice.
  expect(count('begin')).toBeLessThanOrEqual(ORCHESTRATIONS * STEPS + KILLS * ACTIVITIES_AT_ONCE);

  for (const id of ids) {
    const { historyEvents = [] } = await host.status(id, 'showHistory=true');
    const kinds = historyEvents.map(({ EventType }) => EventType);
    expect(kinds.filter((kind) => kind === 'TaskCompleted')).toHaveLength(STEPS);
    expect(kinds.filter((kind) => kind === 'TimerFired')).toHaveLength(TIMERS);
  }
});
