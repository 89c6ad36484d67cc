import type { Table } from './tables';

/** What a link in a mail names: a person and a request. It authorises nothing. */
export interface Link {
  id: string;
  requestId: string;
  personId: string;
}

export interface Links {
  read(id: string): Promise<Link | undefined>;
  put(link: Link): Promise<void>;
}

/** 128 random bits as base64url: nothing can be read from it and it can't be guessed. */
export const LINK_ID = /^[A-Za-z0-9_-]{22}$/;

export function links(table: Table): Links {
  return {
    read: async (id) => {
      if (!LINK_ID.test(id)) return undefined;
      const row = await table.get(`l_${id}`, 'link');
      return row && { id, requestId: String(row['requestId']), personId: String(row['personId']) };
    },
    put: ({ id, requestId, personId }) => table.put({ partitionKey: `l_${id}`, rowKey: 'link', requestId, personId }),
  };
}
