import { odata } from '@azure/data-tables';
import type { TransactionAction } from '@azure/data-tables';

import { isOver, lifeFacts } from '../domain/group-life';
import type { GroupLife, LifeStep } from '../domain/group-life';
import type { GroupTrail } from './audit';
import type { Via } from './dossiers';
import { mailRow, parseMail } from './mail-rows';
import type { Mail } from './mail-rows';
import { movePointers, NEVER_DUE } from './open-rows';
import type { OpenRow, OpenRows } from './open-rows';
import { Conflict, etagIfStill } from './tables';
import type { NewRow, Row, Table } from './tables';

/** A life as it was read: what a change of it must know. */
export interface StoredLife {
  life: GroupLife;
  etag: string;
}

/** The lives of the groups that Gatehouse created. */
export interface GroupLives {
  read(groupId: string): Promise<StoredLife | undefined>;
  /** @throws {Conflict} where the group has one. */
  create(begun: LifeStep, via: Via): Promise<StoredLife>;
  /** The life, its entries in the group's trail and its mails in one transaction. @throws {Conflict} where the row changed since it was read. */
  write(stored: StoredLife, step: LifeStep, via: Via & { mails?: readonly Mail[] }): Promise<StoredLife>;
  /** Those of the mails that stand in the outbox. */
  mails(groupId: string, keys: readonly string[]): Promise<Map<string, Mail>>;
  /** Mails whose key begins so, behind the key `after`; `next` is the key to go on from. */
  mailsPage(
    groupId: string,
    prefix: string,
    page: { size: number; after?: string },
  ): Promise<{ mails: Mail[]; next?: string }>;
  /** At most a thousand of the mails that warned of the end of this term: `warn_{term}_{warning}_{person}`. */
  warnings(groupId: string, term: number): Promise<Mail[]>;
  saveMails(groupId: string, mails: readonly Mail[]): Promise<void>;
  /** One page of all lives, in the order of their groups' ids, behind the id `after`. */
  page(size: number, after: string): Promise<{ rows: StoredLife[]; next?: string }>;
}

/** So many mails of all warnings of one term are looked at. */
const MOST_WARNED = 1_000;
const LIFE = 'life';
const OUT = 'out_';
/** A transaction holds at most 100 rows and 4 MiB. */
const IN_ONE = 40;

const partition = (groupId: string): string => `g_${groupId}`;

/** What the sweeper is told of a life. */
export function lifePointers(life: GroupLife): OpenRow[] {
  return isOver(life) ? [] : [{ due: life.due ?? NEVER_DUE, kind: 'life', requestId: life.group.id }];
}

/** They stand in the partition of the group's policy, so that the entries of the group's trail are written with them. */
export function groupLives(table: Table, trail: GroupTrail, open: OpenRows): GroupLives {
  const parse = (row: Row): StoredLife => ({
    // the rows are our own and were validated when they were written
    life: JSON.parse(String(row['json'])) as GroupLife,
    etag: row.etag,
  });
  const read: GroupLives['read'] = async (groupId) => {
    const row = await table.get(partition(groupId), LIFE);
    return row && parse(row);
  };
  const inChunks = async (actions: TransactionAction[]): Promise<void> => {
    for (let from = 0; from < actions.length; from += IN_ONE) await table.transact(actions.slice(from, from + IN_ONE));
  };
  const actionsOf = (groupId: string, mails: readonly Mail[]): TransactionAction[] =>
    mails.map((mail) => ['upsert', mailRow(partition(groupId), mail), 'Replace']);

  const commit = async (
    before: StoredLife | undefined,
    { life, entries }: LifeStep,
    { route, from, mails = [] }: Via & { mails?: readonly Mail[] },
    first: (row: NewRow) => TransactionAction,
  ): Promise<StoredLife> => {
    const { id } = life.group;
    const pointers = { before: before === undefined ? [] : lifePointers(before.life), after: lifePointers(life) };
    return movePointers(open, pointers, async () => {
      const more = actionsOf(id, mails);
      await inChunks(more.slice(IN_ONE));
      const chained = await trail.next(partition(id), entries, {
        route,
        ...(from !== undefined && { from }),
        ...(before !== undefined && { before: lifeFacts(before.life) }),
        after: lifeFacts(life),
      });
      const written = { partitionKey: partition(id), rowKey: LIFE, json: JSON.stringify(life) };
      const etagOf = await table.transact([first(written), ...chained, ...more.slice(0, IN_ONE)]);
      const etag = etagOf(LIFE);
      if (etag !== undefined) return { life, etag };
      // not every service answers a batch with the ETags of replaced rows
      const row = await table.get(partition(id), LIFE);
      if (row === undefined) throw new Conflict(`the life of ${id} vanished after it was written`);
      return { life, etag: etagIfStill(written, row) };
    });
  };

  const mailsPage: GroupLives['mailsPage'] = async (groupId, prefix, { size, after }) => {
    const start = after === undefined ? odata`RowKey ge ${`${OUT}${prefix}`}` : odata`RowKey gt ${`${OUT}${after}`}`;
    // keys are letters, digits and what comes before the tilde
    const range = `${start} and ${odata`RowKey lt ${`${OUT}${prefix}~`} and PartitionKey eq ${partition(groupId)}`}`;
    const mails: Mail[] = [];
    for await (const row of table.list(range, size + 1)) {
      if (mails.length === size) return { mails, next: mails.at(-1)?.key ?? '' };
      mails.push(parseMail(row));
    }
    return { mails };
  };

  return {
    read,
    create: (begun, via) => commit(undefined, begun, via, (row) => ['create', row]),
    write: (stored, step, via) => commit(stored, step, via, (row) => ['update', row, 'Replace', { etag: stored.etag }]),
    mails: async (groupId, keys) => {
      const rows = await Promise.all(keys.map((key) => table.get(partition(groupId), `${OUT}${key}`)));
      const found = rows.filter((row) => row !== undefined).map(parseMail);
      return new Map(found.map((mail) => [mail.key, mail]));
    },
    mailsPage,
    warnings: async (groupId, term) => (await mailsPage(groupId, `warn_${String(term)}_`, { size: MOST_WARNED })).mails,
    saveMails: (groupId, mails) => inChunks(actionsOf(groupId, mails)),
    page: async (size, after) => {
      const range = odata`PartitionKey gt ${partition(after)} and PartitionKey lt ${partition('~')} and RowKey eq ${LIFE}`;
      const rows: StoredLife[] = [];
      for await (const row of table.list(range, size + 1)) {
        const last = rows.at(-1);
        if (rows.length === size && last !== undefined) return { rows, next: last.life.group.id };
        rows.push(parse(row));
      }
      return { rows };
    },
  };
}
