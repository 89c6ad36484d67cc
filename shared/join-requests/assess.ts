import type { Party } from '../domain/approvers';
import { refusals } from '../domain/eligibility';
import type { Group, Person, Refusal } from '../domain/eligibility';
import { namedIn } from '../domain/policy';
import type { Policy } from '../domain/policy';
import { policyInForce } from '../policies/in-force';
import type { PolicyInForce } from '../policies/in-force';
import { isEnding } from '../records/memberships';
import type { Membership } from '../records/memberships';
import type { Services } from '../services';
import { hasExpired, refuse } from './eligibility';
import { refuseTooFew, whoMayDecide } from './who-may-decide';

/** What would happen if this person asked for this group now. */
export interface Assessment {
  group?: Group;
  person?: Person;
  policy: Policy;
  version: string;
  /** Who may decide, stage by stage. */
  stages: Party[][];
  /** An owner of the group, whom its policy lets join without anybody being asked. */
  asOwner: boolean;
  /** A member through a grant that ends then: the request asks to go on with it. */
  extends?: { until: string };
  /** The first rule that keeps the request from being filed. */
  refusal?: Refusal;
}

const namesItself = (groupId: string, policy: Policy): boolean => namedIn(policy).some(({ id }) => id === groupId);

const isObjectId = (person: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(person);

/**
 * What is looked at, and `draft` instead of the policy in force. `person` is an object id or user principal name; `admit` is given the
 * object id, or what was given where the directory knows nobody of that name, and rejects where the caller may not ask about them now.
 */
export interface Asked {
  groupId: string;
  person: string;
  draft?: Policy;
  admit?: (personId: string) => Promise<void>;
}

/**
 * Looks at group, person and policy. Makes the same calls whatever it finds, so that what is hidden can't be told from what does not
 * exist; each as soon as what it needs is known, because somebody waits.
 */
export async function assess(services: Services, asked: Asked): Promise<Assessment> {
  const { directory, records } = services;
  const { groupId } = asked;
  const inForce: Promise<PolicyInForce> =
    asked.draft === undefined
      ? policyInForce(services, groupId)
      : Promise.resolve({ policy: asked.draft, version: 'draft' });
  const found = directory.person(asked.person);
  const known = isObjectId(asked.person)
    ? Promise.resolve(asked.person)
    : found.then((person) => person?.id ?? asked.person);

  const [group, isNamedByPolicy, isOver, person, { policy, version }, isMember, membership, stages, isOwner] =
    await Promise.all([
      directory.group(groupId),
      records.policies.isNamed(groupId),
      hasExpired(services, groupId),
      found,
      inForce,
      known.then((id) => directory.isMember(groupId, id)),
      known.then((id) => records.memberships.read(groupId, id)),
      Promise.all([inForce, known]).then(([{ policy: rules }, id]) =>
        Promise.all(
          rules.stages.map((_, stage) => whoMayDecide(directory, { groupId, requesterId: id, policy: rules, stage })),
        ),
      ),
      Promise.all([inForce, known]).then(async ([{ policy: rules }, id]) =>
        rules.ownersJoinWithoutAsking ? (await directory.owners(groupId)).some((owner) => owner.id === id) : false,
      ),
      known.then((id) => asked.admit?.(id)),
    ]);

  const extension = isMember ? extensible(membership) : undefined;
  const refusal =
    (await refuse(services, {
      group,
      person,
      policy,
      isNamedByPolicy: isNamedByPolicy || namesItself(groupId, policy),
      hasExpired: isOver,
    })) ??
    (isMember && extension === undefined && !(membership && isEnding(membership))
      ? refusals.alreadyMember
      : undefined) ??
    (isOwner ? undefined : stages.map((parties) => refuseTooFew(parties)).find((each) => each !== undefined));
  return {
    ...(group && { group }),
    ...(person && { person }),
    policy,
    version,
    stages,
    asOwner: isOwner,
    ...(extension && { extends: extension }),
    ...(refusal && { refusal }),
  };
}

/** The end of the membership that an extension goes on from: the latest of the grants, where all of them end. */
function extensible(membership: Membership | undefined): { until: string } | undefined {
  // one that somebody ended is over, whenever the directory is changed
  const ends = (membership?.grants ?? []).filter(({ ending }) => ending !== true).map(({ until }) => until);
  if (membership?.wanted !== 'in' || ends.length === 0 || ends.includes(undefined)) return undefined;
  return { until: ends.filter((until) => until !== undefined).reduce((a, b) => (a > b ? a : b)) };
}
