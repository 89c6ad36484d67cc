import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import type { GroupChange } from '../shared/domain/group-change';
import { isInCare, lookNow } from '../shared/domain/ownerless';
import type { FileChangeResult } from '../shared/group-changes/file';
import { hasUsableOwner } from '../shared/group-changes/manage';
import { openOffer } from '../shared/group-changes/claim';
import { fileTakingOver, ownOffer } from '../shared/group-changes/take-over';
import { changeStored } from '../shared/records/dossiers';
import type { CareDossier } from '../shared/records/ownerless';
import { formToken } from '../shared/web/form-token';
import { pageResponse } from '../shared/web/page-response';
import { takeOverPage, takeOverReceiptPage } from '../shared/web/pages/take-over';
import { linkParams, linkPath, signedInByLink } from './decision-links';
import type { LinkVisit, Signed } from './decision-links';
import { changesOf, countedMeanwhile } from './call-limits';
import { door, nudge } from './door';
import { asPage, seeOther } from './page-answers';
import { postedForm } from './posted-form';

// The links in mails that ask members to take over a group that nobody owns.

const pathOf = (linkId: string): string => linkPath('take-over', linkId);

const signedIn = (visit: LinkVisit, failure: number): Promise<Signed<CareDossier> | HttpResponseInit> =>
  signedInByLink(visit, (id) => visit.services.records.cares.dossier(id), pathOf(visit.params.linkId), failure);

/** The page for the link's person: the form where they may offer now, else how it stands. */
async function show(
  visit: LinkVisit,
  { person, dossier }: Signed<CareDossier>,
  shown: { problem?: string; status?: number } = {},
): Promise<HttpResponseInit> {
  const common = { groupName: dossier.stored.request.group.name, signedInAs: person.name };
  const receipt = await receiptOf(visit, person, dossier);
  if (receipt !== undefined) return pageResponse(200, takeOverReceiptPage({ ...common, ...receipt }));
  const { token, cookie } = formToken(visit.request.headers);
  const page = takeOverPage({
    ...common,
    form: { action: pathOf(visit.params.linkId), token },
    ...(shown.problem !== undefined && { problem: shown.problem }),
  });
  return pageResponse(shown.status ?? 200, page, [cookie]);
}

type Receipt = { heading: string; sentence: string };

/** How it stands where there is nothing to offer, asked of the directory now. */
async function receiptOf(
  { services }: LinkVisit,
  person: { id: string; name: string },
  { stored: { request: care } }: CareDossier,
): Promise<Receipt | undefined> {
  const { directory } = services;
  const [owners, isMember, offer, own] = await Promise.all([
    directory.owners(care.id),
    directory.isMember(care.id, person.id),
    openOffer(services, care.id),
    ownOffer(services, care, person),
  ]);
  if (own !== undefined) return ofOwn(own);
  if (!isInCare(care) || hasUsableOwner(owners) || !care.asked.includes(person.id))
    return {
      heading: 'Nothing left for you to do',
      sentence: 'The group is looked after again. Thank you for looking.',
    };
  if (!isMember)
    return {
      heading: 'This is no longer yours',
      sentence: 'Only members of the group are asked, and you are none any more.',
    };
  if (offer !== undefined)
    return {
      heading: 'Somebody else offered to',
      sentence: `${offer.askedBy.name} offered to take the group over, and that waits for its approval. Should it be denied, this link still works.`,
    };
  return undefined;
}

function ofOwn({ state, approval, why }: GroupChange): Receipt {
  const decider = approval?.decision?.name ?? 'nobody';
  switch (state) {
    case 'pending':
      return {
        heading: 'You offered to take it over',
        sentence: `It waits for the approval of those who stand in for missing owners: ${(approval?.people ?? []).map(({ displayName }) => displayName).join(', ')}. You will get a mail.`,
      };
    case 'approved':
    case 'applying':
    case 'failed':
      return { heading: 'Approved', sentence: `Approved by ${decider}. You will get a mail once you own the group.` };
    case 'done':
      return { heading: 'You took it over', sentence: `Approved by ${decider}. You own the group.` };
    case 'denied':
      return { heading: 'Denied', sentence: `Your offer was denied by ${decider}.` };
    case 'expired':
      return { heading: 'Expired', sentence: 'Your offer was not decided in time. Other members are asked.' };
    case 'withdrawn':
      return { heading: 'Withdrawn', sentence: 'You took your offer back. Other members are asked.' };
    case 'cancelled':
      return { heading: 'Cancelled', sentence: why?.sentence ?? 'Your offer came to nothing.' };
  }
}

const showing = door({
  name: 'showTakeOverPage',
  method: 'GET',
  route: 'take-over/{linkId}',
  admits: 'anyone',
  rule: 'Facts only for the signed-in person whom the link names; changes nothing.',
  params: linkParams,
  page: asPage,
  handle: async (visit) => {
    const signed = await signedIn(visit, 200);
    return 'dossier' in signed ? show(visit, signed) : signed;
  },
});

const offerForm = z.strictObject({ token: z.string().default('') });

const offering = door({
  name: 'postTakeOver',
  method: 'POST',
  route: 'take-over/{linkId}',
  admits: 'anyone',
  rule: 'Counts only for the signed-in member whom the link names, while nobody owns the group, from our own form.',
  params: linkParams,
  page: asPage,
  handle: async (visit) => {
    const { params, services, workflows, via, at, log } = visit;
    const signed = await signedIn(visit, 403);
    if (!('dossier' in signed)) return signed;
    const { person, dossier } = signed;
    const posted = await postedForm(visit, offerForm, 'try', (problem, status) =>
      show(visit, signed, { problem, status }),
    );
    if (!('form' in posted)) return posted;

    const care = dossier.stored.request;
    // what is there to say stands on the page
    if ((await receiptOf(visit, person, dossier)) !== undefined) return seeOther(pathOf(params.linkId));
    const admitted = countedMeanwhile(visit, changesOf(care.id, person.id));
    const result = await fileTakingOver(services, care, { me: person, via, admitted }, at);
    if (result.kind === 'filed') {
      await nudge(log, () => workflows.change.start(result.change.id));
      // the others are told at once
      await nudge(log, async () => {
        await changeStored(services.records.cares, care.id, via, (now) => lookNow(now, at));
        return workflows.care.attend(care.id);
      });
      return seeOther(pathOf(params.linkId));
    }
    return posted.again(whyNot(result), 409);
  },
});

/** Why the offer was not filed. */
function whyNot(result: Exclude<FileChangeResult, { kind: 'filed' }>): string {
  switch (result.kind) {
    case 'refused':
      return result.refusal.sentence;
    case 'invalid':
      return result.errors.map(({ detail }) => detail).join(' ');
    case 'open-already':
    case 'in-progress':
    case 'key-reused':
      return 'The owners of the group are being changed at this moment. Please look again in a few minutes.';
    case 'not-found':
    case 'not-yours':
      return 'This is not yours to take over.';
  }
}

export const doors = [showing, offering] as const;
