import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { eventually } from '../stack/tools';

export { eventually };

export const repository = join(__dirname, '..', '..', '..');
const built = join(repository, 'build', `test-host-${process.env['JEST_WORKER_ID'] ?? '1'}`);

/** Builds the host, the clock's preload and the test app from their sources as they are now. */
export function build(): { app: string } {
  const app = join(built, 'app');
  mkdirSync(app, { recursive: true });
  for (const file of ['host.json', 'package.json'])
    cpSync(join(repository, 'test', 'golden', 'app', file), join(app, file));
  const common = {
    bundle: true,
    platform: 'node',
    packages: 'external',
    absWorkingDir: repository,
    logLevel: 'error',
  } as const;
  buildSync({ ...common, entryPoints: ['local/host/main.ts'], outfile: join(built, 'main.js') });
  buildSync({ ...common, entryPoints: ['local/clock/preload.ts'], outfile: join(built, 'preload.js') });
  buildSync({ ...common, entryPoints: ['test/golden/app/main.ts'], outfile: join(app, 'dist', 'main.js') });
  return { app };
}

/** A new folder for one test file, and its removal. */
export function temporaryFolder(): { path: string; at: (name: string) => string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'host-test-'));
  return { path, at: (name) => join(path, name), remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface HostRun {
  /** `http://localhost:<port>`, once it is ready. */
  base: string;
  pid: number;
  output: () => string;
  errors: () => string;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill: (signal?: NodeJS.Signals) => Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface HostStart {
  app?: string;
  state: string;
  args?: string[];
  clockFile?: string;
  env?: Record<string, string>;
}

const running = new Set<ChildProcess>();

/** Ends whatever a test left running. */
export async function endHosts(): Promise<void> {
  const ends = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ends);
}

/** Starts a host process without waiting for it. */
export function spawnHost({ app = join(built, 'app'), state, args = [], clockFile, env }: HostStart): HostRun {
  const flags = [
    '--disable-warning=ExperimentalWarning',
    ...(clockFile ? ['--require', join(built, 'preload.js')] : []),
  ];
  const options = ['--app', app, '--state', state, '--port', '0', '--rpc-port', '0', ...args];
  const child = spawn(process.execPath, [...flags, join(built, 'main.js'), ...options], {
    env: {
      PATH: process.env['PATH'],
      NODE_PATH: join(repository, 'node_modules'),
      GOLDEN_HUB: 'TestHub',
      NIGHTLY: '0 0 2 * * *',
      ...(clockFile && { LOCAL_CLOCK_FILE: clockFile }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended: HostRun['ended'] = new Promise((resolve) =>
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    }),
  );
  return {
    base: '',
    pid: child.pid ?? 0,
    output: () => output,
    errors: () => errors,
    ended,
    kill: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

/** Starts a host process and waits until it says that it is ready. */
export async function startHost(start: HostStart): Promise<HostRun> {
  const run = spawnHost(start);
  let over = false;
  void run.ended.then(() => (over = true));
  await eventually(() => over || /^ready /m.test(run.output()), 20_000, run.errors);
  const base = /^ready (\S+) pid \d+$/m.exec(run.output())?.[1];
  if (base === undefined) throw new Error(`The host ended: ${run.errors()}`);
  return { ...run, base };
}

export const lines = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];

export interface Status {
  name: string;
  version?: string;
  instanceId: string;
  parentInstanceId?: string;
  runtimeStatus: string;
  input: unknown;
  customStatus: unknown;
  output: unknown;
  createdTime: string;
  lastUpdatedTime: string;
  historyEvents?: Record<string, unknown>[];
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: unknown;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Calls a host; a body that is no string or bytes goes as JSON. */
export async function call(
  base: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(new URL(path, base), {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

export type Urls = Record<
  | 'statusQueryGetUri'
  | 'sendEventPostUri'
  | 'terminatePostUri'
  | 'rewindPostUri'
  | 'purgeHistoryDeleteUri'
  | 'restartPostUri'
  | 'suspendPostUri'
  | 'resumePostUri',
  string
> & { id: string };

/** What a caller with the management addresses can do to one instance. */
export class Orchestration {
  constructor(readonly urls: Urls) {}

  static async start(base: string, name: string, input: unknown, id = '', query = ''): Promise<Orchestration> {
    const answer = await call(
      base,
      'POST',
      `/api/start/${name}${id && `/${id}`}${query}`,
      JSON.stringify(input ?? null),
    );
    if (answer.status !== 200) throw new Error(answer.text);
    return new Orchestration(answer.json as Urls);
  }

  get id(): string {
    return this.urls.id;
  }

  /** The same instance at another host, which runs on the same state. */
  at(base: string): Orchestration {
    const moved = Object.entries(this.urls).map(([name, url]) => [name, url.replace(/^http:\/\/[^/]+/, base)]);
    return new Orchestration(Object.fromEntries(moved) as Urls);
  }

  async status(query = ''): Promise<Status> {
    return (await call(this.urls.statusQueryGetUri, 'GET', this.urls.statusQueryGetUri + query)).json as Status;
  }

  raise(name: string, data: unknown): Promise<Answer> {
    const url = this.urls.sendEventPostUri.replace('{eventName}', name);
    return call(url, 'POST', url, JSON.stringify(data));
  }

  manage(verb: 'terminate' | 'suspend' | 'resume' | 'rewind', reason: string): Promise<Answer> {
    const url = this.urls[`${verb}PostUri`].replace('{text}', encodeURIComponent(reason));
    return call(url, 'POST', url);
  }

  purge(): Promise<Answer> {
    return call(this.urls.purgeHistoryDeleteUri, 'DELETE', this.urls.purgeHistoryDeleteUri);
  }

  /** Waits for the end and gives the status. */
  async ended(ms = 15_000): Promise<Status> {
    let status = await this.status();
    await eventually(
      async () => ['Completed', 'Failed', 'Terminated'].includes((status = await this.status()).runtimeStatus),
      ms,
      () => JSON.stringify(status),
    );
    return status;
  }

  /** Waits until the custom status or runtime status is as wanted. */
  async until(check: (status: Status) => boolean): Promise<Status> {
    let status = await this.status();
    await eventually(
      async () => check((status = await this.status())),
      15_000,
      () => JSON.stringify(status),
    );
    return status;
  }
}
