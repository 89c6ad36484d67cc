import { Conflict } from './tables';
import type { Table } from './tables';

/** One open request per group and person: the claim names it. A pointer, never authority. */
export interface Claim {
  requestId: string;
  claimedAt: string;
  etag: string;
}

export interface Claims {
  read(groupId: string, personId: string): Promise<Claim | undefined>;
  /** @throws {Conflict} where somebody holds it. */
  take(groupId: string, personId: string, requestId: string, at: Date): Promise<void>;
  /** @throws {Conflict} where it changed since it was read. */
  takeOver(groupId: string, personId: string, requestId: string, at: Date, from: Claim): Promise<void>;
  /** Frees the pair where it still names this request. */
  release(groupId: string, personId: string, requestId: string): Promise<void>;
}

/** After this long a claim whose holder never came to be may be taken over. */
const ABANDONED_AFTER_MS = 120_000;

export type Claiming<Holder> =
  | { kind: 'taken' }
  /** Somebody holds it who does not let go. */
  | { kind: 'held'; by: Holder }
  /** Another call is at it at this moment. */
  | { kind: 'in-progress' };

/**
 * Takes the claim for `id`; one whose holder lets go, or never came to be, is taken over. A repeat finds that it has it already.
 * @param read the holder, by its id
 * @param holds whether it keeps the claim from others
 */
export async function takeClaim<Holder>(
  claims: Claims,
  [scope, slot]: readonly [scope: string, slot: string],
  id: string,
  at: Date,
  { read, holds }: { read: (id: string) => Promise<Holder | undefined>; holds: (holder: Holder) => boolean },
): Promise<Claiming<Holder>> {
  const unlessTaken = async (work: Promise<void>): Promise<boolean> => {
    try {
      await work;
      return true;
    } catch (error) {
      if (error instanceof Conflict) return false;
      throw error;
    }
  };
  if (await unlessTaken(claims.take(scope, slot, id, at))) return { kind: 'taken' };
  const claim = await claims.read(scope, slot);
  if (claim === undefined) return { kind: 'in-progress' };
  const isFresh = at.getTime() - new Date(claim.claimedAt).getTime() <= ABANDONED_AFTER_MS;
  // one that was taken long ago may be taken over in this moment: a repeat takes it anew, so that one of both has it
  if (claim.requestId === id && isFresh) return { kind: 'taken' };
  const holder = claim.requestId === id ? undefined : await read(claim.requestId);
  if (holder !== undefined && holds(holder)) return { kind: 'held', by: holder };
  if (holder === undefined && claim.requestId !== id && isFresh) return { kind: 'in-progress' };
  return { kind: (await unlessTaken(claims.takeOver(scope, slot, id, at, claim))) ? 'taken' : 'in-progress' };
}

/**
 * Sees to it that `id` has its claim, and takes one again that nobody has any more.
 * @returns `back` where it was lost, `lost` where it is somebody else's now
 */
export async function keepClaim(
  claims: Claims,
  [scope, slot]: readonly [scope: string, slot: string],
  id: string,
  at: Date,
): Promise<'held' | 'back' | 'lost'> {
  const claim = await claims.read(scope, slot);
  if (claim !== undefined) return claim.requestId === id ? 'held' : 'lost';
  try {
    await claims.take(scope, slot, id, at);
    return 'back';
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return 'lost';
  }
}

const key = (groupId: string, personId: string): { partitionKey: string; rowKey: string } => ({
  partitionKey: `g_${groupId}`,
  rowKey: `p_${personId}`,
});

export function claims(table: Table): Claims {
  const read: Claims['read'] = async (groupId, personId) => {
    const { partitionKey, rowKey } = key(groupId, personId);
    const row = await table.get(partitionKey, rowKey);
    return row && { requestId: String(row['requestId']), claimedAt: String(row['claimedAt']), etag: row.etag };
  };
  return {
    read,
    take: async (groupId, personId, requestId, at) => {
      await table.create({ ...key(groupId, personId), requestId, claimedAt: at.toISOString() });
    },
    takeOver: async (groupId, personId, requestId, at, from) => {
      await table.replace({ ...key(groupId, personId), requestId, claimedAt: at.toISOString() }, from.etag);
    },
    release: async (groupId, personId, requestId) => {
      const claim = await read(groupId, personId);
      if (claim?.requestId !== requestId) return;
      const { partitionKey, rowKey } = key(groupId, personId);
      await table.delete(partitionKey, rowKey, claim.etag);
    },
  };
}
