import { z } from 'zod';

import { isOpen } from '../domain/group-change';
import type { GroupChange } from '../domain/group-change';
import { named, time, timelineIn, timelineSchema, waitingForSchema } from '../dossier-status';
import type { ChangeDossier } from '../records/group-changes';
import type { Services } from '../services';
import { ROLES } from '../web/tokens';
import type { Caller } from '../web/tokens';
import { approversOfChange } from './approvers';
import { changeSentence } from './timeline';

/** What the API says of a group change. */
export const changeStatusSchema = z.object({
  id: z.string().describe('32 hexadecimal digits.'),
  kind: z.enum(['create', 'describe', 'add-owner', 'remove-owner', 'hand-over', 'add-member', 'remove-member']),
  state: z.enum(['pending', 'approved', 'applying', 'done', 'denied', 'withdrawn', 'expired', 'cancelled', 'failed']),
  group: named.optional().describe('In a creation from when the group stands.'),
  wanted: z
    .object({
      kind: z.enum(['security', 'microsoft365']),
      displayName: z.string(),
      description: z.string().optional(),
      purpose: z.string(),
      visibility: z.string().optional(),
      expires: z.string().optional().describe('How long it shall live without being renewed.'),
      owners: z.array(named),
    })
    .optional()
    .describe('The group that is to be created.'),
  changes: z.object({ displayName: z.string().optional(), description: z.string().nullable().optional() }).optional(),
  person: named.optional().describe('Who is added or removed, or whom the group is handed over to.'),
  askedBy: named,
  askedAt: time,
  as: z.enum(['creator', 'owner', 'self', 'operator', 'administrator', 'member']),
  reason: z.string().optional(),
  policyVersion: z.string().optional().describe('The creation policy under which it is decided.'),
  waitingFor: waitingForSchema,
  nextStepAt: time.optional(),
  approvers: z.array(named).optional().describe('Who may decide, as last looked up.'),
  decision: z
    .object({ by: named, choice: z.enum(['approve', 'deny']), comment: z.string().optional(), at: time })
    .optional(),
  why: z.object({ rule: z.string(), sentence: z.string() }).optional().describe('Why it was cancelled, or failed.'),
  timeline: timelineSchema.optional(),
});
export type ChangeStatus = z.output<typeof changeStatusSchema>;

const WAITING = {
  mail: 'mail queued: those who decide, or are to be told, could not be mailed yet',
  decision: 'a decision of those who may approve it',
  directory: 'Microsoft Graph: the change is applied as soon as it answers',
  operations: 'operations: see why',
} as const;

/** Read from the row that decides, not from a copy. */
export function changeStatus(change: GroupChange, dossier?: ChangeDossier): ChangeStatus {
  const { id, task, group, askedBy, askedAt, as, reason, policyVersion, approval, state, waitingFor, why, due } =
    change;
  const decision = approval?.decision;
  return {
    id,
    kind: task.kind,
    state,
    ...(group !== undefined && { group }),
    ...taskOf(task),
    askedBy,
    askedAt,
    as,
    ...(reason !== undefined && { reason }),
    ...(policyVersion !== undefined && { policyVersion }),
    waitingFor: waitingFor === null ? null : { what: waitingFor, sentence: WAITING[waitingFor] },
    ...(due !== null && isOpen(change) && { nextStepAt: due }),
    ...(state === 'pending' &&
      approval !== undefined && {
        approvers: approval.people.map((person) => ({ id: person.id, name: person.displayName })),
      }),
    ...(decision !== undefined && {
      decision: {
        by: { id: decision.personId, name: decision.name },
        choice: decision.choice,
        ...(decision.comment !== undefined && { comment: decision.comment }),
        at: decision.at,
      },
    }),
    ...(why !== undefined && { why }),
    ...(dossier !== undefined && {
      timeline: timelineIn(dossier.trail, changeSentence),
    }),
  };
}

function taskOf(task: GroupChange['task']): Pick<ChangeStatus, 'wanted' | 'changes' | 'person'> {
  switch (task.kind) {
    case 'create': {
      const { mailNickname: _nickname, ...wanted } = task.wanted;
      return { wanted };
    }
    case 'describe': {
      const { kind: _kind, ...changes } = task;
      return { changes };
    }
    case 'add-owner':
    case 'remove-owner':
    case 'hand-over':
    case 'add-member':
    case 'remove-member':
      return { person: task.person };
  }
}

/**
 * The change with all that is kept of it, where the caller may read it: who asked for it, operations, administrators, the owners that the
 * group has now, and those who may decide or were asked to.
 */
export async function readGroupChange(
  { records, directory }: Services,
  id: string,
  caller: Caller,
): Promise<ChangeDossier | undefined> {
  const dossier = await records.changes.dossier(id);
  if (dossier === undefined || caller.kind === 'nobody') return undefined;
  const { request: change } = dossier.stored;
  if (caller.roles.includes(ROLES.operations)) return dossier;
  if (caller.kind === 'app') return undefined;
  if (caller.roles.includes(ROLES.policy) || caller.id === change.askedBy.id) return dossier;
  const { group } = change;
  if (group !== undefined && (await directory.owners(group.id)).some((owner) => owner.id === caller.id)) return dossier;
  // those who were asked keep seeing how it ended; while it waits, only who may decide now
  if (change.state !== 'pending') return dossier.links.has(caller.id) ? dossier : undefined;
  const approvers = await approversOfChange(directory, change);
  return approvers.some((approver) => approver.id === caller.id) ? dossier : undefined;
}
