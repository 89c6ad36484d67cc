import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const named = z.object({ name: z.string() });

function isRoot(folder: string): boolean {
  const file = join(folder, 'package.json');
  return existsSync(file) && named.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data?.name === 'gatehouse';
}

function findRoot(from: string): string {
  if (isRoot(from)) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('The local stack must be run from a checkout of Gatehouse.');
  return findRoot(parent);
}

/** The checkout: the same whether this runs from `local/` or from `build/local/`. */
export const root = findRoot(__dirname);

/** A script of the built local stack, such as `stack/services-main.js`. */
export const built = (script: string): string => join(root, 'build', 'local', script);

/** Where Node keeps what it compiled, so that the parts of a stack start sooner than the first time. */
export const compileCache = join(root, 'build', 'compile-cache');

/** Does this run from the sources (under jest), so that nobody has built them yet? */
export const runsFromSource = !__dirname.startsWith(join(root, 'build'));
