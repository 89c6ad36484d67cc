import { join } from 'node:path';
import { openClock } from '../../../local/clock/clock';
import { eventually, temporaryFolder } from '../stack/tools';
import { FixtureHost } from './fixture-host';

const folder = temporaryFolder();
const clock = openClock(join(folder.path, 'clock'));
const host = new FixtureHost(folder.path, { clockFile: clock.file });

beforeAll(() => host.start());
afterAll(async () => {
  await host.stop();
  folder.remove();
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  host.call('GET', path, { headers });
const json = async (path: string): Promise<unknown> => {
  const answer = await get(path);
  return answer.status === 200 ? answer.json() : answer.status;
};

test.each([
  ['a number goes to the number’s route', 'trees/12', { by: 'byNumber', number: '12' }],
  ['a negative number is one', 'trees/-3', { by: 'byNumber', number: '-3' }],
  ['letters go to the letters’ route', 'trees/ash', { by: 'byLetters', letters: 'ash' }],
  ['a literal goes before the letters it also is', 'trees/all', { by: 'list' }],
  ['paths ignore case in literals and keep it in parameters', 'TREES/Ash', { by: 'byLetters', letters: 'Ash' }],
  ['letters beyond the length are no tree', 'trees/willow', 404],
  ['a mix of letters and digits is no tree', 'trees/a1', 404],
  ['what is too large for an int is none', 'trees/2147483648', 404],
  ['the ends of a range are in it', 'rows/12', { by: 'byRange', row: '12' }],
  ['what is beyond a range is not', 'rows/13', 404],
  ['an optional parameter may be given', 'trees/7/fruit/plum', { by: 'fruit', number: '7', kind: 'plum' }],
  ['an optional parameter may be left out', 'trees/7/fruit', { by: 'fruit', number: '7' }],
  ['nothing may follow the last parameter', 'trees/7/fruit/plum/ripe', 404],
  ['a rest takes all segments', 'files/a/b%20c/d.txt', { by: 'rest', path: 'a/b c/d.txt' }],
  ['a rest may be empty', 'files', { by: 'rest' }],
])('%s: /api/%s', async (_, path, expected) => {
  expect(await json(`/api/${path}`)).toEqual(expected);
});

test('without the prefix, and by a method that the function doesn’t name, nothing is found', async () => {
  expect((await get('/trees/12')).status).toBe(404);
  for (const method of ['POST', 'HEAD', 'DELETE']) expect((await host.call(method, '/api/trees/12')).status).toBe(404);
});

test('a repeated query parameter arrives joined, an encoded one decoded', async () => {
  expect(await json('/api/query?q=1&q=2&name=J%C3%B6rg%20%26%20co')).toEqual({ q: '1,2', name: 'Jörg & co' });
});

test('every byte of a body goes in and comes out as it is', async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256);
  const answer = await host.call('PUT', '/api/reversed', { body: bytes, headers: { 'content-type': 'image/x-tree' } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/octet-stream');
  expect(answer.headers.get('x-was')).toBe('image/x-tree');
  const returned = Buffer.from(await answer.arrayBuffer());
  expect(returned.equals(Buffer.from(bytes).reverse())).toBe(true);
});

test('cookies come in as they were sent and go out with their attributes', async () => {
  const answer = await get('/api/cookies', { cookie: 'a=1; b="two"' });
  expect(await answer.text()).toBe('a=1; b="two"');
  expect(answer.headers.getSetCookie()).toEqual([
    '__Host-a=x%20y; max-age=60; path=/; secure; samesite=strict; httponly',
    'b=2; path=/trees; samesite=none',
  ]);
});

test('a handler that gives nothing answers 204, one that gives a status alone answers that, one that throws an empty 500', async () => {
  for (const [path, status] of [
    ['quiet', 204],
    ['no-body', 304],
    ['breaks', 500],
  ] as const) {
    const answer = await get(`/api/${path}`);
    expect([path, answer.status, await answer.text()]).toEqual([path, status, '']);
  }
  expect(host.output).toContain("Executed 'Functions.breaks' (Failed): Error: The ladder is gone.");
});

test('a function with a key opens to its own, the host’s and the master key, in the header or the query, and to no other', async () => {
  const { master, host: hostKey, functions } = host.keys;
  const own = functions['keyed'] ?? '';
  for (const key of [own, hostKey, master]) {
    expect((await get('/api/keyed', { 'x-functions-key': key })).status).toBe(200);
    expect((await get(`/api/keyed?code=${encodeURIComponent(key)}`)).status).toBe(200);
  }
  const others = ['', 'wrong', `${own}x`, functions['query'] ?? ''];
  for (const key of others) expect((await get('/api/keyed', { 'x-functions-key': key })).status).toBe(401);
  expect((await get('/api/keyed')).status).toBe(401);
});

test('a function of level admin opens to the master key alone', async () => {
  const { master, host: hostKey, functions } = host.keys;
  expect((await get('/api/owners', { 'x-functions-key': master })).status).toBe(200);
  for (const key of [hostKey, functions['owners'] ?? ''])
    expect((await get('/api/owners', { 'x-functions-key': key })).status).toBe(401);
});

test('the durable webhooks and the admin calls are shut to a function’s key', async () => {
  const headers = { 'x-functions-key': host.keys.host };
  expect((await get('/runtime/webhooks/durabletask/instances', headers)).status).toBe(401);
  expect((await get('/admin/functions', headers)).status).toBe(401);
  expect((await get('/admin/functions')).status).toBe(401);
});

test('keys stay the same when the host is started again', async () => {
  const before = host.keys;
  await host.stop();
  await host.start();
  expect(host.keys).toEqual(before);
  expect((await get('/api/keyed', { 'x-functions-key': before.functions['keyed'] ?? '' })).status).toBe(200);
});

test('a timer runs at its time, and once, late, when its time passed while the host was down', async () => {
  const nightly = (): string[] => host.notes().filter((line) => line.startsWith('nightly'));
  await host.stop();
  clock.set(new Date('2031-03-01T12:00:00Z'));
  // What was missed until then is made up for here.
  await host.start();
  await eventually(() => nightly().length === 1);

  clock.set(new Date('2031-03-02T03:59:58.500Z'));
  await eventually(() => nightly().length === 2);
  expect(nightly()[1]).toBe('nightly 2031-03-02T04 false');

  await host.stop();
  clock.set(new Date('2031-03-05T09:00:00Z'));
  await host.start();
  await eventually(() => nightly().length === 3);
  expect(nightly()[2]).toBe('nightly 2031-03-05T09 true');

  await host.stop();
  await host.start();
  expect(await json('/api/trees/all')).toEqual({ by: 'list' });
  expect(nightly()).toHaveLength(3);
});

test('a timer can be run by hand with the master key', async () => {
  const before = host.notes().length;
  const run = (key: string): Promise<Response> =>
    host.call('POST', '/admin/functions/nightly', {
      headers: { 'x-functions-key': key, 'content-type': 'application/json' },
      body: '{"input":""}',
    });
  expect((await run(host.keys.host)).status).toBe(401);
  expect((await run(host.keys.master)).status).toBe(202);
  await eventually(() => host.notes().length === before + 1);
  expect(host.notes().at(-1)).toMatch(/^nightly \S+ false$/);
});
