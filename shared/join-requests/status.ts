import { z } from 'zod';

import { DirectoryRefused, DirectoryUnavailable } from '../directory/directory';
import { MOST_ASKED } from '../domain/approvers';
import type { Approver } from '../domain/approvers';
import { approvals, GRANT_ENDS, isOpen, isOverdue, requiredAt } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import { named, time, timelineIn, timelineSchema, waitingForSchema } from '../dossier-status';
import type { Dossier } from '../records/join-requests';
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

/** A request that may be read; `approvers` where they had to be looked up to know that. */
export interface Readable extends Dossier {
  approvers?: readonly Approver[];
}

/** The request with all that is kept of it, where the caller may read it. */
export async function readJoinRequest(
  { records, directory }: Services,
  id: string,
  caller: Caller,
): Promise<Readable | undefined> {
  const dossier = await records.requests.dossier(id);
  if (dossier === undefined) return undefined;
  const { request } = dossier.stored;
  if (mayRead(caller, request)) return dossier;
  if (caller.kind !== 'person') return undefined;
  // people who were asked keep seeing how it ended, and who voted at an earlier stage what became of it; else only who may decide now
  if (!isOpen(request) && dossier.links.has(caller.id)) return dossier;
  if (request.earlierVotes?.some(({ personId }) => personId === caller.id) === true) return dossier;
  const approvers = await approversOf(directory, request);
  return approvers.some((approver) => approver.id === caller.id)
    ? { ...dossier, approvers: approvers.slice(0, MOST_ASKED) }
    : undefined;
}

/** Who may decide at this moment; as it was when last looked up, where the directory can't answer now. */
export async function approversNow({ directory }: Services, request: JoinRequest): Promise<readonly Approver[]> {
  if (request.state !== 'pending') return [];
  try {
    return (await approversOf(directory, request)).slice(0, MOST_ASKED);
  } catch (error) {
    if (error instanceof DirectoryUnavailable || error instanceof DirectoryRefused) return request.stage.approvers;
    throw error;
  }
}

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
  extends: z.object({ until: time }).optional().describe('It asks to go on with a membership that ends then.'),
  policyVersion: z.string().describe('The policy under which it is decided.'),
  waitingFor: waitingForSchema,
  nextStepAt: time.optional(),
  overdue: z.boolean().optional(),
  stage: z.object({ number: z.int(), of: z.int(), required: z.int(), approvals: z.int() }).optional(),
  approvers: z.array(named).optional().describe('Who may decide now.'),
  membership: z
    .object({
      from: time,
      until: time.optional(),
      lapsing: z.boolean().optional().describe('The member lets it end at its time.'),
      ended: z
        .object({
          how: z.enum(GRANT_ENDS),
          at: time,
          removed: z.boolean().describe('Gatehouse took the membership away; else it was not only this request’s.'),
          by: z.string().optional(),
          reason: z.string().optional(),
        })
        .optional(),
    })
    .optional(),
  reason: z.object({ rule: z.string(), sentence: z.string() }).optional().describe('Why it was cancelled, or failed.'),
  timeline: timelineSchema.optional(),
  links: z.object({ self: z.url() }).optional(),
});

/** Where the request is on its way through the stages. */
export function stageOf(request: JoinRequest): NonNullable<z.output<typeof statusSchema>['stage']> {
  const { stage, policy } = request;
  return {
    number: stage.index + 1,
    of: policy.stages.length,
    required: requiredAt(request),
    approvals: approvals(stage),
  };
}

/** Read from the row that decides, not from a copy. */
export function statusOf(
  request: JoinRequest,
  at: Date,
  dossier?: Dossier,
  approvers: readonly Approver[] = request.stage.approvers,
): z.output<typeof statusSchema> {
  const {
    id,
    state,
    group,
    requester,
    justification,
    filedAt,
    duration,
    extends: extension,
    policyVersion,
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
    ...(extension !== undefined && { extends: extension }),
    policyVersion,
    waitingFor: waitingIn(request),
    ...(due !== null && isOpen(request) && { nextStepAt: due, overdue: isOverdue(request, at) }),
    ...(pending && {
      stage: stageOf(request),
      approvers: approvers.map(({ id: approverId, displayName }) => ({ id: approverId, name: displayName })),
    }),
    ...(grant !== undefined && { membership: membershipOf(grant, ended) }),
    ...(reason !== undefined && { reason }),
    ...(dossier !== undefined && { timeline: timelineIn(dossier.trail, sentenceOf) }),
  };
}

function membershipOf(
  { from, until, lapsing }: NonNullable<JoinRequest['grant']>,
  ended: JoinRequest['ended'],
): z.output<typeof statusSchema>['membership'] {
  return {
    from,
    ...(until !== undefined && { until }),
    ...(lapsing === true && { lapsing }),
    ...(ended !== undefined && { ended }),
  };
}

const WAITING = {
  mail: 'mail queued: the approvers, or the people to be told, could not be mailed yet',
  decision: 'a decision of the approvers',
  directory: 'Microsoft Graph: the membership is applied as soon as it answers',
  operations: 'operations: see the reason',
} as const;

function waitingIn({ waitingFor, state, due, stage }: JoinRequest): z.output<typeof statusSchema>['waitingFor'] {
  if (waitingFor === null) return null;
  // nothing failed: the mails of this stage are only about to go
  if (waitingFor === 'mail' && state === 'pending' && due === stage.openedAt)
    return { what: 'mail', sentence: 'mail queued: the approvers are being mailed' };
  return { what: waitingFor, sentence: WAITING[waitingFor] };
}
