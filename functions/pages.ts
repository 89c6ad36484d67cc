import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import { deadlineOf, stagePolicy } from '../shared/domain/join-request';
import type { JoinRequest } from '../shared/domain/join-request';
import { decide } from '../shared/join-requests/decide';
import { factsOf } from '../shared/join-requests/facts';
import { readJoinRequest } from '../shared/join-requests/status';
import { sentenceOf } from '../shared/join-requests/timeline';
import { approversOf } from '../shared/join-requests/who-may-decide';
import type { Dossier } from '../shared/records/join-requests';
import { LINK_ID } from '../shared/records/links';
import type { Services } from '../shared/services';
import { readForm } from '../shared/web/body';
import { formToken, isOurForm } from '../shared/web/form-token';
import { pageResponse } from '../shared/web/page-response';
import { COMMENT_LENGTH, decisionPage, receiptPage } from '../shared/web/pages/decision';
import type { TimelineItem } from '../shared/web/pages/decision';
import { messagePage, otherAccountPage, signInPage, signInUnavailablePage } from '../shared/web/pages/message';
import { Problem } from '../shared/web/problem';
import { door, nudge } from './door';
import type { Visit } from './door';
import { plainText, requestParams } from './join-requests';

const linkParams = z.object({ linkId: z.string().max(200) });
type LinkVisit = Visit<z.output<typeof linkParams>>;

const choiceSchema = z.enum(['approve', 'deny']);
const decisionForm = z.strictObject({
  decision: choiceSchema.optional(),
  comment: plainText(COMMENT_LENGTH)
    .default('')
    .transform((text) => text.trim()),
  token: z.string().default(''),
});

/** Pages answer errors as pages, and tell nothing in them. */
const asPage = (problem: Problem): HttpResponseInit =>
  problem.status < 500
    ? pageResponse(problem.status, messagePage({ heading: problem.title, sentence: problem.detail }))
    : pageResponse(
        problem.status,
        messagePage({
          heading: 'This does not work right now',
          sentence: 'Nothing was changed. Please open the link again in a few minutes.',
        }),
      );

/** What everyone sees who is not signed in, whether there is anything behind the address or not. */
function signInFirst({ config }: Services, path: string, status: number): HttpResponseInit {
  if (!config.WEBSITE_AUTH_ENABLED) return pageResponse(status, signInUnavailablePage());
  return pageResponse(
    status,
    signInPage({ signInUrl: `/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(path)}` }),
  );
}

const signOutFirst = (path: string, status: number): HttpResponseInit =>
  pageResponse(
    status,
    otherAccountPage({ signOutUrl: `/.auth/logout?post_logout_redirect_uri=${encodeURIComponent(path)}` }),
  );

interface Signed {
  person: { id: string; name: string };
  dossier: Dossier;
}

/** The link's person, signed in, and the request that it names; or the page that is shown instead. */
async function signedIn(
  { caller, params, services }: LinkVisit,
  path: string,
  failure: number,
): Promise<Signed | HttpResponseInit> {
  if (caller.kind !== 'person') return signInFirst(services, path, failure);
  const link = LINK_ID.test(params.linkId) ? await services.records.links.read(params.linkId) : undefined;
  if (link?.personId !== caller.id) return signOutFirst(path, failure);
  const dossier = await services.records.requests.dossier(link.requestId);
  return dossier === undefined
    ? signOutFirst(path, failure)
    : { person: { id: caller.id, name: caller.name }, dossier };
}

const pathOf = (linkId: string, choice?: string): string =>
  `/api/decisions/${encodeURIComponent(linkId)}${choice === undefined ? '' : `?choice=${choice}`}`;

const timelineOf = ({ trail }: Dossier): TimelineItem[] =>
  trail.map((entry) => ({
    at: new Date(entry.at),
    text: sentenceOf(entry),
    ...(entry.by.kind === 'person' && entry.by.name !== undefined && { by: entry.by.name }),
  }));

/** The page for the link's person: the form where they may decide now, else how the request stands. */
async function showRequest(
  { request, services, params }: LinkVisit,
  { person, dossier }: Signed,
  shown: { choice?: 'approve' | 'deny'; problem?: string; status?: number },
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

  if (standing.state !== 'pending' || others.length === approvers.length) {
    return pageResponse(
      200,
      receiptPage({ facts, signedInAs: person.name, ...receiptOf(standing, person.id), timeline }),
    );
  }
  const { token, cookie } = formToken(request.headers);
  const mine = stage.votes.find(({ personId }) => personId === person.id)?.choice;
  const preselected = shown.choice ?? mine;
  const page = decisionPage({
    facts,
    signedInAs: person.name,
    otherApprovers: others,
    timeline,
    deadline: deadlineOf(standing),
    ...(preselected !== undefined && { preselected }),
    form: { action: pathOf(params.linkId), token },
    ...(shown.problem !== undefined && { problem: shown.problem }),
  });
  return pageResponse(shown.status ?? 200, page, [cookie]);
}

/** How the request stands, in words for someone who was asked to decide. */
function receiptOf(request: JoinRequest, readerId: string): { heading: string; sentence: string } {
  const deciders = (choice: 'approve' | 'deny'): string =>
    request.stage.votes
      .filter((vote) => vote.choice === choice)
      .map(({ personId, name }) => (personId === readerId ? 'you' : name))
      .join(', ');
  switch (request.state) {
    case 'pending':
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
        sentence: `Approved by ${deciders('approve')}. ${request.requester.name} is now a member of ${request.group.name}.`,
      };
    case 'ended':
      return { heading: 'Approved, and over', sentence: 'The membership was granted for a time, which is over.' };
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
      return { heading: 'Expired', sentence: 'Nobody decided in time. The request is closed.' };
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
    const { request, params, services, workflows, route, at, log } = visit;
    const signed = await signedIn(visit, pathOf(params.linkId), 403);
    if (!('dossier' in signed)) return signed;

    let form: z.output<typeof decisionForm>;
    try {
      form = await readForm(request, decisionForm);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return showRequest(visit, signed, { problem: error.detail, status: error.status });
    }
    const again = (problem: string, status: number): Promise<HttpResponseInit> =>
      showRequest(visit, signed, { problem, status, ...(form.decision !== undefined && { choice: form.decision }) });
    if (!isOurForm(request.headers, form.token, services.config.PUBLIC_BASE_URL))
      return again(
        'The form was not sent from this page, or the page was open for too long. Please confirm once more.',
        403,
      );
    if (form.decision === undefined) return again('Choose Approve or Deny, then confirm.', 400);

    const requestId = signed.dossier.stored.request.id;
    const result = await decide(
      services,
      {
        requestId,
        by: signed.person,
        choice: form.decision,
        ...(form.comment !== '' && { comment: form.comment }),
        route,
      },
      at,
    );
    if (result.kind === 'recorded' && result.closes) await nudge(log, () => workflows.join.wake(requestId));
    // shown by a GET, so that going back or reloading posts nothing again
    return {
      status: 303,
      headers: { location: pathOf(params.linkId), 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    };
  },
});

const statusPage = door({
  name: 'showRequestPage',
  method: 'GET',
  route: 'requests/{requestId}',
  admits: 'anyone',
  rule: 'Facts only for the requester, whoever may decide or was asked to, and operations.',
  params: requestParams,
  page: asPage,
  handle: async ({ params, caller, services }) => {
    const path = `/api/requests/${params.requestId}`;
    if (caller.kind !== 'person') return signInFirst(services, path, 200);
    const dossier = await readJoinRequest(services, params.requestId, caller);
    if (dossier === undefined) return signOutFirst(path, 200);
    const { request } = dossier.stored;
    const facts = factsOf(request, { approvers: request.stage.approvers });
    return pageResponse(
      200,
      receiptPage({ facts, signedInAs: caller.name, ...statusInWords(request), timeline: timelineOf(dossier) }),
    );
  },
});

function statusInWords(request: JoinRequest): { heading: string; sentence: string } {
  if (request.state !== 'pending') return receiptOf(request, request.requester.id);
  const { required } = stagePolicy(request);
  const who = request.stage.approvers.map(({ displayName }) => displayName).join(', ');
  const need = required > 1 ? ` ${String(required)} of them must approve.` : '';
  return { heading: 'Waiting for a decision', sentence: `These people can decide: ${who}.${need}` };
}

export const doors = [showing, deciding, statusPage] as const;
