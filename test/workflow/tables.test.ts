import type { TransactionAction } from '@azure/data-tables';

import { connectTable } from '../../shared/records/tables';
import type { EtagOf, NewRow, Table } from '../../shared/records/tables';
import { memoryTable } from '../model/memory-tables';
import { startTableService } from '../model/table-service';
import type { TableService } from '../model/table-service';

/**
 * The tables in memory, on which long runs of the model-based test work, against Azurite: the same calls give the same answers, refusals
 * included. Azurite stands for Azure Table Storage here as everywhere in the local stack.
 */
let service: TableService;
let count = 0;

beforeAll(async () => {
  service = await startTableService();
});
afterAll(() => service.stop());

const azurite = (): Table => connectTable(service.endpoint, service.credential, `contract${String((count += 1))}`);

interface Told {
  ok?: unknown;
  refused?: string;
}

/** What a call gave, without what no two tables have in common: ETags, times, the wording of a refusal. */
async function told(work: () => Promise<unknown>): Promise<Told> {
  try {
    return { ok: plain(await work()) };
  } catch (error) {
    return { refused: error instanceof Error ? error.name : 'something' };
  }
}

function plain(value: unknown): unknown {
  // of a transaction: which of its rows it gives an ETag of
  if (typeof value === 'function') return KEYS.filter((key) => (value as EtagOf)(key) !== undefined);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'string') return value.startsWith('W/') ? 'etag' : value;
  if (typeof value !== 'object' || value === null) return value;
  const { etag, timestamp, 'odata.metadata': _metadata, ...rest } = value as Record<string, unknown>;
  return {
    ...rest,
    ...(etag !== undefined && { etag: 'etag' }),
    ...(timestamp !== undefined && { timestamp: 'time' }),
  };
}

const KEYS = ['a', 'b', 'c', 'd', 'e'];

const row = (rowKey: string, more: Record<string, string | number | boolean | undefined> = {}): NewRow => ({
  partitionKey: 'p',
  rowKey,
  ...more,
});

async function all(table: Table, filter: string, pageSize?: number): Promise<unknown[]> {
  const rows = [];
  for await (const each of table.list(filter, pageSize)) rows.push(each);
  return rows;
}

const create = (each: NewRow): TransactionAction => ['create', each];

const CASES: Record<string, (table: Table) => Promise<Told[]>> = {
  'a row comes back as it was written, with its types; what is undefined is not there': async (table) => [
    await told(() => table.create(row('a', { text: 'é 漢 "', number: 7, yes: true, none: undefined, part: 1.5 }))),
    await told(() => table.get('p', 'a')),
    await told(() => table.get('p', 'b')),
    await told(() => table.get('q', 'a')),
  ],
  'a row is made once': async (table) => [
    await told(() => table.create(row('a', { n: 1 }))),
    await told(() => table.create(row('a', { n: 2 }))),
    await told(() => table.get('p', 'a')),
  ],
  'put writes whatever stood there, whole': async (table) => [
    await told(() => table.put(row('a', { n: 1, old: 'x' }))),
    await told(() => table.put(row('a', { n: 2 }))),
    await told(() => table.get('p', 'a')),
  ],
  'replace is a compare-and-swap': async (table) => {
    const first = await table.create(row('a', { n: 1 }));
    const second = await table.replace(row('a', { n: 2 }), first);
    return [
      await told(() => Promise.resolve(first === second)),
      await told(() => table.replace(row('a', { n: 3 }), first)),
      await told(() => table.get('p', 'a')),
      await told(() => table.replace(row('a', { n: 4 }), second)),
      await told(() => table.replace(row('gone', { n: 4 }), second)),
      await told(() => table.get('p', 'a')),
    ];
  },
  'the ETag that is read is the one that was given': async (table) => {
    const given = await table.create(row('a'));
    const read = await table.get('p', 'a');
    return [await told(() => Promise.resolve(read?.etag === given))];
  },
  'delete leaves what was changed since, and does nothing where nothing is': async (table) => {
    const first = await table.create(row('a', { n: 1 }));
    await table.replace(row('a', { n: 2 }), first);
    return [
      await told(() => table.delete('p', 'a', first)),
      await told(() => table.get('p', 'a')),
      await told(() => table.delete('p', 'nothing')),
      await told(() => table.delete('p', 'a')),
      await told(() => table.get('p', 'a')),
    ];
  },
  'a transaction is all or nothing': async (table) => {
    const etag = await table.create(row('a', { n: 1 }));
    return [
      await told(() => table.transact([create(row('b')), create(row('a'))])),
      await told(() => table.get('p', 'b')),
      await told(() =>
        table.transact([
          create(row('b', { n: 1 })),
          ['update', row('a', { n: 2 }), 'Replace', { etag }],
          create(row('c')),
        ]),
      ),
      await told(() => all(table, "PartitionKey eq 'p'")),
      await told(() =>
        table.transact([
          create(row('d')),
          ['update', row('a', { n: 3 }), 'Replace', { etag }],
          ['upsert', row('b', { n: 9 }), 'Replace'],
        ]),
      ),
      await told(() => all(table, "PartitionKey eq 'p'")),
      await told(() =>
        table.transact([
          ['upsert', row('b', { n: 9 }), 'Replace'],
          ['upsert', row('e'), 'Replace'],
        ]),
      ),
      await told(() => table.transact([['update', row('none'), 'Replace', { etag: '*' }]])),
      await told(() => all(table, "PartitionKey eq 'p'")),
    ];
  },
  'a transaction deletes what is there': async (table) => {
    await table.create(row('a'));
    await table.create(row('b'));
    return [
      await told(() =>
        table.transact([
          ['delete', row('a')],
          ['delete', row('none')],
        ]),
      ),
      await told(() => all(table, "PartitionKey eq 'p'")),
      await told(() =>
        table.transact([
          ['delete', row('a')],
          ['delete', row('b')],
        ]),
      ),
      await told(() => all(table, "PartitionKey eq 'p'")),
    ];
  },
  'ranges come in the order of their keys, whatever the size of a page': async (table) => {
    for (const key of ['b', 'a', 'B', 'a_2', 'a_10', 'ev_000002', 'ev_000001', '~']) await table.put(row(key));
    await table.put({ partitionKey: 'o', rowKey: 'z' });
    await table.put({ partitionKey: 'q', rowKey: 'a', word: "it's" });
    const filters = [
      "PartitionKey eq 'p'",
      "PartitionKey eq 'p' and RowKey ge 'a' and RowKey lt 'b'",
      "PartitionKey eq 'p' and RowKey gt 'a_10'",
      "PartitionKey eq 'p' and RowKey le 'a'",
      "(RowKey ge 'ev_' and RowKey lt 'ev`') or RowKey eq 'z'",
      "PartitionKey ne 'p'",
      "PartitionKey ge 'o' and PartitionKey lt 'q'",
      "word eq 'it''s'",
      "PartitionKey eq 'nobody'",
    ];
    const found: Told[] = [];
    for (const filter of filters) found.push(await told(() => all(table, filter, 3)));
    return found;
  },
  'a table that was never written to is empty': async (table) => [
    await told(() => all(table, "PartitionKey eq 'p'")),
    await told(() => table.get('p', 'a')),
    await told(() => table.delete('p', 'a')),
  ],
};

test.each(Object.entries(CASES))('%s', async (_name, run) => {
  const real = await run(azurite());
  expect(await run(memoryTable())).toEqual(real);
  expect(real.length).toBeGreaterThan(0);
});
