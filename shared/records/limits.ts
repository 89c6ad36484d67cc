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

  /** By row, the calls of this instance that are being counted for all that they are counted for at once. */
  const going = new Map<string, number>();
  const together = async <Result>(keys: readonly string[], count: () => Promise<Result>): Promise<Result> => {
    for (const key of keys) going.set(key, (going.get(key) ?? 0) + 1);
    try {
      return await count();
    } finally {
      for (const key of keys) {
        const left = (going.get(key) ?? 0) - 1;
        if (left > 0) going.set(key, left);
        else going.delete(key);
      }
    }
  };
  /** As it was last seen, with what this instance is about to add. */
  const usedOf = (key: string, hour: string): number => {
    const counter = seen.get(key);
    return (counter?.hour === hour ? counter.used : 0) + (going.get(key) ?? 0);
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
      const rowKey = (n: number): string => `n_${String(n)}`;
      const each = counted.map(({ kind, id }) => {
        const [rows, partition] = [ROWS[kind], `${kind}_${id}`];
        const first = randomInt(rows);
        const share = Math.ceil(most[kind] / rows);
        return { partition, rows, first, share, key: keyOf(partition, rowKey(first)) };
      });
      try {
        await Promise.all(each.map(({ partition, first }) => look(partition, rowKey(first))));
        const isFarFromFull = each.every(({ key, share }) => usedOf(key, hour) < share / 2);
        const hasRoom = async ({ partition, rows, first, share }: (typeof each)[number]): Promise<boolean> => {
          // a row that is full sends the call on to the next one: only when all are, the limit is reached
          for (let n = 0; n < rows; n += 1)
            if (await taken(partition, rowKey((first + n) % rows), hour, share)) return true;
          return false;
        };
        const wait = start + HOUR - at.getTime();
        // where none of them is near its limit, none will stop the call, and they are counted at once
        if (isFarFromFull) {
          const rooms = await together(
            each.map(({ key }) => key),
            () => Promise.all(each.map(hasRoom)),
          );
          return rooms.every(Boolean) ? 0 : wait;
        }
        for (const counter of each) if (!(await hasRoom(counter))) return wait;
        return 0;
      } catch (error) {
        if (error instanceof Conflict) return 0;
        throw error;
      }
    },
  };
}
