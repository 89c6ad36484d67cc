import { odata } from '@azure/data-tables';

import { mailRow, parseMail } from './mail-rows';
import type { Mail } from './mail-rows';
import { Conflict } from './tables';
import type { Table } from './tables';

/** A request that somebody was asked about, and their link to it. */
export interface DeskItem {
  requestId: string;
  linkId: string;
}

/** One mail for several open requests, at most one a day and person. */
export interface Digest {
  mail: Mail;
  requestIds: string[];
  etag: string;
}

/** What lies on somebody's desk: the requests that wait for their decision. Pointers, never authority. */
export interface Desks {
  put(personId: string, item: DeskItem): Promise<void>;
  remove(personId: string, requestId: string): Promise<void>;
  /** At most `most` of them. */
  of(personId: string, most: number): Promise<DeskItem[]>;
  /** @param day `2026-11-24` */
  digest(personId: string, day: string): Promise<Digest | undefined>;
  /** @throws {Conflict} where there is one of that day. */
  createDigest(personId: string, day: string, mail: Mail, requestIds: readonly string[]): Promise<void>;
  /** Writes down what became of it; does nothing where somebody else did. */
  settleDigest(personId: string, day: string, digest: Digest, mail: Mail): Promise<void>;
}

const partition = (personId: string): string => `p_${personId}`;
const digestKey = (day: string): string => `digest_${day}`;

export function desks(table: Table): Desks {
  const row = (personId: string, day: string, mail: Mail, requestIds: readonly string[]) => ({
    ...mailRow(partition(personId), mail),
    rowKey: digestKey(day),
    mailKey: mail.key,
    requestIds: JSON.stringify(requestIds),
  });
  return {
    put: (personId, { requestId, linkId }) =>
      table.put({ partitionKey: partition(personId), rowKey: `r_${requestId}`, linkId }),
    remove: (personId, requestId) => table.delete(partition(personId), `r_${requestId}`),
    of: async (personId, most) => {
      const items: DeskItem[] = [];
      const range = odata`PartitionKey eq ${partition(personId)} and RowKey ge ${'r_'} and RowKey lt ${'r`'}`;
      for await (const found of table.list(range, most)) {
        items.push({ requestId: (found.rowKey ?? '').slice(2), linkId: String(found['linkId']) });
        if (items.length >= most) break;
      }
      return items;
    },
    digest: async (personId, day) => {
      const found = await table.get(partition(personId), digestKey(day));
      return (
        found && {
          mail: { ...parseMail(found), key: String(found['mailKey']) },
          requestIds: JSON.parse(String(found['requestIds'])) as string[],
          etag: found.etag,
        }
      );
    },
    createDigest: async (personId, day, mail, requestIds) => {
      await table.create(row(personId, day, mail, requestIds));
    },
    settleDigest: async (personId, day, digest, mail) => {
      try {
        await table.replace(row(personId, day, mail, digest.requestIds), digest.etag);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    },
  };
}
