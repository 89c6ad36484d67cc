import type { IncomingMessage } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS front_door_requests (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE) STRICT;
`;
/** More are not kept: the oldest make room. */
const KEPT = 1_000;

const rowSchema = z.object({ id: z.string() });

/** Ids of join requests that the app has answered through this door: it lists open ones only, and the start page shows finished ones too. */
export interface SeenRequests {
  add(id: string): void;
  /** The latest ones, newest first. */
  latest(count: number): string[];
}

/** The ids kept in a database that other parts may use too. */
export function openSeenRequests(db: DatabaseSync): SeenRequests {
  db.exec(SCHEMA);
  const insert = db.prepare('INSERT INTO front_door_requests (id) VALUES (?) ON CONFLICT DO NOTHING');
  const forget = db.prepare('DELETE FROM front_door_requests WHERE seq <= ?');
  const select = db.prepare('SELECT id FROM front_door_requests ORDER BY seq DESC LIMIT ?');
  return {
    add: (id) => {
      const { changes, lastInsertRowid } = insert.run(id);
      if (changes > 0) forget.run(Number(lastInsertRowid) - KEPT);
    },
    latest: (count) => select.all(count).map((row) => rowSchema.parse(row).id),
  };
}

/** The id of the request that an answer of the app says it has filed; undefined for any other answer. */
export function filedRequest(
  method: string | undefined,
  url: string | undefined,
  answer: IncomingMessage,
): string | undefined {
  const filing = method === 'POST' && /^\/api\/groups\/[^/]+\/join-requests\/?(\?|$)/i.test(url ?? '');
  if (!filing || answer.statusCode !== 202) return undefined;
  return /\/join-requests\/([0-9a-f]{32})$/.exec(answer.headers.location ?? '')?.[1];
}
