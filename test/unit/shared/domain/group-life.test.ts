import * as lives from '../../../../shared/domain/group-life';
import type { GroupLife, LifeStep } from '../../../../shared/domain/group-life';
import { lifetimePolicySchema } from '../../../../shared/domain/group-lifetime';

const START = new Date('2026-01-01T00:00:00Z');
const DAY = 86_400_000;
const day = (n: number): Date => new Date(START.getTime() + n * DAY);
const iso = (n: number): string => day(n).toISOString();
const rules = lifetimePolicySchema.parse({ lifetime: 'P40D', grace: 'P10D', afterwards: 'delete' });
const group = { id: 'g', name: 'Kites' };
const rita = { kind: 'person', id: 'r', name: 'Rita' } as const;
const gatehouse = { kind: 'gatehouse', id: 'gatehouse' } as const;

const born = (kind: GroupLife['kind'] = 'security', expires?: string): LifeStep =>
  lives.beginLife({ group, kind, by: rita, changeId: 'c', ...(expires !== undefined && { expires }) }, rules, START);
const said = (step: LifeStep | undefined): unknown[] =>
  (step?.entries ?? []).map(({ event, at, by, data }) => [event, at, by.id, ...(data === undefined ? [] : [data])]);
const warned = (life = born().life, n = 10): GroupLife =>
  lives.ownersWarned(life, { warning: 1, people: ['r'], expires: day(40) }, rules, day(n)).life;
const expired = (): GroupLife => lives.expireGroup(warned(warned(warned(), 25), 39), rules, day(40)).life;
const told = (life: GroupLife, n: number): GroupLife => lives.toldPage(life, undefined, rules, day(n)).life;

test('a life begins by whoever asked for the group, and is looked at again within a week', () => {
  const step = born('security', 'P30D');
  expect(step.life).toEqual({
    group,
    kind: 'security',
    expires: 'P30D',
    term: 1,
    life: { from: iso(0) },
    waitingFor: null,
    attempts: 0,
    due: iso(7),
  });
  expect(said(step)).toEqual([['life-begun', iso(0), 'r', { change: 'c', expires: 'P30D' }]]);
  expect(said(born())).toEqual([['life-begun', iso(0), 'r', { change: 'c' }]]);
  expect(lives.lifeFacts(step.life)).toEqual({ term: 1, livesFrom: iso(0) });
});

test('the next look is the next warning where that is sooner than a week', () => {
  expect(lives.scheduled(born().life, rules, day(8)).due).toBe(iso(10));
  expect(lives.scheduled(born().life, undefined, day(8)).due).toBe(iso(15));
});

test('owners who were warned stand in the trail with the end that they were told', () => {
  const step = lives.ownersWarned(born().life, { warning: 1, people: ['r'], expires: day(40) }, rules, day(10));
  expect([step.life.life.warnedAt, step.life.due]).toEqual([iso(10), iso(17)]);
  expect(said(step)).toEqual([
    ['owners-warned', iso(10), 'gatehouse', { warning: 1, people: ['r'], expiresAt: iso(40) }],
  ]);
  expect(lives.lifeFacts(step.life)).toEqual({ term: 1, livesFrom: iso(0), warnedAt: iso(10) });
});

test('a warning that reached nobody is due again, as long as the group has not ended', () => {
  const step = lives.warningLost(warned(), day(11));
  expect([step?.life.life.warnedAt, step?.life.due, said(step)]).toEqual([
    undefined,
    iso(11),
    [['warning-lost', iso(11), 'gatehouse']],
  ]);
  // it is just being given: whoever gives it looks again
  expect(lives.warningLost(born().life, day(11))).toMatchObject({ life: { due: iso(11) }, entries: [] });
  expect(lives.warningLost(expired(), day(41))).toBeUndefined();
  expect(lives.warningLost({ ...warned(), deleting: true }, day(11))).toBeUndefined();
  expect(lives.warningLost(lives.groupGone(warned(), day(11)).life, day(12))).toBeUndefined();
  expect(lives.warningLost({ ...warned(), waitingFor: 'operations' }, day(11))).toBeUndefined();
});

test('a group that nobody renewed is closed, its members are told page by page, and nobody twice', () => {
  const step = lives.expireGroup(warned(), rules, day(40));
  expect(step.life).toMatchObject({ life: { expiredAt: iso(40) }, telling: { what: 'expired' }, due: iso(40) });
  expect(said(step)).toEqual([['group-expired', iso(40), 'gatehouse', { afterwards: 'delete', on: iso(50) }]]);
  expect([lives.isExpired(warned()), lives.isExpired(step.life)]).toEqual([false, true]);
  const page = lives.toldPage(step.life, 'next', rules, day(40));
  expect([page.life.telling, page.life.due, page.entries]).toEqual([{ what: 'expired', after: 'next' }, iso(40), []]);
  const last = lives.toldPage(page.life, undefined, rules, day(41));
  expect([last.life.telling, last.life.due, said(last)]).toEqual([
    undefined,
    iso(48),
    [['members-told', iso(41), 'gatehouse', { what: 'expired' }]],
  ]);
  expect(lives.toldPage(last.life, undefined, rules, day(42))).toEqual({ life: last.life, entries: [] });
  expect(lives.lifeFacts(last.life)).toMatchObject({ expiredAt: iso(40) });
});

test('a deletion is written down before it is done, with the owners who are told of it', () => {
  const step = lives.startDeleting(told(expired(), 41), ['r'], rules, day(50));
  expect(step.life).toMatchObject({ deleting: true, ownersThen: ['r'], due: iso(50) });
  expect(said(step)).toEqual([['group-deleting', iso(50), 'gatehouse']]);
  expect(lives.lifeFacts(step.life)).toMatchObject({ deleting: true });
  const kept = lives.keepAfterAll(step.life, rules, day(50));
  expect([kept.life.deleting, kept.entries]).toEqual([undefined, []]);
  const deleted = lives.groupDeleted(step.life, day(51));
  expect(deleted.life).toMatchObject({
    life: { closed: { how: 'deleted', at: iso(51) } },
    telling: { what: 'deleted' },
  });
  expect([deleted.life.deleting, deleted.life.due, lives.isOver(deleted.life)]).toEqual([undefined, iso(51), false]);
  expect(said(deleted)).toEqual([['group-deleted', iso(51), 'gatehouse']]);
  const over = lives.toldPage(deleted.life, undefined, rules, day(51)).life;
  expect([over.due, lives.isOver(over), lives.lifeFacts(over)['closed']]).toEqual([null, true, 'deleted']);
});

test('a group that stays after its grace is over, and stays closed', () => {
  const step = lives.groupKept(told(expired(), 41), day(50));
  expect([step.life.life.closed, step.life.due, said(step)]).toEqual([
    { how: 'kept', at: iso(50) },
    null,
    [['group-kept', iso(50), 'gatehouse']],
  ]);
  expect([lives.isOver(step.life), lives.isExpired(step.life)]).toEqual([true, true]);
});

test('of a group that somebody deleted nothing is due any more, and nobody is told of a life', () => {
  const step = lives.groupGone({ ...expired(), toRenew: true, deleting: true }, day(41));
  expect(step.life).toMatchObject({ isGone: true, due: null });
  for (const part of ['telling', 'toRenew', 'deleting']) expect(step.life).not.toHaveProperty(part);
  expect(said(step)).toEqual([['life-over', iso(41), 'gatehouse', { rule: 'group-not-found' }]]);
  expect([lives.isOver(step.life), lives.lifeFacts(step.life)['isGone']]).toEqual([true, true]);
});

describe('a renewal', () => {
  const by = { how: 'owner', by: rita, from: day(39) } as const;

  test('begins the time anew, and tells those who were told that it would end', () => {
    const step = lives.renewGroup(warned(), { ...by, reason: 'We fly on.' }, rules, day(39));
    expect(step?.life).toMatchObject({
      term: 2,
      life: { from: iso(39) },
      renewedBy: { id: 'r', name: 'Rita' },
      telling: { what: 'renewed' },
      due: iso(39),
    });
    expect(step?.life).not.toHaveProperty('toRenew');
    expect(said(step)).toEqual([['group-renewed', iso(39), 'r', { how: 'owner', reason: 'We fly on.' }]]);
  });

  test('that comes while the one before is still being told lets that go on: of the same end, from the same page', () => {
    const first = lives.renewGroup(expired(), by, rules, day(45));
    const page = first && lives.toldPage(first.life, 'next', rules, day(46));
    const telling = { what: 'renewed', of: 1, after: 'next' };
    expect(page?.life.telling).toEqual(telling);
    const use = { how: 'use', by: gatehouse, from: day(50) } as const;
    const second = page && lives.renewGroup(page.life, use, rules, day(50));
    expect([second?.life.term, second?.life.telling, second?.life.due]).toEqual([3, telling, iso(50)]);
    // one from before that was kept
    const { of: _of, ...old } = telling;
    const older = page && lives.renewGroup({ ...page.life, telling: { ...old, what: 'renewed' } }, use, rules, day(50));
    expect(older?.life.telling).toEqual(telling);
  });

  test('of a group of which nobody was told tells nobody; a person without a name is named by the id', () => {
    const nameless = { kind: 'person', id: 'x' } as const;
    const step = lives.renewGroup(born().life, { ...by, by: nameless, from: day(2) }, rules, day(2));
    expect([step?.life.telling, step?.life.renewedBy]).toEqual([undefined, { id: 'x', name: 'x' }]);
  });

  test.each([
    ['microsoft365', 'owner', true],
    ['microsoft365', 'administrator', true],
    ['microsoft365', 'use', undefined],
    ['microsoft365', 'policy', undefined],
    ['security', 'owner', undefined],
  ] as const)('of a %s group by %s is told to the directory: %s', (kind, how, toRenew) => {
    const step = lives.renewGroup(born(kind).life, { how, by: gatehouse, from: day(5) }, rules, day(5));
    expect([step?.life.toRenew, step?.life.renewedBy]).toEqual([toRenew, undefined]);
    if (step === undefined || toRenew === undefined) return;
    expect(step.life.due).toBe(iso(5));
    const known = lives.directoryRenewed(step.life, rules, day(5));
    expect([known.life.toRenew, known.life.due, known.entries]).toEqual([undefined, iso(12), []]);
  });

  test('can’t be while the group is deleted, nor by what is older than its time', () => {
    expect(lives.renewGroup({ ...warned(), deleting: true }, by, rules, day(39))).toBeUndefined();
    expect(lives.renewGroup(born().life, { ...by, from: day(-1) }, rules, day(39))).toBeUndefined();
    const deleted = lives.groupDeleted(expired(), day(51)).life;
    expect(lives.renewGroup(deleted, { ...by, from: day(52) }, rules, day(52))).toBeUndefined();
    const restored = lives.renewGroup(deleted, { ...by, from: day(52), isRestored: true }, rules, day(52));
    expect(restored?.life).toMatchObject({ term: 2, life: { from: iso(52) }, telling: { what: 'renewed' } });
    expect(said(restored)).toEqual([['group-renewed', iso(52), 'r', { how: 'owner', isRestored: true }]]);
  });
});

test('a use counts from an hour after the time began: a renewal of ours is none', () => {
  const { life } = born();
  expect(lives.wasUsed(life, undefined)).toBe(false);
  expect(lives.wasUsed(life, new Date(START.getTime() + 3_599_999))).toBe(false);
  expect(lives.wasUsed(life, new Date(START.getTime() + 3_600_000))).toBe(true);
});

test('what can’t be taken now is tried again, and counted; what only operations can mend waits for them', () => {
  const { life } = lives.postponeLife(warned(), 'mail', day(11));
  expect(life).toMatchObject({ waitingFor: 'mail', attempts: 1, due: iso(11) });
  expect(lives.postponeLife(life, 'directory', day(12)).life).toMatchObject({ waitingFor: 'directory', attempts: 2 });
  expect(lives.scheduled(life, rules, day(11))).toMatchObject({ waitingFor: null, attempts: 0 });
  const why = { rule: 'x', sentence: 'y' };
  const left = lives.leaveToOperations({ ...life, deleting: true }, why, day(12));
  expect(left.life).toMatchObject({ waitingFor: 'operations', why, due: null });
  expect(left.life).not.toHaveProperty('deleting');
  expect(said(left)).toEqual([['life-waits', iso(12), 'gatehouse', { rule: 'x' }]]);
  expect(lives.lifeFacts(left.life)).toMatchObject({ waitsForOperations: true });
  const again = lives.retryLife(left.life, rita, day(13));
  expect(again?.life).toMatchObject({ waitingFor: null, attempts: 0, due: iso(13) });
  expect(again?.life).not.toHaveProperty('why');
  expect(said(again)).toEqual([['life-retried', iso(13), 'r']]);
  expect(lives.retryLife(life, rita, day(13))).toBeUndefined();
  expect(lives.scheduled(left.life, rules, day(13))).not.toHaveProperty('why');
});

test('the end, and the end of the grace, are told only where there is one ahead', () => {
  expect(lives.endOf(warned(), rules)).toEqual(day(40));
  expect(lives.endOf(warned(), undefined)).toBeUndefined();
  expect(lives.endOf(expired(), rules)).toBeUndefined();
  expect(lives.endOf(lives.groupGone(warned(), day(11)).life, rules)).toBeUndefined();
  expect(lives.afterwardsIn(expired(), rules)).toEqual({ how: 'delete', at: iso(50) });
  expect(lives.afterwardsIn(warned(), rules)).toBeUndefined();
  expect(lives.afterwardsIn(expired(), undefined)).toBeUndefined();
  expect(lives.afterwardsIn(lives.groupKept(expired(), day(50)).life, rules)).toBeUndefined();
});
