import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  build,
  call,
  endHosts,
  eventually,
  lines,
  Orchestration,
  spawnHost,
  startHost,
  temporaryFolder,
} from './host-process';
import type { HostStart } from './host-process';

const folder = temporaryFolder();
beforeAll(() => void build());
afterEach(endHosts);
afterAll(() => folder.remove());

async function refusal(start: Partial<HostStart>): Promise<string> {
  const run = spawnHost({ state: folder.at('state'), ...start });
  expect(await run.ended).toEqual({ code: 1, signal: null });
  const [sentence = '', ...more] = run.errors().trimEnd().split('\n');
  expect(more).toEqual([]);
  return sentence;
}

function appWith(files: Record<string, string>): string {
  const app = folder.at(`app-${Math.random()}`);
  mkdirSync(app);
  for (const [name, text] of Object.entries({
    'host.json': '{ "version": "2.0" }',
    'package.json': '{ "main": "main.js" }',
    ...files,
  })) {
    writeFileSync(join(app, name), text);
  }
  return app;
}

describe('what keeps the host from starting is said in one sentence', () => {
  test('a folder that is no app', async () => {
    expect(await refusal({ app: folder.path })).toMatch(
      /has no host\.json; name the folder of a Functions app with --app\.$/,
    );
  });
  test('a host.json that is no JSON, or says what it may not', async () => {
    expect(await refusal({ app: appWith({ 'host.json': '{' }) })).toMatch(/host\.json is not JSON .*; correct it\.$/);
    expect(await refusal({ app: appWith({ 'host.json': '{ "version": "1.0" }' }) })).toMatch(
      /version must be "2\.0"; correct it\.$/,
    );
  });
  test('an entry point that is missing', async () => {
    expect(await refusal({ app: appWith({}) })).toMatch(
      /package\.json names main\.js, which does not exist: build the app first\.$/,
    );
  });
  test('a package that the app lacks', async () => {
    const app = appWith({ 'main.js': "require('@no/such-package');" });
    expect(await refusal({ app })).toBe(
      `main.js of the app needs '@no/such-package', which was not found: install the app's packages in ${app}, or set NODE_PATH to a node_modules folder that has them.`,
    );
  });
  test('a database that is none', async () => {
    mkdirSync(folder.at('garbage'));
    writeFileSync(folder.at('garbage/host.db'), 'This is no database, whatever its name.');
    expect(await refusal({ state: folder.at('garbage') })).toMatch(
      /host\.db is damaged \(.*\); remove it, with all that/,
    );
  });
  test('a setting that host.json names and nobody gave', async () => {
    const hostJson = '{ "version": "2.0", "extensions": { "durableTask": { "hubName": "%NO_SUCH%" } } }';
    expect(await refusal({ app: appWith({ 'host.json': hostJson, 'main.js': '' }) })).toBe(
      "'%NO_SUCH%' does not resolve to a value; set NO_SUCH, in the environment (NO_SUCH=…) or under \"Values\" in the app's local.settings.json.",
    );
  });
  test('a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await refusal({ args: ['--port', String(port)] })).toBe(
      `Port ${port} is taken; stop what uses it or name another with --port.`,
    );
    server.close();
  });
  test('a state folder that can’t be made or written', async () => {
    writeFileSync(folder.at('file'), '');
    expect(await refusal({ state: folder.at('file/state') })).toMatch(/can't be made .*; name another with --state\.$/);
    mkdirSync(folder.at('occupied/host.db'), { recursive: true });
    expect(await refusal({ state: folder.at('occupied') })).toMatch(/name another folder with --state\.$/);
  });
  test('a state folder that another host uses', async () => {
    const first = await startHost({ state: folder.at('shared') });
    expect(await refusal({ state: folder.at('shared') })).toMatch(/is in use by another host; stop that one/);
    await first.kill();
  });
  test('a command line it can’t read', async () => {
    expect(await refusal({ args: ['--port', 'seven'] })).toBe("--port must be a port number, not 'seven'.");
  });
});

test('an app that throws while it loads is reported, its stack above the sentence', async () => {
  const run = spawnHost({ app: appWith({ 'main.js': 'throw new Error("not today")' }), state: folder.at('state') });
  expect((await run.ended).code).toBe(1);
  expect(run.errors().trimEnd().split('\n').at(-1)).toBe(
    'main.js of the app failed to load (not today); correct the app.',
  );
});

test('it names each function with its address, and then says that it is ready', async () => {
  const run = await startHost({ state: folder.at('listed') });
  const printed = run.output().split('\n');
  expect(printed).toContain(`  thingByNumber: [GET,POST] ${run.base}/api/things/{number:int}`);
  expect(printed).toContain('  sequence: orchestrationTrigger');
  expect(printed.filter(Boolean).at(-1)).toBe(`ready ${run.base} pid ${run.pid}`);
});

test('a stop lets what runs finish, runs the app’s hooks and ends with 0; work that waits goes on at the next start', async () => {
  const notes = folder.at('stop-notes');
  const start = { state: folder.at('stopped'), env: { NOTES: notes } };
  const first = await startHost(start);
  const orchestration = await Orchestration.start(first.base, 'parallel', null);
  const held = call(first.base, 'GET', `/api/held?n=1&until=${folder.at('stop-now')}`);
  await eventually(() => lines(notes).includes('held 1'));
  const ended = first.kill('SIGTERM');
  await eventually(async () => (await call(first.base, 'GET', '/api/nothing').catch(() => undefined)) === undefined);
  writeFileSync(folder.at('stop-now'), '');
  expect((await held).text).toBe('let go');
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(lines(notes)[0]).toBe('appStart');
  expect(lines(notes).at(-1)).toBe('appTerminate');

  const second = await startHost(start);
  expect(await orchestration.at(second.base).ended()).toMatchObject({ output: ['p3', 'p2', 'p1'] });
});

test('what the app throws outside any invocation ends the process, as it ends the worker', async () => {
  const run = await startHost({ state: folder.at('stray') });
  expect((await call(run.base, 'POST', '/api/stray')).status).toBe(202);
  expect((await run.ended).code).toBe(1);
  expect(run.errors()).toMatch(/Unhandled rejection outside any invocation: Error: nobody catches this/);
});
