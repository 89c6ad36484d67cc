import { refusals } from '../domain/eligibility';
import { cancel, endNow, letLapse } from '../domain/join-request';
import type { Actor, JoinRequest } from '../domain/join-request';
import type { Via } from '../records/join-requests';
import type { Grant } from '../records/memberships';
import { changeRequest } from '../records/records';
import type { Services } from '../services';

export interface Ending {
  requestId: string;
  how: 'left' | 'revoked';
  by: Actor;
  reason?: string;
  via: Via;
}

/** What ends now, and has a workflow to be woken for it. */
export interface EndedNow {
  /** Requests whose grants end, the one that was named first. */
  grants: JoinRequest[];
  /** The request to stay that is cancelled with them. */
  extension?: JoinRequest;
}

/**
 * Ends a membership now: this grant and every other live one of the same person in the same group, else the person would stay a member
 * by another grant. @returns no grants where it is not granted, or has ended; `undefined` where there is no such request.
 */
export async function endMembership(
  { records }: Services,
  { requestId, how, by, reason, via }: Ending,
  at: Date,
): Promise<EndedNow | undefined> {
  const stored = await records.requests.read(requestId);
  if (stored === undefined) return undefined;
  const { group, requester, state } = stored.request;
  if (state !== 'granted') return { grants: [] };
  const live = (await records.memberships.read(group.id, requester.id))?.grants ?? [];
  const ids = [requestId, ...live.map((grant) => grant.requestId).filter((id) => id !== requestId)];

  await dropOtherGrants(records, { group, requester }, live);
  const extension = await cancelExtension(records, { group, requester }, by, via, at);
  const grants: JoinRequest[] = [];
  for (const id of ids) {
    const written = await changeRequest(records, id, via, (request) => endNow(request, how, by, reason, at));
    if (written?.request.ending !== undefined) grants.push(written.request);
  }
  return { grants, ...(extension && { extension }) };
}

/** A grant that an owner gave without a request has no end of its own: it goes at once, else the person would stay by it. */
async function dropOtherGrants(
  records: Services['records'],
  { group, requester }: Pick<JoinRequest, 'group' | 'requester'>,
  live: readonly Grant[],
): Promise<void> {
  const requests = await Promise.all(live.map((grant) => records.requests.read(grant.requestId)));
  const others = live.filter((_, index) => requests[index] === undefined).map(({ requestId }) => requestId);
  if (others.length === 0) return;
  await records.memberships.update(group.id, requester.id, (before) => ({
    ...before,
    grants: before.grants.filter(({ requestId }) => !others.includes(requestId)),
  }));
}

/** Whoever leaves, or is made to, must not come back by an extension that was asked for before. */
async function cancelExtension(
  records: Services['records'],
  { group, requester }: Pick<JoinRequest, 'group' | 'requester'>,
  by: Actor,
  via: Via,
  at: Date,
): Promise<JoinRequest | undefined> {
  const claim = await records.claims.read(group.id, requester.id);
  if (claim === undefined) return undefined;
  const stored = await changeRequest(records, claim.requestId, via, (request) =>
    request.extends !== undefined && (request.state === 'pending' || request.state === 'approved')
      ? cancel(request, refusals.membershipEnded, at, by)
      : undefined,
  );
  return stored?.request.reason?.rule === 'membership-ended' ? stored.request : undefined;
}

/** The member lets the membership end at its time, and is not warned any more. `undefined` where there is no such request. */
export async function letGrantLapse(
  { records }: Services,
  requestId: string,
  by: Actor,
  via: Via,
  at: Date,
): Promise<JoinRequest | undefined> {
  return (await changeRequest(records, requestId, via, (request) => letLapse(request, by, at)))?.request;
}
