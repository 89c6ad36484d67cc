import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { passedEnvironment } from '../../../local/stack/stack';

const script = join(__dirname, '..', '..', '..', 'cli', 'gatehouse.mjs');

export interface Ended {
  code: number | null;
  out: string;
  told: string;
}

export interface Running {
  ended: Promise<Ended>;
  /** Resolves with the first match in what the command tells on standard error. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Runs the command line as a process of its own, with nothing of this one's settings. */
export function start(args: string[], env: NodeJS.ProcessEnv = {}, input = ''): Running {
  const child = spawn(process.execPath, [script, ...args], { env: { ...passedEnvironment(), ...env } });
  let out = '';
  let told = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk.toString();
    for (const listener of listeners) listener();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, out, told })));
  return {
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(told);
          if (found === null) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`It ended and never said ${String(pattern)}: ${told}`)));
      }),
  };
}
