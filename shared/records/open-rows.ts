import { odata } from '@azure/data-tables';

import type { Brief } from './brief';
import type { Row, Table } from './tables';

const PARTITION = 'open';

/** The key time of what waits for operations only: listed, never due. */
export const NEVER_DUE = '9999-12-31T23:59:59.999Z';

/**
 * A join request's next step, what a grant has due, the next step of a group change, of a group's life (whose id is the group's), or of the
 * care for a group without enough owners.
 */
const KINDS = ['join', 'grant', 'change', 'life', 'care'] as const;
export type OpenKind = (typeof KINDS)[number];

/** What an open row points to: it names the workflow that has something due then. A pointer, never authority. */
export interface OpenRow {
  due: string;
  kind: OpenKind;
  requestId: string;
  /** What lists show of the request, as it was when it became due then. */
  brief?: Brief;
}

export interface OpenRows {
  put(row: OpenRow): Promise<void>;
  /** Those of them that are not there. */
  lost(rows: readonly OpenRow[]): Promise<OpenRow[]>;
  delete(row: OpenRow): Promise<void>;
  /** Rows due before `before`, earliest first, behind the key `after`. */
  due(before: Date, after?: string): AsyncIterable<OpenRow>;
  /** One page in order of due time, behind the key `after`; `next` is the key to go on from. */
  page(size: number, after: string): Promise<{ rows: OpenRow[]; next?: string }>;
  /** At most `most` rows that are due from `from` on, and before `to`; without `to` all others. */
  between(from: Date | typeof NEVER_DUE, to: Date | undefined, most: number): Promise<OpenRow[]>;
}

/** A pointer that names nothing, or an older state, is removed when it is due for so long: until then its writer may be between two writes. */
const STALE_MS = 600_000;

/** Whether a pointer behind which nothing stands is one that its writer left, and not one that comes before what it points to. */
export const isAbandoned = ({ due }: OpenRow, at: Date): boolean => at.getTime() - new Date(due).getTime() >= STALE_MS;

export const sameRow = (one: OpenRow, other: OpenRow): boolean => rowKey(one) === rowKey(other);

export const rowKey = ({ due, kind, requestId }: OpenRow): string => `${due}_${kind}_${requestId}`;

function parse({ rowKey: key = '', brief }: Row): OpenRow {
  const [due = '', kind = '', requestId = ''] = key.split('_');
  return {
    due,
    kind: KINDS.find((each) => each === kind) ?? 'join',
    requestId,
    ...(typeof brief === 'string' && { brief: JSON.parse(brief) as Brief }),
  };
}

/** Open rows have their due time first in the key, so that the sweeper reads only what is due, however many sleep. */
export function openRows(table: Table): OpenRows {
  const range = async function* (filter: string, pageSize?: number): AsyncIterable<OpenRow> {
    for await (const row of table.list(filter, pageSize)) yield parse(row);
  };
  return {
    put: ({ brief, ...row }) =>
      table.put({
        partitionKey: PARTITION,
        rowKey: rowKey(row),
        ...(brief !== undefined && { brief: JSON.stringify(brief) }),
      }),
    lost: async (rows) => {
      const there = await Promise.all(rows.map((row) => table.get(PARTITION, rowKey(row))));
      return rows.filter((_, index) => there[index] === undefined);
    },
    delete: (row) => table.delete(PARTITION, rowKey(row)),
    due: (before, after = '') =>
      range(odata`PartitionKey eq ${PARTITION} and RowKey lt ${before.toISOString()} and RowKey gt ${after}`),
    page: async (size, after) => {
      const rows: OpenRow[] = [];
      for await (const row of range(odata`PartitionKey eq ${PARTITION} and RowKey gt ${after}`, size + 1)) {
        if (rows.length === size) return { rows, next: rowKey(rows.at(-1) ?? row) };
        rows.push(row);
      }
      return { rows };
    },
    between: async (from, to, most) => {
      const partition = odata`PartitionKey eq ${PARTITION}`;
      const start = odata`RowKey ge ${from instanceof Date ? from.toISOString() : from}`;
      const rows: OpenRow[] = [];
      const end = to === undefined ? [] : [odata`RowKey lt ${to.toISOString()}`];
      // what keeps most rows out stands first
      const filter = [...end, start, partition].join(' and ');
      for await (const row of range(filter, Math.min(most, 1_000))) {
        rows.push(row);
        if (rows.length === most) break;
      }
      return rows;
    },
  };
}

/**
 * Writes what has something due, and moves its pointers. The new ones stand before the state that needs them, the old ones go after: a crash
 * in between leaves one too many, which the sweeper removes, never one too few. One that it may have taken for abandoned, because the write
 * took so long, is put again.
 * @param beside what is written with the new pointers, and with the old ones taken away
 */
export async function movePointers<Result>(
  open: OpenRows,
  { before, after }: { before: readonly OpenRow[]; after: readonly OpenRow[] },
  write: () => Promise<Result>,
  beside: { before?: () => Promise<unknown>; after?: () => Promise<unknown> | undefined } = {},
): Promise<Result> {
  const fresh = after.filter((row) => !before.some((other) => sameRow(row, other)));
  const stale = before.filter((row) => !after.some((other) => sameRow(row, other)));
  await Promise.all([...fresh.map((row) => open.put(row)), beside.before?.()]);
  const written = await write();
  // the clocks of two instances may differ by half of that
  const swept = fresh.filter((row) => isAbandoned(row, new Date(Date.now() + STALE_MS / 2)));
  await Promise.all(swept.map((row) => open.put(row)));
  // one that stays is removed by the sweeper: what was written stands
  await Promise.allSettled([...stale.map((row) => open.delete(row)), beside.after?.()]);
  return written;
}
