import { DirectoryUnavailable } from '../../shared/directory/directory';
import { MOST_ASKED } from '../../shared/domain/approvers';
import type { Approver } from '../../shared/domain/approvers';
import { addDuration } from '../../shared/domain/duration';
import { asked, cancel, deadlineOf, expire, remindersDue } from '../../shared/domain/group-change';
import type { Approval, GroupChange } from '../../shared/domain/group-change';
import { approversOfChange } from '../../shared/group-changes/approvers';
import { holdsChangeClaims } from '../../shared/group-changes/claim';
import { creationPolicyInForce } from '../../shared/group-changes/creation-policy';
import { noApprovers, refuseCreator } from '../../shared/group-changes/create';
import { changeFactsOf } from '../../shared/group-changes/facts';
import type { ChangeRefusal } from '../../shared/group-changes/file';
import { refuseNow } from '../../shared/group-changes/manage';
import {
  addressee,
  linkAddress,
  mailOf,
  notYetPut,
  putMails,
  sendQueued,
  withLinks,
} from '../../shared/join-requests/outbox';
import { changeApprovalMessage } from '../../shared/mail/change-messages';
import type { ChangeDossier } from '../../shared/records/group-changes';
import type { Mail } from '../../shared/records/mail-rows';
import { changeStored } from '../../shared/records/dossiers';
import type { LinkOf } from '../../shared/records/dossiers';
import type { Services } from '../../shared/services';
import { changed, changeOrPostponed, changePostponed, standingOf } from './change-standing';
import { gone, isBelieved, timeOf } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:askAboutChange';

/**
 * Asks those who may decide now and were not asked yet, reminds the others when it is time, and ends what is due, or what nobody can
 * decide. What needs no decision is left as it is: it is applied at once.
 */
export function askAboutChange(services: Services, input: StepInput): Promise<Standing> {
  return changeOrPostponed(services, input, ROUTE, async () => {
    const at = timeOf(input);
    const { records, directory } = services;
    const dossier = await records.changes.dossier(input.requestId);
    if (dossier === undefined) return gone();
    const { request: change } = dossier.stored;
    const { approval } = change;
    if (change.state !== 'pending' || approval === undefined) return standingOf(change);

    const end = (rule: { rule: string; sentence: string }): Promise<Standing> =>
      changed(services, change.id, ROUTE, (now) => (now.state === 'pending' ? cancel(now, rule, at) : undefined));
    if (at >= deadlineOf(approval)) return changed(services, change.id, ROUTE, (now) => expire(now, at));
    if (!(await holdsChangeClaims(services, change, at)))
      return end({ rule: 'open-already', sentence: 'Another change of the same came first.' });
    const refusal = await refusedMeanwhile(services, change);
    // the directory may miss for a moment what it has
    if (refusal !== undefined && MAY_PASS.has(refusal.rule) && !isBelieved(change, input))
      throw new DirectoryUnavailable('The group or whoever asked is not there at this moment.');
    if (refusal !== undefined) return end(refusal);

    const all = (await approversOfChange(directory, change)).slice(0, MOST_ASKED);
    const refused = new Set(
      [...dossier.mails.values()].flatMap(({ status, to }) => (status === 'refused' ? [to.id] : [])),
    );
    const people = all.filter(({ id }) => !refused.has(id) && approval.unreachable?.includes(id) !== true);
    if (people.length === 0) return end(noApprovers);
    return sendAskings(services, dossier, approval, { people, all, at, input });
  });
}

const MAY_PASS = new Set(['creator-not-usable', 'group-not-found', 'owner-not-usable']);

/** Whoever asked may have lost the right to: nobody is bothered for nothing. */
async function refusedMeanwhile(services: Services, change: GroupChange): Promise<ChangeRefusal | undefined> {
  const { task, askedBy } = change;
  if (task.kind !== 'create') return refuseNow(services, change);
  const [{ policy }, creator] = await Promise.all([
    creationPolicyInForce(services),
    services.directory.person(askedBy.id),
  ]);
  return refuseCreator(services, creator, policy[task.wanted.kind]);
}

interface Round {
  /** Whom mail reaches. */
  people: Approver[];
  /** Everyone who may decide. */
  all: Approver[];
  at: Date;
  input: StepInput;
}

/** Puts the mails into the outbox, sends them, and writes down who was asked. */
async function sendAskings(
  services: Services,
  dossier: ChangeDossier,
  approval: Approval,
  { people, all, at, input }: Round,
): Promise<Standing> {
  const { records } = services;
  const { request: change } = dossier.stored;
  const reminder = remindersDue(approval, at);
  const due = people.flatMap((person): { person: Approver; key: string; reminder: number }[] => {
    const isQueued = (key: string): boolean => (dossier.mails.get(key)?.status ?? 'queued') === 'queued';
    const ask = `ask_${person.id}`;
    if (isQueued(ask)) return [{ person, key: ask, reminder: 0 }];
    const remind = `remind_${String(reminder)}_${person.id}`;
    return reminder > approval.reminded && isQueued(remind) ? [{ person, key: remind, reminder }] : [];
  });
  const links = await linksFor(
    services,
    dossier,
    due.map(({ person }) => person.id),
  );
  const asker = await services.directory.person(change.askedBy.id);
  const deadline = approval.askedAt === undefined ? addDuration(at, approval.deadline) : deadlineOf(approval);
  const mails = due.map(({ person, key, reminder: count }): Mail => {
    const open = linkAddress(services, 'group-decisions', links.get(person.id));
    const message = changeApprovalMessage({
      facts: changeFactsOf(change, asker),
      recipient: person.displayName,
      deadline,
      links: { open, approve: `${open}?choice=approve`, deny: `${open}?choice=deny` },
      others: all.filter(({ id }) => id !== person.id).map(({ displayName }) => displayName),
      ...(count > 0 && { reminder: count }),
    });
    return mailOf(change.id, key, addressee(person), message);
  });
  await putMails(services, change.id, mails);
  await records.changes.saveMails(change.id, mails);
  const sent = await sendQueued(services, change.id, mails, notYetPut(dossier, mails), at, change.askedBy.id);

  const who = (status: Mail['status'], kind: RegExp): string[] =>
    sent.mails.filter((mail) => mail.status === status && kind.test(mail.key)).map(({ to }) => to.id);
  const unreachable = who('refused', /^(ask|remind)_/);
  const written = await changeStored(records.changes, change.id, { route: ROUTE, mails: sent.mails }, (now) => {
    const done = asked(
      now,
      {
        people: all,
        asked: who('accepted', /^ask_/),
        reminded: who('accepted', /^remind_/),
        unreachable,
        reminders: sent.unavailable === undefined ? reminder : (now.approval?.reminded ?? 0),
      },
      timeOf(input),
    );
    return done ?? { request: now, entries: [] };
  });
  if (written === undefined) return gone();
  if (sent.unavailable !== undefined && written.request.state === 'pending')
    return changePostponed(services, input, 'mail', sent.unavailable.retryAfterMs, ROUTE);
  // others step in at once for those who can't be reached
  return unreachable.length > 0 ? askAboutChange(services, input) : standingOf(written.request);
}

/** The link of everyone who is asked, made where they have none yet: the same one in every mail to them. */
async function linksFor(
  services: Services,
  dossier: ChangeDossier,
  personIds: readonly string[],
): Promise<Map<string, LinkOf>> {
  const { all, fresh } = await withLinks(services, dossier, personIds);
  // whoever wrote first gave the links that stand
  if (fresh.length > 0)
    await changeStored(
      services.records.changes,
      dossier.stored.request.id,
      { route: ROUTE, links: fresh },
      (request) => ({ request, entries: [] }),
    );
  return all;
}
