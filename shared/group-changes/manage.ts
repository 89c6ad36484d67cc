import { refusals, refuseRequester } from '../domain/eligibility';
import type { Group, Person } from '../domain/eligibility';
import type { GroupChange, Named, PersonTask, Task } from '../domain/group-change';
import { refuseGroup } from '../join-requests/eligibility';
import { policyInForce } from '../policies/in-force';
import type { Services } from '../services';
import { ROLES } from '../web/tokens';
import { creationPolicyInForce } from './creation-policy';
import { nameErrors, ownerProblem, settledDescription } from './create';
import { needFeature } from './features';
import { fileChange } from './file';
import type { ChangeRefusal, FileChangeResult, FilingOf, Looked } from './file';
import type { CheckedName } from '../domain/names';
import { checkGroupName } from './names';

/** What somebody asks to change in a group. */
export type ManageWish =
  | { kind: 'describe'; displayName?: string; description?: string }
  /** `person`: object id or user principal name. */
  | { kind: PersonTask; person: string }
  /** The asker themselves: ceases to be an owner, or a member. */
  | { kind: 'leave-as-owner' | 'leave' };

/** Whoever asks: a person, with their app roles. */
export interface Manager {
  id: string;
  name: string;
  roles: readonly string[];
}

const refuse = (rule: string, sentence: string): ChangeRefusal => ({ rule, sentence });

export const lastOwner = refuse(
  'last-owner',
  'Nobody else who owns this group is enabled and has a mailbox: it would be left to nobody. Add another owner first, or hand it over.',
);
export const notAnOwner = refuse('not-an-owner', 'This person does not own the group. There is nothing to take away.');
const alreadyOwner = refuse('already-owner', 'This person owns the group already.');
const notAMember = refuse('not-a-member', 'This person is not a member of the group. There is nothing to take away.');
/** The new owner stands, and the directory does not let the old one go. */
export const HANDED_OVER_IN_PART = 'handed-over-in-part';
export const handedOverInPart = (name: string): ChangeRefusal =>
  refuse(
    HANDED_OVER_IN_PART,
    `${name} owns the group now, and whoever handed it over still does: Microsoft Graph does not let them go. They can leave as an owner later.`,
  );
/** A membership that is not of this group's own. */
export const throughGroup = refuse(
  'member-through-group',
  'This person is a member through another group, which is not changed here. Ask the owners of that group.',
);
/** A member offered to own the group while nobody did. */
export const hasOwner = refuse(
  'has-owner',
  'The group has an owner again who can decide. Nothing is left to take over.',
);
export const notAMemberNow = refuse(
  'not-a-member',
  'Only members of the group are asked to take it over, and this person is none any more.',
);
export const noLongerYours = refuse(
  'no-longer-yours',
  'Whoever asked for this does not own the group any more. The owners it has now can ask for it.',
);

/** Whether the person could be asked to decide: only such owners count. */
const isUsable = (person: Person): boolean => ownerProblem(person, '') === undefined;

export const hasUsableOwner = (owners: readonly Person[]): boolean => owners.some(isUsable);

/** Whether the group keeps an owner who can decide, without `leaving` and with `coming`. */
export const keepsOwner = (owners: readonly Person[], leaving: string, coming?: Person): boolean =>
  [...owners, ...(coming === undefined ? [] : [coming])].some((person) => person.id !== leaving && isUsable(person));

/** Group and people as they are now. */
interface Now {
  group: Group;
  owners: Person[];
  /** The person whom it is about. */
  person?: Person;
}

/** The right in which somebody may ask for this; `undefined` where they have none. */
function rightTo(task: ManageWish['kind'], me: Manager, { owners, person }: Now): GroupChange['as'] | undefined {
  if (task === 'leave') return 'self';
  const owns = owners.some(({ id }) => id === me.id);
  if (owns) return 'owner';
  if (task === 'remove-member') {
    if (person?.id === me.id) return 'self';
    if (me.roles.includes(ROLES.operations)) return 'operator';
  }
  const forAdministrators = task === 'describe' || task === 'add-owner' || task === 'remove-owner';
  return forAdministrators && me.roles.includes(ROLES.policy) ? 'administrator' : undefined;
}

/** What a person who is no owner may know of: what is open to self-service; those with a role know all. */
const mayKnow = (me: Manager, hidden: boolean): boolean =>
  !hidden || me.roles.includes(ROLES.operations) || me.roles.includes(ROLES.policy);

async function lookAtManaging(
  services: Services,
  groupId: string,
  me: Manager,
  wish: ManageWish,
  reason: string | undefined,
): Promise<Looked> {
  const { directory, records } = services;
  const isSelf = wish.kind === 'leave' || wish.kind === 'leave-as-owner';
  const named = isSelf ? me.id : 'person' in wish ? wish.person : undefined;
  const [group, owners, person, { policy }, isNamedByPolicy] = await Promise.all([
    directory.group(groupId),
    directory.owners(groupId),
    named === undefined ? undefined : directory.person(named),
    policyInForce(services, groupId),
    records.policies.isNamed(groupId),
  ]);
  const isMember = await directory.isMember(groupId, person?.id ?? me.id);
  const hidden = group === undefined || group.hiddenMembership || !policy.optedIn;
  const belongs = owners.some(({ id }) => id === me.id) || (isSelf && isMember);
  if (group === undefined || (!belongs && !mayKnow(me, hidden))) return { kind: 'not-found' };
  const now: Now = { group, owners, ...(person !== undefined && { person }) };
  const as = rightTo(wish.kind, me, now);
  if (as === undefined) return { kind: 'not-yours' };
  const refusal = await refuseGroup(services, { group, policy, isNamedByPolicy });
  if (refusal !== undefined) return { kind: 'refused', refusal };

  const guests = policy.whoMayAsk.guests;
  const looked = await taskOf(services, wish, me, now, { isMember, guests });
  if (looked.kind !== 'task') return looked;
  return {
    kind: 'may',
    asking: {
      task: looked.task,
      group: { id: group.id, name: group.displayName },
      as,
      ...(reason !== undefined && { reason }),
    },
  };
}

type TaskResult = { kind: 'task'; task: Task } | Extract<Looked, { kind: 'refused' | 'invalid' }>;

const refused = (refusal: ChangeRefusal): TaskResult => ({ kind: 'refused', refusal });
const invalid = (pointer: string, detail: string): TaskResult => ({ kind: 'invalid', errors: [{ pointer, detail }] });

async function taskOf(
  services: Services,
  wish: ManageWish,
  me: Manager,
  now: Now,
  about: { isMember: boolean; guests: boolean },
): Promise<TaskResult> {
  switch (wish.kind) {
    case 'describe':
      return describing(services, wish, me, now.group);
    case 'leave-as-owner':
      return personTask('remove-owner', me.id, me, now, about, services);
    case 'leave':
      return personTask('remove-member', me.id, me, now, about, services);
    case 'add-owner':
    case 'remove-owner':
    case 'hand-over':
    case 'add-member':
    case 'remove-member':
      return personTask(wish.kind, wish.person, me, now, about, services);
  }
}

async function describing(
  services: Services,
  wish: Extract<ManageWish, { kind: 'describe' }>,
  me: Manager,
  group: Group,
): Promise<TaskResult> {
  if (wish.displayName === undefined && wish.description === undefined)
    return invalid('', 'Say what to change: give displayName, description, or both.');
  const description = wish.description === undefined ? undefined : (settledDescription(wish.description) ?? null);
  const task = { kind: 'describe' as const, ...(description !== undefined && { description }) };
  if (wish.displayName === undefined) return { kind: 'task', task };
  const checked = await checkNewName(services, group, wish.displayName, me.id);
  const errors = nameErrors(checked);
  return errors.length > 0
    ? { kind: 'invalid', errors }
    : { kind: 'task', task: { ...task, displayName: checked.displayName } };
}

/** The name as the group would have it, and what is against it; the mail nickname stays as it is. */
async function checkNewName(
  services: Services,
  group: Group,
  displayName: string,
  personId: string,
): Promise<CheckedName> {
  const { policy } = await creationPolicyInForce(services);
  const kind = group.groupTypes.includes('Unified') ? 'microsoft365' : 'security';
  const checked = await checkGroupName(services, { kind, displayName, personId, groupId: group.id }, policy);
  return { ...checked, violations: checked.violations.filter(({ of }) => of === 'displayName') };
}

async function personTask(
  kind: PersonTask,
  named: string,
  me: Manager,
  { owners, person, group }: Now,
  { isMember, guests }: { isMember: boolean; guests: boolean },
  { records }: Services,
): Promise<TaskResult> {
  const isComing = kind === 'add-owner' || kind === 'hand-over';
  const problem = isComing ? ownerProblem(person, named) : undefined;
  if (problem !== undefined) return invalid('/person', problem);
  if (person === undefined)
    return invalid('/person', `There is no person ${named}. Give the object id or the user principal name.`);
  const owns = owners.some(({ id }) => id === person.id);
  const task: Task = { kind, person: namedOf(person) };
  switch (kind) {
    case 'add-owner':
      return owns ? refused(alreadyOwner) : { kind: 'task', task };
    case 'remove-owner':
      if (!owns) return refused(notAnOwner);
      return keepsOwner(owners, person.id) ? { kind: 'task', task } : refused(lastOwner);
    case 'hand-over':
      return person.id === me.id
        ? invalid('/person', 'You own the group already. Name somebody else to hand it over to.')
        : { kind: 'task', task };
    case 'add-member': {
      const refusal = refuseRequester(person, { guests });
      if (refusal !== undefined) return refused(refusal);
      if (!isMember) return { kind: 'task', task };
      const ends = (await records.memberships.read(group.id, person.id))?.grants ?? [];
      // whoever is a member for a time can be made one without an end
      return ends.length > 0 && ends.every(({ until }) => until !== undefined)
        ? { kind: 'task', task }
        : refused(refusals.alreadyMember);
    }
    case 'remove-member':
      return isMember ? { kind: 'task', task } : refused(notAMember);
  }
}

const namedOf = ({ id, displayName }: Person): Named => ({ id, name: displayName });

/** Asks to change a group. Nothing is written where it is refused. @throws {FeatureOff} for what needs more than joining does */
export async function fileManaging(
  services: Services,
  filing: FilingOf,
  asked: { groupId: string; me: Manager; wish: ManageWish; reason?: string },
  at: Date,
): Promise<FileChangeResult> {
  const { groupId, me, wish, reason } = asked;
  // members are what joining may change as well
  const isOfMembers = wish.kind === 'add-member' || wish.kind === 'remove-member' || wish.kind === 'leave';
  if (!isOfMembers) await needFeature(services, 'own-groups');
  return fileChange(services, filing, () => lookAtManaging(services, groupId, me, wish, reason), at);
}

/** What keeps a change of a group from being applied now, although it was right when it was asked for. */
export async function refuseNow(services: Services, change: GroupChange): Promise<ChangeRefusal | undefined> {
  const { directory, records } = services;
  const { task, group: asked, askedBy, as } = change;
  if (task.kind === 'create' || asked === undefined) return undefined;
  const [group, owners, { policy }, isNamedByPolicy] = await Promise.all([
    directory.group(asked.id),
    directory.owners(asked.id),
    policyInForce(services, asked.id),
    records.policies.isNamed(asked.id),
  ]);
  const ofGroup = await refuseGroup(services, { group, policy, isNamedByPolicy });
  if (ofGroup !== undefined) return ofGroup;
  if (as === 'owner' && !owners.some(({ id }) => id === askedBy.id)) return noLongerYours;
  if (task.kind === 'describe') return refuseName(services, group, task, askedBy.id);
  if (as === 'member') {
    if (hasUsableOwner(owners)) return hasOwner;
    if (!(await directory.isMember(asked.id, askedBy.id))) return notAMemberNow;
  }
  const person = await directory.person(task.person.id);
  switch (task.kind) {
    case 'add-owner':
    case 'hand-over': {
      const problem = ownerProblem(person, task.person.name);
      return problem === undefined ? undefined : refuse('owner-not-usable', problem);
    }
    case 'remove-owner':
      if (!owners.some(({ id }) => id === task.person.id)) return notAnOwner;
      return keepsOwner(owners, task.person.id) ? undefined : lastOwner;
    case 'add-member':
      return person === undefined
        ? refusals.requesterNotFound
        : refuseRequester(person, { guests: policy.whoMayAsk.guests });
    case 'remove-member':
      return undefined;
  }
}

/** Another group may have got the name meanwhile, or the rules of names be others. */
async function refuseName(
  services: Services,
  group: Group | undefined,
  { displayName }: Extract<Task, { kind: 'describe' }>,
  personId: string,
): Promise<ChangeRefusal | undefined> {
  if (group === undefined || displayName === undefined || displayName === group.displayName) return undefined;
  const { violations } = await checkNewName(services, group, displayName, personId);
  const [violation] = violations;
  return violation && { rule: violation.rule, sentence: violation.sentence };
}

/** Whether the directory is as the change wants it already: by an attempt whose answer was lost, or by somebody else's hand. */
export async function standsAlready({ directory }: Services, { task, group, askedBy }: GroupChange): Promise<boolean> {
  if (task.kind === 'create' || group === undefined) return false;
  if (task.kind === 'describe') {
    const now = await directory.group(group.id);
    return (
      now !== undefined &&
      (task.displayName === undefined || task.displayName === now.displayName) &&
      (task.description === undefined || (task.description ?? '') === (now.description ?? ''))
    );
  }
  if (task.kind === 'add-member') return directory.isMember(group.id, task.person.id);
  if (task.kind === 'remove-member') return !(await directory.isMember(group.id, task.person.id));
  const owners = new Set((await directory.owners(group.id)).map(({ id }) => id));
  if (task.kind === 'remove-owner') return !owners.has(task.person.id);
  return owners.has(task.person.id) && (task.kind === 'add-owner' || !owners.has(askedBy.id));
}
