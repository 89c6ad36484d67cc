import { createHash } from 'node:crypto';

import { difference, hashText } from '../domain/audit-chain';
import type { AuditEntry, Facts, Link, Origin } from '../domain/audit-chain';
import type { Actor, TrailEntry } from '../domain/join-request';
import type { NewRow, Row } from './tables';

export { CHAIN_START } from '../domain/audit-chain';

/** Which door or activity wrote an entry. */
export type Route = string;

/** An entry as it stands in a request's trail: numbered, and chained to the one before by its hash. */
export interface RecordedEntry extends TrailEntry, Link {}

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** SHA-256 over the entry and the hash before it: a row that is changed, removed or put between breaks every later one. */
export const chainHash = (chain: string, entry: Omit<AuditEntry, 'hash'>): string => digest(hashText(chain, entry));

/** What the trail says of a change besides its entries. */
export interface Circumstances {
  route: Route;
  from?: Origin;
  policyVersion?: string;
  onBehalfOf?: { kind: Actor['kind']; id: string; actor: string };
  /** Absent: there was nothing before. */
  before?: Facts;
  after: Facts;
}

/** Numbers and chains new entries behind `seq` and `head`. What became different stands in the last of them. */
export function chain<Entry extends Pick<AuditEntry, 'event' | 'at' | 'by' | 'data'>>(
  name: string,
  entries: readonly Entry[],
  behind: { seq: number; head: string },
  { route, from, policyVersion, onBehalfOf, before = {}, after }: Circumstances,
): (Entry & Link)[] {
  let { seq, head } = behind;
  return entries.map((entry, index) => {
    seq += 1;
    const numbered = {
      ...entry,
      seq,
      route,
      hashVersion: 2 as const,
      ...(policyVersion !== undefined && { policyVersion }),
      ...(from !== undefined && { from }),
      ...(onBehalfOf !== undefined &&
        entry.by.id === onBehalfOf.actor && { onBehalfOf: { kind: onBehalfOf.kind, id: onBehalfOf.id } }),
      ...(index === entries.length - 1 && difference(before, after)),
      previousHash: head,
    };
    head = chainHash(name, numbered);
    return { ...numbered, hash: head };
  });
}

/** A property of a row holds at most 32 Ki characters; longer text goes on in the next one. */
const MOST_IN_ONE = 30_000;

function split(name: string, value: object | undefined): Record<string, string> {
  if (value === undefined) return {};
  const text = JSON.stringify(value);
  const parts: Record<string, string> = {};
  for (let from = 0, part = 0; from < text.length; part += 1) {
    // never between the halves of a character
    const to = /[\ud800-\udbff]/.test(text.charAt(from + MOST_IN_ONE - 1))
      ? from + MOST_IN_ONE - 1
      : from + MOST_IN_ONE;
    parts[part === 0 ? name : `${name}${String(part)}`] = text.slice(from, to);
    from = to;
  }
  return parts;
}

function join(row: Row, name: string): Record<string, unknown> | undefined {
  let text = row[name];
  if (typeof text !== 'string') return undefined;
  for (let part = 1; ; part += 1) {
    const more = row[`${name}${String(part)}`];
    if (typeof more !== 'string') return JSON.parse(text) as Record<string, unknown>;
    text += more;
  }
}

export const ENTRY_PREFIX = 'ev_';
const DIGITS = 6;
export const entryKey = (seq: number): string => `${ENTRY_PREFIX}${String(seq).padStart(DIGITS, '0')}`;

/** The entry's row in the partition of its chain. */
export function entryRow(chainName: string, entry: AuditEntry): NewRow {
  const { seq, event, at, by, data, route, previousHash, hash, hashVersion, policyVersion, from, onBehalfOf } = entry;
  return {
    partitionKey: chainName,
    rowKey: entryKey(seq),
    event,
    at,
    byKind: by.kind,
    byId: by.id,
    ...(by.name !== undefined && { byName: by.name }),
    ...split('data', data),
    route,
    ...(hashVersion !== undefined && { hashVersion }),
    ...(policyVersion !== undefined && { policyVersion }),
    ...(from?.address !== undefined && { fromAddress: from.address }),
    ...(from?.agent !== undefined && { fromAgent: from.agent }),
    ...(from !== undefined && { hasFrom: true }),
    ...(onBehalfOf !== undefined && { onBehalfOfKind: onBehalfOf.kind, onBehalfOfId: onBehalfOf.id }),
    ...split('before', entry.before),
    ...split('after', entry.after),
    previousHash,
    hash,
  };
}

const text = (row: Row, name: string): string | undefined => {
  const value = row[name];
  return typeof value === 'string' ? value : undefined;
};

// The rows are our own: the shape is trusted here, and audit:verify checks the content.
export function parseEntry(row: Row, seq = Number((row.rowKey ?? '').slice(ENTRY_PREFIX.length))): AuditEntry {
  const byName = text(row, 'byName');
  const policyVersion = text(row, 'policyVersion');
  const address = text(row, 'fromAddress');
  const agent = text(row, 'fromAgent');
  const actsFor = text(row, 'onBehalfOfId');
  const [data, before, after] = [join(row, 'data'), join(row, 'before'), join(row, 'after')];
  return {
    seq,
    event: String(row['event']),
    at: String(row['at']),
    by: {
      kind: row['byKind'] as Actor['kind'],
      id: String(row['byId']),
      ...(byName !== undefined && { name: byName }),
    },
    ...(data !== undefined && { data }),
    route: String(row['route']),
    ...(row['hashVersion'] === 2 && { hashVersion: 2 as const }),
    ...(policyVersion !== undefined && { policyVersion }),
    ...(row['hasFrom'] === true && {
      from: { ...(address !== undefined && { address }), ...(agent !== undefined && { agent }) },
    }),
    ...(actsFor !== undefined && {
      onBehalfOf: { kind: row['onBehalfOfKind'] as Actor['kind'], id: actsFor },
    }),
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    previousHash: String(row['previousHash']),
    hash: String(row['hash']),
  };
}
