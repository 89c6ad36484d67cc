import { odata } from '@azure/data-tables';

import { creationPolicySchema, namedInCreation } from '../domain/creation-policy';
import type { CreationPolicy } from '../domain/creation-policy';
import { keptPolicySchema, namedIn } from '../domain/policy';
import type { Policy } from '../domain/policy';
import type { GroupTrail } from './audit';
import { documents } from './documents';
import type { PolicyWriter, VersionOf } from './documents';
import type { Table } from './tables';

export type { PolicyWriter } from './documents';

/** A policy document and the version it is of (`group@3`, `default@1`). */
export type PolicyVersion = VersionOf<Policy>;
/** The creation policy and the version it is of (`creation@2`). */
export type CreationPolicyVersion = VersionOf<CreationPolicy>;

export interface Policies {
  /** The group's own policy, where one was written. */
  ofGroup(groupId: string): Promise<PolicyVersion | undefined>;
  ofAll(): Promise<PolicyVersion | undefined>;
  /** Whether some policy names the group, as approvers or as those who may ask. */
  isNamed(groupId: string): Promise<boolean>;
  /** All groups that some policy names. */
  named(): Promise<Set<string>>;
  /** Every version, the latest first. */
  versions(scope: { groupId: string } | 'default'): Promise<PolicyVersion[]>;
  /** Writes a new version with its entry in the group's trail, and keeps the old. @throws {Conflict} where `etag` is not that of the present one (absent: there must be none). */
  write(
    scope: { groupId: string } | 'default',
    policy: Policy,
    by: PolicyWriter & { at: Date; etag?: string },
  ): Promise<PolicyVersion>;
  /** Who may create groups, where an administrator wrote that down. */
  creation: {
    current(): Promise<CreationPolicyVersion | undefined>;
    versions(): Promise<CreationPolicyVersion[]>;
    write(policy: CreationPolicy, by: PolicyWriter & { at: Date; etag?: string }): Promise<CreationPolicyVersion>;
  };
}

const partitionOf = (scope: { groupId: string } | 'default'): string =>
  scope === 'default' ? 'default' : `g_${scope.groupId}`;

const CREATION = 'creation';

export function policies(table: Table, trail: GroupTrail): Policies {
  const ofGroups = documents(table, trail, {
    parse: (json) => keptPolicySchema.parse(json),
    named: namedIn,
    label: (partitionKey) => (partitionKey === 'default' ? 'default' : 'group'),
    event: 'policy-written',
  });
  const ofCreation = documents(table, trail, {
    parse: (json) => creationPolicySchema.parse(json),
    named: namedInCreation,
    label: () => CREATION,
    event: 'creation-policy-written',
  });
  return {
    ofGroup: (groupId) => ofGroups.current(partitionOf({ groupId })),
    ofAll: () => ofGroups.current(partitionOf('default')),
    isNamed: async (groupId) => {
      for await (const _row of table.list(odata`PartitionKey eq ${`named_${groupId}`}`, 1)) return true;
      return false;
    },
    named: async () => {
      const found = new Set<string>();
      for await (const { partitionKey = '' } of table.list(
        odata`PartitionKey ge ${'named_'} and PartitionKey lt ${'named`'}`,
      ))
        found.add(partitionKey.slice('named_'.length));
      return found;
    },
    versions: (scope) => ofGroups.versions(partitionOf(scope)),
    write: (scope, policy, by) => ofGroups.write(partitionOf(scope), policy, by),
    creation: {
      current: () => ofCreation.current(CREATION),
      versions: () => ofCreation.versions(CREATION),
      write: (policy, by) => ofCreation.write(CREATION, policy, by),
    },
  };
}
