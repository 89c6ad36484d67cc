import type { Group, Person } from '../domain/eligibility';
import { approvedBy, coolsDownUntil } from '../domain/join-request';
import type { JoinRequest, Vote } from '../domain/join-request';
import type { Outcome, RequestFacts } from '../mail/messages';

/**
 * What mails and pages tell of a request; people and group as the directory knows them now, or as they were named when it was filed.
 * @param now `isMember`: `false` where somebody who asked to stay is known to be no member any more
 */
export function factsOf(
  request: JoinRequest,
  now: { group?: Group; person?: Person; approvers: readonly { displayName: string }[]; at?: Date; isMember?: boolean },
): RequestFacts {
  const { group, person, approvers, at = new Date(0), isMember = true } = now;
  // once the membership is over there is nothing to stay in: it is asked for anew
  const isExtension = isMember && request.extends !== undefined && new Date(request.extends.until) > at;
  return {
    reference: request.id,
    groupName: group?.displayName ?? request.group.name,
    ...(group?.description != null && { groupDescription: group.description }),
    requester: {
      name: person?.displayName ?? request.requester.name,
      ...(person?.jobTitle != null && { jobTitle: person.jobTitle }),
      ...(person?.department != null && { department: person.department }),
      ...(person !== undefined && { address: person.mail ?? person.userPrincipalName }),
    },
    justification: request.justification,
    filedAt: new Date(request.filedAt),
    ...(request.duration !== undefined && { duration: request.duration }),
    approvers: approvers.map(({ displayName }) => displayName),
    ...(isExtension && request.extends && { extension: { until: new Date(request.extends.until) } }),
  };
}

/** How the request ended, in the terms of mails and pages; `undefined` while it is open. */
export function outcomeOf(request: JoinRequest): Outcome | undefined {
  switch (request.state) {
    case 'granted': {
      const approved = approvedBy(request);
      const { grant, shortenedFrom } = request;
      return {
        kind: 'granted',
        decidedBy: approved.map(({ name }) => name),
        comments: commentsOf(approved),
        ...(grant?.until !== undefined && { until: new Date(grant.until) }),
        ...(shortenedFrom !== undefined && { shortenedFrom: shortenedFrom ?? 'no end' }),
        ...(continues(request) && { continues: true }),
      };
    }
    case 'denied': {
      const denials = request.stage.votes.filter(({ choice }) => choice === 'deny');
      const again = coolsDownUntil(request);
      return {
        kind: 'denied',
        decidedBy: denials.map(({ name }) => name),
        comments: commentsOf(denials),
        ...(again !== undefined && { mayAskAgainOn: again }),
      };
    }
    case 'ended': {
      const { removed = false, covered, how, by, reason } = request.ended ?? {};
      return {
        kind: 'ended',
        removed,
        ...(covered && { covered }),
        ...(how !== undefined && { how }),
        ...(by !== undefined && { by }),
        ...(reason !== undefined && { reason }),
      };
    }
    case 'expired':
      return { kind: 'expired' };
    case 'withdrawn':
      return { kind: 'withdrawn' };
    case 'cancelled':
      return { kind: 'cancelled', reason: request.reason?.sentence ?? '' };
    case 'pending':
    case 'approved':
    case 'applying':
    case 'failed':
      return undefined;
  }
}

const commentsOf = (votes: readonly Vote[]): { by: string; text: string }[] =>
  votes.flatMap(({ name, comment }) => (comment === undefined ? [] : [{ by: name, text: comment }]));

/** Whether an extension was granted while the membership that it goes on from still stood. */
const continues = ({ extends: before, grant, applying }: JoinRequest): boolean =>
  before !== undefined &&
  grant !== undefined &&
  applying?.wasMember === true &&
  new Date(grant.from) <= new Date(before.until);
