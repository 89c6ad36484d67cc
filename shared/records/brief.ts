import type { JoinRequest, RequestState, WaitingFor } from '../domain/join-request';

/** What lists show of an open request: a copy beside the pointers to it, so that a page of a list is one read. Never authority. */
export interface Brief {
  id: string;
  /** `approved` from the decision until it is applied. */
  state: RequestState;
  stage: { number: number; of: number };
  waitingFor: WaitingFor;
  filedAt: string;
  group: { id: string; name: string };
  requester: { id: string; name: string };
  /** Why it failed, in words. */
  reason?: string;
}

/** A property of a row holds at most 32 K characters, and a list no more than a sentence. */
const LONGEST_REASON = 500;

export function briefOf(request: JoinRequest): Brief {
  const { id, state, stage, policy, waitingFor, filedAt, group, requester, reason } = request;
  return {
    id,
    // both are the same to whoever waits: one write less for each request
    state: state === 'applying' ? 'approved' : state,
    stage: { number: stage.index + 1, of: policy.stages.length },
    waitingFor,
    filedAt,
    group,
    requester,
    ...(reason !== undefined && { reason: reason.sentence.slice(0, LONGEST_REASON) }),
  };
}
