import type { TableClient, TableEntity } from '@azure/data-tables';

import type { RecordedCall } from '../../local/faults';
import { people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { asPersonWithToken, asSystem } from '../../local/stack/actors';
import type { SystemActor } from '../../local/stack/actors';
import type { TableName } from '../../shared/records/tables';
import { tableClient } from '../http/stack/tools';
import { openHouse } from './house';
import type { House, Status } from './house';
import { reconciling } from './reconciling';
import type { Reconciling } from './reconciling';

/**
 * Rows are taken away or changed in the tables, past Gatehouse; then the reconcile comes, and what is Gatehouse's own is as it was. Each test
 * has a group of its own; the tables hold what the tests before left.
 */
let house: House;
let ops: SystemActor;
let nightly: Reconciling;

beforeAll(async () => {
  house = await openHouse({ wires: true, supervise: true });
  ops = await asSystem(house.stack.urls, 'opsTool');
  nightly = reconciling(house.stack, ops);
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type Row = TableEntity<Record<string, unknown>>;
/** A client with a token of the stack's present time: the clock is moved in between. */
const table = (name: TableName): TableClient => tableClient(house.stack, name);

async function rows(name: TableName, wanted: (row: Row) => boolean): Promise<Row[]> {
  const found: Row[] = [];
  for await (const row of table(name).listEntities<Row>()) if (wanted(row)) found.push(row);
  return found;
}

/** Takes rows away as somebody with rights on the storage could. @returns how many */
async function lose(name: TableName, wanted: (row: Row) => boolean): Promise<number> {
  const found = await rows(name, wanted);
  for (const { partitionKey, rowKey } of found) await table(name).deleteEntity(partitionKey, rowKey);
  return found.length;
}
const naming =
  (id: string) =>
  ({ rowKey }: Row): boolean =>
    rowKey.endsWith(`_${id}`);

const times = ({ timeline }: Status, event: string): number => timeline.filter((entry) => entry.event === event).length;

async function asked(group: string, person: PersonAlias, more: Record<string, unknown> = {}): Promise<string> {
  const id = await house.filed(group, person, more);
  await house.until(id, (status) => times(status, 'approvers-asked') > 0);
  await house.untilAsleep(id, 'pending');
  return id;
}

async function decide(id: string, person: PersonAlias, decision: 'approve' | 'deny'): Promise<void> {
  const actor = await asPersonWithToken(house.stack.urls, person);
  const { status, text } = await actor.call('POST', `/api/join-requests/${id}/decision`, { decision });
  if (status !== 200) throw new Error(text);
}

async function granted(group: string, person: PersonAlias, more: Record<string, unknown> = {}): Promise<string> {
  const id = await asked(group, person, more);
  await decide(id, 'olivia', 'approve');
  await house.untilTold(id);
  return id;
}

const passing: House['untilSwept'] = (id, wanted) => house.untilSwept(id, wanted, 40_000);

test('a request that is decided while nothing points to it any more is applied after the night', async () => {
  const group = await house.newGroup(['olivia']);
  const id = await asked(group, 'rita');
  // neither the sweeper nor a workflow knows of it
  await house.terminate(`join-${id}`);
  expect(await lose('open', naming(id))).toBe(1);
  await decide(id, 'olivia', 'approve');
  expect(await lose('open', naming(id))).toBe(1);
  expect((await house.status(id)).state).toBe('approved');

  expect((await nightly.reconciled()).openRows).toBeGreaterThanOrEqual(1);
  expect((await passing(id, ({ state }) => state === 'granted')).state).toBe('granted');
  expect(await house.isMember(group, 'rita')).toBe(true);
  expect(times(await house.untilTold(id), 'granted')).toBe(1);
});

test('a request whose next step somebody took out of the row goes on after the night', async () => {
  const group = await house.newGroup(['olivia']);
  const id = await asked(group, 'rita');
  await house.terminate(`join-${id}`);
  await lose('open', naming(id));
  const row = await table('requests').getEntity(`r_${id}`, 'state');
  const json = { ...(JSON.parse(String(row['json'])) as Record<string, unknown>), due: null };
  await table('requests').updateEntity(
    { partitionKey: `r_${id}`, rowKey: 'state', json: JSON.stringify(json) },
    'Merge',
  );
  expect((await nightly.reconciled()).madeDue).toBeGreaterThanOrEqual(1);
  await nightly.eventually(
    async () => {
      const { json: record } = await ops.call('GET', `/api/ops/requests/${id}/record`);
      return (record as { orchestration: { runtimeStatus: string } | null }).orchestration?.runtimeStatus === 'Running'
        ? true
        : undefined;
    },
    'its workflow runs',
    10_000,
  );
  await decide(id, 'olivia', 'deny');
  expect((await house.untilTold(id)).state).toBe('denied');
});

test('requests that stand on no list, as those from before there were lists, are found again, open ones and ended ones', async () => {
  const group = await house.newGroup(['olivia']);
  const open = await asked(group, 'rita');
  const ended = await asked(group, 'ravi');
  await decide(ended, 'olivia', 'deny');
  await house.untilTold(ended);
  // while it is fresh its own first step may be about to put it there
  house.stack.clock.advance(11 * MINUTE);
  expect(await lose('openbyage', naming(open))).toBe(1);
  expect(await lose('bysubject', (row) => naming(open)(row) || naming(ended)(row))).toBe(4);
  const found = async (query: string): Promise<string[]> => {
    const { json } = await ops.call('GET', `/api/ops/${query}`);
    return (json as { value: { id: string }[] }).value.map(({ id }) => id);
  };
  expect(await found(`search?group=${group}`)).toEqual([]);

  expect((await nightly.reconciled()).lists).toBeGreaterThanOrEqual(2);
  expect((await found(`search?group=${group}`)).toSorted()).toEqual([open, ended].toSorted());
  expect(await found(`search?person=${people.ravi.id}`)).toContain(ended);
  expect(await found('requests?order=age&pageSize=100')).toContain(open);
  expect(await rows('openbyage', naming(ended))).toEqual([]);
  await decide(open, 'olivia', 'deny');
  await house.untilTold(open);
  expect((await nightly.reconciled()).lists).toBe(0);
});

test('a person can’t ask twice for a group after the claim of their open request was lost', async () => {
  const group = await house.newGroup(['olivia']);
  const id = await asked(group, 'rita');
  expect(await lose('claims', ({ partitionKey }) => partitionKey === `g_${group}`)).toBe(1);
  expect((await nightly.reconciled()).claims).toBe(1);
  const again = await house.file(group, 'rita');
  expect([again.status, (again.json as { id: string }).id]).toEqual([200, id]);
  await decide(id, 'olivia', 'deny');
  await house.untilTold(id);
  expect((await nightly.reconciled()).claims).toBe(0);
});

test('a member can’t be added and removed at once after the claim of the one change was lost', async () => {
  const group = await house.newGroup(['olivia', 'omar']);
  const as = async (owner: PersonAlias, kind: string) =>
    (await asPersonWithToken(house.stack.urls, owner)).call('POST', `/api/groups/${group}/changes`, {
      kind,
      person: people.rita.id,
    });
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 503 } });
  expect((await as('olivia', 'add-member')).status).toBe(202);
  expect(await lose('claims', ({ partitionKey }) => partitionKey === `g_${group}`)).toBe(1);
  expect((await nightly.reconciled()).claims).toBe(1);
  expect((await as('omar', 'add-member')).status).toBe(409);
});

test('a membership for a time ends although its end was forgotten; one that somebody else gave stays', async () => {
  const group = await house.newGroup(['olivia'], ['mona']);
  const id = await granted(group, 'rita', { duration: 'PT2H' });
  await nightly.eventually(
    async () => ((await rows('open', naming(id))).length === 1 ? true : undefined),
    'its end is due',
  );
  expect(await lose('open', naming(id))).toBe(1);
  house.stack.clock.advance(3 * HOUR);
  expect((await nightly.reconciled()).openRows).toBeGreaterThanOrEqual(1);
  expect((await house.untilEnded(id)).membership?.ended).toMatchObject({ how: 'lapsed', removed: true });
  expect(await house.isMember(group, 'rita')).toBe(false);
  expect(await house.isMember(group, 'mona')).toBe(true);
});

test('a request that can’t be granted any more ends in that night, by its own step and with its reason', async () => {
  const [dynamic, deleted, gone] = await Promise.all([
    house.newGroup(['olivia']),
    house.newGroup(['olivia']),
    house.newGroup(['olivia']),
  ]);
  const person = { ...people.ravi, id: 'a0000000-0000-4000-8000-0000000009a1', userPrincipalName: 'nora.night' };
  await house.change({
    type: 'createUser',
    user: {
      id: person.id,
      displayName: 'Nora Night',
      userPrincipalName: 'nora.night@contoso.example',
      mail: 'nora.night@contoso.example',
    },
  });
  const { json } = await house.system.call('POST', `/api/groups/${gone}/join-requests`, {
    userId: person.id,
    justification: 'I work with them.',
  });
  const ids = [await asked(dynamic, 'rita'), await asked(deleted, 'rita'), (json as { id: string }).id];
  for (const id of ids) await house.untilAsleep(id, 'pending');
  const untouched = await asked(await house.newGroup(['olivia']), 'ravi');
  await house.change(
    { type: 'patchGroup', id: dynamic, patch: { groupTypes: ['DynamicMembership'] } },
    { type: 'deleteGroup', id: deleted },
    { type: 'deleteUser', id: person.id },
  );
  expect((await nightly.reconciled()).madeDue).toBe(3);
  const reasons = [];
  for (const id of ids) {
    const { state, reason } = await passing(id, ({ timeline }) =>
      timeline.some(({ event }) => event === 'outcome-told'),
    );
    reasons.push([state, reason?.rule]);
  }
  expect(reasons).toEqual([
    ['cancelled', 'group-is-dynamic'],
    ['cancelled', 'group-not-found'],
    ['cancelled', 'requester-not-found'],
  ]);
  expect(times(await house.status(untouched), 'approvers-asked')).toBe(1);
  expect((await house.status(untouched)).state).toBe('pending');
  await decide(untouched, 'olivia', 'deny');
  await house.untilTold(untouched);
});

test('a member whose account is disabled is told to operations, and stays; so does a grant that no request would end', async () => {
  const group = await house.newGroup(['olivia']);
  await granted(group, 'ravi');
  await house.change({ type: 'patchUser', id: people.ravi.id, patch: { accountEnabled: false } });
  const other = await house.newGroup(['olivia'], ['mona']);
  const requestId = 'f'.repeat(32);
  const grant = { requestId, from: '2026-01-01T00:00:00.000Z', until: '2026-02-01T00:00:00.000Z' };
  await table('memberships').createEntity({
    partitionKey: `g_${other}`,
    rowKey: `p_${people.mona.id}`,
    json: JSON.stringify({ wanted: 'in', addedByGatehouse: true, grants: [grant] }),
  });
  const { first, inactive, stranded } = await nightly.reconciled();
  expect(inactive).toBe(first.inactive.length);
  expect(first.inactive).toContainEqual({ groupId: group, personId: people.ravi.id, why: 'disabled' });
  expect([stranded, first.stranded]).toEqual([1, [{ groupId: other, personId: people.mona.id, requestId }]]);
  expect(await house.isMember(group, 'ravi')).toBe(true);
  expect(await house.isMember(other, 'mona')).toBe(true);
  await house.change({ type: 'patchUser', id: people.ravi.id, patch: { accountEnabled: true } });
  await table('memberships').deleteEntity(`g_${other}`, `p_${people.mona.id}`);
});

test('rows that somebody made unreadable are named, and the others are looked at', async () => {
  const id = 'e'.repeat(32);
  const client = table('requests');
  await client.createEntity({ partitionKey: `r_${id}`, rowKey: 'state', json: '{', policy: '{}', seq: 1, head: '' });
  const group = await house.newGroup(['olivia']);
  await table('memberships').createEntity({ partitionKey: `g_${group}`, rowKey: `p_${id}`, json: '[]' });
  const { failed, first, memberships, requests } = await nightly.reconciled();
  expect([failed, first.failed.toSorted()]).toEqual([2, [`${group}/${id}`, id].toSorted()]);
  expect(Math.min(requests, memberships)).toBeGreaterThan(1);
  await client.deleteEntity(`r_${id}`, 'state');
  await table('memberships').deleteEntity(`g_${group}`, `p_${id}`);
});

test('while one runs a second start does nothing, and the directory that does not answer is waited for', async () => {
  const id = await asked(await house.newGroup(['olivia']), 'rita');
  const before = (await nightly.overview()).last?.startedAt;
  await house.fault('directory', {
    method: 'POST',
    path: '\\$batch',
    times: 1,
    fault: { kind: 'answer', status: 429, headers: { 'retry-after': '600' } },
  });
  expect(await nightly.start()).toBe(true);
  const walk = await nightly.eventually(
    async () => (await nightly.overview()).underWay ?? undefined,
    'it is under way',
  );
  expect(walk).toMatchObject({ part: 'requests', found: { requests: 0 } });
  await house.untilAnswered('directory', { method: 'POST', path: /\$batch/, status: 429 });
  const admin = await asPersonWithToken(house.stack.urls, 'adele');
  expect([await nightly.start(), await nightly.start(admin)]).toEqual([false, false]);
  expect((await nightly.overview()).underWay?.startedAt).toBe(walk.startedAt);

  const { requests, unasked } = await nightly.endOf(before, 10_000);
  expect(requests).toBeGreaterThanOrEqual(1);
  expect(unasked).toBe(0);
  await decide(id, 'olivia', 'deny');
  await house.untilTold(id);
});

test('where the directory does not answer for long the night goes on without it, and says for how many', async () => {
  const id = await asked(await house.newGroup(['olivia']), 'rita');
  await lose('open', naming(id));
  const before = (await nightly.overview()).last?.startedAt;
  await house.fault('directory', {
    method: 'POST',
    path: '\\$batch',
    fault: { kind: 'answer', status: 503, headers: { 'retry-after': '600' } },
  });
  await nightly.start();
  const { unasked, openRows } = await nightly.endOf(before, MINUTE);
  expect(unasked).toBeGreaterThanOrEqual(1);
  expect(openRows).toBe(1);
  await house.clearFaults();
  await decide(id, 'olivia', 'deny');
  await house.untilTold(id);
});

test.each([1, 2, 3, 4])(
  'the host is killed when it wrote down page %i of the night: the night goes on there, and nothing is mended or told twice',
  async (nth) => {
    const group = await house.newGroup(['olivia']);
    const id = await asked(group, 'rita');
    await house.terminate(`join-${id}`);
    await lose('open', naming(id));
    await lose('claims', ({ partitionKey }) => partitionKey === `g_${group}`);
    const { last } = await nightly.overview();
    const before = last?.startedAt;
    const { host } = house.stack.pids;
    await house.fault('tables', {
      method: 'PUT|PATCH',
      path: 'operations\\(.*reconciling',
      // the first of them begins the walk, where another one was before
      skip: before === undefined ? nth - 1 : nth,
      times: 1,
      fault: { kind: 'kill', pid: host, when: 'after' },
    });
    await nightly.start();
    const { openRows, claims, changes } = await nightly.endOf(before, 10_000);
    expect(house.stack.pids.host).not.toBe(host);
    expect([openRows, claims]).toEqual([1, 1]);
    // all are looked at, and none twice
    expect(changes).toBe(last?.found.changes ?? 0);
    await passing(id, () => house.stack.logs('host').some((line) => line.includes('reconcile {')));
    await decide(id, 'olivia', 'deny');
    expect(times(await passing(id, (status) => times(status, 'outcome-told') > 0), 'outcome-told')).toBe(1);
  },
);

test('the host is killed in the middle of a page: it is taken again', async () => {
  const group = await house.newGroup(['olivia']);
  const id = await asked(group, 'rita');
  await lose('open', naming(id));
  const before = (await nightly.overview()).last?.startedAt;
  const { host } = house.stack.pids;
  await house.fault('tables', {
    method: 'PUT|PATCH',
    path: `open\\(.*${id}`,
    times: 1,
    fault: { kind: 'kill', pid: host, when: 'after' },
  });
  await nightly.start();
  await nightly.endOf(before, 10_000);
  expect(house.stack.pids.host).not.toBe(host);
  expect(await rows('open', naming(id))).toHaveLength(1);
  await decide(id, 'olivia', 'deny');
  await passing(id, (status) => times(status, 'outcome-told') > 0);
});

test('three hundred requests are walked page by page: two calls for each that has ended, and nothing is held up', async () => {
  const group = await house.newGroup(['olivia']);
  const id = await asked(group, 'rita');
  await decide(id, 'olivia', 'deny');
  await house.untilTold(id);
  house.stack.clock.advance(11 * MINUTE);
  const { before, total } = { before: (await nightly.reconciled()).requests, total: 300 };
  const { etag: _etag, timestamp: _timestamp, ...row } = await table('requests').getEntity<Row>(`r_${id}`, 'state');
  const client = table('requests');
  const copies = Array.from({ length: total }, (_, n) => `b${n.toString(16).padStart(31, '0')}`);
  for (let from = 0; from < total; from += 50)
    await Promise.all(
      copies.slice(from, from + 50).map((copy) =>
        client.createEntity({
          ...row,
          partitionKey: `r_${copy}`,
          json: JSON.stringify({ ...(JSON.parse(String(row['json'])) as Record<string, unknown>), id: copy }),
        }),
      ),
    );
  const first = await nightly.reconciled();
  expect([first.requests, first.lists]).toEqual([before + total, total]);

  await house.clearFaults();
  const second = await nightly.reconciled();
  expect([second.requests, second.lists, second.openRows, second.failed]).toEqual([before + total, 0, 0, 0]);
  const calls = (await (await fetch(`${house.stack.urls.wireAdmin ?? ''}/admin/calls`)).json()) as RecordedCall[];
  const ofWalk = calls.filter(({ path }) => /bysubject|requests\(\)|openbyage\(P|claims/.test(path));
  // pages of a hundred, and for each request the row of its person and that of its group
  expect(ofWalk.length).toBeGreaterThanOrEqual(2 * total);
  expect(ofWalk.length).toBeLessThan(2 * (total + before) + 8 * before + 60);
}, 120_000);

test('it comes by itself each night, once, and operations see its summary', async () => {
  const before = (await nightly.overview()).last;
  const now = house.stack.clock.now();
  const night = new Date(now);
  night.setUTCHours(2, 23, 0, 0);
  if (night <= now) night.setTime(night.getTime() + DAY);
  house.stack.clock.advance(night.getTime() - now.getTime() - 5_000);
  expect((await nightly.overview()).last?.startedAt).toBe(before?.startedAt);
  const found = await nightly.endOf(before?.startedAt, 1_000);
  const { last } = await nightly.overview();
  expect(new Date(last?.startedAt ?? '').getTime()).toBeGreaterThanOrEqual(night.getTime());
  expect(new Date(last?.startedAt ?? '').getTime()).toBeLessThan(night.getTime() + 10 * MINUTE);
  const line = house.stack
    .logs('host')
    .flatMap((each) => /reconcile (\{.*\})/.exec(each)?.slice(1) ?? [])
    .at(-1);
  const { first: _first, ...counts } = found;
  expect(JSON.parse(line ?? '{}')).toMatchObject(counts);
  expect(line).not.toMatch(/a0000000-/);
});
