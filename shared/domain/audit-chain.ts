import type { Actor, JoinRequest } from './join-request';

/** Where a call came from. Neither says who called. */
export interface Origin {
  /** Hash of the caller's network address. */
  address?: string;
  /** What the caller's program calls itself, shortened. */
  agent?: string;
}

/** What an audit entry says of the thing that was changed; only what differs between before and after is kept. */
export type Facts = Record<string, unknown>;

/** What makes an entry a link of its chain. */
export interface Link {
  /** From 1 on, without gaps. */
  seq: number;
  /** Which door or activity wrote it. */
  route: string;
  /** The policy that the change was made under; for a change of a policy, the new version of it. */
  policyVersion?: string;
  from?: Origin;
  /** For whom a system acted. */
  onBehalfOf?: { kind: Actor['kind']; id: string };
  before?: Facts;
  after?: Facts;
  /** Which text the hash is made of. Absent in entries that were written before version 2. */
  hashVersion?: 2;
  previousHash: string;
  hash: string;
}

/** An entry of any chain. */
export interface AuditEntry extends Link {
  event: string;
  at: string;
  by: Actor;
  data?: Record<string, unknown>;
}

/** The last link of a chain. */
export interface Head {
  chain: string;
  seq: number;
  hash: string;
}

/** SHA-256 of a text, as 64 hexadecimal digits. */
export type Digest = (text: string) => string;

export const CHAIN_START = '0'.repeat(64);

/**
 * The text whose digest an entry's hash is. Version 2 has the chain's name in it, so that a whole chain can't take the place of
 * another; version 1 stays as it was, so that what was written under it still holds.
 */
export function hashText(chain: string, entry: Omit<AuditEntry, 'hash'>): string {
  const { seq, event, at, by, data, route, previousHash } = entry;
  const common = [seq, event, at, by.kind, by.id, by.name ?? null, data ?? null, route];
  if (entry.hashVersion === undefined) return JSON.stringify([...common, previousHash]);
  const { onBehalfOf, from, policyVersion, before, after } = entry;
  return JSON.stringify([
    'v2',
    chain,
    ...common,
    onBehalfOf === undefined ? null : [onBehalfOf.kind, onBehalfOf.id],
    from === undefined ? null : [from.address ?? null, from.agent ?? null],
    policyVersion ?? null,
    before ?? null,
    after ?? null,
    previousHash,
  ]);
}

/** The first entry that is not as it was written, and why. */
export interface Break {
  seq: number;
  why: string;
}

/** Walks a chain from its start to its head. `undefined` where every link holds. */
export function firstBreak(
  chain: string,
  entries: readonly AuditEntry[],
  head: Pick<Head, 'seq' | 'hash'> | undefined,
  digest: Digest,
): Break | undefined {
  let previous = CHAIN_START;
  let isNewer = false;
  for (const [index, entry] of entries.entries()) {
    const seq = index + 1;
    if (entry.seq !== seq) return { seq, why: `entry ${String(seq)} is missing` };
    if (entry.previousHash !== previous) return { seq, why: 'it does not follow from the entry before it' };
    if (isNewer && entry.hashVersion === undefined)
      return { seq, why: 'its hash is of an older kind than those before' };
    if (entry.hash !== digest(hashText(chain, entry)))
      return { seq, why: 'its content is not what its hash was made of' };
    previous = entry.hash;
    isNewer = entry.hashVersion !== undefined;
  }
  if (head === undefined) return { seq: entries.length, why: 'the row that names the head of the chain is missing' };
  if (head.seq > entries.length)
    return { seq: entries.length + 1, why: `entry ${String(entries.length + 1)} is missing` };
  if (head.seq < entries.length) return { seq: head.seq + 1, why: 'it stands behind the head of the chain' };
  return head.hash === previous ? undefined : { seq: head.seq, why: 'it is not the head that was written down' };
}

/** What the trail keeps of a request: all of it changes only together with an entry. */
export function requestFacts({ state, group, requester, duration, grant }: JoinRequest): Facts {
  return {
    state,
    groupId: group.id,
    requesterId: requester.id,
    ...(duration !== undefined && { duration }),
    ...(grant?.until !== undefined && { until: grant.until }),
  };
}

/** What differs, as it was and as it is; a fact that is new or gone is null on the other side. */
export function difference(before: Facts, after: Facts): { before: Facts; after: Facts } {
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  const of = (facts: Facts): Facts => Object.fromEntries(changed.map((name) => [name, facts[name] ?? null]));
  return { before: of(before), after: of(after) };
}

/** What a trail says the facts are now. `undefined` where its first entry is older than this record of facts. */
export function factsOf(entries: readonly AuditEntry[]): Facts | undefined {
  if (entries[0]?.hashVersion === undefined) return undefined;
  const facts: Facts = {};
  for (const { after = {} } of entries) Object.assign(facts, after);
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null));
}

/** `2026-11-24` in UTC. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

export const nextDay = (day: string): string => dayOf(new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000));

/** Closes a day: every chain that was copied on it, with its last link of that day, chained to the seal of the day before. */
export interface Seal {
  day: string;
  /** How many chains. */
  chains: number;
  /** Digest over all of them. */
  root: string;
  previousHash: string;
  hash: string;
}

/** Of several links of one chain the last one is its head. */
export function headsOf(links: readonly Head[]): Head[] {
  const heads = new Map<string, Head>();
  for (const link of links) if (link.seq > (heads.get(link.chain)?.seq ?? 0)) heads.set(link.chain, link);
  return [...heads.values()].sort((one, other) => (one.chain < other.chain ? -1 : 1));
}

export function sealOf(day: string, links: readonly Head[], previousHash: string, digest: Digest): Seal {
  const heads = headsOf(links);
  const root = digest(JSON.stringify(heads.map(({ chain, seq, hash }) => [chain, seq, hash])));
  const hash = digest(JSON.stringify(['seal', day, heads.length, root, previousHash]));
  return { day, chains: heads.length, root, previousHash, hash };
}
