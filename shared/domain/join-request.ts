import { everyoneOf, filled, MOST_ASKED, requiredOf, suffices } from './approvers';
import type { Approver, Party } from './approvers';
import { addDuration, durationMs } from './duration';
import type { Refusal } from './eligibility';
import { shorter } from './policy';
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
  /** A shorter membership than was asked for. */
  duration?: string;
  at: string;
  /** How often this person changed their mind at this stage. */
  changes?: number;
}

/** How often a person may change their mind while a stage is open. */
export const CHANGES_OF_MIND = 3;

export interface Stage {
  index: number;
  /** 0, and one more each time the stage was reopened: its approvers are then asked anew. */
  round: number;
  openedAt: string;
  /** When the first mail of this stage was accepted: from here its reminders and its deadline count. */
  askedAt?: string;
  /** Reminders sent so far. */
  reminded: number;
  /** The fallback approvers may decide as well, because nobody did for too long. */
  escalated?: true;
  /** How often the requester asked to remind those who may decide, and how many of these were dealt with. */
  nudges?: { asked: number; sent: number; at: string };
  /** Who may decide, as of the last time it was looked up. */
  approvers: Approver[];
  /** Of the places that must be filled so many are, as of then: a vote of somebody who may decide no longer fills none. */
  counted?: number;
  /** Ids of those of them whom no mail reaches: others step in for them. */
  unreachable?: string[];
  /** Operations named these people instead of those whom the policy names. */
  routedTo?: { ids: string[]; required: number };
  /** Operations moved the deadline here. */
  extendedTo?: string;
  votes: Vote[];
}

/**
 * How a grant came to its end. `removed`: somebody else had taken the membership away before; `group-deleted`: the group was gone, and
 * the membership with it.
 */
export const GRANT_ENDS = ['lapsed', 'left', 'removed', 'revoked', 'group-deleted'] as const;
export type GrantEnd = (typeof GRANT_ENDS)[number];

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
  /** The length that was asked for, where a decider shortened it; null was without end. */
  shortenedFrom?: string | null;
  /** It asks to go on with a membership that ends then. */
  extends?: { until: string };
  /** Filed by an owner of the group for themselves, whom the policy lets join without asking. */
  asOwner?: true;
  policy: Policy;
  policyVersion: string;
  /** The version that was in force when it was last looked at, where it is not the one that it is decided under. */
  policySeen?: string;
  state: RequestState;
  stage: Stage;
  /** Votes of the stages before. */
  earlierVotes?: Vote[];
  /** Id of the person with whose vote the request was approved or denied; absent where it was the votes of before that came to suffice. */
  decidedBy?: string;
  /** When it was denied; absent in requests from before this was kept. */
  deniedAt?: string;
  waitingFor: WaitingFor;
  /** Present from `applying` on: what the directory said before Gatehouse wrote to it. */
  applying?: { wasMember: boolean };
  /** Present once granted. */
  grant?: {
    from: string;
    until?: string;
    /** Warnings sent so far. */
    warned?: number;
    /** The member wants it to end, and no more warnings. */
    lapsing?: true;
  };
  /** Present once the end began: whether the person was a member then, and whether the group was gone. */
  takingBack?: { wasMember: boolean; groupGone?: true };
  /** The membership is to end now, by whom and why. */
  ending?: { how: 'left' | 'revoked'; by: Actor; at: string; reason?: string };
  /**
   * Present once the grant is over. `removed`: the membership was Gatehouse's to take back, and was; `covered`: another grant kept the person
   * in the group at that moment, so that nothing changed for them, and its own end is told.
   */
  ended?: { how: GrantEnd; at: string; removed: boolean; covered?: true; by?: string; reason?: string };
  /** Why it was cancelled or failed, in words. */
  reason?: { rule: string; sentence: string };
  /** When the next step is due; null when nothing is left to do, or only operations can do it. */
  due: string | null;
  /** Everyone concerned was told the outcome, and the claim was released. */
  told: boolean;
  /** W3C `traceparent` of the call that filed it: the workflow goes on in its trace, however often it is started. */
  trace?: string;
}

export type TrailEvent =
  | 'filed'
  | 'approvers-asked'
  | 'approvers-reminded'
  | 'approvers-unreachable'
  | 'mail-undelivered'
  | 'nudged'
  | 'escalated'
  | 'policy-changed'
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
  | 'ending-told'
  | 'lapse-chosen'
  | 'leaving'
  | 'revoking'
  | 'ending'
  | 'ended'
  | 'failed'
  | 'retried'
  | 'rerouted'
  | 'deadline-extended'
  | 'mail-resent'
  | 'restarted'
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
  const { routedTo } = request.stage;
  if (routedTo === undefined) return policy;
  const { ids, required } = routedTo;
  return { ...policy, parties: [{ approvers: [{ kind: 'people', ids }], required }] };
}

/** The policy under which the request is decided now: its own, with the people whom operations named at the present stage. */
export const policyNow = (request: JoinRequest): Policy => ({
  ...request.policy,
  stages: request.policy.stages.map((stage, index) => (index === request.stage.index ? stagePolicy(request) : stage)),
});

/** How many of the approvals that the present stage needs it has. */
export function approvals({ votes, counted }: Stage): number {
  return counted ?? votes.filter(({ choice }) => choice === 'approve').length;
}

/** How many places these votes fill. */
export const counting = (parties: readonly Party[], votes: readonly Vote[]): number =>
  filled(parties, new Set(votes.filter(({ choice }) => choice === 'approve').map(({ personId }) => personId)));

/** How many people must approve at the present stage. */
export const requiredAt = (request: JoinRequest): number => requiredOf(stagePolicy(request).parties);

/** In milliseconds. */
const OVERDUE_MS = 60_000;

/** Whether the step that is due was forgotten: it is late by more than a minute. */
export function isOverdue({ due }: Pick<JoinRequest, 'due'>, at: Date): boolean {
  return due !== null && new Date(due).getTime() < at.getTime() - OVERDUE_MS;
}

/**
 * When the stage expires: where operations moved it, then. Until its first mail was accepted the clock has not started; where no mail is accepted at all it
 * expires after twice its time, so that no request waits for ever.
 */
export function deadlineOf(request: JoinRequest): Date {
  if (request.stage.extendedTo !== undefined) return new Date(request.stage.extendedTo);
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

/** When the fallback approvers may decide as well; `undefined` where they already do, or never will. */
export function escalationTime(request: JoinRequest): Date | undefined {
  const { askedAt, escalated } = request.stage;
  const { escalateAfter } = stagePolicy(request);
  return askedAt === undefined || escalated === true || escalateAfter === undefined
    ? undefined
    : addDuration(new Date(askedAt), escalateAfter);
}

/** When a pending request needs attention next: at once for a nudge that was not sent, its next reminder, its escalation, or its deadline. */
export function nextDue(request: JoinRequest, at: Date): Date {
  const { nudges } = request.stage;
  const times = [
    nudges !== undefined && nudges.asked > nudges.sent ? new Date(nudges.at) : undefined,
    reminderTimes(request).find((time) => time > at),
    escalationTime(request),
    deadlineOf(request),
  ];
  return new Date(Math.min(...times.flatMap((time) => (time === undefined ? [] : [time.getTime()]))));
}

/** When a live grant needs attention next: its next warning, or its end; `undefined` where it has no end. */
export function grantDue({ grant: live, policy, state, ending }: JoinRequest): Date | undefined {
  if (state !== 'granted' || live === undefined) return undefined;
  if (ending !== undefined) return new Date(ending.at);
  if (live.until === undefined) return undefined;
  return warningTimes(live, policy)[live.warned ?? 0] ?? new Date(live.until);
}

/**
 * When the member is told that the end comes near, earliest first; only times after the start of the grant. A grant that is shorter than
 * every warning of the policy gets one when three quarters of it are over.
 */
export function warningTimes(live: NonNullable<JoinRequest['grant']>, { warnings }: Policy): Date[] {
  const { from, until, lapsing } = live;
  if (until === undefined || lapsing === true || warnings.length === 0) return [];
  const [start, end] = [new Date(from).getTime(), new Date(until).getTime()];
  const times = warnings
    .map((before) => end - durationMs(before))
    .filter((time) => time > start)
    .toSorted((a, b) => a - b);
  return (times.length > 0 ? times : [end - (end - start) / 4]).map((time) => new Date(time));
}

const iso = (at: Date): string => at.toISOString();

export interface Filing {
  id: string;
  trace?: string;
  group: { id: string; name: string };
  requester: { id: string; name: string };
  filedBy: Actor & { kind: 'person' | 'app' };
  justification: string;
  duration?: string;
  policy: Policy;
  policyVersion: string;
  /** Who may decide at the first stage. */
  approvers: Approver[];
  extends?: { until: string };
  /** An owner who may join without asking: nobody decides. */
  asOwner?: true;
}

export function file(filing: Filing, at: Date): Change {
  const { filedBy, approvers, ...rest } = filing;
  const request: JoinRequest = {
    ...rest,
    filedBy: { kind: filedBy.kind, id: filedBy.id },
    filedAt: iso(at),
    state: filing.asOwner === true ? 'approved' : 'pending',
    stage: { index: 0, round: 0, openedAt: iso(at), reminded: 0, approvers, votes: [] },
    waitingFor: filing.asOwner === true ? 'directory' : 'mail',
    due: iso(at),
    told: false,
  };
  const filed: TrailEntry = { event: 'filed', at: iso(at), by: filedBy, data: { policyVersion: filing.policyVersion } };
  const byRule: TrailEntry = {
    event: 'approved',
    at: iso(at),
    by: GATEHOUSE,
    data: { rule: 'owners-join-without-asking' },
  };
  return { request, entries: filing.asOwner === true ? [filed, byRule] : [filed] };
}

export type VoteResult =
  | { kind: 'recorded'; change: Change; closes: boolean }
  /** The stage is closed, or this vote already stands: nothing is written, the person is shown what stands. */
  | { kind: 'stands' }
  | { kind: 'not-yours' }
  /** They changed their mind as often as they may. */
  | { kind: 'changed-too-often' };

/** What a person says to a request. */
export interface Ballot {
  choice: 'approve' | 'deny';
  comment?: string;
  /** A shorter membership than was asked for. */
  duration?: string;
}

/**
 * A vote of someone whose right to decide was looked up just now (`parties`). The deadline's second does not matter: the row does. Only
 * votes of people who may still decide are counted.
 */
export function vote(
  request: JoinRequest,
  by: Approver,
  ballot: Ballot,
  parties: readonly Party[],
  at: Date,
): VoteResult {
  const all = everyoneOf(parties);
  const approvers = all.slice(0, MOST_ASKED);
  if (by.id === request.requester.id || !all.some(({ id }) => id === by.id)) return { kind: 'not-yours' };
  if (request.state !== 'pending') return { kind: 'stands' };
  const previous = request.stage.votes.find(({ personId }) => personId === by.id);
  if (previous !== undefined && saysTheSame(previous, ballot)) {
    // it may be enough by now, because those who may decide are others
    const closing = close(request, parties, { kind: 'person', id: by.id, name: by.displayName }, at);
    return closing === undefined ? { kind: 'stands' } : { kind: 'recorded', change: closing, closes: true };
  }
  const changes = previous === undefined ? 0 : (previous.changes ?? 0) + 1;
  if (changes > CHANGES_OF_MIND) return { kind: 'changed-too-often' };

  const mine: Vote = {
    personId: by.id,
    name: by.displayName,
    ...(previous?.choice === ballot.choice && previous),
    ...ballot,
    at: iso(at),
    ...(changes > 0 && { changes }),
  };
  const votes = [...request.stage.votes.filter(({ personId }) => personId !== by.id), mine];
  const counted = counting(parties, votes);
  const next: JoinRequest = { ...request, stage: { ...request.stage, votes, approvers, counted } };
  const actor: Actor = { kind: 'person', id: by.id, name: by.displayName };
  const recorded: TrailEntry = {
    event: 'vote-recorded',
    at: iso(at),
    by: actor,
    data: { stage: request.stage.index, ...ballot, ...(previous !== undefined && { before: previous.choice }) },
  };
  const closing = close(next, parties, actor, at);
  return {
    kind: 'recorded',
    closes: closing !== undefined,
    change:
      closing === undefined
        ? { request: next, entries: [recorded] }
        : { ...closing, entries: [recorded, ...closing.entries] },
  };
}

/** Whether a ballot adds nothing to the vote that stands: what it leaves out stays as it was. */
const saysTheSame = ({ choice, comment, duration }: Vote, ballot: Ballot): boolean =>
  ballot.choice === choice &&
  (ballot.comment === undefined || ballot.comment === comment) &&
  (ballot.duration === undefined || ballot.duration === duration);

/** Counts the votes that stand with those who may decide now: the stage's end where they decide it by now. */
export const tally = (request: JoinRequest, parties: readonly Party[], at: Date): Change | undefined =>
  request.state === 'pending' && request.stage.votes.length > 0 ? close(request, parties, GATEHOUSE, at) : undefined;

/** What the votes amount to: the stage's end where they decide it, `undefined` while it is open. */
function close(request: JoinRequest, parties: readonly Party[], by: Actor, at: Date): Change | undefined {
  const { stage } = request;
  const { denial } = stagePolicy(request);
  const ids = (choice: Vote['choice']): Set<string> =>
    new Set(stage.votes.filter((each) => each.choice === choice).map(({ personId }) => personId));
  const allowed = new Set(everyoneOf(parties).map(({ id }) => id));
  const denied = new Set([...ids('deny')].filter((id) => allowed.has(id)));
  const couldStill = new Set(
    everyoneOf(parties)
      .map(({ id }) => id)
      .filter((id) => !denied.has(id)),
  );
  if (denied.size > 0 && (denial === 'ends' || !suffices(parties, couldStill))) {
    return {
      request: { ...request, ...decider(by), state: 'denied', deniedAt: iso(at), waitingFor: null, due: iso(at) },
      entries: [{ event: 'denied', at: iso(at), by }],
    };
  }
  if (!suffices(parties, ids('approve'))) return undefined;
  // whoever may decide no more has no say in the length either
  const decided = {
    ...request,
    stage: { ...stage, votes: stage.votes.filter(({ personId }) => allowed.has(personId)) },
  };
  return stage.index + 1 < request.policy.stages.length ? openNext(decided, by, at) : approve(decided, by, at);
}

/** The request with the length that these votes give it: the shortest that anybody who approved gave, or what was asked for. */
function withLength({ duration, shortenedFrom, ...request }: JoinRequest, votes: readonly Vote[]): JoinRequest {
  const asked = shortenedFrom === undefined ? duration : (shortenedFrom ?? undefined);
  const given = votes.filter(({ choice }) => choice === 'approve').map((each) => each.duration);
  const least = given.reduce((shortest, each) => shorter(shortest, each), asked);
  return {
    ...request,
    ...(least !== undefined && { duration: least }),
    ...(least !== asked && { shortenedFrom: asked ?? null }),
  };
}

const decider = ({ kind, id }: Actor): Pick<JoinRequest, 'decidedBy'> => (kind === 'person' ? { decidedBy: id } : {});

function openNext(request: JoinRequest, by: Actor, at: Date): Change {
  const index = request.stage.index + 1;
  const stage: Stage = { index, round: 0, openedAt: iso(at), reminded: 0, approvers: [], votes: [] };
  const earlierVotes = [...(request.earlierVotes ?? []), ...request.stage.votes];
  return {
    request: {
      ...withLength(request, earlierVotes),
      stage,
      earlierVotes,
      waitingFor: 'mail',
      due: iso(at),
    },
    entries: [{ event: 'stage-opened', at: iso(at), by, data: { stage: index } }],
  };
}

function approve(request: JoinRequest, by: Actor, at: Date): Change {
  return {
    request: {
      ...withLength(request, approvedBy(request)),
      ...decider(by),
      state: 'approved',
      waitingFor: 'directory',
      due: iso(at),
    },
    entries: [{ event: 'approved', at: iso(at), by }],
  };
}

/** All who approved, at whatever stage. */
export function approvedBy({ earlierVotes = [], stage }: JoinRequest): Vote[] {
  return [...earlierVotes, ...stage.votes].filter(({ choice }) => choice === 'approve');
}

/** Until when the same person can't ask for the group again, where this request was denied under a policy that says so. */
export function coolsDownUntil({ state, policy, stage, deniedAt }: JoinRequest): Date | undefined {
  const from = deniedAt ?? stage.votes.findLast(({ choice }) => choice === 'deny')?.at;
  if (state !== 'denied' || policy.coolDown === undefined || from === undefined) return undefined;
  return addDuration(new Date(from), policy.coolDown);
}

/** How long after one nudge the next one may come. */
export const NUDGE_EVERY_MS = 86_400_000;

export type NudgeResult = { kind: 'nudged'; change: Change } | { kind: 'too-soon'; until: Date } | { kind: 'stands' };

/**
 * The requester asks to remind those who have not decided yet, at the earliest a day after they were asked or reminded. Until they were
 * asked at all there is nobody to remind.
 */
export function nudge(request: JoinRequest, by: Actor, at: Date): NudgeResult {
  const { stage } = request;
  if (request.state !== 'pending' || stage.askedAt === undefined) return { kind: 'stands' };
  const reminded = reminderTimes(request)[stage.reminded - 1];
  const times = [stage.askedAt, stage.nudges?.at, reminded].flatMap((time) => (time === undefined ? [] : [time]));
  const until = new Date(Math.max(...times.map((time) => new Date(time).getTime())) + NUDGE_EVERY_MS);
  if (at < until) return { kind: 'too-soon', until };
  const nudges = { asked: (stage.nudges?.asked ?? 0) + 1, sent: stage.nudges?.sent ?? 0, at: iso(at) };
  return {
    kind: 'nudged',
    change: {
      request: { ...request, stage: { ...stage, nudges }, due: iso(at) },
      entries: [{ event: 'nudged', at: iso(at), by }],
    },
  };
}

/** Nobody decided for too long: the fallback approvers may as well from now on. */
export function escalate(request: JoinRequest, at: Date): Change {
  return {
    request: { ...request, stage: { ...request.stage, escalated: true } },
    entries: [{ event: 'escalated', at: iso(at), by: GATEHOUSE, data: { stage: request.stage.index } }],
  };
}

/** Another policy is in force now. The request stays under the one that it was filed under; the timeline says so. */
export function notePolicy(request: JoinRequest, version: string, at: Date): Change | undefined {
  if (version === (request.policySeen ?? request.policyVersion)) return undefined;
  return {
    request: { ...request, policySeen: version },
    entries: [
      {
        event: 'policy-changed',
        at: iso(at),
        by: GATEHOUSE,
        data: { now: version, decidedUnder: request.policyVersion },
      },
    ],
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

export function cancel(request: JoinRequest, refusal: Refusal, at: Date, by: Actor = GATEHOUSE): Change {
  return {
    request: { ...request, state: 'cancelled', reason: refusal, waitingFor: null, due: iso(at) },
    entries: [{ event: 'cancelled', at: iso(at), by, data: { ...refusal } }],
  };
}

/** The directory refused for a reason that only operations can mend. */
export function fail(request: JoinRequest, reason: { rule: string; sentence: string }, at: Date): Change {
  return {
    request: { ...request, state: 'failed', reason, waitingFor: 'operations', due: iso(at) },
    entries: [{ event: 'failed', at: iso(at), by: GATEHOUSE, data: { rule: reason.rule } }],
  };
}

/**
 * Counts the votes that closed the last stage again, with those who may decide now. `undefined` where they still suffice; else the votes
 * of those who may decide no longer.
 */
export function recount(request: JoinRequest, parties: readonly Party[]): Vote[] | undefined {
  const approved = request.stage.votes.filter(({ choice }) => choice === 'approve');
  if (suffices(parties, new Set(approved.map(({ personId }) => personId)))) return undefined;
  const allowed = new Set(everyoneOf(parties).map(({ id }) => id));
  return approved.filter(({ personId }) => !allowed.has(personId));
}

/** Opens the last stage again without the votes of those who may no longer decide. */
export function reopenStage(request: JoinRequest, dropped: readonly Vote[], at: Date): Change {
  const gone = new Set(dropped.map(({ personId }) => personId));
  const votes = request.stage.votes.filter(({ personId }) => !gone.has(personId));
  const { asOwner: _asOwner, decidedBy: _decidedBy, ...rest } = request;
  const { routedTo, extendedTo } = request.stage;
  // the time that operations gave counts where the stage's own, which begins anew, is shorter
  const isLonger = extendedTo !== undefined && new Date(extendedTo) > addDuration(at, stagePolicy(request).deadline);
  return {
    request: {
      // the time that a dropped vote gave goes with it
      ...withLength(rest, rest.earlierVotes ?? []),
      state: 'pending',
      waitingFor: 'mail',
      due: iso(at),
      stage: {
        index: request.stage.index,
        round: request.stage.round + 1,
        openedAt: iso(at),
        reminded: 0,
        approvers: [],
        ...(routedTo !== undefined && { routedTo }),
        ...(isLonger && { extendedTo }),
        votes,
      },
    },
    entries: [{ event: 'stage-reopened', at: iso(at), by: GATEHOUSE, data: { dropped: [...gone] } }],
  };
}

/** Written before the directory is: a repeat then knows that "already a member" means "we added it". */
export function startApplying(request: JoinRequest, wasMember: boolean, policyVersion: string, at: Date): Change {
  const noted = notePolicy(request, policyVersion, at);
  return {
    request: {
      ...(noted?.request ?? request),
      state: 'applying',
      applying: { wasMember },
      waitingFor: 'directory',
      due: iso(at),
    },
    entries: [...(noted?.entries ?? []), { event: 'applying', at: iso(at), by: GATEHOUSE, data: { wasMember } }],
  };
}

/** The end of a grant that starts at `at`: an extension adds its length to the membership that it goes on with, where that still stands. */
export function grantUntil(request: JoinRequest, at: Date): string | undefined {
  if (request.duration === undefined) return undefined;
  const before =
    request.extends !== undefined && request.applying?.wasMember === true ? new Date(request.extends.until) : at;
  return iso(addDuration(before > at ? before : at, request.duration));
}

/** The membership stands. Its time starts now, not when it was asked for. */
export function grant(request: JoinRequest, at: Date): Change {
  const until = grantUntil(request, at);
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

/** Where no mail of the grant waits any more; its outcome may still. */
const mailSettled = ({ told }: JoinRequest): Partial<JoinRequest> => (told ? { waitingFor: null } : {});

/** A warning was dealt with: `told` where its mail was accepted. */
export function warned(request: JoinRequest, count: number, told: boolean, at: Date): Change {
  if (request.grant === undefined) return { request, entries: [] };
  return {
    request: { ...request, ...mailSettled(request), grant: { ...request.grant, warned: count } },
    entries: told ? [{ event: 'ending-told', at: iso(at), by: GATEHOUSE, data: { until: request.grant.until } }] : [],
  };
}

/** The member wants the grant to end at its time, and hears no more of it. `undefined` where there is no end, or it was said before. */
export function letLapse(request: JoinRequest, by: Actor, at: Date): Change | undefined {
  const { grant: live, state, ending } = request;
  if (state !== 'granted' || live?.until === undefined || live.lapsing === true || ending !== undefined)
    return undefined;
  return {
    request: { ...request, ...mailSettled(request), grant: { ...live, lapsing: true } },
    entries: [{ event: 'lapse-chosen', at: iso(at), by }],
  };
}

type AskedEnd = [how: 'left' | 'revoked', by: Actor, reason: string | undefined, at: Date];

/** The membership is to end now: the member leaves, or an owner or operations revoke it. `undefined` where it is not granted, or ends already. */
export const endNow = (request: JoinRequest, ...asked: AskedEnd): Change | undefined =>
  request.state === 'granted' ? beginEnding(request, ...asked) : undefined;

/** The same for a request whose membership is just being applied: it is not granted any more, and what it may have done is taken back. */
export const stopApplying = (request: JoinRequest, ...asked: AskedEnd): Change | undefined =>
  request.state === 'applying' ? beginEnding({ ...request, due: iso(asked[3]) }, ...asked) : undefined;

function beginEnding(request: JoinRequest, ...[how, by, reason, at]: AskedEnd): Change | undefined {
  if (request.ending !== undefined) return undefined;
  const why = reason !== undefined && { reason };
  return {
    request: { ...request, ending: { how, by, at: iso(at), ...why } },
    entries: [{ event: how === 'left' ? 'leaving' : 'revoking', at: iso(at), by, ...(why && { data: why }) }],
  };
}

/** Written before the membership is taken back: a repeat then knows that "not a member" means "we removed them". */
export function startTakingBack(
  request: JoinRequest,
  { wasMember, groupGone }: { wasMember: boolean; groupGone: boolean },
  at: Date,
): Change {
  return {
    request: { ...request, takingBack: { wasMember, ...(groupGone && { groupGone }) } },
    entries: [{ event: 'ending', at: iso(at), by: GATEHOUSE, data: { wasMember } }],
  };
}

/** The grant is over. `removed`: the membership was Gatehouse's to take back, and was; `covered`: another grant keeps the person in. */
export function end(
  request: JoinRequest,
  { removed, covered }: { removed: boolean; covered?: boolean },
  at: Date,
): Change {
  const { ending, takingBack } = request;
  const byItself: GrantEnd =
    takingBack?.groupGone === true ? 'group-deleted' : takingBack?.wasMember === false ? 'removed' : 'lapsed';
  const how = ending?.how ?? byItself;
  const ended: JoinRequest['ended'] = {
    how,
    at: iso(at),
    removed,
    ...(covered === true && { covered }),
    ...(ending?.by.name !== undefined && ending.how === 'revoked' && { by: ending.by.name }),
    ...(ending?.reason !== undefined && { reason: ending.reason }),
  };
  return {
    request: { ...request, state: 'ended', ended, told: false, waitingFor: null, due: iso(at) },
    entries: [{ event: 'ended', at: iso(at), by: GATEHOUSE, data: { how, removed } }],
  };
}

/** Operations let a failed application be tried again. `undefined` where it has not failed. */
export function retry(request: JoinRequest, by: Actor, at: Date, reason?: string): Change | undefined {
  if (request.state !== 'failed') return undefined;
  // everything is looked at again: what was no member when it failed may be one by somebody else's hand now
  const { reason: _reason, applying: _applying, ...rest } = request;
  return {
    request: {
      ...rest,
      state: 'approved',
      waitingFor: 'directory',
      due: iso(at),
    },
    entries: [{ event: 'retried', at: iso(at), by, ...(reason !== undefined && { data: { reason } }) }],
  };
}

/** The step can't be taken now: the status says what it waits for, and when it is tried again. */
export function postpone(request: JoinRequest, waitingFor: WaitingFor, until: Date): Change {
  return { request: { ...request, waitingFor, due: iso(until) }, entries: [] };
}

/** The next step is due at once, whatever it waits for. `undefined` where it is due already. */
export const lookAgainNow = (request: JoinRequest, at: Date): Change | undefined =>
  request.due === null || new Date(request.due) > at
    ? { request: { ...request, due: iso(at) }, entries: [] }
    : undefined;

/** What was done to reach those who may decide now. */
export interface Asking {
  approvers: Approver[];
  /** Ids of people whose mail was accepted in this step. */
  asked: string[];
  reminded: string[];
  /** Ids of people whom the mail service won't deliver to. */
  unreachable: string[];
  /** How many of the stage's reminders, and of the requester's nudges, have been dealt with. */
  reminders: number;
  nudges: number;
}

/**
 * Mails were accepted: from the first one on the stage's clock runs.
 * @param at When the mails were planned: what came due since was not sent, and is due next.
 * @param acceptedAt When the mail service had accepted them.
 */
export function asked(request: JoinRequest, asking: Asking, at: Date, acceptedAt: Date): Change {
  const { approvers, reminders } = asking;
  const { nudges, unreachable = [] } = request.stage;
  const askedAt = request.stage.askedAt ?? (asking.asked.length > 0 ? iso(acceptedAt) : undefined);
  const cannotReach = [...new Set([...unreachable, ...asking.unreachable])];
  const stage: Stage = {
    ...request.stage,
    approvers,
    reminded: reminders,
    ...(askedAt !== undefined && { askedAt }),
    ...(nudges !== undefined && { nudges: { ...nudges, sent: asking.nudges } }),
    ...(cannotReach.length > 0 && { unreachable: cannotReach }),
  };
  const next: JoinRequest = { ...request, stage, waitingFor: askedAt === undefined ? 'mail' : 'decision' };
  const entry = (event: TrailEvent, people: string[]): TrailEntry[] =>
    people.length === 0 ? [] : [{ event, at: iso(acceptedAt), by: GATEHOUSE, data: { stage: stage.index, people } }];
  return {
    request: { ...next, due: iso(nextDue(next, at)) },
    entries: [
      ...entry('approvers-asked', asking.asked),
      ...entry('approvers-reminded', asking.reminded),
      ...entry('approvers-unreachable', asking.unreachable),
    ],
  };
}

/**
 * A mail that was accepted did not arrive: someone who may decide, or was asked to at this stage and may again, counts as not reachable, and
 * others are looked for at once.
 */
export function undelivered(
  request: JoinRequest,
  lost: { personId: string; status: string; wasAsked: boolean },
  at: Date,
): Change {
  const { stage } = request;
  const { personId, status, wasAsked } = lost;
  const entry: TrailEntry = {
    event: 'mail-undelivered',
    at: iso(at),
    by: GATEHOUSE,
    data: { people: [personId], status },
  };
  const decides = request.state === 'pending' && (wasAsked || stage.approvers.some(({ id }) => id === personId));
  if (!decides || stage.votes.some((each) => each.personId === personId)) return { request, entries: [entry] };
  const unreachable = [...new Set([...(stage.unreachable ?? []), personId])];
  return { request: { ...request, stage: { ...stage, unreachable }, due: iso(at) }, entries: [entry] };
}

/** Whether somebody is still to be told: the outcome, or that an approved request could not be applied yet. */
export function isToTell(request: JoinRequest): boolean {
  return request.state === 'failed' ? request.due !== null : !isOpen(request) && !request.told;
}

/** The requester knows that the change waits for operations; nothing more happens by itself. */
export function delayTold(request: JoinRequest): Change {
  return { request: { ...request, waitingFor: 'operations', due: null }, entries: [] };
}

export function tell(request: JoinRequest, at: Date, data: Record<string, unknown>): Change {
  return {
    request: { ...request, told: true, due: null, waitingFor: null },
    entries: [{ event: 'outcome-told', at: iso(at), by: GATEHOUSE, data }],
  };
}
