import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { built, root } from './paths';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** One process of the stack. */
export interface Child {
  readonly pid: number;
  /** The line that said it was ready. Rejects, with its last words, where it ends before. */
  readonly ready: Promise<string>;
  readonly exited: Promise<Exit>;
  /** Asks it to end, and makes it end where it doesn't within the grace period. */
  stop(): Promise<Exit>;
  kill(signal: NodeJS.Signals): Promise<Exit>;
}

export interface ChildOptions {
  name: string;
  /** The script, and its arguments. */
  script: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** The output line by which it says that it is ready. */
  readyLine: RegExp;
  onLine: (line: string) => void;
}

const GRACE_MS = 10_000;
const START_MS = 60_000;
const LAST_WORDS = 12;

// Reading the maps of Azurite's hundreds of modules would take longer than starting it.
const flagsFor = (script: string): string[] => [
  '--disable-warning=ExperimentalWarning',
  ...(script.startsWith(built('')) ? ['--enable-source-maps'] : []),
];

/** What became of it, in words. */
export const explainExit = ({ code, signal }: Exit): string => (signal === null ? `code ${code}` : signal);

/** Starts a script under the stack's clock, bound to this process's life. */
export function startChild(options: ChildOptions): Child {
  const preloads = [built('stack/lifeline.js'), built('clock/preload.js')];
  const child = fork(options.script, options.args, {
    cwd: root,
    env: options.env,
    execArgv: [...flagsFor(options.script), ...preloads.flatMap((file) => ['--require', file])],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Its own process group: Ctrl-C reaches the stack's parent alone, which then ends the parts in order.
    detached: process.platform !== 'win32',
  });

  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    // A process of its own making may outlive it and hold its output open.
    child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal }), 500).unref());
    child.once('error', () => resolve({ code: 127, signal: null }));
  });
  const recent: string[] = [];
  const ready = new Promise<string>((resolve, reject) => {
    const fail = (what: string): void => reject(new Error([`${options.name} ${what}`, ...recent].join('\n  ')));
    const timer = setTimeout(() => {
      fail(`was not ready after ${START_MS / 1000} s:`);
      child.kill('SIGKILL');
    }, START_MS);
    void exited.then((exit) => {
      clearTimeout(timer);
      fail(`ended at its start (${explainExit(exit)}):`);
    });
    const onLine = (line: string): void => {
      recent.push(line);
      if (recent.length > LAST_WORDS) recent.shift();
      options.onLine(line);
      if (!options.readyLine.test(line)) return;
      clearTimeout(timer);
      resolve(line);
    };
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) createInterface(stream).on('line', onLine);
  });
  // Whoever awaits it hears of it; a stop in between is no unhandled rejection.
  ready.catch(() => undefined);

  const kill = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  return {
    pid: child.pid ?? 0,
    ready,
    exited,
    kill,
    stop: async () => {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}
