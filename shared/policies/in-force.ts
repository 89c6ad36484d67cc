import type { Policy } from '../domain/policy';
import type { PolicyVersion } from '../records/policies';
import type { Services } from '../services';

export interface PolicyInForce {
  policy: Policy;
  /** Names the document and its version: `group@3`, `default@1`, or `setting` where no administrator wrote one yet. */
  version: string;
  /** Present where an administrator wrote it. */
  document?: PolicyVersion;
}

/** The group's own policy, else the default that administrators wrote, else the one in the settings. */
export async function policyInForce({ config, records }: Services, groupId: string): Promise<PolicyInForce> {
  const [own, all] = await Promise.all([records.policies.ofGroup(groupId), records.policies.ofAll()]);
  if (own !== undefined) return { policy: own.policy, version: `group@${String(own.version)}`, document: own };
  return defaultOf(config.DEFAULT_POLICY, all);
}

/** The policy of groups that have none of their own. */
export async function defaultPolicy({ config, records }: Services): Promise<PolicyInForce> {
  return defaultOf(config.DEFAULT_POLICY, await records.policies.ofAll());
}

function defaultOf(setting: Policy, all: PolicyVersion | undefined): PolicyInForce {
  return all === undefined
    ? { policy: setting, version: 'setting' }
    : { policy: all.policy, version: `default@${String(all.version)}`, document: all };
}
