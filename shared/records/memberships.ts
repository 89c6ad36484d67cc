import { z } from 'zod';

import { retryOnConflict } from './tables';
import type { Table } from './tables';

const grantSchema = z.object({ requestId: z.string(), from: z.string(), until: z.string().optional() });
const membershipSchema = z.object({
  wanted: z.enum(['in', 'out']),
  addedByGatehouse: z.boolean(),
  grants: z.array(grantSchema),
});

/** What Gatehouse wants of one person in one group, whether it added them, and the grants that are live. */
export type Membership = z.output<typeof membershipSchema>;
export type Grant = z.output<typeof grantSchema>;

export interface Memberships {
  read(groupId: string, personId: string): Promise<Membership | undefined>;
  /** Reads, changes and writes under the ETag, again where somebody else wrote meanwhile. */
  update(groupId: string, personId: string, change: (before: Membership) => Membership): Promise<Membership>;
}

const NONE: Membership = { wanted: 'out', addedByGatehouse: false, grants: [] };

/** One row per group and person. Two grants, or a grant and an end, can't undo each other: both write it before they call Graph. */
export function memberships(table: Table): Memberships {
  const find = async (
    groupId: string,
    personId: string,
  ): Promise<{ membership: Membership; etag: string } | undefined> => {
    const row = await table.get(`g_${groupId}`, `p_${personId}`);
    return row && { membership: membershipSchema.parse(JSON.parse(String(row['json']))), etag: row.etag };
  };
  return {
    read: async (groupId, personId) => (await find(groupId, personId))?.membership,
    update: (groupId, personId, change) =>
      retryOnConflict(async () => {
        const found = await find(groupId, personId);
        const next = change(found?.membership ?? NONE);
        const row = { partitionKey: `g_${groupId}`, rowKey: `p_${personId}`, json: JSON.stringify(next) };
        if (found === undefined) await table.create(row);
        else await table.replace(row, found.etag);
        return next;
      }),
  };
}
