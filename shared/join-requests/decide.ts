import { everyoneOf } from '../domain/approvers';
import { durationMs } from '../domain/duration';
import { vote } from '../domain/join-request';
import type { Ballot, JoinRequest } from '../domain/join-request';
import type { Via } from '../records/join-requests';
import { retryOnConflict } from '../records/tables';
import type { Services } from '../services';
import { partiesOf } from './who-may-decide';

export interface Decision extends Ballot {
  requestId: string;
  by: { id: string };
  /** Index of the stage that is decided; without it the one that is open now. */
  stage?: number;
  via: Via;
}

export type DecisionResult =
  /** The vote counts. `closes`: its stage is over, the workflow shall go on. */
  | { kind: 'recorded'; request: JoinRequest; closes: boolean }
  /** It was closed before, the stage was, or the same vote stands already. */
  | { kind: 'stands'; request: JoinRequest }
  /** They decided at an earlier stage, may at this one, and did not say which they mean: a call that is repeated must not decide twice. */
  | { kind: 'which-stage'; request: JoinRequest }
  | { kind: 'not-yours'; request: JoinRequest }
  | { kind: 'changed-too-often'; request: JoinRequest }
  /** The time given is longer than what was asked for, or the policy does not let deciders change it. */
  | { kind: 'bad-duration'; sentence: string }
  | { kind: 'unknown' };

/** Why this length can't be given with an approval; `undefined` where it can. */
function refuseDuration({ policy, duration: asked }: JoinRequest, { choice, duration }: Ballot): string | undefined {
  if (duration === undefined) return undefined;
  if (choice === 'deny') return 'A denial gives no time. Leave the duration out.';
  if (!policy.deciderMayShorten) return 'The policy of this group does not let approvers change the time asked for.';
  if (asked !== undefined && durationMs(duration) > durationMs(asked))
    return `Approvers may shorten the time asked for, not lengthen it: give at most ${asked}.`;
  return undefined;
}

/**
 * Records a decision of someone who may decide at this moment: asked of the directory now, not remembered from the mail. The loser of
 * a race reads again and decides again, at the same stage, and is shown what stands.
 */
export function decide({ directory, records }: Services, decision: Decision, at: Date): Promise<DecisionResult> {
  let meant = decision.stage;
  return retryOnConflict(async (): Promise<DecisionResult> => {
    const stored = await records.requests.read(decision.requestId);
    if (stored === undefined) return { kind: 'unknown' };
    const { request } = stored;
    meant ??= request.stage.index;
    if (request.state !== 'pending' || request.stage.index !== meant) return { kind: 'stands', request };

    const hasDecided = request.earlierVotes?.some(({ personId }) => personId === decision.by.id) === true;
    const parties = await partiesOf(directory, request);
    const me = everyoneOf(parties).find(({ id }) => id === decision.by.id);
    if (decision.stage === undefined && hasDecided)
      return { kind: me === undefined ? 'stands' : 'which-stage', request };
    if (me === undefined) return { kind: 'not-yours', request };
    const { choice, comment, duration } = decision;
    const ballot = { choice, ...(comment !== undefined && { comment }), ...(duration !== undefined && { duration }) };
    const sentence = refuseDuration(request, ballot);
    if (sentence !== undefined) return { kind: 'bad-duration', sentence };
    const result = vote(request, me, ballot, parties, at);
    if (result.kind !== 'recorded') return { kind: result.kind, request };
    const written = await records.requests.write(stored, result.change, decision.via);
    return { kind: 'recorded', request: written.request, closes: result.closes };
  });
}

/** Whether the workflow has something to do now: also where the vote stood already, because its writer may not have come to wake it. */
export function wakes(result: DecisionResult): boolean {
  return (
    (result.kind === 'recorded' && result.closes) || (result.kind === 'stands' && result.request.state === 'approved')
  );
}
