import { MOST_ASKED } from '../../shared/domain/approvers';
import { hasMailbox } from '../../shared/domain/eligibility';
import type { Person } from '../../shared/domain/eligibility';
import { isOwn, isToTell, personOf, tell } from '../../shared/domain/group-change';
import type { GroupChange } from '../../shared/domain/group-change';
import { releaseChangeClaims } from '../../shared/group-changes/claim';
import { changeFactsOf, changeOutcome } from '../../shared/group-changes/facts';
import { HANDED_OVER_IN_PART } from '../../shared/group-changes/manage';
import { addressee, deliverFrom, linkAddress, mailOf } from '../../shared/join-requests/outbox';
import { changeClosedMessage, changeOutcomeMessage, changeToldMessage } from '../../shared/mail/change-messages';
import type { ChangeFacts, ChangeOutcome } from '../../shared/mail/change-messages';
import type { ChangeDossier } from '../../shared/records/group-changes';
import type { Mail } from '../../shared/records/mail-rows';
import type { Services } from '../../shared/services';
import { changed, changeOrPostponed, changePostponed, standingOf } from './change-standing';
import { gone, timeOf } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:tellChange';

/** Tells the outcome to all whom it concerns, frees the claim, and closes the change's books; those of one that failed stay open. */
export function tellChange(services: Services, input: StepInput): Promise<Standing> {
  return changeOrPostponed(services, input, ROUTE, async () => {
    const at = timeOf(input);
    const dossier = await services.records.changes.dossier(input.requestId);
    if (dossier === undefined) return gone();
    const { request: change } = dossier.stored;
    const outcome = changeOutcome(change);
    if (outcome === undefined || !isToTell(change)) return standingOf(change);

    // what stands in the outbox unsent is written anew: an outcome that another one overtook is not told any more
    const mails = await mailsToSend(services, dossier, outcome);
    const sent = await deliverFrom(services, services.records.changes, dossier, mails, at, change.askedBy.id);
    if (sent.unavailable !== undefined)
      return changePostponed(services, input, 'mail', sent.unavailable.retryAfterMs, ROUTE);
    if (outcome.kind !== 'delayed') await releaseChangeClaims(services, change);
    const who = whoWasTold(dossier, sent.mails);
    return changed(services, change.id, ROUTE, (now) =>
      // what came meanwhile, such as a cancellation of what failed, is told after this
      now.state === change.state && isToTell(now) ? tell(now, at, who) : undefined,
    );
  });
}

async function mailsToSend(services: Services, dossier: ChangeDossier, outcome: ChangeOutcome): Promise<Mail[]> {
  const { directory } = services;
  const { request: change } = dossier.stored;
  const [asker, stillMember] = await Promise.all([
    directory.person(change.askedBy.id),
    outcome.kind === 'done' && isStillMember(services, change),
  ]);
  const facts = changeFactsOf(change, asker);
  const stands = outcome.kind === 'done' ? change : halfThatStands(change);
  const mails = [
    ...toAsker(change, { facts, outcome, stillMember }, asker),
    ...closed(services, dossier, facts, outcome),
    ...(stands === undefined
      ? []
      : await toConcerned(services, stands, { facts: changeFactsOf(stands, asker), stillMember })),
  ];
  return mails.filter(({ key }) => (dossier.mails.get(key)?.status ?? 'queued') === 'queued');
}

/** A handing over of which only the first half was done made somebody an owner all the same. */
const halfThatStands = (change: GroupChange): GroupChange | undefined =>
  change.task.kind === 'hand-over' && change.why?.rule === HANDED_OVER_IN_PART
    ? { ...change, task: { kind: 'add-owner', person: change.task.person } }
    : undefined;

/** Whoever was taken out may be a member through another group. */
const isStillMember = async ({ directory }: Services, { task, group }: GroupChange): Promise<boolean> =>
  task.kind === 'remove-member' && group !== undefined && (await directory.isMember(group.id, task.person.id));

/** How it ended; without a mailbox the status is all there is. */
function toAsker(
  change: GroupChange,
  { facts, outcome, stillMember }: { facts: ChangeFacts; outcome: ChangeOutcome; stillMember: boolean },
  asker: Person | undefined,
): Mail[] {
  if (!hasMailbox(asker)) return [];
  const key = `${outcome.kind === 'delayed' ? 'delayed' : 'outcome'}_${asker.id}`;
  const message = changeOutcomeMessage({
    facts,
    outcome,
    recipient: asker.displayName,
    ...(stillMember && { stillMember: isOwn(change) ? 'you' : 'they' }),
  });
  return [mailOf(change.id, key, addressee(asker), message)];
}

/** Everyone whose asking was accepted, but for the one who decided: that person saw it happen. */
function closed(
  services: Services,
  { stored: { request: change }, mails, links }: ChangeDossier,
  facts: ChangeFacts,
  outcome: ChangeOutcome,
): Mail[] {
  if (outcome.kind === 'delayed') return [];
  const asked = [...mails.values()].filter(({ key, status }) => key.startsWith('ask_') && status === 'accepted');
  return asked
    .filter(({ to }) => to.id !== change.approval?.decision?.personId)
    .map(({ to }) => {
      const link = linkAddress(services, 'group-decisions', links.get(to.id));
      return mailOf(
        change.id,
        `closed_${to.id}`,
        to,
        changeClosedMessage({ facts, outcome, recipient: to.name, link }),
      );
    });
}

/** The owners that the group has now, and whoever the change is about; not the asker, who is told how it ended. */
async function toConcerned(
  services: Services,
  change: GroupChange,
  { facts, stillMember }: { facts: ChangeFacts; stillMember: boolean },
): Promise<Mail[]> {
  const { directory } = services;
  const { task, group, askedBy } = change;
  if (group === undefined) return [];
  const about = personOf(task);
  const isOfMember = task.kind === 'add-member' || task.kind === 'remove-member';
  const [owners, person] = await Promise.all([
    // members come and go by one owner’s hand; what changes the group itself is told to all of them
    isOfMember ? [] : ownersOf(services, change, group.id),
    about === undefined ? undefined : directory.person(about.id),
  ]);
  const message = (recipient: Person, role: 'owner' | 'person') =>
    changeToldMessage({
      facts,
      recipient: recipient.displayName,
      role,
      ...(role === 'person' && stillMember && { stillMember }),
    });
  const told: Mail[] = [];
  // the grants that end with a membership are told to the member each by its own request
  const byGrants = change.applying?.endsGrants === true;
  if (hasMailbox(person) && person.id !== askedBy.id && !isOwn(change) && !byGrants)
    told.push(mailOf(change.id, `outcome_${person.id}`, addressee(person), message(person, 'person')));
  for (const owner of owners.slice(0, MOST_ASKED)) {
    if (owner.id === askedBy.id || owner.id === about?.id || !owner.accountEnabled || !hasMailbox(owner)) continue;
    told.push(mailOf(change.id, `outcome_${owner.id}`, addressee(owner), message(owner, 'owner')));
  }
  return told;
}

/** Of a group that was created just now the directory may not know all owners yet. */
async function ownersOf({ directory }: Services, { task }: GroupChange, groupId: string): Promise<Person[]> {
  if (task.kind !== 'create') return directory.owners(groupId);
  const people = await Promise.all(task.wanted.owners.map(({ id }) => directory.person(id)));
  return people.filter((person) => person !== undefined);
}

function whoWasTold({ mails }: ChangeDossier, sent: readonly Mail[]): Record<string, unknown> {
  const all = new Map(mails);
  for (const mail of sent) all.set(mail.key, mail);
  const ids = (status: Mail['status']): string[] =>
    [...all.values()]
      .filter((mail) => /^(outcome|closed)_/.test(mail.key) && mail.status === status)
      .map(({ to }) => to.id);
  return { told: ids('accepted'), unreachable: ids('refused') };
}
