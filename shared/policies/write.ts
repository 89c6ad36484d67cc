import type { Approver } from '../domain/approvers';
import { isProtected, refuseGroupKind, refusals } from '../domain/eligibility';
import type { Refusal } from '../domain/eligibility';
import { howManyNamed, MOST_NAMED, namedIn, wellFormed } from '../domain/policy';
import type { Named, Policy } from '../domain/policy';
import { refuseTooFew, whoMayDecide } from '../join-requests/who-may-decide';
import type { PolicyVersion, PolicyWriter } from '../records/policies';
import { Conflict } from '../records/tables';
import type { Services } from '../services';
import type { FieldError } from '../web/problem';

/** What a policy is of: one group, or all that have none of their own. */
export type PolicyScope = { groupId: string } | 'default';

export type WriteResult =
  | { kind: 'written'; document: PolicyVersion }
  /** Ids that the directory does not know, or more approvals than there are people. */
  | { kind: 'invalid'; errors: FieldError[] }
  /** The group can't be self-service. */
  | { kind: 'refused'; refusal: Refusal }
  /** It was changed since it was read. */
  | { kind: 'changed'; present: PolicyVersion | undefined };

/** The version that a policy document must have for a change of it; `none` where there must be none. */
export type Expected = number | 'none';

/** Checks the policy against the directory, as a whole, and writes it as a new version. The old versions stay. */
export async function writePolicy(
  services: Services,
  scope: PolicyScope,
  policy: Policy,
  by: PolicyWriter & { expected: Expected },
  at: Date,
): Promise<WriteResult> {
  const { policies } = services.records;
  const present = scope === 'default' ? await policies.ofAll() : await policies.ofGroup(scope.groupId);
  if ((present?.version ?? 'none') !== by.expected) return { kind: 'changed', present };

  const objection = await checkPolicy(services, scope, policy);
  if (objection !== undefined) return objection;

  try {
    const etag = present?.etag;
    const document = await policies.write(scope, policy, { ...by, at, ...(etag !== undefined && { etag }) });
    return { kind: 'written', document };
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return {
      kind: 'changed',
      present: scope === 'default' ? await policies.ofAll() : await policies.ofGroup(scope.groupId),
    };
  }
}

/** What the directory holds against the policy, as a whole; nothing is written. */
export async function checkPolicy(
  services: Services,
  scope: PolicyScope,
  policy: Policy,
): Promise<Extract<WriteResult, { kind: 'invalid' | 'refused' }> | undefined> {
  const refusal = scope === 'default' || !policy.optedIn ? undefined : await refuseKind(services, scope.groupId);
  if (refusal !== undefined) return { kind: 'refused', refusal };
  const errors = await againstDirectory(services, scope, policy);
  return errors.length > 0 ? { kind: 'invalid', errors } : undefined;
}

/** What the directory holds against the well-formed parts of a body that is no policy: whoever writes it is told all at once. */
export async function checkDraft(services: Services, scope: PolicyScope, draft: unknown): Promise<FieldError[]> {
  const { policy, has } = wellFormed(draft);
  // that it names too many is among what is wrong with it: they are not all looked up
  if (howManyNamed(policy) > MOST_NAMED) return [];
  const isWhole = has('stages') && has('fallbackApprovers');
  return againstDirectory(services, scope, { ...policy, optedIn: policy.optedIn && isWhole });
}

async function againstDirectory(services: Services, scope: PolicyScope, policy: Policy): Promise<FieldError[]> {
  const unknown = [...ownGroup(scope, policy), ...(await unknownIds(services, namedIn(policy)))];
  return unknown.length > 0 || scope === 'default' ? unknown : tooFew(services, scope.groupId, policy);
}

async function refuseKind({ config, directory, records }: Services, groupId: string): Promise<Refusal | undefined> {
  const group = await directory.group(groupId);
  if (group === undefined) return refusals.groupNotFound;
  const kind = refuseGroupKind(group, group.onPremisesSyncEnabled && (await directory.isCloudManaged(groupId)));
  if (kind !== undefined) return kind;
  const isNamed = await records.policies.isNamed(groupId);
  return isNamed || isProtected(group, config.PROTECTED_GROUPS) ? refusals.groupProtected : undefined;
}

/** A group whose members decide about others, or may ask, can't be joined here: naming itself it would be closed for good. */
const ownGroup = (scope: PolicyScope, policy: Policy): FieldError[] =>
  namedIn(policy)
    .filter(({ kind, id }) => kind === 'group' && scope !== 'default' && id === scope.groupId)
    .map(({ pointer }) => ({
      pointer,
      detail: 'This is the group itself: nobody could join it any more. Name another group, or the owners.',
    }));

/** Ids that the directory does not know, and people who could not decide. */
export async function unknownIds(
  { directory }: Pick<Services, 'directory'>,
  named: readonly Named[],
): Promise<FieldError[]> {
  const checked = await Promise.all(
    named.map(async ({ kind, id, pointer }): Promise<FieldError[]> => {
      if (kind === 'group') {
        const group = await directory.group(id);
        return group === undefined
          ? [{ pointer, detail: `There is no group ${id}. Give the object id of a group.` }]
          : [];
      }
      const person = await directory.person(id);
      if (person === undefined)
        return [{ pointer, detail: `There is no person ${id}. Give the object id of a person.` }];
      if (!person.accountEnabled || person.isGuest || person.mail === null) {
        const detail = `${person.displayName} can’t decide: approvers must be enabled, have a mailbox, and not be guests. Name somebody else.`;
        return [{ pointer, detail }];
      }
      return [];
    }),
  );
  return checked.flat();
}

/** Stands for the manager of whoever asks. */
const SOME_MANAGER: Approver = { id: 'manager', displayName: 'the manager', mail: '' };

/**
 * Stages that nobody could ever bring to an end, as the directory stands now. A stage with managers depends on who asks; a manager who steps
 * in is one person more, whoever that is.
 */
async function tooFew({ directory }: Services, groupId: string, policy: Policy): Promise<FieldError[]> {
  if (!policy.optedIn) return [];
  const fallbackApprovers = policy.fallbackApprovers.filter(({ kind }) => kind !== 'manager');
  const stepsIn = fallbackApprovers.length < policy.fallbackApprovers.length ? [SOME_MANAGER] : [];
  const checked = await Promise.all(
    policy.stages.map(async ({ parties }, stage): Promise<FieldError[]> => {
      if (parties.some(({ approvers }) => approvers.some(({ kind }) => kind === 'manager'))) return [];
      const rules = { ...policy, fallbackApprovers };
      const people = await whoMayDecide(directory, { groupId, requesterId: '', policy: rules, stage });
      const all = people.map(({ required, approvers }) => ({ required, approvers: [...approvers, ...stepsIn] }));
      if (refuseTooFew(all) === undefined) return [];
      const counts = people.map(({ required, approvers }) => `${String(required)} of ${String(approvers.length)}`);
      return [
        {
          pointer: `/stages/${String(stage)}`,
          detail: `More people must approve than can at this moment (${counts.join(', ')}). Ask for fewer, name more approvers, or name fallbackApprovers.`,
        },
      ];
    }),
  );
  return checked.flat();
}
