import { odata } from '@azure/data-tables';
import type { TransactionAction } from '@azure/data-tables';

import type { AuditEntry } from '../domain/audit-chain';
import { Conflict, retryOnConflict } from './tables';
import type { NewRow, Row, Table, Tables } from './tables';
import { chain as chainEntries, CHAIN_START, entryKey, entryRow, parseEntry } from './trail';
import type { Circumstances } from './trail';

/** What is to be copied of a chain: its entries from `first` to `last`. A pointer, never authority. */
export interface CopyPointer {
  chain: string;
  first: number;
  last: number;
  /** The group and the person that the entries are about, where there is one. */
  groupId?: string;
  personId?: string;
}

export interface Uncopied {
  /** Written before the entries: a crash in between leaves a pointer too many, never one too few. */
  announce(pointer: CopyPointer): Promise<void>;
  /** At most `most`, with the time of their writing. */
  waiting(most: number): Promise<(CopyPointer & { since: Date })[]>;
  done(pointers: readonly CopyPointer[]): Promise<void>;
}

const UNCOPIED = 'uncopied';
const IN_ONE = 100;
const pointerKey = ({ chain, last }: CopyPointer): string => `${chain}_${entryKey(last)}`;

function parsePointer(row: Row): CopyPointer & { since: Date } {
  const { groupId, personId } = row;
  return {
    chain: String(row['chain']),
    first: Number(row['first']),
    last: Number(row['last']),
    ...(typeof groupId === 'string' && { groupId }),
    ...(typeof personId === 'string' && { personId }),
    since: new Date(row.timestamp ?? 0),
  };
}

/** Pointers to what the audit copy does not hold yet. */
export function uncopied(table: Table): Uncopied {
  return {
    announce: (pointer) => table.put({ partitionKey: UNCOPIED, rowKey: pointerKey(pointer), ...pointer }),
    waiting: async (most) => {
      const found: (CopyPointer & { since: Date })[] = [];
      for await (const row of table.list(odata`PartitionKey eq ${UNCOPIED}`, most)) {
        found.push(parsePointer(row));
        if (found.length >= most) break;
      }
      return found;
    },
    done: async (pointers) => {
      const keys = pointers.map(pointerKey);
      for (let from = 0; from < keys.length; from += IN_ONE) {
        const some = keys.slice(from, from + IN_ONE);
        try {
          await table.transact(some.map((rowKey): TransactionAction => ['delete', { partitionKey: UNCOPIED, rowKey }]));
        } catch (error) {
          // one of them is gone already
          if (!(error instanceof Conflict)) throw error;
          await Promise.all(some.map((rowKey) => table.delete(UNCOPIED, rowKey)));
        }
      }
    },
  };
}

/**
 * The trails as they were written, by the name of their chain: `r_` and the id of a join request, `c_` and that of a group change, `o_`
 * and the id of a group that is cared for because it has too few owners, `g_` and a group's id, `default` or `creation`.
 */
export interface Trails {
  /** Entries `first` to `last` of the chain, those that stand. */
  read(chain: string, first: number, last: number): Promise<AuditEntry[]>;
}

/** Whether the chain is that of something that was asked for: a join request or a group change. */
export const isOfRequest = (chain: string): boolean => /^[rc]_/.test(chain);
/** Whether the chain stands in the table of requests: also that of the care for a group. */
export const isInRequests = (chain: string): boolean => /^[rco]_/.test(chain);

export function trails({ requests, policies }: Pick<Tables, 'requests' | 'policies'>): Trails {
  return {
    read: async (chain, first, last) => {
      const table = isInRequests(chain) ? requests : policies;
      const range = odata`PartitionKey eq ${chain} and RowKey ge ${entryKey(first)} and RowKey le ${entryKey(last)}`;
      const entries: AuditEntry[] = [];
      for await (const row of table.list(range)) entries.push(parseEntry(row));
      return entries;
    },
  };
}

/** The row that names the last entry of a chain that has no request: `seq`, and `head` with its hash. */
export const HEAD = 'head';

type GroupEntry = Pick<AuditEntry, 'event' | 'at' | 'by' | 'data'>;

/**
 * The trail of what is changed without a request: one chain for each group (`g_` and its id), and one each for the
 * policies that hold for all (`default`, `creation`). It stands in the partition of the group's policy, so that a policy and its entry are written together.
 */
export interface GroupTrail {
  /** What a transaction in the chain's partition must hold to write the entries with it. It fails where the chain went on meanwhile. */
  next(chain: string, entries: readonly GroupEntry[], circumstances: Circumstances): Promise<TransactionAction[]>;
  /** Entries alone, for what is changed elsewhere. */
  append(chain: string, entries: readonly GroupEntry[], circumstances: Circumstances): Promise<void>;
}

export function groupTrail(table: Table, pointers: Uncopied): GroupTrail {
  const next: GroupTrail['next'] = async (chain, entries, circumstances) => {
    const present = await table.get(chain, HEAD);
    const behind =
      present === undefined
        ? { seq: 0, head: CHAIN_START }
        : { seq: Number(present['seq']), head: String(present['head']) };
    const chained = chainEntries(chain, entries, behind, circumstances);
    const last = chained.at(-1);
    if (last === undefined) return [];
    await pointers.announce({
      chain,
      first: behind.seq + 1,
      last: last.seq,
      ...(chain.startsWith('g_') && { groupId: chain.slice(2) }),
    });
    const head: NewRow = { partitionKey: chain, rowKey: HEAD, seq: last.seq, head: last.hash };
    return [
      present === undefined ? ['create', head] : ['update', head, 'Replace', { etag: present.etag }],
      ...chained.map((entry): TransactionAction => ['create', entryRow(chain, entry)]),
    ];
  };
  return {
    next,
    append: (chain, entries, circumstances) =>
      retryOnConflict(async () => {
        const actions = await next(chain, entries, circumstances);
        if (actions.length > 0) await table.transact(actions);
      }),
  };
}
