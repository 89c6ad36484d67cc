import type { ChangeEntry } from '../domain/group-change';
import { capital, count, people } from '../join-requests/timeline';

/** One entry of a change's trail as a sentence, without names: whoever shows it adds who did it. */
export function changeSentence({ event, data = {} }: Pick<ChangeEntry, 'event' | 'data'>): string {
  switch (event) {
    case 'change-asked':
      return 'The change was asked for.';
    case 'approvers-asked':
      return `${capital(people(data['people']))} who may decide got a mail.`;
    case 'approvers-reminded':
      return `${capital(people(data['people']))} got a reminder.`;
    case 'approvers-unreachable':
      return `Mail to ${people(data['people'])} who may decide was refused; others step in.`;
    case 'mail-undelivered':
      return 'A mail could not be delivered.';
    case 'approved':
      return 'It was approved.';
    case 'denied':
      return 'It was denied.';
    case 'withdrawn':
      return 'It was withdrawn.';
    case 'expired':
      return 'It expired: nobody decided in time.';
    case 'cancelled':
      return 'It was cancelled.';
    case 'applying':
      return 'The change is being applied.';
    case 'group-created':
      return 'The group was created.';
    case 'applied':
      return 'The change is applied.';
    case 'failed':
      return 'The directory refused the change. Operations look into it.';
    case 'retried':
      return 'The change is tried again.';
    case 'outcome-told':
      return count(data['unreachable']) === 0
        ? 'Everyone concerned was told.'
        : `Everyone was told but ${people(data['unreachable'])} whose mail was refused.`;
  }
}
