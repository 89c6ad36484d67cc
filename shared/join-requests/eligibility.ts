import { isProtected, refusals, refuseGroupKind, refuseRequester } from '../domain/eligibility';
import type { Group, Person, Refusal } from '../domain/eligibility';
import { isExpired } from '../domain/group-life';
import type { JoinRequest } from '../domain/join-request';
import { namedIn } from '../domain/policy';
import type { Policy } from '../domain/policy';
import { policyInForce } from '../policies/in-force';
import type { Services } from '../services';

/** What is known of a group and a person when it is asked whether one may join the other. */
export interface Looked {
  group: Group | undefined;
  person: Person | undefined;
  policy: Policy;
  /** Some policy names the group: its members decide about others, or may ask, so nobody becomes one through Gatehouse. */
  isNamedByPolicy: boolean;
  /** Its time is over, and nobody renewed it. */
  hasExpired: boolean;
}

/** The first rule by which this group keeps its membership from being changed here. */
export async function refuseGroup(
  { config, directory }: Services,
  { group, policy, isNamedByPolicy }: Omit<Looked, 'person' | 'hasExpired'>,
): Promise<Refusal | undefined> {
  if (group === undefined) return refusals.groupNotFound;
  if (!policy.optedIn) return refusals.groupNotSelfService;
  const isCloudManaged = group.onPremisesSyncEnabled && (await directory.isCloudManaged(group.id));
  const kind = refuseGroupKind(group, isCloudManaged);
  if (kind !== undefined) return kind;
  const isNamed = isNamedByPolicy || namedIn(config.DEFAULT_POLICY).some(({ id }) => id === group.id);
  return isNamed || isProtected(group, config.PROTECTED_GROUPS) ? refusals.groupProtected : undefined;
}

/** Whether the group's time is over: groups that were not created here have no end. */
export async function hasExpired({ records }: Services, groupId: string): Promise<boolean> {
  const stored = await records.lives.read(groupId);
  return stored !== undefined && isExpired(stored.life);
}

/** The first rule by which this group or this person keeps a request from being filed or applied now, apart from membership. */
export async function refuse(services: Services, { person, ...looked }: Looked): Promise<Refusal | undefined> {
  const ofGroup = await refuseGroup(services, looked);
  if (ofGroup !== undefined) return ofGroup;
  if (looked.hasExpired) return refusals.groupHasExpired;
  if (person === undefined) return refusals.requesterNotFound;
  const { guests, membersOf } = looked.policy.whoMayAsk;
  const refused = refuseRequester(person, { guests });
  if (refused !== undefined || membersOf === undefined) return refused;
  return (await services.directory.memberOf(person.id, membersOf)).length > 0
    ? undefined
    : refusals.requesterNotEligible;
}

/** What a request's group, person and policy are now, and the first rule by which it can't go on, apart from membership. */
export async function lookAgain(
  services: Services,
  { group: { id: groupId }, requester, policy }: JoinRequest,
): Promise<{ group: Group | undefined; person: Person | undefined; version: string; refusal: Refusal | undefined }> {
  const { directory, records } = services;
  const [group, person, inForce, isNamedByPolicy, isOver] = await Promise.all([
    directory.group(groupId),
    directory.person(requester.id),
    policyInForce(services, groupId),
    records.policies.isNamed(groupId),
    hasExpired(services, groupId),
  ]);
  const refusal =
    (await refuse(services, { group, person, policy, isNamedByPolicy, hasExpired: isOver })) ??
    // it is decided under its own policy, but not against the group's wish to be closed
    (inForce.policy.optedIn ? undefined : refusals.groupNotSelfService);
  return { group, person, version: inForce.version, refusal };
}
