import type { Table } from './tables';

/** Which request a mail was about: delivery reports name nothing but the operation. A pointer, never authority. */
export interface MailIndex {
  put(operationId: string, mail: { requestId: string; key: string }): Promise<void>;
  find(operationId: string): Promise<{ requestId: string; key: string } | undefined>;
}

const OPERATION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function mailIndex(table: Table): MailIndex {
  return {
    put: (operationId, { requestId, key }) =>
      table.put({ partitionKey: `m_${operationId}`, rowKey: 'mail', requestId, key }),
    find: async (operationId) => {
      if (!OPERATION_ID.test(operationId)) return undefined;
      const row = await table.get(`m_${operationId}`, 'mail');
      return row && { requestId: String(row['requestId']), key: String(row['key']) };
    },
  };
}
