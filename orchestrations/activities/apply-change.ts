import { DirectoryRefused, DirectoryUnavailable } from '../../shared/directory/directory';
import { refusals } from '../../shared/domain/eligibility';
import type { Group } from '../../shared/domain/eligibility';
import { beginLife } from '../../shared/domain/group-life';
import { cancel, created, done, fail, isOwn, startApplying } from '../../shared/domain/group-change';
import type { Applying, GroupChange, PersonTask, Step, WantedGroup } from '../../shared/domain/group-change';
import { GATEHOUSE } from '../../shared/domain/join-request';
import type { Actor } from '../../shared/domain/join-request';
import { approversOfChange } from '../../shared/group-changes/approvers';
import { holdsChangeClaims } from '../../shared/group-changes/claim';
import { creationPolicyInForce } from '../../shared/group-changes/creation-policy';
import { ownerProblem, refuseCreator, uniqueNameOf } from '../../shared/group-changes/create';
import { FeatureOff, needFeature } from '../../shared/group-changes/features';
import type { ChangeRefusal } from '../../shared/group-changes/file';
import { handedOverInPart, lastOwner, refuseNow, standsAlready, throughGroup } from '../../shared/group-changes/manage';
import { checkGroupName } from '../../shared/group-changes/names';
import { lifeRules } from '../../shared/group-lives/rules';
import { endMembership } from '../../shared/join-requests/grants';
import { defaultPolicy } from '../../shared/policies/in-force';
import type { StoredChange } from '../../shared/records/group-changes';
import { Conflict, retryOnConflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { event } from '../../shared/telemetry';
import { changeOrPostponed, standingOf } from './change-standing';
import { dropRefusedGrant, giveGrant, makeSo, withGrant } from './membership';
import { gone, isBelieved, MISSED_BEFORE, timeOf } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:applyChange';

/**
 * Applies a change: checks everything again, writes `applying` into the row, then calls Graph, then writes the outcome. Each call may be
 * repeated: a creation finds the group by its unique name, an owner or member who is there or gone already is as wanted.
 */
export function applyChange(services: Services, input: StepInput): Promise<Standing> {
  const at = timeOf(input);
  return changeOrPostponed(services, input, ROUTE, () =>
    retryOnConflict(async () => {
      const stored = await services.records.changes.read(input.requestId);
      if (stored === undefined) return gone();
      if (!isToApply(stored.request)) return standingOf(await withoutLeftGrant(services, stored.request));
      try {
        const applying =
          stored.request.state === 'applying'
            ? await resume(services, stored, input, at)
            : await begin(services, stored, input, at);
        return applying.request.state === 'applying'
          ? standingOf((await apply(services, applying, input, at)).request)
          : standingOf(applying.request);
      } catch (error) {
        const why = failureOf(error);
        if (why === undefined) throw error;
        const now = await services.records.changes.read(input.requestId);
        if (now === undefined) return gone();
        // another delivery came through meanwhile
        if (!isToApply(now.request)) return standingOf(now.request);
        event('request-failed', { requestId: input.requestId, rule: why.rule });
        return standingOf((await endWithout(services, now, fail(now.request, why, at))).request);
      }
    }),
  );
}

const isToApply = ({ state }: GroupChange): boolean => state === 'approved' || state === 'applying';

const write = ({ records }: Services, stored: StoredChange, step: Step): Promise<StoredChange> =>
  records.changes.write(stored, step, { route: ROUTE });

/** What only operations can mend; `undefined` for what may pass. */
function failureOf(error: unknown): ChangeRefusal | undefined {
  if (error instanceof DirectoryRefused) return { rule: error.code, sentence: error.message };
  if (error instanceof FeatureOff) return { rule: 'feature-off', sentence: error.sentence };
  return undefined;
}

/** Looks at everything again and writes `applying`, or how it ends instead. */
async function begin(services: Services, stored: StoredChange, input: StepInput, at: Date): Promise<StoredChange> {
  const change = stored.request;
  if (!(await holdsChangeClaims(services, change, at))) return write(services, stored, cancel(change, cameSecond, at));
  const looked = await lookAgain(services, change);
  if ('rule' in looked) {
    // the directory may miss for a moment what it has
    if (MAY_PASS.has(looked.rule) && !isBelieved(change, input))
      throw new DirectoryUnavailable('The group or somebody is not there at this moment.');
    return write(services, stored, cancel(change, looked, at));
  }
  return write(services, stored, startApplying(change, looked, at));
}

/**
 * An attempt broke off, maybe long ago: what the directory does not show yet is looked at again as before the first one. What it shows is
 * only to be written down.
 */
async function resume(services: Services, stored: StoredChange, input: StepInput, at: Date): Promise<StoredChange> {
  const change = stored.request;
  const { task } = change;
  if (task.kind === 'create') {
    // from here on the group stands, or may: it is only to be finished
    if (change.group !== undefined) return stored;
    if ((await services.directory.groupByUniqueName(uniqueNameOf(change))) !== undefined) return stored;
  } else if (await standsAlready(services, change)) return stored;
  const refusal =
    task.kind === 'create' ? await refusePeople(services, change, task.wanted) : await refuseNow(services, change);
  if (refusal === undefined) return stored;
  if ((task.kind === 'create' || MAY_PASS.has(refusal.rule)) && !isBelieved(change, input))
    throw new DirectoryUnavailable('The group or somebody is not there at this moment.');
  return endWithout(services, stored, cancel(change, refusal, at));
}

/**
 * Ends the change without what was asked for. The grant in the books goes only once that is written: where another delivery came through
 * first, the write fails and the grant is right.
 */
async function endWithout(services: Services, stored: StoredChange, step: Step): Promise<StoredChange> {
  const ended = await write(services, stored, step);
  await dropWanted(services, ended.request);
  return ended;
}

/** The same where the host died between the two. */
async function withoutLeftGrant(services: Services, change: GroupChange): Promise<GroupChange> {
  const { state, applying } = change;
  if (applying !== undefined && (state === 'cancelled' || state === 'failed')) await dropWanted(services, change);
  return change;
}

/** The grant of a member who was not added: left in the books it would keep them in the group for ever once they came another way. */
async function dropWanted(services: Services, { id, task, group }: GroupChange): Promise<void> {
  if (task.kind !== 'add-member' || group === undefined) return;
  await dropRefusedGrant(services, { id, group, requester: task.person });
}

const MAY_PASS = new Set(['group-not-found', 'requester-not-found', 'owner-not-usable', 'creator-not-usable']);

const cameSecond: ChangeRefusal = {
  rule: 'open-already',
  sentence: 'Another change of the same came first. Look at what stands now, and ask again.',
};

/** Why it can't be applied any more; else what is to be known once the directory is changed. */
async function lookAgain(services: Services, change: GroupChange): Promise<Applying | ChangeRefusal> {
  const { task } = change;
  if (task.kind === 'create') return lookAtCreationAgain(services, change, task.wanted);
  const refusal = await refuseNow(services, change);
  if (refusal !== undefined) return refusal;
  if (await decidedByNobody(services, change)) return deciderGone;
  const { group } = change;
  if (group === undefined || (task.kind !== 'add-member' && task.kind !== 'remove-member')) return {};
  const { directory, records } = services;
  const { id: personId } = task.person;
  const grants = (await records.memberships.read(group.id, personId))?.grants ?? [];
  if (task.kind === 'remove-member') {
    const requests = await Promise.all(grants.map(({ requestId }) => records.requests.read(requestId)));
    return { endsGrants: requests.some((request) => request !== undefined) };
  }
  const wasMember = await directory.isMember(group.id, personId);
  // a member for a time is made one without an end; any other has what was asked for
  return !wasMember || grants.length > 0 ? { wasMember } : refusals.alreadyMember;
}

async function lookAtCreationAgain(
  services: Services,
  change: GroupChange,
  wanted: WantedGroup,
  refused: readonly string[] = [],
): Promise<Applying | ChangeRefusal> {
  await needFeature(services, 'own-groups');
  const { directory } = services;
  // an attempt before operations were asked may have come through: it must not stand in its own way
  if (refused.length === 0 && (await directory.groupByUniqueName(uniqueNameOf(change))) !== undefined) return {};
  const refusal = await refusePeople(services, change, wanted);
  if (refusal !== undefined) return refusal;
  const { policy } = await creationPolicyInForce(services);
  const checked = await checkGroupName(services, { ...wanted, personId: change.askedBy.id, refused }, policy);
  const [violation] = checked.violations;
  if (violation !== undefined) return { rule: violation.rule, sentence: violation.sentence };
  return { names: { displayName: checked.displayName, mailNickname: checked.mailNickname ?? '' } };
}

/** Why nobody creates this group any more: whoever asked for it, is to own it or approved it may not, or can't. */
async function refusePeople(
  services: Services,
  change: GroupChange,
  wanted: WantedGroup,
): Promise<ChangeRefusal | undefined> {
  const { policy } = await creationPolicyInForce(services);
  const [creator, ...others] = await Promise.all(wanted.owners.map(({ id }) => services.directory.person(id)));
  const refusal = await refuseCreator(services, creator, policy[wanted.kind]);
  if (refusal !== undefined) return refusal;
  const problem = others.map((person, n) => ownerProblem(person, wanted.owners[n + 1]?.name ?? '')).find(Boolean);
  if (problem !== undefined) return { rule: 'owner-not-usable', sentence: problem };
  return (await decidedByNobody(services, change)) ? deciderGone : undefined;
}

/** Whoever approved must still be one who may decide. */
async function decidedByNobody({ directory }: Services, change: GroupChange): Promise<boolean> {
  const decision = change.approval?.decision;
  if (decision === undefined) return false;
  const approvers = await approversOfChange(directory, { ...change, state: 'pending' });
  return !approvers.some(({ id }) => id === decision.personId);
}

const deciderGone: ChangeRefusal = {
  rule: 'decider-not-allowed',
  sentence: 'Whoever approved this may no longer decide about it. Ask for it again.',
};

async function apply(services: Services, stored: StoredChange, input: StepInput, at: Date): Promise<StoredChange> {
  const { task, group } = stored.request;
  // also what was filed before the feature was switched off; members are what joining may change as well
  if (task.kind !== 'add-member' && task.kind !== 'remove-member') await needFeature(services, 'own-groups');
  if (task.kind === 'create') return create(services, stored, task.wanted, input, at);
  if (group === undefined) throw new Error(`change ${stored.request.id} is of no group`);
  if (task.kind === 'describe') {
    const { kind: _kind, ...properties } = task;
    if ((await services.directory.describeGroup(group.id, properties)) === 'gone')
      return write(services, stored, cancel(stored.request, refusals.groupNotFound, at));
    return write(services, stored, done(stored.request, at));
  }
  const refusal = await applyToPerson(services, stored.request, { ...task, group }, input, at);
  return refusal === undefined
    ? write(services, stored, done(stored.request, at))
    : endWithout(services, stored, cancel(stored.request, refusal, at));
}

/** Why it came to nothing, where the directory says so for good. */
async function applyToPerson(
  services: Services,
  change: GroupChange,
  {
    kind,
    person,
    group,
  }: { kind: PersonTask; person: { id: string; name: string }; group: { id: string; name: string } },
  { attempt }: StepInput,
  at: Date,
): Promise<ChangeRefusal | undefined> {
  const { directory, records } = services;
  switch (kind) {
    case 'add-owner':
    case 'hand-over':
      if ((await directory.addOwner(group.id, person.id)) === 'gone') return refusals.groupNotFound;
      if (kind === 'add-owner') return undefined;
      if ((await directory.removeOwner(group.id, change.askedBy.id)) !== 'last') return undefined;
      // the directory may not have seen yet that it has another one
      if (attempt < MOST_LOOKED_FOR)
        throw new DirectoryUnavailable('The directory does not know of the new owner yet.');
      return handedOverInPart(person.name);
    case 'remove-owner':
      return (await directory.removeOwner(group.id, person.id)) === 'last' ? lastOwner : undefined;
    case 'add-member': {
      const applying = { wasMember: change.applying?.wasMember === true };
      const granted = { id: change.id, applying, group, requester: person };
      return (await giveGrant(services, granted, at, undefined)) === 'gone' ? refusals.requesterNotFound : undefined;
    }
    case 'remove-member': {
      await endGrants(services, change, { group, person }, at);
      const wish = await records.memberships.update(group.id, person.id, () => ({
        wanted: 'out',
        addedByGatehouse: true,
        grants: [],
      }));
      const outcome = await makeSo(services, { group, requester: person }, wish);
      if (outcome === 'removed' || !(await directory.isMember(group.id, person.id))) return undefined;
      // the directory may not have seen yet what was just done
      if (attempt < MISSED_BEFORE) throw new DirectoryUnavailable('The directory still shows the membership.');
      return throughGroup;
    }
  }
}

/** Grants that join requests gave end with the membership: their requests say so, and the member is told. */
async function endGrants(
  services: Services,
  change: GroupChange,
  { group, person }: { group: { id: string }; person: { id: string } },
  at: Date,
): Promise<void> {
  const { records } = services;
  const by: Actor = { kind: 'person', id: change.askedBy.id, name: change.askedBy.name };
  const how = isOwn(change) ? 'left' : 'revoked';
  const grants = (await records.memberships.read(group.id, person.id))?.grants ?? [];
  for (const { requestId } of grants) {
    const { reason } = change;
    const ending = { requestId, how, by, via: { route: ROUTE }, ...(reason !== undefined && { reason }) } as const;
    // it ends all grants of the person at once, so one request is enough
    if (((await endMembership(services, ending, at))?.grants ?? []).length > 0) return;
  }
}

/** How often a mail nickname is chosen anew where the directory has it given to somebody meanwhile. */
const MOST_NICKNAMES = 5;

/** The group, its members and its policy: whatever of it stands already is left as it is. */
async function create(
  services: Services,
  started: StoredChange,
  wanted: WantedGroup,
  input: StepInput,
  at: Date,
): Promise<StoredChange> {
  const stored = started.request.group === undefined ? await createOnce(services, started, wanted, input, at) : started;
  const { group, askedBy } = stored.request;
  if (group === undefined) return stored;
  if (wanted.kind === 'microsoft365') {
    const granted = { id: stored.request.id, applying: { wasMember: false } };
    await services.records.memberships.update(group.id, askedBy.id, (before) =>
      withGrant(before, granted, at, undefined),
    );
  }
  await optIn(services, group.id, at);
  await beginsToLive(services, stored.request, { group, wanted }, at);
  return write(services, stored, done(stored.request, at));
}

/** Creates the group, or finds what an earlier attempt created. Where it can't be, the change ends. */
async function createOnce(
  services: Services,
  started: StoredChange,
  wanted: WantedGroup,
  input: StepInput,
  at: Date,
): Promise<StoredChange> {
  const { directory } = services;
  const uniqueName = uniqueNameOf(started.request);
  const stands = (stored: StoredChange, { id, displayName }: Group): Promise<StoredChange> =>
    write(services, stored, created(stored.request, { id, name: displayName }, at));
  const earlier = await directory.groupByUniqueName(uniqueName);
  if (earlier !== undefined) return stands(started, earlier);

  const refused: string[] = [];
  for (let stored = started; ;) {
    const { names } = stored.request.applying ?? {};
    // it was found before
    if (names === undefined) return stands(stored, await found(services, uniqueName, input));
    const ownerIds = wanted.owners.map(({ id }) => id);
    const result = await directory.createGroup({
      uniqueName,
      ...names,
      kind: wanted.kind,
      ...(wanted.description !== undefined && { description: wanted.description }),
      ...(wanted.visibility !== undefined && { visibility: wanted.visibility }),
      ownerIds,
      memberIds: wanted.kind === 'microsoft365' ? ownerIds.slice(0, 1) : [],
    });
    switch (result.kind) {
      case 'created':
        return stands(stored, result.group);
      case 'exists':
        return stands(stored, await found(services, uniqueName, input));
      case 'affixes-refused':
        throw new DirectoryRefused(400, 'naming-policy-refused', AFFIXES_REFUSED);
      case 'word-refused':
        return write(services, stored, cancel(stored.request, wordRefused, at));
      case 'nickname-taken': {
        refused.push(names.mailNickname.toLowerCase());
        const again =
          refused.length < MOST_NICKNAMES && wanted.mailNickname === undefined
            ? await lookAtCreationAgain(services, stored.request, wanted, refused)
            : nicknameTaken;
        stored = await write(
          services,
          stored,
          'rule' in again ? cancel(stored.request, again, at) : startApplying(stored.request, again, at),
        );
        if (stored.request.state !== 'applying') return stored;
      }
    }
  }
}

/** So often the directory may not find what it says is there; after that somebody must have deleted it. */
const MOST_LOOKED_FOR = 8;

/** The directory says that an earlier attempt came through: it is found as soon as all of the directory knows it. */
async function found({ directory }: Services, uniqueName: string, { attempt }: StepInput): Promise<Group> {
  const group = await directory.groupByUniqueName(uniqueName);
  if (group !== undefined) return group;
  if (attempt >= MOST_LOOKED_FOR)
    throw new DirectoryRefused(
      404,
      'group-deleted',
      'The group was created and is not there any more: somebody deleted it. Restore it and try again, or cancel this.',
    );
  throw new DirectoryUnavailable('The group was created, and the directory does not find it yet.');
}

const AFFIXES_REFUSED =
  'Microsoft Entra ID holds Gatehouse to the tenant’s naming policy without the attributes of the person who creates the group, and does not take the name with them. Give the identity of Gatehouse a directory role that the policy exempts, or let the policy use fixed text only; then try again.';
const wordRefused: ChangeRefusal = {
  rule: 'name-has-blocked-word',
  sentence: 'A word of the name is blocked in your organisation. Ask for the group again under another name.',
};
const nicknameTaken: ChangeRefusal = {
  rule: 'nickname-taken',
  sentence: 'Somebody else got the mail nickname meanwhile. Ask for the group again with another one.',
};

/** From now on the group has a life, whose end comes when its policy says so. One that has begun already is left as it is. */
async function beginsToLive(
  services: Services,
  { id: changeId, askedBy }: GroupChange,
  { group, wanted }: { group: { id: string; name: string }; wanted: WantedGroup },
  at: Date,
): Promise<void> {
  const { lives } = services.records;
  if ((await lives.read(group.id)) !== undefined) return;
  const { kind, expires } = wanted;
  const born = { group, kind, ...(expires !== undefined && { expires }) };
  const by: Actor = { kind: 'person', id: askedBy.id, name: askedBy.name };
  const { rules } = await lifeRules(services, born);
  await lives.create(beginLife({ ...born, by, changeId }, rules, at), { route: ROUTE });
}

/** The group gets a policy of its own, that of groups without one, opted in. One that stands already is left as it is. */
async function optIn(services: Services, groupId: string, at: Date): Promise<void> {
  const { policies } = services.records;
  if ((await policies.ofGroup(groupId)) !== undefined) return;
  const { policy } = await defaultPolicy(services);
  try {
    await policies.write({ groupId }, { ...policy, optedIn: true }, { actor: GATEHOUSE, route: ROUTE, at });
  } catch (error) {
    // an administrator was faster
    if (!(error instanceof Conflict)) throw error;
  }
}
