import { undelivered as undeliveredOfChange } from '../domain/group-change';
import { undelivered } from '../domain/join-request';
import type { Change, JoinRequest } from '../domain/join-request';
import { ownerUnreachable } from '../domain/ownerless';
import type { Care, CareChange } from '../domain/ownerless';
import { othersNotReached } from '../group-changes/second-owner';
import { lostLifeMail } from '../group-lives/delivery';
import type { ChangeOf, Dossiers, Via } from '../records/dossiers';
import { undeliveredMail } from '../records/mail-rows';
import { changeRequest } from '../records/records';
import { retryOnConflict } from '../records/tables';
import type { Services } from '../services';
import { event } from '../telemetry';
import { isOfStage } from './askings';

/** What a delivery report of Azure Communication Services says of one mail. */
export interface DeliveryReport {
  /** Id of the send operation. */
  messageId: string;
  recipient: string;
  status: string;
  detail?: string;
}

/** A join request or a group change that has something to do now. */
export interface Woken {
  kind: 'join' | 'change';
  id: string;
}

/** Statuses of mails that did not reach their reader. `Expanded` is a distribution list that was resolved, `Delivered` is good. */
const LOST = ['Bounced', 'Suppressed', 'FilteredSpam', 'Quarantined', 'Failed'];

/**
 * Takes a delivery report. A mail that did not arrive is noted once; where it asked somebody to decide, others are looked for at once.
 * @returns whose workflows shall look at it; reports that name no mail of ours change nothing.
 */
export async function takeReport(services: Services, report: DeliveryReport, via: Via, at: Date): Promise<Woken[]> {
  const { messageId, status, detail } = report;
  if (!LOST.includes(status)) return [];
  const named = await services.records.mails.find(messageId.toLowerCase());
  if (named === undefined) return [];
  const why = [status, detail].filter(Boolean).join(': ');
  const digest = /^digest_(\d{4}-\d{2}-\d{2})_(.+)$/.exec(named.key);
  if (digest !== null)
    return lostDigest(services, { day: digest[1] ?? '', personId: digest[2] ?? '', status, why }, via, at);
  const { requests, changes } = services.records;
  const lost = { ...named, operationId: messageId.toLowerCase() };
  const undeliveredOf = (request: JoinRequest, personId: string): Change =>
    undelivered(request, { personId, status, wasAsked: isOfStage(named.key, request.stage) }, at);
  const ofRequest = await lostMail(requests, undeliveredOf, lost, why, via);
  if (ofRequest !== undefined) return ofRequest ? [{ kind: 'join', id: named.requestId }] : [];
  const ofChange = await lostMail(changes, (change, id) => undeliveredOfChange(change, id, status, at), lost, why, via);
  if (ofChange !== undefined) return ofChange ? [{ kind: 'change', id: named.requestId }] : [];
  // what is due then, the sweeper takes up
  if (!(await lostLifeMail(services, named, why, via, at))) await lostCareMail(services, lost, why, via, at);
  return [];
}

/** A mail of the care for groups: where it asked an only owner, nobody was asked about any of the groups that it named. */
async function lostCareMail(
  { records }: Services,
  lost: { requestId: string; key: string; operationId: string },
  why: string,
  via: Via,
  at: Date,
): Promise<void> {
  const { cares } = records;
  const asksOwner = lost.key.startsWith('second_');
  const unreachable = (care: Care): CareChange | undefined => (asksOwner ? ownerUnreachable(care, at) : undefined);
  await lostMail(cares, (care) => unreachable(care) ?? { request: care, entries: [] }, lost, why, via);
  const { together = [] } = (await cares.read(lost.requestId))?.request ?? {};
  if (asksOwner) await othersNotReached(records, together, via, at);
}

/** Notes the loss in the dossier that the mail is of. @returns whether it has something to do now; `undefined` where it is not of this kind. */
function lostMail<Request extends { id: string; due: string | null }, Event extends string>(
  store: Dossiers<Request, Event>,
  undeliveredOf: (request: Request, personId: string) => ChangeOf<Request, Event>,
  named: { requestId: string; key: string; operationId: string },
  why: string,
  via: Via,
): Promise<boolean | undefined> {
  return retryOnConflict(async () => {
    const dossier = await store.dossier(named.requestId);
    if (dossier === undefined) return undefined;
    const mail = dossier.mails.get(named.key);
    if (mail === undefined || mail.status === 'undelivered') return false;
    // an earlier copy, and another one was sent since
    if (mail.copy !== undefined && mail.operationId !== named.operationId) return false;
    const change = undeliveredOf(dossier.stored.request, mail.to.id);
    await store.write(dossier.stored, change, { ...via, mails: [undeliveredMail(mail, why)] });
    event('mail', { result: 'bounced', kind: named.key.split('_')[0] ?? '' });
    return change.request.due !== dossier.stored.request.due;
  });
}

/** A digest stands for the reminders of several requests: each of them looks for others. */
async function lostDigest(
  { records }: Services,
  lost: { day: string; personId: string; status: string; why: string },
  via: Via,
  at: Date,
): Promise<Woken[]> {
  const digest = await records.desks.digest(lost.personId, lost.day);
  if (digest === undefined || digest.mail.status === 'undelivered') return [];
  const woken: Woken[] = [];
  for (const id of digest.requestIds) {
    const changed = await changeRequest(records, id, via, (request) =>
      request.state === 'pending' && request.stage.unreachable?.includes(lost.personId) !== true
        ? undelivered(request, { ...lost, wasAsked: true }, at)
        : undefined,
    );
    if (changed?.request.state === 'pending') woken.push({ kind: 'join', id });
  }
  await records.desks.settleDigest(lost.personId, lost.day, digest, undeliveredMail(digest.mail, lost.why));
  event('mail', { result: 'bounced', kind: 'digest' });
  return woken;
}
