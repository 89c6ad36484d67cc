import { MOST_ASKED } from '../domain/approvers';
import type { CreationPolicy, CreationRules } from '../domain/creation-policy';
import { durationMs } from '../domain/duration';
import { hasMailbox } from '../domain/eligibility';
import type { Person } from '../domain/eligibility';
import type { GroupChange, GroupKind, Named, WantedGroup } from '../domain/group-change';
import { SHORTEST_LIFETIME } from '../domain/group-lifetime';
import { tidyName } from '../domain/names';
import type { CheckedName } from '../domain/names';
import type { Services } from '../services';
import type { FieldError } from '../web/problem';
import { changeApprovers } from './approvers';
import { creationPolicyInForce } from './creation-policy';
import { needFeature } from './features';
import { fileChange } from './file';
import type { ChangeRefusal, FileChangeResult, FilingOf, Looked } from './file';
import { checkGroupName } from './names';

/** What somebody asks for who wants a group. */
export interface CreationWish {
  kind: GroupKind;
  displayName: string;
  mailNickname?: string;
  description?: string;
  purpose: string;
  visibility?: 'Public' | 'Private';
  /** ISO 8601 duration: how long the group shall live without being renewed. */
  expires?: string;
  /** Object ids or user principal names of owners besides the creator. */
  owners: readonly string[];
}

const refuse = (rule: string, sentence: string): ChangeRefusal => ({ rule, sentence });

/** Why this person can't create a group of this kind now. */
export async function refuseCreator(
  { directory }: Services,
  creator: Person | undefined,
  { allowed, membersOf }: CreationRules,
): Promise<ChangeRefusal | undefined> {
  if (creator === undefined || !creator.accountEnabled)
    return refuse('creator-not-usable', 'This account is not there, or disabled: it can’t own a group.');
  if (creator.isGuest)
    return refuse('creator-is-guest', 'Guests can’t create groups. Ask somebody of the organisation to.');
  if (!allowed)
    return refuse(
      'kind-not-allowed',
      'Groups of this kind can’t be created here. Choose the other kind, or ask an administrator.',
    );
  if (membersOf !== undefined && (await directory.memberOf(creator.id, membersOf)).length === 0)
    return refuse(
      'creator-not-eligible',
      'Only members of certain groups may create groups of this kind. Ask an administrator.',
    );
  return undefined;
}

/** What keeps this person from being an owner: they must be able to decide, and be told. */
export function ownerProblem(person: Person | undefined, named: string): string | undefined {
  if (person === undefined) return `There is no person ${named}. Give the object id or the user principal name.`;
  if (person.isGuest) return `${person.displayName} is a guest, and guests can’t own groups. Name somebody else.`;
  if (!person.accountEnabled) return `The account of ${person.displayName} is disabled. Name somebody else.`;
  if (!hasMailbox(person))
    return `${person.displayName} has no mailbox and could not be asked to decide. Name somebody else.`;
  return undefined;
}

async function ownersOf(
  { directory }: Services,
  creator: Person,
  named: readonly string[],
  { secondOwner }: CreationRules,
): Promise<{ owners: Named[]; errors: FieldError[] }> {
  const people = await Promise.all(named.map((each) => directory.person(each)));
  const owners: Named[] = [{ id: creator.id, name: creator.displayName }];
  const errors = people.flatMap((person, index): FieldError[] => {
    const pointer = `/owners/${String(index)}`;
    const detail = ownerProblem(person, named[index] ?? '');
    if (detail !== undefined) return [{ pointer, detail }];
    if (person === undefined) return [];
    if (owners.some(({ id }) => id === person.id))
      return [
        {
          pointer,
          detail:
            person.id === creator.id
              ? 'You own the group anyway. Leave yourself out.'
              : `${person.displayName} is named twice. Name each owner once.`,
        },
      ];
    owners.push({ id: person.id, name: person.displayName });
    return [];
  });
  const least = secondOwner || !hasMailbox(creator) ? 2 : 1;
  if (errors.length === 0 && owners.length < least)
    errors.push({
      pointer: '/owners',
      detail: secondOwner
        ? 'Name a second owner: groups of this kind must have one from the start.'
        : 'You have no mailbox and could not be asked to decide. Name another owner.',
    });
  return { owners, errors };
}

export const nameErrors = ({ violations }: CheckedName): FieldError[] =>
  violations.map(({ of, sentence }) => ({ pointer: `/${of}`, detail: sentence }));

export const settledDescription = (text: string | undefined): string | undefined => {
  const tidy = text?.trim();
  return tidy === undefined || tidy === '' ? undefined : tidy;
};

/** A group may live shorter than the policy lets it, not longer. */
function expiryErrors({ expires }: CreationWish, { lifetime: policy }: CreationRules): FieldError[] {
  if (expires === undefined) return [];
  const pointer = '/expires';
  if (durationMs(expires) < durationMs(SHORTEST_LIFETIME))
    return [
      { pointer, detail: `Give ${SHORTEST_LIFETIME} or more: the owners are warned, and must be able to answer.` },
    ];
  if (policy !== undefined && durationMs(expires) > durationMs(policy.lifetime))
    return [
      { pointer, detail: `Groups of this kind live ${policy.lifetime} at most. Give that or less, or leave it out.` },
    ];
  return [];
}

async function lookAtCreation(services: Services, creatorId: string, wish: CreationWish): Promise<Looked> {
  const { directory } = services;
  const [{ policy, version }, creator] = await Promise.all([
    creationPolicyInForce(services),
    directory.person(creatorId),
  ]);
  const rules = policy[wish.kind];
  const refusal = await refuseCreator(services, creator, rules);
  if (refusal !== undefined || creator === undefined)
    return { kind: 'refused', refusal: refusal ?? refuse('creator-not-usable', 'This account is not there.') };
  const [checked, { owners, errors }] = await Promise.all([
    checkGroupName(services, { ...wish, personId: creator.id }, policy),
    ownersOf(services, creator, wish.owners, rules),
  ]);
  const all = [
    ...nameErrors(checked),
    ...(wish.kind === 'security' && wish.visibility !== undefined
      ? [{ pointer: '/visibility', detail: 'Only Microsoft 365 groups have a visibility. Leave it out.' }]
      : []),
    ...expiryErrors(wish, rules),
    ...errors,
  ];
  if (all.length > 0) return { kind: 'invalid', errors: all };

  const { owners: _named, displayName, description, ...rest } = wish;
  const described = settledDescription(description);
  const wanted: WantedGroup = {
    ...rest,
    displayName: tidyName(displayName),
    ...(described !== undefined && { description: described }),
    owners,
  };
  const task = { kind: 'create' as const, wanted };
  const approval = await approvalOf(services, { task, askedBy: creator }, policy, rules);
  if (approval?.people.length === 0) return { kind: 'refused', refusal: noApprovers };
  return {
    kind: 'may',
    asking: { task, as: 'creator', policyVersion: version, ...(approval !== undefined && { approval }) },
  };
}

export const noApprovers = refuse(
  'no-approvers',
  'Nobody can decide this: of those whom the creation policy names nobody is an enabled person with a mailbox that mail reaches, besides you and the owners you named. Ask an administrator.',
);

async function approvalOf(
  { directory }: Services,
  asked: { task: { kind: 'create'; wanted: WantedGroup }; askedBy: { id: string } },
  { fallbackApprovers }: CreationPolicy,
  { approval }: CreationRules,
) {
  if (approval === undefined) return undefined;
  const { approvers, reminders, deadline } = approval;
  const all = await changeApprovers(directory, asked, { approvers, fallback: fallbackApprovers });
  const people = all.slice(0, MOST_ASKED);
  return { approvers, fallback: fallbackApprovers, reminders, deadline, people };
}

/** Asks for a new group. Nothing is written where it is refused. @throws {FeatureOff} */
export async function fileCreation(
  services: Services,
  filing: FilingOf,
  wish: CreationWish,
  at: Date,
): Promise<FileChangeResult> {
  await needFeature(services, 'own-groups');
  return fileChange(services, filing, () => lookAtCreation(services, filing.askedBy.id, wish), at);
}

/** Under this name the group of a change is found again, whoever renames it. */
export const uniqueNameOf = ({ id }: Pick<GroupChange, 'id'>): string => `gatehouse-${id}`;
