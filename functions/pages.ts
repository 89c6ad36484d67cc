import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import { approvals, approvedBy, CHANGES_OF_MIND, deadlineOf, requiredAt } from '../shared/domain/join-request';
import type { JoinRequest } from '../shared/domain/join-request';
import { decide, wakes } from '../shared/join-requests/decide';
import { factsOf } from '../shared/join-requests/facts';
import { nudgeApprovers } from '../shared/join-requests/nudge';
import { withinNudgeLimits } from './call-limits';
import { readJoinRequest } from '../shared/join-requests/status';
import { sentenceOf } from '../shared/join-requests/timeline';
import { approversOf } from '../shared/join-requests/who-may-decide';
import { withdrawJoinRequest } from '../shared/join-requests/withdraw';
import { dateInWords } from '../shared/mail/text';
import type { Dossier } from '../shared/records/join-requests';
import { parseFields, readFields } from '../shared/web/body';
import { formToken, isOurForm } from '../shared/web/form-token';
import { pageResponse } from '../shared/web/page-response';
import { decisionPage, receiptPage } from '../shared/web/pages/decision';
import type { TimelineItem } from '../shared/web/pages/decision';
import {
  choiceSchema,
  decisionFields,
  linkParams,
  linkPath,
  signedInByLink,
  timelineItems,
  typedDecision,
} from './decision-links';
import type { LinkVisit, Signed } from './decision-links';
import { actorOf, door, nudge } from './door';
import type { Visit } from './door';
import { asPage, seeOther, signInFirst, signOutFirst } from './page-answers';
import { durationField, requestParams } from './parameters';
import { notFromHere, postedForm } from './posted-form';

const decisionForm = z.strictObject({ ...decisionFields, duration: durationField });

const pathOf = (linkId: string, choice?: string): string => linkPath('decisions', linkId, choice);

const signedIn = (visit: LinkVisit, path: string, failure: number): Promise<Signed<Dossier> | HttpResponseInit> =>
  signedInByLink(visit, (id) => visit.services.records.requests.dossier(id), path, failure);

const commentIn = ({ data }: Dossier['trail'][number]): string =>
  typeof data?.['comment'] === 'string' ? ` “${data['comment']}”` : '';

/** What happened; what the approvers wrote is for the requester alone. */
export const timelineOf = ({ trail, stored }: Dossier, readerId?: string): TimelineItem[] =>
  timelineItems(
    trail,
    (entry) => `${sentenceOf(entry)}${readerId === stored.request.requester.id ? commentIn(entry) : ''}`,
  );

/** The page for the link's person: the form where they may decide now, else how the request stands. */
async function showRequest(
  { request, services, params }: LinkVisit,
  { person, dossier, stage: asked }: Signed<Dossier>,
  shown: { choice?: 'approve' | 'deny'; comment?: string; duration?: string; problem?: string; status?: number },
): Promise<HttpResponseInit> {
  const { directory } = services;
  const standing = dossier.stored.request;
  const { group, requester, stage } = standing;
  const [groupNow, personNow, approvers] = await Promise.all([
    directory.group(group.id),
    directory.person(requester.id),
    approversOf(directory, standing),
  ]);
  const facts = factsOf(standing, {
    ...(groupNow && { group: groupNow }),
    ...(personNow && { person: personNow }),
    approvers,
  });
  const timeline = timelineOf(dossier);
  const others = approvers.filter(({ id }) => id !== person.id).map(({ displayName }) => displayName);

  const mayDecide = standing.state === 'pending' && others.length < approvers.length;
  if (!mayDecide || (asked !== undefined && asked !== stage.index)) {
    const receipt = mayDecide
      ? receiptOfStage(standing, person.id, dossier.links.get(person.id))
      : receiptOf(standing, person.id);
    return pageResponse(200, receiptPage({ facts, signedInAs: person.name, ...receipt, timeline }));
  }
  const { token, cookie } = formToken(request.headers);
  const mine = stage.votes.find(({ personId }) => personId === person.id);
  const preselected = shown.choice ?? mine?.choice;
  const required = requiredAt(standing);
  const { deciderMayShorten, maximumDuration } = standing.policy;
  const page = decisionPage({
    facts,
    signedInAs: person.name,
    otherApprovers: others,
    timeline,
    deadline: deadlineOf(standing),
    ...(preselected !== undefined && { preselected }),
    ...(shown.comment !== undefined && { comment: shown.comment }),
    ...(mine && {
      mine: {
        choice: mine.choice,
        ...(mine.duration !== undefined && { duration: mine.duration }),
        changesLeft: CHANGES_OF_MIND - (mine.changes ?? 0),
      },
    }),
    ...(required > 1 && { progress: { required, approvals: approvals(stage) } }),
    ...(deciderMayShorten &&
      mine?.choice !== 'approve' && {
        shorten: {
          ...(maximumDuration !== undefined && { maximum: maximumDuration }),
          ...(shown.duration !== undefined && { selected: shown.duration }),
        },
      }),
    form: { action: pathOf(params.linkId), token },
    ...(shown.problem !== undefined && { problem: shown.problem }),
  });
  return pageResponse(shown.status ?? 200, page, [cookie]);
}

/** Of a stage that is over, for somebody who may decide at the present one as well: the link of that one is another. */
function receiptOfStage(
  { earlierVotes = [], stage }: JoinRequest,
  readerId: string,
  newest: { id: string; stage?: number } | undefined,
): { heading: string; sentence: string; next?: { href: string; label: string } } {
  const mine = earlierVotes.findLast(({ personId }) => personId === readerId);
  const isOpenNow = newest?.stage === stage.index;
  return {
    heading: mine === undefined ? 'This stage is over' : 'Your decision is recorded',
    sentence: `The stage that this link was for is over${mine === undefined ? '' : ', and you approved'}. You may decide at the next one as well${isOpenNow ? '.' : ': a mail with its link is on its way.'}`,
    ...(isOpenNow && { next: { href: pathOf(newest.id), label: 'Open the next stage' } }),
  };
}

/** How the request stands, in words for someone who was asked to decide. */
function receiptOf(request: JoinRequest, readerId: string): { heading: string; sentence: string } {
  const deciders = (choice: 'approve' | 'deny'): string =>
    (choice === 'approve' ? approvedBy(request) : request.stage.votes.filter((vote) => vote.choice === 'deny'))
      .map(({ personId, name }) => (personId === readerId ? 'you' : name))
      .join(', ') || 'the policy of the group';
  switch (request.state) {
    case 'pending':
      if (request.earlierVotes?.some(({ personId }) => personId === readerId) === true)
        return {
          heading: 'Your decision is recorded',
          sentence: 'You approved, and others decide at the next stage. Nothing is left for you to do.',
        };
      return {
        heading: 'This is no longer yours to decide',
        sentence: 'Others decide who joins this group now. Nothing is left for you to do.',
      };
    case 'approved':
    case 'applying':
      return { heading: 'Approved', sentence: `Approved by ${deciders('approve')}. The membership is being applied.` };
    case 'granted':
      return {
        heading: 'Approved',
        sentence: `Approved by ${deciders('approve')}. ${request.requester.name} is ${
          request.extends === undefined ? 'now' : 'still'
        } a member of ${request.group.name}.`,
      };
    case 'ended':
      return { heading: 'Approved, and over', sentence: overInWords(request) };
    case 'failed':
      return {
        heading: 'Approved, not applied yet',
        sentence: `Approved by ${deciders('approve')}. The directory refused the change; operations look into it.`,
      };
    case 'denied':
      return { heading: 'Denied', sentence: `Denied by ${deciders('deny')}.` };
    case 'withdrawn':
      return { heading: 'Withdrawn', sentence: 'The request was taken back. Nothing is left to decide.' };
    case 'expired':
      return { heading: 'Expired', sentence: 'It was not decided in time. The request is closed.' };
    case 'cancelled':
      return { heading: 'Cancelled', sentence: request.reason?.sentence ?? 'The request can’t be granted any more.' };
  }
}

const showing = door({
  name: 'showDecisionPage',
  method: 'GET',
  route: 'decisions/{linkId}',
  admits: 'anyone',
  rule: 'Facts only for the signed-in person whom the link names; changes nothing.',
  params: linkParams,
  page: asPage,
  handle: async (visit) => {
    const choice = choiceSchema.safeParse(visit.request.query.get('choice'));
    const signed = await signedIn(visit, pathOf(visit.params.linkId, choice.data), 200);
    return 'dossier' in signed
      ? showRequest(visit, signed, { ...(choice.success && { choice: choice.data }) })
      : signed;
  },
});

const deciding = door({
  name: 'postDecision',
  method: 'POST',
  route: 'decisions/{linkId}',
  admits: 'anyone',
  rule: 'Counts only for the signed-in person whom the link names, who may decide now, from our own form.',
  params: linkParams,
  page: asPage,
  handle: async (visit) => {
    const { params, services, workflows, via, at, log } = visit;
    const signed = await signedIn(visit, pathOf(params.linkId), 403);
    if (!('dossier' in signed)) return signed;

    const posted = await postedForm(visit, decisionForm, 'confirm', (problem, status, typed) =>
      showRequest(visit, signed, {
        problem,
        status,
        ...typedDecision(typed),
        ...(typed['duration'] !== undefined && { duration: typed['duration'] }),
      }),
    );
    if (!('form' in posted)) return posted;
    const { form, again } = posted;
    if (form.decision === undefined) return again('Choose Approve or Deny, then confirm.', 400);

    const requestId = signed.dossier.stored.request.id;
    const { stage } = signed;
    const result = await decide(
      services,
      {
        requestId,
        by: signed.person,
        choice: form.decision,
        ...(form.comment !== '' && { comment: form.comment }),
        ...(form.duration !== undefined && { duration: form.duration }),
        ...(stage !== undefined && { stage }),
        via,
      },
      at,
    );
    if (wakes(result)) await nudge(log, () => workflows.join.wake(requestId));
    if (result.kind === 'bad-duration') return again(result.sentence, 400);
    if (result.kind === 'changed-too-often')
      return again('You changed your mind as often as is possible. Your last decision stands.', 409);
    return seeOther(pathOf(params.linkId));
  },
});

type RequestVisit = Visit<z.output<typeof requestParams>>;
const requestPath = (requestId: string): string => `/api/requests/${requestId}`;

/** The signed-in reader and the request, or the page that is shown instead. */
async function reader(
  { params, caller, services }: RequestVisit,
  failure: number,
): Promise<Signed<Dossier> | HttpResponseInit> {
  const path = requestPath(params.requestId);
  if (caller.kind !== 'person') return signInFirst(services, path, failure);
  const dossier = await readJoinRequest(services, params.requestId, caller);
  return dossier === undefined ? signOutFirst(path, failure) : { person: caller, dossier };
}

function showStatus(
  { request }: RequestVisit,
  { person, dossier }: Signed<Dossier>,
  shown: { problem?: string; status?: number },
): HttpResponseInit {
  const standing = dossier.stored.request;
  const facts = factsOf(standing, { approvers: standing.stage.approvers });
  const isOwn = standing.state === 'pending' && standing.requester.id === person.id;
  const { token, cookie } = formToken(request.headers);
  const page = receiptPage({
    facts,
    signedInAs: person.name,
    ...statusInWords(standing),
    timeline: timelineOf(dossier, person.id),
    ...(isOwn && { forms: { action: requestPath(standing.id), token, nudge: standing.stage.askedAt !== undefined } }),
    ...(shown.problem !== undefined && { problem: shown.problem }),
  });
  return pageResponse(shown.status ?? 200, page, isOwn ? [cookie] : []);
}

const statusPage = door({
  name: 'showRequestPage',
  method: 'GET',
  route: 'requests/{requestId}',
  admits: 'anyone',
  rule: 'Facts only for the requester, whoever may decide or was asked to, and operations.',
  params: requestParams,
  page: asPage,
  handle: async (visit) => {
    const signed = await reader(visit, 200);
    return 'dossier' in signed ? showStatus(visit, signed, {}) : signed;
  },
});

const requestForm = z.strictObject({ action: z.enum(['nudge', 'withdraw']), token: z.string().default('') });

const actingOnRequest = door({
  name: 'postRequestPage',
  method: 'POST',
  route: 'requests/{requestId}',
  admits: 'anyone',
  rule: 'Counts only for the signed-in requester, from our own form.',
  params: requestParams,
  page: asPage,
  handle: async (visit) => {
    const { request, params, services, workflows, caller, via, at, log } = visit;
    const signed = await reader(visit, 403);
    if (!('dossier' in signed)) return signed;
    const path = requestPath(params.requestId);
    if (signed.dossier.stored.request.requester.id !== signed.person.id) return signOutFirst(path, 403);
    const { action, token } = parseFields(await readFields(request), requestForm);
    if (!isOurForm(request.headers, token, services.config.PUBLIC_BASE_URL)) {
      return showStatus(visit, signed, { problem: notFromHere('try'), status: 403 });
    }
    if (action === 'withdraw') {
      await withdrawJoinRequest(services, params.requestId, actorOf(caller), via, at);
    } else {
      const { group, requester } = signed.dossier.stored.request;
      await withinNudgeLimits(visit, { groupId: group.id, personId: requester.id });
      const result = await nudgeApprovers(services, params.requestId, actorOf(caller), via, at);
      if (result?.kind === 'too-soon') {
        const problem = `They were asked or reminded less than a day ago. You can have them reminded again from ${dateInWords(result.until)} on.`;
        return showStatus(visit, signed, { problem, status: 429 });
      }
    }
    await nudge(log, () => workflows.join.wake(params.requestId));
    return seeOther(path);
  },
});

function overInWords({ ended }: JoinRequest): string {
  switch (ended?.how) {
    case 'left':
      return 'The member left.';
    case 'revoked':
      return `The membership was revoked${ended.by === undefined ? '' : ` by ${ended.by}`}${ended.reason === undefined ? '.' : `: ${ended.reason}`}`;
    case 'removed':
      return 'The membership was over before its time: it was removed by somebody else.';
    case 'group-deleted':
      return 'The membership was over before its time: the group was deleted.';
    case 'lapsed':
    case undefined:
      return 'The membership was granted for a time, which is over.';
  }
}

function statusInWords(request: JoinRequest): { heading: string; sentence: string } {
  if (request.state !== 'pending') return receiptOf(request, request.requester.id);
  const required = requiredAt(request);
  const who = request.stage.approvers.map(({ displayName }) => displayName).join(', ');
  const need = required > 1 ? ` ${String(required)} of them must approve.` : '';
  return { heading: 'Waiting for a decision', sentence: `These people can decide: ${who}.${need}` };
}

export const doors = [showing, deciding, statusPage, actingOnRequest] as const;
