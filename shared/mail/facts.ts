import { clip, dateInWords, durationInWords, nameOf, oneLine } from './text';

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
  /** The requester is a member until then and asks to stay; mails and pages say so wherever they else speak of joining. */
  extension?: { until: Date };
}

/** What is asked for, to stand between a person and a group: `join`, or `stay in` for an extension. */
export const wishOf = (facts: RequestFacts): string => (facts.extension === undefined ? 'join' : 'stay in');

/** Who asks for what, in a line: heading of whatever is about the request. */
export const headlineOf = (facts: RequestFacts): string =>
  `${nameOf(facts.requester.name)} asks to ${wishOf(facts)} ${nameOf(facts.groupName)}`;

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

/** When the membership ends that an extension is asked for; `undefined` where none is. */
export const presentEnd = ({ extension }: RequestFacts): string | undefined =>
  extension && dateInWords(extension.until);

/** How many of those who may decide must approve, and how many have. */
export function approvalsInWords(needed: number, given: number): string {
  const soFar = given === 0 ? 'nobody has' : given === 1 ? '1 has' : `${given} have`;
  return `${needed} ${needed === 1 ? 'person' : 'people'} must approve; ${soFar} so far`;
}
