import { durationInWords } from '../mail/text';
import type { RecordedEntry } from '../records/trail';

/** How many an entry of the trail lists. */
export const count = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
/** As a sentence begins. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** So many people, of whom ids are listed. */
export const people = (value: unknown): string =>
  count(value) === 1 ? 'one person' : `${String(count(value))} people`;

/** One entry of the trail as a sentence, without names: whoever shows it adds who did it. */
export function sentenceOf({ event, data = {} }: Pick<RecordedEntry, 'event' | 'data'>): string {
  switch (event) {
    case 'filed':
      return 'The request was filed.';
    case 'approvers-asked':
      return `${capital(people(data['people']))} who may decide got a mail.`;
    case 'approvers-reminded':
      return `${capital(people(data['people']))} got a reminder.`;
    case 'approvers-unreachable':
      return `Mail to ${people(data['people'])} who may decide was refused; others step in.`;
    case 'mail-undelivered':
      return 'A mail could not be delivered.';
    case 'nudged':
      return 'The requester asked to remind those who can decide.';
    case 'escalated':
      return 'Nobody decided for too long; the fallback approvers may decide as well.';
    case 'policy-changed':
      return 'The policy of the group was changed; this request is decided under the one it was filed under.';
    case 'vote-recorded':
      return `${data['choice'] === 'approve' ? 'Approved by an approver' : 'Denied by an approver'}${
        typeof data['duration'] === 'string' ? `, for ${durationInWords(data['duration'])}` : ''
      }${data['before'] === undefined ? '' : data['before'] === data['choice'] ? ', who said more' : ', who changed their mind'}.`;
    case 'approved':
      return data['rule'] === 'owners-join-without-asking'
        ? 'Approved: the policy lets owners of the group join without asking.'
        : 'The request was approved.';
    case 'denied':
      return 'The request was denied.';
    case 'stage-opened':
      return 'The next approval stage began.';
    case 'stage-reopened':
      return 'Someone who approved may no longer decide; the stage is open again.';
    case 'withdrawn':
      return 'The request was withdrawn.';
    case 'expired':
      return 'The request expired: nobody decided in time.';
    case 'cancelled':
      return 'The request was cancelled.';
    case 'applying':
      return 'The membership is being applied.';
    case 'granted':
      return 'The person is now a member.';
    case 'ending-told':
      return 'The member was told that the membership ends soon.';
    case 'lapse-chosen':
      return 'The member lets the membership end at its time.';
    case 'leaving':
      return 'The member leaves.';
    case 'revoking':
      return 'The membership is revoked.';
    case 'ending':
      return 'The membership is being ended.';
    case 'ended':
      return ended(data);
    case 'retried':
      return 'The change is tried again.';
    case 'rerouted':
      return `Operations gave the decision to ${people(data['people'])} whom they named.`;
    case 'deadline-extended':
      return 'Operations gave more time to decide.';
    case 'mail-resent':
      return 'Operations had a mail sent again.';
    case 'restarted':
      return 'Operations started the workflow again.';
    case 'failed':
      return 'The directory refused the change. Operations look into it.';
    case 'outcome-told':
      return count(data['unreachable']) === 0
        ? 'Everyone concerned was told.'
        : `Everyone was told but ${people(data['unreachable'])} whose mail was refused.`;
  }
}

function ended(data: Record<string, unknown>): string {
  if (data['how'] === 'removed') return 'The membership was over: somebody else had removed it before.';
  if (data['how'] === 'group-deleted') return 'The membership was over: the group was deleted.';
  const why =
    data['how'] === 'left'
      ? 'The member left'
      : data['how'] === 'revoked'
        ? 'The membership was revoked'
        : 'The time was over';
  return data['removed'] === true
    ? `${why}; the membership was removed.`
    : `${why}; the membership was left as it is: it is not only this request’s, or the group can’t be changed any more.`;
}
