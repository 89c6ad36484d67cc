import { everyoneOf, MOST_ASKED } from '../../shared/domain/approvers';
import type { Approver, Party } from '../../shared/domain/approvers';
import { refusals } from '../../shared/domain/eligibility';
import type { Group, Person } from '../../shared/domain/eligibility';
import {
  asked,
  cancel,
  counting,
  deadlineOf,
  escalate,
  escalationTime,
  expire,
  notePolicy,
  remindersDue,
  tally,
} from '../../shared/domain/join-request';
import type { Change, JoinRequest } from '../../shared/domain/join-request';
import { composeAskings, planAskings } from '../../shared/join-requests/askings';
import type { Asking } from '../../shared/join-requests/askings';
import { planDigests, sendDigests } from '../../shared/join-requests/digest';
import { lookAgain } from '../../shared/join-requests/eligibility';
import { notYetPut, putMails, sendQueued, withLinks } from '../../shared/join-requests/outbox';
import { partiesOf, refuseTooFew } from '../../shared/join-requests/who-may-decide';
import type { Dossier, Mail } from '../../shared/records/join-requests';
import { isEnding } from '../../shared/records/memberships';
import { changeRequest } from '../../shared/records/records';
import { Conflict, retryOnConflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { confirmMissing, gone, orPostponed, postponed, standing, timeOf } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:notify';

/**
 * Asks those who may decide now and were not asked yet at this stage, reminds the others when it is time, widens the circle when nobody
 * decided for too long, and expires what is due. A request that can't be granted any more, or that nobody can decide, ends here instead
 * of bothering people.
 */
export function notify(services: Services, input: StepInput): Promise<Standing> {
  return orPostponed(services, input, ROUTE, async () => {
    const { records, directory } = services;
    const at = timeOf(input);
    const found = await records.requests.dossier(input.requestId);
    if (found === undefined) return gone();
    const { request: before } = found.stored;
    const isFirst = before.stage.index === 0 && before.stage.askedAt === undefined;
    if (isFirst) await records.lists.index(before);
    if (before.state !== 'pending') return standing(before);

    const end = (decideEnd: (request: JoinRequest) => Change | undefined): Promise<Standing> =>
      ended(services, before.id, decideEnd);
    if (at >= deadlineOf(before)) return end((now) => expire(now, at));
    if (before.stage.askedAt === undefined && !(await holdsClaim(services, before))) {
      return end((now) =>
        now.state === 'pending'
          ? cancel(
              now,
              { rule: 'open-already', sentence: 'Another request of the same person for the same group came first.' },
              at,
            )
          : undefined,
      );
    }

    const { group, person, version, refusal } = await lookAgain(services, before);
    confirmMissing(refusal?.rule, before, input);
    if (refusal !== undefined) return end((now) => (now.state === 'pending' ? cancel(now, refusal, at) : undefined));
    if (group === undefined || person === undefined) return standing(before);

    if (await isMemberOtherwise(services, before))
      return end((now) => (now.state === 'pending' ? cancel(now, refusals.alreadyMember, at) : undefined));

    const dossier = await broughtUpToDate(services, found, version, at);
    if (dossier === undefined) return notify(services, input);
    const parties = await partiesOf(directory, dossier.stored.request);
    const tallied = tally(dossier.stored.request, parties, at);
    if (tallied !== undefined)
      return end((now) => (now.stage.index === before.stage.index ? tally(now, parties, at) : undefined));
    const reachable = canBeReached(dossier.stored.request);
    const tooFew = refuseTooFew(parties, ({ id }) => reachable(id));
    if (tooFew !== undefined) return end((now) => (now.state === 'pending' ? cancel(now, tooFew, at) : undefined));
    return ask(services, dossier, { group, person, parties, reachable, at, input });
  });
}

/** Somebody who became a member by another way needs no decision: nobody is reminded for nothing. */
async function isMemberOtherwise(
  { directory, records }: Services,
  { extends: before, stage, group, requester }: JoinRequest,
): Promise<boolean> {
  if (before !== undefined || stage.askedAt === undefined) return false;
  // before the directory is asked: what is removed between the two looks is no membership of another way
  const membership = await records.memberships.read(group.id, requester.id);
  return !(membership && isEnding(membership)) && (await directory.isMember(group.id, requester.id));
}

/** A filing that lost its claim before its request was written must not ask anybody. */
async function holdsClaim({ records }: Services, request: JoinRequest): Promise<boolean> {
  const claim = await records.claims.read(request.group.id, request.requester.id);
  return claim === undefined || claim.requestId === request.id;
}

/** Writes down another policy that came into force, and the escalation that is due. `undefined` where somebody else wrote first. */
async function broughtUpToDate(
  { records }: Services,
  dossier: Dossier,
  version: string,
  at: Date,
): Promise<Dossier | undefined> {
  const { stored } = dossier;
  const noted = notePolicy(stored.request, version, at);
  const request = noted?.request ?? stored.request;
  const escalation = escalationTime(request);
  const escalated = escalation !== undefined && escalation <= at ? escalate(request, at) : undefined;
  if (noted === undefined && escalated === undefined) return dossier;
  const change = {
    request: escalated?.request ?? request,
    entries: [...(noted?.entries ?? []), ...(escalated?.entries ?? [])],
  };
  try {
    return { ...dossier, stored: await records.requests.write(stored, change, { route: ROUTE }) };
  } catch (error) {
    if (error instanceof Conflict) return undefined;
    throw error;
  }
}

/**
 * Who can be told to decide: people whose mail was refused or bounced at this stage don't count, others step in for them; who voted needs
 * no mail.
 */
function canBeReached({ stage: { unreachable = [], votes } }: JoinRequest): (id: string) => boolean {
  const not = new Set(unreachable);
  for (const { personId } of votes) not.delete(personId);
  return (id) => !not.has(id);
}

async function ended(
  { records }: Services,
  id: string,
  decideEnd: (request: JoinRequest) => Change | undefined,
): Promise<Standing> {
  const stored = await changeRequest(records, id, { route: ROUTE }, decideEnd);
  return stored === undefined ? gone() : standing(stored.request);
}

interface Step {
  group: Group;
  person: Person;
  parties: Party[];
  reachable: (id: string) => boolean;
  at: Date;
  input: StepInput;
}

/** Puts the mails into the outbox, sends them, and writes down who was asked. */
async function ask(services: Services, dossier: Dossier, step: Step): Promise<Standing> {
  const { records } = services;
  const { parties, at, input, reachable } = step;
  const approvers = everyoneOf(parties).slice(0, MOST_ASKED);
  const { stored } = dossier;
  const { request } = stored;

  const askings = planAskings(
    dossier,
    approvers.filter(({ id }) => reachable(id)),
    at,
  );
  const links = await linksOf(services, dossier, askings);
  // what an earlier attempt put into the outbox may have gone out: no other mail stands for it
  const fresh = askings.filter(({ key }) => !dossier.mails.has(key));
  const digests = await planDigests(services, request, fresh, at);
  const covered = new Set(digests.map(({ key }) => key));
  const mails = composeAskings(services, dossier, {
    ...step,
    approvers,
    links: links.all,
    // somebody who asks to stay may have been removed meanwhile: then there is nothing to stay in
    isMember:
      request.extends === undefined || (await services.directory.isMember(request.group.id, request.requester.id)),
    askings: askings.filter(({ key }) => !covered.has(key)),
  });
  await putMails(services, request.id, mails);
  if (mails.length > 0 || links.fresh.length > 0) {
    try {
      await records.requests.write(
        stored,
        {
          request: {
            ...request,
            stage: { ...request.stage, approvers, counted: counting(parties, request.stage.votes) },
          },
          entries: [],
        },
        { route: ROUTE, mails, links: links.fresh },
      );
    } catch (error) {
      // somebody decided meanwhile: look again at once
      if (error instanceof Conflict) return notify(services, input);
      throw error;
    }
  }

  // a mail of an earlier attempt to somebody who may no longer decide, or has decided, stays unsent
  const sent = await sendQueued(services, request.id, mails, notYetPut(dossier, mails), at, request.filedBy.id);
  const { mails: stoodFor, unavailable } =
    sent.unavailable === undefined
      ? await sendDigests(services, request, digests, at)
      : { mails: [], unavailable: sent.unavailable };
  return recordAsking(
    services,
    request,
    { approvers, mails: [...sent.mails, ...stoodFor], at, acceptedAt: timeOf(input), input },
    unavailable,
  );
}

/** The link of everyone who is asked, made and put onto their desk where they have none of this stage yet. */
async function linksOf(
  services: Services,
  dossier: Dossier,
  askings: readonly Asking[],
): Promise<Awaited<ReturnType<typeof withLinks>>> {
  const { request } = dossier.stored;
  const ids = askings.map(({ approver }) => approver.id);
  const links = await withLinks(services, dossier, ids, request.stage.index);
  const { desks } = services.records;
  await Promise.all(links.fresh.map(({ personId, id }) => desks.put(personId, { requestId: request.id, linkId: id })));
  return links;
}

/** Writes down whom mail reached and whom not; where some could not be sent now, the step is due again. */
async function recordAsking(
  services: Services,
  request: JoinRequest,
  done: { approvers: Approver[]; mails: readonly Mail[]; at: Date; acceptedAt: Date; input: StepInput },
  unavailable: { retryAfterMs?: number } | undefined,
): Promise<Standing> {
  const { approvers, mails, at, acceptedAt, input } = done;
  const { requests } = services.records;
  let unreachable: string[] = [];
  const written = await retryOnConflict(async () => {
    const found = await requests.dossier(request.id);
    if (found === undefined) return undefined;
    const { request: now } = found.stored;
    // a step that was delivered twice tells of each mail once; one that bounced meanwhile was sent all the same
    const settled = mails.filter(({ key, operationId }) => {
      const stands = found.mails.get(key);
      // a digest stands for no mail that another delivery has put into the outbox
      return stands === undefined || (operationId !== '' && /queued|undelivered/.test(stands.status));
    });
    const who = (status: Mail['status'], kinds: RegExp): string[] =>
      settled.filter((mail) => mail.status === status && kinds.test(mail.key)).map(({ to }) => to.id);
    unreachable = who('refused', /^(ask|remind|nudge)_/);
    const sameStage =
      now.state === 'pending' && now.stage.index === request.stage.index && now.stage.round === request.stage.round;
    const all = unavailable === undefined;
    const asking = {
      approvers,
      asked: who('accepted', /^ask_/),
      reminded: who('accepted', /^(remind|nudge)_/),
      unreachable,
      reminders: all ? remindersDue(request, at) : now.stage.reminded,
      nudges: all ? (request.stage.nudges?.asked ?? 0) : (now.stage.nudges?.sent ?? 0),
    };
    // also of mails that went out when it was over already
    const change = sameStage
      ? stillDue(request, now, asked(now, asking, at, acceptedAt))
      : { request: now, entries: asked(request, asking, at, acceptedAt).entries };
    return requests.write(found.stored, change, { route: ROUTE, mails: settled });
  });
  if (written === undefined) return gone();
  const bounced = await bouncedMeanwhile(services, request, written.request, mails);
  if (unavailable !== undefined && written.request.state === 'pending')
    return postponed(services, input, 'mail', unavailable.retryAfterMs, ROUTE);
  // others step in at once for those who can't be reached
  return unreachable.length > 0 || bounced ? notify(services, input) : standing(written.request);
}

/** What was made due while mails went out, such as one that operations send again, is not put off to the next reminder. */
function stillDue(before: JoinRequest, now: JoinRequest, change: Change): Change {
  const { due } = change.request;
  const isDueAgain = now.due !== null && now.due !== before.due && due !== null && now.due < due;
  return isDueAgain ? { ...change, request: { ...change.request, due: now.due } } : change;
}

/** A delivery report may come before it is written that its mail was accepted: what it says stands. */
async function bouncedMeanwhile(
  { records }: Services,
  before: JoinRequest,
  after: JoinRequest,
  mails: readonly Mail[],
): Promise<boolean> {
  const known = new Set(before.stage.unreachable);
  const bounced = new Set((after.stage.unreachable ?? []).filter((id) => !known.has(id)));
  const lost = mails.filter(({ to, status }) => bounced.has(to.id) && status === 'accepted');
  await records.requests.saveMails(
    after.id,
    lost.map((mail) => ({ ...mail, status: 'undelivered' as const })),
  );
  return lost.length > 0;
}
