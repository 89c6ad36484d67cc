import { odata } from '@azure/data-tables';

import type { Table } from './tables';

/** What the app notes about its own running, for operations to see. Each note has one writer, or the latest one stands. */
export interface Notes {
  /** The sweeper's latest run. */
  sweeper?: {
    at: string;
    tookMs: number;
    overdue: number;
    grants: number;
    lives?: number;
    /** Absent in a note from before there was such care. */
    cared?: number;
    started: number;
    woken: number;
    removed: number;
    failed: number;
    /** Where the next run goes on, because more was due than one takes on. */
    next?: string;
    /** Repairs (started, woken, removed, failed) by hour, of the last day. */
    repairs: Record<string, number>;
  };
  /** The open requests, as last counted. */
  open?: OpenCount;
  /** When Microsoft Graph last answered 429, and for how long it asked to wait. */
  throttled?: { at: string; retryAfterMs?: number };
  /** The latest walk of the reconcile that came to its end. */
  reconcile?: Reconciled;
  /** The walk that is under way, or was the latest: where it goes on. */
  reconciling?: Walk;
  /** Since when the end of a first walk is waited for. */
  reconcileAwaited?: { since: string };
  /** How far the histories of finished workflows were purged. */
  purge?: { at: string; until: string; done: boolean; purged: number };
}

export interface OpenCount {
  at: string;
  /** All that are open: as of `countedAt`, because many are counted over several runs. Absent until they were counted once. */
  open?: number;
  countedAt?: string;
  /** Approved, and not applied yet. */
  approved: number;
  failed: number;
  /** Due for more than a minute. */
  overdue: number;
  waitingForMail: number;
  waitingForDirectory: number;
  /** When the oldest was filed. */
  oldestFiledAt?: string;
  /** So many were looked at that there may be more than these numbers say. */
  atLeast: boolean;
  /** Where the count goes on, and what it has found. */
  cursor: string;
  soFar: number;
}

/** What a walk of the reconcile found and did. */
export interface Found {
  /** What was looked at. */
  requests: number;
  changes: number;
  memberships: number;
  /** Of groups that were created here. */
  lives: number;
  /** Groups that are opted in by a policy of their own. */
  groups: number;
  /** Those of them with one owner who can decide, and with none. */
  oneOwner: number;
  noOwner: number;
  /** Those of them for which nobody can be asked any more. */
  nobodyLeft: number;
  /** Open rows that were put back. */
  openRows: number;
  /** Requests that were put back onto lists. */
  lists: number;
  /** Claims of open requests that were put back. */
  claims: number;
  /** Requests whose next step was made due at once. */
  madeDue: number;
  /** Requests and group changes of which a step, or the end of a membership, is late by more than an hour. */
  late: number;
  /** Memberships of people whose account is disabled or gone. */
  inactive: number;
  /** Grants that are over, stand in a membership row, and have no request that would end them. */
  stranded: number;
  /** What could not be read, looked at or mended. */
  failed: number;
  /** Rows for which the directory was not asked, because it did not answer. */
  unasked: number;
  /** The first of what was only found. */
  first: {
    /** Ids of requests and of group changes. */
    late: string[];
    inactive: { groupId: string; personId: string; why: 'disabled' | 'gone' }[];
    stranded: { groupId: string; personId: string; requestId: string }[];
    nobodyLeft: { groupId: string; rule: string }[];
    /** Ids, or group and person with a slash between. */
    failed: string[];
  };
}

/** What a walk goes through, in this order. */
export type WalkPart = 'requests' | 'changes' | 'memberships' | 'lives' | 'groups';

export interface Walk {
  startedAt: string;
  /** Absent while it is under way. */
  endedAt?: string;
  part: WalkPart;
  /** The key behind which it goes on. */
  after: string;
  /** The directory did not answer for too long: it is not asked any more in this walk. */
  withoutDirectory?: true;
  found: Found;
}

export interface Reconciled {
  startedAt: string;
  endedAt: string;
  found: Found;
}

export interface OperationsNotes {
  /** All notes, in one read. */
  read(): Promise<Notes>;
  /** One note, with what a change of it must know. */
  one<Name extends keyof Notes>(name: Name): Promise<{ note: NonNullable<Notes[Name]>; etag: string } | undefined>;
  /** For a note that several may write. `etag`: absent where there was none. @throws {Conflict} where somebody else wrote meanwhile */
  replace<Name extends keyof Notes>(
    name: Name,
    note: NonNullable<Notes[Name]>,
    etag: string | undefined,
  ): Promise<void>;
  write<Name extends keyof Notes>(name: Name, note: NonNullable<Notes[Name]>): Promise<void>;
}

const PARTITION = 'notes';

export function operationsNotes(table: Table): OperationsNotes {
  return {
    read: async () => {
      const notes: Record<string, unknown> = {};
      for await (const row of table.list(odata`PartitionKey eq ${PARTITION}`))
        notes[row.rowKey ?? ''] = JSON.parse(String(row['note']));
      // the rows are our own: the shape is trusted
      return notes;
    },
    one: async <Name extends keyof Notes>(name: Name) => {
      const row = await table.get(PARTITION, name);
      return row && { note: JSON.parse(String(row['note'])) as NonNullable<Notes[Name]>, etag: row.etag };
    },
    replace: async (name, note, etag) => {
      const row = { partitionKey: PARTITION, rowKey: name, note: JSON.stringify(note) };
      if (etag === undefined) await table.create(row);
      else await table.replace(row, etag);
    },
    write: (name, note) => table.put({ partitionKey: PARTITION, rowKey: name, note: JSON.stringify(note) }),
  };
}
