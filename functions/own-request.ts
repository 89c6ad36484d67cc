import type { JoinRequest } from '../shared/domain/join-request';
import { problems } from '../shared/web/problem';
import type { Visit } from './door';

/** The request of the person who calls. @throws {Problem} 404 where it is somebody else's, or there is none: the two look alike */
export async function ownRequest({ params, caller, services }: Visit<{ requestId: string }>): Promise<JoinRequest> {
  const stored = await services.records.requests.read(params.requestId);
  if (caller.kind !== 'person' || stored?.request.requester.id !== caller.id) throw problems.notFound();
  return stored.request;
}
