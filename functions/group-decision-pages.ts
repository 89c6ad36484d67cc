import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import { deadlineOf } from '../shared/domain/group-change';
import type { GroupChange } from '../shared/domain/group-change';
import { approversOfChange } from '../shared/group-changes/approvers';
import { decideChange } from '../shared/group-changes/decide';
import { changeFactsOf } from '../shared/group-changes/facts';
import { changeSentence } from '../shared/group-changes/timeline';
import type { ChangeDossier } from '../shared/records/group-changes';
import { formToken } from '../shared/web/form-token';
import { pageResponse } from '../shared/web/page-response';
import { groupDecisionPage, groupReceiptPage } from '../shared/web/pages/group-decision';
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
import { door, nudge } from './door';
import { asPage, seeOther } from './page-answers';
import { postedForm } from './posted-form';

const decisionForm = z.strictObject(decisionFields);

const pathOf = (linkId: string, choice?: string): string => linkPath('group-decisions', linkId, choice);

const signedIn = (visit: LinkVisit, path: string, failure: number): Promise<Signed<ChangeDossier> | HttpResponseInit> =>
  signedInByLink(visit, (id) => visit.services.records.changes.dossier(id), path, failure);

/** The page for the link's person: the form where they may decide now, else how it stands. */
async function show(
  { request, services, params }: LinkVisit,
  { person, dossier }: Signed<ChangeDossier>,
  shown: { choice?: 'approve' | 'deny'; comment?: string; problem?: string; status?: number },
): Promise<HttpResponseInit> {
  const { directory } = services;
  const { request: change } = dossier.stored;
  const { approval } = change;
  const [asker, approvers] = await Promise.all([
    directory.person(change.askedBy.id),
    approversOfChange(directory, change),
  ]);
  const facts = changeFactsOf(change, asker);
  const timeline = timelineItems(dossier.trail, changeSentence);
  if (approval === undefined || !approvers.some(({ id }) => id === person.id))
    return pageResponse(
      200,
      groupReceiptPage({ facts, signedInAs: person.name, ...receiptOf(change, person.id), timeline }),
    );
  const { token, cookie } = formToken(request.headers);
  const page = groupDecisionPage({
    facts,
    signedInAs: person.name,
    others: approvers.filter(({ id }) => id !== person.id).map(({ displayName }) => displayName),
    timeline,
    deadline: deadlineOf(approval),
    ...(shown.choice !== undefined && { preselected: shown.choice }),
    ...(shown.comment !== undefined && { comment: shown.comment }),
    form: { action: pathOf(params.linkId), token },
    ...(shown.problem !== undefined && { problem: shown.problem }),
  });
  return pageResponse(shown.status ?? 200, page, [cookie]);
}

/** How it stands, in words for someone who was asked to decide. */
function receiptOf(change: GroupChange, readerId: string): { heading: string; sentence: string } {
  const decision = change.approval?.decision;
  const isNew = change.task.kind === 'create';
  const by = decision === undefined ? 'nobody' : decision.personId === readerId ? 'you' : decision.name;
  switch (change.state) {
    case 'pending':
      return {
        heading: 'This is no longer yours to decide',
        sentence: 'Others decide about this group now. Nothing is left for you to do.',
      };
    case 'approved':
    case 'applying':
      return {
        heading: 'Approved',
        sentence: `Approved by ${by}. The group ${isNew ? 'is being created' : 'gets its owner'}.`,
      };
    case 'done':
      return { heading: 'Approved', sentence: `Approved by ${by}. The group ${isNew ? 'is there' : 'has its owner'}.` };
    case 'failed':
      return {
        heading: isNew ? 'Approved, not created yet' : 'Approved, not applied yet',
        sentence: `Approved by ${by}. The directory refused the ${isNew ? 'group' : 'owner'}; operations look into it.`,
      };
    case 'denied':
      return { heading: 'Denied', sentence: `Denied by ${by}.` };
    case 'withdrawn':
      return { heading: 'Withdrawn', sentence: 'It was taken back. Nothing is left to decide.' };
    case 'expired':
      return {
        heading: 'Expired',
        sentence: `It was not decided in time. ${isNew ? 'No group was created.' : 'Nothing was changed.'}`,
      };
    case 'cancelled':
      return { heading: 'Cancelled', sentence: change.why?.sentence ?? 'It can’t be done any more.' };
  }
}

const showing = door({
  name: 'showGroupDecisionPage',
  method: 'GET',
  route: 'group-decisions/{linkId}',
  admits: 'anyone',
  rule: 'Facts only for the signed-in person whom the link names; changes nothing.',
  params: linkParams,
  page: asPage,
  handle: async (visit) => {
    const choice = choiceSchema.safeParse(visit.request.query.get('choice'));
    const signed = await signedIn(visit, pathOf(visit.params.linkId, choice.data), 200);
    return 'dossier' in signed ? show(visit, signed, { ...(choice.success && { choice: choice.data }) }) : signed;
  },
});

const deciding = door({
  name: 'postGroupDecision',
  method: 'POST',
  route: 'group-decisions/{linkId}',
  admits: 'anyone',
  rule: 'Counts only for the signed-in person whom the link names, who may decide now, from our own form.',
  params: linkParams,
  page: asPage,
  handle: async (visit) => {
    const { params, services, workflows, via, at, log } = visit;
    const signed = await signedIn(visit, pathOf(params.linkId), 403);
    if (!('dossier' in signed)) return signed;

    const posted = await postedForm(visit, decisionForm, 'confirm', (problem, status, typed) =>
      show(visit, signed, { problem, status, ...typedDecision(typed) }),
    );
    if (!('form' in posted)) return posted;
    const { form, again } = posted;
    if (form.decision === undefined) return again('Choose Approve or Deny, then confirm.', 400);

    const { id: changeId } = signed.dossier.stored.request;
    const said = form.comment === '' ? {} : { comment: form.comment };
    const result = await decideChange(
      services,
      { changeId, by: signed.person, choice: form.decision, ...said, via },
      at,
    );
    if (result.kind === 'recorded' || result.kind === 'stands') await nudge(log, () => workflows.change.wake(changeId));
    return seeOther(pathOf(params.linkId));
  },
});

export const doors = [showing, deciding] as const;
