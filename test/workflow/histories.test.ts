import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { asPersonWithToken, asSystem } from '../../local/stack/actors';
import { openGroupsHouse, wish } from './own-groups-house';
import type { GroupsHouse } from './own-groups-house';
import { reconciling } from './reconciling';
import { readDurableStore } from './said';

/**
 * What the durable runtime keeps of each story. `RECORD_HISTORIES=1` writes it to `test/golden/histories/{version}`, for the version in
 * host.json, where every later version of the orchestrations is held to it (`test/unit/orchestrations/histories.test.ts`).
 */
let house: GroupsHouse;

beforeAll(async () => {
  house = await openGroupsHouse();
});
afterAll(() => house.stop());

const DAY = 86_400_000;
const version = (
  JSON.parse(readFileSync(join(__dirname, '../../host.json'), 'utf8')) as {
    extensions: { durableTask: { defaultVersion: string } };
  }
).extensions.durableTask.defaultVersion;

interface Kept {
  executionId: string;
  history: { EventType: number; Name?: string }[];
}
const EXECUTION_COMPLETED = 1;
const TASK_SCHEDULED = 4;
const TASK_FAILED = 6;
const TIMER_CREATED = 10;

/** What the durable runtime keeps of an instance at this moment. */
const kept = (instanceId: string): Kept | undefined =>
  readDurableStore(house.stack, (store) => {
    const instance = store.prepare('SELECT executionId FROM instances WHERE id = ?').get(instanceId);
    if (instance === undefined) return undefined;
    const rows = store.prepare('SELECT event FROM history WHERE instanceId = ? ORDER BY seq').all(instanceId);
    return {
      executionId: String(instance['executionId']),
      history: rows.map(({ event }) => JSON.parse(String(event)) as { EventType: number }),
    };
  });

function record(name: string, instanceId: string): Kept {
  const found = kept(instanceId);
  if (found === undefined) throw new Error(`there is no ${instanceId}`);
  if (process.env['RECORD_HISTORIES'] === '1') {
    if (found.history.some(({ EventType }) => EventType === TASK_FAILED))
      throw new Error(
        'An activity failed and was tried again (a token may have run out as the clock moved): record it anew.',
      );
    const folder = join(__dirname, '../golden/histories', version);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ instanceId, history: found.history }, null, 1)}\n`);
  }
  return found;
}

async function ownGroup(
  policy: Record<string, unknown>,
  { name = 'Histories', owner = people.olivia.id }: { name?: string; owner?: string } = {},
): Promise<string> {
  const id = randomUUID();
  await house.change({
    type: 'createGroup',
    group: { id, displayName: name, mailNickname: `histories-${id.slice(0, 8)}`, owners: [owner] },
  });
  const admin = await asSystem(house.stack.urls, 'adminTool');
  const { status, text } = await admin.call('PUT', `/api/groups/${id}/policy`, policy, { 'if-match': '"none"' });
  if (status !== 200) throw new Error(text);
  return id;
}

async function filed(group: string, more: Record<string, unknown> = {}): Promise<string> {
  const { json } = await house.system.call('POST', `/api/groups/${group}/join-requests`, {
    userId: people.rita.id,
    justification: 'x',
    ...more,
  });
  const { id } = json as { id: string };
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  return id;
}
const decide = async (id: string, decision: 'approve' | 'deny', by: PersonAlias = 'olivia'): Promise<void> => {
  const person = await asPersonWithToken(house.stack.urls, by);
  await person.call('POST', `/api/join-requests/${id}/decision`, { decision });
};
const times = (timeline: { event: string }[], what: string): number =>
  timeline.filter(({ event }) => event === what).length;
const reminders = (timeline: { event: string }[]): number => times(timeline, 'approvers-reminded');

/** Waits for the end of an instance that answers no door, while the clock runs on; records it. */
async function recordEnd(name: string, instanceId: string): Promise<Kept> {
  for (const end = performance.now() + 25_000; ;) {
    if (kept(instanceId)?.history.some(({ EventType }) => EventType === EXECUTION_COMPLETED) === true)
      return record(name, instanceId);
    if (performance.now() > end) throw new Error(`${instanceId} does not end`);
    house.stack.clock.advance(10_000);
    await new Promise((done) => setTimeout(done, 50));
  }
}

test('fourteen days with a reminder each day: under 120 events at any time, and at most two activities a reminder', async () => {
  const days = Array.from({ length: 13 }, (_, n) => `P${String(n + 1)}D`);
  const group = await ownGroup({ optedIn: true, stages: [{ reminders: days, deadline: 'P14D' }] });
  const id = await filed(group);
  const activities = new Map<string, number>();
  let most = 0;
  const look = (): void => {
    const { executionId, history } = kept(`join-${id}`) ?? { executionId: '', history: [] };
    most = Math.max(most, history.length);
    const scheduled = history.filter(({ EventType }) => EventType === TASK_SCHEDULED).length;
    activities.set(executionId, Math.max(activities.get(executionId) ?? 0, scheduled));
  };
  look();
  for (let day = 1; day <= 13; day += 1) {
    house.stack.clock.advance(DAY + 1_000);
    await house.until(id, ({ timeline }) => reminders(timeline) === day);
    look();
  }
  if (process.env['RECORD_HISTORIES'] === '1') record('waiting-after-thirteen-reminders', `join-${id}`);
  house.stack.clock.advance(DAY);
  expect((await house.untilTold(id)).state).toBe('expired');
  look();
  const total = [...activities.values()].reduce((sum, count) => sum + count, 0);
  expect(most).toBeLessThan(120);
  expect(total).toBeLessThanOrEqual(2 * 14);
  // two days' hops bound what one execution sees, not what stands in the row
  expect(activities.size).toBeGreaterThan(1);
});

test('approved after a reminder, then applied and told', async () => {
  const group = await ownGroup({ optedIn: true, stages: [{ reminders: ['P3D'], deadline: 'P10D' }] });
  const id = await filed(group);
  house.stack.clock.advance(3 * DAY + 1_000);
  await house.until(id, ({ timeline }) => reminders(timeline) === 1);
  record('waiting-after-a-reminder', `join-${id}`);
  await decide(id, 'approve');
  await house.untilTold(id);
  const { history } = record('approved-after-a-reminder', `join-${id}`);
  expect(history.length).toBeLessThan(120);
});

test('denied at once', async () => {
  const id = await filed(await ownGroup({ optedIn: true }));
  await decide(id, 'deny');
  expect((await house.untilTold(id)).state).toBe('denied');
  record('denied-at-once', `join-${id}`);
});

test('approved at the first stage, then at the second', async () => {
  const approvers = [{ kind: 'people', ids: [people.omar.id] }];
  const id = await filed(await ownGroup({ optedIn: true, stages: [{}, { approvers }] }));
  await decide(id, 'approve');
  await house.until(id, ({ timeline }) => times(timeline, 'approvers-asked') === 2);
  record('waiting-at-the-second-stage', `join-${id}`);
  await decide(id, 'approve', 'omar');
  expect((await house.untilTold(id)).state).toBe('granted');
  record('approved-at-the-second-stage', `join-${id}`);
});

test('approved by an owner who is none any more when it is to be applied: the stage is opened again', async () => {
  const group = await ownGroup({ optedIn: true });
  const id = await filed(group);
  await house.fault('directory', { method: 'POST', path: 'checkMemberGroups', fault: { kind: 'answer', status: 503 } });
  await decide(id, 'approve');
  await house.until(id, ({ waitingFor }) => waitingFor?.what === 'directory');
  await house.change({ type: 'addOwner', group, target: people.omar.id });
  await house.change({ type: 'removeOwner', group, target: people.olivia.id });
  await house.clearFaults();
  await house.until(id, ({ timeline }) => {
    house.stack.clock.advance(10_000);
    return times(timeline, 'stage-reopened') === 1 && times(timeline, 'approvers-asked') === 2;
  });
  record('waiting-at-a-stage-opened-again', `join-${id}`);
  await decide(id, 'approve', 'omar');
  expect((await house.untilTold(id)).state).toBe('granted');
  record('approved-at-a-stage-opened-again', `join-${id}`);
});

test('Graph is down when it is to be applied, and comes back', async () => {
  const id = await filed(await ownGroup({ optedIn: true }));
  await house.fault('directory', { method: 'POST', path: 'checkMemberGroups', fault: { kind: 'answer', status: 503 } });
  await decide(id, 'approve');
  await house.until(id, ({ waitingFor }) => waitingFor?.what === 'directory');
  await house.clearFaults();
  await house.until(id, ({ state }) => {
    house.stack.clock.advance(10_000);
    return state === 'granted';
  });
  await house.untilTold(id);
  record('directory-down-for-a-while', `join-${id}`);
});

test('a grant that warns and ends', async () => {
  const group = await ownGroup({ optedIn: true, warnings: ['P2D'] });
  const id = await filed(group, { duration: 'P10D' });
  await decide(id, 'approve');
  await house.untilTold(id);
  house.stack.clock.advance(8 * DAY + 120_000);
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'ending-told'));
  record('grant-warned', `grant-${id}`);
  house.stack.clock.advance(2 * DAY);
  await house.untilEnded(id);
  await house.until(id, ({ timeline }) => timeline.filter(({ event }) => event === 'outcome-told').length === 2);
  const { history } = record('grant-ended', `grant-${id}`);
  expect(history.length).toBeLessThan(40);
});

test('a group that is approved after a reminder, then created and told', async () => {
  const adele = await house.as('adele');
  const approvers = [{ kind: 'people', ids: [people.frank.id] }];
  const policy = { security: { approval: { approvers, reminders: ['P1D'], deadline: 'P5D' } } };
  const written = await adele.call('PUT', '/api/policies/creation', policy, { 'if-match': '"none"' });
  expect(written.status).toBe(200);
  const { id } = (await house.create('rita', wish('Histories of groups'))).json as { id: string };
  const has = (event: string) =>
    house.untilChange(id, ({ timeline }) => timeline.some((entry) => entry.event === event));
  await has('approvers-asked');
  house.stack.clock.advance(DAY + 60_000);
  await has('approvers-reminded');
  const frank = await house.as('frank');
  await frank.call('POST', `/api/group-changes/${id}/decision`, { decision: 'approve' });
  expect((await has('outcome-told')).state).toBe('done');
  const { history } = record('group-created-after-a-reminder', `change-${id}`);
  expect(history.length).toBeLessThan(60);
});

test('the only owner of a group is asked for a second one, once the mail service answers again', async () => {
  // the other groups of this file have one owner only as well, who is asked about all of them in one mail
  const id = await ownGroup({ optedIn: true }, { name: 'Histories of owners', owner: people.kenji.id });
  const refused = { method: 'POST', path: /emails:send/, status: 503, body: /Histories of owners needs/ };
  await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
  expect((await house.operations.call('POST', '/api/ops/reconcile')).status).toBe(202);
  await house.untilAnswered('mail', refused);
  await house.clearFaults();
  const { history } = await recordEnd('care-asked-when-mail-was-back', `care-${id}`);
  expect(history.filter(({ EventType }) => EventType === TASK_SCHEDULED).length).toBeGreaterThan(1);
});

test('a reconcile that waits for the directory, and goes on', async () => {
  const id = await filed(await ownGroup({ optedIn: true }));
  await house.fault('directory', {
    method: 'POST',
    path: '\\$batch',
    times: 1,
    fault: { kind: 'answer', status: 429, headers: { 'retry-after': '600' } },
  });
  const nightly = reconciling(house.stack, house.operations);
  await nightly.eventually(async () => (await nightly.start()) || undefined, 'the one before is over');
  const { history } = await recordEnd('reconcile-waited-for-the-directory', 'reconcile-all');
  expect(history.some(({ EventType }) => EventType === TIMER_CREATED)).toBe(true);
  expect((await house.status(id)).state).toBe('pending');
});

test('a group whose owners are warned that it expires', async () => {
  const adele = await house.as('adele');
  const etag = (await adele.call('GET', '/api/policies/creation')).headers.get('etag') ?? '';
  const policy = { security: { lifetime: { lifetime: 'P40D', afterwards: 'keep' } } };
  expect((await adele.call('PUT', '/api/policies/creation', policy, { 'if-match': etag })).status).toBe(200);
  const created = await house.create('rita', wish('Histories of lives', { owners: [people.mona.id] }));
  const { group } = await house.settled(created);
  if (group === undefined) throw new Error('no group');
  house.stack.clock.advance(10 * DAY + 60_000);
  const { history } = await recordEnd('life-owners-warned', `life-${group.id}`);
  expect(history.length).toBeLessThan(40);
});
