import { ROLES } from '../../shared/web/tokens';
import type { ActingCaller } from '../model/callers';
import { GROUPS, PEOPLE } from '../model/cast';
import {
  as,
  DAY,
  decide,
  decided,
  design,
  file,
  filed,
  HOUR,
  mailsTo,
  olga,
  omar,
  operations,
  otto,
  policy,
  ravi,
  rita,
} from '../model/deeds';
import { randomOf } from '../model/schedule';
import { World } from '../model/world';

/** Sequences of events that once ended wrong, or that no other test would show: each as the shortest story, in the world of the model. */
const PLAIN = { maximumDuration: 'P30D', warnings: [], stages: [{ reminders: [], deadline: 'P14D' }] };

let world: World;
beforeEach(() => {
  world = new World({ people: PEOPLE, groups: GROUPS });
  world.schedule.random = randomOf(1);
});
afterEach(() => world.close());

const isMember = (person = rita): boolean => world.isMember(design.id, person);
const subjects = async (person = rita): Promise<string[]> =>
  (await mailsTo(world, person, /^/)).map(({ subject }) => subject);

async function granted(duration: string): Promise<string> {
  const id = await filed(world, rita, { duration });
  await decided(world, id, omar);
  expect((await world.request(id))?.state).toBe('granted');
  return id;
}

describe('a revocation that breaks off', () => {
  test.each(Array.from({ length: 14 }, (_, calls) => calls))(
    'after %i calls ends all that was to end, or nothing',
    async (calls) => {
      await policy(world, PLAIN);
      const first = await granted('P10D');
      const toStay = await filed(world, rita, { duration: 'P10D' });
      world.call('revokeMembership', operations, { params: { requestId: first }, body: { reason: 'By mistake.' } });
      await world.settle(calls);
      world.kill(0);
      await world.settle();
      await world.pass(world.now() + HOUR);

      const states = [(await world.request(first))?.state, (await world.request(toStay))?.state, isMember()];
      const isRevoked = states[0] === 'ended';
      expect(states).toEqual(isRevoked ? ['ended', 'cancelled', false] : ['granted', 'pending', true]);
      const mails = await subjects();
      expect(mails.filter((subject) => subject.startsWith('Revoked'))).toHaveLength(isRevoked ? 1 : 0);
      expect(mails.filter((subject) => subject.startsWith('Cancelled'))).toHaveLength(isRevoked ? 1 : 0);
      const books = await world.membership(design.id, rita);
      expect(books?.grants.some(({ ending }) => ending === true)).toBe(false);
    },
  );

  test('whoever asks anew while the end waits for the directory stays by that', async () => {
    await policy(world, PLAIN);
    const first = await granted('P10D');
    world.call('revokeMembership', operations, { params: { requestId: first }, body: { reason: 'By mistake.' } });
    while ((await world.membership(design.id, rita))?.grants[0]?.ending !== true) await world.settle(1);
    // what comes later goes first from here on: the end waits
    world.schedule.random = () => 0.999;
    const again = file(world, rita, { duration: 'P5D' });
    while (again.answer() === undefined) expect(await world.settle(1)).toBe('stopped');
    decide(world, again.id(), omar);
    while ((await world.request(again.id()))?.state !== 'granted') expect(await world.settle(1)).toBe('stopped');
    expect(await world.request(first)).toMatchObject({ state: 'granted', ending: { how: 'revoked' } });
    expect((await world.request(first))?.takingBack).toBeUndefined();
    world.schedule.random = randomOf(1);
    await world.settle();
    await world.pass(world.now() + HOUR);
    expect([(await world.request(first))?.state, (await world.request(again.id()))?.state, isMember()]).toEqual([
      'ended',
      'granted',
      true,
    ]);
  });
});

test('whoever is approved to stay while the removal is under way stays, and is told of no end', async () => {
  await policy(world, PLAIN);
  const first = await granted('P1D');
  await world.pass(world.now() + 20 * HOUR);
  const toStay = await filed(world, rita, { duration: 'P10D' });
  const until = Date.parse((await world.request(first))?.grant?.until ?? '');
  await world.arrive(Math.ceil((until + 1_000) / 60_000) * 60_000);
  while ((await world.membership(design.id, rita))?.wanted !== 'out') expect(await world.settle(1)).toBe('stopped');
  // the removal is sent, and does not arrive before the approval is applied
  decide(world, toStay, omar);
  world.schedule.random = () => 0.999;
  while ((await world.request(toStay))?.state !== 'granted') expect(await world.settle(1)).toBe('stopped');
  world.schedule.random = randomOf(3);
  await world.settle();
  await world.pass(world.now() + HOUR);

  expect(isMember()).toBe(true);
  expect((await world.request(first))?.ended).toMatchObject({ how: 'lapsed', removed: false, covered: true });
  expect((await subjects()).filter((subject) => subject.startsWith('Ended'))).toEqual([]);
});

describe('whoever was removed by hand', () => {
  test('is not warned that their membership ends', async () => {
    await policy(world, { ...PLAIN, warnings: ['P1D'] });
    const id = await granted('P10D');
    world.directory.store.removeLink('member', design.id, rita);
    await world.pass(world.now() + 9 * DAY + HOUR);
    expect((await subjects()).filter((subject) => /ends on/.test(subject))).toEqual([]);
    expect((await world.request(id))?.grant?.warned).toBe(1);
  });

  test('asks to join, as far as those are told who are reminded of their request to stay', async () => {
    await policy(world, { ...PLAIN, stages: [{ reminders: ['P1D'], deadline: 'P14D' }] });
    await granted('P20D');
    await filed(world, rita, { duration: 'P10D' });
    expect((await mailsTo(world, omar, /to stay/)).length).toBe(1);
    world.directory.store.removeLink('member', design.id, rita);
    await world.pass(world.now() + 2 * DAY);
    const [reminder] = await mailsTo(world, omar, /^Re: /);
    expect(reminder?.text).toMatch(/asks to join/);
    expect(reminder?.text).not.toMatch(/to stay|Membership ends/);
  });
});

test('whoever goes on with a longer grant is not warned that the shorter one ends', async () => {
  await policy(world, { ...PLAIN, warnings: ['P1D'] });
  await granted('P10D');
  await decided(world, await filed(world, rita, { duration: 'P10D' }), omar);
  await world.pass(world.now() + 9 * DAY + HOUR);
  expect((await subjects()).filter((subject) => /ends on/.test(subject))).toEqual([]);
});

test('an owner who may join without asking, and is none any more when it is applied, is decided about', async () => {
  await policy(world, { ...PLAIN, ownersJoinWithoutAsking: true });
  const joining = file(world, omar);
  while (joining.answer() === undefined) expect(await world.settle(1)).toBe('stopped');
  world.directory.store.removeLink('owner', design.id, omar);
  await world.settle();
  expect([(await world.request(joining.id()))?.state, isMember(omar)]).toEqual(['pending', false]);
});

test('a filing that lost its claim while it was at it asks nobody', async () => {
  file(world, rita);
  while ((await world.claims()).length === 0) expect(await world.settle(1)).toBe('stopped');
  const [slow = ''] = await world.claims();
  // it stalls for three minutes
  const until = world.now() + 180_000;
  while (world.now() < until) world.schedule.onCall();
  const fast = file(world, rita);
  world.schedule.random = () => 0.999;
  await world.settle();
  expect(await world.request(slow)).toMatchObject({ state: 'cancelled', reason: { rule: 'open-already' } });
  expect((await world.request(fast.id()))?.state).toBe('pending');
  expect(await mailsTo(world, omar, /^rita asks/)).toHaveLength(1);
});

test('whoever voted counts, though no mail reaches them', async () => {
  await policy(world, { stages: [{ required: 2, reminders: ['P1D'], deadline: 'P14D' }] });
  const id = await filed(world, ravi);
  bounce(await askingOf(id, olga));
  while ((await world.request(id))?.stage.unreachable === undefined) expect(await world.settle(1)).toBe('stopped');
  world.schedule.random = () => 0.999;
  await decided(world, id, olga);
  expect(await world.request(id)).toMatchObject({ state: 'pending', stage: { votes: [{ personId: olga }] } });
});

test('nobody waits for somebody who was asked, could not be reached, and may decide again', async () => {
  await policy(world, { stages: [{ reminders: ['P1D', 'P3D'], deadline: 'P14D' }] });
  const id = await filed(world);
  const asking = await askingOf(id, olga);
  const { store } = world.directory;
  store.removeLink('owner', design.id, olga);
  await world.pass(world.now() + DAY + HOUR);
  bounce(asking);
  await world.settle();
  store.addLink('owner', design.id, olga);
  store.removeLink('owner', design.id, omar);
  await world.pass(world.now() + 3 * DAY);
  expect(await world.request(id)).toMatchObject({ state: 'cancelled', reason: { rule: 'no-approvers' } });
});

test('who may decide no more has no say in the length, and is not named among those who approved', async () => {
  await policy(world, { ...PLAIN, stages: [{ required: 2, reminders: [], deadline: 'P14D' }] });
  const { store } = world.directory;
  store.addLink('owner', design.id, otto);
  const id = await filed(world, rita, { duration: 'P20D' });
  await decided(world, id, omar, { decision: 'approve', duration: 'P1D' });
  store.removeLink('owner', design.id, omar);
  await decided(world, id, olga);
  await decided(world, id, otto);
  expect(await world.request(id)).toMatchObject({ state: 'granted', duration: 'P20D' });
  const [mail] = await mailsTo(world, rita, /^Approved/);
  expect(mail?.text).not.toContain('omar');
});

test.each(['deny', 'withdraw'])(
  'a policy that changed since shows in the timeline of a request that ends by %s',
  async (how) => {
    const id = await filed(world);
    await policy(world, PLAIN);
    if (how === 'deny') decide(world, id, omar, { decision: 'deny' });
    else world.call('withdrawJoinRequest', as(rita), { params: { requestId: id } });
    await world.settle();
    const noted = ((await world.dossier(id))?.trail ?? []).filter(({ event }) => event === 'policy-changed');
    expect(noted.map(({ data }) => data)).toEqual([{ now: 'group@1', decidedUnder: 'setting' }]);
  },
);

test('the requester is told what each of those wrote who denied', async () => {
  await policy(world, { ...PLAIN, stages: [{ required: 2, denial: 'counts', reminders: [], deadline: 'P14D' }] });
  world.directory.store.addLink('owner', design.id, otto);
  const id = await filed(world);
  await decided(world, id, omar, { decision: 'deny', comment: 'No budget this year.' });
  await decided(world, id, olga, { decision: 'deny' });
  const [mail] = await mailsTo(world, rita, /^Denied/);
  expect(mail?.text).toContain('No budget this year.');
});

test('a digest that went before the host died is not sent again on the next day', async () => {
  await policy(world, { stages: [{ reminders: ['P1D'], deadline: 'P14D' }] });
  const midnight = Math.ceil(world.now() / DAY) * DAY;
  await world.arrive(midnight - 120_000);
  const first = await filed(world, rita);
  await filed(world, ravi);
  await world.arrive(Date.parse((await world.request(first))?.stage.askedAt ?? '') + DAY);
  const digests = (): Promise<unknown[]> => mailsTo(world, omar, /join requests wait/);
  while ((await digests()).length === 0) expect(await world.settle(1)).toBe('stopped');
  world.kill(180_000);
  await world.settle();
  await world.pass(world.now() + HOUR);
  expect(world.now()).toBeGreaterThan(midnight + DAY);
  expect(await digests()).toHaveLength(1);
});

test.each([
  ['Bounced', true],
  ['Suppressed', true],
  ['FilteredSpam', true],
  ['Quarantined', true],
  ['Failed', true],
  ['Expanded', false],
  ['Delivered', false],
])('a mail that was %s: whether its reader counts as not reached is %s', async (status, isLost) => {
  await policy(world, PLAIN);
  const id = await filed(world);
  bounce(await askingOf(id, olga), status);
  await world.settle();
  expect((await world.request(id))?.stage.unreachable?.includes(olga) === true).toBe(isLost);
});

/** The id under which the mail went that asks this person. */
async function askingOf(id: string, person: string): Promise<string> {
  const mails = [...((await world.dossier(id))?.mails.values() ?? [])];
  const asking = mails.find(({ key, to }) => key.startsWith('ask_') && to.id === person);
  if (asking === undefined) throw new Error(`${person} was not asked`);
  return asking.operationId;
}

/** Event Grid says what became of this mail. */
function bounce(messageId: string, status = 'Bounced'): void {
  const eventGrid: ActingCaller = { kind: 'app', id: 'event-grid', roles: [ROLES.mailEvents] };
  const data = { messageId, recipient: 'somebody@contoso.example', status };
  const eventType = 'Microsoft.Communication.EmailDeliveryReportReceived';
  world.call('receiveMailDelivery', eventGrid, { body: [{ id: '1', eventType, data }] });
}
