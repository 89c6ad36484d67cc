import { DirectoryRefused, DirectoryUnavailable } from '../../shared/directory/directory';
import { refusals } from '../../shared/domain/eligibility';
import { addDuration } from '../../shared/domain/duration';
import { cancel, droppedOut, fail, grant, reopenStage, startApplying } from '../../shared/domain/join-request';
import type { Change, JoinRequest } from '../../shared/domain/join-request';
import { refuse } from '../../shared/join-requests/eligibility';
import { approversOf } from '../../shared/join-requests/who-may-decide';
import type { Stored } from '../../shared/records/join-requests';
import { retryOnConflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { dropGrant, makeSo, withGrant } from './membership';
import { gone, orPostponed, standing } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:settle';

/**
 * Applies an approved request: checks everything again, writes `applying` into the row, then calls Graph, then writes the outcome.
 * A repeat after a crash finds `applying` and knows that "already a member" means that the membership is ours.
 */
export function settle(services: Services, input: StepInput): Promise<Standing> {
  const at = new Date(input.at);
  return orPostponed(services, input, ROUTE, () =>
    retryOnConflict(async () => {
      const stored = await services.records.requests.read(input.requestId);
      if (stored === undefined) return gone();
      const { request } = stored;
      if (request.state !== 'approved' && request.state !== 'applying') return standing(request);

      const change = await recheck(services, request, at);
      if (change !== undefined) {
        if (request.state === 'applying') await takeBack(services, request);
        return standing((await write(services, stored, change)).request);
      }
      const applying =
        request.state === 'applying' ? stored : await write(services, stored, startApplying(request, false, at));
      return apply(services, applying, at);
    }),
  );
}

const write = ({ records }: Services, stored: Stored, change: Change): Promise<Stored> =>
  records.requests.write(stored, change, { route: ROUTE });

/** What changed since the decision and keeps it from being applied. */
async function recheck({ directory }: Services, request: JoinRequest, at: Date): Promise<Change | undefined> {
  const { group: asked, requester, policy } = request;
  const [group, person, isMember, approvers] = await Promise.all([
    directory.group(asked.id),
    directory.person(requester.id),
    // once `applying` stands, a membership may be our own
    request.state === 'approved' && directory.isMember(asked.id, requester.id),
    approversOf(directory, request),
  ]);
  const refusal = await refuse(directory, group, person, policy);
  if (refusal !== undefined) return cancel(request, refusal, at);
  if (isMember) return cancel(request, refusals.alreadyMember, at);
  const dropped = droppedOut(request, approvers);
  return dropped.length > 0 ? reopenStage(request, dropped, at) : undefined;
}

async function apply(services: Services, stored: Stored, at: Date): Promise<Standing> {
  const { records } = services;
  const { request } = stored;
  const until = request.duration === undefined ? undefined : addDuration(at, request.duration).toISOString();
  const wish = await records.memberships.update(request.group.id, request.requester.id, (before) =>
    withGrant(before, request.id, at, until),
  );

  try {
    const outcome = await makeSo(services, request, wish);
    if (outcome === 'gone') throw new DirectoryUnavailable('The group or the person is not there (yet, or any more).');
  } catch (error) {
    if (!(error instanceof DirectoryRefused)) throw error;
    await dropGrant(services, request);
    return standing(
      (await write(services, stored, fail(request, { rule: error.code, sentence: error.message }, at))).request,
    );
  }
  const granted = grant(request, at);
  if (until !== undefined) await records.open.put({ due: until, kind: 'grant', requestId: request.id });
  return standing((await write(services, stored, granted)).request);
}

/** An earlier attempt may have added the person before it could write so: what may be ours is removed before the request ends otherwise. */
async function takeBack(services: Services, request: JoinRequest): Promise<void> {
  const wish = await dropGrant(services, request);
  if (wish.addedByGatehouse) await makeSo(services, request, wish);
}
