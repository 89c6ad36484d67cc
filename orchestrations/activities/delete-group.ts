import { afterwardsIn, groupDeleted, keepAfterAll, startDeleting } from '../../shared/domain/group-life';
import type { GroupLife, LifeStep } from '../../shared/domain/group-life';
import type { LifetimePolicy } from '../../shared/domain/group-lifetime';
import type { Group } from '../../shared/domain/eligibility';
import { needFeature } from '../../shared/group-changes/features';
import { refuseGroup } from '../../shared/join-requests/eligibility';
import { usedAt } from '../../shared/group-lives/rules';
import { policyInForce } from '../../shared/policies/in-force';
import type { Services } from '../../shared/services';
import type { AtLife } from './attend-life';
import { LeftToOperations } from './left-to-operations';

/** Looks once more whether the group may be deleted at all, and who owns it. What is written then is the last moment to renew it. */
export async function beginDeleting(
  services: Services,
  life: GroupLife,
  group: Group,
  rules: LifetimePolicy,
  at: Date,
): Promise<LifeStep> {
  const { directory } = services;
  await needFeature(services, 'own-groups');
  const [owners] = await Promise.all([directory.owners(group.id), needNobody(services, group)]);
  return startDeleting(
    life,
    owners.map(({ id }) => id),
    rules,
    at,
  );
}

/** @throws {LeftToOperations} where a policy names the group, or it can't be deleted for what it is */
async function needNobody(services: Services, group: Group): Promise<void> {
  const { records } = services;
  const [{ policy }, isNamedByPolicy] = await Promise.all([
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
}

/**
 * Softly: it can be restored for 30 days. One that is gone already was deleted by an earlier attempt. While the directory could not be
 * asked the policy may have changed, somebody come to count on the group, or Microsoft 365 seen it used.
 */
export async function finishDeleting(services: Services, { stored: { life }, rules, at }: AtLife): Promise<LifeStep> {
  const { directory } = services;
  if (afterwardsIn(life, rules)?.how !== 'delete') return keepAfterAll(life, rules, at);
  await needFeature(services, 'own-groups');
  const group = await directory.group(life.group.id);
  if (group !== undefined) {
    await needNobody(services, group);
    if ((await usedAt(services, life)) !== undefined) return keepAfterAll(life, rules, at);
  }
  await directory.deleteGroup(life.group.id);
  return groupDeleted(life, at);
}
