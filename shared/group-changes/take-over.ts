import { refusals } from '../domain/eligibility';
import type { Approval, GroupChange } from '../domain/group-change';
import type { Care } from '../domain/ownerless';
import type { Policy } from '../domain/policy';
import { refuseGroup } from '../join-requests/eligibility';
import { policyInForce } from '../policies/in-force';
import type { Services } from '../services';
import { changeApprovers } from './approvers';
import { ownerProblem } from './create';
import { needFeature } from './features';
import { changeId, fileChange } from './file';
import type { ChangeRefusal, FileChangeResult, FilingOf, Looked } from './file';
import { hasOwner, hasUsableOwner, notAMemberNow } from './manage';

const REMINDERS = ['P3D', 'P7D', 'P10D'];
const DEADLINE = 'P14D';

export const nobodyApproves: ChangeRefusal = {
  rule: 'no-approvers',
  sentence:
    'Nobody can approve that a member takes the group over: its policy names no fallback approvers who are enabled people with a mailbox. Name some, or add an owner.',
};

/**
 * Who approves that somebody takes over a group that nobody owns: those who stand in for missing owners. Owners are none of them: there
 * are none.
 */
export async function approvalOfTakingOver(
  { directory }: Services,
  { fallbackApprovers }: Pick<Policy, 'fallbackApprovers'>,
  person: { id: string; name: string },
): Promise<Pick<Approval, 'approvers' | 'fallback' | 'reminders' | 'deadline' | 'people'>> {
  const asked = { approvers: fallbackApprovers.filter(({ kind }) => kind !== 'owners'), fallback: [] };
  const people = await changeApprovers(directory, { task: { kind: 'add-owner', person }, askedBy: person }, asked);
  return { ...asked, reminders: REMINDERS, deadline: DEADLINE, people };
}

/** A person offers once in each shortage of owners. */
const offerOf = ({ id, shortage }: Care, askedBy: { id: string; name: string }) => ({
  askedBy,
  scope: `take-over/${id}`,
  idempotency: { key: String(shortage), body: '' },
});

/** What became of the person's own offer in this shortage, where they made one. */
export async function ownOffer(
  { records }: Services,
  care: Care,
  me: { id: string; name: string },
): Promise<GroupChange | undefined> {
  return (await records.changes.read(changeId(offerOf(care, me))))?.request;
}

/** A member offers to own the group that nobody owns: a group change, which waits for its approval. @throws {FeatureOff} */
export async function fileTakingOver(
  services: Services,
  care: Care,
  { me, ...filing }: { me: { id: string; name: string } } & Pick<FilingOf, 'via' | 'admitted'>,
  at: Date,
): Promise<FileChangeResult> {
  await needFeature(services, 'own-groups');
  return fileChange(services, { ...filing, ...offerOf(care, me) }, () => lookAtTakingOver(services, care.id, me), at);
}

async function lookAtTakingOver(
  services: Services,
  groupId: string,
  me: { id: string; name: string },
): Promise<Looked> {
  const { directory, records } = services;
  const [group, owners, person, { policy, version }, isNamedByPolicy, isMember] = await Promise.all([
    directory.group(groupId),
    directory.owners(groupId),
    directory.person(me.id),
    policyInForce(services, groupId),
    records.policies.isNamed(groupId),
    directory.isMember(groupId, me.id),
  ]);
  const refused = (refusal: ChangeRefusal): Looked => ({ kind: 'refused', refusal });
  const ofGroup = await refuseGroup(services, { group, policy, isNamedByPolicy });
  if (group === undefined || ofGroup !== undefined) return refused(ofGroup ?? refusals.groupNotFound);
  if (hasUsableOwner(owners)) return refused(hasOwner);
  if (!isMember) return refused(notAMemberNow);
  const problem = ownerProblem(person, me.name);
  if (problem !== undefined) return refused({ rule: 'owner-not-usable', sentence: problem });
  const approval = await approvalOfTakingOver(services, policy, me);
  if (approval.people.length === 0) return refused(nobodyApproves);
  return {
    kind: 'may',
    asking: {
      task: { kind: 'add-owner', person: me },
      group: { id: group.id, name: group.displayName },
      as: 'member',
      policyVersion: version,
      approval,
    },
  };
}
