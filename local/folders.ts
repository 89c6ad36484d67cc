import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The code of a system's error (`ENOENT`); undefined for any other. Jest's tests see errors of another realm, which are no `Error`. */
export function systemCode(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Makes a folder and those above it that are missing; does nothing where it is there. Throws the system's error (`EACCES`, `EROFS`,
 * `ENOTDIR`, …). Node's own `recursive` never comes back where a file system answers ENOENT below a folder that exists, as /proc does.
 */
export function makeFolder(path: string, mode?: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const parent = dirname(path);
    if (systemCode(error) === 'ENOENT' && parent !== path && !existsSync(parent)) {
      makeFolder(parent, mode);
      mkdirSync(path, { mode });
    } else if (systemCode(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}
