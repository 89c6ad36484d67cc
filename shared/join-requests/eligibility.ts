import type { Directory } from '../directory/directory';
import { refusals, refuseGroupKind, refuseRequester } from '../domain/eligibility';
import type { Group, Person, Refusal } from '../domain/eligibility';
import type { Policy } from '../domain/policy';
import type { Services } from '../services';

export interface PolicyInForce {
  policy: Policy;
  /** Names the document and its version: `group@3`, `default@1`, or `setting` where no administrator wrote one yet. */
  version: string;
}

/** The group's own policy, else the default that administrators wrote, else the one in the settings. */
export async function policyInForce({ config, records }: Services, groupId: string): Promise<PolicyInForce> {
  const [own, all] = await Promise.all([records.policies.ofGroup(groupId), records.policies.ofAll()]);
  if (own !== undefined) return { policy: own.policy, version: `group@${String(own.version)}` };
  if (all !== undefined) return { policy: all.policy, version: `default@${String(all.version)}` };
  return { policy: config.DEFAULT_POLICY, version: 'setting' };
}

/** The first rule by which this group or this person keeps a request from being filed or applied now, apart from membership. */
export async function refuse(
  directory: Directory,
  group: Group | undefined,
  person: Person | undefined,
  policy: Policy,
): Promise<Refusal | undefined> {
  if (group === undefined) return refusals.groupNotFound;
  if (!policy.optedIn) return refusals.groupNotSelfService;
  const isCloudManaged = group.onPremisesSyncEnabled && (await directory.isCloudManaged(group.id));
  const kind = refuseGroupKind(group, isCloudManaged);
  if (kind !== undefined) return kind;
  if (person === undefined) return refusals.requesterNotFound;
  return refuseRequester(person, { guests: policy.guests });
}
