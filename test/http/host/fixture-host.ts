import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../../../local/stack/child';
import type { Child, Exit } from '../../../local/stack/child';
import { built } from '../../../local/stack/paths';
import { passedEnvironment } from '../../../local/stack/stack';
import { eventually } from '../stack/tools';

const fixtureApp = join(__dirname, 'fixture-app');
const ENDED = ['Completed', 'Failed', 'Terminated'];

export interface Status {
  name: string;
  instanceId: string;
  runtimeStatus: string;
  input: unknown;
  customStatus: unknown;
  output: unknown;
  historyEvents?: Record<string, unknown>[];
}

export interface HostOptions {
  app?: string;
  clockFile?: string;
  env?: NodeJS.ProcessEnv;
}

/** The built host as a process of its own that can be killed and started again on the same folder. */
export class FixtureHost {
  readonly state: string;
  readonly notesFile: string;
  base = '';
  private readonly gates: string;
  private readonly recent: string[] = [];
  private child: Child | undefined;

  constructor(
    folder: string,
    private readonly options: HostOptions = {},
  ) {
    this.state = join(folder, 'state');
    this.notesFile = join(folder, 'notes');
    this.gates = join(folder, 'gates');
    mkdirSync(this.gates, { recursive: true });
    appendFileSync(this.notesFile, '');
  }

  async start(): Promise<void> {
    const { app = fixtureApp, clockFile, env } = this.options;
    this.child = startChild({
      name: 'host',
      script: built('host/main.js'),
      args: ['--app', app, '--state', this.state, '--port', '0', '--rpc-port', '0'],
      env: {
        ...passedEnvironment(),
        NOTES: this.notesFile,
        GATES: this.gates,
        ...(clockFile !== undefined && { LOCAL_CLOCK_FILE: clockFile }),
        ...env,
      },
      readyLine: /^ready /,
      onLine: (line) => this.recent.push(line),
    });
    this.base = (await this.child.ready).split(' ')[1] ?? '';
  }

  /** Ends it in order. */
  stop(): Promise<Exit | undefined> {
    return this.child?.stop() ?? Promise.resolve(undefined);
  }

  /** Ends it between one instruction and the next. */
  kill(): Promise<Exit | undefined> {
    return this.child?.kill('SIGKILL') ?? Promise.resolve(undefined);
  }

  /** What it wrote, line by line, over all its runs. */
  get output(): string {
    return this.recent.join('\n');
  }

  notes(): string[] {
    return readFileSync(this.notesFile, 'utf8').split('\n').filter(Boolean);
  }

  /** Resolves when an activity stands at the gate. */
  atGate(gate: string): Promise<void> {
    return eventually(() => this.notes().includes(`at ${gate}`));
  }

  openGate(gate: string): void {
    writeFileSync(join(this.gates, gate), '');
  }

  get keys(): { master: string; host: string; functions: Record<string, string> } {
    const file = join(this.state, 'host-keys.json');
    if (!existsSync(file)) throw new Error('The host has made no keys yet.');
    return JSON.parse(readFileSync(file, 'utf8')) as FixtureHost['keys'];
  }

  call(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.base), { method, ...init });
  }

  /** Starts an orchestration under an id of the test's choice, by the durable client in the app. */
  async begin(name: string, id: string, input: unknown = null): Promise<void> {
    const answer = await this.call('POST', `/api/begin/${name}/${id}`, { body: JSON.stringify(input) });
    if (answer.status !== 202) throw new Error(`${name} did not start: ${answer.status} ${await answer.text()}`);
  }

  private instance(id: string, rest = ''): string {
    const [path, query = ''] = rest.split('?');
    return `/runtime/webhooks/durabletask/instances/${encodeURIComponent(id)}${path}?code=${this.keys.master}&${query}`;
  }

  async status(id: string, query = ''): Promise<Status> {
    return (await (await this.call('GET', this.instance(id, `?${query}`))).json()) as Status;
  }

  /** The status of an instance once it has ended. */
  async ended(id: string, ms?: number): Promise<Status> {
    let status: Status | undefined;
    await eventually(
      async () => ENDED.includes((status = await this.status(id)).runtimeStatus),
      ms,
      () => `${JSON.stringify(status)}\n${this.output.slice(-2000)}`,
    );
    return status as Status;
  }

  async until(id: string, check: (status: Status) => boolean): Promise<void> {
    let status: Status | undefined;
    await eventually(
      async () => check((status = await this.status(id, 'showHistory=true'))),
      undefined,
      () => JSON.stringify(status),
    );
  }

  async raise(id: string, event: string, data: unknown): Promise<number> {
    const answer = await this.call('POST', this.instance(id, `/raiseEvent/${event}`), {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(data),
    });
    return answer.status;
  }
}
