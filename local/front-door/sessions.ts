import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS front_door_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS front_door_sessions (hash TEXT PRIMARY KEY, session TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS front_door_sign_ins (hash TEXT PRIMARY KEY, sign_in TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
`;

const SESSION_MS = 8 * 3_600_000;
const SIGN_IN_MS = 15 * 60_000;

const sessionSchema = z.object({
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
  objectId: z.string(),
  name: z.string(),
  idToken: z.string(),
});
/** Who is signed in: the claims as App Service names them. */
export type Session = z.output<typeof sessionSchema>;

const signInSchema = z.object({
  browser: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  target: z.string(),
});
/** A sign-in on its way through the issuer. */
export type SignIn = z.output<typeof signInSchema>;

/** Sessions and sign-ins under way; only hashes of what browsers hold are kept. */
export interface Sessions {
  /** Returns the cookie's value: a random id and its signature. */
  start(session: Session): string;
  find(cookie: string | undefined): (Session & { expiresAt: number }) | undefined;
  end(cookie: string | undefined): void;
  /** Returns the `state` that the issuer hands back. */
  beginSignIn(signIn: SignIn): string;
  /** A `state` works once. */
  takeSignIn(state: string): SignIn | undefined;
}

/** 256 random bits, safe in a URL. */
export const randomToken = (): string => randomBytes(32).toString('base64url');

/** SHA-256, base64url. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Opens the front door's state; the file may be one that other parts use too. */
export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  return db;
}

function keptKey(db: DatabaseSync): string {
  db.prepare("INSERT INTO front_door_settings VALUES ('cookie-key', ?) ON CONFLICT DO NOTHING").run(randomToken());
  const row = db.prepare("SELECT value FROM front_door_settings WHERE name = 'cookie-key'").get();
  return z.object({ value: z.string() }).parse(row).value;
}

const json = (text: unknown): unknown => JSON.parse(z.string().parse(text));

/** The sessions kept in a database. */
export function openSessions(db: DatabaseSync): Sessions {
  db.exec(SCHEMA);
  const key = keptKey(db);
  const signatureOf = (id: string): string => createHmac('sha256', key).update(id).digest('base64url');
  const idOf = (cookie: string | undefined): string | undefined => {
    const [id, signature] = cookie?.split('.') ?? [];
    if (id === undefined || signature === undefined) return undefined;
    const [given, expected] = [hashOf(signature), hashOf(signatureOf(id))];
    return timingSafeEqual(Buffer.from(given), Buffer.from(expected)) ? id : undefined;
  };
  const insertSession = db.prepare('INSERT INTO front_door_sessions VALUES (?, ?, ?)');
  const findSession = db.prepare(
    'SELECT session, expires_at FROM front_door_sessions WHERE hash = ? AND expires_at > ?',
  );
  const insertSignIn = db.prepare('INSERT INTO front_door_sign_ins VALUES (?, ?, ?)');
  const takeSignIn = db.prepare('DELETE FROM front_door_sign_ins WHERE hash = ? RETURNING sign_in, expires_at');
  const sweep = (): void => {
    db.prepare('DELETE FROM front_door_sessions WHERE expires_at <= ?').run(Date.now());
    db.prepare('DELETE FROM front_door_sign_ins WHERE expires_at <= ?').run(Date.now());
  };

  return {
    start: (session) => {
      sweep();
      const id = randomToken();
      insertSession.run(hashOf(id), JSON.stringify(session), Date.now() + SESSION_MS);
      return `${id}.${signatureOf(id)}`;
    },
    find: (cookie) => {
      const id = idOf(cookie);
      if (id === undefined) return undefined;
      const row = findSession.get(hashOf(id), Date.now());
      if (row === undefined) return undefined;
      return { ...sessionSchema.parse(json(row['session'])), expiresAt: Number(row['expires_at']) };
    },
    end: (cookie) => {
      const id = idOf(cookie);
      if (id !== undefined) db.prepare('DELETE FROM front_door_sessions WHERE hash = ?').run(hashOf(id));
    },
    beginSignIn: (signIn) => {
      sweep();
      const state = randomToken();
      insertSignIn.run(hashOf(state), JSON.stringify(signIn), Date.now() + SIGN_IN_MS);
      return state;
    },
    takeSignIn: (state) => {
      const row = takeSignIn.get(hashOf(state));
      if (row === undefined || Number(row['expires_at']) <= Date.now()) return undefined;
      return signInSchema.parse(json(row['sign_in']));
    },
  };
}
