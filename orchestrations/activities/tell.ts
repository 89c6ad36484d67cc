import { isOpen, tell as told } from '../../shared/domain/join-request';
import type { JoinRequest } from '../../shared/domain/join-request';
import { factsOf, outcomeOf } from '../../shared/join-requests/facts';
import { mailOf, sendQueued } from '../../shared/join-requests/outbox';
import { closedMessage, outcomeMessage } from '../../shared/mail/messages';
import type { Outcome } from '../../shared/mail/messages';
import type { Dossier, Mail } from '../../shared/records/join-requests';
import { changeRequest } from '../../shared/records/records';
import type { Services } from '../../shared/services';
import { gone, orPostponed, postponed, standing } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:tell';

/** Tells the outcome to the requester and to everyone who was asked, frees the claim, and closes the request's books. */
export function tell(services: Services, input: StepInput): Promise<Standing> {
  return orPostponed(services, input, ROUTE, async () => {
    const { records } = services;
    const at = new Date(input.at);
    const dossier = await records.requests.dossier(input.requestId);
    if (dossier === undefined) return gone();
    const { request } = dossier.stored;
    const outcome = outcomeOf(request);
    if (outcome === undefined || isOpen(request) || request.told) return standing(request);

    const fresh = await mailsToSend(services, dossier, outcome);
    await records.requests.saveMails(request.id, fresh);
    const queued = [...dossier.mails.values(), ...fresh].filter(
      ({ status, key }) => status === 'queued' && isOutcomeMail(key),
    );
    const sent = await sendQueued(services, request.id, queued, new Set(fresh.map(({ key }) => key)));
    await records.requests.saveMails(request.id, sent.mails);
    if (sent.unavailable !== undefined) return postponed(services, input, 'mail', sent.unavailable.retryAfterMs, ROUTE);

    await records.claims.release(request.group.id, request.requester.id, request.id);
    const stored = await changeRequest(records, request.id, { route: ROUTE }, (now) =>
      now.told ? undefined : told(now, at, whoWasTold(dossier, sent.mails)),
    );
    return stored === undefined ? gone() : standing(stored.request);
  });
}

const isOutcomeMail = (key: string): boolean => /^(outcome|closed|ended)_/.test(key);

/** Everyone whose asking was accepted, at whatever stage, but for the one whose decision ended it: that person saw it happen. */
function askedPeople({ stored: { request }, mails }: Dossier): Mail['to'][] {
  const last = request.stage.votes.toSorted((a, b) => a.at.localeCompare(b.at)).at(-1)?.personId;
  const decidedByVote = request.state === 'granted' || request.state === 'denied';
  const people = new Map<string, Mail['to']>();
  for (const { key, status, to } of mails.values())
    if (key.startsWith('ask_') && status === 'accepted') people.set(to.id, to);
  if (decidedByVote && last !== undefined) people.delete(last);
  return [...people.values()];
}

async function mailsToSend({ config, directory }: Services, dossier: Dossier, outcome: Outcome): Promise<Mail[]> {
  const { stored, mails, links } = dossier;
  const { request } = stored;
  const [group, person] = await Promise.all([
    directory.group(request.group.id),
    directory.person(request.requester.id),
  ]);
  const facts = factsOf(request, {
    ...(group && { group }),
    ...(person && { person }),
    approvers: request.stage.approvers,
  });
  const base = config.PUBLIC_BASE_URL;

  const toRequester = (): Mail[] => {
    const key = `${outcome.kind === 'ended' ? 'ended' : 'outcome'}_${request.requester.id}`;
    // without a mailbox the status is all there is
    if (mails.has(key) || person?.mail == null) return [];
    const message = outcomeMessage({
      facts,
      outcome,
      recipient: person.displayName,
      statusLink: statusLink(base, request),
    });
    return [mailOf(request.id, key, { id: person.id, name: person.displayName, address: person.mail }, message)];
  };
  const toOthers = (outcome.kind === 'ended' ? [] : askedPeople(dossier)).flatMap((to): Mail[] => {
    const key = `closed_${to.id}`;
    if (mails.has(key)) return [];
    return [
      mailOf(
        request.id,
        key,
        to,
        closedMessage({ facts, outcome, recipient: to.name, link: `${base}/api/decisions/${links.get(to.id) ?? ''}` }),
      ),
    ];
  });
  return [...toRequester(), ...toOthers];
}

const statusLink = (base: string, request: JoinRequest): string => `${base}/api/requests/${request.id}`;

function whoWasTold({ mails }: Dossier, sent: readonly Mail[]): Record<string, unknown> {
  const all = new Map(mails);
  for (const mail of sent) all.set(mail.key, mail);
  const ids = (status: Mail['status']): string[] =>
    [...all.values()].filter((mail) => isOutcomeMail(mail.key) && mail.status === status).map(({ to }) => to.id);
  return { told: ids('accepted'), unreachable: ids('refused') };
}
