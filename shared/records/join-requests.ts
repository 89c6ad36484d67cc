import { odata } from '@azure/data-tables';
import type { TransactionAction } from '@azure/data-tables';

import { isOpen } from '../domain/join-request';
import type { Actor, Change, JoinRequest, TrailEvent } from '../domain/join-request';
import { NEVER_DUE } from './open-rows';
import type { OpenRows } from './open-rows';
import type { NewRow, Row, Table } from './tables';
import { chain, CHAIN_START } from './trail';
import type { RecordedEntry, Route } from './trail';

/** A request as it was read: what a change of it must know. */
export interface Stored {
  request: JoinRequest;
  etag: string;
  /** Number and hash of the trail's last entry. */
  seq: number;
  head: string;
  /** Hash of the body that filed it, where an Idempotency-Key did. */
  bodyHash?: string;
}

/** A mail that shall be sent: written before it is, so that a repeat sends the same. Its content goes once it was sent. */
export interface Mail {
  /** What it says and to whom: one mail per request and key, ever. */
  key: string;
  operationId: string;
  to: { id: string; name: string; address: string };
  content?: { subject: string; html: string; text: string };
  status: 'queued' | 'accepted' | 'refused';
  /** Why the mail service refused it. */
  refusal?: string;
}

/** Everything that is kept of a request: one partition, read in one range. */
export interface Dossier {
  stored: Stored;
  trail: RecordedEntry[];
  mails: Map<string, Mail>;
  /** Link ids by person. */
  links: Map<string, string>;
}

export interface WriteOptions {
  route: Route;
  /** Mails to be written in the same transaction, new ones or as they were settled. */
  mails?: readonly Mail[];
  links?: readonly { personId: string; id: string }[];
}

export interface JoinRequests {
  /** @throws {Conflict} where a request of this id stands already. */
  create(change: Change, options: WriteOptions & { bodyHash?: string }): Promise<Stored>;
  read(id: string): Promise<Stored | undefined>;
  dossier(id: string): Promise<Dossier | undefined>;
  /** The change, its trail entries and its mails in one transaction. @throws {Conflict} where the row changed since it was read. */
  write(stored: Stored, change: Change, options: WriteOptions): Promise<Stored>;
  /** Mails alone, where the request itself does not change. */
  saveMails(id: string, mails: readonly Mail[]): Promise<void>;
}

const partition = (id: string): string => `r_${id}`;
const STATE = 'state';
const pad = (seq: number): string => String(seq).padStart(6, '0');

/** When the request's open row is due: none once nothing is left to do, never for what waits for operations. */
function pointer(request: JoinRequest): { due: string; kind: 'join'; requestId: string } | undefined {
  if (request.due !== null) return { due: request.due, kind: 'join', requestId: request.id };
  return isOpen(request) ? { due: NEVER_DUE, kind: 'join', requestId: request.id } : undefined;
}

function stateRow(request: JoinRequest, seq: number, head: string, bodyHash: string | undefined): NewRow {
  const { policy, ...rest } = request;
  return {
    partitionKey: partition(request.id),
    rowKey: STATE,
    state: request.state,
    groupId: request.group.id,
    requesterId: request.requester.id,
    json: JSON.stringify(rest),
    policy: JSON.stringify(policy),
    seq,
    head,
    ...(bodyHash !== undefined && { bodyHash }),
  };
}

// The rows are our own and were validated when they were written: the shape is trusted, not parsed again at every read.
function parseState(row: Row): Stored {
  const request = {
    ...(JSON.parse(String(row['json'])) as Omit<JoinRequest, 'policy'>),
    policy: JSON.parse(String(row['policy'])) as JoinRequest['policy'],
  };
  const bodyHash = row['bodyHash'];
  return {
    request,
    etag: row.etag,
    seq: Number(row['seq']),
    head: String(row['head']),
    ...(typeof bodyHash === 'string' && { bodyHash }),
  };
}

function entryRow(id: string, entry: RecordedEntry): NewRow {
  return {
    partitionKey: partition(id),
    rowKey: `ev_${pad(entry.seq)}`,
    event: entry.event,
    at: entry.at,
    byKind: entry.by.kind,
    byId: entry.by.id,
    ...(entry.by.name !== undefined && { byName: entry.by.name }),
    ...(entry.data !== undefined && { data: JSON.stringify(entry.data) }),
    route: entry.route,
    previousHash: entry.previousHash,
    hash: entry.hash,
  };
}

function parseEntry(row: Row): RecordedEntry {
  const { byName, data } = row;
  return {
    seq: Number((row.rowKey ?? '').slice(3)),
    event: row['event'] as TrailEvent,
    at: String(row['at']),
    by: {
      kind: row['byKind'] as Actor['kind'],
      id: String(row['byId']),
      ...(typeof byName === 'string' && { name: byName }),
    },
    ...(typeof data === 'string' && { data: JSON.parse(data) as Record<string, unknown> }),
    route: String(row['route']),
    previousHash: String(row['previousHash']),
    hash: String(row['hash']),
  };
}

const mailRow = (id: string, mail: Mail): NewRow => ({
  partitionKey: partition(id),
  rowKey: `out_${mail.key}`,
  operationId: mail.operationId,
  to: JSON.stringify(mail.to),
  status: mail.status,
  ...(mail.refusal !== undefined && { refusal: mail.refusal }),
  ...(mail.status === 'queued' &&
    mail.content !== undefined && { subject: mail.content.subject, html: mail.content.html, text: mail.content.text }),
});

function parseMail(row: Row): Mail {
  const { subject, html, text, refusal } = row;
  return {
    key: (row.rowKey ?? '').slice(4),
    operationId: String(row['operationId']),
    to: JSON.parse(String(row['to'])) as Mail['to'],
    status: row['status'] as Mail['status'],
    ...(typeof refusal === 'string' && { refusal }),
    ...(typeof subject === 'string' && { content: { subject, html: String(html), text: String(text) } }),
  };
}

/** Requests in Table Storage: state, trail, mails and links of one request share a partition, so that they change together. */
export function joinRequests(table: Table, open: OpenRows): JoinRequests {
  const commit = async (
    stored: Pick<Stored, 'seq' | 'head' | 'bodyHash'>,
    change: Change,
    options: WriteOptions,
    first: (row: NewRow) => TransactionAction,
  ): Promise<Stored> => {
    const { request } = change;
    const entries = chain(change.entries, stored.seq, stored.head, options.route);
    const seq = stored.seq + entries.length;
    const head = entries.at(-1)?.hash ?? stored.head;
    const etagOf = await table.transact([
      first(stateRow(request, seq, head, stored.bodyHash)),
      ...entries.map((entry): TransactionAction => ['create', entryRow(request.id, entry)]),
      ...(options.mails ?? []).map((mail): TransactionAction => ['upsert', mailRow(request.id, mail), 'Replace']),
      ...(options.links ?? []).map(({ personId, id }): TransactionAction => [
        'create',
        { partitionKey: partition(request.id), rowKey: `link_${personId}`, id },
      ]),
    ]);
    const etag = etagOf(STATE);
    if (etag !== undefined) return { ...stored, request, seq, head, etag };
    // not every service answers a batch with the ETags of replaced rows
    const row = await table.get(partition(request.id), STATE);
    if (row === undefined) throw new Error(`request ${request.id} vanished after it was written`);
    return parseState(row);
  };

  return {
    create: async (change, { bodyHash, ...options }) => {
      const next = pointer(change.request);
      if (next !== undefined) await open.put(next);
      return commit(
        { seq: 0, head: CHAIN_START, ...(bodyHash !== undefined && { bodyHash }) },
        change,
        options,
        (row) => ['create', row],
      );
    },
    read: async (id) => {
      const row = await table.get(partition(id), STATE);
      return row && parseState(row);
    },
    dossier: async (id) => {
      let stored: Stored | undefined;
      const trail: RecordedEntry[] = [];
      const mails = new Map<string, Mail>();
      const links = new Map<string, string>();
      for await (const row of table.list(odata`PartitionKey eq ${partition(id)}`)) {
        const key = row.rowKey ?? '';
        if (key === STATE) stored = parseState(row);
        else if (key.startsWith('ev_')) trail.push(parseEntry(row));
        else if (key.startsWith('link_')) links.set(key.slice(5), String(row['id']));
        else if (key.startsWith('out_')) {
          const mail = parseMail(row);
          mails.set(mail.key, mail);
        }
      }
      return stored && { stored, trail, mails, links };
    },
    write: async (stored, change, options) => {
      const before = pointer(stored.request);
      const after = pointer(change.request);
      // The new pointer stands before the state that needs it, the old one goes after: a crash in between leaves one too many,
      // which the sweeper removes, never one too few.
      if (after !== undefined && after.due !== before?.due) await open.put(after);
      const written = await commit(stored, change, options, (row) => ['update', row, 'Replace', { etag: stored.etag }]);
      if (before !== undefined && before.due !== after?.due) await open.delete(before);
      return written;
    },
    saveMails: async (id, mails) => {
      if (mails.length > 0) await table.transact(mails.map((mail) => ['upsert', mailRow(id, mail), 'Replace']));
    },
  };
}
