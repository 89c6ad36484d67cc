import { DirectoryRefused, DirectoryUnavailable } from '../../shared/directory/directory';
import { eligibleApprovers } from '../../shared/domain/approvers';
import type { Approver } from '../../shared/domain/approvers';
import type { Group } from '../../shared/domain/eligibility';
import type { GroupChange } from '../../shared/domain/group-change';
import {
  ASKED_AT_A_TIME,
  askMembers,
  askedWithAnother,
  askOwner,
  endCare,
  isAskedWith,
  isInCare,
  namesTogether,
  nobodyLeft,
  ownerMayBeAsked,
  ownerUnreachable,
  postponeCare,
  roundEnds,
  seeOffer,
  waitForOwner,
  waitForRound,
} from '../../shared/domain/ownerless';
import type { Care, CareChange, CareState } from '../../shared/domain/ownerless';
import type { Policy } from '../../shared/domain/policy';
import { FeatureOff, needFeature } from '../../shared/group-changes/features';
import type { ChangeRefusal } from '../../shared/group-changes/file';
import { openOffer } from '../../shared/group-changes/claim';
import {
  letterKey,
  othersNotReached,
  othersOf,
  takePen,
  withdrawLetter,
} from '../../shared/group-changes/second-owner';
import { approvalOfTakingOver, nobodyApproves } from '../../shared/group-changes/take-over';
import { refuseGroup } from '../../shared/join-requests/eligibility';
import {
  addressee,
  deliverFrom,
  linkAddress,
  mailOf,
  putMails,
  sendQueued,
  withLinks,
} from '../../shared/join-requests/outbox';
import { MailUnavailable } from '../../shared/mail/mailer';
import { secondOwnerMessage, takenMessage, takeOverMessage } from '../../shared/mail/ownerless-messages';
import { policyInForce } from '../../shared/policies/in-force';
import { changeStored } from '../../shared/records/dossiers';
import type { Mail } from '../../shared/records/mail-rows';
import type { CareDossier, StoredCare } from '../../shared/records/ownerless';
import { retryOnConflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { MISSED_BEFORE, retryAt, timeOf } from './standing';
import type { StepInput } from './standing';

const ROUTE = 'activity:tendGroup';

/** How the care for a group stands after a step. */
export interface CareStanding {
  state: CareState;
  due: string | null;
  /** A service did not answer: the step is due again at `due`. */
  postponed: boolean;
}

const standing = ({ state, due }: Care, postponed = false): CareStanding => ({ state, due, postponed });
const NOTHING: CareStanding = { state: 'closed', due: null, postponed: false };

/**
 * Looks at who owns the group now, and asks whom the care for it asks next: the only owner to name a second, or members to take over. What
 * is asked is written with its mails before these are sent, so that a repeat sends the same and asks nobody else.
 * @param input `requestId` is the group's id
 */
export function tendGroup(services: Services, input: StepInput): Promise<CareStanding> {
  return orLater(services, input, () =>
    retryOnConflict(async () => {
      const at = timeOf(input);
      const dossier = await services.records.cares.dossier(input.requestId);
      const care = dossier?.stored.request;
      if (dossier === undefined || care === undefined || !isInCare(care)) return NOTHING;
      if (care.due === null || new Date(care.due) > at) return standing(care);

      const { directory, records } = services;
      const [group, owners, { policy }, isNamedByPolicy] = await Promise.all([
        directory.group(care.id),
        directory.owners(care.id),
        policyInForce(services, care.id),
        records.policies.isNamed(care.id),
      ]);
      const refusal =
        (await refuseGroup(services, { group, policy, isNamedByPolicy })) ??
        (policy.ownerCare ? undefined : ownersNotCaredFor);
      // the directory may miss for a moment what it has
      if (refusal?.rule === 'group-not-found' && input.attempt < MISSED_BEFORE)
        throw new DirectoryUnavailable('The group is not there at this moment.');
      const [owner, second] = eligibleApprovers(owners, '');
      const asked = refusal === undefined && second === undefined ? owner?.id : undefined;
      if (await withdrawLetter(services, dossier, asked, { route: ROUTE }, at)) return tendGroup(services, input);
      if (group === undefined || refusal !== undefined)
        return write(services, dossier.stored, endCare(care, refusal, at));
      if (second !== undefined) return write(services, dossier.stored, endCare(care, undefined, at));
      return owner === undefined
        ? tendOwnerless(services, dossier, group, policy, at)
        : tendOnlyOwner(services, dossier, group, owner, at);
    }),
  );
}

async function write({ records }: Services, stored: StoredCare, change: CareChange): Promise<CareStanding> {
  return standing((await records.cares.write(stored, change, { route: ROUTE })).request);
}

/** Where a service can't answer now, the care is due again later. */
async function orLater(services: Services, input: StepInput, step: () => Promise<CareStanding>): Promise<CareStanding> {
  try {
    return await step();
  } catch (error) {
    const passes = error instanceof DirectoryUnavailable || error instanceof MailUnavailable;
    if (!passes && !(error instanceof DirectoryRefused)) throw error;
    const until = retryAt(timeOf(input), input.attempt, passes ? error.retryAfterMs : undefined);
    const stored = await changeStored(services.records.cares, input.requestId, { route: ROUTE }, (care) =>
      isInCare(care) ? postponeCare(care, until) : undefined,
    );
    return stored === undefined || !isInCare(stored.request) ? NOTHING : standing(stored.request, true);
  }
}

/** Sends what was written down to be asked. @throws {MailUnavailable} where some could not be sent now */
async function send(services: Services, care: Care, mails: readonly Mail[], isNew: boolean, at: Date): Promise<Mail[]> {
  const { cares } = services.records;
  const fresh = new Set(isNew ? mails.map(({ key }) => key) : []);
  await putMails(services, care.id, mails);
  const sent = await sendQueued(services, care.id, mails, fresh, at);
  await cares.saveMails(care.id, sent.mails);
  if (sent.unavailable !== undefined) throw sent.unavailable;
  return sent.mails;
}

/** Those who were asked have their time. */
async function wait(
  { records }: Services,
  care: Care,
  at: Date,
  change: (care: Care, at: Date) => CareChange | undefined,
): Promise<CareStanding> {
  const stored = await changeStored(records.cares, care.id, { route: ROUTE }, (now) =>
    now.shortage === care.shortage && isInCare(now) ? change(now, at) : undefined,
  );
  return stored === undefined ? NOTHING : standing(stored.request);
}

/** Members who were asked have a week. */
async function sendAndWait(
  services: Services,
  care: Care,
  mails: readonly Mail[],
  isNew: boolean,
  at: Date,
): Promise<CareStanding> {
  await send(services, care, mails, isNew, at);
  return wait(services, care, at, waitForRound);
}

/** The only owner is asked to name a second, once in 30 days, in one mail for all groups of theirs that are found in one night. */
async function tendOnlyOwner(
  services: Services,
  { stored, mails }: CareDossier,
  group: Group,
  owner: Approver,
  at: Date,
): Promise<CareStanding> {
  const care = stored.request;
  const letter = mails.get(letterKey(care, owner.id));
  if (letter?.status === 'queued') return sendLetter(services, care, letter, false, at);
  if (letter?.status === 'refused' && care.state === 'one-owner') return notReached(services, care, at);
  if (at < ownerMayBeAsked(care)) {
    // an attempt broke off between writing that the owner is asked and writing the mail
    const isUnwritten = care.state === 'one-owner' && care.askedWith === undefined && !isWritten(care, mails);
    return isUnwritten
      ? writeLetter(services, stored, group, owner, at)
      : write(services, stored, waitForOwner(care, at));
  }
  const until = await takePen(services, owner.id, care.id, at);
  if (until !== undefined) return write(services, stored, postponeCare(care, until));
  const asked = await services.records.cares.write(stored, askOwner(care, owner.id, at), { route: ROUTE });
  return writeLetter(services, asked, group, owner, at);
}

const isWritten = ({ letters }: Care, mails: CareDossier['mails']): boolean =>
  [...mails.keys()].some((key) => key.startsWith(`second_${String(letters)}_`));

/** Writes the mail, with the other groups of theirs about which no other mail asks, and sends it. */
async function writeLetter(
  services: Services,
  stored: StoredCare,
  group: Group,
  owner: Approver,
  at: Date,
): Promise<CareStanding> {
  const { cares } = services.records;
  const care = stored.request;
  const by = { care: care.id, letter: care.letters };
  const others: Group[] = [];
  for (const other of await othersOf(services, owner, by, at)) {
    const named = await changeStored(cares, other.id, { route: ROUTE }, (now) =>
      askedWithAnother(now, owner.id, by, at),
    );
    if (named !== undefined && isAskedWith(named.request, by)) others.push(other);
  }
  const message = secondOwnerMessage({
    groupNames: [group, ...others].map(({ displayName }) => displayName),
    recipient: owner.displayName,
  });
  const mail = mailOf(care.id, letterKey(care, owner.id), addressee(owner), message);
  const together = others.map(({ id }) => id);
  const written = await cares.write(stored, namesTogether(care, together), { route: ROUTE, mails: [mail] });
  return sendLetter(services, written.request, mail, true, at);
}

/** The only owner has a month; where the mail service refuses the mail, nobody was asked. */
async function sendLetter(
  services: Services,
  care: Care,
  letter: Mail,
  isNew: boolean,
  at: Date,
): Promise<CareStanding> {
  const [sent] = await send(services, care, [letter], isNew, at);
  return sent?.status === 'refused' ? notReached(services, care, at) : wait(services, care, at, waitForOwner);
}

async function notReached(services: Services, care: Care, at: Date): Promise<CareStanding> {
  await othersNotReached(services.records, care.together ?? [], { route: ROUTE }, at);
  return wait(services, care, at, ownerUnreachable);
}

const ownersNotCaredFor: ChangeRefusal = {
  rule: 'owner-care-off',
  sentence: 'The policy of the group says that nobody is asked about its owners.',
};
const nobodyToAsk: ChangeRefusal = {
  rule: 'no-members-left',
  sentence:
    'No member is left who could be asked to take the group over: all who are enabled, no guests, and have a mailbox were asked. Add an owner.',
};
const membersUnknown: ChangeRefusal = {
  rule: 'members-hidden',
  sentence: 'The members of the group can’t be read, so nobody can be asked to take it over. Add an owner.',
};

/** Members are asked to take over, a few at a time, until one offers to. */
async function tendOwnerless(
  services: Services,
  dossier: CareDossier,
  group: Group,
  policy: Policy,
  at: Date,
): Promise<CareStanding> {
  const { stored, mails } = dossier;
  const care = stored.request;
  const offer = await openOffer(services, care.id);
  if (offer !== undefined) return tellOthers(services, dossier, group, offer, at);

  const ofShortage = askingKey(care, '');
  const unsent = [...mails.values()].filter(({ key, status }) => key.startsWith(ofShortage) && status === 'queued');
  if (unsent.length > 0) return sendAndWait(services, care, unsent, false, at);
  if (at < roundEnds(care)) return write(services, stored, waitForRound(care, at));

  const next = await nextToAsk(services, care, policy);
  if ('rule' in next) return write(services, stored, nobodyLeft(care, next, at));
  return askNext(services, dossier, group, next, at);
}

/** Among so many members those are looked for whose taking over somebody could approve. */
const MOST_LOOKED_AT = 30;

const askingKey = ({ shortage }: Care, personId: string): string => `takeover_${String(shortage)}_${personId}`;

/** Those who are asked next, the oldest members first; or why nobody can be. */
async function nextToAsk(services: Services, care: Care, policy: Policy): Promise<Approver[] | ChangeRefusal> {
  const { directory, records } = services;
  try {
    await needFeature(services, 'own-groups');
  } catch (error) {
    if (error instanceof FeatureOff) return { rule: 'feature-off', sentence: error.sentence };
    throw error;
  }
  let members: Approver[];
  try {
    members = eligibleApprovers(await directory.members(care.id), '');
  } catch (error) {
    if (error instanceof DirectoryRefused) return membersUnknown;
    throw error;
  }
  const since = await records.memberships.since(care.id);
  const left = members.filter(({ id }) => !care.asked.includes(id));
  // the order of the directory stands where nothing is known
  const oldest = left
    .filter(({ id }) => since.has(id))
    .toSorted((one, other) => (since.get(one.id) ?? '').localeCompare(since.get(other.id) ?? ''));
  const next = [...oldest, ...left.filter(({ id }) => !since.has(id))].slice(0, MOST_LOOKED_AT);
  if (next.length === 0) return nobodyToAsk;
  const able: Approver[] = [];
  for (const person of next) {
    const { id, displayName } = person;
    // whose manager would approve, and who has none, is not asked in vain
    if ((await approvalOfTakingOver(services, policy, { id, name: displayName })).people.length > 0) able.push(person);
    if (able.length === ASKED_AT_A_TIME) break;
  }
  return able.length > 0 ? able : nobodyApproves;
}

/** Writes down who is asked, with their mails and links, and sends these. */
async function askNext(
  services: Services,
  dossier: CareDossier,
  group: Group,
  people: readonly Approver[],
  at: Date,
): Promise<CareStanding> {
  const { stored } = dossier;
  const care = stored.request;
  const ids = people.map(({ id }) => id);
  const links = await withLinks(services, dossier, ids);
  const mails = people.map((person) =>
    mailOf(
      care.id,
      askingKey(care, person.id),
      addressee(person),
      takeOverMessage({
        groupName: group.displayName,
        recipient: person.displayName,
        asked: people.length,
        link: linkAddress(services, 'take-over', links.all.get(person.id)),
      }),
    ),
  );
  const { cares } = services.records;
  const asked = await cares.write(stored, askMembers(care, ids, at), { route: ROUTE, mails, links: links.fresh });
  return sendAndWait(services, asked.request, mails, true, at);
}

/** Somebody offered to take over: the others who were asked are told, once. */
async function tellOthers(
  services: Services,
  dossier: CareDossier,
  group: Group,
  { id, askedBy, askedAt }: GroupChange,
  at: Date,
): Promise<CareStanding> {
  const care = dossier.stored.request;
  const asked = [...dossier.mails.values()].filter(
    ({ key, status, to }) => key.startsWith(askingKey(care, '')) && status === 'accepted' && to.id !== askedBy.id,
  );
  const mails = asked.flatMap(({ to }): Mail[] => {
    const key = `taken_${id}_${to.id}`;
    const known = dossier.mails.get(key);
    if (known !== undefined && known.status !== 'queued') return [];
    const message = takenMessage({
      groupName: group.displayName,
      recipient: to.name,
      by: askedBy.name,
      at: new Date(askedAt),
    });
    return [mailOf(care.id, key, to, message)];
  });
  const sent = await deliverFrom(services, services.records.cares, dossier, mails, at);
  if (sent.unavailable !== undefined) throw sent.unavailable;
  return write(services, dossier.stored, seeOffer(care, { personId: askedBy.id, changeId: id }, at));
}
