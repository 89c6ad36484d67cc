import { randomInt } from 'node:crypto';

import { Conflict, retryOnConflict } from './tables';
import type { Table } from './tables';

/** What is counted: calls of an app, of a person, or about a group. */
export interface Counted {
  kind: 'app' | 'person' | 'group';
  id: string;
}

export interface CallLimits {
  app: number;
  person: number;
  group: number;
}

export interface Limits {
  /**
   * Counts one call for each of these in turn, in the present hour, until one of them has had too many: those behind it are left alone.
   * All instances of the app share the counters.
   * @returns 0 where the call may go on, else the milliseconds until the hour is over.
   */
  count(counted: readonly Counted[], at: Date): Promise<number>;
}

const HOUR = 3_600_000;
/** Calls of one app come many at a time: its counter is kept in so many rows, each with its part of the limit. */
const ROWS = { app: 8, person: 1, group: 1 } as const;
/** So many counters an instance remembers as it last saw them. */
const REMEMBERED = 5_000;

interface Counter {
  hour: string;
  used: number;
  /** Absent where there is no row yet. */
  etag?: string;
}

/**
 * A counter for each hour, changed under its ETag. An instance writes upon what it last saw of it, and reads only what it has not seen,
 * or what another instance changed. Where too many change it at once, the call goes on uncounted: that is no flood yet.
 */
export function limits(table: Table, most: CallLimits): Limits {
  const seen = new Map<string, Counter>();
  const remember = (key: string, counter: Counter): Counter => {
    seen.delete(key);
    seen.set(key, counter);
    for (const oldest of seen.keys()) {
      if (seen.size <= REMEMBERED) break;
      seen.delete(oldest);
    }
    return counter;
  };
  /** What this instance writes of each counter comes in turn: its own calls never stand in each other's way. */
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = async <Result>(key: string, work: () => Promise<Result>): Promise<Result> => {
    const mine = (turns.get(key) ?? Promise.resolve()).then(work, work);
    turns.set(key, mine);
    try {
      return await mine;
    } finally {
      if (turns.get(key) === mine) turns.delete(key);
    }
  };
  const keyOf = (partitionKey: string, rowKey: string): string => `${partitionKey}/${rowKey}`;

  const look = async (partitionKey: string, rowKey: string): Promise<Counter> => {
    const key = keyOf(partitionKey, rowKey);
    const known = seen.get(key);
    if (known !== undefined) return known;
    const row = await table.get(partitionKey, rowKey);
    return remember(
      key,
      row === undefined
        ? { hour: '', used: 0 }
        : { hour: String(row['hour']), used: Number(row['used']), etag: row.etag },
    );
  };

  /** @returns whether this row had room for one more call. */
  const taken = (partitionKey: string, rowKey: string, hour: string, share: number): Promise<boolean> =>
    inTurn(keyOf(partitionKey, rowKey), () => takenNow(partitionKey, rowKey, hour, share));
  const takenNow = (partitionKey: string, rowKey: string, hour: string, share: number): Promise<boolean> =>
    retryOnConflict(async () => {
      const before = await look(partitionKey, rowKey);
      const used = before.hour === hour ? before.used : 0;
      // it only grows within the hour: what was full when last seen is full
      if (used >= share) return false;
      const next = { partitionKey, rowKey, hour, used: used + 1 };
      try {
        const etag = await (before.etag === undefined ? table.create(next) : table.replace(next, before.etag));
        remember(keyOf(partitionKey, rowKey), { hour, used: used + 1, etag });
        return true;
      } catch (error) {
        // whatever became of it, what was seen may no longer be so
        seen.delete(keyOf(partitionKey, rowKey));
        throw error;
      }
    });

  return {
    count: async (counted, at) => {
      const start = Math.floor(at.getTime() / HOUR) * HOUR;
      const hour = new Date(start).toISOString();
      const each = counted.map(({ kind, id }) => ({ kind, partition: `${kind}_${id}`, first: randomInt(ROWS[kind]) }));
      const rowKey = (n: number, rows: number): string => `n_${String(n % rows)}`;
      try {
        await Promise.all(each.map(({ kind, partition, first }) => look(partition, rowKey(first, ROWS[kind]))));
        for (const { kind, partition, first } of each) {
          const rows = ROWS[kind];
          const share = Math.ceil(most[kind] / rows);
          let room = false;
          // a row that is full sends the call on to the next one: only when all are, the limit is reached
          for (let n = 0; n < rows && !room; n += 1)
            room = await taken(partition, rowKey(first + n, rows), hour, share);
          if (!room) return start + HOUR - at.getTime();
        }
        return 0;
      } catch (error) {
        if (error instanceof Conflict) return 0;
        throw error;
      }
    },
  };
}
