import type { Approver } from '../domain/approvers';
import { addDuration } from '../domain/duration';
import { hasMailbox } from '../domain/eligibility';
import type { Group, Person } from '../domain/eligibility';
import { approvals, deadlineOf, remindersDue, requiredAt, stagePolicy } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import { approvalMessage, filedMessage } from '../mail/messages';
import type { LinkOf } from '../records/dossiers';
import type { Dossier, Mail } from '../records/join-requests';
import type { Services } from '../services';
import { factsOf } from './facts';
import { addressee, linkAddress, mailOf } from './outbox';

/**
 * A mail that somebody who may decide is due: the key says at which stage, which round and which reminder. One that stands in the outbox
 * unsent is written anew, so that it says what is true when it goes.
 */
export interface Asking {
  approver: Approver;
  kind: 'ask' | 'remind' | 'nudge';
  key: string;
}

function keyOf(kind: Asking['kind'], { index, round }: JoinRequest['stage'], count: number, personId: string): string {
  const stage = `${String(index)}_${String(round)}`;
  return kind === 'ask' ? `ask_${stage}_${personId}` : `${kind}_${stage}_${String(count)}_${personId}`;
}

/** Whether the mail of this key asks, or reminds, somebody at this stage. */
export const isOfStage = (key: string, { index, round }: JoinRequest['stage']): boolean =>
  new RegExp(`^(?:ask|remind|nudge)_${String(index)}_${String(round)}_`).test(key);

/** Who is to be asked, and who is to be reminded because a reminder came due or the requester asked for it. Not those who voted. */
export function planAskings(
  { stored: { request }, mails }: Dossier,
  approvers: readonly Approver[],
  at: Date,
): Asking[] {
  const { stage } = request;
  const voted = new Set(stage.votes.map(({ personId }) => personId));
  const reminder = remindersDue(request, at);
  const { asked: nudged = 0, sent: nudgesSent = 0 } = stage.nudges ?? {};
  return approvers.flatMap((approver): Asking[] => {
    if (voted.has(approver.id)) return [];
    const of = (kind: Asking['kind'], count: number): Asking[] => {
      const key = keyOf(kind, stage, count, approver.id);
      const status = mails.get(key)?.status ?? 'queued';
      return status === 'queued' ? [{ approver, kind, key }] : [];
    };
    if (mails.get(keyOf('ask', stage, 0, approver.id))?.status !== 'accepted') return of('ask', 0);
    if (reminder > stage.reminded) return of('remind', reminder);
    return nudged > nudgesSent ? of('nudge', nudged) : [];
  });
}

/** The mails of these askings, and the one that tells the requester that the request was filed. */
export function composeAskings(
  services: Services,
  { stored: { request }, mails }: Dossier,
  about: {
    group: Group;
    person: Person;
    approvers: readonly Approver[];
    links: ReadonlyMap<string, LinkOf>;
    askings: readonly Asking[];
    at: Date;
    /** `false` where somebody who asks to stay is known to be no member any more. */
    isMember: boolean;
  },
): Mail[] {
  const { group, person, approvers, links, at, isMember } = about;
  const { stage, policy } = request;
  const facts = factsOf(request, { group, person, approvers, at, isMember });
  // the time that the policy gives begins with this mail; one that operations gave is there already
  const isToBegin = stage.askedAt === undefined && stage.extendedTo === undefined;
  const deadline = isToBegin ? addDuration(at, stagePolicy(request).deadline) : deadlineOf(request);
  const required = requiredAt(request);

  const toApprovers = about.askings.map(({ approver, kind, key }): Mail => {
    const open = linkAddress(services, 'decisions', links.get(approver.id));
    const message = approvalMessage({
      facts,
      recipient: approver.displayName,
      deadline,
      links: { open, approve: `${open}?choice=approve`, deny: `${open}?choice=deny` },
      ...(kind !== 'ask' && { reminder: kind === 'nudge' ? 'nudged' : 'due' }),
      ...(policy.stages.length > 1 && { stage: { index: stage.index + 1, of: policy.stages.length } }),
      ...(required > 1 && { required: { count: required, approvals: approvals(stage) } }),
    });
    return mailOf(request.id, key, addressee(approver), message, mails.get(key));
  });

  const filedKey = `filed_${person.id}`;
  const isFiledTold = (mails.get(filedKey)?.status ?? 'queued') !== 'queued';
  if (!hasMailbox(person) || isFiledTold) return toApprovers;
  const filed = filedMessage({
    facts,
    recipient: person.displayName,
    statusLink: linkAddress(services, 'requests', request),
    deadline,
    nudge: 'Where it takes long, you can have them reminded once a day.',
  });
  return [...toApprovers, mailOf(request.id, filedKey, addressee(person), filed, mails.get(filedKey))];
}
