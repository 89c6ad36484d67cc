import type { Row, Table } from './tables';

/** What a link in a mail names: a person and a request. It authorises nothing. */
export interface Link {
  id: string;
  requestId: string;
  personId: string;
  /** Of a join request: the index of the stage at which the person was asked. Once that is over the link is a receipt. */
  stage?: number;
}

export interface Links {
  read(id: string): Promise<Link | undefined>;
  put(link: Link): Promise<void>;
}

/** 128 random bits as base64url: nothing can be read from it and it can't be guessed. */
export const LINK_ID = /^[A-Za-z0-9_-]{22}$/;

/** The stage that a row of a link names. */
export const stageIn = ({ stage }: Row): Pick<Link, 'stage'> => (typeof stage === 'number' ? { stage } : {});

export function links(table: Table): Links {
  return {
    read: async (id) => {
      if (!LINK_ID.test(id)) return undefined;
      const row = await table.get(`l_${id}`, 'link');
      return (
        row && {
          id,
          requestId: String(row['requestId']),
          personId: String(row['personId']),
          ...stageIn(row),
        }
      );
    },
    put: ({ id, ...link }) => table.put({ partitionKey: `l_${id}`, rowKey: 'link', ...link }),
  };
}
