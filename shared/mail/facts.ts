import { clip, durationInWords, oneLine } from './text';

/** What a mail or a page tells of a request. Texts are as the directory or the requester gave them; whoever shows them makes them safe. */
export interface RequestFacts {
  reference: string;
  groupName: string;
  groupDescription?: string;
  /** From the directory, never from the request. */
  requester: { name: string; jobTitle?: string; department?: string; address?: string };
  justification: string;
  filedAt: Date;
  /** ISO 8601, as asked for; membership without an end where there is none. */
  duration?: string;
  /** Names of all who may decide. */
  approvers: string[];
}

/** What the directory knows of the requester besides the name, a line each: job and department, address. */
export function requesterDetails({ requester }: RequestFacts): string[] {
  const place = [requester.jobTitle, requester.department].map((text) => clip(oneLine(text ?? ''), 160));
  const lines = [place.filter((text) => text !== '').join(' · '), oneLine(requester.address ?? '')];
  return lines.filter((line) => line !== '');
}

/** The group's description on one line; empty where it has none. */
export const groupDescribed = (facts: RequestFacts): string => clip(oneLine(facts.groupDescription ?? ''), 300);

/** For how long membership is asked for, in words. */
export const periodInWords = (facts: RequestFacts): string =>
  facts.duration === undefined ? 'No end date' : durationInWords(facts.duration);
