import { odata } from '@azure/data-tables';

import type { Table } from './tables';

const PARTITION = 'open';

/** The key time of what waits for operations only: listed, never due. */
export const NEVER_DUE = '9999-12-31T23:59:59.999Z';

/** What an open row points to: it names the workflow that has something due then. A pointer, never authority. */
export interface OpenRow {
  due: string;
  kind: 'join' | 'grant';
  requestId: string;
}

export interface OpenRows {
  put(row: OpenRow): Promise<void>;
  delete(row: OpenRow): Promise<void>;
  /** Rows due before `before`, earliest first. */
  due(before: Date): AsyncIterable<OpenRow>;
  /** One page in order of due time, behind the key `after`; `next` is the key to go on from. */
  page(size: number, after: string): Promise<{ rows: OpenRow[]; next?: string }>;
}

const rowKey = ({ due, kind, requestId }: OpenRow): string => `${due}_${kind}_${requestId}`;

function parse(key: string): OpenRow {
  const [due = '', kind = '', requestId = ''] = key.split('_');
  return { due, kind: kind === 'grant' ? 'grant' : 'join', requestId };
}

/** Open rows have their due time first in the key, so that the sweeper reads only what is due, however many sleep. */
export function openRows(table: Table): OpenRows {
  const range = async function* (filter: string, pageSize?: number): AsyncIterable<OpenRow> {
    for await (const { rowKey: key } of table.list(filter, pageSize)) yield parse(key ?? '');
  };
  return {
    put: (row) => table.put({ partitionKey: PARTITION, rowKey: rowKey(row) }),
    delete: (row) => table.delete(PARTITION, rowKey(row)),
    due: (before) => range(odata`PartitionKey eq ${PARTITION} and RowKey lt ${before.toISOString()}`),
    page: async (size, after) => {
      const rows: OpenRow[] = [];
      for await (const row of range(odata`PartitionKey eq ${PARTITION} and RowKey gt ${after}`, size + 1)) {
        if (rows.length === size) return { rows, next: rowKey(rows.at(-1) ?? row) };
        rows.push(row);
      }
      return { rows };
    },
  };
}
