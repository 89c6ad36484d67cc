import type { RecordedEntry } from '../records/trail';

const count = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
const people = (value: unknown): string => (count(value) === 1 ? 'one person' : `${String(count(value))} people`);

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
    case 'vote-recorded':
      return data['choice'] === 'approve' ? 'Approved by an approver.' : 'Denied by an approver.';
    case 'approved':
      return 'The request was approved.';
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
    case 'ended':
      return data['removed'] === true
        ? 'The time was over; the membership was removed.'
        : 'The time was over; the membership was left as it is, because it is not only this request’s.';
    case 'failed':
      return 'The directory refused the change. Operations look into it.';
    case 'outcome-told':
      return 'Everyone concerned was told.';
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
