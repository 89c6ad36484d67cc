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
  all(): AsyncIterable<OpenRow>;
}

const rowKey = ({ due, kind, requestId }: OpenRow): string => `${due}_${kind}_${requestId}`;

function parse(key: string): OpenRow {
  const [due = '', kind = '', requestId = ''] = key.split('_');
  return { due, kind: kind === 'grant' ? 'grant' : 'join', requestId };
}

/** Open rows have their due time first in the key, so that the sweeper reads only what is due, however many sleep. */
export function openRows(table: Table): OpenRows {
  const range = async function* (filter: string): AsyncIterable<OpenRow> {
    for await (const { rowKey: key } of table.list(filter)) yield parse(key ?? '');
  };
  return {
    put: (row) => table.put({ partitionKey: PARTITION, rowKey: rowKey(row) }),
    delete: (row) => table.delete(PARTITION, rowKey(row)),
    due: (before) => range(odata`PartitionKey eq ${PARTITION} and RowKey lt ${before.toISOString()}`),
    all: () => range(odata`PartitionKey eq ${PARTITION}`),
  };
}
