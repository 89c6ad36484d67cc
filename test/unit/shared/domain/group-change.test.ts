import * as changes from '../../../../shared/domain/group-change';
import type { Asking, GroupChange, Step, Task } from '../../../../shared/domain/group-change';

const START = new Date('2026-03-02T09:00:00Z');
const DAY = 86_400_000;
const after = (days: number): Date => new Date(START.getTime() + days * DAY);
const iso = (days: number): string => after(days).toISOString();

const rita = { id: 'r', name: 'Rita' };
const omar = { id: 'o', name: 'Omar' };
const by = { kind: 'person', ...omar } as const;
const a = { id: 'a', displayName: 'A', mail: 'a@contoso.example' };
const b = { id: 'b', displayName: 'B', mail: 'b@contoso.example' };
const group = { id: 'g', name: 'Design' };
const wanted = { kind: 'security', displayName: 'Kites', purpose: 'Fun', owners: [rita, omar] } as const;
const create: Task = { kind: 'create', wanted: { ...wanted, owners: [...wanted.owners] } };
const approval = {
  approvers: [{ kind: 'manager' as const }],
  fallback: [],
  reminders: ['P5D', 'P2D'],
  deadline: 'P7D',
  people: [a, b],
};

const asking = (more: Partial<Asking> = {}): Asking => ({
  id: 'c',
  task: create,
  askedBy: rita,
  as: 'creator',
  ...more,
});
const approved = (more: Partial<Asking> = {}): GroupChange => changes.ask(asking(more), START).request;
const pending = (): GroupChange => approved({ approval });
const onPerson = (kind: 'add-owner' | 'remove-owner' | 'add-member' | 'remove-member' | 'hand-over', person = omar) =>
  approved({ task: { kind, person }, group, as: 'owner' });
const asked = (change: GroupChange, at = START): GroupChange =>
  changes.asked(change, { people: [a, b], asked: ['a', 'b'], reminded: [], unreachable: [], reminders: 0 }, at)
    ?.request ?? change;
const said = (step: Step | undefined): unknown[] =>
  (step?.entries ?? []).map(({ event, at, by: actor, data }) => [
    event,
    at,
    actor.id,
    ...(data === undefined ? [] : [data]),
  ]);
const why = { rule: 'x', sentence: 'y' };

test('what needs no approval is applied at once, what needs one waits for mail', () => {
  const step = changes.ask(asking({ reason: 'We need it.' }), START);
  expect(step.request).toEqual({
    id: 'c',
    task: create,
    askedBy: rita,
    as: 'creator',
    reason: 'We need it.',
    askedAt: iso(0),
    state: 'approved',
    waitingFor: 'directory',
    due: iso(0),
    told: false,
  });
  expect(step.entries).toEqual([
    {
      event: 'change-asked',
      at: iso(0),
      by: { kind: 'person', id: 'r', name: 'Rita' },
      data: { as: 'creator', reason: 'We need it.' },
    },
  ]);
  expect(pending()).toMatchObject({
    state: 'pending',
    waitingFor: 'mail',
    approval: { openedAt: iso(0), reminded: 0, people: [a, b] },
  });
  expect(said(changes.ask(asking(), START))).toEqual([['change-asked', iso(0), 'r', { as: 'creator' }]]);
});

test('the time to decide counts from the first mail, and each reminder comes once, the earliest first', () => {
  const before = pending().approval;
  if (before === undefined) throw new Error('no approval');
  expect([changes.deadlineOf(before), changes.remindersDue(before, after(9))]).toEqual([after(7), 0]);
  const step = changes.asked(
    pending(),
    { people: [a], asked: ['a'], reminded: [], unreachable: ['b'], reminders: 0 },
    after(1),
  );
  expect(step?.request).toMatchObject({
    waitingFor: 'decision',
    due: iso(3),
    approval: { people: [a], askedAt: iso(1), reminded: 0, unreachable: ['b'] },
  });
  expect(said(step)).toEqual([
    ['approvers-asked', iso(1), 'gatehouse', { people: ['a'] }],
    ['approvers-unreachable', iso(1), 'gatehouse', { people: ['b'] }],
  ]);
  const live = step?.request.approval ?? before;
  expect([2.9, 3, 5.9, 6].map((day) => changes.remindersDue(live, after(day)))).toEqual([0, 1, 1, 2]);
  const dueAfter = (reminders: number): string | null | undefined =>
    changes.asked(
      step?.request ?? pending(),
      { people: [a], asked: [], reminded: ['a'], unreachable: ['b'], reminders },
      after(3),
    )?.request.due;
  expect([dueAfter(1), dueAfter(2)]).toEqual([iso(6), iso(8)]);
});

test('nobody was mailed: it still waits for mail, and whoever can’t be reached is kept once', () => {
  const none = { people: [], asked: [], reminded: [], unreachable: ['a'], reminders: 0 };
  const once = changes.asked(pending(), none, after(1))?.request ?? pending();
  expect([once.waitingFor, once.due, once.approval?.askedAt]).toEqual(['mail', iso(7), undefined]);
  expect(changes.asked(once, none, after(2))?.request.approval?.unreachable).toEqual(['a']);
  expect(changes.asked(approved(), none, after(1))).toBeUndefined();
  const decided = changes.withdraw(pending(), by, after(1))?.request ?? pending();
  expect(changes.asked(decided, none, after(2))).toBeUndefined();
});

test('a mail that bounced makes others be looked for at once, where its reader was to decide', () => {
  const change = asked(pending());
  const step = changes.undelivered(change, 'a', 'Bounced', after(1));
  expect([step.request.due, step.request.approval?.unreachable]).toEqual([iso(1), ['a']]);
  expect(said(step)).toEqual([['mail-undelivered', iso(1), 'gatehouse', { people: ['a'], status: 'Bounced' }]]);
  expect(changes.undelivered(step.request, 'a', 'Bounced', after(2)).request.approval?.unreachable).toEqual(['a']);
  expect(changes.undelivered(change, 'r', 'Bounced', after(1)).request).toBe(change);
  expect(changes.undelivered(approved(), 'a', 'Bounced', after(1)).request).toEqual(approved());
  const done = changes.done(change, after(1)).request;
  expect(changes.undelivered(done, 'a', 'Bounced', after(2)).request).toBe(done);
});

test('the first decision counts, and no other after it', () => {
  const yes = changes.decide(asked(pending()), a, { choice: 'approve' }, after(1));
  expect(yes?.request).toMatchObject({ state: 'approved', waitingFor: 'directory', due: iso(1) });
  expect(yes?.request.approval?.decision).toEqual({ personId: 'a', name: 'A', choice: 'approve', at: iso(1) });
  expect(said(yes)).toEqual([['approved', iso(1), 'a']]);
  const no = changes.decide(asked(pending()), b, { choice: 'deny', comment: 'Not now.' }, after(1));
  expect(no?.request).toMatchObject({ state: 'denied', waitingFor: null, due: iso(1), told: false });
  expect(no?.request.approval?.decision?.comment).toBe('Not now.');
  expect(said(no)).toEqual([['denied', iso(1), 'b', { comment: 'Not now.' }]]);
  for (const { request } of [yes, no].filter((step) => step !== undefined)) {
    expect(changes.decide(request, b, { choice: 'deny' }, after(2))).toBeUndefined();
    expect(changes.withdraw(request, by, after(2))).toBeUndefined();
    expect(changes.expire(request, after(99))).toBeUndefined();
  }
  expect(changes.decide(approved(), a, { choice: 'approve' }, after(1))).toBeUndefined();
});

test('it is withdrawn or expires only while it is pending, and not a moment too soon', () => {
  const withdrawn = changes.withdraw(pending(), by, after(1));
  expect([withdrawn?.request.state, said(withdrawn)]).toEqual(['withdrawn', [['withdrawn', iso(1), 'o']]]);
  const change = asked(pending(), after(1));
  expect(changes.expire(change, after(7.99))).toBeUndefined();
  const expired = changes.expire(change, after(8));
  expect([expired?.request.state, said(expired)]).toEqual(['expired', [['expired', iso(8), 'gatehouse']]]);
  expect(changes.withdraw(approved(), by, after(1))).toBeUndefined();
  expect(changes.expire(approved(), after(99))).toBeUndefined();
});

test('what is written before the directory is changed is what a repeat sends', () => {
  const names = { displayName: 'Kites', mailNickname: 'kites' };
  const applying = changes.startApplying(approved(), { names }, after(1));
  expect(applying.request).toMatchObject({
    state: 'applying',
    applying: { names },
    waitingFor: 'directory',
    due: iso(1),
  });
  expect(said(applying)).toEqual([['applying', iso(1), 'gatehouse', names]]);
  const made = changes.created(applying.request, group, after(2));
  expect([made.request.group, made.request.state]).toEqual([group, 'applying']);
  expect(said(made)).toEqual([['group-created', iso(2), 'gatehouse', { groupId: 'g', displayName: 'Design' }]]);
  const done = changes.done(made.request, after(3));
  expect([done.request.state, done.request.due, said(done)]).toEqual([
    'done',
    iso(3),
    [['applied', iso(3), 'gatehouse']],
  ]);
});

test('a change that failed waits for operations once its asker was told so, and everything is looked at anew when it is tried again', () => {
  const applying = changes.startApplying(onPerson('add-owner'), { wasMember: true }, after(1)).request;
  const failed = changes.fail(applying, why, after(2));
  expect(failed.request).toMatchObject({ state: 'failed', why, waitingFor: 'operations', due: iso(2) });
  expect(said(failed)).toEqual([['failed', iso(2), 'gatehouse', { rule: 'x' }]]);
  expect([changes.isOpen(failed.request), changes.isToTell(failed.request)]).toEqual([true, true]);
  const told = changes.tell(failed.request, after(3), { told: ['r'] });
  expect([told.request.due, told.request.told, told.entries]).toEqual([null, false, []]);
  expect(changes.isToTell(told.request)).toBe(false);
  const again = changes.retry(told.request, by, after(4));
  expect(again?.request).toMatchObject({ state: 'approved', waitingFor: 'directory', due: iso(4) });
  for (const part of ['why', 'applying']) expect(again?.request).not.toHaveProperty(part);
  expect(said(again)).toEqual([['retried', iso(4), 'o']]);
  expect(changes.retry(applying, by, after(4))).toBeUndefined();
});

test('of a group that stands only what is missing is done when its creation is tried again', () => {
  const made = changes.created(changes.startApplying(approved(), {}, after(1)).request, group, after(1)).request;
  const failed = changes.fail(made, why, after(2)).request;
  expect(changes.retry(failed, by, after(3))?.request).toMatchObject({ state: 'applying', applying: {} });
});

test('an outcome is told once, and then nothing is due', () => {
  const over = changes.cancel(pending(), why, after(1), by);
  expect([over.request.state, over.request.why, said(over)]).toEqual([
    'cancelled',
    why,
    [['cancelled', iso(1), 'o', why]],
  ]);
  expect([changes.isOpen(over.request), changes.isToTell(over.request)]).toEqual([false, true]);
  const told = changes.tell(over.request, after(2), { told: ['r'] });
  expect([told.request.due, told.request.told, changes.isToTell(told.request)]).toEqual([null, true, false]);
  expect(said(told)).toEqual([['outcome-told', iso(2), 'gatehouse', { told: ['r'] }]]);
  expect(said(changes.cancel(pending(), why, after(1)))[0]).toContain('gatehouse');
});

test('each state is open, or to be told of', () => {
  const states = [
    'pending',
    'approved',
    'applying',
    'failed',
    'done',
    'denied',
    'withdrawn',
    'expired',
    'cancelled',
  ] as const;
  const open = states.filter((state) => changes.isOpen({ ...approved(), state }));
  expect(open).toEqual(['pending', 'approved', 'applying', 'failed']);
  const toTell = states.filter((state) => changes.isToTell({ ...approved(), state }));
  expect(toTell).toEqual(['failed', 'done', 'denied', 'withdrawn', 'expired', 'cancelled']);
});

test('a step that can’t be taken now says what it waits for, and nothing is told of it', () => {
  expect(changes.postpone(approved(), 'directory', after(1))).toEqual({
    request: { ...approved(), waitingFor: 'directory', due: iso(1) },
    entries: [],
  });
});

test('whoever leaves does so by themselves; nobody leaves for another, or comes by themselves', () => {
  expect(changes.isOwn(onPerson('remove-member', rita))).toBe(true);
  expect(changes.isOwn(onPerson('remove-owner', rita))).toBe(true);
  expect(changes.isOwn(onPerson('remove-owner'))).toBe(false);
  expect(changes.isOwn(onPerson('remove-member'))).toBe(false);
  expect(changes.isOwn(onPerson('add-owner', rita))).toBe(false);
  expect(changes.isOwn(approved())).toBe(false);
});

test('the trail keeps whom and what a change is about', () => {
  expect(changes.personOf(create)).toBeUndefined();
  expect(changes.personOf({ kind: 'describe', displayName: 'Kites' })).toBeUndefined();
  expect(changes.personOf({ kind: 'hand-over', person: omar })).toBe(omar);
  expect(changes.changeFacts(onPerson('add-owner'))).toEqual({
    state: 'approved',
    kind: 'add-owner',
    groupId: 'g',
    personId: 'o',
  });
  expect(changes.changeFacts(approved())).toEqual({
    state: 'approved',
    kind: 'create',
    groupKind: 'security',
    displayName: 'Kites',
    owners: ['r', 'o'],
  });
  const expiring: Task = { kind: 'create', wanted: { ...wanted, owners: [rita], expires: 'P90D' } };
  expect(changes.changeFacts(approved({ task: expiring }))).toMatchObject({ expires: 'P90D', owners: ['r'] });
  const described = (task: Task) => changes.changeFacts(approved({ task, group, as: 'owner' }));
  const about = { state: 'approved', kind: 'describe', groupId: 'g' };
  expect(described({ kind: 'describe', displayName: 'K', description: 'D' })).toEqual({
    ...about,
    displayName: 'K',
    description: 'D',
  });
  expect(described({ kind: 'describe', description: null })).toEqual(about);
});
