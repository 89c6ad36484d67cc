import type { Group, Person } from '../domain/eligibility';
import type { JoinRequest } from '../domain/join-request';
import type { Outcome, RequestFacts } from '../mail/messages';

/** What mails and pages tell of a request; people and group as the directory knows them now, or as they were named when it was filed. */
export function factsOf(
  request: JoinRequest,
  now: { group?: Group; person?: Person; approvers: readonly { displayName: string }[] },
): RequestFacts {
  const { group, person, approvers } = now;
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
  };
}

/** How the request ended, in the terms of mails and pages; `undefined` while it is open. */
export function outcomeOf(request: JoinRequest): Outcome | undefined {
  const votes = (choice: 'approve' | 'deny') => request.stage.votes.filter((vote) => vote.choice === choice);
  switch (request.state) {
    case 'granted':
      return {
        kind: 'granted',
        decidedBy: votes('approve').map(({ name }) => name),
        ...(request.grant?.until !== undefined && { until: new Date(request.grant.until) }),
      };
    case 'denied': {
      const denials = votes('deny');
      const comment = denials.at(-1)?.comment;
      return { kind: 'denied', decidedBy: denials.map(({ name }) => name), ...(comment !== undefined && { comment }) };
    }
    case 'ended':
      return { kind: 'ended', removed: request.ended?.removed ?? false };
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
