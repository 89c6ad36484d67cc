import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, HostFailure, messageOf } from './host-failure';

const keysSchema = z.object({
  master: z.string(),
  /** Opens every function of level `function`. */
  host: z.string(),
  system: z.object({ durabletask_extension: z.string() }),
  functions: z.record(z.string(), z.string()),
});

type StoredKeys = z.output<typeof keysSchema>;

/** The host's keys, made once and kept in `host-keys.json` of the state folder. */
export interface Keys {
  readonly master: string;
  readonly durableTask: string;
  /** Whether a caller with this key may call a function of a level. */
  opens(key: string | undefined, authLevel: string, functionName: string): boolean;
  /** Whether a key is the master key. */
  isMaster(key: string | undefined): boolean;
  /** Whether a key opens the durable extension's webhooks. */
  isDurableTask(key: string | undefined): boolean;
  /** The key of one function, made when first asked for. */
  ofFunction(name: string): string;
}

function newKey(): string {
  return `${randomBytes(40).toString('base64url')}==`;
}

function same(given: string | undefined, key: string): boolean {
  if (given === undefined) return false;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}

function readKeys(file: string): StoredKeys | undefined {
  try {
    return keysSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new HostFailure(`${file} can't be used (${messageOf(error)}); delete it to have new keys made.`);
  }
}

/** Reads the keys of a state folder, making what is missing. */
export function loadKeys(folder: string, functionNames: readonly string[]): Keys {
  const file = join(folder, 'host-keys.json');
  const known = readKeys(file);
  const keys: StoredKeys = known ?? {
    master: newKey(),
    host: newKey(),
    system: { durabletask_extension: newKey() },
    functions: {},
  };
  const missing = functionNames.filter((name) => keys.functions[name] === undefined);
  for (const name of missing) keys.functions[name] = newKey();
  if (!known || missing.length > 0) save(file, keys);

  const isMaster = (key: string | undefined): boolean => same(key, keys.master);
  return {
    master: keys.master,
    durableTask: keys.system.durabletask_extension,
    isMaster,
    isDurableTask: (key) => isMaster(key) || same(key, keys.system.durabletask_extension),
    ofFunction: (name) => keys.functions[name] ?? keys.host,
    opens(key, authLevel, functionName) {
      switch (authLevel.toLowerCase()) {
        case 'anonymous':
          return true;
        case 'function':
          return isMaster(key) || same(key, keys.host) || same(key, keys.functions[functionName] ?? keys.host);
        default:
          return isMaster(key);
      }
    },
  };
}

function save(file: string, keys: StoredKeys): void {
  const draft = `${file}.new`;
  try {
    writeFileSync(draft, `${JSON.stringify(keys, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(draft, file);
  } catch (error) {
    throw new HostFailure(
      `${file} can't be written (${messageOf(error)}); check the state folder's permissions and free space.`,
    );
  }
}
