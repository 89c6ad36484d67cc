import { randomUUID } from 'node:crypto';

import { people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { asPersonWithToken, asSystem, linkIn, mailsTo, signIn } from '../../local/stack/actors';
import type { Answer, SystemActor } from '../../local/stack/actors';
import { openHouse } from './house';
import type { House, Status } from './house';

/** What operations do to a request, and what becomes of it: each test has a group of its own. */
let house: House;
let ops: SystemActor;
let admin: SystemActor;

beforeAll(async () => {
  house = await openHouse();
  ops = await asSystem(house.stack.urls, 'opsTool');
  admin = await asSystem(house.stack.urls, 'adminTool');
});
afterEach(async () => {
  await house.clearFaults();
});
afterAll(() => house.stop());

const MINUTE = 60_000;
const DAY = 86_400_000;
const reason = 'Both owners are on leave.';

let count = 0;
async function groupWith(owners: PersonAlias[], stage: Record<string, unknown> = {}): Promise<string> {
  const id = randomUUID();
  count += 1;
  const displayName = `Operated ${String(count)}`;
  const group = {
    id,
    displayName,
    mailNickname: `operated-${String(count)}`,
    owners: owners.map((alias) => people[alias].id),
  };
  await house.change({ type: 'createGroup', group });
  const { headers } = await admin.call('GET', `/api/groups/${id}/policy`);
  const policy = { optedIn: true, stages: [{ reminders: [], ...stage }] };
  const answer = await admin.call('PUT', `/api/groups/${id}/policy`, policy, { 'if-match': headers.get('etag') ?? '' });
  if (answer.status !== 200) throw new Error(answer.text);
  return id;
}

async function filed(group: string, person: PersonAlias): Promise<string> {
  const { status, json, text } = await house.system.call('POST', `/api/groups/${group}/join-requests`, {
    userId: people[person].id,
    justification: 'I work with them.',
  });
  if (status !== 202) throw new Error(text);
  return (json as { id: string }).id;
}

const times = ({ timeline }: Status, event: string): number => timeline.filter((entry) => entry.event === event).length;
const hasEvent = (id: string, event: string, often = 1): Promise<Status> =>
  house.until(id, (status) => times(status, event) >= often);
const mailsAbout = async (id: string, person: PersonAlias) =>
  (await mailsTo(house.stack.urls, person)).filter(({ plainText }) => (plainText ?? '').includes(id));
const post = (id: string, action: string, body: Record<string, unknown>): Promise<Answer> =>
  ops.call('POST', `/api/ops/requests/${id}/${action}`, body);
const decide = async (id: string, person: PersonAlias, decision: 'approve' | 'deny'): Promise<number> => {
  const actor = await asPersonWithToken(house.stack.urls, person);
  return (await actor.call('POST', `/api/join-requests/${id}/decision`, { decision })).status;
};

interface RequestRecord {
  mails: { key: string; status: string; to: { id: string }; copy?: number; canBeSentAgain: boolean }[];
  orchestration: { runtimeStatus: string } | null;
  actions: string[];
  timeline: { event: string; by: { id: string }; data?: Record<string, unknown> }[];
  deadline?: string;
}
const record = async (id: string): Promise<RequestRecord> =>
  (await ops.call('GET', `/api/ops/requests/${id}/record`)).json as RequestRecord;

test('a re-routed request is decided by who was named; the links of those asked before are receipts', async () => {
  const group = await groupWith(['olivia', 'omar']);
  const id = await filed(group, 'rita');
  await hasEvent(id, 'approvers-asked');
  const [mail] = await mailsAbout(id, 'olivia');
  if (mail === undefined) throw new Error('Olivia was not asked');
  await house.untilAsleep(id, 'pending');
  expect((await post(id, 'reroute', { approvers: [people.tomas.id], required: 1, reason })).status).toBe(202);
  await hasEvent(id, 'approvers-asked', 2);
  expect(await house.asked(id, 'tomas')).toHaveLength(1);

  expect(await decide(id, 'olivia', 'approve')).toBe(404);
  const { page } = await signIn(house.stack.urls, 'olivia', new URL(linkIn(mail)).pathname);
  expect(page.text).toContain('This is no longer yours to decide');
  expect(page.text).not.toContain('name="decision"');
  expect((await house.status(id)).state).toBe('pending');

  expect(await decide(id, 'tomas', 'approve')).toBe(200);
  expect((await house.untilTold(id)).state).toBe('granted');
  const { timeline } = await record(id);
  expect(timeline.find(({ event }) => event === 'rerouted')).toMatchObject({
    by: { kind: 'app' },
    data: { stage: 0, people: [people.tomas.id], required: 1, reason },
  });
  // those asked before learn how it ended
  await house.until(id, async () =>
    (await mailsAbout(id, 'olivia')).some(({ plainText }) => !/choice=approve/.test(plainText ?? '')),
  );
});

test('a request is given to nobody who can’t decide it, and then nothing is changed', async () => {
  const group = await groupWith(['olivia']);
  const id = await filed(group, 'rita');
  await hasEvent(id, 'approvers-asked');
  const cases: [string[], RegExp][] = [
    [[people.rita.id], new RegExp(people.rita.id)],
    [[people.tomas.id, people.gus.id], new RegExp(people.gus.id)],
    [['nobody@contoso.example'], /nobody@contoso.example/],
  ];
  for (const [approvers, named] of cases) {
    const { status, json } = await post(id, 'reroute', { approvers, reason });
    expect([status, (json as { detail: string }).detail]).toEqual([409, expect.stringMatching(named)]);
  }
  const tooMany = await post(id, 'reroute', { approvers: [people.tomas.id], required: 2, reason });
  expect([tooMany.status, (tooMany.json as { detail: string }).detail]).toEqual([409, expect.stringContaining('Of 1')]);
  expect((await post(id, 'reroute', { approvers: [people.tomas.id], reason: ' ' })).status).toBe(400);
  expect(times(await house.status(id), 'rerouted')).toBe(0);
  expect(await decide(id, 'olivia', 'deny')).toBe(200);
});

test('an extended deadline expires at the new time, and not at the old one', async () => {
  const group = await groupWith(['olivia'], { deadline: 'P2D' });
  const id = await filed(group, 'rita');
  await hasEvent(id, 'approvers-asked');
  await house.untilAsleep(id, 'pending');
  const { deadline = '' } = await record(id);
  const until = new Date(new Date(deadline).getTime() + 3 * DAY).toISOString();
  expect((await post(id, 'extend', { until, reason })).status).toBe(202);
  // it sleeps until the new time
  await house.until(id, async () => {
    const { json } = await ops.call('GET', `/api/ops/requests/${id}/record`);
    const { orchestration } = json as { orchestration: { customStatus?: { due?: string } } | null };
    return orchestration?.customStatus?.due === until;
  });
  house.stack.clock.advance(2 * DAY + 5 * MINUTE);
  await house.until(id, async () => (await ops.call('GET', '/api/ops/overview')).status === 200);
  expect((await house.status(id)).state).toBe('pending');
  expect((await record(id)).deadline).toBe(until);
  await house.untilAsleep(id, 'pending');
  house.stack.clock.advance(3 * DAY);
  expect((await house.untilTold(id)).state).toBe('expired');
});

test('an asking that bounced and is sent again arrives once; a late report about the first copy changes nothing', async () => {
  const group = await groupWith(['olivia', 'omar']);
  const id = await filed(group, 'rita');
  await hasEvent(id, 'approvers-asked');
  const [first] = await mailsAbout(id, 'omar');
  const operation = first?.operationId ?? '';
  await house.reportBounce({ operationId: operation }, people.omar.mail ?? '');
  await hasEvent(id, 'mail-undelivered');

  const [lost] = (await record(id)).mails.filter(({ status }) => status === 'undelivered');
  expect(lost).toMatchObject({ to: { id: people.omar.id }, canBeSentAgain: true });
  expect((await post(id, 'resend', { mail: lost?.key, reason: 'His mailbox is mended.' })).status).toBe(202);
  await hasEvent(id, 'approvers-asked', 2);
  const again = (await mailsAbout(id, 'omar')).filter(({ operationId }) => operationId !== operation);
  expect(again).toHaveLength(1);
  await house.reportBounce({ operationId: operation }, people.omar.mail ?? '');
  await house.untilAsleep(id, 'pending');
  const mails = (await record(id)).mails.filter(({ key }) => key === lost?.key);
  expect(mails).toMatchObject([{ status: 'accepted', copy: 1 }]);
  expect(times(await house.status(id), 'mail-undelivered')).toBe(1);

  // the link of the second copy is the same, and counts
  expect(linkIn(again[0] ?? (undefined as never))).toBe(linkIn(first ?? (undefined as never)));
  expect(await decide(id, 'omar', 'approve')).toBe(200);
  expect((await house.untilTold(id)).state).toBe('granted');
});

test('an outcome is told again to who asks for it, to nobody else, and stays what it was', async () => {
  const group = await groupWith(['olivia']);
  const id = await filed(group, 'rita');
  await hasEvent(id, 'approvers-asked');
  await decide(id, 'olivia', 'deny');
  await house.untilTold(id);
  const before = { rita: (await mailsAbout(id, 'rita')).length, olivia: (await mailsAbout(id, 'olivia')).length };
  const key = `outcome_${people.rita.id}`;
  expect((await post(id, 'resend', { mail: key, reason: 'She deleted it.' })).status).toBe(202);
  expect((await hasEvent(id, 'outcome-told', 2)).state).toBe('denied');
  expect((await mailsAbout(id, 'rita')).length).toBe(before.rita + 1);
  expect((await mailsAbout(id, 'olivia')).length).toBe(before.olivia);
  expect((await post(id, 'resend', { mail: `ask_0_0_${people.olivia.id}`, reason })).status).toBe(409);
});

test('a lost workflow is started again, and one that runs is not', async () => {
  const group = await groupWith(['olivia']);
  const id = await filed(group, 'rita');
  await hasEvent(id, 'approvers-asked');
  await house.untilAsleep(id, 'pending');
  expect((await post(id, 'restart', { reason })).status).toBe(409);
  await house.terminate(`join-${id}`);
  await house.until(id, async () => (await record(id)).orchestration?.runtimeStatus === 'Terminated');
  expect((await record(id)).actions).toContain('restart');
  expect((await post(id, 'restart', { reason })).status).toBe(202);
  await house.untilAsleep(id, 'pending');
  expect((await record(id)).orchestration?.runtimeStatus).toBe('Running');
  expect(times(await house.status(id), 'approvers-asked')).toBe(1);
  await decide(id, 'olivia', 'approve');
  expect((await house.untilTold(id)).state).toBe('granted');
  expect((await record(id)).timeline.filter(({ event }) => event === 'restarted')).toMatchObject([
    { data: { reason } },
  ]);
});

test('who tries a failed application again, and who cancels, stands in the trail with the reason', async () => {
  const group = await groupWith(['olivia']);
  const id = await filed(group, 'rita');
  await hasEvent(id, 'approvers-asked');
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 403 } });
  await decide(id, 'olivia', 'approve');
  const isFailed = (often: number) => (status: Status) =>
    status.waitingFor?.what === 'operations' && times(status, 'failed') === often;
  await house.until(id, isFailed(1));
  // it is listed once the requester was told that it is late
  await house.until(id, async () => {
    const { json } = await ops.call('GET', '/api/ops/requests?only=failed');
    return (json as { value: { id: string }[] }).value.some((each) => each.id === id);
  });
  expect((await post(id, 'retry', { reason: 'The permission was given.' })).status).toBe(202);
  await house.until(id, isFailed(2));
  expect((await post(id, 'cancel', { reason: 'The group stays as it is.' })).status).toBe(202);
  expect((await house.untilTold(id)).state).toBe('cancelled');
  const { timeline } = await record(id);
  expect(timeline.find(({ event }) => event === 'retried')?.data).toEqual({ reason: 'The permission was given.' });
  expect(timeline.find(({ event }) => event === 'cancelled')?.data).toMatchObject({
    sentence: 'The group stays as it is.',
  });
});

test('open requests are counted and told in the line that the alerts read', async () => {
  const group = await groupWith(['olivia']);
  const id = await filed(group, 'rita');
  await hasEvent(id, 'approvers-asked');
  await house.untilAsleep(id, 'pending');
  const lines = (): Record<string, unknown>[] =>
    house.stack
      .logs('host')
      .flatMap((line) => /open-requests (\{.*\})/.exec(line)?.slice(1) ?? [])
      .map((json) => JSON.parse(json) as Record<string, unknown>);
  const before = lines().length;
  house.stack.clock.advance(10 * MINUTE);
  await house.until(id, () => lines().length > before);
  const last = lines().at(-1) ?? {};
  expect(last).toMatchObject({ failed: 0, approved: 0, atLeast: false });
  expect(last['open']).toBeGreaterThanOrEqual(1);
  expect(last['pending']).toBe(last['open']);
  expect(last['oldestHours']).toBeGreaterThanOrEqual(0.1);
  const { json } = await ops.call('GET', '/api/ops/overview');
  expect(json).toMatchObject({ open: { open: last['open'], failed: 0 }, graph: { graphPermissions: 'as-needed' } });
  await decide(id, 'olivia', 'deny');
  await house.untilTold(id);
  house.stack.clock.advance(10 * MINUTE);
  await house.until(id, () => lines().at(-1)?.['open'] === Number(last['open']) - 1);
});

test('histories of what has ended are purged after the retention; what runs stays', async () => {
  const group = await groupWith(['olivia'], { deadline: 'P60D' });
  const ended = await filed(group, 'rita');
  await hasEvent(ended, 'approvers-asked');
  await decide(ended, 'olivia', 'deny');
  await house.untilTold(ended);
  const open = await filed(group, 'ravi');
  await hasEvent(open, 'approvers-asked');
  await house.untilAsleep(open, 'pending');
  expect((await record(ended)).orchestration?.runtimeStatus).toBe('Completed');
  house.stack.clock.advance(31 * DAY);
  await house.until(
    ended,
    async () => {
      house.stack.clock.advance(60 * MINUTE);
      return (await record(ended)).orchestration === null;
    },
    60_000,
  );
  expect((await house.status(ended)).state).toBe('denied');
  expect((await record(open)).orchestration?.runtimeStatus).toBe('Running');
});
