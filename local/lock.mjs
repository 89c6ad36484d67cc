// A lock file for what two terminals must not do at once. Plain JavaScript: it runs before anything is installed.
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const BEAT_MS = 2_000;
// A holder beats every two seconds; one that has been silent for a minute is gone, whoever has its pid now.
const SILENT_MS = 60_000;
// Between making the file and writing the pid into it a holder may be interrupted.
const UNWRITTEN_MS = 5_000;

const read = (file) => {
  try {
    return { pid: Number.parseInt(readFileSync(file, 'utf8'), 10), age: Date.now() - statSync(file).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
};

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

const stale = ({ pid, age }) =>
  Number.isInteger(pid) && pid > 0 ? age > SILENT_MS || !alive(pid) : age > UNWRITTEN_MS;

const create = (file) => {
  try {
    const fd = openSync(file, 'wx');
    writeSync(fd, `${process.pid}\n`);
    closeSync(fd);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
};

/** Takes a dead holder's file away. Where another process was quicker and already holds the lock, its file is put back. */
const clear = (file) => {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  const taken = read(aside);
  if (taken !== undefined && !stale(taken)) renameSync(aside, file);
  else rmSync(aside, { force: true });
};

/** Is `file` held by a process that lives? */
export const held = (file) => {
  const holder = read(file);
  return holder !== undefined && !stale(holder);
};

/** Runs `work` while holding `file`; waits for another holder, calling `waiting` once with its pid. */
export const withLock = async (file, work, waiting = () => undefined) => {
  mkdirSync(dirname(file), { recursive: true });
  let told = false;
  while (!create(file)) {
    const holder = read(file);
    if (holder === undefined) continue;
    if (stale(holder)) {
      clear(file);
      continue;
    }
    if (!told) waiting(holder.pid);
    told = true;
    await pause(100);
  }
  const beat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(file, now, now);
    } catch {
      // The folder was removed under us: the work goes on.
    }
  }, BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    rmSync(file, { force: true });
  }
};
