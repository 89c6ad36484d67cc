import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostRun } from './host-process';
import { build, call, endHosts, Orchestration, repository, startHost, temporaryFolder } from './host-process';

// test/golden/expected.json says, for orchestrations that need nobody, how each ends and which history its last episode is handed:
// `4#0 echo` is event type 4 (TaskScheduled) with id 0; `5 of#0` the TaskCompleted for it.

interface Expectation {
  status: string;
  output: unknown;
  history?: string[];
}

const folder = temporaryFolder();
let host: HostRun;

beforeAll(async () => {
  build();
  host = await startHost({ state: folder.at('state') });
});
afterAll(async () => {
  await endHosts();
  folder.remove();
});

const expected = JSON.parse(readFileSync(join(repository, 'test', 'golden', 'expected.json'), 'utf8')) as Record<
  string,
  Expectation
>;

const historyOf = async (id: string): Promise<string[]> =>
  (await call(host.base, 'GET', `/api/history/${id}`)).json as string[];

describe('an orchestration that needs nobody ends, with the history that the real extension would give it', () => {
  test.each(Object.entries(expected))('%s', async (name, { status, output, history }) => {
    const orchestration = await Orchestration.start(host.base, name, inputs[name], `${name}-1`);
    const end = await orchestration.ended();
    const actual = {
      status: end.runtimeStatus,
      output: typeof end.output === 'string' ? end.output.split('\n')[0] : end.output,
      ...(history && { history: await historyOf(orchestration.id) }),
    };
    expect(actual).toEqual({ status, output, ...(history && { history }) });
  });
});

const inputs: Record<string, unknown> = { sequence: { given: true }, counts: 1, stepByStep: { steps: 2 } };

test('of an event and a timer the first wins, and a cancelled timer keeps nothing running', async () => {
  const decided = await Orchestration.start(host.base, 'decision', { ms: 3_600_000 });
  await decided.until(({ customStatus }) => customStatus !== null);
  expect((await decided.raise('decision', 'yes')).status).toBe(202);
  expect(await decided.ended()).toMatchObject({
    runtimeStatus: 'Completed',
    output: 'yes',
    customStatus: { waiting: true },
  });
  expect((await decided.raise('decision', 'no')).status).toBe(410);

  const late = await Orchestration.start(host.base, 'decision', { ms: 50 });
  expect((await late.ended()).output).toBe('late');
});

test('a timer that nobody cancels keeps its instance running, as it does on the real extension', async () => {
  const orchestration = await Orchestration.start(host.base, 'forgottenTimer', null);
  await orchestration.until(({ runtimeStatus }) => runtimeStatus === 'Running');
  await orchestration.raise('go', 1);
  await orchestration.until(({ lastUpdatedTime, createdTime }) => lastUpdatedTime >= createdTime);
  const { runtimeStatus } = await orchestration.until(() => true);
  expect(runtimeStatus).toBe('Running');
  await orchestration.manage('terminate', 'enough');
  expect(await orchestration.ended()).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
});

test('a suspended orchestration holds its events back until it is resumed', async () => {
  const orchestration = await Orchestration.start(host.base, 'eventsInAnyOrder', null);
  await orchestration.until(({ runtimeStatus }) => runtimeStatus === 'Running');
  await orchestration.manage('suspend', 'wait a moment');
  await orchestration.until(({ runtimeStatus }) => runtimeStatus === 'Suspended');
  await orchestration.raise('first', 1);
  await orchestration.raise('second', 2);
  expect(await orchestration.status()).toMatchObject({ runtimeStatus: 'Suspended', output: 'wait a moment' });
  await orchestration.manage('resume', 'go on');
  expect(await orchestration.ended()).toMatchObject({ runtimeStatus: 'Completed', output: [1, 2] });
});

test('the version is the host’s own unless the start names another, and one that is too new is not run', async () => {
  const own = await Orchestration.start(host.base, 'versioned', null);
  expect(await own.ended()).toMatchObject({ output: '2.0', version: '2.0' });
  const older = await Orchestration.start(host.base, 'versioned', null, '', '?version=1.5');
  expect(await older.ended()).toMatchObject({ output: '1.5', version: '1.5' });
  const newer = await Orchestration.start(host.base, 'versioned', null, '', '?version=10.0');
  await (await Orchestration.start(host.base, 'versioned', null)).ended();
  expect((await newer.status()).runtimeStatus).toBe('Pending');
});

test('an id is taken while its instance runs and free again when it has ended', async () => {
  const first = await Orchestration.start(host.base, 'eventsInAnyOrder', 1, 'same-id');
  await first.until(({ runtimeStatus }) => runtimeStatus === 'Running');
  const refused = await call(host.base, 'POST', '/api/start/sequence/same-id', 2);
  expect(refused).toMatchObject({ status: 409 });
  expect(refused.text).toContain('An Orchestration instance with the status Running already exists.');
  await first.manage('terminate', 'make room');
  await first.ended();
  const second = await Orchestration.start(host.base, 'sequence', 2, 'same-id');
  expect(await second.ended()).toMatchObject({ name: 'sequence', input: 2, runtimeStatus: 'Completed' });
});

test('lists page by token and filter by prefix, status and time; purges count what they remove', async () => {
  const ids = ['list-a', 'list-b', 'list-c'];
  const started = await Promise.all(ids.map((id) => Orchestration.start(host.base, 'sequence', null, id)));
  await Promise.all(started.map((orchestration) => orchestration.ended()));
  const [first] = started;
  const all = new URL(first!.urls.statusQueryGetUri);
  all.pathname = '/runtime/webhooks/durabletask/instances';
  const query = `${all.href}&instanceIdPrefix=list-&showInput=false`;

  const page = await call(host.base, 'GET', `${query}&top=2`);
  const token = page.headers.get('x-ms-continuation-token') ?? '';
  const rest = await call(host.base, 'GET', `${query}&top=2`, undefined, { 'x-ms-continuation-token': token });
  const names = [page, rest].map(({ json }) => (json as { instanceId: string }[]).map(({ instanceId }) => instanceId));
  expect(names).toEqual([['list-a', 'list-b'], ['list-c']]);
  expect(rest.headers.get('x-ms-continuation-token')).toBeNull();
  expect((await call(host.base, 'GET', `${query}&runtimeStatus=Running,Pending`)).json).toEqual([]);
  expect((await call(host.base, 'GET', `${query}&createdTimeFrom=2100-01-01T00:00:00Z`)).json).toEqual([]);

  expect((await first!.purge()).json).toEqual({ instancesDeleted: 1 });
  expect((await first!.purge()).status).toBe(404);
  expect((await call(host.base, 'DELETE', `${all.href}&runtimeStatus=Completed`)).status).toBe(400);
  const gone = await call(
    host.base,
    'DELETE',
    `${all.href}&createdTimeFrom=2020-01-01T00:00:00Z&runtimeStatus=Completed`,
  );
  expect((gone.json as { instancesDeleted: number }).instancesDeleted).toBeGreaterThanOrEqual(2);
  expect((await call(host.base, 'GET', query)).json).toEqual([]);
});

test('a running instance can’t be purged, only a failed one could be rewound, and a restart begins anew', async () => {
  const orchestration = await Orchestration.start(host.base, 'eventsInAnyOrder', 'again');
  await orchestration.until(({ runtimeStatus }) => runtimeStatus === 'Running');
  expect((await orchestration.purge()).status).toBe(412);
  expect((await orchestration.manage('rewind', 'x')).status).toBe(412);
  const again = await call(host.base, 'POST', orchestration.urls.restartPostUri);
  expect(again.status).toBe(202);
  const { id } = again.json as { id: string };
  expect(id).not.toBe(orchestration.id);
  const moved = orchestration.urls.statusQueryGetUri.replace(orchestration.id, id);
  expect((await call(host.base, 'GET', moved)).json).toMatchObject({ name: 'eventsInAnyOrder', input: 'again' });

  const failed = await Orchestration.start(host.base, 'uncaught', null);
  await failed.ended();
  expect((await failed.manage('rewind', 'x')).status).toBe(501);
});

test('the webhooks open only to their key, to no key of a function', async () => {
  const { urls } = await Orchestration.start(host.base, 'sequence', null);
  const bare = new URL(urls.statusQueryGetUri);
  bare.search = '';
  expect((await call(host.base, 'GET', bare.href)).status).toBe(401);
  expect((await call(host.base, 'GET', `${bare.href}?code=wrong`)).status).toBe(401);
  const key = new URL(urls.statusQueryGetUri).searchParams.get('code') ?? '';
  expect((await call(host.base, 'GET', bare.href, undefined, { 'x-functions-key': key })).status).toBeLessThan(203);
});

test('a start that names a time-out answers with the output', async () => {
  const { urls } = await Orchestration.start(host.base, 'sequence', null);
  const at = new URL(urls.statusQueryGetUri);
  const start = (name: string): string =>
    `/runtime/webhooks/durabletask/orchestrators/${name}?timeout=10&code=${at.searchParams.get('code')}`;
  expect(await call(host.base, 'POST', start('versioned'), null)).toMatchObject({ status: 200, json: '2.0' });
  expect((await call(host.base, 'POST', start('uncaught'), null)).status).toBe(500);
});

test('an orchestrator that the app lacks fails its instance and names those that it has', async () => {
  const missing = await Orchestration.start(host.base, 'noSuchOrchestrator', null);
  const { runtimeStatus, output } = await missing.ended();
  expect(runtimeStatus).toBe('Failed');
  expect(output).toMatch(
    /^Orchestrator function 'noSuchOrchestrator' failed: The function 'noSuchOrchestrator' doesn't exist, is disabled, or is not an orchestrator function\. Additional info: The following are the known orchestrator functions: 'sequence', 'parallel', /,
  );
});
