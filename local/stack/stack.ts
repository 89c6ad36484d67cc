import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { openClock } from '../clock/clock';
import type { Clock } from '../clock/clock';
import { hostStorage, tableService } from './azurite';
import { StartFailure } from './child';
import type { ChildOptions } from './child';
import { createPart } from './part';
import type { Part } from './part';
import { built, root, runsFromSource } from './paths';
import { choosePorts, portNames } from './ports';
import type { PortName, Ports } from './ports';
import type { ServicesConfig, ServiceName } from './services-config';
import { appSettings, storageConnection, urlsOf } from './settings';
import type { Urls } from './settings';
import { StackProblem, openStateFolder } from './state-folder';
import { ensureTls } from './tls';
import type { Tls } from './tls';

/** A process of the stack. `directory` and `mail` only with `separate`, `storage` only with `storage`. */
export type PartName = 'services' | 'directory' | 'mail' | 'azurite' | 'storage' | 'host';

export interface StackOptions {
  /** Folder of the state; when absent a new temporary one, which `stop` removes. */
  state?: string;
  /** Empties the folder first. */
  fresh?: boolean;
  /** Ports; any free ones for those absent or 0. */
  ports?: Partial<Ports>;
  /** The Functions app to run; the checkout when absent. */
  app?: string;
  /** Runs our host; true when absent. Without it the front door expects one on `hostPort`. */
  host?: boolean;
  hostPort?: number;
  /** Runs the Azurite over plain HTTP that the real host needs for itself; false when absent. */
  storage?: boolean;
  /** Puts a wire between the app and its tables, and one between its durable client and the host; false when absent. */
  wires?: boolean;
  /** Runs directory and mail in processes of their own, so that each can be killed; false when absent. */
  separate?: boolean;
  /** Starts parts again that end unasked; false when absent. */
  supervise?: boolean;
  /** The stack's clock starts at the next such time of day, UTC `hh:mm`; at the real time when absent. */
  timeOfDay?: string;
  /** App settings besides, or in place of, those of `settings.ts`. */
  env?: Record<string, string>;
  /** Gives the start up and ends what has started; `startStack` then rejects. */
  signal?: AbortSignal;
  /** Every line that a part prints. */
  onLog?: (part: PartName, line: string) => void;
  /** What happens to the parts, in words. */
  onEvent?: (sentence: string) => void;
}

export interface Stack {
  readonly state: string;
  readonly ports: Ports;
  readonly urls: Urls;
  readonly tls: Tls;
  /** The app's settings. */
  readonly settings: Record<string, string>;
  readonly clock: Clock;
  /** The parts that run now. */
  readonly pids: Partial<Record<PartName, number>>;
  /** Kills a part (SIGKILL when absent) and resolves when it is gone. */
  kill(part: PartName, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a part again, ending it gracefully first if it runs. */
  restart(part: PartName): Promise<void>;
  /** Ends a part gracefully and leaves it stopped. */
  end(part: PartName): Promise<void>;
  /** Resolves when the process that runs the part now has ended, however it ends. */
  ended(part: PartName): Promise<void>;
  /** The last lines that a part printed. */
  logs(part: PartName): string[];
  /** Ends everything; resolves when all processes are gone. */
  stop(): Promise<void>;
}

const LINES_KEPT = 2_000;

const servicesReady = z.object({ identityHeader: z.string().optional() });

// Nothing else of the caller's environment reaches a part: no proxy, no credential, no NODE_OPTIONS.
const PASSED =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|HOMEDRIVE|HOMEPATH)$/i;

/** The part of this process's environment that the stack's processes get. */
export const passedEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED.test(name)));

let builtOnce: Promise<void> | undefined;

/** Tests run from the sources, the stack's processes from what is built of them. */
function buildFromSource(): Promise<void> {
  if (!runsFromSource) return Promise.resolve();
  builtOnce ??= new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'local', 'build.mjs'), '--if-stale'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new StackProblem(errors.trim()));
    });
  });
  return builtOnce;
}

function portsUsed(options: StackOptions): PortName[] {
  return portNames.filter((name) => {
    if (name === 'host') return options.host !== false;
    if (name.startsWith('storage')) return options.storage === true;
    if (name.startsWith('wire') || name.startsWith('durable')) return options.wires === true;
    return true;
  });
}

function nextTimeOfDay(now: Date, time: string): Date {
  const today = new Date(`${now.toISOString().slice(0, 10)}T${time}:00.000Z`);
  return today >= now ? today : new Date(today.getTime() + 24 * 3_600_000);
}

/** So often a start chooses other ports, where somebody took one between the choice and its use. */
const MOST_CHOICES = 4;

/** Starts again where a port that was free when it was chosen is taken by now. */
export async function onFreePorts<Started>(start: () => Promise<Started>): Promise<Started> {
  for (let left = MOST_CHOICES; ; left -= 1) {
    try {
      return await start();
    } catch (error) {
      if (left <= 1 || !(error instanceof StartFailure) || !error.message.includes('EADDRINUSE')) throw error;
    }
  }
}

/** Starts the local stack and resolves when every part of it answers. */
export function startStack(options: StackOptions = {}): Promise<Stack> {
  // ports that were asked for are not exchanged for others
  const asksFor = options.ports !== undefined || options.hostPort !== undefined;
  return asksFor ? startOnce(options) : onFreePorts(() => startOnce(options));
}

async function startOnce(options: StackOptions): Promise<Stack> {
  await buildFromSource();
  const folder = await openStateFolder({ path: options.state, fresh: options.fresh });
  const parts = new Map<PartName, Part>();
  const logs = new Map<PartName, string[]>();

  const stop = async (): Promise<void> => {
    // The host first: what it is doing it can still finish. Azurite last: it then holds everything that was written.
    for (const names of [['host'], ['directory', 'mail'], ['services'], ['azurite', 'storage']] as const) {
      await Promise.all(names.map(async (name) => parts.get(name)?.stop()));
    }
    folder.release();
  };
  const onAbort = (): void => void Promise.all([...parts.values()].map((each) => each.stop()));
  options.signal?.addEventListener('abort', onAbort, { once: true });

  try {
    const wanted = { ...options.ports, ...(options.hostPort !== undefined && { host: options.hostPort }) };
    const ports = await choosePorts(wanted, portsUsed(options));
    const urls = urlsOf(ports);
    const tls = await ensureTls(folder.path);
    const clock = openClock(folder.file('clock'));
    if (options.timeOfDay !== undefined) clock.set(nextTimeOfDay(clock.now(), options.timeOfDay));
    const base: NodeJS.ProcessEnv = {
      ...passedEnvironment(),
      LOCAL_CLOCK_FILE: clock.file,
      NODE_EXTRA_CA_CERTS: tls.caFile,
    };

    const add = (name: PartName, child: () => Omit<ChildOptions, 'name' | 'onLine'>): Part => {
      const kept: string[] = [];
      logs.set(name, kept);
      const onLine = (line: string): void => {
        kept.push(line);
        if (kept.length > LINES_KEPT) kept.shift();
        options.onLog?.(name, line);
      };
      const part = createPart(name, {
        child: () => ({ name, onLine, ...child() }),
        supervise: options.supervise ?? false,
        onEvent: (sentence) => options.onEvent?.(sentence),
        onPid: () => folder.record([...parts.values()].flatMap(({ pid }) => pid ?? [])),
      });
      parts.set(name, part);
      return part;
    };
    const services = (name: PartName, run: ServiceName[]): Part => {
      const config: ServicesConfig = { run, state: folder.path, ports, wires: options.wires ?? false };
      return add(name, () => ({
        script: built('stack/services-main.js'),
        args: [],
        env: { ...base, LOCAL_STACK_CONFIG: JSON.stringify(config) },
        readyLine: /^ready /,
        small: true,
      }));
    };

    options.signal?.throwIfAborted();
    const separate = options.separate ?? false;
    const main = services('services', [
      'entra',
      ...(separate ? [] : (['directory', 'mail'] as const)),
      'frontDoor',
      'wire',
    ]);
    const azurite = add('azurite', () => ({
      ...tableService(ports, folder.file('azurite'), tls),
      env: base,
      small: true,
    }));
    const storage =
      options.storage === true
        ? add('storage', () => ({ ...hostStorage(ports, folder.file('storage')), env: base, small: true }))
        : undefined;
    const [line] = await Promise.all([main.start(), azurite.start(), storage?.start()]);
    options.signal?.throwIfAborted();
    if (separate) await Promise.all((['directory', 'mail'] as const).map((name) => services(name, [name]).start()));

    const { identityHeader = '' } = servicesReady.parse(JSON.parse(line.slice('ready '.length)));
    const settings = {
      ...appSettings({ urls, wires: options.wires ?? false, identityHeader, caFile: tls.caFile }),
      ...(options.storage === true && { AzureWebJobsStorage: storageConnection(ports) }),
      ...options.env,
    };
    options.signal?.throwIfAborted();
    if (options.host !== false) {
      const host = add('host', () => ({
        script: built('host/main.js'),
        args: [
          ...['--app', options.app ?? root, '--port', String(ports.host), '--state', folder.path],
          ...(options.wires === true ? ['--rpc-port', String(ports.durable), '--rpc-base', urls.durableWire] : []),
        ],
        env: { ...base, ...settings },
        readyLine: /^ready http/,
      }));
      await host.start();
    }

    const part = (name: PartName): Part => {
      const found = parts.get(name);
      if (found === undefined) throw new Error(`This stack runs no ${name}.`);
      return found;
    };
    return {
      state: folder.path,
      ports,
      urls,
      tls,
      settings,
      clock,
      get pids() {
        return Object.fromEntries([...parts].flatMap(([name, { pid }]) => (pid === undefined ? [] : [[name, pid]])));
      },
      kill: async (name, signal = 'SIGKILL') => {
        await part(name).kill(signal);
      },
      restart: async (name) => {
        await part(name).stop();
        await part(name).start();
      },
      end: (name) => part(name).stop(),
      ended: (name) => part(name).ended(),
      logs: (name) => [...(logs.get(name) ?? [])],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
  }
}
