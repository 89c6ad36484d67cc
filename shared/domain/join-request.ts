import type { Approver } from './approvers';
import { addDuration, durationMs } from './duration';
import type { Refusal } from './eligibility';
import type { Policy, StagePolicy } from './policy';

/** The states of a join request. `failed` is no end: it waits for operations. */
export type RequestState =
  | 'pending'
  | 'approved'
  | 'applying'
  | 'granted'
  | 'ended'
  | 'denied'
  | 'withdrawn'
  | 'expired'
  | 'cancelled'
  | 'failed';

/** What a request waits for, told on its status page. */
export type WaitingFor = 'mail' | 'decision' | 'directory' | 'operations' | null;

export interface Vote {
  personId: string;
  name: string;
  choice: 'approve' | 'deny';
  comment?: string;
  at: string;
}

export interface Stage {
  index: number;
  /** 0, and one more each time the stage was reopened: its approvers are then asked anew. */
  round: number;
  openedAt: string;
  /** When the first mail of this stage was accepted: from here its reminders and its deadline count. */
  askedAt?: string;
  /** Reminders sent so far. */
  reminded: number;
  /** Who may decide, as of the last time it was looked up. */
  approvers: Approver[];
  votes: Vote[];
}

/** The request row: the authority on what stands. Times are ISO 8601 in UTC. */
export interface JoinRequest {
  id: string;
  group: { id: string; name: string };
  requester: { id: string; name: string };
  /** Who filed it: the requester, or a system on their behalf. */
  filedBy: { kind: 'person' | 'app'; id: string };
  filedAt: string;
  justification: string;
  duration?: string;
  policy: Policy;
  policyVersion: string;
  state: RequestState;
  stage: Stage;
  waitingFor: WaitingFor;
  /** Present from `applying` on: what the directory said before Gatehouse wrote to it. */
  applying?: { wasMember: boolean };
  /** Present once granted. */
  grant?: { from: string; until?: string };
  /** Present once the grant is over. `removed`: the membership was Gatehouse's to take back, and was. */
  ended?: { how: 'lapsed'; at: string; removed: boolean };
  /** Why it was cancelled or failed, in words. */
  reason?: { rule: string; sentence: string };
  /** When the next step is due; null when nothing is left to do, or only operations can do it. */
  due: string | null;
  /** Everyone concerned was told the outcome, and the claim was released. */
  told: boolean;
}

export type TrailEvent =
  | 'filed'
  | 'approvers-asked'
  | 'approvers-reminded'
  | 'approvers-unreachable'
  | 'vote-recorded'
  | 'approved'
  | 'denied'
  | 'stage-reopened'
  | 'stage-opened'
  | 'withdrawn'
  | 'expired'
  | 'cancelled'
  | 'applying'
  | 'granted'
  | 'ended'
  | 'failed'
  | 'outcome-told';

export interface Actor {
  kind: 'person' | 'app' | 'gatehouse';
  id: string;
  name?: string;
}
export const GATEHOUSE: Actor = { kind: 'gatehouse', id: 'gatehouse' };

/** One entry of the trail, as the domain says it; the records add its number, its hash and the route. */
export interface TrailEntry {
  event: TrailEvent;
  at: string;
  by: Actor;
  data?: Record<string, unknown>;
}

/** A change of the request: the row as it shall stand and the entries that say so, written together or not at all. */
export interface Change {
  request: JoinRequest;
  entries: TrailEntry[];
}

export function isOpen(request: JoinRequest): boolean {
  return (
    request.state === 'pending' ||
    request.state === 'approved' ||
    request.state === 'applying' ||
    request.state === 'failed'
  );
}

export function stagePolicy(request: JoinRequest): StagePolicy {
  const policy = request.policy.stages[request.stage.index];
  if (policy === undefined)
    throw new Error(`request ${request.id} is at stage ${String(request.stage.index)}, which its policy does not have`);
  return policy;
}

/** How many people have approved at the present stage. */
export function approvals({ votes }: Stage): number {
  return votes.filter(({ choice }) => choice === 'approve').length;
}

/** In milliseconds. */
const OVERDUE_MS = 60_000;

/** Whether the step that is due was forgotten: it is late by more than a minute. */
export function isOverdue({ due }: Pick<JoinRequest, 'due'>, at: Date): boolean {
  return due !== null && new Date(due).getTime() < at.getTime() - OVERDUE_MS;
}

/**
 * When the stage expires. Until its first mail was accepted the clock has not started; where no mail is accepted at all it
 * expires after twice its time, so that no request waits for ever.
 */
export function deadlineOf(request: JoinRequest): Date {
  const { deadline } = stagePolicy(request);
  if (request.stage.askedAt !== undefined) return addDuration(new Date(request.stage.askedAt), deadline);
  return new Date(new Date(request.stage.openedAt).getTime() + 2 * durationMs(deadline));
}

/** The stage's reminder times, earliest first. */
export function reminderTimes(request: JoinRequest): Date[] {
  const { askedAt } = request.stage;
  if (askedAt === undefined) return [];
  return stagePolicy(request)
    .reminders.map((reminder) => addDuration(new Date(askedAt), reminder))
    .sort((a, b) => a.getTime() - b.getTime());
}

/** How many reminders should have been sent by `at`. */
export function remindersDue(request: JoinRequest, at: Date): number {
  return reminderTimes(request).filter((time) => time <= at).length;
}

/** When a pending request needs attention next: its next reminder, or its deadline. */
export function nextDue(request: JoinRequest, at: Date): Date {
  return reminderTimes(request).find((time) => time > at) ?? deadlineOf(request);
}

const iso = (at: Date): string => at.toISOString();

export interface Filing {
  id: string;
  group: { id: string; name: string };
  requester: { id: string; name: string };
  filedBy: Actor & { kind: 'person' | 'app' };
  justification: string;
  duration?: string;
  policy: Policy;
  policyVersion: string;
  approvers: Approver[];
}

export function file(filing: Filing, at: Date): Change {
  const { filedBy, approvers, ...rest } = filing;
  const request: JoinRequest = {
    ...rest,
    filedBy: { kind: filedBy.kind, id: filedBy.id },
    filedAt: iso(at),
    state: 'pending',
    stage: { index: 0, round: 0, openedAt: iso(at), reminded: 0, approvers, votes: [] },
    waitingFor: 'mail',
    due: iso(at),
    told: false,
  };
  return {
    request,
    entries: [{ event: 'filed', at: iso(at), by: filedBy, data: { policyVersion: filing.policyVersion } }],
  };
}

export type VoteResult =
  | { kind: 'recorded'; change: Change; closes: boolean }
  /** The stage is closed, or this vote already stands: nothing is written, the person is shown what stands. */
  | { kind: 'stands' }
  | { kind: 'not-yours' };

/** A vote of someone whose right to decide was looked up just now (`approvers`). The deadline's second does not matter: the row does. */
export function vote(
  request: JoinRequest,
  by: Approver,
  choice: 'approve' | 'deny',
  comment: string | undefined,
  approvers: readonly Approver[],
  at: Date,
): VoteResult {
  if (by.id === request.requester.id || !approvers.some(({ id }) => id === by.id)) return { kind: 'not-yours' };
  if (request.state !== 'pending') return { kind: 'stands' };
  const previous = request.stage.votes.find(({ personId }) => personId === by.id);
  if (previous?.choice === choice) return { kind: 'stands' };

  const mine: Vote = {
    personId: by.id,
    name: by.displayName,
    choice,
    ...(comment !== undefined && { comment }),
    at: iso(at),
  };
  const votes = [...request.stage.votes.filter(({ personId }) => personId !== by.id), mine];
  const actor: Actor = { kind: 'person', id: by.id, name: by.displayName };
  const recorded: TrailEntry = {
    event: 'vote-recorded',
    at: iso(at),
    by: actor,
    data: {
      stage: request.stage.index,
      choice,
      ...(comment !== undefined && { comment }),
      ...(previous !== undefined && { before: previous.choice }),
    },
  };
  const next: JoinRequest = { ...request, stage: { ...request.stage, votes, approvers: [...approvers] } };

  if (choice === 'deny') {
    return {
      kind: 'recorded',
      closes: true,
      change: {
        request: { ...next, state: 'denied', waitingFor: null, due: iso(at) },
        entries: [recorded, { event: 'denied', at: iso(at), by: actor }],
      },
    };
  }
  if (approvals(next.stage) < stagePolicy(request).required) {
    return { kind: 'recorded', closes: false, change: { request: next, entries: [recorded] } };
  }
  if (request.stage.index + 1 < request.policy.stages.length) {
    const index = request.stage.index + 1;
    const stage: Stage = { index, round: 0, openedAt: iso(at), reminded: 0, approvers: [], votes: [] };
    return {
      kind: 'recorded',
      closes: true,
      change: {
        request: { ...next, stage, waitingFor: 'mail', due: iso(at) },
        entries: [recorded, { event: 'stage-opened', at: iso(at), by: actor, data: { stage: index } }],
      },
    };
  }
  return {
    kind: 'recorded',
    closes: true,
    change: {
      request: { ...next, state: 'approved', waitingFor: 'directory', due: iso(at) },
      entries: [recorded, { event: 'approved', at: iso(at), by: actor }],
    },
  };
}

/** The requester, or the system that filed it, takes the request back. `undefined` where it is no longer pending. */
export function withdraw(request: JoinRequest, by: Actor, at: Date): Change | undefined {
  if (request.state !== 'pending') return undefined;
  return {
    request: { ...request, state: 'withdrawn', waitingFor: null, due: iso(at) },
    entries: [{ event: 'withdrawn', at: iso(at), by }],
  };
}

/** Ends a pending request whose deadline has come. `undefined` where it has not, or the request is no longer pending. */
export function expire(request: JoinRequest, at: Date): Change | undefined {
  if (request.state !== 'pending' || at < deadlineOf(request)) return undefined;
  return {
    request: { ...request, state: 'expired', waitingFor: null, due: iso(at) },
    entries: [{ event: 'expired', at: iso(at), by: GATEHOUSE }],
  };
}

export function cancel(request: JoinRequest, refusal: Refusal, at: Date): Change {
  return {
    request: { ...request, state: 'cancelled', reason: refusal, waitingFor: null, due: iso(at) },
    entries: [{ event: 'cancelled', at: iso(at), by: GATEHOUSE, data: { rule: refusal.rule } }],
  };
}

/** The directory refused for a reason that only operations can mend. */
export function fail(request: JoinRequest, reason: { rule: string; sentence: string }, at: Date): Change {
  return {
    request: { ...request, state: 'failed', reason, waitingFor: 'operations', due: null },
    entries: [{ event: 'failed', at: iso(at), by: GATEHOUSE, data: { rule: reason.rule } }],
  };
}

/** Those whose approvals closed the last stage and who may no longer decide. */
export function droppedOut(request: JoinRequest, approvers: readonly Approver[]): Vote[] {
  const allowed = new Set(approvers.map(({ id }) => id));
  return request.stage.votes.filter((v) => v.choice === 'approve' && !allowed.has(v.personId));
}

/** Opens the last stage again without the votes of those who may no longer decide. */
export function reopenStage(request: JoinRequest, dropped: readonly Vote[], at: Date): Change {
  const gone = new Set(dropped.map(({ personId }) => personId));
  const votes = request.stage.votes.filter(({ personId }) => !gone.has(personId));
  return {
    request: {
      ...request,
      state: 'pending',
      waitingFor: 'mail',
      due: iso(at),
      stage: {
        index: request.stage.index,
        round: request.stage.round + 1,
        openedAt: iso(at),
        reminded: 0,
        approvers: [],
        votes,
      },
    },
    entries: [{ event: 'stage-reopened', at: iso(at), by: GATEHOUSE, data: { dropped: [...gone] } }],
  };
}

/** Written before the directory is: a repeat then knows that "already a member" means "we added it". */
export function startApplying(request: JoinRequest, wasMember: boolean, at: Date): Change {
  return {
    request: { ...request, state: 'applying', applying: { wasMember }, waitingFor: 'directory', due: iso(at) },
    entries: [{ event: 'applying', at: iso(at), by: GATEHOUSE, data: { wasMember } }],
  };
}

/** The membership stands. Its time starts now, not when it was asked for. */
export function grant(request: JoinRequest, at: Date): Change {
  const until = request.duration === undefined ? undefined : iso(addDuration(at, request.duration));
  return {
    request: {
      ...request,
      state: 'granted',
      grant: { from: iso(at), ...(until !== undefined && { until }) },
      waitingFor: null,
      due: iso(at),
    },
    entries: [{ event: 'granted', at: iso(at), by: GATEHOUSE, ...(until !== undefined && { data: { until } }) }],
  };
}

/** The time of the grant is over. `removed` says whether the membership was Gatehouse's to take back. */
export function end(request: JoinRequest, removed: boolean, at: Date): Change {
  return {
    request: { ...request, state: 'ended', ended: { how: 'lapsed', at: iso(at), removed }, told: false, due: iso(at) },
    entries: [{ event: 'ended', at: iso(at), by: GATEHOUSE, data: { how: 'lapsed', removed } }],
  };
}

/** The step can't be taken now: the status says what it waits for, and when it is tried again. */
export function postpone(request: JoinRequest, waitingFor: WaitingFor, until: Date): Change {
  return { request: { ...request, waitingFor, due: iso(until) }, entries: [] };
}

/** What was done to reach those who may decide now. */
export interface Asking {
  approvers: Approver[];
  /** Ids of people whose mail was accepted in this step. */
  asked: string[];
  reminded: string[];
  /** Ids of people whom the mail service won't deliver to. */
  unreachable: string[];
  /** How many of the stage's reminders have been dealt with. */
  reminders: number;
}

/** Mails were accepted: from the first one on the stage's clock runs. */
export function asked(request: JoinRequest, asking: Asking, at: Date): Change {
  const { approvers, reminders } = asking;
  const askedAt = request.stage.askedAt ?? (asking.asked.length > 0 ? iso(at) : undefined);
  const stage: Stage = { ...request.stage, approvers, reminded: reminders, ...(askedAt !== undefined && { askedAt }) };
  const next: JoinRequest = { ...request, stage, waitingFor: askedAt === undefined ? 'mail' : 'decision' };
  const entry = (event: TrailEvent, people: string[]): TrailEntry[] =>
    people.length === 0 ? [] : [{ event, at: iso(at), by: GATEHOUSE, data: { stage: stage.index, people } }];
  return {
    request: { ...next, due: iso(nextDue(next, at)) },
    entries: [
      ...entry('approvers-asked', asking.asked),
      ...entry('approvers-reminded', asking.reminded),
      ...entry('approvers-unreachable', asking.unreachable),
    ],
  };
}

export function tell(request: JoinRequest, at: Date, data: Record<string, unknown>): Change {
  return {
    request: { ...request, told: true, due: null },
    entries: [{ event: 'outcome-told', at: iso(at), by: GATEHOUSE, data }],
  };
}
