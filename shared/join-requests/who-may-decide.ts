import type { Directory } from '../directory/directory';
import { eligibleApprovers } from '../domain/approvers';
import type { Approver } from '../domain/approvers';
import type { Person } from '../domain/eligibility';
import type { JoinRequest } from '../domain/join-request';
import type { ApproverSource, Policy } from '../domain/policy';

async function peopleOf(directory: Directory, source: ApproverSource, groupId: string): Promise<Person[]> {
  switch (source.kind) {
    case 'owners':
      return directory.owners(groupId);
    case 'groupMembers':
      return directory.members(source.groupId);
    case 'people':
      return (await Promise.all(source.ids.map((id) => directory.person(id)))).filter((person) => person !== undefined);
  }
}

async function fromSources(
  directory: Directory,
  sources: readonly ApproverSource[],
  groupId: string,
  requesterId: string,
  without: ReadonlySet<string>,
): Promise<Approver[]> {
  const candidates = await Promise.all(sources.map((source) => peopleOf(directory, source, groupId)));
  return eligibleApprovers(candidates.flat(), requesterId).filter(({ id }) => !without.has(id));
}

export interface Deciding {
  groupId: string;
  requesterId: string;
  policy: Policy;
  stage: number;
  /** People who can't be reached by mail and so don't count. */
  unreachable?: ReadonlySet<string>;
}

/** Who may decide at this moment: the stage's approvers, or the fallback approvers where it has none; never the requester. */
export async function whoMayDecide(directory: Directory, deciding: Deciding): Promise<Approver[]> {
  const { groupId, requesterId, policy, stage, unreachable = new Set() } = deciding;
  const sources = policy.stages[stage]?.approvers ?? [];
  const approvers = await fromSources(directory, sources, groupId, requesterId, unreachable);
  return approvers.length > 0
    ? approvers
    : fromSources(directory, policy.fallbackApprovers, groupId, requesterId, unreachable);
}

/** The same for a request that stands, at the stage that it is at. */
export function approversOf(
  directory: Directory,
  { group, requester, policy, stage }: JoinRequest,
  unreachable?: ReadonlySet<string>,
): Promise<Approver[]> {
  return whoMayDecide(directory, {
    groupId: group.id,
    requesterId: requester.id,
    policy,
    stage: stage.index,
    ...(unreachable !== undefined && { unreachable }),
  });
}
