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
