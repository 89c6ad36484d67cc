import { wasUsed } from '../domain/group-life';
import type { GroupLife } from '../domain/group-life';
import { lifetimeOf } from '../domain/group-lifetime';
import type { LifetimePolicy } from '../domain/group-lifetime';
import { creationPolicyInForce } from '../group-changes/creation-policy';
import type { Services } from '../services';

/** What a group lives by at this moment: the creation policy in force, whatever it said when the group was created. */
export interface LifeRules {
  /** `undefined`: it lives for ever. */
  rules: LifetimePolicy | undefined;
  /** Who is told what no owner is. */
  fallbackAddress?: string;
}

/** When Microsoft 365, which alone counts that, saw the group used or renewed since its time began. */
export async function usedAt({ directory }: Pick<Services, 'directory'>, life: GroupLife): Promise<Date | undefined> {
  if (life.kind !== 'microsoft365') return undefined;
  const renewedAt = await directory.renewedAt(life.group.id);
  return wasUsed(life, renewedAt) ? renewedAt : undefined;
}

export async function lifeRules(
  services: Pick<Services, 'records'>,
  { kind, expires }: Pick<GroupLife, 'kind' | 'expires'>,
): Promise<LifeRules> {
  const { policy } = await creationPolicyInForce(services);
  const { fallbackAddress } = policy;
  return {
    rules: lifetimeOf(policy[kind].lifetime, expires),
    ...(fallbackAddress !== undefined && { fallbackAddress }),
  };
}
