import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from '../folders';
import { HostFailure, messageOf, sqliteCodeOf } from './host-failure';

/** Opens the host's database in its state folder, for this process alone. */
export function openState(folder: string): DatabaseSync {
  try {
    makeFolder(resolve(folder));
  } catch (error) {
    throw new HostFailure(`The state folder ${folder} can't be made (${messageOf(error)}); name another with --state.`);
  }
  const file = join(folder, 'host.db');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec(`
      PRAGMA busy_timeout = 1000;
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 4000;
      CREATE TABLE IF NOT EXISTS host (started INTEGER);
      DELETE FROM host;
      INSERT INTO host (started) VALUES (unixepoch());
    `);
    return database;
  } catch (error) {
    database?.close();
    throw stateFailure(file, error);
  }
}

/** A database error that stops the host, as a sentence; undefined for any other error. */
export function fatalStateError(error: unknown): HostFailure | undefined {
  const code = sqliteCodeOf(error);
  if (code === 13)
    return new HostFailure('The disk is full: make room for the state folder and start again; nothing is lost.');
  if (code === 8 || code === 10 || code === 14) {
    return new HostFailure(`The state folder can't be written (${messageOf(error)}); mend it and start again.`);
  }
  return undefined;
}

function stateFailure(file: string, error: unknown): HostFailure {
  if (sqliteCodeOf(error) === 5)
    return new HostFailure(`${file} is in use by another host; stop that one or name another folder with --state.`);
  if (sqliteCodeOf(error) === 13) return new HostFailure(`The disk is full: make room for ${file} and start again.`);
  if (sqliteCodeOf(error) === 11 || sqliteCodeOf(error) === 26) {
    return new HostFailure(
      `${file} is damaged (${messageOf(error)}); remove it, with all that it kept, or name another folder with --state.`,
    );
  }
  return new HostFailure(
    `${file} can't be used (${messageOf(error)}); check its permissions or name another folder with --state.`,
  );
}
