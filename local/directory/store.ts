import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { CHANGE_LOG_SCHEMA, openChangeLog } from './change-log';
import { groupSchema, servicePrincipalSchema, userSchema } from './properties';
import type {
  DirectoryObject,
  Group,
  GroupProperties,
  ObjectType,
  ServicePrincipalProperties,
  User,
  UserProperties,
} from './properties';

/** A piece of SQL with its values. The object table goes by `o`. */
export interface Sql {
  text: string;
  params: SQLInputValue[];
}

export type LinkKind = 'member' | 'owner' | 'manager';

/** `read` is what a reader sees, a replication delay late; `now` is what the directory holds; `deleted` its deleted items. */
export type View = 'read' | 'now' | 'deleted';

/** For how long a deleted object can be restored. */
export const RESTORABLE_MS = 30 * 24 * 3_600_000;

export type Order = 'id' | 'displayName asc' | 'displayName desc';

/** The object after which a page begins. */
export interface Cursor {
  id: string;
  displayName: string;
}

export interface Listing {
  view: View;
  types: readonly ObjectType[];
  /** Only objects whose id is among these. */
  within?: Sql;
  where?: Sql;
  order?: Order;
  after?: Cursor;
  limit: number;
  offset?: number;
}

export interface Settings {
  /** For how long after a write readers may still see what was there before. */
  replicationDelayMs: number;
  /** Objects on a page where the caller does not say. */
  pageSize: number;
  /** Whether the naming policy spares what apps create; Entra's does not. */
  appsExemptFromNaming: boolean;
}

const SCHEMA = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -65536; -- 64 MB: a tenant of 50,000 groups is made in half the time
CREATE TABLE IF NOT EXISTS objects (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER,
  changed_at INTEGER,
  properties TEXT NOT NULL,
  previous TEXT,
  display_name TEXT COLLATE NOCASE AS (json_extract(properties, '$.displayName')),
  user_principal_name TEXT COLLATE NOCASE AS (json_extract(properties, '$.userPrincipalName')),
  mail TEXT COLLATE NOCASE AS (json_extract(properties, '$.mail')),
  mail_nickname TEXT COLLATE NOCASE AS (json_extract(properties, '$.mailNickname')),
  unique_name TEXT COLLATE NOCASE AS (json_extract(properties, '$.uniqueName')),
  app_id TEXT COLLATE NOCASE AS (json_extract(properties, '$.appId'))
);
CREATE INDEX IF NOT EXISTS objects_by_type ON objects (type, id);
CREATE INDEX IF NOT EXISTS objects_by_name ON objects (type, display_name, id);
CREATE INDEX IF NOT EXISTS objects_by_mail ON objects (type, mail);
CREATE INDEX IF NOT EXISTS objects_by_nickname ON objects (type, mail_nickname);
CREATE INDEX IF NOT EXISTS objects_by_app ON objects (app_id) WHERE app_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS objects_by_upn ON objects (user_principal_name) WHERE type = 'user' AND deleted_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS objects_by_unique_name ON objects (unique_name) WHERE unique_name IS NOT NULL AND deleted_at IS NULL;
CREATE TABLE IF NOT EXISTS links (
  seq INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  removed_at INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS links_that_stand ON links (kind, source, target) WHERE removed_at IS NULL;
CREATE INDEX IF NOT EXISTS links_by_source ON links (kind, source, target, removed_at);
CREATE INDEX IF NOT EXISTS links_by_target ON links (kind, target, source, removed_at);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS policies (name TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS groups_by_expiry ON objects (json_extract(properties, '$.expirationDateTime'))
  WHERE type = 'group' AND deleted_at IS NULL AND json_extract(properties, '$.expirationDateTime') IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_any_unique_name ON objects (unique_name) WHERE unique_name IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_deleted ON objects (type, id) WHERE deleted_at IS NOT NULL;
`;

const rowSchema = z.object({
  type: z.enum(['user', 'group', 'servicePrincipal']),
  created_at: z.number(),
  deleted_at: z.number().nullable(),
  changed_at: z.number().nullable(),
  properties: z.string(),
  previous: z.string().nullable(),
});
const numberRow = z.object({ n: z.number() });
const idRow = z.object({ id: z.string() });
const settingRow = z.object({ name: z.string(), value: z.number() });
const jsonRow = z.object({ json: z.string() });
const typeRow = z.object({ type: z.enum(['user', 'group', 'servicePrincipal']) });

const COLUMNS = 'o.type, o.created_at, o.deleted_at, o.changed_at, o.properties, o.previous';

export type NewObject =
  | { type: 'user'; properties: UserProperties }
  | { type: 'group'; properties: GroupProperties }
  | { type: 'servicePrincipal'; properties: ServicePrincipalProperties };

export type Store = ReturnType<typeof openStore>;

/** The directory's state: objects, and links between them, in one SQLite file (or in memory). */
export function openStore(file: string, pageSize = 100) {
  const db = new DatabaseSync(file);
  db.exec(SCHEMA);
  db.exec(CHANGE_LOG_SCHEMA);
  const statements = new Map<string, StatementSync>();
  const prepare = (text: string): StatementSync => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const statement = db.prepare(text);
    statements.set(text, statement);
    return statement;
  };
  db.function('has_word', { deterministic: true }, (value, word) =>
    typeof value === 'string' && typeof word === 'string' && hasWord(value, word) ? 1 : 0,
  );

  const changes = openChangeLog(prepare);

  let settings: Settings = { replicationDelayMs: 0, pageSize, appsExemptFromNaming: false };
  for (const row of prepare('SELECT name, value FROM settings').all()) {
    const { name, value } = settingRow.parse(row);
    settings = { ...settings, [name]: name === 'appsExemptFromNaming' ? value === 1 : value };
  }

  let depth = 0;
  /** All of it or, when it throws, nothing. */
  const transaction = <T>(change: () => T): T => {
    if (depth > 0) return change();
    db.exec('BEGIN IMMEDIATE');
    depth += 1;
    try {
      const result = change();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    } finally {
      depth -= 1;
    }
  };

  const moment = (view: View): { now: number; asOf: number; late: boolean } => {
    const now = Date.now();
    const delay = view === 'read' ? settings.replicationDelayMs : 0;
    return { now, asOf: now - delay, late: delay > 0 };
  };

  // What lies in the future was written before the clock was set back: it counts as long known.
  const span = (view: View, from: string, to: string): Sql => {
    const { now, asOf, late } = moment(view);
    if (!late) return { text: `${to} IS NULL`, params: [] };
    return {
      text: `(${from} <= ? OR ${from} > ?) AND (${to} IS NULL OR (${to} > ? AND ${to} <= ?))`,
      params: [asOf, now, asOf, now],
    };
  };
  const objectSeen = (view: View, alias = 'o'): Sql =>
    view === 'deleted'
      ? { text: `${alias}.deleted_at > ?`, params: [Date.now() - RESTORABLE_MS] }
      : span(view, `${alias}.created_at`, `${alias}.deleted_at`);
  const linkSeen = (view: View): Sql => span(view, 'l.added_at', 'l.removed_at');

  const toObject = (row: unknown, view: View): DirectoryObject => {
    const { type, created_at, deleted_at, changed_at, properties, previous } = rowSchema.parse(row);
    const { now, asOf, late } = moment(view);
    const stale = late && previous !== null && changed_at !== null && changed_at > asOf && changed_at <= now;
    const json: unknown = JSON.parse(stale ? previous : properties);
    const kept = { createdAt: created_at, deletedAt: deleted_at };
    switch (type) {
      case 'user':
        return { ...kept, type, properties: userSchema.parse(json) };
      case 'group':
        return { ...kept, type, properties: groupSchema.parse(json) };
      case 'servicePrincipal':
        return { ...kept, type, properties: servicePrincipalSchema.parse(json) };
    }
  };

  const one = (condition: Sql, view: View): DirectoryObject | undefined => {
    const seen = objectSeen(view);
    const row = prepare(`SELECT ${COLUMNS} FROM objects o WHERE ${condition.text} AND ${seen.text}`).get(
      ...condition.params,
      ...seen.params,
    );
    return row === undefined ? undefined : toObject(row, view);
  };

  const find = (id: string, view: View = 'read'): DirectoryObject | undefined =>
    one({ text: 'o.id = ?', params: [id.toLowerCase()] }, view);

  const conditions = (listing: Listing): Sql => {
    // With ids given, the plus keeps SQLite from walking all objects of the type instead.
    const type = listing.within === undefined ? 'o.type' : '+o.type';
    const parts: Sql[] = [
      { text: `${type} IN (${listing.types.map(() => '?').join(', ')})`, params: [...listing.types] },
      objectSeen(listing.view),
    ];
    if (listing.within !== undefined) {
      parts.push({ text: `o.id IN (${listing.within.text})`, params: listing.within.params });
    }
    if (listing.where !== undefined) parts.push({ text: `(${listing.where.text})`, params: listing.where.params });
    return joined(parts);
  };

  const list = (listing: Listing): DirectoryObject[] => {
    const order = listing.order ?? 'id';
    const parts = [conditions(listing)];
    if (listing.after !== undefined) parts.push(afterCursor(order, listing.after));
    const all = joined(parts);
    const by = order === 'id' ? 'o.id' : `o.display_name ${order.endsWith('desc') ? 'DESC' : 'ASC'}, o.id`;
    const rows = prepare(`SELECT ${COLUMNS} FROM objects o WHERE ${all.text} ORDER BY ${by} LIMIT ? OFFSET ?`).all(
      ...all.params,
      listing.limit,
      listing.offset ?? 0,
    );
    return rows.map((row) => toObject(row, listing.view));
  };

  const count = (listing: Omit<Listing, 'limit' | 'after' | 'order'>): number => {
    const all = conditions({ ...listing, limit: 0 });
    return numberRow.parse(prepare(`SELECT count(*) AS n FROM objects o WHERE ${all.text}`).get(...all.params)).n;
  };

  /** The ids that `source` links to. */
  const targets = (kind: LinkKind, source: string, view: View): Sql => {
    const seen = linkSeen(view);
    return {
      text: `SELECT l.target FROM links l WHERE l.kind = ? AND l.source = ? AND ${seen.text}`,
      params: [kind, source, ...seen.params],
    };
  };

  /** The ids of members of a group and of the groups in it, at any depth. */
  const transitiveMembers = (source: string, view: View): Sql => reach('source', 'target', source, view);

  /** The ids of the groups that hold an object, at any depth. */
  const transitiveGroups = (target: string, view: View): Sql => reach('target', 'source', target, view);

  const reach = (from: 'source' | 'target', to: 'source' | 'target', start: string, view: View): Sql => {
    const link = linkSeen(view);
    const between = objectSeen(view, 'g');
    return {
      text: `WITH RECURSIVE reach (id) AS (
        SELECT l.${to} FROM links l WHERE l.kind = 'member' AND l.${from} = ? AND ${link.text}
        UNION
        SELECT l.${to} FROM reach r CROSS JOIN objects g ON g.id = r.id AND ${between.text}
          CROSS JOIN links l ON l.kind = 'member' AND l.${from} = r.id AND ${link.text}
      ) SELECT id FROM reach`,
      params: [start, ...link.params, ...between.params, ...link.params],
    };
  };

  /** The ids of the groups that hold an object directly, or that it owns. */
  const sources = (kind: LinkKind, target: string, view: View): Sql => {
    const seen = linkSeen(view);
    return {
      text: `SELECT l.source FROM links l WHERE l.kind = ? AND l.target = ? AND ${seen.text}`,
      params: [kind, target, ...seen.params],
    };
  };

  const noteChange = (type: ObjectType, id: string): void => {
    if (type === 'group') changes.groupChanged(id);
  };
  const typeOf = (id: string): ObjectType | undefined => {
    const row = prepare('SELECT type FROM objects WHERE id = ?').get(id.toLowerCase());
    return row === undefined ? undefined : typeRow.parse(row).type;
  };

  const insert = (object: NewObject, createdAt = Date.now()): void => {
    const { id } = object.properties;
    transaction(() => {
      prepare('INSERT INTO objects (id, type, created_at, properties) VALUES (?, ?, ?, ?)').run(
        id.toLowerCase(),
        object.type,
        createdAt,
        JSON.stringify(object.properties),
      );
      noteChange(object.type, id);
    });
  };

  const replace = (object: NewObject): void => {
    const now = Date.now();
    const asOf = now - settings.replicationDelayMs;
    transaction(() => {
      // Several changes within the delay: readers go on seeing what stood before the first.
      prepare(
        `UPDATE objects SET previous = CASE WHEN changed_at > ? AND changed_at <= ? THEN previous ELSE properties END,
         properties = ?, changed_at = ? WHERE id = ? AND deleted_at IS NULL`,
      ).run(asOf, now, JSON.stringify(object.properties), now, object.properties.id);
      noteChange(object.type, object.properties.id);
    });
  };

  const noteLink = (kind: LinkKind, source: string, target: string): void => {
    if (kind !== 'manager') changes.linkChanged(kind, source, target);
  };

  /** Marks an object as deleted, or as not; either way its links stay. */
  const setDeleted = (id: string, at: number | null): void => {
    transaction(() => {
      prepare(`UPDATE objects SET deleted_at = ? WHERE id = ? AND (deleted_at IS NULL) = (? IS NOT NULL)`).run(
        at,
        id,
        at,
      );
      const type = typeOf(id);
      if (type !== undefined) noteChange(type, id);
    });
  };

  return {
    transaction,
    settings: (): Settings => settings,
    changeSettings(change: Partial<Settings>): void {
      settings = { ...settings, ...change };
      const keep = prepare(
        'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      );
      transaction(() => {
        keep.run('replicationDelayMs', settings.replicationDelayMs);
        keep.run('pageSize', settings.pageSize);
        keep.run('appsExemptFromNaming', settings.appsExemptFromNaming ? 1 : 0);
      });
    },

    isEmpty: (): boolean => prepare('SELECT 1 FROM objects LIMIT 1').get() === undefined,
    find,
    findGroup(id: string, view: View = 'read'): Group | undefined {
      const found = find(id, view);
      return found?.type === 'group' ? found : undefined;
    },
    /** By object id or by user principal name. */
    findUser(idOrName: string, view: View = 'read'): User | undefined {
      const found =
        find(idOrName, view) ??
        one({ text: `o.type = 'user' AND o.user_principal_name = ?`, params: [idOrName] }, view);
      return found?.type === 'user' ? found : undefined;
    },
    list,
    count,
    targets,
    sources,
    transitiveMembers,
    transitiveGroups,
    ids: (query: Sql): string[] =>
      prepare(`SELECT o.id FROM objects o WHERE o.deleted_at IS NULL AND o.id IN (${query.text})`)
        .all(...query.params)
        .map((row) => idRow.parse(row).id),

    insert,
    replace,
    /** Soft delete; its links stay, for a restore. */
    remove(id: string): void {
      setDeleted(id, Date.now());
    },
    /** Takes an object back out of the deleted items, with its links. */
    restore(id: string): void {
      setDeleted(id, null);
    },
    /** Deletes a deleted object for good. */
    purge(id: string): void {
      transaction(() => {
        prepare('DELETE FROM links WHERE source = ? OR target = ?').run(id, id);
        const type = typeOf(id);
        prepare('DELETE FROM objects WHERE id = ? AND deleted_at IS NOT NULL').run(id);
        if (type !== undefined) noteChange(type, id);
      });
    },
    /** What kind of object an id names, deleted ones included. */
    typeOf,
    /** Whether another group has the alternate key, deleted ones that can be restored included. */
    hasUniqueName: (name: string): boolean =>
      prepare(`SELECT 1 FROM objects WHERE unique_name = ? AND (deleted_at IS NULL OR deleted_at > ?)`).get(
        name,
        Date.now() - RESTORABLE_MS,
      ) !== undefined,
    findByUniqueName: (name: string, view: View = 'read'): Group | undefined => {
      const found = one({ text: `o.type = 'group' AND o.unique_name = ?`, params: [name] }, view);
      return found?.type === 'group' ? found : undefined;
    },
    /** The ids of groups that have mail under this nickname. */
    mailGroups: (nickname: string): string[] =>
      prepare(
        `SELECT id FROM objects WHERE type = 'group' AND mail_nickname = ? AND deleted_at IS NULL
         AND json_extract(properties, '$.mailEnabled')`,
      )
        .all(nickname)
        .map((row) => idRow.parse(row).id),
    hasUserWithMail: (mail: string): boolean =>
      prepare(`SELECT 1 FROM objects WHERE type = 'user' AND mail = ? AND deleted_at IS NULL`).get(mail) !== undefined,
    /** Ids of groups whose expiration has come. */
    expired: (): string[] =>
      prepare(
        `SELECT id FROM objects INDEXED BY groups_by_expiry WHERE type = 'group' AND deleted_at IS NULL
         AND json_extract(properties, '$.expirationDateTime') IS NOT NULL
         AND json_extract(properties, '$.expirationDateTime') <= ?`,
      )
        .all(new Date().toISOString())
        .map((row) => idRow.parse(row).id),
    /** A policy of the tenant, as it was kept; undefined where there is none. */
    policy: (name: string): unknown => {
      const row = prepare('SELECT json FROM policies WHERE name = ?').get(name);
      return row === undefined ? undefined : (JSON.parse(jsonRow.parse(row).json) as unknown);
    },
    /** Keeps a policy of the tenant; `undefined` takes it away. */
    setPolicy(name: string, value: unknown): void {
      if (value === undefined) prepare('DELETE FROM policies WHERE name = ?').run(name);
      else prepare('INSERT OR REPLACE INTO policies VALUES (?, ?)').run(name, JSON.stringify(value));
    },
    changes,
    /** Whether the link stands, whatever readers see. */
    hasLink: (kind: LinkKind, source: string, target: string): boolean =>
      prepare('SELECT 1 FROM links WHERE kind = ? AND source = ? AND target = ? AND removed_at IS NULL').get(
        kind,
        source,
        target,
      ) !== undefined,
    addLink(kind: LinkKind, source: string, target: string, at = Date.now()): void {
      transaction(() => {
        prepare('INSERT INTO links (kind, source, target, added_at) VALUES (?, ?, ?, ?)').run(kind, source, target, at);
        noteLink(kind, source, target);
      });
    },
    removeLink(kind: LinkKind, source: string, target: string): void {
      transaction(() => {
        prepare(
          'UPDATE links SET removed_at = ? WHERE kind = ? AND source = ? AND target = ? AND removed_at IS NULL',
        ).run(Date.now(), kind, source, target);
        noteLink(kind, source, target);
      });
    },
    /** Whether readers do not see it yet: the directory answers writes on it as if it did not exist. */
    isFresh: (object: DirectoryObject): boolean => {
      const { now, asOf, late } = moment('read');
      return late && object.createdAt > asOf && object.createdAt <= now;
    },
    close(): void {
      db.close();
    },
  };
}

/** Joins conditions by AND. */
export function joined(parts: readonly Sql[]): Sql {
  return { text: parts.map((part) => part.text).join(' AND '), params: parts.flatMap((part) => part.params) };
}

function afterCursor(order: Order, after: Cursor): Sql {
  if (order === 'id') return { text: 'o.id > ?', params: [after.id] };
  const past = order.endsWith('desc') ? '<' : '>';
  return {
    text: `(o.display_name ${past} ? OR (o.display_name = ? AND o.id > ?))`,
    params: [after.displayName, after.displayName, after.id],
  };
}

/** `$search` finds words by how they begin. */
function hasWord(value: string, word: string): boolean {
  const sought = word.toLocaleLowerCase('en');
  return value
    .toLocaleLowerCase('en')
    .split(/[^\p{L}\p{N}]+/u)
    .some((part) => part !== '' && part.startsWith(sought));
}
