import { nudge } from '../domain/join-request';
import type { Actor, JoinRequest } from '../domain/join-request';
import type { Via } from '../records/join-requests';
import { retryOnConflict } from '../records/tables';
import type { Services } from '../services';

export type NudgeAnswer =
  | { kind: 'nudged'; request: JoinRequest }
  | { kind: 'too-soon'; until: Date }
  /** It is decided, or nobody was asked yet. */
  | { kind: 'stands'; request: JoinRequest };

/** Reminds those who have not decided yet, because the requester asks for it. */
export function nudgeApprovers(
  { records }: Services,
  requestId: string,
  by: Actor,
  via: Via,
  at: Date,
): Promise<NudgeAnswer | undefined> {
  return retryOnConflict(async () => {
    const stored = await records.requests.read(requestId);
    if (stored === undefined) return undefined;
    const result = nudge(stored.request, by, at);
    if (result.kind === 'stands') return { kind: 'stands', request: stored.request };
    if (result.kind === 'too-soon') return result;
    return { kind: 'nudged', request: (await records.requests.write(stored, result.change, via)).request };
  });
}
