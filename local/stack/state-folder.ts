import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { makeFolder, systemCode } from '../folders';
import { StartFailure } from './child';
import { PortInUse } from './ports';

/** Something that the person who started the stack can mend; the message is the sentence to show. */
export class StackProblem extends Error {
  override name = 'StackProblem';
}

/** The stack's state folder, held by this process. */
export interface StateFolder {
  path: string;
  file(name: string): string;
  /** Remembers which processes work on the folder, for whoever finds it after a crash. */
  record(pids: number[]): void;
  release(): void;
}

const PIDS = 'stack.json';
const OURS =
  /^(clock|tls|azurite|storage|stack\.json(\.new)?|host-keys\.json|(entra|directory|mail|host)\.db(-wal|-shm|-journal)?)$/;
const PROBE_BYTES = 65_536;
/** What every SQLite database begins with. */
const MAGIC = Buffer.from('SQLite format 3\0');
const LEFTOVERS_MS = 15_000;
const LOOK_MS = 50;

const recordSchema = z.object({ pid: z.int().positive(), children: z.array(z.int().positive()) });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What a failed start means, in one sentence; undefined where it is a fault of the stack itself. */
export function explainProblem(error: unknown, state: string): string | undefined {
  if (error instanceof StackProblem) return error.message;
  if (error instanceof PortInUse) {
    return `Port ${error.port} (for ${error.part}) is in use: end what listens there, or choose other ports with --port-base <first port>.`;
  }
  if (error instanceof StartFailure && error.sentence !== undefined) return error.sentence;
  const text = error instanceof Error ? error.message : String(error);
  const code = systemCode(error) ?? '';
  if (error instanceof Error && 'syscall' in error && error.syscall === 'listen') {
    const port = 'port' in error ? ` ${String(error.port)}` : '';
    return `Port${port} cannot be listened on (${code}): choose other ports with --port-base <first port>.`;
  }
  if (code === 'ENOSPC' || code === 'EDQUOT' || /ENOSPC|no space left|disk is full/i.test(text)) {
    return `The disk that holds the state folder ${state} is full: free some space, or choose another folder with --state <folder>.`;
  }
  if (/^(EACCES|EPERM|EROFS)$/.test(code) || /readonly database|SQLITE_CANTOPEN/i.test(text)) {
    return `The state folder ${state} cannot be read and written: mend its permissions, or choose another with --state <folder>.`;
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return `The state folder ${state} is not a folder: choose another with --state <folder>.`;
  }
  if (/not a database|disk image is malformed/i.test(text)) {
    return `A database in the state folder ${state} is damaged: remove it, with all that it kept, or choose another folder with --state <folder>.`;
  }
  return error instanceof StartFailure ? error.message : undefined;
}

// One process may run several stacks, as tests do.
const held = new Set<string>();

async function whenGone(pids: number[]): Promise<boolean> {
  const until = performance.now() + LEFTOVERS_MS;
  while (pids.some(isAlive)) {
    if (performance.now() > until) return false;
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  return true;
}

/** Is another stack at work in the folder? Parts whose parent was killed are ending by themselves: they are waited for. */
async function waitForOthers(path: string): Promise<void> {
  const file = join(path, PIDS);
  if (!existsSync(file)) return;
  let found: z.infer<typeof recordSchema>;
  try {
    found = recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return;
  }
  if (held.has(path) || (found.pid !== process.pid && isAlive(found.pid))) {
    throw new StackProblem(
      `The state folder ${path} is in use by another local stack (process ${found.pid}): stop that one, or choose another folder with --state <folder>.`,
    );
  }
  if (!(await whenGone(found.children))) {
    throw new StackProblem(
      `Processes of an earlier local stack (${found.children.filter(isAlive).join(', ')}) are still at work in ${path}: end them first.`,
    );
  }
}

function empty(path: string): void {
  const entries = readdirSync(path);
  if (entries.length > 0 && !entries.some((name) => OURS.test(name))) {
    throw new StackProblem(`${path} holds other things than the local stack's state: --fresh leaves it alone.`);
  }
  for (const name of entries) if (OURS.test(name)) rmSync(join(path, name), { recursive: true, force: true });
}

/** What is named like a database and begins unlike one would end the part that opens it. */
function checkDatabases(path: string): void {
  for (const name of readdirSync(path).filter((each) => /^(entra|directory|mail|host)\.db$/.test(each))) {
    const file = join(path, name);
    const fd = openSync(file, 'r');
    const start = Buffer.alloc(MAGIC.length);
    let length: number;
    try {
      length = readSync(fd, start);
    } finally {
      closeSync(fd);
    }
    if (length === 0 || start.equals(MAGIC)) continue;
    throw new StackProblem(
      `${file} is not a database: remove it, with all that it kept, or choose another folder with --state <folder>.`,
    );
  }
}

/** Writes as much as a part does at its start, and removes it. */
function probe(path: string): void {
  const file = join(path, `probe-${process.pid}`);
  try {
    writeFileSync(file, Buffer.alloc(PROBE_BYTES));
  } finally {
    rmSync(file, { force: true });
  }
}

/** Runs a step on the state folder; whatever the system refuses is a problem that tells what to do. */
function onFolder(path: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    if (error instanceof StackProblem || systemCode(error) === undefined) throw error;
    throw new StackProblem(
      explainProblem(error, path) ??
        `The state folder ${path} cannot be made or used (${systemCode(error)}): choose another with --state <folder>.`,
    );
  }
}

/** Opens the state folder (a new temporary one where none is named), seeing to it that it can be written and is not in use. */
export async function openStateFolder(options: { path?: string; fresh?: boolean }): Promise<StateFolder> {
  const path = options.path === undefined ? mkdtempSync(join(tmpdir(), 'gatehouse-')) : resolve(options.path);
  const file = (name: string): string => join(path, name);
  // It holds the local issuer's keys.
  onFolder(path, () => makeFolder(path, 0o700));
  await waitForOthers(path);
  onFolder(path, () => {
    if (options.fresh === true) empty(path);
    checkDatabases(path);
    probe(path);
  });
  const write = (children: number[]): void => {
    // Whole at any moment: after a crash it says whom to wait for.
    writeFileSync(file(`${PIDS}.new`), JSON.stringify({ pid: process.pid, children }));
    renameSync(file(`${PIDS}.new`), file(PIDS));
  };
  write([]);
  held.add(path);
  const record = (pids: number[]): void => {
    try {
      write(pids);
    } catch {
      // A disk that fills up later on is for the parts to report; this is only for whoever comes after a crash.
    }
  };
  const release = (): void => {
    held.delete(path);
    // Nobody named the temporary one, so nobody will look for it.
    rmSync(options.path === undefined ? path : file(PIDS), { recursive: true, force: true });
  };
  return { path, file, record, release };
}
