import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { built, compileCache, root } from './paths';

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
  /** What is loaded before it, besides what every part loads. */
  preload?: string;
  env: NodeJS.ProcessEnv;
  /** The output line by which it says that it is ready. */
  readyLine: RegExp;
  onLine: (line: string) => void;
  /** Prefers little memory to much throughput; false when absent. */
  small?: boolean;
}

/** A process that did not come to be ready. `output` is what it printed last, `sentence` what went wrong in one line. */
export class StartFailure extends Error {
  override name = 'StartFailure';
  constructor(
    what: string,
    readonly output: readonly string[],
    readonly sentence: string | undefined,
  ) {
    super([what, ...output].join('\n  '));
  }
}

const GRACE_MS = 10_000;
const START_MS = 60_000;
const LAST_WORDS = 12;

// With LOCAL_STACK_MEMORY=roomy, as the tests have it, processes take the memory they like. A small young generation keeps them small, and
// costs a sixth of their speed; starting from what Node compiled before takes a fifth less time, and ten megabytes more.
const isRoomy = process.env['LOCAL_STACK_MEMORY'] === 'roomy';
const memoryFlags = (isSmall: boolean): string[] =>
  isRoomy ? [] : ['--max-semi-space-size=4', ...(isSmall ? ['--optimize-for-size'] : [])];

// Reading the maps of Azurite's hundreds of modules would take longer than starting it; that of the app is read when the first stack trace
// is, a quarter of a second in the life of each host. LOCAL_STACK_MAPS=off does without.
const flagsFor = (script: string, isSmall: boolean): string[] => [
  '--disable-warning=ExperimentalWarning',
  ...memoryFlags(isSmall),
  ...(script.startsWith(built('')) && process.env['LOCAL_STACK_MAPS'] !== 'off' ? ['--enable-source-maps'] : []),
];

/** What became of it, in words. */
export const explainExit = ({ code, signal }: Exit): string => (signal === null ? `code ${code}` : signal);

/** A single line is a sentence that the part wrote for its owner; of more, a stack trace say, none is. */
const complaintOf = (lines: readonly string[]): string | undefined => (lines.length === 1 ? lines[0] : undefined);

/** Starts a script under the stack's clock, bound to this process's life. */
export function startChild(options: ChildOptions): Child {
  const { preload } = options;
  const preloads = [built('stack/lifeline.js'), built('clock/preload.js'), ...(preload === undefined ? [] : [preload])];
  const child = fork(options.script, options.args, {
    cwd: root,
    env: { ...(isRoomy && { NODE_COMPILE_CACHE: compileCache }), ...options.env },
    execArgv: [...flagsFor(options.script, options.small ?? false), ...preloads.flatMap((file) => ['--require', file])],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Its own process group: Ctrl-C reaches the stack's parent alone, which then ends the parts in order.
    detached: process.platform !== 'win32',
  });

  const exited = new Promise<Exit>((resolve) => {
    // not at 'close', which does not come where this end let go of the channel
    const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
    const outputsEnd = Promise.allSettled(outputs.map((stream) => once(stream, 'close')));
    child.once('exit', (code, signal) => {
      const end = (): void => resolve({ code, signal });
      void outputsEnd.then(end);
      // a process of its own making may outlive it and hold its output open
      setTimeout(end, 500).unref();
    });
    child.once('error', () => resolve({ code: 127, signal: null }));
  });
  const recent: string[] = [];
  const complaints: string[] = [];
  let isReady = false;
  const ready = new Promise<string>((resolve, reject) => {
    const fail = (what: string): void =>
      reject(new StartFailure(`${options.name} ${what}`, recent, complaintOf(complaints)));
    const timer = setTimeout(() => {
      fail(`was not ready after ${START_MS / 1000} s:`);
      child.kill('SIGKILL');
    }, START_MS);
    void exited.then((exit) => {
      clearTimeout(timer);
      fail(`ended at its start (${explainExit(exit)}):`);
    });
    const onLine = (line: string, toStderr: boolean): void => {
      if (toStderr) complaints.push(line);
      // Its stack trace is of no use to whoever reads why it did not start.
      if (!/^\s+at /.test(line)) recent.push(line);
      if (recent.length > LAST_WORDS) recent.shift();
      options.onLine(line);
      if (!options.readyLine.test(line)) return;
      isReady = true;
      clearTimeout(timer);
      resolve(line);
    };
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null)
        createInterface(stream).on('line', (line) => onLine(line, stream === child.stderr && !isReady));
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
