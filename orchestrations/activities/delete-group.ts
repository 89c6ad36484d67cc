import { groupDeleted, startDeleting } from '../../shared/domain/group-life';
import type { GroupLife, LifeStep } from '../../shared/domain/group-life';
import type { LifetimePolicy } from '../../shared/domain/group-lifetime';
import type { Group } from '../../shared/domain/eligibility';
import { needFeature } from '../../shared/group-changes/features';
import { refuseGroup } from '../../shared/join-requests/eligibility';
import { policyInForce } from '../../shared/policies/in-force';
import type { Services } from '../../shared/services';
import { LeftToOperations } from './left-to-operations';

/** Looks once more whether the group may be deleted at all, and who owns it. What is written then is the last moment to renew it. */
export async function beginDeleting(
  services: Services,
  life: GroupLife,
  group: Group,
  rules: LifetimePolicy,
  at: Date,
): Promise<LifeStep> {
  const { directory, records } = services;
  await needFeature(services, 'own-groups');
  const [owners, { policy }, isNamedByPolicy] = await Promise.all([
    directory.owners(group.id),
    policyInForce(services, group.id),
    records.policies.isNamed(group.id),
  ]);
  // whether it is open to self-service says nothing about whether it is needed
  const refusal = await refuseGroup(services, { group, policy: { ...policy, optedIn: true }, isNamedByPolicy });
  if (refusal !== undefined)
    throw new LeftToOperations({
      rule: refusal.rule,
      sentence: `The group has expired and would be deleted, but others count on it: ${refusal.sentence}`,
    });
  return startDeleting(
    life,
    owners.map(({ id }) => id),
    rules,
    at,
  );
}

/** Softly: it can be restored for 30 days. One that is gone already was deleted by an earlier attempt. */
export async function finishDeleting(services: Services, life: GroupLife, at: Date): Promise<LifeStep> {
  await needFeature(services, 'own-groups');
  await services.directory.deleteGroup(life.group.id);
  return groupDeleted(life, at);
}
