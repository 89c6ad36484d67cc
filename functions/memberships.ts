import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import { durationMs } from '../shared/domain/duration';
import { isOpen } from '../shared/domain/join-request';
import type { JoinRequest } from '../shared/domain/join-request';
import { factsOf } from '../shared/join-requests/facts';
import { fileJoinRequest } from '../shared/join-requests/file';
import type { FileResult } from '../shared/join-requests/file';
import { endMembership, letGrantLapse } from '../shared/join-requests/grants';
import { statusOf, statusSchema } from '../shared/join-requests/status';
import { policyInForce } from '../shared/policies/in-force';
import type { Dossier } from '../shared/records/join-requests';
import { outlasting } from '../shared/records/memberships';
import { claimHolder } from '../shared/records/records';
import type { Services } from '../shared/services';
import { readJson } from '../shared/web/body';
import { formToken } from '../shared/web/form-token';
import { pageResponse } from '../shared/web/page-response';
import { JUSTIFICATION_LENGTH, membershipPage } from '../shared/web/pages/membership';
import { Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import type { Caller } from '../shared/web/tokens';
import { withinFilingLimits } from './call-limits';
import { actorOf, door, hasRole, json, nudge } from './door';
import type { Visit } from './door';
import { ownRequest } from './own-request';
import { asPage, seeOther, signInFirst, signOutFirst } from './page-answers';
import { timelineOf } from './pages';
import { durationField, plainText, reasonText, requestParams } from './parameters';
import { postedForm } from './posted-form';

type RequestVisit = Visit<z.output<typeof requestParams>>;

/** Ends the membership, wakes what takes it back, and says what stands. */
async function ending(
  { params, caller, services, workflows, via, at, log }: RequestVisit,
  how: 'left' | 'revoked',
  reason?: string,
): Promise<JoinRequest> {
  const ended = await endMembership(
    services,
    { requestId: params.requestId, how, by: actorOf(caller), ...(reason !== undefined && { reason }), via },
    at,
  );
  const { grants = [], extension } = ended ?? {};
  const [first] = grants;
  if (first === undefined) {
    const state = (await services.records.requests.read(params.requestId))?.request.state ?? 'unknown';
    throw problems.conflict('There is no membership to end', state);
  }
  for (const { id, trace } of grants) await nudge(log, () => workflows.grant.attend(id, trace));
  if (extension !== undefined) await nudge(log, () => workflows.join.wake(extension.id));
  return first;
}

const leaving = door({
  name: 'leaveMembership',
  method: 'POST',
  route: 'join-requests/{requestId}/leave',
  admits: { people: true, roles: [] },
  rule: 'The member.',
  api: {
    summary: 'Leave before the time is over',
    answers: { 202: { description: 'The membership is being ended.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    await ownRequest(visit);
    return json(202, statusOf(await ending(visit, 'left'), visit.at));
  },
});

const lapsing = door({
  name: 'letMembershipLapse',
  method: 'POST',
  route: 'join-requests/{requestId}/let-lapse',
  admits: { people: true, roles: [] },
  rule: 'The member.',
  api: {
    summary: 'Let the membership end at its time, without any more warnings',
    answers: { 200: { description: 'It ends at its time.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { caller, services, via, at } = visit;
    const { id } = await ownRequest(visit);
    const request = await letGrantLapse(services, id, actorOf(caller), via, at);
    if (request?.grant?.lapsing !== true)
      throw new Problem(
        409,
        'conflict',
        'There is nothing to let lapse',
        'There is no membership that ends by itself.',
      );
    return json(200, statusOf(request, at));
  },
});

const revokeBody = z.strictObject({ reason: reasonText.describe('The member is told it.') });

const revoking = door({
  name: 'revokeMembership',
  method: 'POST',
  route: 'join-requests/{requestId}/revoke',
  admits: { people: true, roles: [ROLES.operations] },
  rule: 'An owner of the group at this moment, or operations.',
  api: {
    summary: 'Take a granted membership away',
    body: revokeBody,
    answers: { 202: { description: 'The membership is being ended.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { request, params, services, caller, at } = visit;
    const { value } = await readJson(request, revokeBody);
    const stored = await services.records.requests.read(params.requestId);
    if (stored === undefined || !(await mayRevoke(visit, caller, stored.request))) throw problems.notFound();
    return json(202, statusOf(await ending(visit, 'revoked', value.reason), at));
  },
});

async function mayRevoke({ services }: RequestVisit, caller: Caller, { group }: JoinRequest): Promise<boolean> {
  if (hasRole(caller, ROLES.operations)) return true;
  if (caller.kind !== 'person') return false;
  return (await services.directory.owners(group.id)).some(
    ({ id, accountEnabled }) => id === caller.id && accountEnabled,
  );
}

const pathOf = (requestId: string): string => `/api/memberships/${requestId}`;

/** The member, signed in, and the request by which they are one; or the page that is shown instead. */
async function member(
  { caller, params, services }: RequestVisit,
  failure: number,
): Promise<{ dossier: Dossier; name: string } | HttpResponseInit> {
  const path = pathOf(params.requestId);
  if (caller.kind !== 'person') return signInFirst(services, path, failure);
  const dossier = await services.records.requests.dossier(params.requestId);
  if (dossier?.stored.request.requester.id !== caller.id) return signOutFirst(path, failure);
  return { dossier, name: caller.name };
}

const CHOICES = ['P7D', 'P30D', 'P90D', 'P180D', 'P365D'];

async function showMembership(
  { request, services, at }: RequestVisit,
  { dossier, name }: { dossier: Dossier; name: string },
  shown: { problem?: string; status?: number; typed?: { justification: string; duration?: string } },
): Promise<HttpResponseInit> {
  const standing = dossier.stored.request;
  const { grant, group, ended, state } = standing;
  const [groupNow, { policy }, extension, goesOn] = await Promise.all([
    services.directory.group(group.id),
    policyInForce(services, group.id),
    openExtension(services, standing),
    goesOnBy(services, standing),
  ]);
  const isLive = state === 'granted' && standing.ending === undefined && grant !== undefined;
  const until = ended?.at ?? grant?.until;
  const { token, cookie } = formToken(request.headers);
  const page = membershipPage({
    facts: factsOf(standing, { ...(groupNow && { group: groupNow }), approvers: [] }),
    signedInAs: name,
    ...(grant && { from: new Date(grant.from) }),
    ...(until !== undefined && { until: new Date(until) }),
    timeline: timelineOf(dossier),
    ...(isLive && { form: { action: pathOf(standing.id), token } }),
    ...(goesOn && { goesOn }),
    lapsing: grant?.lapsing === true,
    ...(policy.justification.prompt !== undefined && { prompt: policy.justification.prompt }),
    justificationRequired: policy.justification.required,
    durations: CHOICES.filter((choice) => fits(choice, policy.maximumDuration)),
    ...(extension !== undefined && { extensionLink: `/api/requests/${extension}` }),
    ...(shown.problem !== undefined && { problem: shown.problem }),
    ...(shown.typed !== undefined && { typed: shown.typed }),
    ...(!isLive && at >= new Date(ended?.at ?? 0) && { done: overInWords(standing) }),
  });
  return pageResponse(shown.status ?? 200, page, [cookie]);
}

/** The id of the request by which the member asks to stay, while it is open: it can't be asked for twice. */
async function openExtension({ records }: Services, { group, requester }: JoinRequest): Promise<string | undefined> {
  const holder = await claimHolder(records, group.id, requester.id);
  return holder !== undefined && isOpen(holder) && holder.extends !== undefined ? holder.id : undefined;
}

/** What outlasts this grant: its page says when the membership ends, and there it is ended. */
async function goesOnBy(
  { records }: Services,
  { id, grant, group, requester }: JoinRequest,
): Promise<{ until?: Date; href?: string } | undefined> {
  if (grant?.until === undefined) return undefined;
  const membership = await records.memberships.read(group.id, requester.id);
  const other = membership && outlasting(membership, { requestId: id, until: grant.until });
  if (other === undefined) return undefined;
  // one that an owner gave has no page
  const hasPage = (await records.requests.read(other.requestId)) !== undefined;
  return {
    ...(other.until !== undefined && { until: new Date(other.until) }),
    ...(hasPage && { href: pathOf(other.requestId) }),
  };
}

const fits = (choice: string, maximum: string | undefined): boolean =>
  maximum === undefined || durationMs(choice) <= durationMs(maximum);

function overInWords({ state, ending: over, ended }: JoinRequest): string {
  if (state === 'granted' && over !== undefined) return 'Your membership is being ended.';
  if (ended !== undefined) return 'This membership is over.';
  return state === 'granted' ? '' : `The request is ${state}; there is no membership by it.`;
}

const showing = door({
  name: 'showMembershipPage',
  method: 'GET',
  route: 'memberships/{requestId}',
  admits: 'anyone',
  rule: 'Facts only for the signed-in member; changes nothing.',
  params: requestParams,
  page: asPage,
  handle: async (visit) => {
    const signed = await member(visit, 200);
    return 'dossier' in signed ? showMembership(visit, signed, {}) : signed;
  },
});

const membershipForm = z.strictObject({
  action: z.enum(['extend', 'lapse', 'leave']),
  token: z.string().default(''),
  justification: plainText(JUSTIFICATION_LENGTH).default(''),
  duration: durationField,
  sure: z.literal('yes').optional(),
});

const changing = door({
  name: 'postMembership',
  method: 'POST',
  route: 'memberships/{requestId}',
  admits: 'anyone',
  rule: 'Counts only for the signed-in member, from our own form.',
  params: requestParams,
  page: asPage,
  handle: async (visit) => {
    const { services, at, via, caller, workflows, log } = visit;
    const signed = await member(visit, 403);
    if (!('dossier' in signed)) return signed;
    const posted = await postedForm(visit, membershipForm, 'try', (problem, status, { justification = '', duration }) =>
      showMembership(visit, signed, {
        problem,
        status,
        typed: { justification, ...(duration !== undefined && { duration }) },
      }),
    );
    if (!('form' in posted)) return posted;
    const { form, again } = posted;

    const { request: standing } = signed.dossier.stored;
    if (form.action === 'leave') {
      if (form.sure !== 'yes') return again('Tick the box to say that you are sure.', 400);
      await ending(visit, 'left');
      return seeOther(pathOf(standing.id));
    }
    if (form.action === 'lapse') {
      await letGrantLapse(services, standing.id, actorOf(caller), via, at);
      return seeOther(pathOf(standing.id));
    }
    const result = await fileJoinRequest(
      services,
      {
        groupId: standing.group.id,
        person: standing.requester.id,
        justification: form.justification,
        ...(form.duration !== undefined && { duration: form.duration }),
        filedBy: actorOf(caller),
        admit: (id) => withinFilingLimits(visit, { groupId: standing.group.id, person: id }),
        via,
      },
      at,
    );
    if (result.kind === 'filed') await nudge(log, () => workflows.join.start(result.request.id));
    if (result.kind === 'filed' || result.kind === 'open-already')
      return seeOther(`/api/requests/${result.request.id}`);
    return again(whyNot(result), 409);
  },
});

/** Why the extension was not filed, for the member. */
function whyNot(result: Exclude<FileResult, { kind: 'filed' | 'open-already' }>): string {
  switch (result.kind) {
    case 'refused':
      return result.refusal.sentence;
    case 'invalid':
      return result.errors.map(({ detail }) => detail).join(' ');
    case 'key-reused':
    case 'in-progress':
      return 'The same request is being filed at this moment. Please try again in a few seconds.';
  }
}

export const doors = [leaving, lapsing, revoking] as const;
export const pageDoors = [showing, changing] as const;
