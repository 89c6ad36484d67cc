import { groups, people } from '../../local/demo-tenant';
import { openBrowser, signIn } from '../../local/stack/actors';
import { tableClient } from '../http/stack/tools';
import { DAY, FALLBACK, openLivesHouse } from './group-lives-house';
import type { LivesHouse } from './group-lives-house';
import { reconciling } from './reconciling';
import { withoutTimers } from './house';

/** From a group's creation to its end: warnings, renewal, expiry, and what comes after. */
let house: LivesHouse;

const LIFETIME = { lifetime: 'P40D', grace: 'P10D' };

async function setRules(fallbackAddress: string | undefined): Promise<void> {
  const answer = await house.rules({
    security: { lifetime: { ...LIFETIME, afterwards: 'keep' } },
    microsoft365: { lifetime: { ...LIFETIME, afterwards: 'delete' } },
    ...(fallbackAddress !== undefined && { fallbackAddress }),
  });
  if (answer.status !== 200) throw new Error(answer.text);
}

beforeAll(async () => {
  house = await openLivesHouse({ env: withoutTimers('auditSeal', 'housekeeping') });
  await setRules(FALLBACK);
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const warnedBetween = (groupId: string, from: number, to: number) => async (): Promise<void> => {
  const { from: born, warnedAt = '' } = await house.life(groupId);
  const days = (new Date(warnedAt).getTime() - new Date(born).getTime()) / DAY;
  expect(days).toBeGreaterThanOrEqual(from);
  expect(days).toBeLessThan(to);
};
/** Lets the three warnings go out, each at its time. */
async function warnedThrice(groupId: string): Promise<void> {
  for (const days of [10, 25, 39]) {
    await house.at(groupId, days, ({ from, warnedAt }) => since(from, warnedAt) >= days);
    await warnedBetween(groupId, days, days + 0.1)();
  }
}
const since = (from: string, at: string | undefined): number =>
  at === undefined ? -1 : (new Date(at).getTime() - new Date(from).getTime()) / DAY;
const hasExpired = ({ state }: { state: string }): boolean => state === 'expired';

test('owners are warned 30, 15 and 1 day before the end, once each, and one of them renews it on the page', async () => {
  const id = await house.born('rita', 'Kite Flyers');
  const born = await house.life(id, 'rita');
  expect(born).toMatchObject({ state: 'lives', afterwards: 'keep', renewable: true });
  expect(since(born.from, born.expiresAt)).toBe(40);
  expect((await house.life(id, 'ravi')).renewable).toBe(false);
  await warnedThrice(id);
  for (const owner of ['rita', 'mona'] as const) {
    const subjects = await house.lifeMails(id, owner);
    // the last one gives a whole day to answer: it may name an end some seconds later
    expect(subjects).toHaveLength(3);
    for (const subject of subjects) expect(subject).toMatch(/^Kite Flyers expires on /);
  }
  expect(await house.lifeMails(id, 'fallback')).toEqual([]);

  // a scanner, and somebody else who is signed in, change nothing and are told nothing
  const path = `/api/group-renewals/${id}`;
  const scanner = openBrowser(house.stack.urls.frontDoor);
  for (let left = 3; left > 0; left -= 1) expect((await scanner.get(path)).text).not.toContain('Kite Flyers');
  const stranger = await house.followLink(id, 'mona', { as: 'ravi' });
  expect(stranger.text).toContain('This link is for another account');
  expect(stranger.text).not.toContain('Kite Flyers');
  const unknown = await house.followLink(id, 'mona');
  expect(unknown.text).toContain('Renew it if it is still needed.');
  expect((await house.life(id)).from).toBe(born.from);

  const receipt = await house.followLink(id, 'mona', { confirm: true });
  expect(receipt.text).toContain('Kite Flyers goes on');
  const renewed = await house.life(id);
  expect(since(renewed.from, renewed.expiresAt)).toBe(40);
  expect(since(born.from, renewed.from)).toBeGreaterThan(39);
  expect(renewed.warnedAt).toBeUndefined();
  // the other owner is told, whoever did it is not
  expect((await house.untilMails(id, 'rita', 4)).at(-1)).toBe('Kite Flyers goes on');
  expect(await house.lifeMails(id, 'mona')).toHaveLength(3);
  // who did what, and why, stands in the group's own trail
  const trail = await Promise.all(
    (
      [
        ['life-begun', 1],
        ['owners-warned', 3],
        ['group-renewed', 1],
      ] as const
    ).map(([event, times]) => house.untilTrail(id, event, times)),
  );
  expect(trail.map((entries) => entries.map(({ by }) => by.id))).toEqual([
    [people.rita.id],
    ['gatehouse', 'gatehouse', 'gatehouse'],
    [people.mona.id],
  ]);
  // the new life has warnings of its own
  await house.at(id, 10, ({ from, warnedAt }) => since(from, warnedAt) >= 10);
  expect(await house.lifeMails(id, 'mona')).toHaveLength(4);
});

test('a form that was not sent from our page renews nothing', async () => {
  const id = await house.born('rita', 'Forgers');
  await house.at(id, 10, ({ warnedAt }) => warnedAt !== undefined);
  const before = await house.life(id);
  const page = await house.followLink(id, 'rita');
  expect(page.status).toBe(200);
  const { browser } = await signIn(house.stack.urls, 'rita');
  const forged = await browser.post(`/api/group-renewals/${id}`, { token: 'x'.repeat(22) });
  expect([forged.status, forged.text]).toEqual([403, expect.stringContaining('Nothing was changed')]);
  expect(await house.life(id)).toEqual(before);
});

test('it is renewed by API, by an owner or an administrator, and a stranger finds no such group', async () => {
  const id = await house.born('rita', 'Chess Club');
  await house.at(id, 5, () => true);
  const byOwner = await house.renew('rita', id, { reason: 'We still play.' });
  expect([byOwner.status, byOwner.json]).toEqual([
    200,
    expect.objectContaining({ id, lifetime: expect.objectContaining({ state: 'lives', renewable: true }) as unknown }),
  ]);
  // the same click again
  const again = await house.renew('mona', id);
  expect((again.json as { lifetime: unknown }).lifetime).toEqual((byOwner.json as { lifetime: unknown }).lifetime);
  house.stack.clock.advance(DAY);
  const byAdministrator = await house.renew('adele', id);
  expect(since((await house.life(id)).from, new Date(house.stack.clock.now()).toISOString())).toBeLessThan(0.1);
  expect(byAdministrator.status).toBe(200);

  const [theirs, none] = await Promise.all([
    house.renew('ravi', id),
    house.renew('ravi', '00000000-0000-4000-8000-000000000000'),
  ]);
  const plain = (answer: typeof theirs): unknown => ({ ...(answer.json as object), correlationId: '' });
  expect([theirs.status, plain(theirs)]).toEqual([404, plain(none)]);
  expect(theirs.json).toMatchObject({ detail: 'There is no group of this id that you can renew.' });
  expect((await house.renew('otto', id)).status).toBe(404);

  const elsewhere = await house.renew('olivia', groups.design.id);
  expect([elsewhere.status, elsewhere.json]).toEqual([
    409,
    expect.objectContaining({ type: expect.stringMatching(/\/problems\/group-never-expires$/) as unknown }),
  ]);
});

test('nobody renews it: members are told, it is closed to requests until an owner does, and everyone is told that', async () => {
  const id = await house.born('rita', 'Brass Band');
  const member = await house.manage('rita', id, { kind: 'add-member', person: people.maja.id });
  expect((await house.settled(member)).state).toBe('done');
  await warnedThrice(id);
  const pending = await house.filed(id, 'ravi');
  await house.until(pending, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  await house.untilAsleep(pending, 'pending');

  const over = await house.at(id, 40, hasExpired);
  expect(over).toMatchObject({ afterwards: 'keep', renewable: true });
  await house.untilMails(id, 'maja', 1);
  expect(await house.lifeMails(id, 'maja')).toEqual(['Brass Band has expired']);
  expect((await house.untilMails(id, 'rita', 4)).at(-1)).toBe('Brass Band has expired');
  const refused = await house.file(id, 'chen');
  expect([refused.status, refused.json]).toEqual([
    409,
    expect.objectContaining({ type: expect.stringMatching(/\/problems\/group-has-expired$/) as unknown }),
  ]);
  const shown = (await (await house.as('ravi')).call('GET', `/api/groups/${id}`)).json;
  expect(shown).toMatchObject({ selfService: { open: false, rule: 'group-has-expired' } });

  // its reminder is the next step of what was asked before
  house.stack.clock.advance(3 * DAY);
  const ended = await house.untilTold(pending);
  expect([ended.state, ended.reason?.rule]).toEqual(['cancelled', 'group-has-expired']);

  const kept = await house.at(id, 51, ({ state }) => state === 'kept');
  expect([kept.renewable, await house.isThere(id)]).toEqual([true, true]);
  expect((await house.file(id, 'chen')).status).toBe(409);

  expect((await house.renew('mona', id)).status).toBe(200);
  expect((await house.untilMails(id, 'maja', 2)).at(-1)).toBe('Brass Band goes on');
  expect((await house.file(id, 'chen')).status).toBe(202);
});

test('a group whose policy says so is deleted after the grace, its owners are told, and once restored it is renewed', async () => {
  const id = await house.born('rita', 'Film Society', { kind: 'microsoft365' });
  await warnedThrice(id);
  await house.at(id, 40, hasExpired);
  await house.untilMails(id, 'mona', 4);
  house.stack.clock.advance(11 * DAY);
  expect((await house.untilMails(id, 'mona', 5)).at(-1)).toBe('Film Society was deleted');
  expect((await house.untilMails(id, 'rita', 5)).at(-1)).toBe('Film Society was deleted');
  expect(await house.isThere(id)).toBe(false);
  const [[ended], [deleted]] = [
    await house.untilTrail(id, 'group-expired'),
    await house.untilTrail(id, 'group-deleted'),
  ];
  expect(since(ended?.at ?? '', deleted?.at)).toBeGreaterThanOrEqual(10);
  const late = await house.renew('mona', id);
  expect([late.status, late.json]).toEqual([
    409,
    expect.objectContaining({ type: expect.stringMatching(/\/problems\/group-was-deleted$/) as unknown }),
  ]);
  expect((await house.renew('ravi', id)).status).toBe(404);

  await house.change({ type: 'restoreGroup', id });
  house.stack.clock.advance(DAY);
  expect((await house.file(id, 'chen')).status).toBe(409);
  expect((await house.renew('mona', id)).status).toBe(200);
  expect(await house.life(id)).toMatchObject({ state: 'lives', renewable: true });
  expect((await house.file(id, 'chen')).status).toBe(202);
});

test('Microsoft 365 is told of a renewal, and a group that it saw in use begins its time anew', async () => {
  await house.change({
    type: 'setLifecyclePolicy',
    policy: { groupLifetimeInDays: 400, managedGroupTypes: 'All' },
  });
  const id = await house.born('ravi', 'Tinkerers', { kind: 'microsoft365' });
  await house.at(id, 10, ({ warnedAt }) => warnedAt !== undefined);
  await house.clearFaults();
  expect((await house.renew('ravi', id)).status).toBe(200);
  const renewedAt = new Date(house.stack.clock.now()).getTime();
  await house.untilAnswered('directory', { method: 'POST', path: /\/groups\/[^/]+\/renew$/, status: 204 });
  const { from } = await house.life(id);

  // somebody works with it a week later: Microsoft 365 moves its own date on
  const used = new Date(renewedAt + 8 * DAY).toISOString();
  house.stack.clock.advance(8 * DAY + 60_000);
  await house.change({ type: 'patchGroup', id, patch: { renewedDateTime: used } });
  const anew = await house.at(id, 10, (life) => life.from !== from);
  expect([anew.from, anew.warnedAt]).toEqual([used, undefined]);
  expect((await house.lifeMails(id, 'mona')).filter((subject) => subject.includes('expires on'))).toHaveLength(1);
  await house.change({ type: 'setLifecyclePolicy', policy: null });
});

test('without a policy of the tenant a renewal of a Microsoft 365 group stands all the same', async () => {
  const id = await house.born('ravi', 'Glass Blowers', { kind: 'microsoft365' });
  house.stack.clock.advance(DAY);
  await house.clearFaults();
  expect((await house.renew('mona', id)).status).toBe(200);
  await house.untilAnswered('directory', { method: 'POST', path: /\/groups\/[^/]+\/renew$/, status: 400 });
  await house.at(id, 10, ({ warnedAt }) => warnedAt !== undefined);
  expect(await house.waiting()).toEqual([]);
});

test('where mail reaches no owner the fallback address is warned and told, and an administrator renews it', async () => {
  const id = await house.born('nora', 'Night Watch', { owners: [people.zoe.id] });
  await house.change({ type: 'patchUser', id: people.zoe.id, patch: { accountEnabled: false } });
  await house.at(id, 10, ({ warnedAt }) => warnedAt !== undefined);
  expect(await house.lifeMails(id, 'fallback')).toEqual([expect.stringMatching(/^Night Watch expires on/)]);
  expect(await house.lifeMails(id, 'zoe')).toEqual([]);
  await house.at(id, 40.5, ({ warnedAt, from }) => since(from, warnedAt) > 40);
  await house.at(id, 42, hasExpired);
  expect((await house.untilMails(id, 'fallback', 3)).at(-1)).toBe('Night Watch has expired');
  expect((await house.renew('adele', id)).status).toBe(200);
  expect((await house.untilMails(id, 'fallback', 4)).at(-1)).toBe('Night Watch goes on');
  await house.change({ type: 'patchUser', id: people.zoe.id, patch: { accountEnabled: true } });
});

test('whoever is at the fallback address was warned, and is told when the group is renewed before its end', async () => {
  const id = await house.born('nora', 'Early Birds', { owners: [people.zoe.id] });
  await house.change({ type: 'patchUser', id: people.zoe.id, patch: { accountEnabled: false } });
  await house.at(id, 10, ({ warnedAt }) => warnedAt !== undefined);
  expect((await house.renew('adele', id)).status).toBe(200);
  expect(await house.untilMails(id, 'fallback', 2)).toEqual([
    expect.stringMatching(/^Early Birds expires on/),
    'Early Birds goes on',
  ]);
  await house.change({ type: 'patchUser', id: people.zoe.id, patch: { accountEnabled: true } });
});

test('while the mail service is down nothing is lost, and what is sent then says what is true', async () => {
  const id = await house.born('rita', 'Lighthouse');
  await house.at(id, 25, ({ warnedAt }) => warnedAt !== undefined);
  await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
  const { from } = await house.life(id);
  house.stack.clock.set(new Date(new Date(from).getTime() + 39 * DAY));
  // other groups have mails of their own in these nights
  const refused = { method: 'POST', path: /emails:send/, status: 503, body: /Lighthouse expires on/ };
  const attempts = await house.untilAnswered('mail', refused);
  // three days later the time is over, and nobody could be warned a day before
  house.stack.clock.advance(3 * DAY);
  await house.untilAnswered('mail', refused, attempts + 1);
  // Graph misses the group for a moment: however often the mail had to wait, that is no group that is gone
  const missing = {
    kind: 'answer',
    status: 404,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: { code: 'Request_ResourceNotFound', message: `Resource '${id}' does not exist.` } }),
  };
  await house.fault('directory', { method: 'GET', path: `groups/${id}\\?`, times: 1, fault: missing });
  await house.untilAnswered('directory', { method: 'GET', path: new RegExp(`groups/${id}`), status: 404 });
  expect((await house.life(id)).state).toBe('lives');
  await house.clearFaults();
  const warned = await house.untilLife(id, (life) => since(life.from, life.warnedAt) >= 42);
  expect(await house.lifeMails(id, 'rita')).toHaveLength(2);
  const told = (await house.lifeMails(id, 'rita')).at(-1) ?? '';
  expect(since(warned.warnedAt ?? '', warned.expiresAt)).toBe(1);
  expect(told).toContain(`, ${(warned.expiresAt ?? '').slice(11, 16)} UTC`);
  house.stack.clock.advance(1.1 * DAY);
  await house.untilLife(id, hasExpired);
});

test('renewed once more before everyone was told of the first time, a group goes on for everyone who was told that it ended', async () => {
  const id = await house.born('rita', 'Night Owls');
  const member = await house.manage('rita', id, { kind: 'add-member', person: people.maja.id });
  expect((await house.settled(member)).state).toBe('done');
  await warnedThrice(id);
  await house.at(id, 40, hasExpired);
  await house.untilMails(id, 'maja', 1);
  await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
  expect((await house.renew('mona', id)).status).toBe(200);
  const refused = { method: 'POST', path: /emails:send/, status: 503, body: /Night Owls goes on/ };
  await house.untilAnswered('mail', refused);
  house.stack.clock.advance(DAY);
  expect((await house.renew('adele', id)).status).toBe(200);
  const { from } = await house.life(id);
  await house.clearFaults();
  expect(await house.untilMails(id, 'maja', 2)).toEqual(['Night Owls has expired', 'Night Owls goes on']);
  expect((await house.untilMails(id, 'rita', 5)).filter((subject) => subject === 'Night Owls goes on')).toHaveLength(1);
  expect(since(from, (await house.life(id)).expiresAt)).toBe(40);
});

test('a group that somebody deleted in Entra is left alone, quietly', async () => {
  const id = await house.born('rita', 'Mayflies');
  await house.change({ type: 'deleteGroup', id });
  house.stack.clock.advance(11 * DAY);
  const [over] = await house.untilTrail(id, 'life-over');
  expect(over?.by.kind).toBe('gatehouse');
  expect(await house.lifeMails(id, 'rita')).toEqual([]);
});

test('a permission that is missing when the group shall be deleted waits for operations, who try again', async () => {
  const id = await house.born('ravi', 'Cartographers', { kind: 'microsoft365' });
  await warnedThrice(id);
  await house.at(id, 40, hasExpired);
  await house.untilMails(id, 'ravi', 4);
  await house.fault('directory', {
    method: 'DELETE',
    path: `groups/${id}$`,
    fault: {
      kind: 'answer',
      status: 403,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges.' } }),
    },
  });
  house.stack.clock.advance(11 * DAY);
  expect(await house.untilWaiting(id)).toBe('Authorization_RequestDenied');
  expect(await house.isThere(id)).toBe(true);
  // it can be renewed meanwhile, and the next deletion is not in the way of that
  expect((await house.life(id, 'ravi')).renewable).toBe(true);
  await house.clearFaults();
  const retried = await house.operations.call('POST', `/api/ops/group-lives/${id}/retry`);
  expect(retried.status).toBe(202);
  expect((await house.untilMails(id, 'ravi', 5)).at(-1)).toBe('Cartographers was deleted');
  expect(await house.isThere(id)).toBe(false);
  expect((await house.operations.call('POST', `/api/ops/group-lives/${id}/retry`)).status).toBe(409);
});

test('a group of which nobody can be warned does not expire unwarned: it waits for operations, who give the policy an address', async () => {
  const id = await house.born('nora', 'Unheard', { owners: [people.zoe.id] });
  await setRules(undefined);
  await house.change({ type: 'patchUser', id: people.zoe.id, patch: { accountEnabled: false } });
  const { from } = await house.life(id);
  house.stack.clock.set(new Date(new Date(from).getTime() + 10.1 * DAY));
  expect(await house.untilWaiting(id)).toBe('nobody-to-warn');
  house.stack.clock.advance(40 * DAY);
  await reconciling(house.stack, house.operations).reconciled();
  expect((await house.life(id)).state).toBe('lives');
  await setRules(FALLBACK);
  expect((await house.operations.call('POST', `/api/ops/group-lives/${id}/retry`)).status).toBe(202);
  expect((await house.untilMails(id, 'fallback', 1))[0]).toMatch(/^Unheard expires on/);
  await house.change({ type: 'patchUser', id: people.zoe.id, patch: { accountEnabled: true } });
});

test('a renewal that comes while the group is about to be deleted wins, and the group stays', async () => {
  const id = await house.born('ravi', 'Last Minute', { kind: 'microsoft365' });
  await warnedThrice(id);
  await house.at(id, 40, hasExpired);
  await house.untilMails(id, 'ravi', 4);
  // the directory can’t be asked any more whether it may be deleted
  await house.fault('directory', { method: 'GET', path: `groups/${id}`, fault: { kind: 'answer', status: 503 } });
  house.stack.clock.advance(11 * DAY);
  await house.untilAnswered('directory', { method: 'GET', path: new RegExp(`groups/${id}`), status: 503 });
  await house.clearFaults();
  expect((await house.renew('ravi', id)).status).toBe(200);
  house.stack.clock.advance(DAY);
  await house.untilLife(id, ({ state }) => state === 'lives');
  expect(await house.isThere(id)).toBe(true);
});

test('a warning that reached none of the owners after all goes to the fallback address; one that reached one of them does not', async () => {
  const id = await house.born('rita', 'Dead Letters');
  await house.at(id, 10, ({ warnedAt }) => warnedAt !== undefined);
  const [toRita, toMona] = await Promise.all(
    (['rita', 'mona'] as const).map(async (owner) => (await house.lifeLetters(id, owner)).at(-1)),
  );
  if (toRita === undefined || toMona === undefined) throw new Error('an owner was not warned');
  await house.reportBounce(toMona, people.mona.mail ?? '');
  house.stack.clock.advance(3 * 60_000);
  expect((await house.life(id)).warnedAt).toBeDefined();
  expect(await house.lifeMails(id, 'fallback')).toEqual([]);

  await house.reportBounce(toRita, people.rita.mail ?? '');
  // and Event Grid says so twice
  await house.reportBounce(toRita, people.rita.mail ?? '');
  expect(await house.untilMails(id, 'fallback', 1)).toEqual([expect.stringMatching(/^Dead Letters expires on/)]);
  await house.untilTrail(id, 'owners-warned', 2);
  expect((await house.untilTrail(id, 'warning-lost')).length).toBe(1);
  // the next one is tried with the owners again
  await house.at(id, 25, ({ from, warnedAt }) => since(from, warnedAt) >= 25);
  expect([(await house.lifeMails(id, 'rita')).length, (await house.lifeMails(id, 'fallback')).length]).toEqual([2, 1]);
  // a late report of an earlier warning changes nothing
  const [fallback] = await house.lifeLetters(id, 'fallback');
  if (fallback === undefined) throw new Error('nobody was warned');
  await house.reportBounce(fallback, FALLBACK);
  expect(await house.untilTrail(id, 'warning-lost')).toHaveLength(1);
});

test('while the directory deletes a group it can’t be renewed, and the answer says what to do', async () => {
  const id = await house.born('ravi', 'Point of No Return', { kind: 'microsoft365' });
  await warnedThrice(id);
  await house.at(id, 40, hasExpired);
  await house.untilMails(id, 'ravi', 4);
  const refused = { method: 'DELETE', path: `groups/${id}$`, fault: { kind: 'answer', status: 503 } };
  await house.fault('directory', refused);
  house.stack.clock.advance(11 * DAY);
  await house.untilAnswered('directory', { method: 'DELETE', path: new RegExp(`groups/${id}`), status: 503 });
  const { status, json } = await house.renew('ravi', id);
  expect([status, json]).toEqual([
    409,
    expect.objectContaining({ type: expect.stringContaining('group-is-being-deleted') as unknown }),
  ]);
  await house.clearFaults();
  expect((await house.untilMails(id, 'ravi', 5)).at(-1)).toBe('Point of No Return was deleted');
  expect(await house.isThere(id)).toBe(false);
});

test('a lifetime of its own is at most what the policy says; where there is none, it is the group’s own', async () => {
  const refused = await house.create('rita', {
    kind: 'security',
    displayName: 'Too Long',
    purpose: 'x',
    owners: [people.mona.id],
    expires: 'P41D',
  });
  expect([refused.status, refused.json]).toEqual([
    400,
    expect.objectContaining({
      errors: [{ pointer: '/expires', detail: expect.stringContaining('P40D at most') as unknown }],
    }),
  ]);
  const short = await house.create('rita', { kind: 'security', displayName: 'x', purpose: 'x', expires: 'PT1H' });
  expect(JSON.stringify(short.json)).toContain('Give P1D or more');

  const id = await house.born('rita', 'Conference 2027', { expires: 'P20D' });
  const life = await house.life(id);
  expect(since(life.from, life.expiresAt)).toBe(20);
  await house.at(id, 5, ({ warnedAt }) => warnedAt !== undefined);
  expect(await house.lifeMails(id, 'rita')).toHaveLength(1);
});

test('the end of a group to which nothing points any more is not forgotten: the night puts it back', async () => {
  const id = await house.born('rita', 'Pointless Points');
  const open = tableClient(house.stack, 'open');
  const lost: string[] = [];
  for await (const { partitionKey, rowKey } of open.listEntities()) {
    if (!String(rowKey).endsWith(`_life_${id}`)) continue;
    lost.push(String(rowKey));
    await open.deleteEntity(String(partitionKey), String(rowKey));
  }
  expect(lost).toHaveLength(1);
  const found = await reconciling(house.stack, house.operations).reconciled();
  expect([found.lives > 0, found.openRows]).toEqual([true, 1]);
  // only the row that was lost tells that a warning is due
  await house.at(id, 10, (life) => life.warnedAt !== undefined);
  expect(await house.lifeMails(id, 'mona')).toHaveLength(1);
});

test('a group that expired is open again once no policy gives groups of its kind an end', async () => {
  const id = await house.born('rita', 'Evergreen');
  await warnedThrice(id);
  await house.at(id, 40.5, hasExpired);
  await house.untilMails(id, 'rita', 4);
  expect((await house.file(id, 'ravi')).status).toBe(409);
  expect((await house.rules({ fallbackAddress: FALLBACK })).status).toBe(200);
  // a changed policy reaches each group within a week
  house.stack.clock.advance(7 * DAY);
  const open = await house.untilLife(id, ({ state }) => state !== 'expired');
  expect([open.state, open.expiresAt]).toEqual(['lives', undefined]);
  expect((await house.untilMails(id, 'rita', 5)).at(-1)).toBe('Evergreen goes on');
  const [renewed] = await house.untilTrail(id, 'group-renewed');
  expect(renewed?.by.kind).toBe('gatehouse');
  expect((await house.file(id, 'ravi')).status).toBe(202);
});
