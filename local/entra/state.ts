import { createHash, randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS keys (
    kid TEXT PRIMARY KEY, private_pem TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('active', 'published', 'removed')),
    made INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS codes (
    hash TEXT PRIMARY KEY, grant_json TEXT NOT NULL, expires_at INTEGER NOT NULL, redeemed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS refresh_tokens (hash TEXT PRIMARY KEY, grant_json TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS device_codes (
    hash TEXT PRIMARY KEY, user_code TEXT NOT NULL UNIQUE, grant_json TEXT NOT NULL, person TEXT,
    outcome TEXT NOT NULL DEFAULT 'pending' CHECK (outcome IN ('pending', 'signed-in', 'declined')), expires_at INTEGER NOT NULL
  ) STRICT;
`;

/** Opens `entra.db`, made where there is none. */
export function openState(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  db.exec(SCHEMA);
  return db;
}

/** A kept setting. */
export function readSetting(db: DatabaseSync, name: string): string | undefined {
  const value = db.prepare('SELECT value FROM settings WHERE name = ?').get(name)?.['value'];
  return typeof value === 'string' ? value : undefined;
}

export function writeSetting(db: DatabaseSync, name: string, value: string): void {
  db.prepare('INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(
    name,
    value,
  );
}

/** A secret that is made once and kept. */
export function keptSecret(db: DatabaseSync, name: string): string {
  db.prepare('INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO NOTHING').run(name, randomToken());
  const value = readSetting(db, name);
  if (value === undefined) throw new Error(`The setting ${name} could not be kept.`);
  return value;
}

/** 256 random bits, safe in a URL. */
export const randomToken = (): string => randomBytes(32).toString('base64url');

/** What is kept of a code or token that its holder shows again. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
