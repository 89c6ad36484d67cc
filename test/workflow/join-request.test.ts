import { groups, people } from '../../local/demo-tenant';
import { mailsTo } from '../../local/stack/actors';
import { openHouse, QUIET_NIGHTS } from './house';
import type { House } from './house';

const DAY = 86_400_000;
let house: House;

beforeAll(async () => {
  house = await openHouse({ env: QUIET_NIGHTS });
});
afterAll(() => house.stop());

const wasAsked = async (id: string) =>
  house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
const events = ({ timeline }: { timeline: { event: string }[] }) => timeline.map(({ event }) => event);

test('an approved request becomes a membership, and everyone concerned is told once', async () => {
  const id = await house.filed('design', 'rita');
  await wasAsked(id);
  const receipt = await house.decide(id, 'olivia', 'approve');
  expect(receipt.text).toContain('Approved');
  const status = await house.untilTold(id);
  expect(status.state).toBe('granted');
  expect(events(status)).toEqual([
    'filed',
    'approvers-asked',
    'vote-recorded',
    'approved',
    'applying',
    'granted',
    'outcome-told',
  ]);
  expect(await house.isMember('design', 'rita')).toBe(true);
  const about = async (alias: 'rita' | 'olivia' | 'omar') =>
    (await mailsTo(house.stack.urls, alias)).filter((mail) => (mail.plainText ?? '').includes(id)).length;
  expect([await about('rita'), await about('olivia'), await about('omar')]).toEqual([2, 1, 2]);
});

test('a denied request leaves the group as it is', async () => {
  const id = await house.filed('marketing', 'ravi');
  await wasAsked(id);
  await house.decide(id, 'olivia', 'deny');
  expect((await house.untilTold(id)).state).toBe('denied');
  expect(await house.isMember('marketing', 'ravi')).toBe(false);
});

test('two owners who decide at once get one outcome, and both are shown it', async () => {
  const id = await house.filed('design', 'ravi');
  await wasAsked(id);
  const [first, second] = await Promise.all([house.decide(id, 'olivia', 'approve'), house.decide(id, 'omar', 'deny')]);
  const { state } = await house.untilTold(id);
  expect(['granted', 'denied']).toContain(state);
  const word = state === 'granted' ? 'Approved' : 'Denied';
  expect(first.text).toContain(word);
  expect(second.text).toContain(word);
  expect(await house.isMember('design', 'ravi')).toBe(state === 'granted');
});

test('an owner who left between mail and click can no longer decide', async () => {
  const id = await house.filed('finance', 'rita');
  await wasAsked(id);
  await house.change(
    { type: 'addOwner', group: groups.finance.id, target: people.olivia.id },
    { type: 'removeOwner', group: groups.finance.id, target: people.omar.id },
  );
  const page = await house.decide(id, 'omar', 'approve');
  expect(page.text).toContain('no longer yours to decide');
  expect((await house.status(id)).state).toBe('pending');
  await house.change(
    { type: 'addOwner', group: groups.finance.id, target: people.omar.id },
    { type: 'removeOwner', group: groups.finance.id, target: people.olivia.id },
  );
  await house.system.call('POST', `/api/join-requests/${id}/withdraw`);
  expect((await house.untilTold(id)).state).toBe('withdrawn');
});

test('a requester who is disabled between decision and write does not become a member', async () => {
  const id = await house.filed('marketing', 'rita');
  await wasAsked(id);
  await house.change({ type: 'patchUser', id: people.rita.id, patch: { accountEnabled: false } });
  await house.decide(id, 'olivia', 'approve');
  const status = await house.untilTold(id);
  await house.change({ type: 'patchUser', id: people.rita.id, patch: { accountEnabled: true } });
  expect([status.state, status.reason?.rule]).toEqual(['cancelled', 'requester-disabled']);
  expect(await house.isMember('marketing', 'rita')).toBe(false);
});

test('a group that turned dynamic while the request waited is not joined', async () => {
  const id = await house.filed('marketing', 'mona');
  await wasAsked(id);
  await house.change({
    type: 'patchGroup',
    id: groups.marketing.id,
    patch: { groupTypes: ['Unified', 'DynamicMembership'] },
  });
  await house.decide(id, 'olivia', 'approve');
  const status = await house.untilTold(id);
  await house.change({ type: 'patchGroup', id: groups.marketing.id, patch: { groupTypes: ['Unified'] } });
  expect([status.state, status.reason?.rule]).toEqual(['cancelled', 'group-is-dynamic']);
});

test('someone who became a member by another way is not granted it, so no end of ours removes it', async () => {
  const id = await house.filed('marketing', 'mona', { duration: 'P1D' });
  await wasAsked(id);
  await house.change({ type: 'addMember', group: groups.marketing.id, target: people.mona.id });
  await house.decide(id, 'olivia', 'approve');
  const status = await house.untilTold(id);
  expect([status.state, status.reason?.rule]).toEqual(['cancelled', 'already-member']);
  expect(await house.isMember('marketing', 'mona')).toBe(true);
});

test('owners are reminded when it is time, and a request that nobody decides expires at its deadline', async () => {
  const id = await house.filed('finance', 'mona');
  await wasAsked(id);
  house.stack.clock.advance(3 * DAY + 1_000);
  await house.until(id, (status) => events(status).includes('approvers-reminded'));
  expect(await house.asked(id, 'omar')).toHaveLength(2);
  house.stack.clock.advance(11 * DAY);
  const status = await house.untilTold(id);
  expect(status.state).toBe('expired');
  expect((await mailsTo(house.stack.urls, 'mona')).some(({ subject }) => subject.startsWith('Expired'))).toBe(true);
});

test('a decision counts after days of waiting, and wakes the workflow at once', async () => {
  const id = await house.filed('finance', 'ravi');
  await wasAsked(id);
  house.stack.clock.advance(8 * DAY);
  await house.until(id, (status) => events(status).includes('approvers-reminded'));
  await house.decide(id, 'omar', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('a membership for a time starts when it is granted, ends at that time, and only then', async () => {
  const id = await house.filed('finance', 'rita', { duration: 'P30D' });
  await wasAsked(id);
  await house.decide(id, 'omar', 'approve');
  const granted = await house.untilTold(id);
  const { from = '', until = '' } = granted.membership ?? {};
  expect(new Date(until).getTime() - new Date(from).getTime()).toBe(30 * DAY);
  house.stack.clock.advance(29 * DAY);
  expect(await house.isMember('finance', 'rita')).toBe(true);
  house.stack.clock.advance(DAY + 120_000);
  const ended = await house.untilEnded(id);
  expect(ended.membership?.ended).toMatchObject({ how: 'lapsed', removed: true });
  expect(await house.isMember('finance', 'rita')).toBe(false);
});

test('while Graph is down the request waits, says so, and goes on by itself', async () => {
  const id = await house.filed('finance', 'fiona');
  await wasAsked(id);
  await house.decide(id, 'omar', 'approve');
  await house.untilTold(id);
  const other = await house.filed('design', 'fiona');
  await wasAsked(other);
  await house.fault('directory', {
    method: 'POST',
    path: 'members/\\$ref',
    fault: { kind: 'answer', status: 503, headers: { 'retry-after': '30' } },
  });
  await house.decide(other, 'omar', 'approve');
  await house.untilAsleep(other, 'applying');
  expect(await house.status(other)).toMatchObject({ state: 'applying', waitingFor: { what: 'directory' } });
  expect(await house.isMember('design', 'fiona')).toBe(false);
  await house.clearFaults();
  house.stack.clock.advance(60_000);
  expect((await house.untilTold(other)).state).toBe('granted');
  expect(await house.isMember('design', 'fiona')).toBe(true);
});

test('a membership that Graph applied and whose answer was lost is granted, not taken for somebody else’s', async () => {
  const id = await house.filed('design', 'frank');
  await wasAsked(id);
  await house.fault('directory', {
    method: 'POST',
    path: 'members/\\$ref',
    times: 1,
    fault: { kind: 'reset', when: 'after' },
  });
  await house.decide(id, 'omar', 'approve');
  await house.until(id, ({ state, waitingFor }) => state === 'granted' || waitingFor?.what === 'directory');
  house.stack.clock.advance(10_000);
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('while the mail service is down the request is filed, its status says that mail is queued, and each owner gets one mail', async () => {
  await house.fault('mail', { method: 'POST', fault: { kind: 'answer', status: 503 } });
  const id = await house.filed('finance', 'frank');
  await house.until(id, ({ waitingFor, timeline }) => waitingFor?.what === 'mail' && timeline.length === 1);
  await house.clearFaults();
  house.stack.clock.advance(60_000);
  await wasAsked(id);
  expect(await house.asked(id, 'omar')).toHaveLength(1);
});

test('a mail whose acceptance was lost is not sent twice', async () => {
  await house.fault('mail', { method: 'POST', times: 1, fault: { kind: 'reset', when: 'after' } });
  const id = await house.filed('finance', 'hugo');
  await house.until(id, (status) => status.waitingFor?.what === 'mail' || events(status).includes('approvers-asked'));
  house.stack.clock.advance(60_000);
  await wasAsked(id);
  expect(await house.asked(id, 'omar')).toHaveLength(1);
});

test('an approver whose mail is refused is passed over, and others step in', async () => {
  await house.fault('mail', {
    method: 'POST',
    times: 1,
    fault: {
      kind: 'answer',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: '{"error":{"code":"BadRequest","message":"no such mailbox"}}',
    },
  });
  const id = await house.filed('finance', 'olivia');
  const status = await house.untilTold(id);
  expect([status.state, status.reason?.rule]).toEqual(['cancelled', 'no-approvers']);
  expect(events(status)).toContain('approvers-unreachable');
});
