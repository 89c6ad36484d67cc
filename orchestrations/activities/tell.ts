import {
  approvedBy,
  coolsDownUntil,
  delayTold,
  GATEHOUSE,
  isOpen,
  isToTell,
  notePolicy,
  tell as told,
} from '../../shared/domain/join-request';
import { hasMailbox } from '../../shared/domain/eligibility';
import type { JoinRequest, TrailEntry } from '../../shared/domain/join-request';
import { factsOf, outcomeOf } from '../../shared/join-requests/facts';
import { addressee, deliver, linkAddress, mailOf, wentOut } from '../../shared/join-requests/outbox';
import { closedMessage, delayedMessage, outcomeMessage } from '../../shared/mail/messages';
import type { Ended, Outcome } from '../../shared/mail/messages';
import { policyInForce } from '../../shared/policies/in-force';
import type { Dossier, Mail } from '../../shared/records/join-requests';
import type { Membership } from '../../shared/records/memberships';
import { changeRequest } from '../../shared/records/records';
import { Conflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { event } from '../../shared/telemetry';
import { gone, orPostponed, postponed, standing, timeOf } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:tell';

/**
 * Tells the outcome to the requester and to everyone who was asked, frees the claim, and closes the request's books. Of a request that
 * was approved and can't be applied, the requester is told so, and its books stay open.
 */
export function tell(services: Services, input: StepInput): Promise<Standing> {
  return orPostponed(services, input, ROUTE, async () => {
    const { records } = services;
    const at = timeOf(input);
    const dossier = await records.requests.dossier(input.requestId);
    if (dossier === undefined) return gone();
    const { request } = dossier.stored;
    const outcome = outcomeOf(request);
    if (!isToTell(request)) return standing(request);

    // what stands in the outbox unsent is written anew: an outcome that another one overtook is not told any more
    const mails =
      outcome === undefined ? await delay(services, dossier) : await mailsToSend(services, dossier, outcome);
    if (outcome !== undefined && (await noteWhatWentOut(services, dossier, mails, at))) return tell(services, input);
    const sent = await deliver(services, dossier, mails, at);
    if (sent.unavailable !== undefined) return postponed(services, input, 'mail', sent.unavailable.retryAfterMs, ROUTE);

    if (outcome !== undefined) await clearDesks(services, dossier);
    const version = await versionNow(services, request);
    const stored = await changeRequest(records, request.id, { route: ROUTE }, (now) => {
      // what came meanwhile, such as an end of what was granted, is told after this
      if (now.state !== request.state || !isToTell(now)) return undefined;
      if (isOpen(now)) return delayTold(now);
      const noted = version === undefined ? undefined : notePolicy(now, version, at);
      const change = told(noted?.request ?? now, at, whoWasTold(dossier, sent.mails));
      return { ...change, entries: [...(noted?.entries ?? []), ...change.entries] };
    });
    if (outcome !== undefined) report(request, at);
    return stored === undefined ? gone() : standing(stored.request);
  });
}

/** The policy in force, for whoever looks at a request that was never applied: at one that was it was looked at then. */
const versionNow = async (services: Services, { applying, group }: JoinRequest): Promise<string | undefined> =>
  applying === undefined ? (await policyInForce(services, group.id)).version : undefined;

/** How it ended and how long that took, for those who watch how the workflows do. */
function report({ state, filedAt, stage, earlierVotes = [] }: JoinRequest, at: Date): void {
  const hours = (since: string, until: string): number =>
    Math.round((new Date(until).getTime() - new Date(since).getTime()) / 36_000) / 100;
  const decidedAt = [...earlierVotes, ...stage.votes]
    .map((vote) => vote.at)
    .toSorted()
    .at(-1);
  event('request-told', {
    outcome: state,
    hours: hours(filedAt, at.toISOString()),
    ...(decidedAt !== undefined && { hoursToDecision: hours(filedAt, decidedAt) }),
  });
}

/**
 * Writes down the mails of steps that broke off between sending and writing so: whoever was asked in this way is told the outcome as well.
 * @param mails what is sent now
 * @returns whether the books must be read again
 */
async function noteWhatWentOut(
  services: Services,
  dossier: Dossier,
  mails: readonly Mail[],
  at: Date,
): Promise<boolean> {
  const { stored } = dossier;
  const out = await wentOut(services, dossier, new Set(mails.map(({ key }) => key)));
  if (out.length === 0) return false;
  const entry = (event: TrailEntry['event'], kinds: RegExp): TrailEntry[] => {
    const people = out.filter(({ key }) => kinds.test(key)).map(({ to }) => to.id);
    if (people.length === 0) return [];
    return [{ event, at: at.toISOString(), by: GATEHOUSE, data: { stage: stored.request.stage.index, people } }];
  };
  const entries = [...entry('approvers-asked', /^ask_/), ...entry('approvers-reminded', /^(remind|nudge)_/)];
  try {
    await services.records.requests.write(stored, { request: stored.request, entries }, { route: ROUTE, mails: out });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
  return true;
}

/** Nothing waits for anybody any more: the claim is free, unless a denial keeps it for a while, and the request is off every desk. */
async function clearDesks({ records }: Services, { stored: { request }, links }: Dossier): Promise<void> {
  const { id, group, requester } = request;
  // the next filing finds the denial by its claim, and when it may go ahead
  if (coolsDownUntil(request) === undefined) await records.claims.release(group.id, requester.id, id);
  await Promise.all([...links.keys()].map((personId) => records.desks.remove(personId, id)));
}

/** Tells the requester that the decision stands and the directory refused the change. */
async function delay(services: Services, { stored, mails }: Dossier): Promise<Mail[]> {
  const { directory } = services;
  const { request } = stored;
  const key = `delayed_${request.requester.id}`;
  if (isSettled(mails.get(key))) return [];
  const [group, person] = await Promise.all([
    directory.group(request.group.id),
    directory.person(request.requester.id),
  ]);
  if (!hasMailbox(person)) return [];
  const message = delayedMessage({
    facts: factsOf(request, { ...(group && { group }), person, approvers: request.stage.approvers }),
    recipient: person.displayName,
    decidedBy: approvedBy(request).map(({ name }) => name),
    statusLink: linkAddress(services, 'requests', request),
  });
  return [mailOf(request.id, key, addressee(person), message, mails.get(key))];
}

const isSettled = (mail: Mail | undefined): boolean => mail !== undefined && mail.status !== 'queued';

const isOutcomeMail = (key: string): boolean => /^(outcome|closed|ended|delayed)_/.test(key);

/** Everyone whose asking was accepted, at whatever stage, but for the one whose decision ended it: that person saw it happen. */
function askedPeople({ stored: { request }, mails }: Dossier): Mail['to'][] {
  const decided = request.state === 'granted' || request.state === 'denied' || request.state === 'ended';
  const people = new Map<string, Mail['to']>();
  for (const { key, status, to } of mails.values())
    if (key.startsWith('ask_') && status === 'accepted') people.set(to.id, to);
  if (decided && request.decidedBy !== undefined) people.delete(request.decidedBy);
  return [...people.values()];
}

async function mailsToSend(services: Services, dossier: Dossier, given: Outcome): Promise<Mail[]> {
  const { directory, records } = services;
  const { stored, mails, links } = dossier;
  const { request } = stored;
  const [group, person, membership] = await Promise.all([
    directory.group(request.group.id),
    directory.person(request.requester.id),
    records.memberships.read(request.group.id, request.requester.id),
  ]);
  if (given.kind === 'ended' && goesOn(given, membership)) return [];
  // whoever asked to stay may have been removed meanwhile: then there is no membership to speak of
  const speaksOfIt = given.kind === 'ended' || (given.kind !== 'granted' && request.extends !== undefined);
  const isThere = group !== undefined;
  const isMember = speaksOfIt && isThere && (await directory.isMember(request.group.id, request.requester.id));
  const outcome = given.kind === 'ended' ? asItIs(given, { isMember, isThere }) : given;
  const facts = factsOf(request, {
    ...(group && { group }),
    ...(person && { person }),
    approvers: request.stage.approvers,
    // an extension that was granted was one when it was granted
    ...(outcome.kind !== 'granted' && { at: new Date(), isMember }),
  });

  const toRequester = (): Mail[] => {
    const key = `${outcome.kind === 'ended' ? 'ended' : 'outcome'}_${request.requester.id}`;
    // without a mailbox the status is all there is
    if (isSettled(mails.get(key)) || !hasMailbox(person)) return [];
    const message = outcomeMessage({
      facts,
      outcome,
      recipient: person.displayName,
      statusLink: linkAddress(services, 'requests', request),
    });
    return [mailOf(request.id, key, addressee(person), message, mails.get(key))];
  };
  const toOthers = askedPeople(dossier).flatMap((to): Mail[] => {
    const key = `closed_${to.id}`;
    if (isSettled(mails.get(key))) return [];
    return [
      mailOf(
        request.id,
        key,
        to,
        closedMessage({
          facts,
          outcome,
          recipient: to.name,
          link: linkAddress(services, 'decisions', links.get(to.id)),
        }),
        mails.get(key),
      ),
    ];
  });
  return [...toRequester(), ...toOthers];
}

/** The end of a grant changes nothing for anybody where another one went on then, or one that came later does now. */
const goesOn = ({ covered, removed }: Ended, membership: Membership | undefined): boolean =>
  covered === true || (!removed && membership?.wanted === 'in' && membership.grants.length > 0);

/**
 * How a membership ended, as it is now: another end of the same moment may have removed the person, another group may keep them in, and a
 * group may have been deleted, or restored, since.
 */
function asItIs({ how, ...ended }: Ended, { isMember, isThere }: { isMember: boolean; isThere: boolean }): Ended {
  const isDeleted = !isThere && how !== 'revoked';
  const now = isDeleted ? 'group-deleted' : how === 'group-deleted' ? 'lapsed' : how;
  return { ...ended, removed: !isMember, ...(now !== undefined && { how: now }) };
}

function whoWasTold({ mails }: Dossier, sent: readonly Mail[]): Record<string, unknown> {
  const all = new Map(mails);
  for (const mail of sent) all.set(mail.key, mail);
  const ids = (status: Mail['status']): string[] =>
    [...all.values()].filter((mail) => isOutcomeMail(mail.key) && mail.status === status).map(({ to }) => to.id);
  return { told: ids('accepted'), unreachable: ids('refused') };
}
