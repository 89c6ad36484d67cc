import { withdraw } from '../domain/join-request';
import type { Actor, JoinRequest } from '../domain/join-request';
import type { Via } from '../records/join-requests';
import { changeRequest } from '../records/records';
import type { Services } from '../services';

/** Takes a pending request back. `withdrawn` is false where another outcome stands already: it is returned as it stands. */
export async function withdrawJoinRequest(
  { records }: Services,
  id: string,
  by: Actor,
  via: Via,
  at: Date,
): Promise<{ request: JoinRequest; withdrawn: boolean } | undefined> {
  let withdrawn = false;
  const stored = await changeRequest(records, id, via, (request) => {
    const change = withdraw(request, by, at);
    withdrawn = change !== undefined;
    return change;
  });
  return stored && { request: stored.request, withdrawn: withdrawn || stored.request.state === 'withdrawn' };
}
