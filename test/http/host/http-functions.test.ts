import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { HostRun } from './host-process';
import { build, call, endHosts, eventually, lines, repository, startHost, temporaryFolder } from './host-process';

const folder = temporaryFolder();
let host: HostRun;
let keys: { master: string; host: string; functions: Record<string, string> };

beforeAll(async () => {
  build();
  host = await startHost({ state: folder.at('state'), env: { NOTES: folder.at('notes'), FROM_BOTH: 'process' } });
  keys = JSON.parse(readFileSync(folder.at('state/host-keys.json'), 'utf8')) as typeof keys;
});
afterAll(async () => {
  await endHosts();
  folder.remove();
});

const get = (path: string, headers?: Record<string, string>) => call(host.base, 'GET', path, undefined, headers);

interface Shown {
  fn: string;
  method: string;
  url: string;
  params: Record<string, string>;
  query: Record<string, string>;
  type: string | null;
  body: string;
}
const shown = async (path: string, method = 'GET', body?: Uint8Array): Promise<Shown> =>
  (await call(host.base, method, path, body)).json as Shown;

test.each([
  ['/api/things/new', 'newThing', {}],
  ['/api/things/7', 'thingByNumber', { number: '7' }],
  ['/api/things/8f14e45f-ceea-467e-9b2a-000000000001', 'thingByGuid', { id: '8f14e45f-ceea-467e-9b2a-000000000001' }],
  ['/api/things/other', 'thing', { id: 'other' }],
  ['/api/things/a%20b/parts', 'thingPart', { id: 'a b' }],
  ['/api/things/x/parts/2', 'thingPart', { id: 'x', part: '2' }],
  ['/api/files/a/b.txt', 'anyFile', { path: 'a/b.txt' }],
])('%s is answered by %s', async (path, fn, params) => {
  expect(await shown(path)).toMatchObject({ fn, params });
});

test('url and query reach the function as the caller wrote them, repeated names joined', async () => {
  const { url, query } = await shown('/api/things/new?a=1&a=2&b=x%20y');
  expect(url).toBe(`${host.base}/api/things/new?a=1&a=2&b=x%20y`);
  expect(query).toEqual({ a: '1,2', b: 'x y' });
});

test('binary bodies arrive whole, with a length or in chunks', async () => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, n) => n % 256));
  expect((await shown('/api/bodies', 'POST', bytes)).body).toBe(bytes.toString('base64'));

  const answer = await new Promise<string>((resolve, reject) => {
    const sent = request(new URL('/api/bodies', host.base), { method: 'PUT' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.write(bytes.subarray(0, 1000));
    sent.end(bytes.subarray(1000));
  });
  expect((JSON.parse(answer) as Shown).body).toBe(bytes.toString('base64'));
});

test('a body beyond the real host’s limit is refused before it is read', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request(
      new URL('/api/bodies', host.base),
      { method: 'POST', headers: { 'content-length': 104_857_601 } },
      (response) => {
        response.resume();
        sent.destroy();
        resolve(response.statusCode);
      },
    );
    sent.on('error', reject);
    sent.flushHeaders();
  });
  expect(status).toBe(413);
});

test.each([
  ['that says how long it is', { 'content-length': 157_286_400 }],
  ['in chunks', { 'transfer-encoding': 'chunked' }],
])('a caller that goes on sending a body %s gets its 413 all the same', async (_, headers) => {
  const status = new Promise<number | undefined>((resolve, reject) => {
    const sent = request(new URL('/api/bodies', host.base), { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    const piece = Buffer.alloc(1_048_576);
    let left = 150;
    const go = (): void => {
      while (left-- > 0) if (!sent.write(piece)) return void sent.once('drain', go);
      sent.end();
    };
    go();
  });
  expect(await status).toBe(413);
});

test('a caller that goes away before its body is whole is one line in the log, without a stack', async () => {
  const sent = request(new URL('/api/bodies', host.base), { method: 'POST', headers: { 'content-length': 1000 } });
  sent.on('error', () => undefined);
  await new Promise((resolve) => sent.write('half', resolve));
  sent.destroy();
  const told = /Function\.bodies The caller of bodies went away before it had sent its whole request\.$/m;
  await eventually(() => told.test(host.output()));
  expect(host.errors()).not.toContain('aborted');
});

test('what no route takes is a 404: an unknown path, an undeclared method, HEAD that was not declared', async () => {
  expect((await get('/api/nowhere')).status).toBe(404);
  expect((await call(host.base, 'DELETE', '/api/things/new')).status).toBe(404);
  expect((await call(host.base, 'HEAD', '/api/things/new')).status).toBe(404);
  expect((await call(host.base, 'HEAD', '/api/readable')).status).toBe(200);
});

test('cookies come one header each', async () => {
  expect((await get('/api/cookies')).headers.getSetCookie()).toEqual([
    'a=one%20two; max-age=60; path=/; secure; samesite=strict; httponly',
    'b=2; path=/x; samesite=none',
  ]);
});

test('binary responses, empty results and host.json’s headers come out right', async () => {
  const response = await fetch(new URL('/api/binary', host.base));
  expect([response.status, response.headers.get('content-type')]).toEqual([201, 'image/x']);
  expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 128, 10]);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(await get('/api/nothing')).toMatchObject({ status: 204, text: '' });
});

test('a handler that throws answers 500 without a word, and the log has it in one line', async () => {
  expect(await get('/api/throws')).toMatchObject({ status: 500, text: '' });
  await eventually(() => host.errors().includes('line one\\nline two'));
});

test('context.log writes one line for each call', async () => {
  await get('/api/things/new');
  await eventually(() =>
    /^\S+ information Function\.newThing\.User \[[\w-]+ [0-9a-f]{32}\] called\\nby GET$/m.test(host.output()),
  );
});

test('functions open to their own key, the host’s and the master key, by header or query', async () => {
  const { keyed = '', adminOnly = '' } = keys.functions;
  expect((await get('/api/keyed')).status).toBe(401);
  expect((await get(`/api/keyed?code=${adminOnly}`)).status).toBe(401);
  expect((await get(`/api/keyed?code=${keyed}`)).text).toBe('in');
  for (const key of [keyed, keys.host, keys.master])
    expect((await get('/api/keyed', { 'x-functions-key': key })).status).toBe(200);
  expect((await get('/api/adminOnly', { 'x-functions-key': adminOnly })).status).toBe(401);
  expect((await get('/api/adminOnly', { 'x-functions-key': keys.master })).status).toBe(200);
});

test('beyond maxConcurrentRequests requests wait, and beyond maxOutstandingRequests they get a 429', async () => {
  const until = folder.at('let-go');
  const held = Array.from({ length: 6 }, (_, n) => get(`/api/held?n=${n}&until=${until}`));
  await eventually(() => lines(folder.at('notes')).filter((line) => line.startsWith('held')).length === 4);
  await eventually(async () => (await get('/api/nothing')).status === 429);
  expect(lines(folder.at('notes')).filter((line) => line.startsWith('held'))).toHaveLength(4);
  writeFileSync(until, '');
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual(Array(6).fill(200));
  expect((await get('/api/nothing')).status).toBe(204);
});

test('the app sees a Functions environment', async () => {
  expect((await get('/api/environment')).json).toEqual({
    WEBSITE_HOSTNAME: host.base.replace('http://', ''),
    FUNCTIONS_WORKER_RUNTIME: 'node',
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    FROM_BOTH: 'process',
  });
});

test('an app of ES modules named by a glob runs with streamed bodies, and its settings come from local.settings.json', async () => {
  const app = `${repository}/build/test-streaming-app-${process.pid}`;
  mkdirSync(`${app}/src`, { recursive: true });
  const files: Record<string, string> = {
    'host.json': '{ "version": "2.0", "extensions": { "http": { "routePrefix": "" } } }',
    'package.json': '{ "name": "s", "type": "module", "main": "src/*.js" }',
    'local.settings.json': '{ "Values": { "WORD": "settings", "FROM_BOTH": "settings" } }',
    'src/one.js': `import { app } from '@azure/functions';
      app.setup({ enableHttpStream: true });
      app.http('drip', { handler: () => ({ headers: { 'x-word': process.env.WORD + process.env.FROM_BOTH }, body: (async function* () {
        for (const n of [1, 2, 3]) { yield Buffer.from('part ' + n + ';'); await new Promise((done) => setTimeout(done, 150)); }
      })() }) });
      app.http('none', { handler: () => undefined });
      app.http('breaks', { handler: () => { throw new Error('broken'); } });`,
    'src/two.js': `import { app } from '@azure/functions';
      app.http('echo', { route: 'echo/{name}', methods: ['POST'], handler: (request) => ({ status: 201, headers: { 'x-name': request.params.name }, body: request.body }) });`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(`${app}/${name}`, text);
  const streaming = await startHost({ app, state: folder.at('streaming'), env: { FROM_BOTH: 'process' } });

  const response = await fetch(new URL('/drip', streaming.base));
  expect(response.headers.get('x-word')).toBe('settingsprocess');
  const began = performance.now();
  const arrived: { text: string; at: number }[] = [];
  for await (const chunk of response.body ?? [])
    arrived.push({ text: Buffer.from(chunk).toString(), at: performance.now() - began });
  expect(arrived.map(({ text }) => text).join('')).toBe('part 1;part 2;part 3;');
  expect(arrived.length).toBeGreaterThan(1);

  const big = Buffer.alloc(3_000_000, 'x');
  const echoed = await fetch(new URL('/echo/it', streaming.base), { method: 'POST', body: big });
  expect([echoed.status, echoed.headers.get('x-name')]).toEqual([201, 'it']);
  expect(Buffer.from(await echoed.arrayBuffer()).equals(big)).toBe(true);
  expect((await call(streaming.base, 'GET', '/none')).status).toBe(204);
  expect((await call(streaming.base, 'GET', '/breaks')).status).toBe(500);
  expect(await streaming.kill()).toEqual({ code: 0, signal: null });
  rmSync(app, { recursive: true });
});
