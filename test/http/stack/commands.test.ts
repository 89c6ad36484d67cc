import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { built } from '../../../local/stack/paths';
import { portNames } from '../../../local/stack/ports';
import { startStack } from '../../../local/stack/stack';
import { endRuns, eventually, isAlive, repository, runNode, temporaryFolder } from './tools';
import type { Run } from './tools';

const FLAGS = ['--disable-warning=ExperimentalWarning', '--'];
const command = (name: string, ...args: string[]): Run => runNode([...FLAGS, built(`commands/${name}.js`), ...args]);

/** A first port with as many free ones behind it as the stack needs, most likely. */
const portBase = (): string => String(12_000 + Math.floor((Math.random() * 7_000) / 20) * 20);

function childrenOf(state: string): number[] {
  const file = z.object({ children: z.array(z.int()) });
  return file.parse(JSON.parse(readFileSync(join(state, 'stack.json'), 'utf8'))).children;
}

jest.setTimeout(120_000);

const folder = temporaryFolder();
afterAll(async () => {
  await endRuns();
  folder.remove();
});

// The commands run from what is built: the first start of a stack builds it.
beforeAll(async () => {
  await (await startStack({ host: false })).stop();
});

describe('npm run emulators', () => {
  test('writes the settings for a real host, prints ready alone on a line, and ends on SIGTERM with code 0', async () => {
    const file = join(folder.path, 'app.env');
    const state = join(folder.path, 'emulators');
    const run = command(
      'emulators',
      '--env-file',
      file,
      '--state',
      state,
      '--port-base',
      portBase(),
      '--host-port',
      '7999',
    );
    await eventually(() => /^ready$/m.test(run.output()), 60_000, run.output);

    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const settings = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(settings).toMatchObject({
      TASKHUB_NAME: 'Gatehouse',
      WEBSITE_AUTH_ENABLED: 'True',
      FUNCTIONS_WORKER_RUNTIME: 'node',
    });
    expect(JSON.parse(settings['DEFAULT_POLICY'] ?? '')).toBeInstanceOf(Object);
    expect(settings).not.toHaveProperty('LOCAL_CLOCK_FILE');
    expect(existsSync(settings['NODE_EXTRA_CA_CERTS'] ?? '')).toBe(true);
    const storage = /BlobEndpoint=(http:[^;]+);QueueEndpoint=(http:[^;]+);TableEndpoint=(http:[^;]+);/.exec(
      settings['AzureWebJobsStorage'] ?? '',
    );
    for (const url of storage?.slice(1) ?? [])
      expect((await fetch(`${url}?comp=list`)).headers.get('server')).toMatch(/Azurite/);
    expect(storage).not.toBeNull();
    expect((await fetch(`${settings['PUBLIC_BASE_URL']}/`)).status).toBe(200);

    const children = childrenOf(state);
    expect(children).toHaveLength(3);
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
    expect(existsSync(join(state, 'stack.json'))).toBe(false);
  });

  test('leaves no process behind when it is killed, and its state can be used again at once', async () => {
    const file = join(folder.path, 'killed.env');
    const state = join(folder.path, 'killed');
    const args = ['--env-file', file, '--state', state, '--port-base', portBase()];
    const run = command('emulators', ...args);
    await eventually(() => /^ready$/m.test(run.output()), 60_000, run.output);
    const children = childrenOf(state);
    run.process.kill('SIGKILL');
    await run.ended;

    const again = command('emulators', ...args);
    await eventually(() => /^ready$/m.test(again.output()), 60_000, again.output);
    expect(children.filter(isAlive)).toEqual([]);
    again.process.kill('SIGINT');
    expect(await again.ended).toBe(0);
  });

  test('asks for the file it shall write', async () => {
    const run = command('emulators');
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/--env-file is missing/);
  });

  test('says before it starts anything that the file cannot be written', async () => {
    const file = join(folder.path, 'no', 'such', 'folder', 'app.env');
    const run = command('emulators', '--env-file', file, '--state', join(folder.path, 'unwritable'));
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe(
      `${file} cannot be written (ENOENT): name a file in a folder that can be, with --env-file <file>.\n`,
    );
    expect(existsSync(join(folder.path, 'unwritable'))).toBe(false);
  });
});

describe('npm start', () => {
  test('names a port that is in use, and the option that helps', async () => {
    // the ports beside it must be free: not from where the system takes those of outgoing connections
    const base = portBase();
    const port = Number(base) + portNames.indexOf('directory');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const run = command('start', '--state', join(folder.path, 'ports'), '--port-base', base);
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain(`Port ${port} (for directory) is in use`);
    expect(run.output()).toContain('--port-base');
    expect(run.output()).not.toMatch(/^ +at /m);
    await new Promise((resolve) => server.close(resolve));
  });

  test('says in a sentence that the state folder is none', async () => {
    const file = join(folder.path, 'a-file');
    writeFileSync(file, '');
    const run = command('start', '--state', file, '--port-base', portBase());
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain(`The state folder ${file} is not a folder`);
    expect(run.output()).not.toMatch(/^ +at /m);
  });

  const refusal = async (state: string): Promise<string> => {
    const run = command('start', '--state', state, '--port-base', portBase());
    expect(await run.ended).toBe(1);
    const [first, ...more] = run.output().trimEnd().split('\n');
    expect(first).toBe('Starting the local stack …');
    expect(more).toHaveLength(1);
    return more[0] ?? '';
  };

  test('says in a sentence that the state folder cannot be made', async () => {
    if (process.platform !== 'linux') return;
    // Node's own way to make folders never comes back from here.
    expect(await refusal('/proc/gatehouse')).toBe(
      'The state folder /proc/gatehouse cannot be made or used (ENOENT): choose another with --state <folder>.',
    );
  });

  test.each(['host.db', 'entra.db', 'mail.db'])('says in a sentence that %s is no database', async (name) => {
    const state = join(folder.path, `garbage-${name}`);
    mkdirSync(state);
    writeFileSync(join(state, name), 'This is no database, whatever its name.');
    expect(await refusal(state)).toBe(
      `${join(state, name)} is not a database: remove it, with all that it kept, or choose another folder with --state <folder>.`,
    );
  });

  test('says in a sentence that a database is damaged further on', async () => {
    const state = join(folder.path, 'damaged');
    mkdirSync(state);
    writeFileSync(join(state, 'entra.db'), `SQLite format 3\0${'x'.repeat(5000)}`);
    expect(await refusal(state)).toMatch(/^A database in the state folder \S+ is damaged: remove it/);
  });

  test('prints its usage when asked', async () => {
    const run = command('start', '--help');
    expect(await run.ended).toBe(0);
    expect(run.output()).toMatch(/^Usage: npm start -- \[--state <folder>\]/);
  });

  test('says one line when it is interrupted, and leaves whole databases', async () => {
    const state = join(folder.path, 'stopped');
    const run = command('start', '--state', state, '--port-base', portBase());
    await eventually(() => /^Gatehouse runs/m.test(run.output()), 60_000, run.output);
    run.process.kill('SIGINT');
    expect(await run.ended).toBe(0);
    expect(run.output().trimEnd().split('\n').at(-1)).toBe('Stopping …');
    expect(readdirSync(state).filter((name) => /-(wal|shm)$/.test(name))).toEqual([]);
  });

  test('does not empty a folder that is not its own', async () => {
    const other = join(folder.path, 'photos');
    mkdirSync(other);
    writeFileSync(join(other, 'holiday.jpg'), 'x');
    const run = command('start', '--state', other, '--fresh', '--port-base', portBase());
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('--fresh leaves it alone');
    expect(existsSync(join(other, 'holiday.jpg'))).toBe(true);
  });

  test('says which option it does not know', async () => {
    const run = command('start', '--stat', 'x');
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/Unknown option '--stat'/);
  });

  test('ends quietly, with code 0, when it is interrupted while it starts', async () => {
    const state = join(folder.path, 'interrupted');
    const run = command('start', '--state', state, '--port-base', portBase());
    await eventually(() => existsSync(join(state, 'stack.json')) && childrenOf(state).length > 0, 30_000, run.output);
    const children = childrenOf(state);
    run.process.kill('SIGINT');
    expect(await run.ended).toBe(0);
    expect(run.output().trim()).toBe('Starting the local stack …\nStopping …');
    expect(children.filter(isAlive)).toEqual([]);
  });
});

describe('npm run start:func', () => {
  test('says in one sentence that func is not on the PATH', async () => {
    const run = runNode([...FLAGS, built('commands/start-func.js')], { env: { PATH: folder.path } });
    expect(await run.ended).toBe(1);
    expect(run.output().trim()).toMatch(/^Azure Functions Core Tools \(func\) is not on the PATH: [^\n]+$/);
  });
});

describe('npm run host', () => {
  test('without an app says what an app is', async () => {
    const run = command('host');
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^--app is missing\.\nUsage: npm run host -- --app <folder>/);
    expect(run.output()).toMatch(/--app <folder> +the app: a folder with host\.json/);
  });

  test('runs any app folder with the settings of its environment', async () => {
    const app = join(repository, 'test', 'http', 'stack', 'fixture-app');
    const port = portBase();
    const run = runNode(
      [...FLAGS, built('commands/host.js'), '--app', app, '--port', port, '--state', join(folder.path, 'host')],
      {
        env: {
          EXTRA: 'from the environment',
          TABLES_ENDPOINT: 'https://localhost:1/x',
          AZURE_CLIENT_ID: 'x',
          TASKHUB_NAME: 'Fixture',
        },
      },
    );
    await eventually(() => /^ready http/m.test(run.output()), 60_000, run.output);
    const answer = await fetch(`http://localhost:${port}/api/now`);
    expect(await answer.json()).toMatchObject({ extra: 'from the environment' });
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });
});
