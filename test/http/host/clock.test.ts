import { readFileSync, writeFileSync } from 'node:fs';
import { openClock } from '../../../local/clock/clock';
import type { HostRun } from './host-process';
import { build, call, endHosts, eventually, lines, Orchestration, startHost, temporaryFolder } from './host-process';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const folder = temporaryFolder();
const clock = openClock(folder.at('clock'));
clock.set(new Date('2030-05-01T12:00:00Z'));

beforeAll(() => void build());
afterEach(endHosts);
afterAll(() => folder.remove());

const start = (name: string, env: Record<string, string> = {}): Promise<HostRun> =>
  startHost({ state: folder.at(name), clockFile: clock.file, env: { NOTES: folder.at(`${name}-notes`), ...env } });
const noted = (name: string, word: string): string[] =>
  lines(folder.at(`${name}-notes`)).filter((line) => line.startsWith(word));

test('moving the clock fires a timer at once, and the orchestrator’s time is never before the timer’s', async () => {
  const host = await start('jumps');
  const orchestration = await Orchestration.start(host.base, 'timersInOrder', { hours: [1, 2, 5, 24] });
  await orchestration.until(({ runtimeStatus }) => runtimeStatus === 'Running');
  clock.advance(30 * DAY);
  const began = performance.now();
  const { output } = await orchestration.ended();
  expect(performance.now() - began).toBeLessThan(3_000);
  for (const late of output as number[]) expect(late).toBeGreaterThanOrEqual(0);
});

test('a timer of 14 days goes in hops and fires on its day; nothing fires early', async () => {
  const host = await start('hops');
  const from = clock.now().getTime();
  const orchestration = await Orchestration.start(host.base, 'longTimer', null);
  const fired = async (): Promise<number> =>
    ((await orchestration.status('&showHistory=true')).historyEvents ?? []).filter(
      ({ EventType }) => EventType === 'TimerFired',
    ).length;
  await orchestration.until(({ runtimeStatus }) => runtimeStatus === 'Running');
  for (const [days, hops] of [
    [3, 1],
    [3, 2],
    [3, 3],
  ] as const) {
    clock.advance(days * DAY + 1000);
    await eventually(async () => (await fired()) === hops);
  }
  clock.advance(4 * DAY);
  expect((await orchestration.status()).runtimeStatus).toBe('Running');
  clock.advance(DAY);
  const { output } = await orchestration.ended();
  expect(output).toMatchObject({ by: 'timer' });
  expect(Date.parse((output as { at: string }).at)).toBeGreaterThanOrEqual(from + 14 * DAY);
});

test('a timer of 14 days that is cancelled after its first hop fails the orchestration, as on Azure Storage', async () => {
  const host = await start('trap');
  const orchestration = await Orchestration.start(host.base, 'longTimer', null);
  await orchestration.until(({ runtimeStatus }) => runtimeStatus === 'Running');
  clock.advance(4 * DAY);
  await eventually(
    async () =>
      ((await orchestration.status('&showHistory=true')).historyEvents ?? []).filter(
        ({ EventType }) => EventType === 'TimerCreated',
      ).length === 2,
  );
  await orchestration.raise('decision', 'yes');
  const { runtimeStatus, output } = await orchestration.ended();
  expect(runtimeStatus).toBe('Failed');
  expect(output).toMatch(/^Non-Deterministic workflow detected: /);
});

describe('timer functions', () => {
  test('run on their schedule, once for however many occurrences a jump passes', async () => {
    clock.set(new Date('2031-01-01T12:00:00Z'));
    await start('nightly');
    clock.set(new Date('2031-01-02T01:59:59Z'));
    await eventually(() => noted('nightly', 'nightly done').length === 1);
    expect(noted('nightly', 'nightly at')).toEqual([
      expect.stringMatching(/^nightly at 2031-01-02T02:00:00\.\d{3}Z pastDue false$/),
    ]);
    clock.advance(5 * DAY);
    await eventually(() => noted('nightly', 'nightly done').length === 2);
    expect(noted('nightly', 'nightly at').at(-1)).toMatch(/pastDue true$/);
  });

  test('make up for an occurrence that the host missed while it was down, and run at start-up where they ask for it', async () => {
    clock.set(new Date('2031-02-01T12:00:00Z'));
    // a host is ready before what runs at its start has run
    const startUps = (count: number) => (): boolean => noted('missed', 'atStart').length === count;
    const first = await start('missed');
    await eventually(startUps(1));
    await first.kill('SIGKILL');
    const second = await start('missed');
    await eventually(startUps(2));
    await second.kill('SIGKILL');
    expect(noted('missed', 'nightly')).toEqual([]);
    clock.advance(DAY);
    await start('missed');
    await eventually(() => noted('missed', 'nightly done').length === 1);
    expect(noted('missed', 'nightly at')).toEqual([expect.stringMatching(/pastDue true$/)]);
    await eventually(startUps(3));
  });

  test('never run twice at a time, and run again when a kill interrupted them', async () => {
    clock.set(new Date('2031-03-01T12:00:00Z'));
    const until = folder.at('nightly-may-end');
    const first = await start('interrupted', { NIGHTLY_UNTIL: until });
    clock.advance(DAY);
    await eventually(() => noted('interrupted', 'nightly at').length === 1);
    clock.advance(DAY);
    await call(first.base, 'GET', '/api/nothing');
    expect(noted('interrupted', 'nightly')).toHaveLength(1);
    await first.kill('SIGKILL');
    writeFileSync(until, '');
    await start('interrupted', { NIGHTLY_UNTIL: until });
    await eventually(() => noted('interrupted', 'nightly done').length === 1);
    expect(noted('interrupted', 'nightly at').at(-1)).toMatch(/pastDue true$/);
  });

  test('do not run where a setting switches them off, and an HTTP function has no route then', async () => {
    clock.set(new Date('2031-04-01T12:00:00Z'));
    const off = { 'AzureWebJobs.nightly.Disabled': 'true', 'AzureWebJobs.newThing.Disabled': '1' };
    const host = await start('switched-off', off);
    clock.advance(DAY);
    // another function of the same app runs
    await eventually(() => noted('switched-off', 'atStart').length === 1);
    expect((await call(host.base, 'GET', '/api/things/new')).json).toMatchObject({ fn: 'thing' });
    await host.kill('SIGKILL');
    await start('switched-off');
    clock.advance(DAY);
    await eventually(() => noted('switched-off', 'nightly done').length === 1);
    expect(noted('switched-off', 'nightly at')).toHaveLength(1);
  });

  test('run by hand for who has the master key', async () => {
    const host = await start('by-hand');
    const { master } = JSON.parse(readFileSync(folder.at('by-hand/host-keys.json'), 'utf8')) as { master: string };
    const run = (key: string, name = 'nightly', body: unknown = { input: '' }): Promise<number> =>
      call(host.base, 'POST', `/admin/functions/${name}`, body, { 'x-functions-key': key }).then(
        ({ status }) => status,
      );
    expect(await run('wrong')).toBe(401);
    expect(await run(master, 'unknown')).toBe(404);
    expect(await run(master, 'nightly', '{')).toBe(400);
    expect(noted('by-hand', 'nightly')).toEqual([]);
    expect(await run(master)).toBe(202);
    await eventually(() => noted('by-hand', 'nightly done').length === 1);
  });
});
