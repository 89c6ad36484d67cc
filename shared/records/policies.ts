import { policySchema } from '../domain/policy';
import type { Policy } from '../domain/policy';
import type { Row, Table } from './tables';

/** A policy document and the version it is of (`group@3`, `default@1`). */
export interface PolicyVersion {
  policy: Policy;
  version: number;
  etag: string;
  changedAt: string;
  changedBy: string;
}

export interface Policies {
  /** The group's own policy, where one was written. */
  ofGroup(groupId: string): Promise<PolicyVersion | undefined>;
  ofAll(): Promise<PolicyVersion | undefined>;
  /** Writes a new version and keeps the old. @throws {Conflict} where `etag` is not that of the present one (absent: there must be none). */
  write(
    scope: { groupId: string } | 'default',
    policy: Policy,
    by: { id: string; at: Date; etag?: string },
  ): Promise<PolicyVersion>;
}

const partitionOf = (scope: { groupId: string } | 'default'): string =>
  scope === 'default' ? 'default' : `g_${scope.groupId}`;

const parse = (row: Row): PolicyVersion => ({
  // parsed, not trusted: a version of Gatehouse with more rules fills in their defaults
  policy: policySchema.parse(JSON.parse(String(row['policy']))),
  version: Number(row['version']),
  etag: row.etag,
  changedAt: String(row['changedAt']),
  changedBy: String(row['changedBy']),
});

export function policies(table: Table): Policies {
  const current = async (partitionKey: string): Promise<PolicyVersion | undefined> => {
    const row = await table.get(partitionKey, 'current');
    return row && parse(row);
  };
  return {
    ofGroup: (groupId) => current(partitionOf({ groupId })),
    ofAll: () => current(partitionOf('default')),
    write: async (scope, policy, { id, at, etag }) => {
      const partitionKey = partitionOf(scope);
      const version = etag === undefined ? 1 : ((await current(partitionKey))?.version ?? 0) + 1;
      const content = { policy: JSON.stringify(policy), version, changedAt: at.toISOString(), changedBy: id };
      const row = { partitionKey, rowKey: 'current', ...content };
      const etagOf = await table.transact([
        etag === undefined ? ['create', row] : ['update', row, 'Replace', { etag }],
        ['create', { partitionKey, rowKey: `v_${String(version).padStart(6, '0')}`, ...content }],
      ]);
      return { policy, version, etag: etagOf('current') ?? '', changedAt: content.changedAt, changedBy: id };
    },
  };
}
