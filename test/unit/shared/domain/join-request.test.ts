import type { Approver } from '../../../../shared/domain/approvers';
import * as joinRequest from '../../../../shared/domain/join-request';
import type { Change, JoinRequest } from '../../../../shared/domain/join-request';
import { policySchema } from '../../../../shared/domain/policy';
import { chain, CHAIN_START, chainHash } from '../../../../shared/records/trail';

const DAY = 86_400_000;
const START = new Date('2026-11-24T08:00:00Z');
const after = (ms: number): Date => new Date(START.getTime() + ms);
const approver = (id: string): Approver => ({ id, displayName: id.toUpperCase(), mail: `${id}@contoso.example` });
const [a, b, c] = ['a', 'b', 'c'].map(approver) as [Approver, Approver, Approver];

function filed(policy: Record<string, unknown> = {}): JoinRequest {
  return joinRequest.file(
    {
      id: 'r1',
      group: { id: 'g', name: 'G' },
      requester: { id: 'me', name: 'Me' },
      filedBy: { kind: 'app', id: 'portal' },
      justification: 'because',
      policy: policySchema.parse({ optedIn: true, ...policy }),
      policyVersion: 'group@1',
      approvers: [a, b],
    },
    START,
  ).request;
}

const recorded = (result: joinRequest.VoteResult): Change & { closes: boolean } => {
  if (result.kind !== 'recorded') throw new Error(`the vote was ${result.kind}`);
  return { ...result.change, closes: result.closes };
};
const asked = (request: JoinRequest, at: Date): JoinRequest =>
  joinRequest.asked(request, { approvers: [a, b], asked: ['a', 'b'], reminded: [], unreachable: [], reminders: 0 }, at)
    .request;

test('one approval of one closes the request', () => {
  const { request, entries, closes } = recorded(joinRequest.vote(filed(), a, 'approve', undefined, [a, b], after(1)));
  expect([request.state, closes, entries.map(({ event }) => event)]).toEqual([
    'approved',
    true,
    ['vote-recorded', 'approved'],
  ]);
});

test('n of m counts people, not clicks', () => {
  const first = recorded(
    joinRequest.vote(filed({ stages: [{ required: 2 }] }), a, 'approve', undefined, [a, b], after(1)),
  );
  expect([first.request.state, first.closes]).toEqual(['pending', false]);
  expect(joinRequest.vote(first.request, a, 'approve', undefined, [a, b], after(2)).kind).toBe('stands');
  expect(recorded(joinRequest.vote(first.request, b, 'approve', undefined, [a, b], after(3))).request.state).toBe(
    'approved',
  );
});

test('the first denial ends the request, also after an approval', () => {
  const { request } = recorded(
    joinRequest.vote(filed({ stages: [{ required: 2 }] }), a, 'approve', undefined, [a, b], after(1)),
  );
  expect(recorded(joinRequest.vote(request, b, 'deny', 'no need', [a, b], after(2))).request.state).toBe('denied');
});

test('nobody decides their own request, even as an owner', () => {
  const me = approver('me');
  expect(joinRequest.vote(filed(), me, 'approve', undefined, [me, a], after(1)).kind).toBe('not-yours');
});

test('who may not decide at this moment can’t, whatever mail they hold', () => {
  expect(joinRequest.vote(filed(), a, 'approve', undefined, [b], after(1)).kind).toBe('not-yours');
});

test('a decision on a closed request changes nothing', () => {
  const { request } = recorded(joinRequest.vote(filed(), a, 'deny', undefined, [a, b], after(1)));
  expect(joinRequest.vote(request, b, 'approve', undefined, [a, b], after(2)).kind).toBe('stands');
  expect(joinRequest.withdraw(request, { kind: 'person', id: 'me' }, after(3))).toBeUndefined();
  expect(joinRequest.expire(request, after(100 * DAY))).toBeUndefined();
});

test('until the row says expired a decision counts, even after the deadline’s second', () => {
  const request = asked(filed(), START);
  expect(
    recorded(joinRequest.vote(request, a, 'approve', undefined, [a, b], after(14 * DAY + 1_000))).request.state,
  ).toBe('approved');
});

test('the deadline counts from when the first mail was accepted; where none is, the request still ends', () => {
  const request = filed();
  expect(joinRequest.expire(request, after(14 * DAY))).toBeUndefined();
  expect(joinRequest.expire(request, after(28 * DAY))?.request.state).toBe('expired');
  const late = asked(request, after(3 * DAY));
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
  const next = recorded(joinRequest.vote(request, a, 'approve', undefined, [a], after(1)));
  expect(next.request).toMatchObject({ state: 'pending', waitingFor: 'mail', stage: { index: 1, votes: [] } });
  expect(next.closes).toBe(true);
});

test('a stage whose decider dropped out opens again without that vote, and asks anew', () => {
  const { request } = recorded(joinRequest.vote(filed(), a, 'approve', undefined, [a, b], after(1)));
  const dropped = joinRequest.droppedOut(request, [b, c]);
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

test('what failed waits for operations and is never due', () => {
  expect(joinRequest.fail(filed(), { rule: 'x', sentence: 'y' }, after(1)).request).toMatchObject({
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
  const trail = chain([entry('filed'), entry('approved'), entry('granted')], 0, CHAIN_START, 'test');
  const holds = (rows: typeof trail): boolean =>
    rows.every(
      (row, index) => row.previousHash === (rows[index - 1]?.hash ?? CHAIN_START) && row.hash === chainHash(row),
    );
  expect(holds(trail)).toBe(true);
  expect(holds(trail.filter(({ seq }) => seq !== 2))).toBe(false);
  expect(holds(trail.map((row) => (row.seq === 2 ? { ...row, event: 'denied' } : row)))).toBe(false);
});
