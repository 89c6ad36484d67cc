import { DirectoryRefused, DirectoryUnavailable } from '../../shared/directory/directory';
import { refusals } from '../../shared/domain/eligibility';
import type { Refusal } from '../../shared/domain/eligibility';
import { cancel, fail, grant, grantUntil, recount, reopenStage, startApplying } from '../../shared/domain/join-request';
import type { Change, JoinRequest } from '../../shared/domain/join-request';
import { lookAgain } from '../../shared/join-requests/eligibility';
import { partiesOf } from '../../shared/join-requests/who-may-decide';
import type { Stored } from '../../shared/records/join-requests';
import { isBeingRemoved, isEnding } from '../../shared/records/memberships';
import { retryOnConflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { event } from '../../shared/telemetry';
import { dropGrant, dropRefusedGrant, giveGrant, makeSoWithinReach } from './membership';
import { confirmMissing, gone, orPostponed, standing, timeOf } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:settle';

/**
 * Applies an approved request: checks everything again, writes `applying` into the row, then calls Graph, then writes the outcome.
 * A repeat after a crash finds `applying` and knows that "already a member" means that the membership is ours.
 */
export function settle(services: Services, input: StepInput): Promise<Standing> {
  const at = timeOf(input);
  return orPostponed(services, input, ROUTE, () =>
    retryOnConflict(async () => {
      const stored = await services.records.requests.read(input.requestId);
      if (stored === undefined) return gone();
      const { request } = stored;
      if (request.state !== 'approved' && request.state !== 'applying')
        return standing(await followDecision(services, request));

      const { change, isMember, version } =
        request.ending === undefined ? await recheck(services, request, at) : stopped(request, request.ending, at);
      confirmMissing(change?.request.reason?.rule, request, input);
      if (change !== undefined) {
        if (request.state === 'applying') await takeBack(services, request);
        return standing((await write(services, stored, change)).request);
      }
      const applying =
        request.state === 'applying'
          ? stored
          : await write(services, stored, startApplying(request, isMember, version, at));
      return apply(services, applying, at);
    }),
  );
}

const write = ({ records }: Services, stored: Stored, change: Change): Promise<Stored> =>
  records.requests.write(stored, change, { route: ROUTE });

interface Recheck {
  change?: Change;
  isMember: boolean;
  version: string;
}

/** The membership that the request was to go on with ends now: by whoever left, or revoked it. */
const stopped = (request: JoinRequest, { by }: NonNullable<JoinRequest['ending']>, at: Date): Recheck => ({
  change: cancel(request, refusals.membershipEnded, at, by),
  isMember: false,
  version: request.policyVersion,
});

/** What changed since the decision and keeps it from being applied; else whether the person is a member now. */
async function recheck(services: Services, request: JoinRequest, at: Date): Promise<Recheck> {
  const { directory } = services;
  const { group: asked, requester } = request;
  // before the directory is asked: a removal between the two looks is not somebody else's membership
  const otherwise = await refuseMember(services, request);
  const [{ refusal: refused, version }, isMember, parties, stillOwner] = await Promise.all([
    lookAgain(services, request),
    // once `applying` stands, a membership may be our own
    request.state === 'approved' && directory.isMember(asked.id, requester.id),
    partiesOf(directory, request),
    request.asOwner === true && directory.owners(asked.id).then((all) => all.some(({ id }) => id === requester.id)),
  ]);
  const refusal = refused ?? (isMember ? otherwise : undefined);
  if (refusal !== undefined) return { change: cancel(request, refusal, at), isMember, version };
  const dropped = request.asOwner === true ? (stillOwner ? undefined : []) : recount(request, parties);
  return dropped === undefined
    ? { isMember, version }
    : { change: reopenStage(request, dropped, at), isMember, version };
}

/**
 * Why somebody who is a member can't be granted it. An extension goes on with a membership that Gatehouse granted, also in the moment
 * between its time and its removal, and whoever asked while their membership was ending stays by the new grant; any other member has nothing
 * to ask for.
 */
async function refuseMember(
  { records }: Services,
  { extends: before, group, requester }: JoinRequest,
): Promise<Refusal | undefined> {
  const membership = await records.memberships.read(group.id, requester.id);
  if (membership === undefined) return refusals.alreadyMember;
  if (before === undefined) return isEnding(membership) ? undefined : refusals.alreadyMember;
  const { grants } = membership;
  if (isBeingRemoved(membership) || grants.some(({ ending }) => ending !== true)) return undefined;
  return grants.length > 0 ? refusals.membershipEnded : refusals.alreadyMember;
}

async function apply(services: Services, stored: Stored, at: Date): Promise<Standing> {
  const { request } = stored;
  try {
    if ((await giveGrant(services, request, at, grantUntil(request, at))) === 'gone')
      throw new DirectoryUnavailable('The group or the person is not there (yet, or any more).');
  } catch (error) {
    if (!(error instanceof DirectoryRefused)) throw error;
    // an earlier attempt may have come through, and its answer got lost
    if (await services.directory.isMember(request.group.id, request.requester.id))
      return standing((await write(services, stored, grant(request, at))).request);
    await dropRefusedGrant(services, request);
    // what changed since the look before the write is the reason, and nothing that operations could mend
    const { refusal } = await lookAgain(services, request);
    if (refusal !== undefined) return standing((await write(services, stored, cancel(request, refusal, at))).request);
    event('request-failed', { requestId: request.id, rule: error.code });
    return standing(
      (await write(services, stored, fail(request, { rule: error.code, sentence: error.message }, at))).request,
    );
  }
  return standing((await write(services, stored, grant(request, at))).request);
}

/**
 * Where another delivery of this step decided, this one may have changed the membership before it knew, be it in an earlier attempt of which
 * nothing was written: the membership goes by what was decided. What changes meanwhile is followed too.
 */
async function followDecision(services: Services, decided: JoinRequest): Promise<JoinRequest> {
  const { memberships, requests } = services.records;
  for (let request = decided; ;) {
    const { id, group, requester, applying, grant: given, state, takingBack } = request;
    if (applying === undefined) return request;
    const live = state === 'granted' && takingBack === undefined ? given : undefined;
    const membership = await memberships.read(group.id, requester.id);
    const has = membership?.grants.some(({ requestId }) => requestId === id) === true;
    if (has === (live !== undefined)) return request;
    if (live === undefined) await takeBack(services, request);
    else await giveGrant(services, request, new Date(live.from), live.until);
    request = (await requests.read(id))?.request ?? request;
  }
}

/** An earlier attempt may have added the person before it could write so: what may be ours is removed before the request ends otherwise. */
async function takeBack(services: Services, request: JoinRequest): Promise<void> {
  const wish = await dropGrant(services, request);
  if (wish.addedByGatehouse) await makeSoWithinReach(services, request, wish);
}
