import { odata } from '@azure/data-tables';
import type { TransactionAction } from '@azure/data-tables';

import type { Facts, Link, Origin } from '../domain/audit-chain';
import type { Actor } from '../domain/join-request';
import type { CopyPointer, Uncopied } from './audit';
import { stageIn } from './links';
import type { Link as MailedLink } from './links';
import { mailRow, parseMail } from './mail-rows';
import type { Mail } from './mail-rows';
import { movePointers } from './open-rows';
import type { OpenRow, OpenRows } from './open-rows';
import { etagIfStill, retryOnConflict } from './tables';
import type { NewRow, Row, Table } from './tables';
import { chain, CHAIN_START, entryRow, parseEntry } from './trail';
import type { Circumstances, Route } from './trail';

/** Something that was asked for, as it was read: what a change of it must know. */
export interface StoredOf<Request> {
  request: Request;
  etag: string;
  /** Number and hash of the trail's last entry. */
  seq: number;
  head: string;
  /** Hash of the body that filed it, where an Idempotency-Key did. */
  bodyHash?: string;
}

/** One entry of a trail, as the domain says it; the records add its number, its hash and the route. */
export interface EntryOf<Event extends string> {
  event: Event;
  at: string;
  by: Actor;
  data?: Record<string, unknown>;
}

/** Everything that is kept of it: one partition, read in one range. */
export interface DossierOf<Request, Event extends string> {
  stored: StoredOf<Request>;
  trail: (EntryOf<Event> & Link)[];
  mails: Map<string, Mail>;
  /** The newest link of each person. */
  links: Map<string, LinkOf>;
}

/** A link that was mailed to somebody: its id, and what it was made for. */
export type LinkOf = Pick<MailedLink, 'id' | 'stage'>;

/** How it shall stand and the entries that say so, written together or not at all. */
export interface ChangeOf<Request, Event extends string> {
  request: Request;
  entries: EntryOf<Event>[];
}

/** By which door or activity a change is made. */
export interface Via {
  route: Route;
  /** Where the call came from that makes the change. */
  from?: Origin;
}

export interface WriteOptions extends Via {
  /** Mails to be written in the same transaction, new ones or as they were settled. */
  mails?: readonly Mail[];
  links?: readonly (LinkOf & { personId: string })[];
}

/** One kind of what people ask for, with all that is kept of it. */
export interface Dossiers<Request, Event extends string> {
  /** @throws {Conflict} where one of this id stands already. */
  create(change: ChangeOf<Request, Event>, options: WriteOptions & { bodyHash?: string }): Promise<StoredOf<Request>>;
  read(id: string): Promise<StoredOf<Request> | undefined>;
  dossier(id: string): Promise<DossierOf<Request, Event> | undefined>;
  /** The change, its trail entries and its mails in one transaction. @throws {Conflict} where the row changed since it was read. */
  write(stored: StoredOf<Request>, change: ChangeOf<Request, Event>, options: WriteOptions): Promise<StoredOf<Request>>;
  /** Mails alone, where the request itself does not change. */
  saveMails(id: string, mails: readonly Mail[]): Promise<void>;
  /** One page of all that stand, in the order of their ids, behind the key `after`. */
  page(size: number, after: string): Promise<DossierPage<Request>>;
  /** What is due of it: the open rows that must be there. */
  pointers(request: Request): OpenRow[];
}

export interface DossierPage<Request> {
  rows: StoredOf<Request>[];
  /** Ids of those whose row can't be read: somebody changed it by hand. */
  unreadable: string[];
  /** The key to go on from, while there is more. */
  next?: string;
}

/** What differs between the kinds. */
export interface DossierKind<Request> {
  /** Of its partitions, and so of the names of its chains: `r_`. */
  prefix: string;
  /** The state row's own properties: the request as JSON, and what an operator searches by. */
  row(request: Request): Record<string, string>;
  parse(row: Row): Request;
  /** What is due of it: its open rows. */
  pointers(request: Request): OpenRow[];
  /** What the trail keeps of it. */
  facts(request: Request): Facts;
  /** The group and the person that it is about, for those who search the trail. */
  about(request: Request): Pick<CopyPointer, 'groupId' | 'personId'>;
  /** What the trail says of every change of it. */
  circumstances(request: Request): Pick<Circumstances, 'policyVersion'> & {
    onBehalfOf?: { kind: Actor['kind']; id: string; actor: string };
  };
}

/** Lists on which the kind's requests stand. Pointers and copies, never authority. */
export interface Listed<Request> {
  /** After the request was written: what is listed may be behind for as long as a step takes, and is never ahead. */
  changed(before: Request, after: Request): Promise<void>;
}

/** The row of a dossier that decides. */
export const STATE = 'state';
/** Ids are small letters and digits. */
const BEHIND_ALL_IDS = '~';
/** Of mails and links so many go into one transaction: it holds at most 100 rows and 4 MiB. */
const MORE_IN_ONE = 40;

/** Dossiers in Table Storage: state, trail, mails and links of one request share a partition, so that they change together. */
export function dossiers<Request extends { id: string }, Event extends string>(
  table: Table,
  open: OpenRows,
  uncopied: Uncopied,
  kind: DossierKind<Request>,
  lists?: Listed<Request>,
): Dossiers<Request, Event> {
  type Stored = StoredOf<Request>;
  type Change = ChangeOf<Request, Event>;
  const partition = (id: string): string => `${kind.prefix}${id}`;

  const parse = (row: Row): Stored => {
    const bodyHash = row['bodyHash'];
    return {
      request: kind.parse(row),
      etag: row.etag,
      seq: Number(row['seq']),
      head: String(row['head']),
      ...(typeof bodyHash === 'string' && { bodyHash }),
    };
  };

  const stateRow = (request: Request, seq: number, head: string, bodyHash: string | undefined): NewRow => ({
    partitionKey: partition(request.id),
    rowKey: STATE,
    ...kind.row(request),
    seq,
    head,
    ...(bodyHash !== undefined && { bodyHash }),
  });

  const inChunks = async (actions: TransactionAction[]): Promise<void> => {
    for (let from = 0; from < actions.length; from += MORE_IN_ONE)
      await table.transact(actions.slice(from, from + MORE_IN_ONE));
  };

  /** Before the entries stand, so that none can stand without the copier hearing of it. */
  const announce = async ({ request, entries }: Change, { seq }: Pick<Stored, 'seq'>): Promise<void> => {
    if (entries.length === 0) return;
    await uncopied.announce({
      chain: partition(request.id),
      first: seq + 1,
      last: seq + entries.length,
      ...kind.about(request),
    });
  };

  const commit = async (
    stored: Pick<Stored, 'seq' | 'head' | 'bodyHash'> & Partial<Pick<Stored, 'request'>>,
    change: Change,
    options: WriteOptions,
    first: (row: NewRow) => TransactionAction,
  ): Promise<Stored> => {
    const { request } = change;
    const entries = chain(partition(request.id), change.entries, stored, {
      route: options.route,
      ...(options.from !== undefined && { from: options.from }),
      ...kind.circumstances(request),
      ...(stored.request !== undefined && { before: kind.facts(stored.request) }),
      after: kind.facts(request),
    });
    const seq = stored.seq + entries.length;
    const head = entries.at(-1)?.hash ?? stored.head;
    const more = [
      ...(options.links ?? []).map(({ personId, ...link }): TransactionAction => [
        'upsert',
        { partitionKey: partition(request.id), rowKey: `link_${personId}`, ...link },
        'Replace',
      ]),
      ...(options.mails ?? []).map((mail): TransactionAction => [
        'upsert',
        mailRow(partition(request.id), mail),
        'Replace',
      ]),
    ];
    // what does not fit into the transaction goes before it: rows that are the same under the same key, whoever writes them
    await inChunks(more.slice(MORE_IN_ONE));
    const state = stateRow(request, seq, head, stored.bodyHash);
    const etagOf = await table.transact([
      first(state),
      ...entries.map((entry): TransactionAction => ['create', entryRow(partition(request.id), entry)]),
      ...more.slice(0, MORE_IN_ONE),
    ]);
    const etag = etagOf(STATE);
    if (etag !== undefined) return { ...stored, request, seq, head, etag };
    // not every service answers a batch with the ETags of replaced rows
    const row = await table.get(partition(request.id), STATE);
    if (row === undefined) throw new Error(`request ${request.id} vanished after it was written`);
    // what somebody wrote since is another state: whoever wrote this one must not write upon it
    return { ...stored, request, seq, head, etag: etagIfStill(state, row) };
  };

  return {
    create: (change, { bodyHash, ...options }) => {
      const nothing = { seq: 0, head: CHAIN_START, ...(bodyHash !== undefined && { bodyHash }) };
      return movePointers(
        open,
        { before: [], after: kind.pointers(change.request) },
        () => commit(nothing, change, options, (row) => ['create', row]),
        { before: () => announce(change, nothing) },
      );
    },
    read: async (id) => {
      const row = await table.get(partition(id), STATE);
      return row && parse(row);
    },
    dossier: async (id) => {
      let stored: Stored | undefined;
      const trail: (EntryOf<Event> & Link)[] = [];
      const mails = new Map<string, Mail>();
      const links = new Map<string, LinkOf>();
      for await (const row of table.list(odata`PartitionKey eq ${partition(id)}`)) {
        const key = row.rowKey ?? '';
        if (key === STATE) stored = parse(row);
        else if (key.startsWith('ev_')) trail.push(parseEntry(row) as EntryOf<Event> & Link);
        else if (key.startsWith('link_')) links.set(key.slice(5), { id: String(row['id']), ...stageIn(row) });
        else if (key.startsWith('out_')) {
          const mail = parseMail(row);
          mails.set(mail.key, mail);
        }
      }
      return stored && { stored, trail, mails, links };
    },
    write: (stored, change, options) =>
      movePointers(
        open,
        { before: kind.pointers(stored.request), after: kind.pointers(change.request) },
        () => commit(stored, change, options, (row) => ['update', row, 'Replace', { etag: stored.etag }]),
        {
          before: () => announce(change, stored),
          after: () => lists?.changed(stored.request, change.request),
        },
      ),
    saveMails: (id, mails) => inChunks(mails.map((mail) => ['upsert', mailRow(partition(id), mail), 'Replace'])),
    page: async (size, after) => {
      const [start, end] = [partition(after), partition(BEHIND_ALL_IDS)];
      const range = odata`PartitionKey gt ${start} and PartitionKey lt ${end} and RowKey eq ${STATE}`;
      const page: DossierPage<Request> = { rows: [], unreadable: [] };
      let last = after;
      for await (const row of table.list(range, size + 1)) {
        if (page.rows.length + page.unreadable.length === size) return { ...page, next: last };
        last = (row.partitionKey ?? '').slice(kind.prefix.length);
        try {
          page.rows.push(parse(row));
        } catch {
          page.unreadable.push(last);
        }
      }
      return page;
    },
    pointers: (request) => kind.pointers(request),
  };
}

/**
 * One compare-and-swap: reads, lets `decide` say how it changes, writes. The loser of a race reads again and decides again.
 * @returns what stands: as written, or as it was where `decide` left it alone; `undefined` where there is no such request.
 */
export function changeStored<Request, Event extends string>(
  store: Dossiers<Request, Event>,
  id: string,
  options: WriteOptions,
  decide: (request: Request) => ChangeOf<Request, Event> | undefined,
): Promise<StoredOf<Request> | undefined> {
  return retryOnConflict(async () => {
    const stored = await store.read(id);
    if (stored === undefined) return undefined;
    const change = decide(stored.request);
    return change === undefined ? stored : store.write(stored, change, options);
  });
}
