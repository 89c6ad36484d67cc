import type { Approver, Party } from '../../../../shared/domain/approvers';
import * as joinRequest from '../../../../shared/domain/join-request';
import type { Change, JoinRequest } from '../../../../shared/domain/join-request';
import { policySchema } from '../../../../shared/domain/policy';
import { chain, CHAIN_START, chainHash } from '../../../../shared/records/trail';
import { a, after, approver, asked, b, c, DAY, filed, party, START } from './requests';

const recorded = (result: joinRequest.VoteResult): Change & { closes: boolean } => {
  if (result.kind !== 'recorded') throw new Error(`the vote was ${result.kind}`);
  return { ...result.change, closes: result.closes };
};

test('one approval of one closes the request', () => {
  const { request, entries, closes } = recorded(
    joinRequest.vote(filed(), a, { choice: 'approve' }, party([a, b]), after(1)),
  );
  expect([request.state, closes, entries.map(({ event }) => event)]).toEqual([
    'approved',
    true,
    ['vote-recorded', 'approved'],
  ]);
});

test('n of m counts people, not clicks', () => {
  const first = recorded(
    joinRequest.vote(filed({ stages: [{ required: 2 }] }), a, { choice: 'approve' }, party([a, b], 2), after(1)),
  );
  expect([first.request.state, first.closes]).toEqual(['pending', false]);
  expect(joinRequest.vote(first.request, a, { choice: 'approve' }, party([a, b], 2), after(2)).kind).toBe('stands');
  expect(
    recorded(joinRequest.vote(first.request, b, { choice: 'approve' }, party([a, b], 2), after(3))).request.state,
  ).toBe('approved');
});

test('the first denial ends the request, also after an approval', () => {
  const { request } = recorded(
    joinRequest.vote(filed({ stages: [{ required: 2 }] }), a, { choice: 'approve' }, party([a, b], 2), after(1)),
  );
  expect(
    recorded(joinRequest.vote(request, b, { choice: 'deny', comment: 'no need' }, party([a, b]), after(2))).request
      .state,
  ).toBe('denied');
});

test('nobody decides their own request, even as an owner', () => {
  const me = approver('me');
  expect(joinRequest.vote(filed(), me, { choice: 'approve' }, party([me, a]), after(1)).kind).toBe('not-yours');
});

test('who may not decide at this moment can’t, whatever mail they hold', () => {
  expect(joinRequest.vote(filed(), a, { choice: 'approve' }, party([b]), after(1)).kind).toBe('not-yours');
});

test('a decision on a closed request changes nothing', () => {
  const { request } = recorded(joinRequest.vote(filed(), a, { choice: 'deny' }, party([a, b]), after(1)));
  expect(joinRequest.vote(request, b, { choice: 'approve' }, party([a, b]), after(2)).kind).toBe('stands');
  expect(joinRequest.withdraw(request, { kind: 'person', id: 'me' }, after(3))).toBeUndefined();
  expect(joinRequest.expire(request, after(100 * DAY))).toBeUndefined();
});

test('until the row says expired a decision counts, even after the deadline’s second', () => {
  const request = asked(filed(), START);
  expect(
    recorded(joinRequest.vote(request, a, { choice: 'approve' }, party([a, b]), after(14 * DAY + 1_000))).request.state,
  ).toBe('approved');
});

test('the deadline counts from when the first mail was accepted; where none is, the request still ends', () => {
  const request = filed();
  expect(joinRequest.expire(request, after(14 * DAY))).toBeUndefined();
  expect(joinRequest.expire(request, after(28 * DAY))?.request.state).toBe('expired');
  const late = asked(request, after(2 * DAY), after(3 * DAY));
  expect(joinRequest.expire(late, after(17 * DAY - 1))).toBeUndefined();
  expect(joinRequest.expire(late, after(17 * DAY))?.request.state).toBe('expired');
});

test('the next step is the next reminder, then the deadline', () => {
  const request = asked(filed(), START);
  expect(
    [1, 3, 9, 10, 12].map((day) => (joinRequest.nextDue(request, after(day * DAY)).getTime() - START.getTime()) / DAY),
  ).toEqual([3, 7, 10, 14, 14]);
  expect([2, 3, 8, 13].map((day) => joinRequest.remindersDue(request, after(day * DAY)))).toEqual([0, 1, 2, 3]);
});

test('the next stage starts with nobody asked and no votes', () => {
  const request = filed({
    stages: [{}, { approvers: [{ kind: 'people', ids: ['a0000000-0000-4000-8000-000000000001'] }] }],
  });
  const next = recorded(joinRequest.vote(request, a, { choice: 'approve' }, party([a]), after(1)));
  expect(next.request).toMatchObject({ state: 'pending', waitingFor: 'mail', stage: { index: 1, votes: [] } });
  expect(next.closes).toBe(true);
});

test('a stage whose decider dropped out opens again without that vote, and asks anew', () => {
  const { request } = recorded(joinRequest.vote(filed(), a, { choice: 'approve' }, party([a, b]), after(1)));
  const dropped = joinRequest.recount(request, party([b, c])) ?? [];
  expect(joinRequest.recount(request, party([a, c]))).toBeUndefined();
  expect(dropped.map(({ personId }) => personId)).toEqual(['a']);
  expect(joinRequest.reopenStage(request, dropped, after(2)).request).toMatchObject({
    state: 'pending',
    stage: { index: 0, round: 1, votes: [] },
  });
});

test('the time of a membership starts when it is granted', () => {
  const request = { ...filed(), duration: 'P30D' };
  expect(joinRequest.grant(request, after(5 * DAY)).request.grant).toEqual({
    from: after(5 * DAY).toISOString(),
    until: after(35 * DAY).toISOString(),
  });
});

test('what failed waits for operations, and is due only until the requester was told so', () => {
  const failed = joinRequest.fail(filed(), { rule: 'x', sentence: 'y' }, after(1)).request;
  expect(joinRequest.isToTell(failed)).toBe(true);
  expect(joinRequest.delayTold(failed).request).toMatchObject({
    state: 'failed',
    waitingFor: 'operations',
    due: null,
  });
});

test('a trail entry that is changed, removed or put between breaks the chain behind it', () => {
  const entry = (event: joinRequest.TrailEvent): joinRequest.TrailEntry => ({
    event,
    at: START.toISOString(),
    by: joinRequest.GATEHOUSE,
  });
  const trail = chain(
    'r_1',
    [entry('filed'), entry('approved'), entry('granted')],
    { seq: 0, head: CHAIN_START },
    { route: 'test', after: {} },
  );
  const holds = (rows: typeof trail): boolean =>
    rows.every(
      (row, index) => row.previousHash === (rows[index - 1]?.hash ?? CHAIN_START) && row.hash === chainHash('r_1', row),
    );
  expect(holds(trail)).toBe(true);
  expect(holds(trail.filter(({ seq }) => seq !== 2))).toBe(false);
  expect(holds(trail.map((row) => (row.seq === 2 ? { ...row, event: 'denied' } : row)))).toBe(false);
});

const two = (first: Approver[], second: Approver[]): Party[] => [
  { required: 1, approvers: first },
  { required: 1, approvers: second },
];
const twoParties = {
  stages: [
    {
      parties: [
        { approvers: [{ kind: 'owners' }], required: 1 },
        { approvers: [{ kind: 'manager' }], required: 1 },
      ],
    },
  ],
};

test('two parties must both agree, and somebody of both counts for one of them', () => {
  const parties = two([a, b], [b]);
  const first = recorded(joinRequest.vote(filed(twoParties), b, { choice: 'approve' }, parties, after(1)));
  expect(first.closes).toBe(false);
  // b is needed for the second party, so a fills the first
  expect(recorded(joinRequest.vote(first.request, a, { choice: 'approve' }, parties, after(2))).request.state).toBe(
    'approved',
  );
});

test('where denials count, a request is denied only once too few are left', () => {
  const request = filed({ stages: [{ required: 2, denial: 'counts' }] });
  const parties = party([a, b, c], 2);
  const first = recorded(joinRequest.vote(request, a, { choice: 'deny' }, parties, after(1)));
  expect([first.request.state, first.closes]).toEqual(['pending', false]);
  expect(recorded(joinRequest.vote(first.request, b, { choice: 'deny' }, parties, after(2))).request.state).toBe(
    'denied',
  );
});

test('a vote of somebody who may no longer decide does not count for the next one', () => {
  const request = filed({ stages: [{ required: 2 }] });
  const first = recorded(joinRequest.vote(request, a, { choice: 'approve' }, party([a, b], 2), after(1)));
  const second = recorded(joinRequest.vote(first.request, b, { choice: 'approve' }, party([b, c], 2), after(2)));
  expect(second.request.state).toBe('pending');
});

test('a decider may change their mind, three times', () => {
  let request = filed({ stages: [{ required: 2, denial: 'counts' }] });
  const parties = party([a, b, c], 2);
  const choices = ['approve', 'deny', 'approve', 'deny'] as const;
  for (const [n, choice] of choices.entries())
    request = recorded(joinRequest.vote(request, a, { choice }, parties, after(n))).request;
  expect(joinRequest.vote(request, a, { choice: 'approve' }, parties, after(9)).kind).toBe('changed-too-often');
  expect(request.stage.votes).toMatchObject([{ personId: 'a', choice: 'deny', changes: 3 }]);
});

test('the shortest time that anybody gave with an approval is what is granted, and what was asked for is kept', () => {
  const request = { ...filed({ stages: [{ required: 2 }] }), duration: 'P90D' };
  const parties = party([a, b], 2);
  const first = recorded(joinRequest.vote(request, a, { choice: 'approve', duration: 'P30D' }, parties, after(1)));
  const { request: done } = recorded(joinRequest.vote(first.request, b, { choice: 'approve' }, parties, after(2)));
  expect([done.duration, done.shortenedFrom]).toEqual(['P30D', 'P90D']);
});

test.each([
  ['P90D', undefined, 'P90D', undefined],
  ['P90D', 'P60D', 'P60D', 'P90D'],
  [undefined, undefined, undefined, undefined],
  [undefined, 'P60D', 'P60D', null],
])(
  'of %s asked for, and %s given at the stage before, a dropped vote’s shorter time does not stay when its stage opens again',
  (askedFor, before, duration, shortenedFrom) => {
    const stages = [{}, { required: 2 }];
    const request = { ...filed({ stages }), ...(askedFor !== undefined && { duration: askedFor }) };
    const one = { choice: 'approve' as const, ...(before !== undefined && { duration: before }) };
    const parties = party([a, b, c], 2);
    const next = recorded(joinRequest.vote(request, c, one, party([c]), after(1))).request;
    const short = { choice: 'approve' as const, duration: 'P7D' };
    const half = recorded(joinRequest.vote(next, a, short, parties, after(2))).request;
    const approved = recorded(joinRequest.vote(half, b, { choice: 'approve' }, parties, after(3))).request;
    expect([approved.state, approved.duration]).toEqual(['approved', 'P7D']);
    const dropped = joinRequest.recount(approved, party([b, c], 2)) ?? [];
    const reopened = joinRequest.reopenStage(approved, dropped, after(4)).request;
    expect([reopened.duration, reopened.shortenedFrom]).toEqual([duration, shortenedFrom]);
    const again = recorded(joinRequest.vote(reopened, c, { choice: 'approve' }, party([b, c], 2), after(5))).request;
    expect([again.state, again.duration, again.shortenedFrom]).toEqual(['approved', duration, shortenedFrom]);
  },
);

test('the cool-down begins when the request is denied, not with the vote that came to suffice later', () => {
  const request = filed({ stages: [{ required: 2, denial: 'counts' }], coolDown: 'P10D' });
  const one = recorded(joinRequest.vote(request, a, { choice: 'deny' }, party([a, b, c], 2), after(DAY))).request;
  expect(joinRequest.coolsDownUntil(one)).toBeUndefined();
  // c is gone, so that too few are left
  const denied = joinRequest.tally(one, party([a, b], 2), after(5 * DAY))?.request;
  expect(denied && joinRequest.coolsDownUntil(denied)).toEqual(after(15 * DAY));
});

test('a denial of somebody who may no longer decide ends nothing', () => {
  const request = filed({ stages: [{ required: 2, denial: 'counts' }] });
  const denied = recorded(joinRequest.vote(request, a, { choice: 'deny' }, party([a, b, c], 2), after(1))).request;
  expect(joinRequest.tally(denied, party([b], 2), after(2))).toBeUndefined();
  expect(joinRequest.tally(denied, party([a, b], 2), after(2))?.request.state).toBe('denied');
});

test('an owner who may join without asking is approved by the rule, and asked about where they are no owner any more', () => {
  const { request, entries } = joinRequest.file(
    {
      id: 'r2',
      group: { id: 'g', name: 'G' },
      requester: { id: 'me', name: 'Me' },
      filedBy: { kind: 'person', id: 'me' },
      justification: '',
      policy: policySchema.parse({ optedIn: true, ownersJoinWithoutAsking: true }),
      policyVersion: 'group@1',
      approvers: [a],
      asOwner: true,
    },
    START,
  );
  expect([request.state, entries.map(({ event }) => event)]).toEqual(['approved', ['filed', 'approved']]);
  expect(joinRequest.reopenStage(request, [], after(1)).request).not.toHaveProperty('asOwner');
});

test('a requester may have those who decide reminded once a day, not before a day after they were asked', () => {
  const me = { kind: 'person', id: 'me' } as const;
  expect(joinRequest.nudge(filed(), me, after(DAY)).kind).toBe('stands');
  const request = asked(filed(), START);
  expect(joinRequest.nudge(request, me, after(DAY - 1))).toEqual({ kind: 'too-soon', until: after(DAY) });
  const nudged = joinRequest.nudge(request, me, after(DAY));
  if (nudged.kind !== 'nudged') throw new Error(nudged.kind);
  expect(nudged.change.request.due).toBe(after(DAY).toISOString());
  expect(joinRequest.nudge(nudged.change.request, me, after(DAY + 1)).kind).toBe('too-soon');
});

test('a nudge that comes while a step sends its mails is due at once when the step is done', () => {
  const request = asked(filed(), START);
  const nudged = joinRequest.nudge(request, { kind: 'person', id: 'r', name: 'Rita' }, after(DAY));
  if (nudged.kind !== 'nudged') throw new Error(nudged.kind);
  const step = { approvers: [a, b], asked: [], reminded: ['a'], unreachable: [], reminders: 1 };
  const late = joinRequest.asked(nudged.change.request, { ...step, nudges: 0 }, after(DAY + 1), after(DAY + 1)).request;
  expect(late.due).toBe(after(DAY).toISOString());
  const sent = joinRequest.asked(late, { ...step, nudges: 1 }, after(DAY + 2), after(DAY + 2)).request;
  expect(sent.due).toBe(joinRequest.nextDue(request, after(DAY + 2)).toISOString());
});

test('the fallback approvers step in when it is time, once', () => {
  const request = asked(
    filed({
      stages: [{ escalateAfter: 'P5D' }],
      fallbackApprovers: [{ kind: 'people', ids: ['a0000000-0000-4000-8000-000000000001'] }],
    }),
    START,
  );
  expect(joinRequest.nextDue(request, after(3 * DAY))).toEqual(after(5 * DAY));
  expect(joinRequest.escalationTime(request)).toEqual(after(5 * DAY));
  const { request: escalated } = joinRequest.escalate(request, after(5 * DAY));
  expect(joinRequest.escalationTime(escalated)).toBeUndefined();
});

test('the time of an extension follows the membership that it goes on from; approved too late it starts anew', () => {
  const extension = { ...filed(), duration: 'P30D', extends: { until: after(10 * DAY).toISOString() } };
  const request = { ...extension, applying: { wasMember: true } };
  // the membership was ended before its time: there is nothing to go on with
  expect(joinRequest.grantUntil({ ...extension, applying: { wasMember: false } }, after(5 * DAY))).toBe(
    after(35 * DAY).toISOString(),
  );
  expect(joinRequest.grantUntil(request, after(5 * DAY))).toBe(after(40 * DAY).toISOString());
  expect(joinRequest.grantUntil(request, after(20 * DAY))).toBe(after(50 * DAY).toISOString());
});

const granted = (duration: string | undefined, policy: Record<string, unknown> = {}): JoinRequest => {
  const request = filed(policy);
  return joinRequest.grant(duration === undefined ? request : { ...request, duration }, START).request;
};

test('a grant is due at its warnings, then at its end; only warnings after its start count', () => {
  const request = granted('P5D', { warnings: ['P7D', 'P1D'] });
  expect(joinRequest.grantDue(request)).toEqual(after(4 * DAY));
  const { request: once } = joinRequest.warned(request, 1, true, after(4 * DAY));
  expect(joinRequest.grantDue(once)).toEqual(after(5 * DAY));
  expect(joinRequest.grantDue(granted(undefined))).toBeUndefined();
});

test('a grant that is shorter than every warning gets one, near its end', () => {
  const request = granted('PT8H', { warnings: ['P7D', 'P1D'] });
  expect(joinRequest.grantDue(request)).toEqual(after(DAY / 4));
  const { request: once } = joinRequest.warned(request, 1, true, after(DAY / 4));
  expect(joinRequest.grantDue(once)).toEqual(after(DAY / 3));
  expect(joinRequest.grantDue(granted('PT8H', { warnings: [] }))).toEqual(after(DAY / 3));
});

test('somebody who lets it lapse is not warned any more', () => {
  const change = joinRequest.letLapse(granted('P30D'), { kind: 'person', id: 'me' }, after(1));
  expect(change && joinRequest.grantDue(change.request)).toEqual(after(30 * DAY));
  expect(joinRequest.letLapse(granted(undefined), { kind: 'person', id: 'me' }, after(1))).toBeUndefined();
});

test('a membership that is revoked is due at once and ends as revoked, by whom and why', () => {
  const by = { kind: 'person', id: 'o', name: 'Olivia' } as const;
  const change = joinRequest.endNow(granted('P30D'), 'revoked', by, 'left the team', after(DAY));
  if (change === undefined) throw new Error('not ended');
  expect(joinRequest.grantDue(change.request)).toEqual(after(DAY));
  expect(joinRequest.endNow(change.request, 'left', by, undefined, after(DAY))).toBeUndefined();
  const { request } = joinRequest.end(
    joinRequest.startTakingBack(change.request, { wasMember: true, groupGone: false }, after(DAY)).request,
    { removed: true },
    after(DAY),
  );
  expect(request.ended).toMatchObject({ how: 'revoked', removed: true, by: 'Olivia', reason: 'left the team' });
});

test('a membership that was gone before its end is told as removed by somebody else', () => {
  const found = joinRequest.startTakingBack(
    granted('P30D'),
    { wasMember: false, groupGone: false },
    after(30 * DAY),
  ).request;
  expect(joinRequest.end(found, { removed: false }, after(30 * DAY)).request.ended).toMatchObject({
    how: 'removed',
    removed: false,
  });
});

test('a mail that bounced makes its reader unreachable and the request due at once; one to a voter changes nothing', () => {
  const request = asked(filed({ stages: [{ required: 2 }] }), START);
  expect(
    joinRequest.undelivered(request, { personId: 'a', status: 'Bounced', wasAsked: false }, after(1)).request,
  ).toMatchObject({
    due: after(1).toISOString(),
    stage: { unreachable: ['a'] },
  });
  const { request: voted } = recorded(joinRequest.vote(request, a, { choice: 'approve' }, party([a, b], 2), after(1)));
  expect(joinRequest.undelivered(voted, { personId: 'a', status: 'Bounced', wasAsked: true }, after(2)).request).toBe(
    voted,
  );
});

test('a denial keeps the same person from asking again for as long as the policy says', () => {
  const { request } = recorded(
    joinRequest.vote(filed({ coolDown: 'P7D' }), a, { choice: 'deny' }, party([a]), after(DAY)),
  );
  expect(joinRequest.coolsDownUntil(request)).toEqual(after(8 * DAY));
  expect(joinRequest.coolsDownUntil(filed({ coolDown: 'P7D' }))).toBeUndefined();
});

test('a policy that was changed is noted once, and the request stays under its own', () => {
  const change = joinRequest.notePolicy(filed(), 'group@2', after(1));
  expect(change?.entries).toMatchObject([
    { event: 'policy-changed', data: { now: 'group@2', decidedUnder: 'group@1' } },
  ]);
  expect(change && joinRequest.notePolicy(change.request, 'group@2', after(2))).toBeUndefined();
  expect(joinRequest.notePolicy(filed(), 'group@1', after(1))).toBeUndefined();
});

test('operations let a failed change be tried again', () => {
  const failed = joinRequest.fail(filed(), { rule: 'x', sentence: 'y' }, after(1)).request;
  const change = joinRequest.retry(failed, { kind: 'app', id: 'ops' }, after(2));
  expect(change?.request).toMatchObject({ state: 'approved', due: after(2).toISOString() });
  expect(change?.request).not.toHaveProperty('reason');
  expect(joinRequest.retry(filed(), { kind: 'app', id: 'ops' }, after(2))).toBeUndefined();
});

test('votes that suffice by now, because those who may decide changed, close the stage without another click', () => {
  const request = filed({ stages: [{ required: 2 }] });
  const first = recorded(joinRequest.vote(request, a, { choice: 'approve' }, party([a, b, c], 2), after(1)));
  // a could not decide while b did, and can again
  const second = recorded(joinRequest.vote(first.request, b, { choice: 'approve' }, party([b, c], 2), after(2)));
  expect([second.closes, joinRequest.approvals(second.request.stage)]).toEqual([false, 1]);
  expect(joinRequest.tally(second.request, party([a, b, c], 2), after(3))?.request.state).toBe('approved');
  expect(joinRequest.vote(second.request, b, { choice: 'approve' }, party([a, b, c], 2), after(3))).toMatchObject({
    kind: 'recorded',
    closes: true,
  });
  expect(joinRequest.tally(request, party([a, b, c], 2), after(3))).toBeUndefined();
});

test('an approval that is given again with less time, or with a comment, says more; given again as it was it stands', () => {
  const request = filed({ stages: [{ required: 2 }] });
  const parties = party([a, b], 2);
  const first = recorded(joinRequest.vote(request, a, { choice: 'approve' }, parties, after(1)));
  const more = recorded(joinRequest.vote(first.request, a, { choice: 'approve', duration: 'P7D' }, parties, after(2)));
  expect(more.request.stage.votes).toMatchObject([{ choice: 'approve', duration: 'P7D' }]);
  expect(joinRequest.vote(more.request, a, { choice: 'approve' }, parties, after(3)).kind).toBe('stands');
});

test('two owners do not fill the place of the manager', () => {
  const parties = two([a, b], [c]);
  const first = recorded(joinRequest.vote(filed(twoParties), a, { choice: 'approve' }, parties, after(1)));
  const second = recorded(joinRequest.vote(first.request, b, { choice: 'approve' }, parties, after(2)));
  expect([second.closes, joinRequest.approvals(second.request.stage)]).toEqual([false, 1]);
});

test('what failed is looked at anew when it is tried again: its membership may be somebody else’s by then', () => {
  const applying = joinRequest.startApplying(filed(), false, 'group@1', after(1)).request;
  const failed = joinRequest.fail(applying, { rule: 'x', sentence: 'y' }, after(2)).request;
  expect(joinRequest.retry(failed, { kind: 'app', id: 'ops' }, after(3))?.request).not.toHaveProperty('applying');
});
