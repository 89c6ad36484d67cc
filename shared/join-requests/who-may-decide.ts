import type { Directory } from '../directory/directory';
import { eligibleApprovers, everyoneOf, suffices } from '../domain/approvers';
import type { Approver, Party } from '../domain/approvers';
import type { Person } from '../domain/eligibility';
import { refusals } from '../domain/eligibility';
import type { Refusal } from '../domain/eligibility';
import { policyNow } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import type { ApproverSource, Policy } from '../domain/policy';

type Asked = Pick<Deciding, 'groupId' | 'requesterId'>;

async function peopleOf(
  directory: Directory,
  source: ApproverSource,
  { groupId, requesterId }: Asked,
): Promise<Person[]> {
  switch (source.kind) {
    case 'owners':
      return directory.owners(groupId);
    case 'groupMembers':
      return directory.members(source.groupId);
    case 'manager': {
      const manager = await directory.manager(requesterId);
      return manager === undefined ? [] : [manager];
    }
    case 'people':
      return (await Promise.all(source.ids.map((id) => directory.person(id)))).filter((person) => person !== undefined);
  }
}

async function fromSources(
  directory: Directory,
  sources: readonly ApproverSource[],
  asked: Asked,
): Promise<Approver[]> {
  const candidates = await Promise.all(sources.map((source) => peopleOf(directory, source, asked)));
  return eligibleApprovers(candidates.flat(), asked.requesterId);
}

export interface Deciding {
  groupId: string;
  requesterId: string;
  policy: Pick<Policy, 'fallbackApprovers'> & { stages: readonly Pick<Policy['stages'][number], 'parties'>[] };
  stage: number;
  /** People whom no mail reaches: they may decide, but others step in for them. */
  unreachable?: readonly string[];
  /** Nobody decided for too long: the fallback approvers may as well. */
  escalated?: boolean;
}

/**
 * Who may decide at this moment, party by party: the people that the policy names, and the fallback approvers with them where these are
 * too few or too slow. Never the requester.
 */
export async function whoMayDecide(directory: Directory, deciding: Deciding): Promise<Party[]> {
  const { policy, stage, unreachable = [], escalated = false } = deciding;
  let fallback: Promise<Approver[]> | undefined;
  return Promise.all(
    (policy.stages[stage]?.parties ?? []).map(async ({ approvers: sources, required }): Promise<Party> => {
      const approvers = await fromSources(directory, sources, deciding);
      const reached = approvers.filter(({ id }) => !unreachable.includes(id));
      if (reached.length >= required && !escalated) return { required, approvers };
      fallback ??= fromSources(directory, policy.fallbackApprovers, deciding);
      return { required, approvers: everyoneOf([{ required, approvers: [...approvers, ...(await fallback)] }]) };
    }),
  );
}

/** The same for a request that stands, at the stage that it is at; whom operations named instead goes before the policy. */
export function partiesOf(directory: Directory, request: JoinRequest): Promise<Party[]> {
  const { group, requester, stage } = request;
  return whoMayDecide(directory, {
    groupId: group.id,
    requesterId: requester.id,
    policy: policyNow(request),
    stage: stage.index,
    ...(stage.unreachable !== undefined && { unreachable: stage.unreachable }),
    ...(stage.escalated === true && { escalated: true }),
  });
}

/** Everyone who may decide a request that stands, at the stage that it is at. */
export async function approversOf(directory: Directory, request: JoinRequest): Promise<Approver[]> {
  return everyoneOf(await partiesOf(directory, request));
}

/** Where so few people can decide that a request could never be approved; `available` says who of them counts. */
export function refuseTooFew(
  parties: readonly Party[],
  available: (approver: Approver) => boolean = () => true,
): Refusal | undefined {
  const counts = parties.map(({ required, approvers }) => [required, approvers.filter(available).length] as const);
  if (counts.some(([, count]) => count === 0)) return refusals.noApprovers;
  const ids = new Set(
    everyoneOf(parties)
      .filter(available)
      .map(({ id }) => id),
  );
  return suffices(parties, ids) ? undefined : refusals.tooFewApprovers;
}
