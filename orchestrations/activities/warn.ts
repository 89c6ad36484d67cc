import { DirectoryUnavailable } from '../../shared/directory/directory';
import { hasMailbox } from '../../shared/domain/eligibility';
import { warned, warningTimes } from '../../shared/domain/join-request';
import type { JoinRequest } from '../../shared/domain/join-request';
import { factsOf } from '../../shared/join-requests/facts';
import { addressee, deliver, linkAddress, mailOf } from '../../shared/join-requests/outbox';
import { endingMessage } from '../../shared/mail/messages';
import type { Dossier, Mail } from '../../shared/records/join-requests';
import { outlasting } from '../../shared/records/memberships';
import { changeRequest } from '../../shared/records/records';
import type { Services } from '../../shared/services';
import { gone, MISSED_BEFORE, orLater, standing, timeOf, waiting } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:warn';

/** Tells the member that the time comes to its end, where a warning is due: once for each, and not any more once they let it lapse. */
export function warn(services: Services, input: StepInput): Promise<Standing> {
  return orLater(input, async () => {
    const { records } = services;
    const at = timeOf(input);
    const dossier = await records.requests.dossier(input.requestId);
    if (dossier === undefined) return gone();
    const { request } = dossier.stored;
    const count = warningsDue(request, at);
    if (count <= (request.grant?.warned ?? 0)) return standing(request);

    const mail = await warning(services, dossier, count, input);
    let told = false;
    if (mail !== undefined) {
      // what stands unsent was written anew, so that it says what is true when it goes
      const sent = await deliver(services, dossier, [mail], at);
      told = mail.status === 'accepted' || sent.mails.some(({ status }) => status === 'accepted');
      if (sent.unavailable !== undefined) {
        await saysQueued(services, request.id);
        return waiting(request, input, sent.unavailable.retryAfterMs);
      }
    }
    const stored = await changeRequest(records, request.id, { route: ROUTE }, (now) =>
      now.state === 'granted' && (now.grant?.warned ?? 0) < count ? warned(now, count, told, at) : undefined,
    );
    return stored === undefined ? gone() : standing(stored.request);
  });
}

/** The status says that mail waits, until the warning went or the membership ended. */
async function saysQueued({ records }: Services, id: string): Promise<void> {
  await changeRequest(records, id, { route: ROUTE }, (now) =>
    now.state === 'granted' && now.waitingFor === null
      ? { request: { ...now, waitingFor: 'mail' }, entries: [] }
      : undefined,
  );
}

/** How many of the warnings should have been given by now; none any more once the time is over, or the end was asked for. */
function warningsDue({ state, grant, policy, ending }: JoinRequest, at: Date): number {
  if (state !== 'granted' || grant?.until === undefined || ending !== undefined || new Date(grant.until) <= at)
    return 0;
  return warningTimes(grant, policy).filter((time) => time <= at).length;
}

/**
 * The mail of this warning as it was sent, or as it is to be sent; none for somebody without a mailbox, who has a longer grant, or whom
 * somebody else removed.
 * @throws {DirectoryUnavailable} the first times that the directory misses the member
 */
async function warning(
  services: Services,
  { stored: { request }, mails }: Dossier,
  count: number,
  { attempt }: StepInput,
): Promise<Mail | undefined> {
  const { directory, records } = services;
  const key = `warn_${String(count)}_${request.requester.id}`;
  const known = mails.get(key);
  if (known !== undefined && known.status !== 'queued') return known;
  const [group, person, isMember, membership] = await Promise.all([
    directory.group(request.group.id),
    directory.person(request.requester.id),
    directory.isMember(request.group.id, request.requester.id),
    records.memberships.read(request.group.id, request.requester.id),
  ]);
  const { until = '' } = request.grant ?? {};
  const longer = membership && outlasting(membership, { requestId: request.id, until });
  if (longer !== undefined || group === undefined || !hasMailbox(person)) return undefined;
  if (!isMember) {
    if (attempt < MISSED_BEFORE) throw new DirectoryUnavailable('The member is not there at this moment.');
    return undefined;
  }
  const message = endingMessage({
    facts: factsOf(request, { group, person, approvers: [] }),
    recipient: person.displayName,
    until: new Date(until),
    link: linkAddress(services, 'memberships', request),
  });
  return mailOf(request.id, key, addressee(person), message, known);
}
