import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';

/** The stack's one clock: a file of 32 bytes that `preload.ts` reads in every process. */
export interface Clock {
  readonly file: string;
  /** The stack's time. */
  now(): Date;
  /** Moves the clock forward by `ms` (it keeps running, or stays stopped, as it was). */
  advance(ms: number): void;
  /** Sets the stack's time; the clock keeps running, or stays stopped. */
  set(at: Date): void;
  /** Stops the clock at the stack's present time. */
  stop(): void;
  /** Lets a stopped clock run on from where it stands. */
  resume(): void;
}

// The process that moves the clock may itself run under the preload, which leaves the real clock here.
const realNow = (): number => {
  const real: unknown = Reflect.get(globalThis, Symbol.for('gatehouse.realNow'));
  return typeof real === 'function' ? (real as () => number)() : Date.now();
};

/** Opens the clock kept in `file`, made at real time where there is none. */
export function openClock(file: string): Clock {
  const write = (kind: '+' | '=', value: number): void => {
    const sign = value < 0 ? '-' : '';
    const text = kind + sign + String(Math.abs(Math.round(value))).padStart(31 - sign.length, '0');
    const fd = openSync(file, existsSync(file) ? 'r+' : 'w');
    try {
      writeSync(fd, text, 0, 'latin1');
    } finally {
      closeSync(fd);
    }
  };
  const read = (): { stopped: boolean; value: number } => {
    const text = readFileSync(file, 'latin1');
    return { stopped: text.startsWith('='), value: Number(text.slice(1)) };
  };
  const time = (): number => {
    const { stopped, value } = read();
    return stopped ? value : realNow() + value;
  };
  const set = (ms: number): void => {
    if (read().stopped) write('=', ms);
    else write('+', ms - realNow());
  };
  if (!existsSync(file)) write('+', 0);
  return {
    file,
    now: () => new Date(time()),
    advance: (ms) => {
      const { stopped, value } = read();
      write(stopped ? '=' : '+', value + ms);
    },
    set: (at) => {
      set(at.getTime());
    },
    stop: () => {
      write('=', time());
    },
    resume: () => {
      if (read().stopped) write('+', time() - realNow());
    },
  };
}
