import type { Approver } from '../../shared/domain/approvers';
import { refusals } from '../../shared/domain/eligibility';
import type { Group, Person } from '../../shared/domain/eligibility';
import { addDuration } from '../../shared/domain/duration';
import { asked, cancel, deadlineOf, expire, remindersDue, stagePolicy } from '../../shared/domain/join-request';
import type { Change, JoinRequest } from '../../shared/domain/join-request';
import { refuse } from '../../shared/join-requests/eligibility';
import { mailOf, newLinkId, sendQueued } from '../../shared/join-requests/outbox';
import { approversOf } from '../../shared/join-requests/who-may-decide';
import { approvalMessage } from '../../shared/mail/messages';
import { factsOf } from '../../shared/join-requests/facts';
import type { Dossier, Mail } from '../../shared/records/join-requests';
import { changeRequest } from '../../shared/records/records';
import { Conflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { gone, orPostponed, postponed, standing } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:notify';

/** Mail keys of a stage: one mail per person for asking, one for each reminder. */
const askKey = ({ index, round }: JoinRequest['stage'], personId: string): string =>
  `ask_${String(index)}_${String(round)}_${personId}`;
const remindKey = ({ index, round }: JoinRequest['stage'], reminder: number, personId: string): string =>
  `remind_${String(index)}_${String(round)}_${String(reminder)}_${personId}`;

const isAccepted = (mail: Mail | undefined): boolean => mail?.status === 'accepted';

/**
 * Asks those who may decide now and were not asked yet at this stage, reminds the others when it is time, and expires what is due.
 * A request that can't be granted any more, or that nobody can decide, ends here instead of bothering people.
 */
export function notify(services: Services, input: StepInput): Promise<Standing> {
  return orPostponed(services, input, ROUTE, async () => {
    const { records, directory } = services;
    const at = new Date(input.at);
    const dossier = await records.requests.dossier(input.requestId);
    if (dossier === undefined) return gone();
    const { request } = dossier.stored;
    if (request.state !== 'pending') return standing(request);

    const end = (decideEnd: (request: JoinRequest) => Change | undefined): Promise<Standing> =>
      ended(services, request.id, decideEnd);
    if (at >= deadlineOf(request)) return end((now) => expire(now, at));
    if (request.stage.askedAt === undefined && !(await holdsClaim(services, request))) {
      return end((now) =>
        now.state === 'pending'
          ? cancel(
              now,
              { rule: 'already-member', sentence: 'Another request of the same person for the same group came first.' },
              at,
            )
          : undefined,
      );
    }

    const [group, person] = await Promise.all([
      directory.group(request.group.id),
      directory.person(request.requester.id),
    ]);
    const refusal = await refuse(directory, group, person, request.policy);
    if (refusal !== undefined) return end((now) => (now.state === 'pending' ? cancel(now, refusal, at) : undefined));
    if (group === undefined || person === undefined) return standing(request);

    const approvers = await reachable(services, dossier);
    if (approvers.length === 0)
      return end((now) => (now.state === 'pending' ? cancel(now, refusals.noApprovers, at) : undefined));
    return ask(services, dossier, { group, person, approvers, at, input });
  });
}

/** A filing that lost its claim before its request was written must not ask anybody. */
async function holdsClaim({ records }: Services, request: JoinRequest): Promise<boolean> {
  const claim = await records.claims.read(request.group.id, request.requester.id);
  return claim === undefined || claim.requestId === request.id;
}

/** Who may decide and can be told so: people whose mail was refused don't count, others step in for them. */
function reachable({ directory }: Services, { stored: { request }, mails }: Dossier): Promise<Approver[]> {
  const refused = [...mails.values()].filter(({ status }) => status === 'refused').map(({ to }) => to.id);
  return approversOf(directory, request, new Set(refused));
}

async function ended(
  { records }: Services,
  id: string,
  decideEnd: (request: JoinRequest) => Change | undefined,
): Promise<Standing> {
  const stored = await changeRequest(records, id, { route: ROUTE }, decideEnd);
  return stored === undefined ? gone() : standing(stored.request);
}

interface Asking {
  group: Group;
  person: Person;
  approvers: Approver[];
  at: Date;
  input: StepInput;
}

/** Puts the mails into the outbox, sends them, and writes down who was asked. */
async function ask(services: Services, dossier: Dossier, asking: Asking): Promise<Standing> {
  const { records } = services;
  const { approvers, at, input } = asking;
  const { stored } = dossier;
  const { request } = stored;
  const links = new Map(dossier.links);
  const newLinks = approvers.filter(({ id }) => !links.has(id)).map(({ id }) => ({ personId: id, id: newLinkId() }));
  for (const { personId, id } of newLinks) links.set(personId, id);

  const reminder = remindersDue(request, at);
  const fresh = mailsToSend(services, dossier, asking, links, reminder);
  await Promise.all(newLinks.map((link) => records.links.put({ ...link, requestId: request.id })));
  if (fresh.length > 0 || newLinks.length > 0) {
    try {
      await records.requests.write(
        stored,
        { request: { ...request, stage: { ...request.stage, approvers } }, entries: [] },
        { route: ROUTE, mails: fresh, links: newLinks },
      );
    } catch (error) {
      // somebody decided meanwhile: look again at once
      if (error instanceof Conflict) return notify(services, input);
      throw error;
    }
  }

  const current = new Set(approvers.map(({ id }) => id));
  // a mail to somebody who may no longer decide stays unsent
  const queued = [...dossier.mails.values(), ...fresh].filter(
    (mail) => mail.status === 'queued' && current.has(mail.to.id),
  );
  const sent = await sendQueued(services, request.id, queued, new Set(fresh.map(({ key }) => key)));

  const who = (status: Mail['status'], kind: string): string[] =>
    sent.mails.filter((mail) => mail.status === status && mail.key.startsWith(kind)).map(({ to }) => to.id);
  const unreachable = sent.mails.filter(({ status }) => status === 'refused').map(({ to }) => to.id);
  const written = await changeRequest(records, request.id, { route: ROUTE, mails: sent.mails }, (now) => {
    const sameStage =
      now.state === 'pending' && now.stage.index === request.stage.index && now.stage.round === request.stage.round;
    if (!sameStage) return { request: now, entries: [] };
    return asked(
      now,
      {
        approvers,
        asked: who('accepted', 'ask_'),
        reminded: who('accepted', 'remind_'),
        unreachable,
        reminders: sent.unavailable === undefined ? reminder : now.stage.reminded,
      },
      at,
    );
  });
  if (written === undefined) return gone();
  if (sent.unavailable !== undefined && written.request.state === 'pending')
    return postponed(services, input, 'mail', sent.unavailable.retryAfterMs, ROUTE);
  // others step in at once for those who can't be reached
  return unreachable.length > 0 ? notify(services, input) : standing(written.request);
}

function mailsToSend(
  { config }: Services,
  { stored: { request }, mails }: Dossier,
  asking: Asking,
  links: ReadonlyMap<string, string>,
  reminder: number,
): Mail[] {
  const { approvers, group, person, at } = asking;
  const { stage } = request;
  const voted = new Set(stage.votes.map(({ personId }) => personId));
  const facts = factsOf(request, { group, person, approvers });
  const deadline = stage.askedAt === undefined ? addDuration(at, stagePolicy(request).deadline) : deadlineOf(request);

  return approvers.flatMap((approver): Mail[] => {
    if (voted.has(approver.id)) return [];
    const wasAsked = isAccepted(mails.get(askKey(stage, approver.id)));
    const key = wasAsked ? remindKey(stage, reminder, approver.id) : askKey(stage, approver.id);
    if (mails.has(key) || (wasAsked && reminder <= stage.reminded)) return [];
    const open = `${config.PUBLIC_BASE_URL}/api/decisions/${links.get(approver.id) ?? ''}`;
    const message = approvalMessage({
      facts,
      recipient: approver.displayName,
      deadline,
      links: { open, approve: `${open}?choice=approve`, deny: `${open}?choice=deny` },
      ...(wasAsked && { reminder }),
      ...(request.policy.stages.length > 1 && { stage: { index: stage.index + 1, of: request.policy.stages.length } }),
    });
    return [mailOf(request.id, key, { id: approver.id, name: approver.displayName, address: approver.mail }, message)];
  });
}
