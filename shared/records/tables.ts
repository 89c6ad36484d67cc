import { RestError, TableClient } from '@azure/data-tables';
import type { TableEntityResult, TransactionAction } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';

import { CALL_TIMEOUT_MS, requestTimeout } from '../request-timeout';

const NAMES = [
  'requests',
  'open',
  'claims',
  'links',
  'memberships',
  'policies',
  'mails',
  'desks',
  'quota',
  'limits',
  'uncopied',
  'openbyage',
  'bysubject',
  'operations',
] as const;
export type TableName = (typeof NAMES)[number];

/** A row that must not exist yet does, or a row was changed since it was read. */
export class Conflict extends Error {
  override name = 'Conflict';
}

export type Row = TableEntityResult<Record<string, unknown>>;

/** One table, with the few calls that the records need. Rows are replaced whole, never merged, and always under their ETag. */
export interface Table {
  get(partitionKey: string, rowKey: string): Promise<Row | undefined>;
  /** @throws {Conflict} where the row exists. */
  create(row: NewRow): Promise<string>;
  /** For rows that always hold the same under the same key. */
  put(row: NewRow): Promise<void>;
  /** @throws {Conflict} where the row is gone or was changed since `etag`. */
  replace(row: NewRow, etag: string): Promise<string>;
  /** Does nothing where the row is gone, or was changed since `etag`. */
  delete(partitionKey: string, rowKey: string, etag?: string): Promise<void>;
  /** All or nothing, within one partition. @throws {Conflict} where a row exists, is gone or was changed. */
  transact(actions: TransactionAction[]): Promise<EtagOf>;
  /** Rows of a key range, in key order. */
  list(filter: string, pageSize?: number): AsyncIterable<Row>;
}
/** ETag that a row of a transaction now has. */
export type EtagOf = (rowKey: string) => string | undefined;
/** No row has it. */
const SUPERSEDED = `W/"datetime'1601-01-01T00%3A00%3A00.0000000Z'"`;

/**
 * The ETag of a row that was written, as it is read after it; one that fits no row where somebody wrote another since: nothing may be
 * written upon that by whoever has not seen it.
 */
export const etagIfStill = (written: NewRow, row: Row): string =>
  Object.entries(written).every(([name, value]) => value === undefined || row[name] === value) ? row.etag : SUPERSEDED;

export type NewRow = { partitionKey: string; rowKey: string } & Record<string, string | number | boolean | undefined>;

/** Repeats what lost a race: `attempt` reads again, decides again, writes again. */
export async function retryOnConflict<T>(attempt: () => Promise<T>, attempts = 8): Promise<T> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Conflict) || left <= 1) throw error;
    }
  }
}

const status = (error: unknown): number | undefined => (error instanceof RestError ? error.statusCode : undefined);

/** A batch tells it in words only, any other call by its code. */
const isTableMissing = (error: unknown): boolean =>
  status(error) === 404 && /TableNotFound|table specified does not exist/i.test(String(error));

async function conflicts<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = status(error);
    // 404 is a row that is gone, or a table that was never made: only the first is a conflict
    if (code === 409 || code === 412 || (code === 404 && !isTableMissing(error))) throw new Conflict(String(error));
    throw error;
  }
}

export type Tables = Record<TableName, Table>;

/** Every table, as `table` gives it. */
export const tablesOf = (table: (name: TableName) => Table): Tables =>
  Object.fromEntries(NAMES.map((name) => [name, table(name)])) as Tables;

/** All tables of the account. Each is made on first use where it is missing. */
export function connectTables(endpoint: string, credential: TokenCredential, timeoutMs = CALL_TIMEOUT_MS): Tables {
  return tablesOf((name) => connectTable(endpoint, credential, name, timeoutMs));
}

/** One table, made on first use where it is missing. */
export function connectTable(
  endpoint: string,
  credential: TokenCredential,
  name: string,
  timeoutMs = CALL_TIMEOUT_MS,
): Table {
  const client = new TableClient(endpoint, name, credential, {
    additionalPolicies: requestTimeout(timeoutMs),
    retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 },
  });
  let made: Promise<void> | undefined;
  /** Repeats the call once the table exists; a table is missing only the first time anything runs. */
  const withTable = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!isTableMissing(error)) throw error;
      made ??= client.createTable().catch((failure: unknown) => {
        made = undefined;
        throw failure;
      });
      await made;
      return work();
    }
  };

  return {
    get: (partitionKey, rowKey) =>
      withTable(async () => {
        try {
          return await client.getEntity(partitionKey, rowKey);
        } catch (error) {
          if (status(error) === 404 && !isTableMissing(error)) return undefined;
          throw error;
        }
      }),
    create: async (row) => (await withTable(() => conflicts(client.createEntity(row)))).etag ?? '',
    put: async (row) => {
      await withTable(() => client.upsertEntity(row, 'Replace'));
    },
    replace: async (row, etag) =>
      (await withTable(() => conflicts(client.updateEntity(row, 'Replace', { etag })))).etag ?? '',
    delete: async (partitionKey, rowKey, etag) => {
      try {
        await client.deleteEntity(partitionKey, rowKey, { etag: etag ?? '*' });
      } catch (error) {
        if (status(error) !== 404 && status(error) !== 412) throw error;
      }
    },
    transact: async (actions) => {
      const answer = await withTable(() => conflicts(client.submitTransaction(actions)));
      return (rowKey) => answer.getResponseForEntity(rowKey)?.etag;
    },
    list: async function* (filter, pageSize = 1_000) {
      const pages = (): AsyncIterable<Row[]> =>
        client.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: pageSize });
      let seen = false;
      try {
        for await (const page of pages()) {
          seen = true;
          yield* page;
        }
      } catch (error) {
        if (seen || status(error) !== 404) throw error;
      }
    },
  };
}
