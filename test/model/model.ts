import { durationMs } from '../../shared/domain/duration';
import type { JoinRequest, RequestState, Vote } from '../../shared/domain/join-request';
import type { Policy } from '../../shared/domain/policy';

/**
 * What may be, said from what was done and nothing else: who asked, who said what, what the directory and the policies were at which moment.
 * It knows no rows, no events and no timers; it says which outcomes are allowed, and by when each must stand.
 */

/** The world outside of Gatehouse, as it was from one moment on. */
export interface Surroundings {
  owners: ReadonlyMap<string, ReadonlySet<string>>;
  dynamic: ReadonlySet<string>;
  disabled: ReadonlySet<string>;
  closed: ReadonlySet<string>;
  /** Group and person: members by somebody else's hand. */
  theirs: ReadonlySet<string>;
}

export const pairOf = (group: string, person: string): string => `${group}/${person}`;

export interface Asked {
  id: string;
  group: string;
  person: string;
}

/** What people did to a request in one step, whether the answer came back or not. */
export interface Deed {
  request: string;
  by: string;
  kind: 'approve' | 'deny' | 'withdraw' | 'leave' | 'revoke' | 'lapse' | 'cancel' | 'nudge';
  /** The answer's status; absent where the process died before it came. */
  status?: number;
}

/** What happened between two moments at which everything slept. */
export interface Interval {
  /** Surroundings that stood at some moment of it, the first one at its beginning. */
  surroundings: readonly Surroundings[];
  /** For each request: those since the first application of it that was not broken off. */
  sinceSettle: ReadonlyMap<string, readonly Surroundings[]>;
  deeds: readonly Deed[];
  /** Pairs of which Gatehouse was made to end a membership. */
  ended: ReadonlySet<string>;
  /** Pairs of which a request was granted, or stood granted, in it. */
  given: ReadonlySet<string>;
  now: number;
  /** Nothing was broken off lately: whatever is due is done. */
  settled: boolean;
  fallback: ReadonlySet<string>;
}

/** Who may decide, as one moment's surroundings have it. */
export function deciders(
  request: Pick<JoinRequest, 'group' | 'requester' | 'policy' | 'stage'>,
  { owners, disabled }: Surroundings,
): Set<string> {
  const { stage, policy, requester, group } = request;
  const rules = policy.stages[stage.index];
  const all = new Set<string>();
  for (const { approvers, required } of rules?.parties ?? []) {
    const named = approvers.flatMap((source) =>
      source.kind === 'owners' ? [...(owners.get(group.id) ?? [])] : source.kind === 'people' ? source.ids : [],
    );
    const able = named.filter((id) => id !== requester.id && !disabled.has(id));
    for (const id of able) all.add(id);
    if (able.length >= required && stage.escalated !== true) continue;
    for (const source of policy.fallbackApprovers)
      for (const id of source.kind === 'people' ? source.ids : [])
        if (id !== requester.id && !disabled.has(id)) all.add(id);
  }
  return all;
}

const requiredOf = (policy: Policy, stage: number): number =>
  (policy.stages[stage]?.parties ?? []).reduce((sum, { required }) => sum + required, 0);

/** Why the request can't go on, as one moment's surroundings have it. */
function obstacle(request: JoinRequest, around: Surroundings): Set<string> {
  const { group, requester } = request;
  const found = new Set<string>();
  if (around.dynamic.has(group.id)) found.add('group-is-dynamic');
  if (around.disabled.has(requester.id)) found.add('requester-disabled');
  if (around.closed.has(group.id)) found.add('group-not-self-service');
  const able = deciders(request, around).size;
  if (able === 0) found.add('no-approvers');
  else if (able < requiredOf(request.policy, request.stage.index)) found.add('too-few-approvers');
  return found;
}

const OVER: readonly RequestState[] = ['denied', 'withdrawn', 'expired', 'cancelled', 'ended'];
const hard = ['group-is-dynamic', 'requester-disabled', 'group-not-self-service'];

/** Whether the deciders who said yes suffice, in one of these surroundings. */
function approvedIn(request: JoinRequest, moments: readonly Surroundings[]): boolean {
  const yes = request.stage.votes.filter(({ choice }) => choice === 'approve').map(({ personId }) => personId);
  const needed = requiredOf(request.policy, request.stage.index);
  return moments.some((around) => {
    const able = deciders(request, around);
    return yes.filter((id) => able.has(id)).length >= needed;
  });
}

/** Whether nothing hinders it in one of these surroundings, those who approved included. */
const free = (request: JoinRequest, moments: readonly Surroundings[]): boolean =>
  moments.some((around) => {
    const found = obstacle(request, around);
    return !hard.some((rule) => found.has(rule)) && approvedIn(request, [around]);
  });

/** The judgement on one request: sentences about what must not be. Empty: all is as it may be. */
export function judge(before: JoinRequest | undefined, after: JoinRequest, interval: Interval): string[] {
  const wrong: string[] = [];
  const say = (sentence: string): void => void wrong.push(`${after.id} (${after.state}): ${sentence}`);
  const was = before?.state ?? 'pending';
  const mine = interval.deeds.filter(({ request }) => request === after.id);
  const did = (kind: Deed['kind']): Deed[] => mine.filter((deed) => deed.kind === kind && (deed.status ?? 200) < 300);

  if (OVER.includes(was) && was !== after.state) say(`it was ${was} before: every request ends in one way only`);
  if (was === 'granted' && after.state !== 'granted' && after.state !== 'ended') say('a grant only ends');
  outcome(before, after, interval, did, say);
  votes(before, after, interval, mine, say);
  if (interval.settled) promptness(after, interval.now, say);
  return wrong;
}

function outcome(
  before: JoinRequest | undefined,
  after: JoinRequest,
  interval: Interval,
  did: (kind: Deed['kind']) => Deed[],
  say: (sentence: string) => void,
): void {
  const { surroundings, now, sinceSettle } = interval;
  const was = before?.state ?? 'pending';
  const pair = pairOf(after.group.id, after.requester.id);
  if (was === after.state || OVER.includes(was)) return;
  switch (after.state) {
    case 'withdrawn':
      if (did('withdraw').length === 0) say('nobody withdrew it');
      break;
    case 'expired':
      if (now < earliestDeadline(after)) say('its time was not over');
      break;
    case 'denied': {
      const no = after.stage.votes.filter(({ choice }) => choice === 'deny').map(({ personId }) => personId);
      const able = new Set(surroundings.flatMap((around) => [...deciders(after, around)]));
      if (no.length === 0) say('nobody denied it');
      else if (!no.some((id) => able.has(id)) && before?.stage.votes.every(({ choice }) => choice !== 'deny'))
        say('nobody who may decide denied it');
      break;
    }
    case 'cancelled': {
      const rule = after.reason?.rule ?? '';
      const known = new Set(surroundings.flatMap((around) => [...obstacle(after, around)]));
      // the stage that could not be decided may be another one than the last that was seen
      const told =
        known.has(rule) ||
        (rule === 'operations' && did('cancel').length > 0) ||
        (rule === 'membership-ended' && interval.ended.has(pair)) ||
        (rule === 'already-member' &&
          (interval.given.has(pair) || surroundings.some(({ theirs }) => theirs.has(pair))));
      if (!told) say(`no such reason stood: ${rule}`);
      break;
    }
    case 'granted':
    case 'ended':
      if (was === 'granted') break;
      if (after.grant === undefined) say('it was granted, and has no grant');
      if (!free(after, sinceSettle.get(after.id) ?? surroundings))
        say('it was granted although group, requester or approvers no longer allowed it when it was applied');
      break;
    default:
  }
  if (after.state === 'ended' && after.grant !== undefined) {
    const { until } = after.grant;
    const isOver = until !== undefined && new Date(until).getTime() <= now;
    if (!isOver && !interval.ended.has(pair)) say('its time was not over, and nobody ended it');
  }
}

/** The deadline's length alone: when the first mail was accepted is not known here. */
function earliestDeadline({ stage, policy }: JoinRequest): number {
  const { deadline } = policy.stages[stage.index] ?? {};
  return new Date(stage.openedAt).getTime() + durationMs(deadline ?? 'PT0S');
}

const isSame = (one: Vote, other: Vote): boolean => one.personId === other.personId && one.choice === other.choice;

function votes(
  before: JoinRequest | undefined,
  after: JoinRequest,
  { surroundings }: Interval,
  mine: readonly Deed[],
  say: (sentence: string) => void,
): void {
  const known = [...(before?.earlierVotes ?? []), ...(before?.stage.votes ?? [])];
  const all = [...(after.earlierVotes ?? []), ...after.stage.votes];
  for (const vote of all) {
    if (vote.personId === after.requester.id) say('its own requester voted');
    if (known.some((other) => isSame(vote, other))) continue;
    const deed = mine.find(({ by, kind }) => by === vote.personId && kind === vote.choice);
    if (deed === undefined) say(`a vote stands that ${vote.personId} did not give`);
    const stages = after.policy.stages.map((_, index) => ({ ...after, stage: { ...after.stage, index } }));
    const able = surroundings.some((around) => stages.some((stage) => deciders(stage, around).has(vote.personId)));
    if (!able) say(`${vote.personId} voted, who may not decide`);
  }
  // what was answered as recorded stands, unless the same person said something else, or may decide no longer
  for (const { by, kind, status } of mine) {
    if ((kind !== 'approve' && kind !== 'deny') || status !== 200) continue;
    const said = mine.filter((deed) => deed.by === by && (deed.kind === 'approve' || deed.kind === 'deny'));
    if (said.some((deed) => deed.kind !== kind)) continue;
    const reopened = (before?.stage.round ?? 0) !== after.stage.round;
    if (!reopened && !all.some(({ personId, choice }) => personId === by && choice === kind))
      say(`the vote of ${by} was answered as recorded, and does not stand`);
  }
}

/** Nothing waits longer than its step says. */
function promptness(request: JoinRequest, now: number, say: (sentence: string) => void): void {
  const { state, told, stage, policy, grant } = request;
  if (state === 'approved' || state === 'applying') say('it was approved, and is not applied');
  if (OVER.includes(state) && !told) say('it has an outcome that nobody was told');
  if (state === 'granted' && !told) say('it was granted, and nobody was told');
  const rules = policy.stages[stage.index];
  if (state === 'pending' && rules !== undefined) {
    if (stage.askedAt === undefined) return say('nobody was asked');
    const since = now - new Date(stage.askedAt).getTime();
    if (since >= durationMs(rules.deadline)) say('its time is over, and it has not expired');
    const due = rules.reminders.filter((reminder) => durationMs(reminder) <= since).length;
    if (stage.reminded !== due) say(`${String(due)} reminders are due, ${String(stage.reminded)} were sent`);
    const { escalateAfter } = rules;
    if (escalateAfter !== undefined && since >= durationMs(escalateAfter) && stage.escalated !== true)
      say('nobody decided for too long, and the fallback approvers were not asked');
    if ((stage.nudges?.asked ?? 0) !== (stage.nudges?.sent ?? 0)) say('a nudge was not sent');
  }
  if (state !== 'granted' || grant === undefined) return;
  if (request.ending !== undefined) say('it is to end now, and has not ended');
  if (grant.until === undefined) return;
  const until = new Date(grant.until).getTime();
  // a sweep comes each minute, and takes what was due before it
  const LATE = 61_000;
  if (until + LATE <= now) say('its time is over, and it has not ended');
  if (grant.lapsing === true || until <= now) return;
  // whoever is missed in the group, because somebody removed them, is looked for twice more, after two seconds and after four
  const LOOKED_FOR = 10_000;
  const due = policy.warnings
    .map((warning) => until - durationMs(warning))
    .filter((at) => at > new Date(grant.from).getTime() && at + LATE + LOOKED_FOR <= now).length;
  if ((grant.warned ?? 0) < due) say(`${String(due)} warnings are due, ${String(grant.warned ?? 0)} were given`);
}

/** How long a request has been hindered without a break, and should have noticed at a step of its own. */
export function noticed(request: JoinRequest, since: number | undefined, now: number): string | undefined {
  const rules = request.policy.stages[request.stage.index];
  const { askedAt } = request.stage;
  if (request.state !== 'pending' || since === undefined || rules === undefined || askedAt === undefined)
    return undefined;
  const asked = new Date(askedAt).getTime();
  const step = rules.reminders
    .map((reminder) => asked + durationMs(reminder))
    .filter((at) => at <= now)
    .at(-1);
  return step !== undefined && step > since
    ? `${request.id}: it can't be granted since before its last step, and is still pending`
    : undefined;
}

export const isHindered = (request: JoinRequest, around: Surroundings): boolean =>
  hard.some((rule) => obstacle(request, around).has(rule));
