import { vote } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import { retryOnConflict } from '../records/tables';
import type { Services } from '../services';
import { approversOf } from './who-may-decide';

export interface Decision {
  requestId: string;
  by: { id: string };
  choice: 'approve' | 'deny';
  comment?: string;
  route: string;
}

export type DecisionResult =
  /** The vote counts. `closes`: its stage is over, the workflow shall go on. */
  | { kind: 'recorded'; request: JoinRequest; closes: boolean }
  /** It was closed before, or the same vote stands already. */
  | { kind: 'stands'; request: JoinRequest }
  | { kind: 'not-yours'; request: JoinRequest }
  | { kind: 'unknown' };

/**
 * Records a decision of someone who may decide at this moment: asked of the directory now, not remembered from the mail. The loser of
 * a race reads again and decides again, and is shown what stands.
 */
export function decide({ directory, records }: Services, decision: Decision, at: Date): Promise<DecisionResult> {
  return retryOnConflict(async (): Promise<DecisionResult> => {
    const stored = await records.requests.read(decision.requestId);
    if (stored === undefined) return { kind: 'unknown' };
    const { request } = stored;
    if (request.state !== 'pending') return { kind: 'stands', request };

    const approvers = await approversOf(directory, request);
    const me = approvers.find(({ id }) => id === decision.by.id);
    if (me === undefined) return { kind: 'not-yours', request };
    const result = vote(request, me, decision.choice, decision.comment, approvers, at);
    if (result.kind !== 'recorded') return { kind: result.kind, request };
    const written = await records.requests.write(stored, result.change, { route: decision.route });
    return { kind: 'recorded', request: written.request, closes: result.closes };
  });
}
