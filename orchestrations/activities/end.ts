import { DirectoryUnavailable } from '../../shared/directory/directory';
import { end as ended, startTakingBack } from '../../shared/domain/join-request';
import type { JoinRequest } from '../../shared/domain/join-request';
import { goOnEnding } from '../../shared/join-requests/grants';
import type { Stored } from '../../shared/records/join-requests';
import { changeRequest } from '../../shared/records/records';
import { retryOnConflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { dropGrant, makeSoWithinReach } from './membership';
import { gone, orLater, standing, timeOf } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:end';

/**
 * Takes back a grant whose time is over, or that somebody ended: only a membership that Gatehouse itself added and that no other live
 * grant covers is removed; anything else is left, and the trail says so. What it found is written before it acts, so that a repeat after
 * a crash does not take its own work for somebody else's.
 */
export function end(services: Services, input: StepInput): Promise<Standing> {
  const { records } = services;
  const at = timeOf(input);
  return orWaiting(services, input, () =>
    retryOnConflict(async () => {
      const found = await records.requests.read(input.requestId);
      if (found === undefined) return gone();
      if (!isOver(found.request, at)) return standing(found.request);
      const stored = found.request.takingBack === undefined ? await begin(services, found, at) : found;
      const became = await takeBack(services, stored.request);
      return standing(
        (await records.requests.write(stored, ended(stored.request, became, at), { route: ROUTE })).request,
      );
    }),
  );
}

/** Writes down how the membership stands before it is taken back; what was to end with it ends too. */
async function begin(services: Services, found: Stored, at: Date): Promise<Stored> {
  const { request } = found;
  if (await isGoingOn(services, request))
    throw new DirectoryUnavailable('The membership goes on: that is about to be applied.');
  await goOnEnding(services, request, { route: ROUTE }, at);
  const change = startTakingBack(request, await asItIs(services, request), at);
  return services.records.requests.write(found, change, { route: ROUTE });
}

const isOver = ({ state, ending, grant }: JoinRequest, at: Date): boolean =>
  state === 'granted' && (ending !== undefined || (grant?.until !== undefined && new Date(grant.until) <= at));

/** Nobody is removed for a moment whose request to stay was approved in time, however long the directory takes to hear of it. */
async function isGoingOn({ records }: Services, { ending, group, requester }: JoinRequest): Promise<boolean> {
  if (ending !== undefined) return false;
  const claim = await records.claims.read(group.id, requester.id);
  const next = claim && (await records.requests.read(claim.requestId))?.request;
  return (
    next?.extends !== undefined &&
    (next.state === 'approved' || (next.state === 'applying' && next.ending === undefined))
  );
}

async function asItIs(
  { directory }: Services,
  { group, requester }: JoinRequest,
): Promise<{ wasMember: boolean; groupGone: boolean }> {
  const wasMember = await directory.isMember(group.id, requester.id);
  return { wasMember, groupGone: !wasMember && (await directory.group(group.id)) === undefined };
}

/** What became of the membership. */
async function takeBack(services: Services, request: JoinRequest): Promise<{ removed: boolean; covered?: boolean }> {
  const wish = await dropGrant(services, request);
  if (wish.wanted === 'in') return { removed: false, covered: wish.grants.length > 0 };
  const became = await makeSoWithinReach(services, request, wish);
  // another grant that came meanwhile keeps the person in
  if (became === 'in') return { removed: false, covered: true };
  return { removed: became !== 'out-of-reach' && request.takingBack?.wasMember === true };
}

/** While the directory can't answer, or lacks a permission, the end waits for it, and the status says so. */
async function orWaiting(services: Services, input: StepInput, step: () => Promise<Standing>): Promise<Standing> {
  const stands = await orLater(input, step);
  if (!stands.postponed) return stands;
  await changeRequest(services.records, input.requestId, { route: ROUTE }, (now) =>
    now.state === 'granted' && now.waitingFor !== 'directory'
      ? { request: { ...now, waitingFor: 'directory' }, entries: [] }
      : undefined,
  );
  return stands;
}
