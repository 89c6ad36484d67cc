import { createHash, randomBytes } from 'node:crypto';

import { MailUnavailable } from '../mail/mailer';
import { references } from '../mail/messages';
import type { Message } from '../mail/messages';
import { inParallel } from '../parallel';
import type { DossierOf, Dossiers, LinkOf } from '../records/dossiers';
import type { Dossier } from '../records/join-requests';
import type { Mail } from '../records/mail-rows';
import type { MailPriority } from '../records/mail-quota';
import type { Services } from '../services';
import { event } from '../telemetry';

const PARALLEL = 4;
const PRIORITIES: readonly MailPriority[] = ['ask', 'outcome', 'reminder', 'digest'];

/** The same request and key always give the same operation: a UUID of version 8 (RFC 9562) from their hash. */
function operationId(requestId: string, key: string): string {
  const hex = createHash('sha256').update(`${requestId}/${key}`).digest('hex');
  const variant = ((parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * A mail to be put into the outbox.
 * @param known the same mail as it stands there: one that is to be sent again is an operation of its own
 */
export function mailOf(
  requestId: string,
  key: string,
  to: Mail['to'],
  { subject, html, text }: Message,
  known?: Mail,
): Mail {
  const content = { subject, html, text };
  return known?.copy === undefined
    ? { key, operationId: operationId(requestId, key), to, content, status: 'queued' }
    : { key, operationId: known.operationId, to, content, status: 'queued', copy: known.copy };
}

/** The mail as it stands before it is composed anew and sent once more. */
export function onceMore(requestId: string, { key, to, copy = 0 }: Mail): Mail {
  const next = copy + 1;
  return { key, operationId: operationId(requestId, `${key}#${String(next)}`), to, status: 'queued', copy: next };
}

/** Somebody with a mailbox, as a mail is addressed to them. */
export const addressee = ({
  id,
  displayName,
  mail,
}: {
  id: string;
  displayName: string;
  mail: string;
}): Mail['to'] => ({
  id,
  name: displayName,
  address: mail,
});

/** Makes delivery reports of these mails find the request. Before they are sent. */
export async function putMails({ records }: Services, requestId: string, mails: readonly Mail[]): Promise<void> {
  await Promise.all(mails.map(({ operationId: id, key }) => records.mails.put(id, { requestId, key })));
}

/** 128 random bits: the link names a request and a person to us, and nothing to anybody else. */
const newLinkId = (): string => randomBytes(16).toString('base64url');

/** What a link in a mail opens. */
type Opens = 'decisions' | 'group-decisions' | 'take-over' | 'requests' | 'memberships';

/** The address that a mail gives somebody; one without an id opens nothing. */
export const linkAddress = ({ config }: Services, opens: Opens, link: { id: string } | undefined): string =>
  `${config.PUBLIC_BASE_URL}/api/${opens}/${link?.id ?? ''}`;

/**
 * The link of each of these people, made where they have none yet, or none of this stage: the same one in every mail to them.
 * @returns the links of everybody, and those that are to be written with what is asked
 */
export async function withLinks(
  { records }: Services,
  { stored, links }: Pick<DossierOf<{ id: string }, string>, 'stored' | 'links'>,
  personIds: readonly string[],
  stage?: number,
): Promise<{ all: Map<string, LinkOf>; fresh: (LinkOf & { personId: string })[] }> {
  const { id: requestId } = stored.request;
  const isFor = (link: LinkOf | undefined): boolean => link !== undefined && link.stage === stage;
  const fresh = personIds
    .filter((id) => !isFor(links.get(id)))
    .map((personId) => ({ personId, id: newLinkId(), ...(stage !== undefined && { stage }) }));
  await Promise.all(fresh.map((link) => records.links.put({ ...link, requestId })));
  return { all: new Map([...links, ...fresh.map(({ personId, ...link }) => [personId, link] as const)]), fresh };
}

/** How urgent a mail is, told by its key. */
export function priorityOf(key: string): MailPriority {
  if (/^ask_/.test(key)) return 'ask';
  if (/^(outcome|ended|delayed|warn)_/.test(key)) return 'outcome';
  return /^digest_/.test(key) ? 'digest' : 'reminder';
}

/** The mails that no earlier attempt put into the outbox: the service need not be asked for them. */
export const notYetPut = ({ mails: known }: Pick<Dossier, 'mails'>, mails: readonly Mail[]): Set<string> =>
  new Set(mails.map(({ key }) => key).filter((key) => !known.has(key)));

const threadOf = ({ MAIL_SENDER }: Services['config'], thread: string): string =>
  references(thread, MAIL_SENDER.slice(MAIL_SENDER.indexOf('@') + 1));

export interface Sent {
  /** Every mail that was tried, as it now stands. */
  mails: Mail[];
  /** Present where the service can't take more now. */
  unavailable?: MailUnavailable;
}

/**
 * Sends what stands queued in the outbox, the more urgent first, as far as the quota has room. `fresh` names the mails that this very
 * step put there: for any other one the service is asked first whether an earlier attempt handed it over. Stops at the first sign that
 * the service can't take more.
 * @param thread what the mails are about: all of one thread show as one conversation
 * @param filer who filed the request: its mails count for them, and one filer leaves room for the next
 */
export async function sendQueued(
  { config, mailer, records }: Services,
  thread: string,
  mails: readonly Mail[],
  fresh: ReadonlySet<string>,
  at: Date,
  filer?: string,
): Promise<Sent> {
  const waiting = mails.filter(({ status }) => status === 'queued');
  const settled: Mail[] = [];
  let unavailable: MailUnavailable | undefined;

  const send = async (mail: Mail): Promise<void> => {
    if (mail.content === undefined) return;
    try {
      const { key, operationId: id, to, content } = mail;
      const result = await mailer.send(
        { operationId: id, to, ...content, references: threadOf(config, thread) },
        { asked: !fresh.has(key) },
      );
      event('mail', { result: result.kind, kind: key.split('_')[0] ?? '' });
      const { content: _sent, ...rest } = mail;
      settled.push(
        result.kind === 'accepted'
          ? { ...rest, status: 'accepted' }
          : { ...rest, status: 'refused', refusal: result.why },
      );
    } catch (error) {
      if (!(error instanceof MailUnavailable)) throw error;
      event('mail', { result: 'queued', kind: mail.key.split('_')[0] ?? '' });
      unavailable = error;
    }
  };

  for (const priority of PRIORITIES) {
    const group = waiting.filter(({ key }) => priorityOf(key) === priority);
    if (group.length === 0) continue;
    const { granted, waitMs } = await records.quota.take(priority, group.length, at, filer);
    await inParallel(PARALLEL, group.slice(0, granted), send, () => unavailable === undefined);
    if (granted < group.length) unavailable ??= new MailUnavailable('The mail quota is used up.', waitMs);
    if (unavailable !== undefined) break;
  }
  return { mails: settled, ...(unavailable !== undefined && { unavailable }) };
}

/** Puts mails into the request's outbox, sends them, and writes down what became of each. Those that were settled before stay as they are. */
export const deliver = (services: Services, dossier: Dossier, mails: readonly Mail[], at: Date): Promise<Sent> =>
  deliverFrom(services, services.records.requests, dossier, mails, at, dossier.stored.request.filedBy.id);

/** The same for a dossier of any kind; `store` is where it is kept. */
export async function deliverFrom<Request extends { id: string }, Event extends string>(
  services: Services,
  store: Dossiers<Request, Event>,
  dossier: DossierOf<Request, Event>,
  mails: readonly Mail[],
  at: Date,
  filer?: string,
): Promise<Sent> {
  const { id } = dossier.stored.request;
  const queued = mails.filter(({ status }) => status === 'queued');
  await putMails(services, id, queued);
  await store.saveMails(id, queued);
  const sent = await sendQueued(services, id, queued, notYetPut(dossier, queued), at, filer);
  await store.saveMails(id, sent.mails);
  return sent;
}

/**
 * Mails that stand in the outbox unsent, of an attempt that broke off, and that nobody sends any more, because there was no reason to when
 * the step was taken again.
 * @param others keys of mails that are sent all the same
 * @returns those of them that had gone out, as they now stand
 */
export async function wentOut(
  { config, mailer }: Services,
  { stored, mails }: Pick<DossierOf<{ id: string }, string>, 'stored' | 'mails'>,
  others: ReadonlySet<string>,
): Promise<Mail[]> {
  const found: Mail[] = [];
  for (const { content, ...mail } of mails.values()) {
    if (content === undefined || mail.status !== 'queued' || others.has(mail.key)) continue;
    const { operationId, to } = mail;
    const outgoing = { operationId, to, ...content, references: threadOf(config, stored.request.id) };
    if (await mailer.has(outgoing)) found.push({ ...mail, status: 'accepted' });
  }
  return found;
}
