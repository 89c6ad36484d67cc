import { odata } from '@azure/data-tables';
import { z } from 'zod';

import { retryOnConflict } from './tables';
import type { Table } from './tables';

const grantSchema = z.object({
  requestId: z.string(),
  from: z.string(),
  until: z.string().optional(),
  /** Somebody ended it, and it is about to be taken back: nothing goes on from it. */
  ending: z.literal(true).optional(),
});
const membershipSchema = z.object({
  wanted: z.enum(['in', 'out']),
  addedByGatehouse: z.boolean(),
  grants: z.array(grantSchema),
});

/** What Gatehouse wants of one person in one group, whether it added them, and the grants that are live. */
export type Membership = z.output<typeof membershipSchema>;
export type Grant = z.output<typeof grantSchema>;

/** The last grant is over, and the removal from the group under way. */
export const isBeingRemoved = ({ wanted, addedByGatehouse }: Membership): boolean =>
  wanted === 'out' && addedByGatehouse;

/** The membership is about to be over: whoever still is a member then may ask to join as if they were none. */
export const isEnding = (membership: Membership): boolean =>
  isBeingRemoved(membership) ||
  (membership.addedByGatehouse &&
    membership.grants.length > 0 &&
    membership.grants.every(({ ending }) => ending === true));

/** By which other grant the person stays the longest, where one outlasts this one: of a later request, or given by an owner. */
export function outlasting(
  { grants }: Pick<Membership, 'grants'>,
  { requestId, until }: { requestId: string; until: string },
): Grant | undefined {
  const longest = grants
    .filter((other) => other.requestId !== requestId && other.ending !== true)
    .reduce<Grant | undefined>((most, other) => (most && endOf(most) >= endOf(other) ? most : other), undefined);
  return longest !== undefined && endOf(longest) > until ? longest : undefined;
}

/** One without an end ends behind every other. */
const endOf = ({ until = '~' }: Grant): string => until;

export interface Memberships {
  read(groupId: string, personId: string): Promise<Membership | undefined>;
  /** Reads, changes and writes under the ETag, again where somebody else wrote meanwhile. */
  update(groupId: string, personId: string, change: (before: Membership) => Membership): Promise<Membership>;
  /** Since when Gatehouse knows of each member of the group: from their oldest live grant on. */
  since(groupId: string): Promise<Map<string, string>>;
  /** One page of all rows, in the order of groups and people, behind the key `after`. */
  page(size: number, after: string): Promise<MembershipPage>;
}

export interface MembershipPage {
  rows: { groupId: string; personId: string; membership: Membership }[];
  /** Keys of rows that can't be read: somebody changed them by hand. */
  unreadable: string[];
  /** The key to go on from, while there is more. */
  next?: string;
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
    since: async (groupId) => {
      const since = new Map<string, string>();
      for await (const row of table.list(odata`PartitionKey eq ${`g_${groupId}`}`)) {
        const membership = membershipSchema.safeParse(orUndefined(String(row['json'])));
        const [oldest] = membership.success ? membership.data.grants.map(({ from }) => from).toSorted() : [];
        if (oldest !== undefined) since.set((row.rowKey ?? '').slice(2), oldest);
      }
      return since;
    },
    page: async (size, after) => {
      const [group = '', person = ''] = after.split('/');
      const [partitionKey, rowKey] = [`g_${group}`, `p_${person}`];
      const range = odata`PartitionKey ge ${partitionKey} and (PartitionKey gt ${partitionKey} or RowKey gt ${rowKey})`;
      const page: MembershipPage = { rows: [], unreadable: [] };
      let last = after;
      for await (const row of table.list(range, size + 1)) {
        if (page.rows.length + page.unreadable.length === size) return { ...page, next: last };
        const [groupId, personId] = [(row.partitionKey ?? '').slice(2), (row.rowKey ?? '').slice(2)];
        last = `${groupId}/${personId}`;
        const membership = membershipSchema.safeParse(orUndefined(String(row['json'])));
        if (membership.success) page.rows.push({ groupId, personId, membership: membership.data });
        else page.unreadable.push(last);
      }
      return page;
    },
  };
}

function orUndefined(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}
