import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { z } from 'zod';

const folder = join(__dirname, '..', '..', 'build', 'long');

/** What a part of `npm run test:long` has done so far: it stands in `build/long`, and the same command again goes on from there. */
export interface Kept<State> {
  state: State;
  save(): void;
  /** The last line that is printed. */
  summary(line: Record<string, unknown>): void;
}

/** Opens what is kept under this name, or begins anew. */
export function keep<State>(name: string, schema: z.ZodType<State>, fresh: State): Kept<State> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  const state = existsSync(file) ? schema.parse(JSON.parse(readFileSync(file, 'utf8'))) : fresh;
  return {
    state,
    save: () => {
      writeFileSync(file, JSON.stringify(state, null, 1));
    },
    summary: (line) => {
      writeFileSync(join(folder, 'summary.json'), JSON.stringify(line));
    },
  };
}

/** Minutes of a box, at most ten. */
export const minutesOf = (setting: string | undefined): number => Math.min(10, Number(setting ?? 9));
