import { deadlineOf } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import { digestMessage } from '../mail/messages';
import type { DeskItem } from '../records/desks';
import type { Mail } from '../records/join-requests';
import { Conflict } from '../records/tables';
import type { Services } from '../services';
import type { Asking } from './askings';
import { factsOf } from './facts';
import { addressee, mailOf, putMails, sendQueued } from './outbox';

/** How much of a desk is looked at. */
const MOST = 100;

/**
 * Reminds people of all that lies on their desk in one mail, where it is more than this request: once a day and person, whichever
 * request's reminder comes first. @returns the reminders of this request that such a mail stands for, by key, as they are kept.
 * @throws {MailUnavailable} where the mail service, or the quota, can't take it now
 */
export async function digested(
  services: Services,
  request: JoinRequest,
  askings: readonly Asking[],
  at: Date,
): Promise<Map<string, Mail>> {
  const covered = new Map<string, Mail>();
  for (const { approver, kind, key } of askings) {
    if (kind !== 'remind') continue;
    const to = addressee(approver);
    if (!(await coveredToday(services, request, to, at))) continue;
    covered.set(key, { key, operationId: '', to, status: 'accepted' });
  }
  return covered;
}

/** Whether today's digest of this person, which is sent where it was not yet, tells of the request. */
async function coveredToday(services: Services, request: JoinRequest, to: Mail['to'], at: Date): Promise<boolean> {
  const { desks } = services.records;
  const day = at.toISOString().slice(0, 10);
  let digest = await desks.digest(to.id, day);
  let isFresh = false;
  if (digest === undefined) {
    const items = await openItems(services, to.id);
    if (items.length < 2 || !items.some((item) => item.request.id === request.id)) return false;
    const mail = compose(services, to, day, items);
    await putMails(services, request.id, [mail]);
    try {
      await desks.createDigest(
        to.id,
        day,
        mail,
        items.map((item) => item.request.id),
      );
      isFresh = true;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
    digest = await desks.digest(to.id, day);
  }
  if (digest === undefined || !digest.requestIds.includes(request.id)) return false;
  if (digest.mail.status === 'queued') {
    // an attempt before this one may be hours old: what it lists is what is open now
    const items = await openItems(services, to.id);
    if (!items.some((item) => item.request.id === request.id)) return false;
    const mail = compose(services, to, day, items);
    const fresh = new Set(isFresh ? [digest.mail.key] : []);
    const sent = await sendQueued(services, `digest-${to.id}`, [mail], fresh, at);
    const [settled] = sent.mails;
    if (settled !== undefined) await desks.settleDigest(to.id, day, digest, settled);
    if (sent.unavailable !== undefined) throw sent.unavailable;
    return settled?.status === 'accepted';
  }
  return digest.mail.status === 'accepted';
}

interface OpenItem extends DeskItem {
  request: JoinRequest;
}

/** What really waits for this person, read from the requests themselves; what does not any more is taken off the desk. */
async function openItems({ records }: Services, personId: string): Promise<OpenItem[]> {
  const items = await records.desks.of(personId, MOST);
  const looked = await Promise.all(
    items.map(async (item): Promise<OpenItem | undefined> => {
      const stored = await records.requests.read(item.requestId);
      if (stored?.request.state !== 'pending') {
        await records.desks.remove(personId, item.requestId);
        return undefined;
      }
      const { stage } = stored.request;
      const waits =
        stage.approvers.some(({ id }) => id === personId) && !stage.votes.some((each) => each.personId === personId);
      return waits ? { ...item, request: stored.request } : undefined;
    }),
  );
  return looked.filter((item) => item !== undefined);
}

function compose({ config }: Services, to: Mail['to'], day: string, items: readonly OpenItem[]): Mail {
  const message = digestMessage({
    recipient: to.name,
    items: items.map(({ request, linkId }) => ({
      facts: factsOf(request, { approvers: request.stage.approvers }),
      deadline: deadlineOf(request),
      link: `${config.PUBLIC_BASE_URL}/api/decisions/${linkId}`,
    })),
  });
  return mailOf(to.id, `digest_${day}_${to.id}`, to, message);
}
