import { odata } from '@azure/data-tables';
import type { TransactionAction } from '@azure/data-tables';

import { dayOf, nextDay, sealOf } from '../domain/audit-chain';
import type { AuditEntry, Head, Seal } from '../domain/audit-chain';
import { Conflict } from '../records/tables';
import type { NewRow, Row, Table } from '../records/tables';
import { CHAIN_START, digest, entryKey, entryRow, parseEntry } from '../records/trail';

/** The table's name in the second account. */
export const AUDIT_TABLE = 'audit';

/** An entry with what it is about, as the copy holds it. */
export interface Copied {
  chain: string;
  groupId?: string;
  personId?: string;
  entry: AuditEntry;
}

/** A copied entry and the day that its seal is of. */
export interface Listed extends Copied {
  day: string;
}

/**
 * The copy of all trails in an account of its own, where rows are only added. Each entry stands twice: in the partition of its chain,
 * as it was written, and in that of the day on which it was copied, in order of time, for the seal of that day and for those who search.
 */
export interface AuditCopy {
  /** Adds entries to their chain. What stands there already stays; where it differs, `differs` is told. @returns in which day's partition each belongs. */
  add(copies: readonly Copied[], at: Date, differs: (copy: Copied) => void): Promise<Listed[]>;
  /** Adds entries to the partitions of their days. */
  list(listed: readonly Listed[]): Promise<void>;
  /** Entries of one chain, from `seq` on. */
  ofChain(chain: string, seq?: number): AsyncIterable<Copied>;
  /** Entries in a day's partition, in order of time; `where` is a filter besides. */
  ofDay(day: string, where?: string, pageSize?: number): AsyncIterable<Copied & { key: string }>;
  /** Days after `day` (both of the form `2026-11-24`) on which entries of `from` to `to` were copied more than a day late. */
  lateDays(from: string, to: string): Promise<string[]>;
  seals(): Promise<Seal[]>;
  /** The first day that has entries. */
  firstDay(): Promise<string | undefined>;
  /** Seals the day with what its partition holds. Does nothing where it is sealed. */
  seal(day: string, previousHash: string): Promise<Seal>;
}

const IN_ONE = 100;
export const SEALS = 'seal';
export const LATE = 'late';
export const DAYS = 'day_';
export const dayPartition = (day: string): string => `${DAYS}${day}`;

/** A day is sealed half an hour after its end; from ten minutes after its end on nothing is added to it. */
const OPEN_AFTER_MS = 10 * 60_000;
export const SEALED_AFTER_MS = 30 * 60_000;
const endOf = (day: string): number => Date.parse(`${nextDay(day)}T00:00:00Z`);
export const isSealable = (day: string, at: Date): boolean => at.getTime() >= endOf(day) + SEALED_AFTER_MS;
const isOpenDay = (day: string, at: Date): boolean => at.getTime() < endOf(day) + OPEN_AFTER_MS;

/** Keys of a day's partition are in order of time. */
export const dayKey = ({ chain, entry }: Copied): string => `${entry.at}_${chain}_${entryKey(entry.seq)}`;

const subject = ({ groupId, personId }: Copied): Record<string, string> => ({
  ...(groupId !== undefined && { groupId }),
  ...(personId !== undefined && { personId }),
});

const chainRow = (copy: Copied, day: string): NewRow => ({
  ...entryRow(copy.chain, copy.entry),
  ...subject(copy),
  day,
});

const dayRow = ({ day, ...copy }: Listed): NewRow => ({
  ...entryRow(copy.chain, copy.entry),
  ...subject(copy),
  partitionKey: dayPartition(day),
  rowKey: dayKey(copy),
  chain: copy.chain,
  seq: copy.entry.seq,
});

export function parseCopy(row: Row, chain: string, seq?: number): Copied {
  const { groupId, personId } = row;
  return {
    chain,
    ...(typeof groupId === 'string' && { groupId }),
    ...(typeof personId === 'string' && { personId }),
    entry: parseEntry(row, seq),
  };
}

export const parseDayRow = (row: Row): Copied & { key: string } => ({
  ...parseCopy(row, String(row['chain']), Number(row['seq'])),
  key: row.rowKey ?? '',
});

export const parseSeal = (row: Row): Seal => ({
  day: row.rowKey ?? '',
  chains: Number(row['chains']),
  root: String(row['root']),
  previousHash: String(row['previousHash']),
  hash: String(row['hash']),
});

export function auditCopy(table: Table): AuditCopy {
  /** Adds rows of one partition together; where one of them stands already each on its own. @returns the keys that stood already. */
  const insert = async (rows: readonly NewRow[]): Promise<Set<string>> => {
    const stood = new Set<string>();
    for (let from = 0; from < rows.length; from += IN_ONE) {
      const some = rows.slice(from, from + IN_ONE);
      try {
        await table.transact(some.map((row): TransactionAction => ['create', row]));
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        for (const row of some) {
          try {
            await table.create(row);
          } catch (failure) {
            if (!(failure instanceof Conflict)) throw failure;
            stood.add(row.rowKey);
          }
        }
      }
    }
    return stood;
  };

  /** Where an entry belongs that was copied before: to its day while that is open, or to which it was added; else to today. */
  const dayOfRepeat = async (copy: Copied, row: Row, at: Date): Promise<string | undefined> => {
    const day = String(row['day']);
    if (isOpenDay(day, at)) return day;
    return (await table.get(dayPartition(day), dayKey(copy))) === undefined ? dayOf(at) : undefined;
  };

  const ofDay: AuditCopy['ofDay'] = async function* (day, where, pageSize) {
    const partition = odata`PartitionKey eq ${dayPartition(day)}`;
    const filter = where === undefined ? partition : `${partition} and ${where}`;
    for await (const row of table.list(filter, pageSize)) yield parseDayRow(row);
  };

  return {
    add: async (copies, at, differs) => {
      const stood = await insert(copies.map((copy) => chainRow(copy, dayOf(at))));
      const listed: Listed[] = [];
      for (const copy of copies) {
        const key = entryKey(copy.entry.seq);
        const row = stood.has(key) ? await table.get(copy.chain, key) : undefined;
        if (row !== undefined && row['hash'] !== copy.entry.hash) {
          differs(copy);
          continue;
        }
        const day = row === undefined ? dayOf(at) : await dayOfRepeat(copy, row, at);
        if (day !== undefined) listed.push({ ...copy, day });
      }
      return listed;
    },
    list: async (listed) => {
      for (const [day, some] of Map.groupBy(listed, (each) => each.day)) {
        await insert(some.map(dayRow));
        const late = new Set(some.map(({ entry }) => entry.at.slice(0, 10)).filter((of) => nextDay(of) < day));
        await insert([...late].map((of) => ({ partitionKey: LATE, rowKey: `${of}_${day}` })));
      }
    },
    ofChain: async function* (chain, seq = 1) {
      for await (const row of table.list(odata`PartitionKey eq ${chain} and RowKey ge ${entryKey(seq)}`))
        yield parseCopy(row, chain);
    },
    ofDay,
    lateDays: async (from, to) => {
      const days = new Set<string>();
      const range = odata`PartitionKey eq ${LATE} and RowKey ge ${from} and RowKey lt ${nextDay(to)}`;
      for await (const { rowKey = '' } of table.list(range)) days.add(rowKey.slice(11));
      return [...days].sort();
    },
    seals: async () => {
      const seals: Seal[] = [];
      for await (const row of table.list(odata`PartitionKey eq ${SEALS}`)) seals.push(parseSeal(row));
      return seals;
    },
    firstDay: async () => {
      for await (const row of table.list(odata`PartitionKey ge ${DAYS} and PartitionKey lt ${'day`'}`, 1))
        return (row.partitionKey ?? '').slice(DAYS.length);
      return undefined;
    },
    seal: async (day, previousHash) => {
      const links: Head[] = [];
      for await (const { chain, entry } of ofDay(day)) links.push({ chain, seq: entry.seq, hash: entry.hash });
      const seal = sealOf(day, links, previousHash, digest);
      const { day: _day, ...content } = seal;
      try {
        await table.create({ partitionKey: SEALS, rowKey: day, ...content });
        return seal;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const present = await table.get(SEALS, day);
        return present === undefined ? seal : parseSeal(present);
      }
    },
  };
}

export const SEAL_START = CHAIN_START;
