import { randomUUID } from 'node:crypto';

import type { TransactionAction } from '@azure/data-tables';

import { recordsIn } from '../../shared/records/records';
import type { Records } from '../../shared/records/records';
import { Conflict, tablesOf } from '../../shared/records/tables';
import type { NewRow, Row, Table, Tables } from '../../shared/records/tables';

/**
 * Table Storage in memory, as far as `Table` uses it: keys in order, whole rows, ETags, transactions of one partition. What it does is held
 * against Azurite, call by call, by `test/workflow/tables.test.ts`.
 */
export interface MemoryTable extends Table {
  /** All rows as they stand, in the order of their keys. */
  rows(): Row[];
}

const MOST_IN_ONE = 100;

/** Records in tables of memory; `change` gives those that are otherwise. */
export function memoryRecords(change: (tables: Tables) => Partial<Tables> = () => ({})): Records {
  const tables = tablesOf(() => memoryTable());
  const allowed = { mails: { perMinute: 10, perHour: 100 }, calls: { app: 10, person: 10, group: 10 } };
  return recordsIn({ ...tables, ...change(tables) }, allowed);
}

export function memoryTable(): MemoryTable {
  const partitions = new Map<string, Map<string, Row>>();

  const find = (partitionKey: string, rowKey: string): Row | undefined => partitions.get(partitionKey)?.get(rowKey);
  const put = ({ partitionKey, rowKey, ...rest }: NewRow): string => {
    const etag = `W/"${randomUUID()}"`;
    const properties = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const rows = partitions.get(partitionKey) ?? new Map<string, Row>();
    rows.set(rowKey, { ...properties, partitionKey, rowKey, etag, timestamp: new Date().toISOString() });
    partitions.set(partitionKey, rows);
    return etag;
  };
  const remove = (partitionKey: string, rowKey: string): void => {
    const rows = partitions.get(partitionKey);
    rows?.delete(rowKey);
    if (rows?.size === 0) partitions.delete(partitionKey);
  };
  const mustMatch = (row: Row | undefined, etag: string | undefined): void => {
    if (row === undefined) throw new Conflict('the row is gone');
    if (etag !== undefined && etag !== '*' && row.etag !== etag) throw new Conflict('the row was changed');
  };
  const copy = (row: Row): Row => ({ ...row });

  const inOrder = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
    [...map].sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const rows = (): Row[] =>
    inOrder(partitions).flatMap(([, partition]) => inOrder(partition).map(([, row]) => copy(row)));
  const chosen = (filter: string): Row[] => {
    const wanted = parseFilter(filter);
    const one = /^PartitionKey eq '((?:[^']|'')*)'/.exec(filter)?.[1]?.replaceAll("''", "'");
    if (one === undefined) return rows().filter(wanted);
    return inOrder(partitions.get(one) ?? new Map<string, Row>())
      .map(([, row]) => copy(row))
      .filter(wanted);
  };

  /** What one action of a transaction does, checked before any of them is done. */
  const check = (action: TransactionAction): (() => [string, string] | undefined) => {
    const row = action[1] as NewRow;
    const present = find(row.partitionKey, row.rowKey);
    switch (action[0]) {
      case 'create':
        if (present !== undefined) throw new Conflict('the row exists');
        return () => [row.rowKey, put(row)];
      case 'update':
        if (action[2] !== 'Replace') throw new Error('rows are replaced whole');
        mustMatch(present, action[3]?.etag);
        // Azurite's answer to a row that is replaced has no ETag
        return () => void put(row);
      case 'upsert':
        if (action[2] !== 'Replace') throw new Error('rows are replaced whole');
        return () => void put(row);
      case 'delete':
        mustMatch(present, undefined);
        return () => void remove(row.partitionKey, row.rowKey);
    }
  };

  return {
    rows,
    get: (partitionKey, rowKey) => {
      const row = find(partitionKey, rowKey);
      return Promise.resolve(row && copy(row));
    },
    create: (row) =>
      find(row.partitionKey, row.rowKey) === undefined
        ? Promise.resolve(put(row))
        : Promise.reject(new Conflict('the row exists')),
    put: (row) => {
      put(row);
      return Promise.resolve();
    },
    replace: async (row, etag) => {
      mustMatch(find(row.partitionKey, row.rowKey), etag);
      return Promise.resolve(put(row));
    },
    delete: (partitionKey, rowKey, etag) => {
      const row = find(partitionKey, rowKey);
      if (row !== undefined && (etag === undefined || row.etag === etag)) remove(partitionKey, rowKey);
      return Promise.resolve();
    },
    transact: async (actions) => {
      const keys = new Set(actions.map(([, row]) => (row as NewRow).rowKey));
      const names = new Set(actions.map(([, row]) => (row as NewRow).partitionKey));
      if (keys.size !== actions.length || names.size > 1 || actions.length > MOST_IN_ONE)
        throw new Error('a transaction holds at most 100 rows of one partition, each once');
      const etags = new Map(
        actions
          .map(check)
          .map((act) => act())
          .filter((each) => each !== undefined),
      );
      return Promise.resolve((rowKey: string) => etags.get(rowKey));
    },
    list: async function* (filter) {
      await Promise.resolve();
      yield* chosen(filter);
    },
  };
}

type Predicate = (row: Row) => boolean;

const COMPARE: Record<string, (one: string, other: string) => boolean> = {
  eq: (one, other) => one === other,
  ne: (one, other) => one !== other,
  lt: (one, other) => one < other,
  le: (one, other) => one <= other,
  gt: (one, other) => one > other,
  ge: (one, other) => one >= other,
};

/** Comparisons of properties with texts, joined by `and`, `or` and brackets: all that is asked of the service here. */
export function parseFilter(filter: string): Predicate {
  const tokens = filter.match(/'(?:[^']|'')*'|[()]|[A-Za-z]\w*/g) ?? [];
  let at = 0;
  const next = (): string => tokens[at++] ?? '';
  const comparison = (): Predicate => {
    const first = next();
    if (first === '(') {
      const inner = either();
      if (next() !== ')') throw new Error(`a bracket is open in ${filter}`);
      return inner;
    }
    const compare = COMPARE[next()];
    const text = /^'((?:[^']|'')*)'$/.exec(next())?.[1]?.replaceAll("''", "'");
    if (compare === undefined || text === undefined) throw new Error(`not understood: ${filter}`);
    const name = first === 'PartitionKey' ? 'partitionKey' : first === 'RowKey' ? 'rowKey' : first;
    return (row) => typeof row[name] === 'string' && compare(row[name], text);
  };
  const both = (): Predicate => {
    const parts = [comparison()];
    for (; tokens[at] === 'and';) {
      at += 1;
      parts.push(comparison());
    }
    return (row) => parts.every((part) => part(row));
  };
  const either = (): Predicate => {
    const parts = [both()];
    for (; tokens[at] === 'or';) {
      at += 1;
      parts.push(both());
    }
    return (row) => parts.some((part) => part(row));
  };
  const whole = either();
  if (at !== tokens.length) throw new Error(`not understood: ${filter}`);
  return whole;
}
