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
