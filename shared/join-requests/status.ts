import { z } from 'zod';

import { approvals, isOpen, isOverdue, stagePolicy } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import type { Dossier } from '../records/join-requests';
import type { RecordedEntry } from '../records/trail';
import type { Services } from '../services';
import { ROLES } from '../web/tokens';
import type { Caller } from '../web/tokens';
import { sentenceOf } from './timeline';
import { approversOf } from './who-may-decide';

/** Whether the row alone lets the caller read the request: the requester, the system that filed it, operations, and people it names as approvers. */
export function mayRead(caller: Caller, request: JoinRequest): boolean {
  switch (caller.kind) {
    case 'nobody':
      return false;
    case 'app':
      return (
        caller.roles.includes(ROLES.operations) ||
        (caller.roles.includes(ROLES.submit) && request.filedBy.kind === 'app' && request.filedBy.id === caller.id)
      );
    case 'person':
      return caller.id === request.requester.id || caller.roles.includes(ROLES.operations);
  }
}

/** The request with all that is kept of it, where the caller may read it. */
export async function readJoinRequest(
  { records, directory }: Services,
  id: string,
  caller: Caller,
): Promise<Dossier | undefined> {
  const dossier = await records.requests.dossier(id);
  if (dossier === undefined) return undefined;
  const { request } = dossier.stored;
  if (mayRead(caller, request)) return dossier;
  if (caller.kind !== 'person') return undefined;
  // people who were asked keep seeing how it ended; else only who may decide now
  if (!isOpen(request) && dossier.links.has(caller.id)) return dossier;
  const approvers = await approversOf(directory, request);
  return approvers.some((approver) => approver.id === caller.id) ? dossier : undefined;
}

const named = z.object({ id: z.string(), name: z.string() });
const time = z.iso.datetime();

/** What the API says of a request. */
export const statusSchema = z.object({
  id: z.string().describe('32 hexadecimal digits.'),
  state: z.enum([
    'pending',
    'approved',
    'applying',
    'granted',
    'ended',
    'denied',
    'withdrawn',
    'expired',
    'cancelled',
    'failed',
  ]),
  group: named,
  requester: named,
  justification: z.string(),
  filedAt: time,
  duration: z.string().optional().describe('ISO 8601 duration of the membership; absent: without an end.'),
  policyVersion: z.string().describe('The policy under which it is decided.'),
  waitingFor: z
    .object({ what: z.enum(['mail', 'decision', 'directory', 'operations']), sentence: z.string() })
    .nullable(),
  nextStepAt: time.optional(),
  overdue: z.boolean().optional(),
  stage: z.object({ number: z.int(), of: z.int(), required: z.int(), approvals: z.int() }).optional(),
  approvers: z.array(named).optional().describe('Who may decide now.'),
  membership: z
    .object({
      from: time,
      until: time.optional(),
      ended: z.object({ how: z.enum(['lapsed']), at: time, removed: z.boolean() }).optional(),
    })
    .optional(),
  reason: z.object({ rule: z.string(), sentence: z.string() }).optional().describe('Why it was cancelled, or failed.'),
  timeline: z
    .array(
      z.object({
        seq: z.int(),
        at: time,
        event: z.string(),
        text: z.string(),
        by: z.object({ kind: z.enum(['person', 'app', 'gatehouse']), id: z.string(), name: z.string().optional() }),
      }),
    )
    .optional(),
  links: z.object({ self: z.url() }).optional(),
});

/** Where the request is on its way through the stages. */
export function stageOf(request: JoinRequest): NonNullable<z.output<typeof statusSchema>['stage']> {
  const { stage, policy } = request;
  return {
    number: stage.index + 1,
    of: policy.stages.length,
    required: stagePolicy(request).required,
    approvals: approvals(stage),
  };
}

/** Read from the row that decides, not from a copy. */
export function statusOf(request: JoinRequest, at: Date, dossier?: Dossier): z.output<typeof statusSchema> {
  const {
    id,
    state,
    group,
    requester,
    justification,
    filedAt,
    duration,
    policyVersion,
    stage,
    waitingFor,
    due,
    grant,
    ended,
    reason,
  } = request;
  const pending = state === 'pending';
  return {
    id,
    state,
    group,
    requester,
    justification,
    filedAt,
    ...(duration !== undefined && { duration }),
    policyVersion,
    waitingFor: waitingIn(waitingFor),
    ...(due !== null && isOpen(request) && { nextStepAt: due, overdue: isOverdue(request, at) }),
    ...(pending && {
      stage: stageOf(request),
      approvers: stage.approvers.map(({ id: approverId, displayName }) => ({ id: approverId, name: displayName })),
    }),
    ...(grant !== undefined && { membership: { ...grant, ...(ended !== undefined && { ended }) } }),
    ...(reason !== undefined && { reason }),
    ...(dossier !== undefined && { timeline: dossier.trail.map(timelineEntry) }),
  };
}

const WAITING = {
  mail: 'mail queued: the approvers, or the people to be told, could not be mailed yet',
  decision: 'a decision of the approvers',
  directory: 'Microsoft Graph: the membership is applied as soon as it answers',
  operations: 'operations: see the reason',
} as const;

const waitingIn = (waitingFor: JoinRequest['waitingFor']): z.output<typeof statusSchema>['waitingFor'] =>
  waitingFor === null ? null : { what: waitingFor, sentence: WAITING[waitingFor] };

function timelineEntry(entry: RecordedEntry): NonNullable<z.output<typeof statusSchema>['timeline']>[number] {
  const { seq, at, event, by } = entry;
  return {
    seq,
    at,
    event,
    text: sentenceOf(entry),
    by: { kind: by.kind, id: by.id, ...(by.name !== undefined && { name: by.name }) },
  };
}
