import { deadlineOf, reminderTimes, remindersDue } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import type { MailUnavailable } from '../mail/mailer';
import { digestMessage } from '../mail/messages';
import type { DeskItem, Digest } from '../records/desks';
import type { Mail } from '../records/join-requests';
import { Conflict } from '../records/tables';
import type { Services } from '../services';
import type { Asking } from './askings';
import { factsOf } from './facts';
import { addressee, linkAddress, mailOf, putMails, sendQueued } from './outbox';

/** How much of a desk is looked at. */
const MOST = 100;

/** A mail of all that lies on somebody's desk, which stands for the reminder of this request. */
interface PlannedDigest {
  /** Of the reminder that it stands for. */
  key: string;
  to: Mail['to'];
  day: string;
  /** Put into the outbox in this very step. */
  isFresh: boolean;
}

export interface SentDigests {
  /** The reminders for which digests stand, as they are kept. */
  mails: Mail[];
  /** Present where the mail service, or the quota, can't take more now. */
  unavailable?: MailUnavailable;
}

/**
 * Which of these reminders are made in one mail with others, because more than this request lies on somebody's desk: once a day and
 * person, whichever request's reminder comes first. The mails are in the outbox then, and go by {@link sendDigests}.
 */
export async function planDigests(
  services: Services,
  request: JoinRequest,
  askings: readonly Asking[],
  at: Date,
): Promise<PlannedDigest[]> {
  const planned: PlannedDigest[] = [];
  const due = reminderTimes(request)[remindersDue(request, at) - 1] ?? at;
  for (const { approver, kind, key } of askings) {
    if (kind !== 'remind') continue;
    const to = addressee(approver);
    const found = await digestFor(services, request, to, { due, at });
    if (found !== undefined) planned.push({ key, to, ...found });
  }
  return planned;
}

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/**
 * The digest of this person that tells of the request, which is put into the outbox where there was none today; `isFresh` where it is new.
 * One of the day on which the reminder came due may have gone before the host died, and it is another day by now.
 */
async function digestFor(
  services: Services,
  request: JoinRequest,
  to: Mail['to'],
  { due, at }: { due: Date; at: Date },
): Promise<Pick<PlannedDigest, 'day' | 'isFresh'> | undefined> {
  const { desks } = services.records;
  const [day, dayBefore] = [dayOf(at), dayOf(due)];
  const standing = (digest: Digest | undefined, of = day): Pick<PlannedDigest, 'day' | 'isFresh'> | undefined =>
    digest?.requestIds.includes(request.id) === true && /queued|accepted/.test(digest.mail.status)
      ? { day: of, isFresh: false }
      : undefined;
  if (dayBefore !== day) {
    const before = standing(await desks.digest(to.id, dayBefore), dayBefore);
    if (before !== undefined) return before;
  }
  const earlier = await desks.digest(to.id, day);
  if (earlier !== undefined) return standing(earlier);
  const items = await openItems(services, to.id);
  if (items.length < 2 || !items.some((item) => item.request.id === request.id)) return undefined;
  const mail = compose(services, to, day, items);
  await putMails(services, request.id, [mail]);
  try {
    await desks.createDigest(
      to.id,
      day,
      mail,
      items.map((item) => item.request.id),
    );
    return { day, isFresh: true };
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return standing(await desks.digest(to.id, day));
  }
}

/** Sends what was planned and did not go yet. It is the least urgent of all mails: whoever was not asked yet is asked before. */
export async function sendDigests(
  services: Services,
  request: JoinRequest,
  planned: readonly PlannedDigest[],
  at: Date,
): Promise<SentDigests> {
  const mails: Mail[] = [];
  for (const digest of planned) {
    const sent = await sendDigest(services, request, digest, at);
    if (sent.status !== undefined) mails.push({ key: digest.key, operationId: '', to: digest.to, status: sent.status });
    if (sent.unavailable !== undefined) return { mails, unavailable: sent.unavailable };
  }
  return { mails };
}

/** What became of it; nothing where the request does not wait for the person any more. */
async function sendDigest(
  services: Services,
  request: JoinRequest,
  { to, day, isFresh }: PlannedDigest,
  at: Date,
): Promise<{ status?: Mail['status']; unavailable?: MailUnavailable }> {
  const { desks } = services.records;
  const digest = await desks.digest(to.id, day);
  if (digest === undefined) return {};
  if (digest.mail.status !== 'queued') return { status: digest.mail.status };
  // an attempt before this one may be hours old: what it lists is what is open now
  const items = await openItems(services, to.id);
  if (!items.some((item) => item.request.id === request.id)) return {};
  const mail = compose(services, to, day, items);
  const sent = await sendQueued(services, `digest-${to.id}`, [mail], new Set(isFresh ? [mail.key] : []), at);
  const [settled] = sent.mails;
  if (settled !== undefined) await desks.settleDigest(to.id, day, digest, settled);
  return {
    ...(settled !== undefined && { status: settled.status }),
    ...(sent.unavailable !== undefined && { unavailable: sent.unavailable }),
  };
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

function compose(services: Services, to: Mail['to'], day: string, items: readonly OpenItem[]): Mail {
  const message = digestMessage({
    recipient: to.name,
    items: items.map(({ request, linkId }) => ({
      facts: factsOf(request, { approvers: request.stage.approvers }),
      deadline: deadlineOf(request),
      link: linkAddress(services, 'decisions', { id: linkId }),
    })),
  });
  return mailOf(to.id, `digest_${day}_${to.id}`, to, message);
}
