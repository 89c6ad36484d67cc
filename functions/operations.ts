import { z } from 'zod';

import { deadlineOf, isOpen, isOverdue } from '../shared/domain/join-request';
import type { JoinRequest } from '../shared/domain/join-request';
import { MOST_NAMED } from '../shared/domain/operations';
import { stageOf, statusOf, statusSchema } from '../shared/join-requests/status';
import { act } from '../shared/operations/act';
import type { Action } from '../shared/operations/act';
import { running } from '../shared/operations/overview';
import { resendable } from '../shared/operations/resendable';
import type { Dossier } from '../shared/records/join-requests';
import { NEVER_DUE } from '../shared/records/open-rows';
import type { Notes, Walk } from '../shared/records/operations-notes';
import type { Stored } from '../shared/records/join-requests';
import { readJson } from '../shared/web/body';
import { Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import { actorOf, door, json, nudge } from './door';
import type { Visit } from './door';
import { nextOf, queryOf } from './paging';
import { groupId, personName, reasonText, requestParams } from './parameters';

const ADMITS = { people: false, roles: [ROLES.operations] };

type RequestVisit = Visit<z.output<typeof requestParams>>;

const paged = {
  pageSize: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().max(200).default(''),
};
const listQuery = z.strictObject({
  ...paged,
  order: z.enum(['due', 'age'], 'Say due or age.').default('due').describe('By the next step, or oldest first.'),
  only: z.literal('failed', 'Say failed, or leave it out.').optional().describe('Those whose application failed.'),
});

const pageOf = { value: z.array(z.unknown()), nextLink: z.string().optional() };

/** Open requests, the one whose next step is due first on top. */
const listing = door({
  name: 'listOpenRequests',
  method: 'GET',
  route: 'ops/requests',
  admits: ADMITS,
  rule: 'Operations see all open requests.',
  api: {
    summary: 'Open requests, the one whose next step is due first on top, or the oldest',
    query: listQuery,
    answers: {
      200: { description: 'One page; `nextLink` is there while there is more.', body: z.object(pageOf) },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async (visit) => {
    const { records } = visit.services;
    const { after, ...query } = queryOf(visit.request, listQuery);
    const { pageSize, order, only } = query;
    if (order === 'age' && only === undefined) {
      const { rows, next } = await records.lists.byAge(pageSize, after);
      const found = await Promise.all(rows.map(({ id }) => records.requests.read(id)));
      const value = await Promise.all(
        found.flatMap((stored) => (stored !== undefined && isOpen(stored.request) ? [openRequest(visit, stored)] : [])),
      );
      return json(200, { value, ...nextOf(visit.services, 'ops/requests', query, next) });
    }
    const start = only === 'failed' && after === '' ? NEVER_DUE : after;
    const { rows, next } = await records.open.page(pageSize, start);
    const found = await Promise.all(
      rows
        .filter(({ kind }) => kind === 'join')
        .map(async ({ requestId, due }) => {
          const stored = await records.requests.read(requestId);
          return stored !== undefined && (stored.request.due ?? NEVER_DUE) === due ? stored : undefined;
        }),
    );
    const value = await Promise.all(
      found.filter((stored) => stored !== undefined).map((stored) => openRequest(visit, stored)),
    );
    return json(200, { value, ...nextOf(visit.services, 'ops/requests', query, next) });
  },
});

async function openRequest(visit: Visit<unknown>, { request }: Stored) {
  const { group, requester, state, filedAt, waitingFor, reason, id } = request;
  return {
    id,
    state,
    group,
    requester,
    filedAt,
    ageSeconds: Math.max(0, Math.round((visit.at.getTime() - new Date(filedAt).getTime()) / 1_000)),
    stage: stageOf(request),
    waitingFor,
    nextStepAt: request.due,
    overdue: isOverdue(request, visit.at),
    ...(reason !== undefined && { reason }),
    orchestration: await orchestrationOf(visit, id),
  };
}

/** What the engine says of the request's workflow; null where there is none, or no more. */
export async function orchestrationOf(
  { workflows, log }: Visit<unknown>,
  requestId: string,
): Promise<{ runtimeStatus: string; customStatus: unknown } | null> {
  try {
    return (await workflows.join.status(requestId)) ?? null;
  } catch (error) {
    log.warn(`The orchestration of ${requestId} could not be looked up: ${String(error)}`);
    return { runtimeStatus: 'Unknown', customStatus: null };
  }
}

const ENDED = ['Completed', 'Failed', 'Terminated', 'Canceled'];
/** Whether the workflow runs; one that can't be looked up is not taken for lost. */
export const runs = (orchestration: { runtimeStatus: string } | null): boolean =>
  orchestration !== null && !ENDED.includes(orchestration.runtimeStatus);

/** What can be done to a request, but for sending mails again. */
export function possible(request: JoinRequest, isRunning: boolean): Exclude<Action['action'], 'resend'>[] {
  const { state, due } = request;
  return [
    ...(state === 'failed' ? (['retry'] as const) : []),
    ...(state === 'pending' ? (['reroute', 'extend'] as const) : []),
    ...(due !== null && !isRunning ? (['restart'] as const) : []),
    ...(state === 'pending' || state === 'approved' || state === 'failed' ? (['cancel'] as const) : []),
  ];
}

const overview = door({
  name: 'readOperationsOverview',
  method: 'GET',
  route: 'ops/overview',
  admits: ADMITS,
  rule: 'Operations.',
  api: {
    summary:
      'How Gatehouse runs: open requests as last counted, mail quota, throttling, sweeper, permissions, reconcile',
    answers: {
      200: {
        description: 'What was noted, each with its time.',
        body: z.object({
          open: z.unknown(),
          mail: z.unknown(),
          graph: z.unknown(),
          sweeper: z.unknown(),
          purge: z.unknown(),
          reconcile: z.unknown(),
        }),
      },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async ({ services, at }) => {
    const { notes, quota, permissions } = await running(services, at);
    const { open } = notes;
    const { cursor: _cursor, soFar: _soFar, ...counted } = open ?? { cursor: '', soFar: 0 };
    return json(200, {
      open: open === undefined ? null : counted,
      mail: { quota, waiting: open?.waitingForMail ?? null },
      graph: { lastThrottled: notes.throttled ?? null, waiting: open?.waitingForDirectory ?? null, ...permissions },
      sweeper: notes.sweeper ?? null,
      purge: notes.purge ?? null,
      reconcile: { last: notes.reconcile ?? null, underWay: underWay(notes) ?? null },
    });
  },
});

/** The walk of the reconcile that has not come to its end: when it began, and what it found so far. */
export function underWay({ reconciling }: Notes): Pick<Walk, 'startedAt' | 'part' | 'found'> | undefined {
  if (reconciling === undefined || reconciling.endedAt !== undefined) return undefined;
  const { startedAt, part, found } = reconciling;
  return { startedAt, part, found };
}

const reconciling = door({
  name: 'startReconcile',
  method: 'POST',
  route: 'ops/reconcile',
  admits: { people: false, roles: [ROLES.operations, ROLES.policy] },
  rule: 'Operations and administrators; while one runs nothing is started.',
  api: {
    summary: 'Start the nightly reconcile now',
    answers: {
      202: {
        description: 'It runs: `started` says whether by this call, or before. Its summary stands in the overview.',
        body: z.object({ started: z.boolean() }),
      },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async ({ workflows }) => json(202, { started: await workflows.reconcile.start() }),
});

const searchQuery = z
  .strictObject({
    ...paged,
    person: personName.optional().describe('Object id or user principal name: requests of this person.'),
    group: groupId.optional().describe('Object id: requests for this group.'),
  })
  .refine(({ person, group }) => (person === undefined) !== (group === undefined), {
    path: ['person'],
    error: 'Give person or group, one of the two.',
  });

const searching = door({
  name: 'findRequests',
  method: 'GET',
  route: 'ops/search',
  admits: ADMITS,
  rule: 'Operations.',
  api: {
    summary: 'All requests of a person, or for a group, newest first',
    query: searchQuery,
    answers: { 200: { description: 'One page.', body: z.object(pageOf) } },
  },
  params: z.record(z.string(), z.string()),
  handle: async (visit) => {
    const { services, at } = visit;
    const { after, ...query } = queryOf(visit.request, searchQuery);
    const { person, group, pageSize } = query;
    const id = person === undefined ? group : await personIdOf(visit, person);
    if (id === undefined) throw problems.notFound('There is no such person.');
    const { records } = services;
    const { ids, next } = await records.lists.of(person === undefined ? 'group' : 'person', id, pageSize, after);
    const found = await Promise.all(ids.map((each) => records.requests.read(each)));
    const value = found.flatMap((stored) => (stored === undefined ? [] : [statusOf(stored.request, at)]));
    return json(200, { value, ...nextOf(visit.services, 'ops/search', query, next) });
  },
});

/** A name that is looked up; an object id stays as it is, also of somebody who is gone. */
export async function personIdOf({ services }: Visit<unknown>, name: string): Promise<string | undefined> {
  return name.includes('@') ? (await services.directory.person(name))?.id : name;
}

const record = door({
  name: 'readRequestRecord',
  method: 'GET',
  route: 'ops/requests/{requestId}/record',
  admits: ADMITS,
  rule: 'Operations.',
  api: {
    summary: 'All that is kept of a request: timeline, votes, mails, its workflow, and what can be done',
    answers: { 200: { description: 'What stands.', body: statusSchema.loose() } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { services, params, at } = visit;
    const dossier = await services.records.requests.dossier(params.requestId);
    if (dossier === undefined) throw problems.notFound();
    return json(200, { ...(await recordOf(visit, dossier)), timeline: timelineOf(dossier, at) });
  },
});

/** The timeline with what was written beside each entry: reasons, people, stages. */
const timelineOf = (dossier: Dossier, at: Date) => {
  const { timeline = [] } = statusOf(dossier.stored.request, at, dossier);
  return timeline.map((entry, index) => ({
    ...entry,
    route: dossier.trail[index]?.route,
    data: dossier.trail[index]?.data,
  }));
};

async function recordOf(visit: RequestVisit, dossier: Dossier) {
  const { request } = dossier.stored;
  const orchestration = await orchestrationOf(visit, request.id);
  const again = new Set(resendable(dossier, visit.at).map(({ key }) => key));
  return {
    ...statusOf(request, visit.at, dossier),
    ...(request.state === 'pending' && { deadline: deadlineOf(request).toISOString() }),
    ...(request.stage.routedTo !== undefined && { routedTo: request.stage.routedTo }),
    votes: [...(request.earlierVotes ?? []), ...request.stage.votes],
    mails: [...dossier.mails.values()].map(({ key, to, status, refusal, copy }) => ({
      key,
      to: { id: to.id, name: to.name },
      status,
      ...(refusal !== undefined && { why: refusal }),
      ...(copy !== undefined && { copy }),
      canBeSentAgain: again.has(key),
    })),
    orchestration,
    actions: possible(request, runs(orchestration)),
  };
}

/** Does it, and lets the workflow go on. @throws {Problem} where there is no such request, or it can't be done to it */
export async function perform(visit: RequestVisit, action: Action): Promise<JoinRequest> {
  const { services, params, caller, workflows, via, at, log } = visit;
  const outcome = await act(services, params.requestId, action, { actor: actorOf(caller), via }, at);
  if (outcome.kind === 'unknown') throw problems.notFound();
  if (outcome.kind === 'impossible')
    throw new Problem(409, 'conflict', 'That can’t be done to this request', outcome.sentence, {
      with: { state: outcome.request.state },
    });
  const { request, wakes } = outcome;
  // its workflow may have come to its end before
  await nudge(log, () =>
    wakes === 'grant'
      ? workflows.grant.attend(request.id, request.trace)
      : workflows.join.resume(request.id, request.trace),
  );
  return request;
}

const answer = async (visit: RequestVisit, action: Action) =>
  json(202, statusOf(await perform(visit, action), visit.at));

const why = reasonText.describe('Why: it stands in the request’s trail under your name.');

const retryBody = z.strictObject({ reason: why.optional() });

const retrying = door({
  name: 'retryApplication',
  method: 'POST',
  route: 'ops/requests/{requestId}/retry',
  admits: ADMITS,
  rule: 'Operations.',
  api: {
    summary: 'Try an application again that failed',
    body: retryBody.optional(),
    answers: { 202: { description: 'It is tried again.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { headers } = visit.request;
    // a reason may be left out, and the body with it
    const { reason } = headers.get('content-type') === null ? {} : (await readJson(visit.request, retryBody)).value;
    return answer(visit, { action: 'retry', ...(reason !== undefined && { reason }) });
  },
});

const reasonBody = z.strictObject({ reason: why });
const cancelBody = z.strictObject({ reason: reasonText.describe('Requester and approvers are told it.') });

const cancelling = door({
  name: 'cancelRequest',
  method: 'POST',
  route: 'ops/requests/{requestId}/cancel',
  admits: ADMITS,
  rule: 'Operations, with a reason that everyone concerned is told.',
  api: {
    summary: 'End an open request',
    body: cancelBody,
    answers: { 202: { description: 'It is cancelled.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { value } = await readJson(visit.request, cancelBody);
    return answer(visit, { action: 'cancel', ...value });
  },
});

const rerouteBody = z.strictObject({
  approvers: z
    .array(personName)
    .min(1, 'Name at least one person.')
    .max(MOST_NAMED, `Name at most ${String(MOST_NAMED)} people.`)
    .describe('Object ids or user principal names of those who shall decide.'),
  required: z.int().min(1).max(MOST_NAMED).default(1).describe('How many of them must approve.'),
  reason: why,
});

const rerouting = door({
  name: 'rerouteRequest',
  method: 'POST',
  route: 'ops/requests/{requestId}/reroute',
  admits: ADMITS,
  rule: 'Operations, with a reason. Never to the requester, nor to whoever does it.',
  api: {
    summary: 'Give the present stage of a pending request to other people',
    body: rerouteBody,
    answers: { 202: { description: 'They are asked; those asked before can decide no longer.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { approvers, ...value } = (await readJson(visit.request, rerouteBody)).value;
    return answer(visit, { action: 'reroute', people: approvers, ...value });
  },
});

const extendBody = z.strictObject({
  until: z.iso
    .datetime({ offset: true, error: 'Give a time such as 2026-12-24T12:00:00Z.' })
    .transform((text) => new Date(text))
    .describe('The new deadline, later than the present one.'),
  reason: why,
});

const extending = door({
  name: 'extendDeadline',
  method: 'POST',
  route: 'ops/requests/{requestId}/extend',
  admits: ADMITS,
  rule: 'Operations, with a reason.',
  api: {
    summary: 'Move the deadline of a pending request to later',
    body: extendBody,
    answers: { 202: { description: 'It stays open until then.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { value } = await readJson(visit.request, extendBody);
    return answer(visit, { action: 'extend', ...value });
  },
});

/** A mail's key: its kind, numbers, and whom it is to. */
export const mailKey = z.string().regex(/^[a-z]+(_[0-9a-f-]{1,40}){1,4}$/, 'Give the key of a mail of this request.');
const resendBody = z.strictObject({ mail: mailKey.describe('Its `key` in the record.'), reason: why });

const resending = door({
  name: 'resendMail',
  method: 'POST',
  route: 'ops/requests/{requestId}/resend',
  admits: ADMITS,
  rule: 'Operations, with a reason.',
  api: {
    summary: 'Send a mail of a request once more; a second copy may arrive',
    body: resendBody,
    answers: { 202: { description: 'It is composed anew and sent.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { value } = await readJson(visit.request, resendBody);
    return answer(visit, { action: 'resend', ...value });
  },
});

const restarting = door({
  name: 'restartWorkflow',
  method: 'POST',
  route: 'ops/requests/{requestId}/restart',
  admits: ADMITS,
  rule: 'Operations, with a reason, where the workflow does not run.',
  api: {
    summary: 'Start the workflow of a request again that was lost',
    body: reasonBody,
    answers: { 202: { description: 'It is started.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { value } = await readJson(visit.request, reasonBody);
    const isRunning = runs(await orchestrationOf(visit, visit.params.requestId));
    return answer(visit, { action: 'restart', runs: isRunning, ...value });
  },
});

export const doors = [
  listing,
  overview,
  searching,
  record,
  retrying,
  cancelling,
  rerouting,
  extending,
  resending,
  restarting,
  reconciling,
] as const;
