import { odata } from '@azure/data-tables';

import type { GroupTrail } from './audit';
import type { PolicyWriter } from './policies';
import { retryOnConflict } from './tables';
import type { Row, Table } from './tables';

/** What stands written about a group's self-service. */
export interface SelfServiceRows {
  /** The group's own policy, where it has one. */
  own?: { optedIn: boolean; version: number };
  /** Somebody said that the owners were sent the announcement. */
  toldAt?: string;
}

/**
 * What a report reads of each group, in one call for both rows; they stand in the partition of the group's policy, so that the trail's
 * entry is written with them.
 */
export interface SelfService {
  read(groupId: string): Promise<SelfServiceRows>;
  /** One page of the groups that are opted in by a policy of their own, in the order of their ids, behind the id `after`. */
  optedIn(size: number, after: string): Promise<{ groupIds: string[]; next?: string }>;
  /** Writes down that the owners were told, once. */
  markOwnersTold(groupId: string, by: PolicyWriter & { at: Date }): Promise<'written' | 'already'>;
}

const TOLD = 'announced';
const POLICY = 'current';

function isOptedIn(row: Row): boolean {
  const policy: unknown = JSON.parse(String(row['policy']));
  return typeof policy === 'object' && policy !== null && 'optedIn' in policy && policy.optedIn === true;
}

export function selfService(table: Table, trail: GroupTrail): SelfService {
  return {
    optedIn: async (size, after) => {
      const groupIds: string[] = [];
      const range = odata`PartitionKey gt ${`g_${after}`} and PartitionKey lt ${'g_~'} and RowKey eq ${POLICY}`;
      let last = after;
      let looked = 0;
      for await (const row of table.list(range, size + 1)) {
        if (looked === size) return { groupIds, next: last };
        looked += 1;
        last = (row.partitionKey ?? '').slice(2);
        if (isOptedIn(row)) groupIds.push(last);
      }
      return { groupIds };
    },
    read: async (groupId) => {
      // the names of the two rows begin and end the range, and no other row of the partition lies in it
      const range = odata`PartitionKey eq ${`g_${groupId}`} and RowKey ge ${TOLD} and RowKey le ${POLICY}`;
      const found: SelfServiceRows = {};
      for await (const row of table.list(range)) {
        if (row.rowKey === TOLD) found.toldAt = String(row['at']);
        if (row.rowKey === POLICY) found.own = { optedIn: isOptedIn(row), version: Number(row['version']) };
      }
      return found;
    },
    markOwnersTold: (groupId, { actor, route, from, reason, at }) =>
      retryOnConflict(async () => {
        const partitionKey = `g_${groupId}`;
        if ((await table.get(partitionKey, TOLD)) !== undefined) return 'already';
        const row = { at: at.toISOString(), by: actor.id };
        const why = reason === undefined ? {} : { data: { reason } };
        const entries = await trail.next(partitionKey, [{ event: 'owners-told', at: row.at, by: actor, ...why }], {
          route,
          ...(from !== undefined && { from }),
          after: { ownersToldAt: row.at },
        });
        await table.transact([['create', { partitionKey, rowKey: TOLD, ...row }], ...entries]);
        return 'written';
      }),
  };
}
