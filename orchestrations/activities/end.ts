import { DirectoryRefused } from '../../shared/directory/directory';
import { end as ended } from '../../shared/domain/join-request';
import type { JoinRequest } from '../../shared/domain/join-request';
import { retryOnConflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { dropGrant, makeSo } from './membership';
import { gone, orPostponed, standing } from './standing';
import type { Standing, StepInput } from './standing';

const ROUTE = 'activity:end';

/**
 * Takes back a grant whose time is over: only a membership that Gatehouse itself added and that no other live grant covers is
 * removed; anything else is left, and the trail says so.
 */
export function end(services: Services, input: StepInput): Promise<Standing> {
  const { records } = services;
  const at = new Date(input.at);
  return orPostponed(services, input, ROUTE, () =>
    retryOnConflict(async () => {
      const stored = await records.requests.read(input.requestId);
      if (stored === undefined) return gone();
      const { request } = stored;
      const until = request.grant?.until;
      if (request.state !== 'granted' || until === undefined || new Date(until) > at) {
        if (until !== undefined && request.state !== 'granted')
          await records.open.delete({ due: until, kind: 'grant', requestId: request.id });
        return standing(request);
      }
      const removed = await takeBack(services, request);
      const written = await records.requests.write(stored, ended(request, removed, at), { route: ROUTE });
      await records.open.delete({ due: until, kind: 'grant', requestId: request.id });
      return standing(written.request);
    }),
  );
}

async function takeBack(services: Services, request: JoinRequest): Promise<boolean> {
  const wish = await dropGrant(services, request);
  if (wish.wanted === 'in') return false;
  try {
    await makeSo(services, request, wish);
    return true;
  } catch (error) {
    // the group can't be changed through Graph any more (deleted, dynamic, synchronised): the membership is not ours to end
    if (error instanceof DirectoryRefused) return false;
    throw error;
  }
}
