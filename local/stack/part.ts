import { explainExit, startChild } from './child';
import type { Child, ChildOptions, Exit } from './child';

/** A process of the stack across its restarts. */
export interface Part {
  readonly pid: number | undefined;
  /** Resolves with the line that said it was ready. */
  start(): Promise<string>;
  /** Ends it gracefully, if it runs; it is not started again. */
  stop(): Promise<void>;
  /** Kills it. A supervised part is then started again, as after any crash. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** Resolves when the process that runs now has ended, however it ends; at once where none runs. */
  ended(): Promise<void>;
}

export interface PartOptions {
  /** Made anew for each start. */
  child: () => ChildOptions;
  /** Starts it again whenever it ends unasked. */
  supervise: boolean;
  /** Told of ends and restarts, in words. */
  onEvent: (sentence: string) => void;
  onPid: () => void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/** Makes a part that is not started yet. */
export function createPart(name: string, options: PartOptions): Part {
  let child: Child | undefined;
  let wanted = false;
  let cancelPause: () => void = () => undefined;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      cancelPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const revive = async (): Promise<void> => {
    for (let ms = FIRST_PAUSE_MS; wanted; ms = Math.min(ms * 2, LONGEST_PAUSE_MS)) {
      try {
        await launch();
        options.onEvent(`${name} runs again.`);
        return;
      } catch (error) {
        if (!wanted) return;
        options.onEvent(error instanceof Error ? error.message : String(error));
        await pause(ms);
      }
    }
  };

  const launch = async (): Promise<string> => {
    const mine = startChild(options.child());
    child = mine;
    options.onPid();
    let isReady = false;
    void mine.exited.then((exit) => {
      if (child === mine) child = undefined;
      options.onPid();
      if (!wanted || !isReady || !options.supervise) return;
      options.onEvent(`${name} ended (${explainExit(exit)}): starting it again.`);
      void revive();
    });
    const line = await mine.ready;
    isReady = true;
    return line;
  };

  return {
    get pid() {
      return child?.pid;
    },
    start: () => {
      if (child !== undefined) throw new Error(`${name} runs already.`);
      wanted = true;
      return launch();
    },
    stop: async () => {
      wanted = false;
      cancelPause();
      await child?.stop();
    },
    kill: async (signal) => {
      if (child === undefined) throw new Error(`${name} does not run.`);
      return child.kill(signal);
    },
    ended: async () => {
      await child?.exited;
    },
  };
}
