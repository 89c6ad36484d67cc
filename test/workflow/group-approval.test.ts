import { people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { hiddenField, mailsTo, signIn } from '../../local/stack/actors';
import { openGroupsHouse, wish } from './own-groups-house';
import type { Change, GroupsHouse } from './own-groups-house';
import { QUIET_NIGHTS } from './house';

/** Groups that somebody must approve before they are created. */
let house: GroupsHouse;

const DAY = 86_400_000;

beforeAll(async () => {
  house = await openGroupsHouse({ env: QUIET_NIGHTS });
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

async function policy(approval: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<void> {
  const adele = await house.as('adele');
  const etag = (await adele.call('GET', '/api/policies/creation')).headers.get('etag') ?? '';
  const answer = await adele.call(
    'PUT',
    '/api/policies/creation',
    { security: { approval }, ...more },
    { 'if-match': etag },
  );
  if (answer.status !== 200) throw new Error(answer.text);
}

const byPeople = (...aliases: PersonAlias[]) => ({
  approvers: [{ kind: 'people', ids: aliases.map((alias) => people[alias].id) }],
});

/** Asks for a group, and waits until somebody was asked to decide. */
async function asked(person: PersonAlias, name: string, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await house.create(person, wish(name, more));
  if (answer.status !== 202) throw new Error(answer.text);
  const { id } = answer.json as Change;
  await house.untilChange(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  return id;
}

async function linkOf(id: string, person: PersonAlias): Promise<string> {
  const mail = (await mailsTo(house.stack.urls, person)).find((each) => (each.plainText ?? '').includes(id));
  const link = /https?:\/\/\S+\/api\/group-decisions\/[A-Za-z0-9_-]{22}/.exec(mail?.plainText ?? '')?.[0];
  if (link === undefined) throw new Error(`${person} was not asked about ${id}`);
  return new URL(link).pathname;
}

const decide = async (id: string, person: PersonAlias, decision: 'approve' | 'deny', comment = '') => {
  const link = await linkOf(id, person);
  const { browser, page } = await signIn(house.stack.urls, person, link);
  return browser.post(link, { decision, comment, token: hiddenField(page.text, 'token') });
};
const told = (id: string): Promise<Change> =>
  house.untilChange(id, ({ timeline }) => timeline.some(({ event }) => event === 'outcome-told'));

test('a group is created once one of those who decide approves on the page, and all are told', async () => {
  await policy(byPeople('frank', 'fiona'));
  const id = await asked('rita', 'Observatory', { purpose: 'We <3 stars & moons.' });
  expect(await house.named('Observatory')).toEqual([]);
  const link = await linkOf(id, 'frank');
  const { page } = await signIn(house.stack.urls, 'frank', `${link}?choice=approve`);
  expect(page.text).toContain('asks to create the group Observatory');
  expect(page.text).toContain('We &lt;3 stars &amp; moons.');
  expect(page.text).toMatch(/value="approve" required checked/);
  const receipt = await decide(id, 'frank', 'approve', 'Clear skies!');
  expect(receipt.text).toContain('Approved by you');

  const change = await told(id);
  expect([change.state, change.decision]).toMatchObject([
    'done',
    { by: { id: people.frank.id }, choice: 'approve', comment: 'Clear skies!' },
  ]);
  expect(await house.named('Observatory')).toEqual([change.group?.id]);
  expect(await house.mailsAbout(id, 'rita')).toEqual(['Done: create the group Observatory']);
  expect(await house.mailsAbout(id, 'fiona')).toEqual([
    'Rita Lindqvist asks to create the group Observatory',
    'Re: Rita Lindqvist asks to create the group Observatory',
  ]);
  expect(await house.mailsAbout(id, 'frank')).toHaveLength(1);
});

test('a denial makes no group, frees the name, and its comment is sent to who asked', async () => {
  await policy(byPeople('frank'));
  const id = await asked('rita', 'Second Kitchen');
  await decide(id, 'frank', 'deny', 'There is one.');
  expect((await told(id)).state).toBe('denied');
  expect(await house.named('Second Kitchen')).toEqual([]);
  const [mail] = (await mailsTo(house.stack.urls, 'rita')).filter((each) => (each.plainText ?? '').includes(id));
  expect(mail?.plainText).toContain('There is one.');
  await asked('mona', 'Second Kitchen');
});

test('nobody approves a group of their own: neither who asks nor an owner whom they named', async () => {
  await policy(byPeople('rita', 'mona', 'frank'));
  const id = await asked('rita', 'Own Goal', { owners: [people.mona.id] });
  expect((await house.changeStatus(id)).approvers?.map((each) => each.id)).toEqual([people.frank.id]);
  const decision = { decision: 'approve' };
  const path = `/api/group-changes/${id}/decision`;
  expect((await (await house.as('rita')).call('POST', path, decision)).status).toBe(403);
  expect((await (await house.as('mona')).call('POST', path, decision)).status).toBe(404);
  expect((await (await house.as('ravi')).call('POST', path, decision)).status).toBe(404);
  expect((await house.operations.call('POST', path, decision)).status).toBe(403);
  expect((await house.changeStatus(id)).state).toBe('pending');

  await policy(byPeople('rita', 'mona'));
  const refused = await house.create('rita', wish('Own Goal Two', { owners: [people.mona.id] }));
  expect([refused.status, (refused.json as { type: string }).type.split('/').at(-1)]).toEqual([409, 'no-approvers']);
});

test('of two decisions at once the first counts, and the other is told what stands', async () => {
  await policy(byPeople('frank', 'fiona'));
  const id = await asked('rita', 'Photo Finish');
  const path = `/api/group-changes/${id}/decision`;
  const [frank, fiona] = [await house.as('frank'), await house.as('fiona')];
  const answers = await Promise.all([
    frank.call('POST', path, { decision: 'approve' }),
    fiona.call('POST', path, { decision: 'deny' }),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  const { state, decision } = await told(id);
  expect([state, decision?.by.id]).toEqual(
    answers[0].status === 200 ? ['done', people.frank.id] : ['denied', people.fiona.id],
  );
});

test('the creator’s manager decides, is reminded, and when nobody does it expires', async () => {
  await policy({ approvers: [{ kind: 'manager' }], reminders: ['P1D'], deadline: 'P2D' });
  const id = await asked('rita', 'Patience');
  house.stack.clock.advance(DAY + 60_000);
  await house.untilChange(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-reminded'));
  expect(await house.mailsAbout(id, 'mona')).toEqual([
    'Rita Lindqvist asks to create the group Patience',
    'Re: Rita Lindqvist asks to create the group Patience',
  ]);
  house.stack.clock.advance(DAY);
  expect((await told(id)).state).toBe('expired');
  expect(await house.named('Patience')).toEqual([]);
  expect(await house.mailsAbout(id, 'rita')).toEqual(['Expired: create the group Patience']);
});

test('where mail reaches none of those who decide, the fallback approvers are asked', async () => {
  await policy(byPeople('frank'), { fallbackApprovers: [{ kind: 'people', ids: [people.fiona.id] }] });
  const id = await asked('rita', 'Bouncing Castle');
  const mail = (await mailsTo(house.stack.urls, 'frank')).find((each) => (each.plainText ?? '').includes(id));
  if (mail === undefined) throw new Error('frank was not asked');
  await house.reportBounce(mail, people.frank.mail ?? '');
  await house.untilChange(id, ({ approvers }) => approvers?.some((each) => each.id === people.fiona.id) === true);
  await decide(id, 'fiona', 'approve');
  expect((await told(id)).state).toBe('done');
});

test('who asked may take it back while it is pending, and the link then shows so', async () => {
  await policy(byPeople('frank'));
  const id = await asked('rita', 'Change of Heart');
  const path = `/api/group-changes/${id}/withdraw`;
  expect((await (await house.as('mona')).call('POST', path)).status).toBe(404);
  expect((await (await house.as('rita')).call('POST', path)).status).toBe(200);
  expect((await told(id)).state).toBe('withdrawn');
  const { page } = await signIn(house.stack.urls, 'frank', await linkOf(id, 'frank'));
  expect([page.text.includes('Withdrawn'), page.text.includes('name="token"')]).toEqual([true, false]);
});

test('the link shows nothing to anybody else, and a form of another site decides nothing', async () => {
  await policy(byPeople('frank'));
  const id = await asked('rita', 'Whispers');
  const link = await linkOf(id, 'frank');
  const other = await signIn(house.stack.urls, 'ravi', link);
  expect([other.page.text.includes('another account'), other.page.text.includes('Whispers')]).toEqual([true, false]);
  expect((await other.browser.post(link, { decision: 'approve', comment: '', token: 'x' })).status).toBe(403);
  const mine = await signIn(house.stack.urls, 'frank', link);
  const token = hiddenField(mine.page.text, 'token');
  const forged = { decision: 'approve', comment: '', token };
  expect((await mine.browser.post(link, forged, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await mine.browser.post(link, { ...forged, token: 'AAAAAAAAAAAAAAAAAAAAAA' })).status).toBe(403);
  const without = await mine.browser.post(link, { comment: 'Hm.', token });
  expect([without.status, without.text.includes('Hm.')]).toEqual([400, true]);
  expect((await house.changeStatus(id)).state).toBe('pending');
});

test('an approval of somebody who may no longer decide when the group is to be created creates none', async () => {
  await policy(byPeople('frank', 'fiona'));
  const id = await asked('rita', 'Stale Consent');
  await house.fault('directory', { path: 'uniqueName', fault: { kind: 'answer', status: 503 } });
  await (await house.as('frank')).call('POST', `/api/group-changes/${id}/decision`, { decision: 'approve' });
  await house.untilChange(id, ({ state }) => state === 'approved');
  await house.change({ type: 'patchUser', id: people.frank.id, patch: { accountEnabled: false } });
  await house.clearFaults();
  house.stack.clock.advance(60_000);
  const { why } = await house.untilChange(id, ({ state }) => state === 'cancelled');
  expect([why?.rule, await house.named('Stale Consent')]).toEqual(['decider-not-allowed', []]);
  await house.change({ type: 'patchUser', id: people.frank.id, patch: { accountEnabled: true } });
});

test('a creator who is disabled while it waits is asked about no more, and who was asked is told', async () => {
  await policy({ ...byPeople('frank'), reminders: ['P1D'] });
  const id = await asked('maja', 'Nobody’s Wish');
  await house.change({ type: 'patchUser', id: people.maja.id, patch: { accountEnabled: false } });
  house.stack.clock.advance(DAY + 60_000);
  for (let left = 8; left > 0; left -= 1) {
    try {
      await house.untilChange(id, ({ state }) => state === 'cancelled', 1_500);
      break;
    } catch {
      // it is looked at again before it counts
      house.stack.clock.advance(60_000);
    }
  }
  expect((await told(id)).why?.rule).toBe('creator-not-usable');
  expect(await house.mailsAbout(id, 'frank')).toEqual([
    'Maja Nowak asks to create the group Nobody’s Wish',
    'Re: Maja Nowak asks to create the group Nobody’s Wish',
  ]);
  await house.change({ type: 'patchUser', id: people.maja.id, patch: { accountEnabled: true } });
});
