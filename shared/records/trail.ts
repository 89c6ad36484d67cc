import { createHash } from 'node:crypto';

import type { TrailEntry } from '../domain/join-request';

/** Which door or activity wrote an entry. */
export type Route = string;

/** An entry as it stands in the trail: numbered, and chained to the one before by its hash. */
export interface RecordedEntry extends TrailEntry {
  seq: number;
  route: Route;
  previousHash: string;
  hash: string;
}

export const CHAIN_START = '0'.repeat(64);

/** SHA-256 over the entry and the hash before it: a row that is changed, removed or put between breaks every later one. */
export function chainHash(entry: Omit<RecordedEntry, 'hash'>): string {
  const { seq, event, at, by, data, route, previousHash } = entry;
  return createHash('sha256')
    .update(JSON.stringify([seq, event, at, by.kind, by.id, by.name ?? null, data ?? null, route, previousHash]))
    .digest('hex');
}

/** Numbers and chains new entries behind `seq` and `head`. */
export function chain(entries: readonly TrailEntry[], seq: number, head: string, route: Route): RecordedEntry[] {
  return entries.map((entry) => {
    seq += 1;
    const numbered = { ...entry, seq, route, previousHash: head };
    head = chainHash(numbered);
    return { ...numbered, hash: head };
  });
}
