import type { StatementSync } from 'node:sqlite';
import { z } from 'zod';

/** Tables of the change log; harmless to add to a directory that was filled before there was one. */
export const CHANGE_LOG_SCHEMA = `
CREATE TABLE IF NOT EXISTS group_changes (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS group_changes_by_seq ON group_changes (seq);
CREATE TABLE IF NOT EXISTS link_changes (
  kind TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (source, kind, target)
) WITHOUT ROWID;
`;

const seqRow = z.object({ seq: z.number().nullable() });
const changeRow = z.object({ id: z.string(), seq: z.number() });
const targetRow = z.object({ target: z.string() });

/** A group's latest change: `seq` grows with every change of the directory. */
export interface GroupChange {
  id: string;
  seq: number;
}

export type ChangeLog = ReturnType<typeof openChangeLog>;

/** What `GET /groups/delta` reads: for each group and each of its links when it changed last, in the order of changes. */
export function openChangeLog(prepare: (text: string) => StatementSync) {
  /** Every change of a link is one of its group as well, so the groups have the last number. */
  const lastKept = (): number => seqRow.parse(prepare('SELECT max(seq) AS seq FROM group_changes').get()).seq ?? 0;
  // A change that is rolled back leaves a gap, which nothing minds.
  let given = lastKept();
  const next = (): number => (given += 1);
  const record = (id: string, seq: number): void => {
    prepare('INSERT OR REPLACE INTO group_changes VALUES (?, ?, ?)').run(id, seq, Date.now());
  };

  return {
    groupChanged(id: string): void {
      record(id.toLowerCase(), next());
    },
    linkChanged(kind: string, source: string, target: string): void {
      const seq = next();
      prepare('INSERT OR REPLACE INTO link_changes VALUES (?, ?, ?, ?)').run(kind, source, target, seq);
      record(source, seq);
    },
    /** The last change before all that were made after `asOf`; what lies in the future was made before the clock was set back. */
    lastBefore: (asOf: number): number => {
      const now = Date.now();
      if (asOf >= now) return lastKept();
      const late = seqRow.parse(
        prepare('SELECT min(seq) AS seq FROM group_changes WHERE at > ? AND at <= ?').get(asOf, now),
      ).seq;
      return late === null ? lastKept() : late - 1;
    },
    /** Groups whose last change is after `past` and up to `until`, first change first. */
    groupsBetween: (past: number, until: number, limit: number): GroupChange[] =>
      prepare('SELECT id, seq FROM group_changes WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?')
        .all(past, until, limit)
        .map((row) => changeRow.parse(row)),
    /** Ids of the objects that became or ceased to be linked to a group after `seq`. */
    linksSince: (kind: string, source: string, seq: number): string[] =>
      prepare('SELECT target FROM link_changes WHERE source = ? AND kind = ? AND seq > ? ORDER BY seq')
        .all(source, kind, seq)
        .map((row) => targetRow.parse(row).target),
  };
}
