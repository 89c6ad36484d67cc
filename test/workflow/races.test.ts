import { randomUUID } from 'node:crypto';

import { people } from '../../local/demo-tenant';
import { asPersonWithToken, asSystem, mailsToAddress, membersOf } from '../../local/stack/actors';
import type { Answer, SystemActor } from '../../local/stack/actors';
import { openHouse, QUIET_NIGHTS } from './house';
import type { House, Status } from './house';

/** Two things that happen at one moment have one outcome: told once, answered truly to both, and one membership or none. */
let house: House;
let admin: SystemActor;
let olivia: Awaited<ReturnType<typeof asPersonWithToken>>;
let omar: typeof olivia;

beforeAll(async () => {
  house = await openHouse({ supervise: true, env: QUIET_NIGHTS });
  admin = await asSystem(house.stack.urls, 'adminTool');
  [olivia, omar] = await Promise.all([
    asPersonWithToken(house.stack.urls, 'olivia'),
    asPersonWithToken(house.stack.urls, 'omar'),
  ]);
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Case {
  id: string;
  group: string;
  person: string;
  address: string;
}

async function groupAndPerson(): Promise<Omit<Case, 'id'>> {
  const [group, person] = [randomUUID(), randomUUID()];
  const alias = `racer-${person.slice(0, 8)}`;
  const address = `${alias}@contoso.example`;
  await house.change(
    {
      type: 'createGroup',
      group: { id: group, displayName: alias, mailNickname: alias, owners: [people.olivia.id, people.omar.id] },
    },
    {
      type: 'createUser',
      user: { id: person, displayName: `Person ${alias}`, userPrincipalName: address, mail: address },
    },
  );
  return { group, person, address };
}

const file = ({ group, person }: Omit<Case, 'id'>, headers: Record<string, string> = {}): Promise<Answer> =>
  house.system.call(
    'POST',
    `/api/groups/${group}/join-requests`,
    { userId: person, justification: 'I work with them.' },
    headers,
  );

async function asked(policy?: Record<string, unknown>): Promise<Case> {
  const who = await groupAndPerson();
  if (policy !== undefined) await setPolicy(who.group, policy);
  const { id } = (await file(who)).json as { id: string };
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  return { ...who, id };
}

async function setPolicy(group: string, policy: Record<string, unknown>): Promise<Answer> {
  const { headers } = await admin.call('GET', `/api/groups/${group}/policy`);
  return admin.call('PUT', `/api/groups/${group}/policy`, policy, { 'if-match': headers.get('etag') ?? '' });
}

const decide = (actor: typeof olivia, id: string, decision: 'approve' | 'deny'): Promise<Answer> =>
  actor.call('POST', `/api/join-requests/${id}/decision`, { decision });

const CLOSING = ['denied', 'withdrawn', 'expired', 'cancelled', 'granted'];

/** One outcome in the trail, one mail of it, and a membership exactly where it was granted. */
async function oneOutcome({ id, group, person, address }: Case): Promise<Status> {
  const status = await house.untilTold(id);
  expect(status.timeline.filter(({ event }) => CLOSING.includes(event)).map(({ event }) => event)).toEqual([
    status.state,
  ]);
  const about = (await mailsToAddress(house.stack.urls, address)).filter(({ plainText }) => plainText?.includes(id));
  // that it was filed, and how it ended
  expect(about).toHaveLength(2);
  expect((await membersOf(house.stack.urls, group)).includes(person)).toBe(status.state === 'granted');
  return status;
}

const ROUNDS = [1, 2, 3];

test.each(ROUNDS)(
  'an approval and a denial at once: the first one counts, and both are answered with it (%i)',
  async () => {
    const request = await asked();
    const answers = await Promise.all([decide(olivia, request.id, 'approve'), decide(omar, request.id, 'deny')]);
    const { state } = await oneOutcome(request);
    expect(['granted', 'denied']).toContain(state);
    const recorded = answers.map(({ json }) => (json as { state: string }).state);
    for (const each of recorded)
      expect(state === 'denied' ? ['denied'] : ['approved', 'applying', 'granted']).toContain(each);
  },
);

test.each(ROUNDS)('a withdrawal and an approval at once: one of them, not both (%i)', async () => {
  const request = await asked();
  const [withdrawn, decided] = await Promise.all([
    house.system.call('POST', `/api/join-requests/${request.id}/withdraw`),
    decide(olivia, request.id, 'approve'),
  ]);
  const { state } = await oneOutcome(request);
  expect(state === 'withdrawn' ? withdrawn.status < 300 : decided.status === 200).toBe(true);
  expect(['withdrawn', 'granted']).toContain(state);
});

test.each(ROUNDS)('an approval at the very moment of the deadline: granted or expired, not both (%i)', async () => {
  const request = await asked({ optedIn: true, stages: [{ reminders: [], deadline: 'P1D' }] });
  await house.untilAsleep(request.id, 'pending');
  house.stack.clock.advance(DAY);
  const decided = await decide(olivia, request.id, 'approve');
  const { state } = await oneOutcome(request);
  expect(['expired', 'granted']).toContain(state);
  if (state === 'expired')
    expect(decided.status === 200 ? (decided.json as { state: string }).state : 409).not.toBe('approved');
});

test.each(ROUNDS)(
  'a policy that changes while a request is filed: it is decided under the one it names (%i)',
  async () => {
    const who = await groupAndPerson();
    const [changed, filed] = await Promise.all([
      setPolicy(who.group, { optedIn: true, stages: [{ required: 2 }] }),
      file(who),
    ]);
    expect([changed.status, filed.status]).toEqual([200, 202]);
    const { id, policyVersion } = filed.json as { id: string; policyVersion: string };
    const { stage } = await house.until(id, ({ timeline }) =>
      timeline.some(({ event }) => event === 'approvers-asked'),
    );
    const { version } = changed.json as { version: string | number };
    expect(stage?.required).toBe(policyVersion === String(version) ? 2 : 1);
    await decide(olivia, id, 'approve');
    await decide(omar, id, 'approve');
    expect((await oneOutcome({ ...who, id })).state).toBe('granted');
  },
);

test.each(ROUNDS)('the same POST five times at once with one key: one request, one answer (%i)', async () => {
  const who = await groupAndPerson();
  const key = { 'idempotency-key': `once-${who.person}` };
  const answers = await Promise.all(Array.from({ length: 5 }, () => file(who, key)));
  // a call that comes while another one files is told to come again, and then gets its answer
  const settled = await Promise.all(
    answers.map(async (answer) => {
      let now = answer;
      for (let left = 20; now.status === 409 && left > 0; left -= 1) now = await file(who, key);
      return now;
    }),
  );
  expect(settled.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
  const ids = new Set(settled.map(({ json }) => (json as { id: string }).id));
  expect(ids.size).toBe(1);
  const [id = ''] = ids;
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  await decide(olivia, id, 'approve');
  expect((await oneOutcome({ ...who, id })).state).toBe('granted');
});

test('a deployment in every state: the host stops and starts, and each request goes on where it was', async () => {
  const pending = await asked({ optedIn: true, stages: [{ reminders: ['P1D'], deadline: 'P3D' }] });
  const waiting = await asked();
  const [failed, granted] = [await asked(), await asked({ optedIn: true, defaultDuration: 'P2D', warnings: [] })];
  await decide(olivia, granted.id, 'approve');
  await house.untilTold(granted.id);
  await house.fault('directory', {
    method: 'POST',
    path: `${failed.group}/members/\\$ref`,
    fault: { kind: 'answer', status: 403 },
  });
  await house.fault('directory', {
    method: 'POST',
    path: `${waiting.group}/members/\\$ref`,
    fault: { kind: 'answer', status: 503 },
  });
  await decide(olivia, failed.id, 'approve');
  await decide(olivia, waiting.id, 'approve');
  await house.until(failed.id, ({ state }) => state === 'failed');
  await house.untilAsleep(waiting.id, 'applying');
  const atWork = await asked();
  const deciding = decide(omar, atWork.id, 'deny').catch(() => undefined);

  await house.stack.restart('host');
  await deciding;
  await house.clearFaults();

  await house.until(waiting.id, ({ state }) => {
    house.stack.clock.advance(10_000);
    return state === 'granted';
  });
  expect((await oneOutcome(waiting)).state).toBe('granted');
  // whoever got no answer asks again, and is shown what stands
  await decide(omar, atWork.id, 'deny');
  expect((await oneOutcome(atWork)).state).toBe('denied');
  const operations = await asSystem(house.stack.urls, 'opsTool');
  expect((await operations.call('POST', `/api/ops/requests/${failed.id}/retry`)).status).toBe(202);
  expect((await house.until(failed.id, ({ state }) => state === 'granted')).state).toBe('granted');
  house.stack.clock.advance(DAY + HOUR);
  await house.until(pending.id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-reminded'));
  house.stack.clock.advance(DAY);
  await house.until(granted.id, ({ state }) => {
    house.stack.clock.advance(60_000);
    return state === 'ended';
  });
  expect(await membersOf(house.stack.urls, granted.group)).not.toContain(granted.person);
  house.stack.clock.advance(2 * DAY);
  expect((await oneOutcome(pending)).state).toBe('expired');
}, 120_000);

test('a deployment between decision and write, between write and telling, and before an end: it goes on, and everyone is told once', async () => {
  const ending = await asked();
  await decide(olivia, ending.id, 'approve');
  await house.untilTold(ending.id);
  await house.fault('directory', {
    method: 'DELETE',
    path: `${ending.group}/members/`,
    fault: { kind: 'answer', status: 503 },
  });
  await olivia.call('POST', `/api/join-requests/${ending.id}/revoke`, { reason: 'Moved on.' });
  await house.until(ending.id, ({ waitingFor }) => waitingFor?.what === 'directory');
  const held = await asked();
  await house.fault('directory', {
    method: 'POST',
    path: `users/${held.person}/checkMemberGroups`,
    fault: { kind: 'answer', status: 503 },
  });
  const [granted, denied] = [await asked(), await asked()];
  await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
  await decide(olivia, held.id, 'approve');
  await decide(olivia, granted.id, 'approve');
  await decide(omar, denied.id, 'deny');
  await house.untilAsleep(held.id, 'approved');
  for (const [{ id }, wanted] of [
    [granted, 'granted'],
    [denied, 'denied'],
  ] as const)
    await house.until(id, ({ state, waitingFor }) => state === wanted && waitingFor?.what === 'mail');

  await house.stack.restart('host');
  await house.clearFaults();

  for (const [each, wanted] of [
    [held, 'granted'],
    [granted, 'granted'],
    [denied, 'denied'],
  ] as const) {
    await house.until(each.id, ({ timeline }) => {
      house.stack.clock.advance(10_000);
      return timeline.some(({ event }) => event === 'outcome-told');
    });
    expect((await oneOutcome(each)).state).toBe(wanted);
  }
  const { membership } = await house.untilEnded(ending.id);
  expect(membership?.ended).toMatchObject({ how: 'revoked', removed: true });
  expect(await membersOf(house.stack.urls, ending.group)).not.toContain(ending.person);
  const isToldTwice = ({ timeline }: Status): boolean =>
    timeline.filter(({ event }) => event === 'outcome-told').length === 2;
  await house.untilSwept(ending.id, isToldTwice);
  const mails = await mailsToAddress(house.stack.urls, ending.address);
  expect(mails.filter(({ subject }) => subject.startsWith('Revoked'))).toHaveLength(1);
}, 120_000);
