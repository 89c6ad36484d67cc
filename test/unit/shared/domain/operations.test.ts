import * as joinRequest from '../../../../shared/domain/join-request';
import type { JoinRequest } from '../../../../shared/domain/join-request';
import { extendDeadline, reroute, resend, restart } from '../../../../shared/domain/operations';
import type { ActResult } from '../../../../shared/domain/operations';
import { a, after, approver, asked, b, c, DAY, filed, party, START } from './requests';

const act = { by: { kind: 'person', id: 'otto', name: 'Otto' } as const, reason: 'They are away.' };
const pending = (policy?: Record<string, unknown>): JoinRequest => asked(filed(policy), START);

const changed = (result: ActResult): JoinRequest => {
  if (result.kind !== 'changed') throw new Error(result.sentence);
  return result.change.request;
};
const refused = (result: ActResult): string => (result.kind === 'impossible' ? result.sentence : 'it was done');

describe('re-routing', () => {
  test('names who decides at this stage alone, beginning it anew, and leaves the policy of the row as it was', () => {
    const before = pending({ stages: [{ required: 2, deadline: 'P14D' }, {}] });
    const result = reroute(before, [c], 1, act, after(DAY));
    const now = changed(result);
    expect(now.policy).toEqual(before.policy);
    expect(now.stage).toEqual({
      index: 0,
      round: 1,
      openedAt: after(DAY).toISOString(),
      reminded: 0,
      approvers: [c],
      routedTo: { ids: ['c'], required: 1 },
      votes: [],
    });
    expect(joinRequest.requiredAt(now)).toBe(1);
    expect(joinRequest.policyNow(now).stages.map(({ parties }) => parties)).toEqual([
      [{ approvers: [{ kind: 'people', ids: ['c'] }], required: 1 }],
      before.policy.stages[1]?.parties,
    ]);
    expect(result.kind === 'changed' && result.change.entries).toEqual([
      {
        event: 'rerouted',
        at: after(DAY).toISOString(),
        by: act.by,
        data: { stage: 0, people: ['c'], required: 1, reason: 'They are away.' },
      },
    ]);
    const next = joinRequest.vote(now, c, { choice: 'approve' }, party([c]), after(2 * DAY));
    expect(next.kind === 'recorded' && next.change.request.stage).toMatchObject({ index: 1, votes: [] });
    expect(next.kind === 'recorded' && next.change.request.stage.routedTo).toBeUndefined();
  });

  test('keeps a vote only of somebody who is named again', () => {
    const voted = joinRequest.vote(
      pending({ stages: [{ required: 2 }] }),
      a,
      { choice: 'approve' },
      party([a, b], 2),
      after(1),
    );
    if (voted.kind !== 'recorded') throw new Error(voted.kind);
    const { request } = voted.change;
    expect(changed(reroute(request, [c], 1, act, after(2))).stage.votes).toEqual([]);
    expect(changed(reroute(request, [a, c], 2, act, after(2))).stage.votes).toMatchObject([{ personId: 'a' }]);
  });

  test('goes on to hold when the stage is opened again', () => {
    const routed = changed(reroute(pending(), [c], 1, act, after(1)));
    const { request } = joinRequest.reopenStage(routed, [], after(2));
    expect(request.stage.routedTo).toEqual({ ids: ['c'], required: 1 });
  });

  test.each([
    ['the requester among them', pending(), [approver('me'), c], 1, /own request/],
    ['the operator among them', pending(), [approver('otto')], 1, /themselves/],
    ['nobody', pending(), [], 1, /Name 1 to/],
    ['more approvals than people', pending(), [c], 2, /Of 1 named/],
    ['no approval needed', pending(), [c], 0, /Of 1 named/],
    ['half an approval', pending(), [b, c], 1.5, /Of 2 named/],
    ['a request that is decided', { ...pending(), state: 'granted' as const }, [c], 1, /is granted/],
  ])('is refused with %s', (_what, request, people, required, sentence) => {
    expect(refused(reroute(request, people, required, act, after(1)))).toMatch(sentence);
  });
});

describe('more time', () => {
  test('the request expires at the new time, and not at the old one', () => {
    const before = pending({ stages: [{ deadline: 'P2D', reminders: [] }] });
    const now = changed(extendDeadline(before, after(5 * DAY), act, after(DAY)));
    expect([now.due, joinRequest.deadlineOf(now)]).toEqual([after(5 * DAY).toISOString(), after(5 * DAY)]);
    expect(joinRequest.expire(now, after(2 * DAY))).toBeUndefined();
    expect(joinRequest.expire(now, after(5 * DAY))?.request.state).toBe('expired');
  });

  test('a reminder that is due before stays due', () => {
    const before = pending({ stages: [{ deadline: 'P4D', reminders: ['P3D'] }] });
    expect(changed(extendDeadline(before, after(9 * DAY), act, after(DAY))).due).toBe(after(3 * DAY).toISOString());
  });

  test('what waits for a service keeps the time at which that is tried again', () => {
    const waits = joinRequest.postpone(pending(), 'mail', after(60_000)).request;
    expect(changed(extendDeadline(waits, after(20 * DAY), act, after(1))).due).toBe(after(60_000).toISOString());
  });

  test('goes on to hold when the stage is opened again, where that gives less time', () => {
    const extended = changed(extendDeadline(pending(), after(60 * DAY), act, after(1)));
    const reopened = (at: Date) => joinRequest.deadlineOf(joinRequest.reopenStage(extended, [], at).request);
    expect(reopened(after(10 * DAY))).toEqual(after(60 * DAY));
    // the stage's own fourteen days, twice while nobody was mailed
    expect(reopened(after(50 * DAY))).toEqual(after(78 * DAY));
  });

  test('is no more than 90 days, later than it was, and only while a decision is awaited', () => {
    const request = pending({ stages: [{ deadline: 'P4D', reminders: [] }] });
    expect(refused(extendDeadline(request, after(3 * DAY), act, after(1)))).toMatch(/give a later time/);
    expect(refused(extendDeadline(request, after(91 * DAY), act, START))).toMatch(/90 days/);
    expect(refused(extendDeadline({ ...request, state: 'failed' }, after(9 * DAY), act, START))).toMatch(/is failed/);
  });
});

describe('a mail once more', () => {
  test('somebody who could not be reached is tried again', () => {
    const lost = joinRequest.undelivered(
      pending(),
      { personId: 'a', status: 'Bounced', wasAsked: false },
      after(1),
    ).request;
    const { request, entries } = resend(lost, { kind: 'ask', personId: 'a' }, act, after(2));
    expect(request.stage.unreachable).toBeUndefined();
    expect(request.due).toBe(after(2).toISOString());
    expect(entries).toMatchObject([{ event: 'mail-resent', data: { kind: 'ask', people: ['a'], reason: act.reason } }]);
  });

  test('an outcome that was told is to be told again, and the outcome stays', () => {
    const told = joinRequest.tell({ ...pending(), state: 'denied' }, after(1), {}).request;
    const { request } = resend(told, { kind: 'outcome', personId: 'me' }, act, after(2));
    expect([request.state, request.told, request.due]).toEqual(['denied', false, after(2).toISOString()]);
    expect(joinRequest.isToTell(request)).toBe(true);
  });

  test('a warning is due again, and nothing else', () => {
    const granted = joinRequest.tell(
      joinRequest.grant({ ...pending(), duration: 'P30D', state: 'applying' }, START).request,
      START,
      {},
    ).request;
    const warned = joinRequest.warned(granted, 1, true, after(23 * DAY)).request;
    const { request } = resend(warned, { kind: 'warn', personId: 'me' }, act, after(24 * DAY));
    expect([request.told, request.due, request.grant?.warned]).toEqual([true, null, 0]);
    expect(joinRequest.grantDue(request)).toEqual(after(23 * DAY));
  });
});

test('a workflow is started again only where something is left to do', () => {
  expect(changed(restart(pending(), act, after(1)))).toEqual(pending());
  const failed = joinRequest.delayTold(joinRequest.fail(pending(), { rule: 'x', sentence: 'X.' }, after(1)).request);
  expect(refused(restart(failed.request, act, after(2)))).toMatch(/try it again/);
  const told = joinRequest.tell({ ...pending(), state: 'denied' }, after(1), {}).request;
  expect(refused(restart(told, act, after(2)))).toMatch(/Nothing is left/);
});
