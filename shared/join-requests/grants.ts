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
 * by another grant. That it ends is written first: where the host dies after, {@link goOnEnding} does the rest.
 * @returns no grants where it is not granted, or has ended; `undefined` where there is no such request.
 */
export async function endMembership(
  services: Services,
  { requestId, how, by, reason, via }: Ending,
  at: Date,
): Promise<EndedNow | undefined> {
  const named = await changeRequest(services.records, requestId, via, (request) =>
    endNow(request, how, by, reason, at),
  );
  if (named === undefined) return undefined;
  const { state, ending } = named.request;
  return state === 'granted' && ending !== undefined
    ? endTogether(services, { ...named.request, ending }, via, at)
    : { grants: [] };
}

/**
 * Ends with this grant, whose end was asked for, what was to end with it and does not yet. What came after is left: who asked anew once all
 * was ending stays by that.
 */
export async function goOnEnding(services: Services, request: JoinRequest, via: Via, at: Date): Promise<void> {
  const { id, group, requester, ending } = request;
  if (ending === undefined) return;
  const books = (await services.records.memberships.read(group.id, requester.id))?.grants ?? [];
  const mine = books.find(({ requestId }) => requestId === id);
  const others = books.filter((grant) => grant.ending === true);
  const isBegun = mine === undefined || mine.ending === true;
  await (isBegun
    ? endEach(services, { ...request, ending }, others, via, at)
    : endTogether(services, { ...request, ending }, via, at));
}

type Ended = JoinRequest & { ending: NonNullable<JoinRequest['ending']> };

async function endTogether(services: Services, request: Ended, via: Via, at: Date): Promise<EndedNow> {
  const { records } = services;
  const { id, group, requester } = request;
  // before the grants are read: an extension that is granted in this moment is one of them then
  const extension = await stopExtension(records, request, via, at);
  const live = (await records.memberships.read(group.id, requester.id))?.grants ?? [];
  await endGrants(records, request, [id, ...live.map(({ requestId }) => requestId)], live, extension);
  const others = await endEach(services, request, live, via, at);
  return { grants: [request, ...others], ...(extension && { extension }) };
}

/** The other requests that gave one of these grants, and end with this one. */
async function endEach(
  { records }: Services,
  { id, ending: { how, by, reason } }: Ended,
  live: readonly Grant[],
  via: Via,
  at: Date,
): Promise<JoinRequest[]> {
  const ended: JoinRequest[] = [];
  for (const { requestId } of live) {
    if (requestId === id) continue;
    const written = await changeRequest(records, requestId, via, (request) => endNow(request, how, by, reason, at));
    if (written?.request.ending !== undefined) ended.push(written.request);
  }
  return ended;
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
  { group, requester, ending: { how, by, reason } }: Ended,
  via: Via,
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
