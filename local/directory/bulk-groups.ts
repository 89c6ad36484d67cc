import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { tenant } from '../demo-tenant';
import { groupDefaults } from './properties';
import type { GroupProperties } from './properties';
import type { Store } from './store';

const id = z.guid().transform((text) => text.toLowerCase());
const every = z.int().min(1).optional();

/** A tenant's worth of groups. `…Every: n` makes every nth one of that kind; all others are security groups. */
export const bulkGroupsSchema = z.strictObject({
  count: z.int().min(1).max(200_000),
  /** Their names are this and a number. */
  prefix: z.string().min(1).max(40).default('Bulk group'),
  microsoft365Every: every,
  dynamicEvery: every,
  syncedEvery: every,
  roleAssignableEvery: every,
  /** Without an owner; every other group has one of `owners`, in turn. */
  ownerlessEvery: every,
  owners: z.array(id).default([]),
  /** Each group has one of these as its member, in turn. */
  members: z.array(id).default([]),
});

function kindOf(n: number, bulk: z.output<typeof bulkGroupsSchema>, nickname: string): Partial<GroupProperties> {
  const is = (step: number | undefined): boolean => step !== undefined && n % step === 0;
  if (is(bulk.syncedEvery)) return { onPremisesSyncEnabled: true };
  if (is(bulk.dynamicEvery)) {
    return {
      groupTypes: ['DynamicMembership'],
      membershipRule: 'user.department -eq "Sales"',
      membershipRuleProcessingState: 'On',
    };
  }
  if (is(bulk.roleAssignableEvery)) return { isAssignableToRole: true };
  if (!is(bulk.microsoft365Every)) return {};
  const mail = `${nickname}@${tenant.domain}`;
  return {
    groupTypes: ['Unified'],
    mailEnabled: true,
    securityEnabled: false,
    visibility: 'Private',
    mail,
    proxyAddresses: [`SMTP:${mail}`],
  };
}

const inTurn = (ids: readonly string[], n: number): string | undefined => ids[n % Math.max(ids.length, 1)];

/** Makes the groups, created long enough ago for none to be fresh. */
export function createManyGroups(store: Store, bulk: z.output<typeof bulkGroupsSchema>): void {
  const at = Date.now() - 24 * 3_600_000;
  const createdDateTime = new Date(at).toISOString();
  const stem = bulk.prefix.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  for (let n = 1; n <= bulk.count; n += 1) {
    const groupId = randomUUID();
    const mailNickname = `${stem}-${n}`;
    const properties: GroupProperties = {
      ...groupDefaults,
      id: groupId,
      displayName: `${bulk.prefix} ${n}`,
      description: `Number ${n} of many.`,
      mailNickname,
      createdDateTime,
      renewedDateTime: createdDateTime,
      ...kindOf(n, bulk, mailNickname),
    };
    store.insert({ type: 'group', properties }, at);
    const ownerless = bulk.ownerlessEvery !== undefined && n % bulk.ownerlessEvery === 0;
    const owner = ownerless ? undefined : inTurn(bulk.owners, n);
    if (owner !== undefined) store.addLink('owner', groupId, owner, at);
    const member = inTurn(bulk.members, n);
    if (member !== undefined) store.addLink('member', groupId, member, at);
  }
}
