import * as care from '../../../../shared/domain/ownerless';
import type { Care, CareChange } from '../../../../shared/domain/ownerless';

const START = new Date('2026-03-02T09:00:00Z');
const DAY = 86_400_000;
const after = (days: number): Date => new Date(START.getTime() + days * DAY);
const iso = (days: number): string => after(days).toISOString();
const group = { id: 'g', name: 'Design' };
const why = { rule: 'no-members-left', sentence: 'Nobody is left.' };

const found = (before?: Care, days = 0): Care => care.begin(group, before, after(days)).request;
const said = ({ entries }: CareChange): unknown[] =>
  entries.map(({ event, at, by, data }) => [event, at, by.kind, ...(data === undefined ? [] : [data])]);

test('a care begins with nobody asked, and is due at once', () => {
  const change = care.begin(group, undefined, START);
  expect(change.request).toEqual({
    id: 'g',
    group,
    state: 'found',
    shortage: 1,
    since: iso(0),
    letters: 0,
    round: 0,
    asked: [],
    due: iso(0),
  });
  expect(said(change)).toEqual([['care-began', iso(0), 'gatehouse']]);
  expect(care.careFacts(change.request)).toEqual({ groupId: 'g', state: 'found', shortage: 1, round: 0 });
});

test('another shortage asks members anew, and the only owner no sooner for it', () => {
  const asked = care.askOwner(found(), 'o', after(1)).request;
  const mended = care.endCare(asked, undefined, after(2)).request;
  const again = found(mended, 3);
  expect(again).toMatchObject({ shortage: 2, letters: 1, ownerAskedAt: iso(1), round: 0, asked: [], state: 'found' });
  expect(care.ownerMayBeAsked(again)).toEqual(after(31));
  expect(care.ownerMayBeAsked(found())).toEqual(new Date(0));
});

test('the only owner is asked with a letter that is counted, and then waits for thirty days', () => {
  const asking = care.askOwner(found(), 'o', after(1));
  expect(asking.request).toMatchObject({ state: 'one-owner', letters: 1, ownerAskedAt: iso(1) });
  expect(said(asking)).toEqual([['owner-asked', iso(1), 'gatehouse', { people: ['o'] }]]);
  const named = care.namesTogether(asking.request, ['h']);
  expect([named.request.together, named.entries]).toEqual([['h'], []]);
  expect(care.namesTogether(asking.request, []).request).toEqual(asking.request);
  const waiting = care.waitForOwner(named.request, after(1));
  expect([waiting.request.due, waiting.entries]).toEqual([iso(31), []]);
  const next = care.askOwner(waiting.request, 'o', after(31)).request;
  expect([next.letters, next.together]).toEqual([2, undefined]);
});

test('whoever was asked within the month and is the only owner again is waited for, and the trail says so', () => {
  const round = care.askMembers(care.askOwner(found(), 'o', after(1)).request, ['m'], after(2)).request;
  const waiting = care.waitForOwner(round, after(3));
  expect(waiting.request).toMatchObject({ state: 'one-owner', due: iso(31) });
  expect(said(waiting)).toEqual([['owner-asked', iso(3), 'gatehouse', { people: [] }]]);
});

test('a mail about another group counts as one about this, once, unless the owner was asked meanwhile', () => {
  const by = { care: 'h', letter: 3 };
  const change = care.askedWithAnother(found(), 'o', by, after(1));
  expect(change?.request).toMatchObject({ state: 'one-owner', letters: 0, ownerAskedAt: iso(1), due: iso(31) });
  expect(change && said(change)).toEqual([['owner-asked', iso(1), 'gatehouse', { people: ['o'], with: 'h' }]]);
  const asked = change?.request ?? found();
  expect([by, { ...by, letter: 4 }, { ...by, care: 'i' }].map((each) => care.isAskedWith(asked, each))).toEqual([
    true,
    false,
    false,
  ]);
  expect(care.isAskedWith(found(), by)).toBe(false);
  expect(care.askedWithAnother(asked, 'o', by, after(30))).toBeUndefined();
  expect(care.askedWithAnother(asked, 'o', by, after(31))?.request.ownerAskedAt).toBe(iso(31));
  expect(care.askedWithAnother(care.endCare(found(), why, after(1)).request, 'o', by, after(2))).toBeUndefined();
  // the next mail is its own again
  expect(care.askOwner(asked, 'o', after(31)).request).not.toHaveProperty('askedWith');
});

test('an owner whom the mail did not reach is left to operations until the next one may be written', () => {
  const asked = care.waitForOwner(care.askOwner(found(), 'o', after(1)).request, after(1)).request;
  const lost = care.ownerUnreachable(asked, after(2));
  expect(lost?.request).toMatchObject({ state: 'nobody-left', why: { rule: 'owner-unreachable' }, due: iso(31) });
  expect(lost?.request.why?.sentence).toMatch(/Add an owner\.$/);
  expect(lost && said(lost)).toEqual([['nobody-left', iso(2), 'gatehouse', { rule: 'owner-unreachable' }]]);
  expect(care.ownerUnreachable(found(), after(2))).toBeUndefined();
});

test('members are asked in rounds of a week, each of them once', () => {
  const first = care.askMembers(found(), ['a', 'b'], after(1));
  expect(first.request).toMatchObject({ state: 'no-owner', round: 1, roundAt: iso(1), asked: ['a', 'b'] });
  expect(said(first)).toEqual([['members-asked', iso(1), 'gatehouse', { round: 1, people: ['a', 'b'] }]]);
  expect([care.roundEnds(found()), care.roundEnds(first.request)]).toEqual([new Date(0), after(8)]);
  const waiting = care.waitForRound(first.request, after(1));
  expect([waiting.request.due, waiting.entries]).toEqual([iso(8), []]);
  const second = care.askMembers(waiting.request, ['c'], after(8)).request;
  expect([second.round, second.asked]).toEqual([2, ['a', 'b', 'c']]);
});

test('a round that was interrupted is waited for, and the trail says so', () => {
  const offered = care.seeOffer(
    care.askMembers(found(), ['a'], after(1)).request,
    { personId: 'a', changeId: 'c' },
    after(2),
  );
  expect(offered.request).toMatchObject({ state: 'offered', offer: { personId: 'a', changeId: 'c' }, due: iso(3) });
  expect(said(offered)).toEqual([['offer-seen', iso(2), 'gatehouse', { people: ['a'], changeId: 'c' }]]);
  const waiting = care.waitForRound(offered.request, after(3));
  expect([waiting.request.offer, waiting.request.due]).toEqual([undefined, iso(8)]);
  expect(said(waiting)).toEqual([['members-waited-for', iso(3), 'gatehouse']]);
});

test('an offer is told once, another one anew', () => {
  const offered = care.seeOffer(found(), { personId: 'a', changeId: 'c' }, after(1)).request;
  const again = care.seeOffer(offered, { personId: 'a', changeId: 'c' }, after(2));
  expect([again.request.due, again.entries]).toEqual([iso(3), []]);
  expect(care.seeOffer(offered, { personId: 'b', changeId: 'd' }, after(2)).entries).toHaveLength(1);
});

test('where nobody is left operations are told once for each reason, and it is looked at again in a week', () => {
  const left = care.nobodyLeft(found(), why, after(1));
  expect(left.request).toMatchObject({ state: 'nobody-left', why, due: iso(8) });
  expect(said(left)).toEqual([['nobody-left', iso(1), 'gatehouse', { rule: why.rule }]]);
  expect(care.nobodyLeft(left.request, why, after(8)).entries).toEqual([]);
  expect(care.nobodyLeft(left.request, { ...why, rule: 'members-hidden' }, after(8)).entries).toHaveLength(1);
  // what it waited for before is no reason any more
  expect(care.askMembers(left.request, ['a'], after(8)).request.why).toBeUndefined();
});

test('a care ends mended, or closed with the reason, and nothing is due of it', () => {
  const mended = care.endCare(care.nobodyLeft(found(), why, after(1)).request, undefined, after(2));
  expect([mended.request.state, mended.request.due, mended.request.why]).toEqual(['mended', null, undefined]);
  expect(said(mended)).toEqual([['care-ended', iso(2), 'gatehouse', {}]]);
  const closed = care.endCare(found(), why, after(2));
  expect([closed.request.state, closed.request.why, said(closed)]).toEqual([
    'closed',
    why,
    [['care-ended', iso(2), 'gatehouse', { rule: why.rule }]],
  ]);
  expect([found(), mended.request, closed.request].map(care.isInCare)).toEqual([true, false, false]);
});

test('it is looked at sooner only where it is in care and not due already', () => {
  const waiting = care.waitForRound(care.askMembers(found(), ['a'], START).request, START).request;
  expect(care.lookNow(waiting, after(1))).toEqual({ request: { ...waiting, due: iso(1) }, entries: [] });
  expect(care.lookNow({ ...waiting, due: null }, after(1))?.request.due).toBe(iso(1));
  expect(care.lookNow(waiting, after(7))).toBeUndefined();
  expect(care.lookNow(care.endCare(waiting, undefined, after(1)).request, after(2))).toBeUndefined();
  expect(care.postponeCare(waiting, after(2))).toEqual({ request: { ...waiting, due: iso(2) }, entries: [] });
});

test('a mail that was not sent after all asked about nothing that it names, and about nothing that another one asked', () => {
  const [own, other] = [
    { care: 'g', letter: 1 },
    { care: 'h', letter: 1 },
  ];
  const asked = care.namesTogether(care.askOwner(found(), 'o', after(1)).request, ['h']).request;
  const withdrawn = care.letterWithdrawn(asked, own, after(2));
  expect(withdrawn?.request).toEqual({ ...found(), letters: 1, due: iso(2) });
  expect(withdrawn && said(withdrawn)).toEqual([['owner-not-asked', iso(2), 'gatehouse']]);
  expect(care.letterWithdrawn(asked, { ...own, letter: 2 }, after(2))).toBeUndefined();
  const named = care.askedWithAnother(found(), 'o', other, after(1))?.request ?? found();
  expect(care.letterWithdrawn(named, other, after(2))?.request).toEqual({ ...found(), due: iso(2) });
  expect(care.letterWithdrawn(named, { care: 'g', letter: 0 }, after(2))).toBeUndefined();
  expect(care.letterWithdrawn(care.endCare(asked, undefined, after(2)).request, own, after(3))).toBeUndefined();
});
