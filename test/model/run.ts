import { grantDue, isOpen } from '../../shared/domain/join-request';
import type { JoinRequest } from '../../shared/domain/join-request';
import type { Table } from '../../shared/records/tables';
import type { ActingCaller } from './callers';
import { ADMINISTRATOR, FALLBACK, GROUPS, nameOf, OPERATIONS, PEOPLE, POLICIES, SYSTEM } from './cast';
import { deciders, isHindered, judge, noticed, pairOf } from './model';
import type { Deed, Interval, Surroundings } from './model';
import { randomOf } from './schedule';
import type { Act, OutsideAct, Step } from './steps';
import { idOfFiling, World } from './world';
import type { Answer } from './world';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** What was broken off is mended within two minutes of when it would matter (DESIGN); a sweep and its work come on top. */
const MENDED_MS = 3 * MINUTE;
/** After so long every request has come to its end, and every membership that has one. */
const LONG_ENOUGH_MS = 30 * DAY;

const system: ActingCaller = { kind: 'app', id: SYSTEM, roles: ['Requests.Submit'] };
const operations: ActingCaller = { kind: 'app', id: OPERATIONS, roles: ['Operations.Manage'] };
const administrator: ActingCaller = { kind: 'app', id: ADMINISTRATOR, roles: ['Policy.Manage'] };
const asPerson = (id: string): ActingCaller => ({ kind: 'person', id, name: nameOf(id), roles: [], via: 'token' });

const toSet = <T>(from: ReadonlySet<T>, item: T, is: boolean): ReadonlySet<T> => {
  const next = new Set(from);
  if (is) next.add(item);
  else next.delete(item);
  return next;
};

/** What was found to be otherwise than it may be. */
export class Violation extends Error {
  override name = 'Violation';
}

interface Filing {
  id: string;
  again: () => void;
}

/** One run: the world, what the model knows of it, and the comparison of the two after each step. */
export class Run {
  readonly world: World;
  /** Every step in words, for whoever reads a failure. */
  readonly story: string[] = [];
  private surroundings: Surroundings = {
    owners: new Map(GROUPS.map(({ id, owners }) => [id, new Set<string>(owners)])),
    dynamic: new Set(),
    disabled: new Set(),
    closed: new Set(),
    theirs: new Set(),
  };
  /** All that ever stood. */
  private readonly past: Surroundings[] = [this.surroundings];
  private moments: Surroundings[] = [this.surroundings];
  private settles = new Map<string, number>();
  private deeds: Deed[] = [];
  private readonly ended = new Set<string>();
  /** Pairs of which nobody can say whose the membership is. */
  private readonly unclear = new Set<string>();
  private readonly ids: string[] = [];
  private readonly filings = new Map<string, Filing>();
  private readonly seen = new Map<string, JoinRequest>();
  private readonly hinderedSince = new Map<string, number>();
  private mendedAt = 0;
  private wasTwice = false;
  private count = 0;

  constructor(table?: (name: string) => Table) {
    this.world = new World({ people: PEOPLE, groups: GROUPS, ...(table && { table }) });
    this.world.onActivity = (name, requestId) => {
      if (name === 'settle' && !this.settles.has(requestId)) this.settles.set(requestId, this.moments.length - 1);
    };
  }

  async take(step: Step): Promise<void> {
    const { world } = this;
    this.count += 1;
    this.story.push(`${new Date().toISOString()} ${JSON.stringify(step)}`);
    world.schedule.random = randomOf(step.seed);
    world.duplicates = step.twice;
    this.wasTwice ||= step.twice;
    const lost: (() => void)[] = [];

    if (step.pass === 'to-next') {
      const due = await world.nextDue();
      if (due !== undefined) await world.arrive(due);
    } else if (step.pass > 0) await world.pass(world.now() + step.pass);
    for (const act of step.acts) await this.begin(act, step.twice, lost);

    if (step.kill !== undefined && (await world.settle(step.kill.after)) === 'stopped') {
      const { downMs, meanwhile, again } = step.kill;
      await this.forgetSettles();
      world.kill(downMs);
      this.mendedAt = world.now() + MENDED_MS;
      for (const act of meanwhile) await this.outside(act);
      await this.readPolicies();
      if (again) for (const repeat of lost) repeat();
    }
    await world.settle();
    // what a second delivery wrote after the first one's story went on is seen by the sweeper
    if (step.twice) this.mendedAt = Math.max(this.mendedAt, world.now() + MENDED_MS);
    await this.check();
  }

  /** Lets everything come to its end, and looks at what is left. */
  async finish(): Promise<void> {
    const { world } = this;
    world.schedule.random = randomOf(1);
    world.duplicates = false;
    await world.pass(world.now() + LONG_ENOUGH_MS);
    await this.check();
    const wrong = await this.books();
    if (wrong.length > 0) this.fail(wrong);
  }

  close(): void {
    this.world.close();
  }

  // ---- what is done

  private async begin(act: Act, twice: boolean, lost: (() => void)[]): Promise<void> {
    switch (act.kind) {
      case 'file':
        return this.file(act.group, act.person, act.duration, act.bySystem ? system : undefined, twice, lost);
      case 'policy':
        return this.writePolicy(act.group, act.policy);
      case 'owner':
      case 'enabled':
      case 'dynamic':
      case 'member':
        this.world.outside(() => this.outside(act));
        return;
      default:
        return this.about(act, twice, lost);
    }
  }

  private async about(act: Extract<Act, { request: number }>, twice: boolean, lost: (() => void)[]): Promise<void> {
    const requestId = this.ids.at(-1 - act.request);
    const request = requestId === undefined ? undefined : await this.world.request(requestId);
    if (request === undefined) return;
    const { id, group, requester } = request;
    const params = { requestId: id };
    const member = asPerson(requester.id);
    switch (act.kind) {
      case 'decide': {
        const by = PEOPLE[act.by]?.id ?? '';
        return this.do({ request: id, by, kind: act.choice }, 'decideJoinRequest', asPerson(by), params, {
          decision: act.choice,
          ...(act.duration !== undefined && act.choice === 'approve' && { duration: act.duration }),
        });
      }
      case 'withdraw':
        return this.do({ request: id, by: requester.id, kind: 'withdraw' }, 'withdrawJoinRequest', member, params);
      case 'nudge':
        return this.do({ request: id, by: requester.id, kind: 'nudge' }, 'nudgeApprovers', member, params);
      case 'leave':
        return this.do({ request: id, by: requester.id, kind: 'leave' }, 'leaveMembership', member, params);
      case 'lapse':
        return this.do({ request: id, by: requester.id, kind: 'lapse' }, 'letMembershipLapse', member, params);
      case 'cancel':
        return this.do({ request: id, by: OPERATIONS, kind: 'cancel' }, 'cancelRequest', operations, params, {
          reason: 'Not now.',
        });
      case 'revoke': {
        const by = PEOPLE[act.by]?.id ?? '';
        return this.do({ request: id, by, kind: 'revoke' }, 'revokeMembership', asPerson(by), params, {
          reason: 'Moved on.',
        });
      }
      case 'extend': {
        const [groupNumber, person] = [
          GROUPS.findIndex((each) => each.id === group.id),
          PEOPLE.findIndex((each) => each.id === requester.id),
        ];
        return this.file(groupNumber, person, 'P2D', undefined, twice, lost);
      }
    }
  }

  private do(
    deed: Deed,
    door: string,
    caller: ActingCaller,
    params: Record<string, string>,
    body?: Record<string, unknown>,
  ): void {
    this.deeds.push(deed);
    this.world.call(door, caller, { params, ...(body && { body }) }, ({ status, json }) => {
      deed.status = status;
      this.mustNotFail(door, { status, json });
    });
  }

  private file(
    groupNumber: number,
    personNumber: number,
    duration: string | undefined,
    by: ActingCaller | undefined,
    twice: boolean,
    lost: (() => void)[],
  ): void {
    const [group, person] = [GROUPS[groupNumber], PEOPLE[personNumber]];
    if (group === undefined || person === undefined) return;
    const caller = by ?? asPerson(person.id);
    const key = `step-${String(this.count)}-${String(this.filings.size)}`;
    const id = idOfFiling(caller, group.id, key);
    let answered = false;
    const send = (): void => {
      this.world.call(
        'fileJoinRequest',
        caller,
        {
          params: { groupId: group.id },
          headers: { 'idempotency-key': key },
          body: {
            justification: 'I work with them.',
            ...(by !== undefined && { userId: person.id }),
            ...(duration !== undefined && { duration }),
          },
        },
        (answer) => {
          answered = true;
          this.mustNotFail('fileJoinRequest', answer);
        },
      );
    };
    this.filings.set(id, { id, again: send });
    send();
    if (twice) send();
    lost.push(() => {
      if (!answered) send();
    });
  }

  private async writePolicy(groupNumber: number, policyNumber: number): Promise<void> {
    const groupId = GROUPS[groupNumber]?.id ?? '';
    const body = POLICIES[policyNumber];
    const present = await this.world.records.policies.ofGroup(groupId);
    const headers: Record<string, string> =
      present === undefined ? { 'if-none-match': '*' } : { 'if-match': `"${String(present.version)}"` };
    this.world.call('writeGroupPolicy', administrator, { params: { groupId }, headers, body }, (answer) => {
      this.mustNotFail('writeGroupPolicy', answer);
      if (answer.status === 200) this.closed(groupId, body?.['optedIn'] === false);
    });
  }

  private mustNotFail(door: string, { status, json }: Answer): void {
    if (status >= 500) this.complaints.push(`${door} answered ${String(status)} ${JSON.stringify(json)}`);
  }
  private complaints: string[] = [];

  private async outside(act: OutsideAct): Promise<void> {
    const { store } = this.world.directory;
    switch (act.kind) {
      case 'owner': {
        const [group, person] = [GROUPS[act.group]?.id ?? '', PEOPLE[act.person]?.id ?? ''];
        if (store.hasLink('owner', group, person) === act.is) return;
        if (act.is) store.addLink('owner', group, person);
        else store.removeLink('owner', group, person);
        const owners = new Map(this.surroundings.owners);
        owners.set(group, toSet(owners.get(group) ?? new Set(), person, act.is));
        return this.became({ owners });
      }
      case 'enabled': {
        const person = PEOPLE[act.person]?.id ?? '';
        const user = store.find(person, 'now');
        if (user?.type !== 'user') return;
        store.replace({ type: 'user', properties: { ...user.properties, accountEnabled: act.is } });
        return this.became({ disabled: toSet(this.surroundings.disabled, person, !act.is) });
      }
      case 'dynamic': {
        const group = store.findGroup(GROUPS[act.group]?.id ?? '', 'now');
        if (group === undefined) return;
        const groupTypes = act.is ? ['DynamicMembership'] : [];
        store.replace({ type: 'group', properties: { ...group.properties, groupTypes } });
        return this.became({ dynamic: toSet(this.surroundings.dynamic, group.properties.id, act.is) });
      }
      case 'member': {
        const [group, person] = [GROUPS[act.group]?.id ?? '', PEOPLE[act.person]?.id ?? ''];
        const pair = pairOf(group, person);
        if (store.hasLink('member', group, person) === act.is) return;
        const membership = await this.world.membership(group, person);
        if (act.is) store.addLink('member', group, person);
        else store.removeLink('member', group, person);
        // where Gatehouse has written that it wants the person in, or is about to take them out, it can't know whose it is
        if (membership?.wanted === 'in' || membership?.addedByGatehouse === true) this.unclear.add(pair);
        return this.became({ theirs: toSet(this.surroundings.theirs, pair, act.is) });
      }
    }
  }

  private became(change: Partial<Surroundings>): void {
    this.surroundings = { ...this.surroundings, ...change };
    this.moments.push(this.surroundings);
    this.past.push(this.surroundings);
  }

  private closed(groupId: string, is: boolean): void {
    if (this.surroundings.closed.has(groupId) !== is)
      this.became({ closed: toSet(this.surroundings.closed, groupId, is) });
  }

  /** After a kill: whether a policy was written whose answer got lost. */
  private async readPolicies(): Promise<void> {
    for (const { id } of GROUPS) {
      const present = await this.world.records.policies.ofGroup(id);
      if (present !== undefined) this.closed(id, !present.policy.optedIn);
    }
  }

  /** An application that a kill broke off is made again from its beginning; one that came to its end counts. */
  private async forgetSettles(): Promise<void> {
    for (const id of [...this.settles.keys()]) {
      const request = await this.world.request(id);
      if (request?.state !== 'granted' && request?.state !== 'ended') this.settles.delete(id);
    }
  }

  // ---- how it is judged

  private async check(): Promise<void> {
    const { world } = this;
    const now = world.now();
    const wrong = [...this.complaints, ...world.failures()];
    for (const id of this.filings.keys())
      if (!this.ids.includes(id) && (await world.request(id)) !== undefined) this.ids.push(id);
    for (const { request: requestId, kind, status } of this.deeds) {
      if ((kind !== 'leave' && kind !== 'revoke') || (status ?? 200) >= 300) continue;
      const request = await world.request(requestId);
      if (request !== undefined) this.ended.add(pairOf(request.group.id, request.requester.id));
    }
    const interval: Interval = {
      surroundings: this.moments,
      sinceSettle: new Map([...this.settles].map(([id, index]) => [id, this.moments.slice(index)])),
      deeds: this.deeds,
      ended: this.ended,
      given: await this.given(),
      now,
      settled: now >= this.mendedAt,
      fallback: new Set([FALLBACK]),
    };

    const all: JoinRequest[] = [];
    for (const id of this.ids) {
      const before = this.seen.get(id);
      // nothing changes any more
      if (before !== undefined && before.told && before.state !== 'granted') {
        all.push(before);
        continue;
      }
      const after = await world.request(id);
      if (after === undefined) {
        wrong.push(`${id} is gone`);
        continue;
      }
      all.push(after);
      wrong.push(...judge(before, after, interval));
      if (this.moments.some((around) => !isHindered(after, around))) this.hinderedSince.delete(id);
      const late = interval.settled ? noticed(after, this.hinderedSince.get(id), now) : undefined;
      if (late !== undefined) wrong.push(late);
      if (isHindered(after, this.surroundings) && !this.hinderedSince.has(id)) this.hinderedSince.set(id, now);
      if (before?.state !== after.state) this.left(after);
      this.seen.set(id, after);
    }
    wrong.push(...(await this.members(all, interval.settled)), ...this.running(all, interval.settled));

    this.moments = [this.surroundings];
    this.settles = new Map();
    this.deeds = [];
    this.complaints = [];
    if (wrong.length > 0) this.fail(wrong);
  }

  private async given(): Promise<Set<string>> {
    const given = new Set<string>();
    for (const id of this.ids) {
      const before = this.seen.get(id);
      if (before?.told === true && before.state !== 'granted') continue;
      const after = await this.world.request(id);
      if (after?.grant === undefined || (before?.state === 'ended' && after.state === 'ended')) continue;
      given.add(pairOf(after.group.id, after.requester.id));
    }
    return given;
  }

  /** A person is a member if and only if by a live grant, or by somebody else's hand. */
  private async members(all: readonly JoinRequest[], settled: boolean): Promise<string[]> {
    const wrong: string[] = [];
    for (const { id: group } of GROUPS) {
      for (const { id: person } of PEOPLE) {
        const pair = pairOf(group, person);
        const mine = all.filter((each) => each.group.id === group && each.requester.id === person);
        const open = mine.filter((each) => isOpen(each));
        if (settled && open.length > 1) wrong.push(`${pair} has ${String(open.length)} open requests`);
        const isMember = this.world.isMember(group, person);
        const isTheirs = this.surroundings.theirs.has(pair);
        const live = mine.some(({ state }) => state === 'granted');
        if (live && isTheirs) this.unclear.add(pair);
        if (this.unclear.has(pair)) {
          // clear again once nothing of Gatehouse's is left in it
          const membership = await this.world.membership(group, person);
          const isOver = open.length === 0 && !live && settled && membership?.wanted !== 'in';
          if (isOver && membership?.addedByGatehouse !== true) {
            this.unclear.delete(pair);
            if (isMember !== isTheirs)
              this.surroundings = { ...this.surroundings, theirs: toSet(this.surroundings.theirs, pair, isMember) };
          }
          continue;
        }
        if (isTheirs && !isMember) wrong.push(`${pair}: Gatehouse took a membership away that it did not give`);
        else if (settled && isMember !== (live || isTheirs))
          wrong.push(`${pair} is ${isMember ? 'a' : 'no'} member, ${live ? 'by' : 'without'} a live grant`);
      }
    }
    return wrong;
  }

  /** A group that can't be changed any more keeps its members: whoever is one then is so by somebody else's hand. */
  private left({ state, group, requester, ended, reason }: JoinRequest): void {
    const pair = pairOf(group.id, requester.id);
    const cantTakeBack =
      state === 'cancelled' ? reason?.rule === 'group-is-dynamic' : state === 'ended' && ended?.removed === false;
    const isLeft = cantTakeBack && this.moments.some(({ dynamic }) => dynamic.has(group.id));
    if (!isLeft || !this.world.isMember(group.id, requester.id)) return;
    this.surroundings = { ...this.surroundings, theirs: toSet(this.surroundings.theirs, pair, true) };
    this.moments.push(this.surroundings);
  }

  /** An orchestration lives no longer than its story: the end of a grant waits for a moment where an extension is about to be applied. */
  private running(all: readonly JoinRequest[], settled: boolean): string[] {
    if (!settled) return [];
    const stories = new Set(all.filter((each) => isOpen(each) || !each.told).map(({ id }) => `join-${id}`));
    const due = all.filter((each) => (grantDue(each)?.getTime() ?? Infinity) <= this.world.now());
    const ends = new Set(due.map(({ id }) => `grant-${id}`));
    return this.world
      .unfinished()
      .filter((id) => !stories.has(id) && !ends.has(id))
      .map((id) => `${id} is still running, and nothing is left for it to do`);
  }

  /** After everything is over: what stands in the books, and what people were told. */
  private async books(): Promise<string[]> {
    const { world } = this;
    const wrong: string[] = [];
    for (const { row, why } of await world.audit()) wrong.push(`audit: ${row}: ${why}`);
    for (const id of world.unfinished()) wrong.push(`${id} is still running after all is over`);
    for (const { due, kind, requestId } of await world.openRows())
      wrong.push(`an open row is left: ${due} ${kind} ${requestId}`);
    for (const id of await world.claims()) {
      const holder = this.seen.get(id);
      if (holder !== undefined && holder.policy.coolDown === undefined) wrong.push(`the claim of ${id} is not free`);
    }
    const inbox = await world.mails();
    const known = new Set<string>();
    for (const id of this.ids) wrong.push(...(await this.bookOf(id, inbox, known)));
    for (const { operationId, subject, to } of inbox)
      if (!known.has(operationId) && !/^\d+ join requests? waits?/.test(subject))
        wrong.push(`a mail was sent that no book knows: ${to} ${subject}`);
    return wrong;
  }

  private async bookOf(
    id: string,
    inbox: readonly { operationId: string; to: string; subject: string }[],
    known: Set<string>,
  ): Promise<string[]> {
    const wrong: string[] = [];
    const say = (sentence: string): void => void wrong.push(`${id}: ${sentence}`);
    const dossier = await this.world.dossier(id);
    if (dossier === undefined) return [`${id} is gone`];
    const { stored, trail, mails } = dossier;
    const { request } = stored;
    const { state, stage, earlierVotes = [], requester } = request;
    if (isOpen(request)) return [`${id} is ${state} after all is over`];
    if (state === 'granted' && request.grant?.until !== undefined) say('its time is over');

    const times = (event: string): number => trail.filter((entry) => entry.event === event).length;
    const outcomes = ['granted', 'denied', 'withdrawn', 'expired', 'cancelled'].filter((event) => times(event) > 0);
    if (outcomes.length !== 1 || times(outcomes[0] ?? '') !== 1) say(`its trail tells ${outcomes.join(' and ')}`);
    const told = state === 'ended' ? 2 : 1;
    // an end that comes before the grant was told is told with it
    if (times('outcome-told') !== told && !(state === 'ended' && times('outcome-told') === 1))
      say(`its outcome was told ${String(times('outcome-told'))} times`);
    if (times('ended') > 1) say('it ended more than once');

    const accepted = new Map<string, string>();
    for (const { key, operationId, to, status } of mails.values()) {
      if (operationId === '') continue;
      const sent = inbox.filter((mail) => mail.operationId === operationId);
      for (const mail of sent) known.add(mail.operationId);
      if (status === 'queued' && sent.length > 0) say(`${key} went out, and the book says that it waits`);
      if (status !== 'accepted') continue;
      accepted.set(key, to.id);
      if (sent.length !== 1 || sent[0]?.to !== to.address) say(`${key} was sent ${String(sent.length)} times`);
    }
    const WORD: Record<string, string> = {
      granted: 'Approved',
      ended: 'Approved',
      denied: 'Denied',
      withdrawn: 'Withdrawn',
      expired: 'Expired',
      cancelled: 'Cancelled',
    };
    const outcomeMail = mails.get(`outcome_${requester.id}`);
    const subject = inbox.find(({ operationId }) => operationId === outcomeMail?.operationId)?.subject;
    if (subject === undefined) {
      if (state !== 'ended' || !mails.has(`ended_${requester.id}`)) say('the requester was not told');
    } else if (!subject.startsWith(`${WORD[state] ?? ''}:`)) say(`the requester was told "${subject}"`);

    const askedTimes = new Map<string, number>();
    for (const [key, person] of accepted) {
      if (!key.startsWith('ask_')) continue;
      askedTimes.set(person, (askedTimes.get(person) ?? 0) + 1);
      const index = Number(key.split('_')[1]);
      const could = this.past.some((around) =>
        deciders({ ...request, stage: { ...stage, index, escalated: true } }, around).has(person),
      );
      if (!could) say(`${nameOf(person)} was asked, who may not decide`);
    }
    for (const [person, count] of askedTimes) {
      const inTrail = trail.filter(
        ({ event, data }) =>
          event === 'approvers-asked' && Array.isArray(data?.['people']) && data['people'].includes(person),
      ).length;
      if (inTrail !== count)
        say(`${nameOf(person)} was asked ${String(count)} times, and the trail says ${String(inTrail)}`);
    }
    const lastVote = [...stage.votes].sort((one, other) => one.at.localeCompare(other.at)).at(-1);
    const byVote = state === 'granted' || state === 'denied' || state === 'ended';
    for (const person of askedTimes.keys()) {
      const isTold = accepted.has(`closed_${person}`);
      const decided = byVote && lastVote?.personId === person;
      // asked at the very moment of the end, by a second delivery that nobody waits for
      if (!decided && !isTold && !this.wasTwice) say(`${nameOf(person)} was asked, and not told that it is over`);
    }
    if (state !== 'cancelled' && earlierVotes.length > 0 && times('stage-opened') === 0) say('a stage opened unseen');
    return wrong;
  }

  private fail(wrong: readonly string[]): never {
    throw new Violation(wrong.join('\n'));
  }
}
