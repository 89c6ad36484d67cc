import { refusals } from '../domain/eligibility';
import { cancel, endNow, isOpen, letLapse, stopApplying } from '../domain/join-request';
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
  /** The request to stay that comes to nothing with them. */
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
  // before the grants are read: an extension that is granted in this moment is one of them then
  const extension = await stopExtension(records, { group, requester }, { how, by, reason, via }, at);
  const live = (await records.memberships.read(group.id, requester.id))?.grants ?? [];
  const ids = [requestId, ...live.map((grant) => grant.requestId).filter((id) => id !== requestId)];

  await endGrants(records, { group, requester }, ids, live, extension);
  const grants: JoinRequest[] = [];
  for (const id of ids) {
    const written = await changeRequest(records, id, via, (request) => endNow(request, how, by, reason, at));
    if (written?.request.ending !== undefined) grants.push(written.request);
  }
  return { grants, ...(extension && { extension }) };
}

/**
 * From now on no request to stay goes on from these grants. One that an owner gave without a request has no end of its own: it goes at once,
 * else the person would stay by it. So does that of an extension which is not granted any more.
 */
async function endGrants(
  records: Services['records'],
  { group, requester }: Pick<JoinRequest, 'group' | 'requester'>,
  ended: readonly string[],
  live: readonly Grant[],
  stopped: JoinRequest | undefined,
): Promise<void> {
  const requests = await Promise.all(live.map((grant) => records.requests.read(grant.requestId)));
  const others = live
    .map(({ requestId }) => requestId)
    .filter((id, index) => requests[index] === undefined || id === stopped?.id);
  await records.memberships.update(group.id, requester.id, (before) => ({
    ...before,
    grants: before.grants
      .filter(({ requestId }) => !others.includes(requestId))
      .map((grant) => (ended.includes(grant.requestId) ? { ...grant, ending: true } : grant)),
  }));
}

/**
 * Whoever leaves, or is made to, must not come back by an extension that was asked for before. One that is being applied may have reached
 * the directory: its own workflow takes that back.
 */
async function stopExtension(
  records: Services['records'],
  { group, requester }: Pick<JoinRequest, 'group' | 'requester'>,
  { how, by, reason, via }: Omit<Ending, 'requestId'>,
  at: Date,
): Promise<JoinRequest | undefined> {
  const claim = await records.claims.read(group.id, requester.id);
  if (claim === undefined) return undefined;
  const stored = await changeRequest(records, claim.requestId, via, (request) => {
    if (request.extends === undefined || !isOpen(request)) return undefined;
    return request.state === 'applying'
      ? stopApplying(request, how, by, reason, at)
      : cancel(request, refusals.membershipEnded, at, by);
  });
  const isStopped = stored?.request.ending !== undefined || stored?.request.reason?.rule === 'membership-ended';
  return stored?.request.extends !== undefined && isStopped ? stored.request : undefined;
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
