import { randomUUID } from 'node:crypto';

import { groups, people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import {
  asPersonWithToken,
  asSystem,
  hiddenField,
  linkIn,
  mailsTo,
  mailsToAddress,
  membersOf,
  signIn,
} from '../../local/stack/actors';
import type { Answer, SystemActor } from '../../local/stack/actors';
import { openHouse, QUIET_NIGHTS } from './house';
import type { House, Status } from './house';

/** The approval in full: each test is named for what it keeps from happening, and has a group of its own. */
let house: House;
let admin: SystemActor;

beforeAll(async () => {
  house = await openHouse({ env: { ...QUIET_NIGHTS, CALL_TIMEOUT: 'PT3S' } });
  admin = await asSystem(house.stack.urls, 'adminTool');
});
afterEach(async () => {
  await house.clearFaults();
  await mailSettings({ failRecipients: [], quota: null });
});
afterAll(() => house.stop());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

async function mailSettings(settings: Record<string, unknown>): Promise<void> {
  const answer = await fetch(`${house.stack.urls.mail}/admin/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** A group of its own with these owners, and its policy. */
async function groupWith(
  owners: PersonAlias[],
  policy: Record<string, unknown> = {},
  members: PersonAlias[] = [],
): Promise<string> {
  const id = await house.newGroup(owners, members);
  if (Object.keys(policy).length > 0) await setPolicy(id, policy);
  return id;
}

async function setPolicy(id: string, policy: Record<string, unknown>): Promise<Answer> {
  const { headers } = await admin.call('GET', `/api/groups/${id}/policy`);
  const answer = await admin.call(
    'PUT',
    `/api/groups/${id}/policy`,
    // nobody is asked for a second owner at night
    { optedIn: true, ownerCare: false, ...policy },
    { 'if-match': headers.get('etag') ?? '' },
  );
  if (answer.status !== 200) throw new Error(`no policy: ${String(answer.status)} ${answer.text}`);
  return answer;
}

const file = (group: string, person: PersonAlias, more: Record<string, unknown> = {}): Promise<Answer> =>
  house.system.call('POST', `/api/groups/${group}/join-requests`, {
    userId: people[person].id,
    justification: 'I work with them.',
    ...more,
  });

async function filed(group: string, person: PersonAlias, more?: Record<string, unknown>): Promise<string> {
  const { status, json, text } = await file(group, person, more);
  if (status !== 202) throw new Error(`not filed: ${String(status)} ${text}`);
  return (json as { id: string }).id;
}

const wasAsked = (id: string, times = 1): Promise<Status> =>
  house.until(id, ({ timeline }) => timeline.filter(({ event }) => event === 'approvers-asked').length >= times);
/** A request of which those who may decide have their mail. */
const opened = async (...asking: Parameters<House['filed']>): Promise<string> => {
  const id = await filed(...asking);
  await wasAsked(id);
  return id;
};
const hasEvent = (id: string, event: string): Promise<Status> =>
  house.until(id, ({ timeline }) => timeline.some((entry) => entry.event === event));
const isMember = async (group: string, person: PersonAlias): Promise<boolean> =>
  (await membersOf(house.stack.urls, group)).includes(people[person].id);
const decide = async (
  id: string,
  person: PersonAlias,
  decision: 'approve' | 'deny',
  more: Record<string, unknown> = {},
): Promise<Answer> =>
  (await asPersonWithToken(house.stack.urls, person)).call('POST', `/api/join-requests/${id}/decision`, {
    decision,
    ...more,
  });
const mailsAbout = async (id: string, person: PersonAlias) =>
  (await mailsTo(house.stack.urls, person)).filter((mail) => (mail.plainText ?? '').includes(id));
/** The newest of them. */
const mailTo = async (id: string, person: PersonAlias) => {
  const mail = (await mailsAbout(id, person)).at(-1);
  if (mail === undefined) throw new Error('no mail');
  return mail;
};
const subjectsAbout = async (id: string, person: PersonAlias): Promise<string[]> =>
  (await mailsAbout(id, person)).map(({ subject }) => subject).toSorted();
/** Moves the clock, and gives the sweeper, which comes once a minute, time to see it. */
const later = (ms: number): void => house.stack.clock.advance(ms + 2 * MINUTE);

const sweptInto = (id: string, event: string): Promise<Status> =>
  house.untilSwept(id, ({ timeline }) => timeline.some((entry) => entry.event === event));

test('n of m: one owner who approves twice is one, and the second one closes the stage', async () => {
  const group = await groupWith(['olivia', 'omar'], { stages: [{ required: 2 }] });
  const id = await opened(group, 'rita');
  expect((await decide(id, 'olivia', 'approve')).status).toBe(200);
  expect((await decide(id, 'olivia', 'approve')).status).toBe(200);
  expect((await house.status(id)).stage).toMatchObject({ required: 2, approvals: 1 });
  await decide(id, 'omar', 'approve', { comment: 'Welcome.' });
  expect((await house.untilTold(id)).state).toBe('granted');
  const [granted] = (await mailsAbout(id, 'rita')).filter(({ subject }) => subject.startsWith('Approved'));
  expect(granted?.plainText).toContain('Welcome.');
});

test('two parties: the owners alone can’t approve what the manager must approve too', async () => {
  const group = await groupWith(['olivia'], {
    stages: [{ parties: [{ approvers: [{ kind: 'owners' }] }, { approvers: [{ kind: 'manager' }] }] }],
  });
  const id = await opened(group, 'rita');
  expect((await house.asked(id, 'mona')).length).toBe(1);
  await decide(id, 'olivia', 'approve');
  expect((await house.status(id)).state).toBe('pending');
  await decide(id, 'mona', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('stages: the second one asks its own people once the first has closed, and the requester is told once', async () => {
  const group = await groupWith(['olivia'], {
    stages: [{}, { approvers: [{ kind: 'people', ids: [people.frank.id] }] }],
  });
  const id = await opened(group, 'ravi');
  expect((await decide(id, 'frank', 'approve')).status).toBe(404);
  await decide(id, 'olivia', 'approve');
  await wasAsked(id, 2);
  // her decision stands, whether or not she repeats it; another one comes too late
  expect((await decide(id, 'olivia', 'approve')).status).toBe(200);
  expect((await decide(id, 'olivia', 'deny')).status).toBe(409);
  const mail = await mailTo(id, 'olivia');
  const { page } = await signIn(house.stack.urls, 'olivia', new URL(linkIn(mail)).pathname);
  expect(page.text).toContain('You approved, and others decide at the next stage.');
  await decide(id, 'frank', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
  expect(await subjectsAbout(id, 'ravi')).toHaveLength(2);
});

test('the second stage has reminders and a deadline of its own, which count from its own first mail', async () => {
  const second = { approvers: [{ kind: 'people', ids: [people.frank.id] }], reminders: ['P1D'], deadline: 'P3D' };
  const group = await groupWith(['olivia'], { stages: [{ reminders: [], deadline: 'P1D' }, second] });
  const id = await opened(group, 'ravi');
  await decide(id, 'olivia', 'approve');
  await wasAsked(id, 2);
  later(DAY);
  await sweptInto(id, 'approvers-reminded');
  expect(await house.asked(id, 'frank')).toHaveLength(2);
  expect((await house.status(id)).state).toBe('pending');
  later(2 * DAY);
  expect((await sweptInto(id, 'outcome-told')).state).toBe('expired');
});

test('after an escalation somebody who steps in fills one place of the parties, not two', async () => {
  const group = await groupWith(['olivia'], {
    stages: [
      {
        parties: [{ approvers: [{ kind: 'owners' }] }, { approvers: [{ kind: 'people', ids: [people.frank.id] }] }],
        reminders: [],
        escalateAfter: 'P1D',
      },
    ],
    fallbackApprovers: [{ kind: 'people', ids: [people.fiona.id] }],
  });
  const id = await opened(group, 'rita');
  expect((await decide(id, 'fiona', 'approve')).status).toBe(404);
  later(DAY);
  await sweptInto(id, 'escalated');
  await house.until(id, async () => (await house.asked(id, 'fiona')).length === 1);
  expect((await decide(id, 'fiona', 'approve')).status).toBe(200);
  expect(await house.status(id)).toMatchObject({ state: 'pending', stage: { required: 2, approvals: 1 } });
  await decide(id, 'olivia', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('a stage of two parties that opens again keeps the vote that still counts, and forgets the time that the other one gave', async () => {
  const group = await groupWith(['olivia', 'omar'], {
    stages: [{ parties: [{ approvers: [{ kind: 'owners' }] }, { approvers: [{ kind: 'manager' }] }] }],
  });
  const id = await opened(group, 'rita', { duration: 'P30D' });
  await decide(id, 'mona', 'approve');
  await house.fault('directory', { method: 'POST', path: 'checkMemberGroups', fault: { kind: 'answer', status: 503 } });
  await decide(id, 'olivia', 'approve', { duration: 'P7D' });
  await house.untilAsleep(id, 'approved');
  await house.change({ type: 'removeOwner', group, target: people.olivia.id });
  await house.clearFaults();
  const reopened = await sweptInto(id, 'stage-reopened');
  expect(reopened).toMatchObject({ state: 'pending', duration: 'P30D', stage: { required: 2, approvals: 1 } });
  expect((await decide(id, 'olivia', 'approve')).status).toBe(404);
  await decide(id, 'omar', 'approve');
  const { state, membership } = await house.untilTold(id);
  expect(state).toBe('granted');
  expect(new Date(membership?.until ?? 0).getTime() - new Date(membership?.from ?? 0).getTime()).toBe(30 * DAY);
});

describe('somebody who decides at both stages', () => {
  const twice = async (): Promise<string> => {
    const both = { approvers: [{ kind: 'people', ids: [people.olivia.id] }] };
    const id = await opened(await groupWith(['olivia'], { stages: [both, both] }), 'ravi');
    return id;
  };

  test('closes one of them by one click, however often it is sent; its link becomes a receipt that leads to the next', async () => {
    const id = await twice();
    const first = await mailTo(id, 'olivia');
    const { browser, page } = await signIn(house.stack.urls, 'olivia', new URL(linkIn(first)).pathname);
    const form = { decision: 'approve', comment: '', duration: '', token: hiddenField(page.text, 'token') };
    await browser.post(linkIn(first), form);
    await wasAsked(id, 2);
    const again = await browser.post(linkIn(first), form);
    expect(again.text).toContain('Your decision is recorded');
    expect(await house.status(id)).toMatchObject({ state: 'pending', stage: { number: 2, approvals: 0 } });

    const second = await mailTo(id, 'olivia');
    expect(again.text).toContain(`href="${new URL(linkIn(second)).pathname}"`);
    const next = await signIn(house.stack.urls, 'olivia', new URL(linkIn(second)).pathname);
    await next.browser.post(linkIn(second), { ...form, token: hiddenField(next.page.text, 'token') });
    expect((await house.untilTold(id)).state).toBe('granted');
  });

  test('closes one of them by one call, however often it is repeated, and says which stage the next one is for', async () => {
    const id = await twice();
    expect((await decide(id, 'olivia', 'approve')).status).toBe(200);
    await wasAsked(id, 2);
    const repeated = await decide(id, 'olivia', 'approve');
    expect([repeated.status, (repeated.json as { detail: string }).detail]).toEqual([
      409,
      'Your decision was not recorded: the one that you made stands, and the request is at stage 2 now. To decide there too, say "stage": 2.',
    ]);
    // whoever named the stage is told that it is as they said
    expect((await decide(id, 'olivia', 'approve', { stage: 1 })).status).toBe(200);
    expect((await decide(id, 'olivia', 'deny', { stage: 1 })).status).toBe(409);
    expect(await house.status(id)).toMatchObject({ state: 'pending', stage: { number: 2, approvals: 0 } });
    expect((await decide(id, 'olivia', 'approve', { stage: 2 })).status).toBe(200);
    expect((await house.untilTold(id)).state).toBe('granted');
  });
});

test('a decider changes their mind until the stage closes, and not for ever', async () => {
  const group = await groupWith(['olivia', 'omar', 'mona'], { stages: [{ required: 2, denial: 'counts' }] });
  const id = await opened(group, 'rita');
  for (const choice of ['approve', 'deny', 'approve', 'deny'] as const)
    expect((await decide(id, 'olivia', choice)).status).toBe(200);
  const refused = await decide(id, 'olivia', 'approve');
  expect([refused.status, (refused.json as { type: string }).type]).toEqual([
    409,
    expect.stringMatching(/changed-too-often$/),
  ]);
  await decide(id, 'omar', 'deny');
  expect((await house.untilTold(id)).state).toBe('denied');
});

test('a decider may shorten the time, not lengthen it, and everyone concerned is told', async () => {
  const group = await groupWith(['olivia', 'omar'], { maximumDuration: 'P90D' });
  const id = await opened(group, 'rita', { duration: 'P30D' });
  const longer = await decide(id, 'olivia', 'approve', { duration: 'P60D' });
  expect([longer.status, longer.text]).toEqual([400, expect.stringContaining('at most P30D')]);
  await decide(id, 'olivia', 'approve', { duration: 'P7D' });
  const { membership, state } = await house.untilTold(id);
  expect(state).toBe('granted');
  const { from = '', until = '' } = membership ?? {};
  expect(new Date(until).getTime() - new Date(from).getTime()).toBe(7 * DAY);
  for (const [person, subject] of [
    ['rita', /^Approved/],
    ['omar', /^Re: /],
  ] as const) {
    const told = (await mailsAbout(id, person)).find((mail) => subject.test(mail.subject));
    expect(told?.plainText).toContain('30 days');
    expect(told?.plainText).toMatch(/Member until/);
  }
  const { page } = await signIn(house.stack.urls, 'rita', `/api/requests/${id}`);
  expect(page.text).toContain('7 days');
});

test('where the policy says so nobody shortens the time: neither by the API nor on the page, and nothing of it stands', async () => {
  const group = await groupWith(['olivia'], { deciderMayShorten: false });
  const id = await opened(group, 'rita', { duration: 'P30D' });
  const refused = await decide(id, 'olivia', 'approve', { duration: 'P7D' });
  expect([refused.status, (refused.json as { errors: unknown }).errors]).toEqual([
    400,
    [{ pointer: '/duration', detail: 'The policy of this group does not let approvers change the time asked for.' }],
  ]);
  const [mail] = (await mailsAbout(id, 'olivia')).filter(({ plainText }) => plainText?.includes('choice=approve'));
  if (mail === undefined) throw new Error('Olivia was not asked');
  const link = linkIn(mail);
  const { browser, page } = await signIn(house.stack.urls, 'olivia', new URL(link).pathname);
  expect(page.text).not.toContain('name="duration"');
  const token = hiddenField(page.text, 'token');
  const forged = await browser.post(link, { decision: 'approve', comment: '', duration: 'P7D', token });
  expect(forged.status).toBe(400);
  const { state, timeline } = await house.status(id);
  expect([state, timeline.some(({ event }) => event === 'vote-recorded')]).toEqual(['pending', false]);
});

test('a decision that comes after the deadline is told what stands instead, by the API and on the page', async () => {
  const group = await groupWith(['olivia'], { stages: [{ reminders: [], deadline: 'P2D' }] });
  const id = await opened(group, 'rita');
  await house.untilAsleep(id, 'pending');
  house.stack.clock.advance(2 * DAY + MINUTE);
  expect((await house.untilTold(id)).state).toBe('expired');
  const late = await decide(id, 'olivia', 'approve');
  expect([late.status, late.json]).toMatchObject([
    409,
    { state: 'expired', detail: expect.stringContaining('not recorded') as string },
  ]);
  expect((await house.decide(id, 'olivia', 'approve')).text).toMatch(/expired/i);
  expect((await house.status(id)).timeline.some(({ event }) => event === 'vote-recorded')).toBe(false);
});

test('nobody decides their own request: not as an owner, a fallback approver, a member of an approver group, or one who became owner meanwhile', async () => {
  const approvers = await groupWith([], {}, ['rita', 'olivia']);
  const group = await groupWith(['rita', 'omar'], {
    stages: [{ approvers: [{ kind: 'owners' }, { kind: 'groupMembers', groupId: approvers }] }],
    fallbackApprovers: [{ kind: 'people', ids: [people.rita.id] }],
  });
  const id = await opened(group, 'rita');
  expect(await house.asked(id, 'rita')).toHaveLength(0);
  expect((await decide(id, 'rita', 'approve')).status).toBe(403);
  await house.system.call('POST', `/api/join-requests/${id}/withdraw`);

  const other = await opened(group, 'ravi');
  await house.change({ type: 'addOwner', group, target: people.ravi.id });
  expect((await decide(other, 'ravi', 'approve')).status).toBe(403);
  expect((await house.status(other)).state).toBe('pending');
});

test('nobody decides for too long: the fallback approvers are asked as well, and decide', async () => {
  const group = await groupWith(['olivia'], {
    stages: [{ reminders: ['P2D'], escalateAfter: 'P5D', deadline: 'P10D' }],
    fallbackApprovers: [{ kind: 'groupMembers', groupId: groups.fallbackApprovers.id }],
  });
  const id = await opened(group, 'rita');
  expect((await decide(id, 'frank', 'approve')).status).toBe(404);
  house.stack.clock.advance(5 * DAY + MINUTE);
  const { timeline } = await wasAsked(id, 2);
  expect(timeline.map(({ event }) => event)).toContain('escalated');
  expect(await house.asked(id, 'frank')).toHaveLength(1);
  await decide(id, 'frank', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('who may ask: members of the named groups only, guests only where the policy says so; nobody else leaves a trace', async () => {
  const colleagues = await house.newGroup(['omar'], ['rita', 'gus']);
  const group = await groupWith(['olivia'], { whoMayAsk: { membersOf: [colleagues], guests: false } });
  const rule = async (person: PersonAlias) => {
    const { status, json } = await file(group, person);
    return `${String(status)} ${(json as { type: string }).type.split('/').at(-1) ?? ''}`;
  };
  expect(await rule('ravi')).toBe('409 requester-not-eligible');
  expect(await rule('gus')).toBe('409 requester-is-guest');
  const ops = await asSystem(house.stack.urls, 'opsTool');
  const { json } = await ops.call('GET', `/api/ops/search?group=${group}`);
  expect((json as { value: unknown[] }).value).toEqual([]);

  const granted = async (person: PersonAlias) => {
    const id = await opened(group, person);
    await decide(id, 'olivia', 'approve');
    return (await house.untilTold(id)).state;
  };
  expect(await granted('rita')).toBe('granted');
  await setPolicy(group, { whoMayAsk: { membersOf: [colleagues], guests: true } });
  expect(await granted('gus')).toBe('granted');
});

test('a reason that is missing or too short: the answer says what the group wants to know', async () => {
  const group = await groupWith(['olivia'], {
    justification: { minimumLength: 30, prompt: 'Which project is it for?' },
  });
  const { status, json } = await file(group, 'rita', { justification: 'Because.' });
  expect([status, (json as { errors: unknown }).errors]).toEqual([
    400,
    [
      {
        pointer: '/justification',
        detail: 'Say why, in at least 30 characters. The group wants to know: Which project is it for?',
      },
    ],
  ]);
});

test('denials that only count end it when too few are left: whoever denied is told, because nobody saw it happen', async () => {
  const group = await groupWith(['olivia', 'omar'], { stages: [{ denial: 'counts', reminders: ['P2D'] }] });
  const id = await opened(group, 'rita');
  await decide(id, 'olivia', 'deny');
  expect((await house.status(id)).state).toBe('pending');
  await house.change({ type: 'removeOwner', group, target: people.omar.id });
  await house.untilAsleep(id, 'pending');
  house.stack.clock.advance(2 * DAY + MINUTE);
  expect((await house.untilTold(id)).state).toBe('denied');
  expect(await subjectsAbout(id, 'olivia')).toHaveLength(2);
});

test('the only owner leaves while a request waits and nobody steps in: it ends at its next step with the reason, and waits for nobody', async () => {
  const group = await groupWith(['olivia'], { stages: [{ reminders: ['P1D'] }] });
  const id = await opened(group, 'rita');
  await house.untilAsleep(id, 'pending');
  await house.change({ type: 'removeOwner', group, target: people.olivia.id });
  house.stack.clock.advance(DAY + MINUTE);
  const { state, reason } = await house.untilTold(id);
  expect([state, reason?.rule]).toEqual(['cancelled', 'no-approvers']);
  const told = await mailsAbout(id, 'rita');
  expect(told.filter(({ plainText }) => plainText?.includes(reason?.sentence ?? '?'))).toHaveLength(1);
});

test('who became an owner while a request waits is asked at its next step; who is none any more is not reminded, and can’t decide', async () => {
  const group = await groupWith(['olivia'], { stages: [{ reminders: ['P1D'] }] });
  const id = await opened(group, 'rita');
  await house.untilAsleep(id, 'pending');
  await house.change(
    { type: 'addOwner', group, target: people.omar.id },
    { type: 'removeOwner', group, target: people.olivia.id },
  );
  house.stack.clock.advance(DAY + MINUTE);
  await wasAsked(id, 2);
  expect([await house.asked(id, 'olivia'), await house.asked(id, 'omar')].map(({ length }) => length)).toEqual([1, 1]);
  expect((await house.decide(id, 'olivia', 'approve')).text).toContain('no longer yours to decide');
  expect((await house.status(id)).state).toBe('pending');
  await decide(id, 'omar', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('the clock of a stage starts when its mail was accepted, not while the mail service was down', async () => {
  const group = await groupWith(['olivia'], { stages: [{ reminders: [], deadline: 'P3D' }] });
  await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
  const id = await filed(group, 'rita');
  await house.until(id, ({ waitingFor }) => waitingFor?.what === 'mail');
  house.stack.clock.advance(2 * DAY);
  await house.clearFaults();
  await house.until(id, ({ timeline }) => {
    house.stack.clock.advance(10_000);
    return timeline.some(({ event }) => event === 'approvers-asked');
  });
  await house.untilAsleep(id, 'pending');
  house.stack.clock.advance(2 * DAY);
  // the day on which it would have expired, counted from its filing, is over
  expect((await house.status(id)).state).toBe('pending');
  await house.untilAsleep(id, 'pending');
  house.stack.clock.advance(DAY + MINUTE);
  expect((await house.untilTold(id)).state).toBe('expired');
});

test('an owner whose mail bounced is passed over at once, and whoever steps in can decide', async () => {
  const group = await groupWith(['ines'], {
    fallbackApprovers: [{ kind: 'groupMembers', groupId: groups.fallbackApprovers.id }],
  });
  await mailSettings({ failRecipients: [{ address: people.ines.mail, outcome: 'bounced' }] });
  const id = await filed(group, 'rita');
  await hasEvent(id, 'mail-undelivered');
  await wasAsked(id, 2);
  await decide(id, 'fiona', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('an owner whose mail is refused is passed over, and whoever steps in can decide', async () => {
  const group = await groupWith(['ines'], {
    fallbackApprovers: [{ kind: 'groupMembers', groupId: groups.fallbackApprovers.id }],
  });
  await house.fault('mail', { method: 'POST', path: 'emails:send', times: 1, fault: { kind: 'answer', status: 400 } });
  const id = await opened(group, 'ravi');
  await decide(id, 'frank', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('somebody whose mail was refused at one stage is asked again at the next, and counts there', async () => {
  const group = await groupWith(['ines'], {
    stages: [{}, {}],
    fallbackApprovers: [{ kind: 'people', ids: [people.frank.id] }],
  });
  await house.fault('mail', { method: 'POST', path: 'emails:send', times: 1, fault: { kind: 'answer', status: 400 } });
  const id = await opened(group, 'ravi');
  await decide(id, 'frank', 'approve');
  await house.until(id, ({ timeline }) => timeline.filter(({ event }) => event === 'approvers-asked').length === 2);
  expect(await house.asked(id, 'ines')).toHaveLength(1);
  await decide(id, 'ines', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('a mail service that answers late is no refusal: the owner stays the one who decides', async () => {
  const group = await groupWith(['omar']);
  await house.fault('mail', { method: 'POST', path: 'emails:send', times: 1, fault: { kind: 'answer', status: 503 } });
  await house.fault('mail', {
    method: 'GET',
    path: 'emails/operations',
    times: 1,
    fault: { kind: 'delay', ms: 4_000 },
  });
  const id = await filed(group, 'rita');
  await house.until(id, ({ waitingFor }) => waitingFor?.what === 'mail');
  house.stack.clock.advance(10_000);
  await house.until(
    id,
    ({ timeline }) => {
      house.stack.clock.advance(10_000);
      return timeline.some(({ event }) => event === 'approvers-asked');
    },
    40_000,
  );
  expect((await house.status(id)).timeline.map(({ event }) => event)).not.toContain('approvers-unreachable');
}, 60_000);

test('a group of sixty approvers is asked, all of them', async () => {
  const ids = Array.from({ length: 60 }, () => randomUUID());
  await house.change(
    ...ids.map((id, n) => ({
      type: 'createUser',
      user: {
        id,
        displayName: `Approver ${String(n)}`,
        userPrincipalName: `approver-${String(n)}@contoso.example`,
        mail: `approver-${String(n)}@contoso.example`,
      },
    })),
  );
  const approvers = await groupWith([]);
  await house.change(...ids.map((target) => ({ type: 'addMember', group: approvers, target })));
  const group = await groupWith(['olivia'], {
    stages: [{ approvers: [{ kind: 'groupMembers', groupId: approvers }] }],
  });
  const id = await filed(group, 'rita');
  const { timeline } = await wasAsked(id);
  expect(timeline.find(({ event }) => event === 'approvers-asked')).toMatchObject({
    text: expect.stringContaining('60 people') as string,
  });
}, 60_000);

test('a requester may have the owners reminded once a day', async () => {
  const group = await groupWith(['olivia'], { stages: [{ reminders: [] }] });
  const id = await opened(group, 'rita');
  const rita = await asPersonWithToken(house.stack.urls, 'rita');
  const soon = await rita.call('POST', `/api/join-requests/${id}/nudge`);
  expect([soon.status, Number(soon.headers.get('retry-after')) > 80_000]).toEqual([429, true]);
  const others = await asPersonWithToken(house.stack.urls, 'ravi');
  expect((await others.call('POST', `/api/join-requests/${id}/nudge`)).status).toBe(404);
  house.stack.clock.advance(DAY + MINUTE);
  expect((await rita.call('POST', `/api/join-requests/${id}/nudge`)).status).toBe(202);
  await hasEvent(id, 'approvers-reminded');
  expect(await house.asked(id, 'olivia')).toHaveLength(2);
  expect((await rita.call('POST', `/api/join-requests/${id}/nudge`)).status).toBe(429);
});

test('somebody with several open requests gets one reminder for all of them', async () => {
  const policy = { stages: [{ reminders: ['P2D'], deadline: 'P9D' }] };
  const owner = 'tomas';
  const [first, second] = [await groupWith([owner], policy), await groupWith([owner], policy)];
  const ids = [await filed(first, 'rita'), await filed(second, 'rita')];
  for (const id of ids) await wasAsked(id);
  const before = (await mailsTo(house.stack.urls, owner)).length;
  house.stack.clock.advance(2 * DAY + MINUTE);
  for (const id of ids) await hasEvent(id, 'approvers-reminded');
  const fresh = (await mailsTo(house.stack.urls, owner)).slice(before);
  expect(fresh.map(({ subject }) => subject)).toEqual([expect.stringContaining('2 join requests')]);
  const links = (fresh[0]?.plainText ?? '').match(/\/api\/decisions\/[\w-]+/g);
  expect(new Set(links).size).toBe(2);
});

describe('one mail for several requests', () => {
  const policy = {
    stages: [{ reminders: ['P2D'], deadline: 'P9D' }],
    fallbackApprovers: [{ kind: 'people', ids: [people.fiona.id] }],
  };
  const several = async (owner: PersonAlias, many: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < many; n += 1) ids.push(await filed(await groupWith([owner], policy), 'rita'));
    for (const id of ids) await wasAsked(id);
    return ids;
  };

  test('that waited for the mail service tells of what is open when it goes, not of what was', async () => {
    const owner = 'mona';
    const ids = await several(owner, 3);
    const [taken = '', ...others] = ids;
    await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
    house.stack.clock.advance(2 * DAY + MINUTE);
    for (const id of ids) await house.until(id, ({ waitingFor }) => waitingFor?.what === 'mail');
    // no further attempt is under way while the one is taken back
    house.stack.clock.stop();
    await house.system.call('POST', `/api/join-requests/${taken}/withdraw`);
    await house.clearFaults();
    house.stack.clock.resume();
    for (const id of others)
      await house.until(id, ({ timeline }) => {
        house.stack.clock.advance(10_000);
        return timeline.some(({ event }) => event === 'approvers-reminded');
      });
    const digests = (await mailsTo(house.stack.urls, owner)).filter(({ subject }) => /\d join requests/.test(subject));
    expect(digests.map(({ subject }) => subject)).toEqual([expect.stringContaining('2 join requests')]);
    const nameOf = async (id: string): Promise<string> => (await house.status(id)).group.name;
    for (const id of others) expect(digests[0]?.plainText).toContain(`to join ${await nameOf(id)}\n`);
    expect(digests[0]?.plainText).not.toContain(`to join ${await nameOf(taken)}\n`);
  });

  /** One request of which a reminder is due in two days, and another one on the same desk of which none is. */
  const oneDue = async (owner: PersonAlias): Promise<{ id: string; group: string; named: RegExp }> => {
    const group = await groupWith([owner], policy);
    const other = await groupWith([owner], { stages: [{ reminders: [], deadline: 'P9D' }] });
    const id = await filed(group, 'rita');
    for (const each of [id, await filed(other, 'rita')]) await wasAsked(each);
    return { id, group, named: new RegExp((await house.status(id)).group.name) };
  };
  const sending = { method: 'POST', path: 'emails:send' };
  /** What the app wanted to send of this group, by what the mail begins with. */
  const wanted = async (named: RegExp): Promise<string[]> => {
    const calls = (await (await fetch(`${house.stack.urls.mail}/admin/calls`)).json()) as { body: string }[];
    return calls.flatMap(({ body }) => (named.test(body) ? [/"subject":"([^"]*)"/.exec(body)?.[1] ?? ''] : []));
  };

  test('goes after the mail to somebody who was not asked yet, and not before that was taken', async () => {
    const { id, group, named } = await oneDue('kenji');
    await house.change({ type: 'addOwner', group, target: people.omar.id });
    await house.clearFaults();
    await house.fault('mail', { ...sending, fault: { kind: 'answer', status: 503 } });
    house.stack.clock.advance(2 * DAY + MINUTE);
    await house.until(id, ({ waitingFor }) => waitingFor?.what === 'mail');
    expect(new Set(await wanted(named))).toEqual(new Set([expect.stringMatching(/^Rita Lindqvist asks to join/)]));
    await house.clearFaults();
    await house.until(id, ({ timeline }) => {
      house.stack.clock.advance(10_000);
      return timeline.some(({ event }) => event === 'approvers-reminded');
    });
    expect(await house.asked(id, 'omar')).toHaveLength(1);
    const digests = (await mailsTo(house.stack.urls, 'kenji')).filter(({ plainText }) => named.test(plainText ?? ''));
    expect(digests.map(({ subject }) => subject)).toContain('2 join requests wait for your decision');
  });

  test('that is refused is not tried again as a reminder: others step in at once', async () => {
    const { id, named } = await oneDue('sofia');
    await house.clearFaults();
    await house.fault('mail', { ...sending, fault: { kind: 'answer', status: 400 } });
    house.stack.clock.advance(2 * DAY + MINUTE);
    await house.until(id, async () => (await wanted(named)).length >= 2);
    // first the reminder of everything, then the mail to the person who stepped in
    expect((await wanted(named)).slice(0, 2)).toEqual([
      '2 join requests wait for your decision',
      expect.stringMatching(/^Rita Lindqvist asks to join/),
    ]);
  });

  test('that bounced: each of the requests asks others at once', async () => {
    const owner = 'ines';
    const ids = await several(owner, 2);
    await mailSettings({ failRecipients: [{ address: people[owner].mail, outcome: 'bounced' }] });
    house.stack.clock.advance(2 * DAY + MINUTE);
    for (const id of ids) {
      await hasEvent(id, 'mail-undelivered');
      await wasAsked(id, 2);
      expect(await house.asked(id, 'fiona')).toHaveLength(1);
    }
  });
});

test('mails go as the quota has room, the request says that mail is queued, and each is sent once', async () => {
  const group = await groupWith(['olivia']);
  await mailSettings({ quota: { perMinute: 1, perHour: 100 } });
  const ids = [await filed(group, 'rita'), await filed(group, 'ravi')];
  const waiting = await Promise.all(ids.map((id) => house.status(id)));
  expect(waiting.some(({ waitingFor }) => waitingFor?.what === 'mail')).toBe(true);
  await mailSettings({ quota: null });
  for (const id of ids) {
    await house.until(id, ({ timeline }) => {
      house.stack.clock.advance(30_000);
      return timeline.some(({ event }) => event === 'approvers-asked');
    });
    expect(await house.asked(id, 'olivia')).toHaveLength(1);
  }
});

test('a denial keeps the same person from asking again for a while', async () => {
  const group = await groupWith(['olivia'], { coolDown: 'P2D' });
  const id = await opened(group, 'rita');
  await decide(id, 'olivia', 'deny');
  await house.untilTold(id);
  const again = await file(group, 'rita');
  expect([again.status, (again.json as { type: string }).type]).toEqual([
    409,
    expect.stringMatching(/denied-recently$/),
  ]);
  expect((await file(group, 'ravi')).status).toBe(202);
  house.stack.clock.advance(2 * DAY + MINUTE);
  expect((await file(group, 'rita')).status).toBe(202);
});

test('an owner may join without asking where the policy says so, and only while an owner', async () => {
  const group = await groupWith(['olivia', 'mona'], { ownersJoinWithoutAsking: true });
  const id = await filed(group, 'mona');
  expect((await house.untilTold(id)).state).toBe('granted');
  expect(await isMember(group, 'mona')).toBe(true);
  expect(await house.asked(id, 'olivia')).toHaveLength(0);
});

test('a group that was opted out while a request waited is not joined', async () => {
  const group = await groupWith(['olivia'], { stages: [{ reminders: [] }] });
  const id = await opened(group, 'rita');
  await setPolicy(group, { optedIn: false });
  await decide(id, 'olivia', 'approve');
  const { state, reason } = await house.untilTold(id);
  expect([state, reason?.rule]).toEqual(['cancelled', 'group-not-self-service']);
  expect(await isMember(group, 'rita')).toBe(false);
});

test('a change of policy does not change a request that waits: it is decided under its own, and says so', async () => {
  const group = await groupWith(['olivia', 'omar'], { stages: [{ required: 1, reminders: ['P1D'] }] });
  const id = await opened(group, 'rita');
  await setPolicy(group, { stages: [{ required: 2 }] });
  house.stack.clock.advance(DAY + MINUTE);
  await hasEvent(id, 'policy-changed');
  await decide(id, 'olivia', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('a decider who dropped out between decision and write: the stage opens again and the others are asked', async () => {
  const group = await groupWith(['olivia', 'omar']);
  const id = await opened(group, 'rita');
  await house.fault('directory', {
    method: 'POST',
    path: 'checkMemberGroups',
    fault: { kind: 'answer', status: 503 },
  });
  await decide(id, 'olivia', 'approve');
  await house.until(id, ({ waitingFor }) => waitingFor?.what === 'directory');
  await house.change({ type: 'removeOwner', group, target: people.olivia.id });
  await house.clearFaults();
  await house.until(id, ({ timeline }) => {
    house.stack.clock.advance(10_000);
    return timeline.filter(({ event }) => event === 'approvers-asked').length === 2;
  });
  expect((await house.status(id)).state).toBe('pending');
  await decide(id, 'omar', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('an application that Graph refuses is told to the requester, and goes on when operations say so', async () => {
  const group = await groupWith(['olivia']);
  const id = await opened(group, 'rita');
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 403 } });
  await decide(id, 'olivia', 'approve');
  await house.until(id, ({ state, waitingFor }) => state === 'failed' && waitingFor?.what === 'operations');
  await house.until(id, async () => (await subjectsAbout(id, 'rita')).some((subject) => subject.startsWith('Delayed')));
  await house.clearFaults();
  const ops = await asSystem(house.stack.urls, 'opsTool');
  expect((await ops.call('POST', `/api/ops/requests/${id}/retry`)).status).toBe(202);
  expect((await house.untilTold(id)).state).toBe('granted');
  expect(await isMember(group, 'rita')).toBe(true);
});

describe('membership for a time', () => {
  const granted = async (group: string, person: PersonAlias, duration: string): Promise<string> => {
    const id = await opened(group, person, { duration });
    await decide(id, 'olivia', 'approve');
    expect((await house.untilTold(id)).state).toBe('granted');
    return id;
  };
  const membership = (id: string) => `/api/memberships/${id}`;
  const post = async (id: string, person: PersonAlias, form: Record<string, string>) => {
    const { browser, page } = await signIn(house.stack.urls, person, membership(id));
    return browser.post(membership(id), { token: hiddenField(page.text, 'token'), ...form });
  };

  test('the member is warned before it ends, once for each time, and not after letting it lapse', async () => {
    const group = await groupWith(['olivia'], { warnings: ['P7D', 'P3D', 'P1D'] });
    const id = await granted(group, 'rita', 'P10D');
    later(3 * DAY);
    await sweptInto(id, 'ending-told');
    const warnings = async () => (await subjectsAbout(id, 'rita')).filter((subject) => /ends on/.test(subject));
    expect(await warnings()).toHaveLength(1);
    await post(id, 'rita', { action: 'lapse' });
    expect((await house.status(id)).timeline.map(({ event }) => event)).toContain('lapse-chosen');
    later(5 * DAY);
    later(2 * DAY);
    const { state, membership: grant } = await sweptInto(id, 'ended');
    expect([state, grant?.ended]).toEqual(['ended', expect.objectContaining({ how: 'lapsed', removed: true })]);
    expect(await warnings()).toHaveLength(1);
    expect(await isMember(group, 'rita')).toBe(false);
  });

  test('a warning that waited for the mail service says what is true when it goes, once', async () => {
    const group = await groupWith(['olivia'], { warnings: ['P3D'] });
    const id = await granted(group, 'rita', 'P10D');
    await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
    later(7 * DAY);
    // the only owner gets a mail of their own in these nights
    const refused = { method: 'POST', path: /emails:send/, status: 503, body: /Your membership in/ };
    const attempts = await house.untilAnswered('mail', refused);
    await house.change({ type: 'patchGroup', id: group, patch: { displayName: 'Renamed meanwhile' } });
    // an attempt may have read the old name just before; the second one from here on has not
    await house.untilAnswered('mail', refused, attempts + 2);
    expect((await house.status(id)).waitingFor).toMatchObject({
      what: 'mail',
      sentence: expect.stringMatching(/^mail queued/) as string,
    });
    await house.clearFaults();
    await house.until(id, ({ timeline }) => {
      house.stack.clock.advance(10_000);
      return timeline.some(({ event }) => event === 'ending-told');
    });
    expect((await house.status(id)).waitingFor).toBeNull();
    const warnings = (await subjectsAbout(id, 'rita')).filter((subject) => /ends on/.test(subject));
    expect(warnings).toEqual([expect.stringContaining('Renamed meanwhile')]);
  });

  test('a membership of a few hours is warned of before it ends, too', async () => {
    const group = await groupWith(['olivia']);
    const id = await granted(group, 'ravi', 'PT8H');
    later(6 * HOUR);
    await sweptInto(id, 'ending-told');
    expect((await house.status(id)).state).toBe('granted');
    later(2 * HOUR);
    await house.untilEnded(id);
  });

  test('an extension that is approved in time goes on without a gap, and the first end cuts nobody off', async () => {
    const group = await groupWith(['olivia'], { maximumDuration: 'P30D' });
    const first = await granted(group, 'rita', 'P10D');
    const answer = await post(first, 'rita', { action: 'extend', justification: 'Still needed.', duration: '' });
    const second = /[0-9a-f]{32}/.exec(answer.url)?.[0] ?? '';
    expect(second).not.toBe(first);
    await wasAsked(second);
    const { page } = await signIn(house.stack.urls, 'rita', membership(first));
    expect(page.text).toContain(`/api/requests/${second}`);
    expect((await mailsAbout(second, 'olivia'))[0]?.subject).toContain('stay in');
    await decide(second, 'olivia', 'approve');
    const { membership: grant } = await house.untilTold(second);
    const { membership: before } = await house.status(first);
    expect(new Date(grant?.until ?? 0).getTime() - new Date(before?.until ?? 0).getTime()).toBe(30 * DAY);
    // the page of the first one says what is so now, and has nothing to choose
    const old = (await signIn(house.stack.urls, 'rita', membership(first))).page.text;
    expect(old).toContain('You stay a member');
    expect(old).toContain(`href="${membership(second)}"`);
    expect(old).not.toContain('name="action"');
    later(10 * DAY);
    const over = await house.untilEnded(first);
    expect(over.membership?.ended).toMatchObject({ how: 'lapsed', removed: false });
    expect(await isMember(group, 'rita')).toBe(true);
    await hasEvent(first, 'outcome-told');
    expect((await subjectsAbout(first, 'rita')).filter((subject) => subject.startsWith('Ended'))).toEqual([]);
    later(30 * DAY);
    const end = await house.untilEnded(second);
    expect(end.membership?.ended).toMatchObject({ how: 'lapsed', removed: true });
    expect(await isMember(group, 'rita')).toBe(false);
  });

  test('an extension that is denied lets the membership lapse as before', async () => {
    const group = await groupWith(['olivia']);
    const first = await granted(group, 'ravi', 'P10D');
    const second = await opened(group, 'ravi', { duration: 'P10D' });
    await decide(second, 'olivia', 'deny');
    expect((await house.untilTold(second)).state).toBe('denied');
    expect(await isMember(group, 'ravi')).toBe(true);
    later(10 * DAY);
    await house.untilEnded(first);
    expect(await isMember(group, 'ravi')).toBe(false);
  });

  test('whoever was removed by hand while they asked to stay is told of no membership when that is denied', async () => {
    const group = await groupWith(['olivia']);
    await granted(group, 'ravi', 'P10D');
    const asked = await opened(group, 'ravi', { duration: 'P10D' });
    await house.change({ type: 'removeMember', group, target: people.ravi.id });
    await decide(asked, 'olivia', 'deny');
    await house.untilTold(asked);
    const { plainText } = await mailTo(asked, 'ravi');
    expect(plainText).toContain('Your access has not changed');
    expect(plainText).not.toContain('your membership');
  });

  test('a member leaves early, by a box that must be ticked', async () => {
    const group = await groupWith(['olivia']);
    const id = await granted(group, 'rita', 'P30D');
    const refused = await post(id, 'rita', { action: 'leave' });
    expect(refused.status).toBe(400);
    await post(id, 'rita', { action: 'leave', sure: 'yes' });
    const { membership: grant } = await house.untilEnded(id);
    expect(grant?.ended).toMatchObject({ how: 'left', removed: true });
    expect(await isMember(group, 'rita')).toBe(false);
  });

  test('an owner revokes with a reason, which cuts off every grant of that person; a stranger can’t', async () => {
    const group = await groupWith(['olivia', 'omar']);
    const first = await granted(group, 'rita', 'P30D');
    const second = await opened(group, 'rita', { duration: 'P30D' });
    await decide(second, 'olivia', 'approve');
    await house.untilTold(second);
    const stranger = await asPersonWithToken(house.stack.urls, 'ravi');
    expect((await stranger.call('POST', `/api/join-requests/${first}/revoke`, { reason: 'x' })).status).toBe(404);
    const omar = await asPersonWithToken(house.stack.urls, 'omar');
    expect((await omar.call('POST', `/api/join-requests/${first}/revoke`, {})).status).toBe(400);
    expect((await omar.call('POST', `/api/join-requests/${first}/revoke`, { reason: 'Moved on.' })).status).toBe(202);
    for (const id of [first, second])
      expect((await house.untilEnded(id)).membership?.ended).toMatchObject({
        how: 'revoked',
        reason: 'Moved on.',
      });
    expect(await isMember(group, 'rita')).toBe(false);
    await house.until(second, ({ timeline }) => timeline.filter(({ event }) => event === 'outcome-told').length === 2);
    await house.until(first, ({ timeline }) => timeline.filter(({ event }) => event === 'outcome-told').length === 2);
    const told = [...(await mailsAbout(first, 'rita')), ...(await mailsAbout(second, 'rita'))].filter(({ plainText }) =>
      plainText?.includes('Moved on.'),
    );
    expect(told.length).toBeGreaterThan(0);
    // two ends of one moment don't contradict each other
    expect(told.filter(({ plainText }) => plainText?.includes('may still be a member'))).toEqual([]);
  });

  test('whoever is revoked does not come back by an extension that was asked for before', async () => {
    const group = await groupWith(['olivia', 'omar']);
    const first = await granted(group, 'rita', 'P30D');
    const extension = await opened(group, 'rita', { duration: 'P30D' });
    const omar = await asPersonWithToken(house.stack.urls, 'omar');
    await omar.call('POST', `/api/join-requests/${first}/revoke`, { reason: 'Breach.' });
    await house.untilEnded(first);
    expect((await decide(extension, 'olivia', 'approve')).status).toBe(409);
    // told at once: nobody waits for the sweeper
    expect((await house.untilTold(extension)).reason?.rule).toBe('membership-ended');
    expect(await isMember(group, 'rita')).toBe(false);
  });

  test('nor by one that Graph refused to apply, and that operations would try again', async () => {
    const group = await groupWith(['olivia', 'omar']);
    const first = await granted(group, 'rita', 'P30D');
    const extension = await opened(group, 'rita', { duration: 'P30D' });
    await house.change({ type: 'removeMember', group, target: people.rita.id });
    await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 403 } });
    await decide(extension, 'olivia', 'approve');
    await house.until(extension, ({ state, waitingFor }) => state === 'failed' && waitingFor?.what === 'operations');
    const omar = await asPersonWithToken(house.stack.urls, 'omar');
    await omar.call('POST', `/api/join-requests/${first}/revoke`, { reason: 'Breach.' });
    await house.clearFaults();
    expect((await sweptInto(extension, 'outcome-told')).reason?.rule).toBe('membership-ended');
    const ops = await asSystem(house.stack.urls, 'opsTool');
    expect((await ops.call('POST', `/api/ops/requests/${extension}/retry`)).status).toBe(409);
    await house.untilEnded(first);
    expect(await isMember(group, 'rita')).toBe(false);
  });

  test('nor by one that is just being applied: it is cancelled by whoever revoked, and takes back what it did', async () => {
    const group = await groupWith(['olivia', 'omar']);
    const first = await granted(group, 'rita', 'P30D');
    const extension = await opened(group, 'rita', { duration: 'P30D' });
    await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 503 } });
    await decide(extension, 'olivia', 'approve');
    await house.until(extension, ({ state, waitingFor }) => state === 'applying' && waitingFor?.what === 'directory');
    const omar = await asPersonWithToken(house.stack.urls, 'omar');
    await omar.call('POST', `/api/join-requests/${first}/revoke`, { reason: 'Breach.' });
    const { membership: grant } = await house.untilEnded(first);
    expect(grant?.ended).toMatchObject({ how: 'revoked', removed: true });
    expect(await isMember(group, 'rita')).toBe(false);
    await house.clearFaults();
    const { state, reason, timeline } = await house.untilTold(extension);
    expect([state, reason?.rule]).toEqual(['cancelled', 'membership-ended']);
    expect(timeline.find(({ event }) => event === 'cancelled')?.by.id).toBe(people.omar.id);
    expect(await isMember(group, 'rita')).toBe(false);
    expect((await mailsAbout(first, 'rita')).filter(({ subject }) => subject.startsWith('Revoked'))).toHaveLength(1);
  });

  test('an extension that is approved between the end and its removal goes on, and ends at its own time', async () => {
    const group = await groupWith(['olivia']);
    const first = await granted(group, 'rita', 'P2D');
    const extension = await opened(group, 'rita', { duration: 'P5D' });
    await house.fault('directory', { method: 'DELETE', fault: { kind: 'answer', status: 503 } });
    later(2 * DAY);
    await house.untilSwept(first, ({ waitingFor }) => waitingFor?.what === 'directory');
    await decide(extension, 'olivia', 'approve');
    await house.until(extension, ({ state }) => state === 'granted');
    await house.clearFaults();
    await house.until(first, ({ state }) => {
      house.stack.clock.advance(10_000);
      return state === 'ended';
    });
    expect(await isMember(group, 'rita')).toBe(true);
    later(6 * DAY);
    const { membership: grant } = await house.untilEnded(extension);
    expect(grant?.ended).toMatchObject({ how: 'lapsed', removed: true });
    expect(await isMember(group, 'rita')).toBe(false);
  });

  test('a membership by two grants that is revoked ends once for its member: one mail, whenever it is sent', async () => {
    const group = await groupWith(['olivia', 'omar']);
    const first = await granted(group, 'rita', 'P10D');
    const second = await granted(group, 'rita', 'P30D');
    await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
    const omar = await asPersonWithToken(house.stack.urls, 'omar');
    await omar.call('POST', `/api/join-requests/${first}/revoke`, { reason: 'Moved on.' });
    for (const id of [first, second]) await house.untilEnded(id);
    expect(await isMember(group, 'rita')).toBe(false);
    await house.clearFaults();
    for (const id of [first, second])
      await house.untilSwept(
        id,
        ({ timeline }) => timeline.filter(({ event }) => event === 'outcome-told').length === 2,
      );
    const subjects = [...(await subjectsAbout(first, 'rita')), ...(await subjectsAbout(second, 'rita'))];
    expect(subjects.filter((subject) => subject.startsWith('Revoked'))).toHaveLength(1);
  });

  test('whoever asks anew while the end of their membership waits for Graph, and is approved, stays', async () => {
    const group = await groupWith(['olivia']);
    const first = await granted(group, 'rita', 'P2D');
    await house.fault('directory', { method: 'DELETE', fault: { kind: 'answer', status: 503 } });
    later(2 * DAY);
    await house.untilSwept(first, ({ waitingFor }) => waitingFor?.what === 'directory');
    const anew = await opened(group, 'rita', { duration: 'P5D' });
    await decide(anew, 'olivia', 'approve');
    await house.until(anew, ({ state }) => state === 'granted');
    await house.clearFaults();
    expect((await house.untilEnded(first)).membership?.ended).toMatchObject({ how: 'lapsed', removed: false });
    expect(await isMember(group, 'rita')).toBe(true);
    later(5 * DAY);
    expect((await house.untilEnded(anew)).membership?.ended).toMatchObject({ how: 'lapsed', removed: true });
    expect(await isMember(group, 'rita')).toBe(false);
  });

  test('whoever was revoked asks to join, not to stay, also while Graph has not heard of it', async () => {
    const group = await groupWith(['olivia', 'omar']);
    const first = await granted(group, 'rita', 'P30D');
    await house.fault('directory', { method: 'DELETE', fault: { kind: 'answer', status: 503 } });
    const omar = await asPersonWithToken(house.stack.urls, 'omar');
    await omar.call('POST', `/api/join-requests/${first}/revoke`, { reason: 'Moved on.' });
    const anew = await opened(group, 'rita', { duration: 'P30D' });
    expect((await mailsAbout(anew, 'olivia'))[0]?.subject).toMatch(/asks to join/);
    await decide(anew, 'olivia', 'approve');
    const { membership: grant } = await house.until(anew, ({ state }) => state === 'granted');
    // its time begins now, and adds nothing to what was revoked
    expect(new Date(grant?.until ?? 0).getTime() - new Date(grant?.from ?? 0).getTime()).toBe(30 * DAY);
    await house.clearFaults();
    expect((await house.untilEnded(first)).membership?.ended).toMatchObject({ how: 'revoked', removed: false });
    expect(await isMember(group, 'rita')).toBe(true);
  });

  test.each([
    ['Graph', false],
    ['a host that is down when the time is over', true],
  ])('nobody is removed for a moment whose extension was approved in time and waits for %s', async (_, isDown) => {
    const group = await groupWith(['olivia']);
    const first = await granted(group, 'rita', 'P2D');
    const extension = await opened(group, 'rita', { duration: 'P5D' });
    // the owner’s call asks for the owners twice: whether they see the request, and whether they decide it; what applies it can’t
    const owners = { method: 'GET', path: `groups/${group}/owners`, skip: 2 };
    await house.fault('directory', { ...owners, fault: { kind: 'answer', status: 503 } });
    await decide(extension, 'olivia', 'approve');
    await house.until(extension, ({ state, waitingFor }) => state === 'approved' && waitingFor?.what === 'directory');
    if (isDown) await house.stack.end('host');
    later(2 * DAY);
    if (!isDown) await house.untilSwept(first, ({ waitingFor }) => waitingFor?.what === 'directory');
    await house.liftFaults('directory');
    if (isDown) await house.stack.restart('host');
    await house.untilSwept(extension, ({ state }) => state === 'granted');
    expect((await house.untilEnded(first)).membership?.ended).toMatchObject({ how: 'lapsed', removed: false });
    expect(await isMember(group, 'rita')).toBe(true);
    const removals = (await house.calls('directory')).filter(
      ({ method, path }) => method === 'DELETE' && path.includes(group),
    );
    expect(removals).toEqual([]);
  });

  test('somebody whom an administrator removed before the end is told the truth', async () => {
    const group = await groupWith(['olivia']);
    const id = await granted(group, 'ravi', 'P2D');
    await house.change({ type: 'removeMember', group, target: people.ravi.id });
    later(2 * DAY);
    const { membership: grant } = await house.untilEnded(id);
    expect(grant?.ended).toMatchObject({ how: 'removed', removed: false });
  });

  test('a group that was deleted before the end: settled quietly', async () => {
    const group = await groupWith(['olivia']);
    const id = await granted(group, 'rita', 'P2D');
    await house.change({ type: 'deleteGroup', id: group });
    later(2 * DAY);
    const { membership: grant, timeline } = await house.untilEnded(id);
    expect(grant?.ended).toMatchObject({ how: 'group-deleted', removed: false });
    expect(timeline.map(({ text }) => text)).toContain('The membership was over: the group was deleted.');
    await house.until(id, (now) => now.timeline.filter(({ event }) => event === 'outcome-told').length === 2);
    const [told, ...more] = (await mailsAbout(id, 'rita')).filter(({ subject }) => subject.startsWith('Ended'));
    expect(told?.plainText).toContain('The group was deleted, and your membership ended with it.');
    expect(told?.plainText).not.toMatch(/ask again|removed you/);
    expect(more).toEqual([]);
  });

  test('a member who was deleted before the end: settled quietly, and nobody is mailed who is not there', async () => {
    const group = await groupWith(['olivia']);
    const person = randomUUID();
    const alias = `gone-${person.slice(0, 8)}`;
    const address = `${alias}@contoso.example`;
    await house.change({
      type: 'createUser',
      user: { id: person, displayName: `Person ${alias}`, userPrincipalName: address, mail: address },
    });
    const answer = await house.system.call('POST', `/api/groups/${group}/join-requests`, {
      userId: person,
      justification: 'For a while.',
      duration: 'P2D',
    });
    const { id } = answer.json as { id: string };
    await wasAsked(id);
    await decide(id, 'olivia', 'approve');
    await house.untilTold(id);
    await house.change({ type: 'deleteUser', id: person });
    later(2 * DAY);
    const { membership: grant } = await house.untilEnded(id);
    expect(grant?.ended).toMatchObject({ how: 'removed', removed: false });
    await house.until(id, (now) => now.timeline.filter(({ event }) => event === 'outcome-told').length === 2);
    const subjects = (await mailsToAddress(house.stack.urls, address)).map(({ subject }) => subject);
    expect(subjects.filter((subject) => /^(Ended|Lapsed)/.test(subject))).toEqual([]);
  });

  test('an end that Graph refuses waits for the permission, says so, and happens after it', async () => {
    const group = await groupWith(['olivia']);
    const id = await granted(group, 'rita', 'P2D');
    await house.fault('directory', { method: 'DELETE', fault: { kind: 'answer', status: 403 } });
    later(2 * DAY);
    await house.untilSwept(id, ({ waitingFor }) => waitingFor?.what === 'directory');
    expect(await isMember(group, 'rita')).toBe(true);
    await house.clearFaults();
    const { membership: grant } = await house.until(id, ({ state }) => {
      house.stack.clock.advance(10_000);
      return state === 'ended';
    });
    expect(grant?.ended).toMatchObject({ how: 'lapsed', removed: true });
    expect(await isMember(group, 'rita')).toBe(false);
  });
});

test('one trace from the call that filed it to the membership: over days, and when the workflow had to be started anew', async () => {
  const group = await groupWith(['olivia'], { stages: [{ reminders: ['P1D'] }] });
  const trace = randomUUID().replaceAll('-', '');
  const answer = await house.system.call(
    'POST',
    `/api/groups/${group}/join-requests`,
    { userId: people.ravi.id, justification: 'I work with them.' },
    { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  );
  const { id } = answer.json as { id: string };
  await wasAsked(id);
  house.stack.clock.advance(DAY + MINUTE);
  await hasEvent(id, 'approvers-reminded');
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 403 } });
  await decide(id, 'olivia', 'approve');
  await house.until(id, async () => (await subjectsAbout(id, 'ravi')).some((subject) => subject.startsWith('Delayed')));
  await house.clearFaults();
  const ops = await asSystem(house.stack.urls, 'opsTool');
  await ops.call('POST', `/api/ops/requests/${id}/retry`);
  await house.untilTold(id);
  const told = [/mail .*"ask"/, /mail .*"remind"/, /request-failed /, /mail .*"delayed"/, /request-told .*"granted"/];
  // a line reaches the log a moment after what it tells of
  await house.until(id, () => {
    const lines = house.stack.logs('host').filter((line) => line.includes(trace));
    return told.every((each) => lines.some((line) => each.test(line)));
  });
});

test('a group that turned dynamic while a change of it failed: the request ends, and does not wait for ever', async () => {
  const group = await groupWith(['olivia']);
  const id = await opened(group, 'rita');
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 503 } });
  await decide(id, 'olivia', 'approve');
  await house.untilAsleep(id, 'applying');
  await house.change({ type: 'patchGroup', id: group, patch: { groupTypes: ['DynamicMembership'] } });
  await house.clearFaults();
  const { reason } = await house.until(id, ({ state }) => {
    house.stack.clock.advance(10_000);
    return state === 'cancelled';
  });
  expect(reason?.rule).toBe('group-is-dynamic');
});

test('a group that turns dynamic between the last look and the write: the request ends for that reason, and nobody has to mend it', async () => {
  const group = await groupWith(['olivia']);
  const id = await opened(group, 'rita');
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'delay', ms: 3_000 } });
  await decide(id, 'olivia', 'approve');
  await house.until(id, ({ state }) => state === 'applying');
  await house.change({ type: 'patchGroup', id: group, patch: { groupTypes: ['DynamicMembership'] } });
  const { state, reason } = await house.untilTold(id);
  expect([state, reason?.rule]).toEqual(['cancelled', 'group-is-dynamic']);
});

test('somebody whom an administrator added after a failure is not taken away by the retry', async () => {
  const group = await groupWith(['olivia']);
  const id = await opened(group, 'rita', { duration: 'P2D' });
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 403 } });
  await decide(id, 'olivia', 'approve');
  await house.until(id, ({ state }) => state === 'failed');
  await house.clearFaults();
  await house.change({ type: 'addMember', group, target: people.rita.id });
  const ops = await asSystem(house.stack.urls, 'opsTool');
  await ops.call('POST', `/api/ops/requests/${id}/retry`);
  const { state, reason } = await house.until(id, (status) => ['cancelled', 'granted'].includes(status.state));
  expect([state, reason?.rule]).toEqual(['cancelled', 'already-member']);
  expect(await isMember(group, 'rita')).toBe(true);
});

test('the requester reads what the decider wrote on the page of the request, and nobody else does', async () => {
  const group = await groupWith(['olivia', 'omar']);
  const id = await opened(group, 'rita');
  await decide(id, 'olivia', 'deny', { comment: 'Ask your lead first.' });
  await house.untilTold(id);
  const page = async (person: PersonAlias): Promise<string> =>
    (await signIn(house.stack.urls, person, `/api/requests/${id}`)).page.text;
  expect(await page('rita')).toContain('Ask your lead first.');
  expect(await page('omar')).not.toContain('Ask your lead first.');
});

test('somebody who became a member by another way is not asked about any more', async () => {
  const group = await groupWith(['olivia'], { stages: [{ reminders: ['P1D'] }] });
  const id = await opened(group, 'rita');
  await house.change({ type: 'addMember', group, target: people.rita.id });
  house.stack.clock.advance(DAY + MINUTE);
  const { reason, timeline } = await house.untilTold(id);
  expect(reason?.rule).toBe('already-member');
  expect(timeline.map(({ event }) => event)).not.toContain('approvers-reminded');
});

test('the link in the mail decides with a shorter time, and is the receipt after', async () => {
  const group = await groupWith(['olivia']);
  const id = await opened(group, 'rita');
  const mail = await mailTo(id, 'olivia');
  const { browser, page } = await signIn(house.stack.urls, 'olivia', new URL(linkIn(mail)).pathname);
  expect(page.text).toContain('name="duration"');
  const receipt = await browser.post(linkIn(mail), {
    decision: 'approve',
    comment: '',
    duration: 'P7D',
    token: hiddenField(page.text, 'token'),
  });
  expect(receipt.text).toContain('Approved');
  const { membership } = await house.untilTold(id);
  expect(new Date(membership?.until ?? 0).getTime() - new Date(membership?.from ?? 0).getTime()).toBe(7 * DAY);
});
