import { randomUUID } from 'node:crypto';

import type { TableClient } from '@azure/data-tables';

import { apps, groups, people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { asSystem, hiddenField, mailsTo, membersOf, openBrowser, signIn } from '../../local/stack/actors';
import type { Answer, SystemActor } from '../../local/stack/actors';
import { built } from '../../local/stack/paths';
import type { Care } from '../../shared/domain/ownerless';
import type { Found } from '../../shared/records/operations-notes';
import type { TableName } from '../../shared/records/tables';
import { endRuns, runNode, tableClient } from '../http/stack/tools';
import { openGroupsHouse } from './own-groups-house';
import type { Change, GroupsHouse } from './own-groups-house';

/** Groups lose their owners past Gatehouse; then the night comes. Each test has a group of its own. */
let house: GroupsHouse;
let ops: SystemActor;
let admin: SystemActor;

beforeAll(async () => {
  house = await openGroupsHouse({ wires: true, supervise: true });
  ops = await asSystem(house.stack.urls, 'opsTool');
  admin = await asSystem(house.stack.urls, 'adminTool');
});
afterEach(() => house.clearFaults());
afterAll(async () => {
  await endRuns();
  await house.stop();
});

const MINUTE = 60_000;
const DAY = 86_400_000;
const FALLBACK = [{ kind: 'people', ids: [people.frank.id] }];

const table = (name: TableName): TableClient => tableClient(house.stack, name);

let count = 0;
/** A group that is opted in by a policy of its own, with owners and members past Gatehouse. */
async function groupWith(
  owners: readonly PersonAlias[],
  members: readonly PersonAlias[],
  policy: Record<string, unknown> = { fallbackApprovers: FALLBACK },
): Promise<{ id: string; name: string }> {
  count += 1;
  const [id, name] = [randomUUID(), `Orphans ${String(count)}`];
  const ids = (aliases: readonly PersonAlias[]): string[] => aliases.map((alias) => people[alias].id);
  const group = {
    id,
    displayName: name,
    mailNickname: `orphans-${String(count)}`,
    owners: ids(owners),
    members: ids(members),
  };
  await house.change({ type: 'createGroup', group });
  const { headers } = await admin.call('GET', `/api/groups/${id}/policy`);
  const etag = { 'if-match': headers.get('etag') ?? '' };
  const answer = await admin.call('PUT', `/api/groups/${id}/policy`, { optedIn: true, ...policy }, etag);
  if (answer.status !== 200) throw new Error(answer.text);
  return { id, name };
}

/** Waits until it is so; the clock runs on meanwhile where something waits for a time. */
async function eventually<T>(look: () => Promise<T | undefined>, what: string | (() => string), moves = 0): Promise<T> {
  for (const end = performance.now() + 40_000; ;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (performance.now() > end)
      throw new Error(`this did not come to be: ${typeof what === 'string' ? what : what()}`);
    if (moves > 0) house.stack.clock.advance(moves);
    await new Promise((done) => setTimeout(done, 25));
  }
}

interface Reconcile {
  last: { startedAt: string; found: Found } | null;
}
const lastNight = async (): Promise<Reconcile['last']> =>
  ((await ops.call('GET', '/api/ops/overview')).json as { reconcile: Reconcile }).reconcile.last;

/** The nightly walk, now. */
async function night(): Promise<Found> {
  const before = (await lastNight())?.startedAt;
  await eventually(async () => {
    const { json } = await ops.call('POST', '/api/ops/reconcile');
    return (json as { started: boolean }).started ? true : undefined;
  }, 'the one before is over');
  return eventually(async () => {
    const last = await lastNight();
    return last !== null && last.startedAt !== before ? last.found : undefined;
  }, 'the night is over');
}

/** Waits until the host was killed, and the next one answers. */
async function restarted(before: number | undefined): Promise<void> {
  const isAnother = (): boolean => house.stack.pids.host !== undefined && house.stack.pids.host !== before;
  await eventually(
    async () => (isAnother() && (await ops.call('GET', '/api/ops/overview')).status === 200 ? true : undefined),
    'another host answers',
    10_000,
  );
}

const care = async (groupId: string): Promise<Care> =>
  JSON.parse(String((await table('requests').getEntity(`o_${groupId}`, 'state'))['json'])) as Care;

/**
 * The care for the group once it stands as wanted, and sleeps; the clock runs on meanwhile: the sweeper comes once a minute. Where it has
 * many groups to look at, a slower clock gives it the time to.
 */
const cared = (groupId: string, wanted: (care: Care) => boolean, moves = 10_000): Promise<Care> => {
  let stands: Care | undefined;
  return eventually(
    async () => {
      stands = await care(groupId);
      const sleeps = stands.due === null || new Date(stands.due) > house.stack.clock.now();
      return sleeps && wanted(stands) ? stands : undefined;
    },
    () => `the care at ${house.stack.clock.now().toISOString()} is ${JSON.stringify(stands, null, 1)}`,
    moves,
  );
};

/** Subjects of the mails to the person about the group, those included that are about others of their groups as well. */
const subjects = async (person: PersonAlias, name: string): Promise<string[]> =>
  (await mailsTo(house.stack.urls, person))
    .filter(
      ({ subject, plainText }) =>
        subject.includes(`${name}?`) ||
        subject.startsWith(`${name} `) ||
        (subject.endsWith('of your groups need a second owner') && plainText?.includes(name) === true),
    )
    .map(({ subject }) => subject);
const askings = async (name: string, ...aliases: PersonAlias[]): Promise<PersonAlias[]> => {
  const asked = await Promise.all(
    aliases.map(async (alias) =>
      (await subjects(alias, name)).some((each) => each.startsWith('Would you')) ? [alias] : [],
    ),
  );
  return asked.flat();
};

async function linkOf(person: PersonAlias, name: string): Promise<string> {
  const mail = (await mailsTo(house.stack.urls, person)).find(
    ({ subject }) => subject === `Would you take over ${name}?`,
  );
  const link = /https?:\/\/\S+\/api\/take-over\/[A-Za-z0-9_-]{22}/.exec(mail?.plainText ?? '')?.[0];
  if (link === undefined) throw new Error(`${person} was not asked to take over ${name}`);
  return link;
}

/** The person signs in, opens the link, and offers to take over where they can. */
async function offer(person: PersonAlias, name: string): Promise<Answer> {
  const link = await linkOf(person, name);
  const { browser, page } = await signIn(house.stack.urls, person, new URL(link).pathname);
  if (!page.text.includes('name="token"')) return page;
  return browser.post(link, { token: hiddenField(page.text, 'token') });
}

/** The change by which somebody offered to take the group over, once it waits for its approval. */
const offered = (groupId: string): Promise<Change> =>
  eventually(
    async () => {
      const { changeId } = (await care(groupId)).offer ?? {};
      const change = changeId === undefined ? undefined : await house.changeStatus(changeId);
      return change?.waitingFor?.what.startsWith('a decision') === true || change?.approvers !== undefined
        ? change
        : undefined;
    },
    'an offer',
    10_000,
  );

async function decide(change: Change, person: PersonAlias, decision: 'approve' | 'deny'): Promise<void> {
  const { status, text } = await (
    await house.as(person)
  ).call('POST', `/api/group-changes/${change.id}/decision`, { decision });
  if (status !== 200) throw new Error(text);
}
const told = (change: Change): Promise<Change> =>
  house.untilChange(change.id, ({ timeline }) => timeline.some(({ event }) => event === 'outcome-told'));

test('the only owner who can decide is asked to name a second, once in 30 days, and no more once there is one', async () => {
  // neither a disabled account nor a guest nor a service principal is one who can decide
  const { id, name } = await groupWith(['olivia', 'dana', 'gus'], ['rita']);
  await house.change({ type: 'addOwner', group: id, target: apps.directoryBot.objectId });
  const other = await groupWith(['olivia', 'omar'], ['rita']);
  expect((await night()).oneOwner).toBeGreaterThanOrEqual(1);
  await cared(id, ({ state }) => state === 'one-owner');
  expect(await subjects('olivia', name)).toEqual([`${name} needs a second owner`]);
  await night();
  house.stack.clock.advance(29 * DAY);
  await night();
  await cared(id, ({ state }) => state === 'one-owner');
  expect(await subjects('olivia', name)).toHaveLength(1);

  house.stack.clock.advance(DAY + MINUTE);
  await cared(id, ({ letters }) => letters === 2);
  expect(await subjects('olivia', name)).toHaveLength(2);
  await house.change({ type: 'addOwner', group: id, target: people.omar.id });
  await night();
  await cared(id, ({ state }) => state === 'mended');
  house.stack.clock.advance(31 * DAY);
  await night();
  expect(await subjects('olivia', name)).toHaveLength(2);
  expect(await subjects('rita', name)).toEqual([]);
  expect(await subjects('olivia', other.name)).toEqual([]);
});

test('a second owner who comes and goes makes no second mail within the month', async () => {
  const { id, name } = await groupWith(['olivia'], ['rita']);
  await night();
  await cared(id, ({ state }) => state === 'one-owner');
  await house.change({ type: 'addOwner', group: id, target: people.omar.id });
  await night();
  await cared(id, ({ state }) => state === 'mended');
  await house.change({ type: 'removeOwner', group: id, target: people.omar.id });
  await night();
  const { letters, due } = await cared(id, ({ state, shortage }) => state === 'one-owner' && shortage === 2);
  expect([letters, await subjects('olivia', name)]).toEqual([1, [`${name} needs a second owner`]]);
  // but when it is over
  expect(new Date(due ?? '').getTime()).toBeGreaterThan(house.stack.clock.now().getTime() + 29 * DAY);
});

test('the only owner whom no mail reaches is told to operations, and not taken for one who was asked', async () => {
  const { id, name } = await groupWith(['olivia'], ['rita']);
  await night();
  await cared(id, ({ state }) => state === 'one-owner');
  const mail = (await mailsTo(house.stack.urls, 'olivia')).find(({ subject }) => subject.startsWith(`${name} `));
  if (mail === undefined) throw new Error('Olivia was not asked');
  await house.reportBounce(mail, people.olivia.mail ?? '');
  expect((await care(id)).why?.rule).toBe('owner-unreachable');
  const { first } = await night();
  expect(first.nobodyLeft).toContainEqual({ groupId: id, rule: 'owner-unreachable' });
  expect(await subjects('olivia', name)).toHaveLength(1);
});

test('the only owner of several groups gets one mail for all that are found in a night, and a lost one counts for all', async () => {
  const owner = 'noor';
  const all = [await groupWith([owner], ['rita']), await groupWith([owner], ['rita']), await groupWith([owner], [])];
  const shared = await groupWith([owner, 'omar'], ['rita']);
  await night();
  for (const { id } of all) await cared(id, ({ state }) => state === 'one-owner');
  const letters = (await mailsTo(house.stack.urls, owner)).filter(({ subject }) => subject.includes('second owner'));
  expect(letters.map(({ subject }) => subject)).toEqual(['3 of your groups need a second owner']);
  for (const { name } of all) expect(letters[0]?.plainText).toContain(name);
  expect(letters[0]?.plainText).not.toContain(shared.name);
  if (letters[0] === undefined) throw new Error('nobody was asked');
  await house.reportBounce(letters[0], people[owner].mail ?? '');
  for (const { id } of all) expect((await care(id)).why?.rule).toBe('owner-unreachable');
  // and a month later as well, but for a group whose policy says by then that nobody is asked
  const [off] = all;
  const path = `/api/groups/${off?.id ?? ''}/policy`;
  const etag = (await admin.call('GET', path)).headers.get('etag') ?? '';
  const policy = { optedIn: true, ownerCare: false };
  expect((await admin.call('PUT', path, policy, { 'if-match': etag })).status).toBe(200);
  house.stack.clock.advance(30 * DAY + MINUTE);
  for (const { id } of all) await cared(id, ({ state }) => state === (id === off?.id ? 'closed' : 'one-owner'));
  const subjectsOf = (await mailsTo(house.stack.urls, owner)).map(({ subject }) => subject);
  expect(subjectsOf.filter((subject) => subject.includes('second owner'))).toEqual([
    '3 of your groups need a second owner',
    '2 of your groups need a second owner',
  ]);
});

const letters = async (owner: PersonAlias): Promise<string[]> =>
  (await mailsTo(house.stack.urls, owner))
    .map(({ subject }) => subject)
    .filter((subject) => subject.includes('second owner'));

test('a mail that waited while the group that it is about got a second owner is not sent, and asks about the others all the same', async () => {
  const owner = 'ines';
  const all = [await groupWith([owner], []), await groupWith([owner], []), await groupWith([owner], [])];
  await house.fault('mail', { method: 'POST', path: 'emails:send', fault: { kind: 'answer', status: 503 } });
  await night();
  const about = await eventually(
    async () => {
      const cares = await Promise.all(all.map(({ id }) => care(id)));
      return cares.find(({ together = [] }) => together.length === 2);
    },
    'one mail for all three',
    10_000,
  );
  // no attempt is under way that saw one owner and would come through
  house.stack.clock.stop();
  await cared(about.id, ({ together }) => together !== undefined, 0);
  await house.change({ type: 'addOwner', group: about.id, target: people.omar.id });
  await house.clearFaults();
  house.stack.clock.resume();
  await cared(about.id, ({ state }) => state === 'mended');
  for (const { id } of all) if (id !== about.id) await cared(id, ({ state }) => state === 'one-owner');
  expect(await letters(owner)).toEqual(['2 of your groups need a second owner']);
});

test('a mail to the only owner that is refused is told to operations, for all groups that it names', async () => {
  const owner = 'tomas';
  const all = [await groupWith([owner], []), await groupWith([owner], [])];
  await house.fault('mail', {
    method: 'POST',
    path: 'emails:send',
    body: 'need a second owner',
    fault: { kind: 'answer', status: 400 },
  });
  await night();
  for (const { id } of all) await cared(id, ({ why }) => why?.rule === 'owner-unreachable');
  expect(await letters(owner)).toEqual([]);
});

test('while an offer to take a group over waits for its approval, an administrator may add an owner', async () => {
  const { id, name } = await groupWith(['dana'], ['rita', 'ravi', 'mona']);
  await night();
  await cared(id, ({ state }) => state === 'no-owner');
  await offer('rita', name);
  const { id: offerId } = await offered(id);
  const admin = await house.as('adele');
  const added = await admin.call('POST', `/api/groups/${id}/changes`, { kind: 'add-owner', person: people.omar.id });
  expect([added.status, added.text]).toEqual([202, expect.any(String)]);
  expect((await house.settled(added)).state).toBe('done');
  expect(await house.ownersOf(id)).toContain(people.omar.id);
  expect((await house.changeStatus(offerId)).state).toBe('pending');
});

test('members are asked three at a time, oldest first; who offers becomes the owner once the stand-ins approve, and the others are told once', async () => {
  const { id, name } = await groupWith(['dana'], ['gus', 'dora', 'nora', 'rita', 'ravi', 'mona', 'tomas']);
  const grant = { requestId: 'a'.repeat(32), from: '2025-01-01T00:00:00.000Z' };
  // nobody was a member through Gatehouse yet
  await table('memberships').createTable();
  await table('memberships').createEntity({
    partitionKey: `g_${id}`,
    rowKey: `p_${people.tomas.id}`,
    json: JSON.stringify({ wanted: 'in', addedByGatehouse: true, grants: [grant] }),
  });
  expect((await night()).noOwner).toBeGreaterThanOrEqual(1);
  const { asked } = await cared(id, ({ state }) => state === 'no-owner');
  expect(asked).toHaveLength(3);
  expect(asked[0]).toBe(people.tomas.id);
  const first = await askings(name, 'gus', 'dora', 'nora', 'rita', 'ravi', 'mona', 'tomas', 'dana');
  expect(first.map((alias) => people[alias].id).toSorted()).toEqual(asked.toSorted());
  expect(first.some((alias) => ['gus', 'dora', 'nora', 'dana'].includes(alias))).toBe(false);
  const [taker] = first.filter((alias) => alias !== 'tomas');
  if (taker === undefined) throw new Error('nobody besides Tomas was asked');

  const page = await offer(taker, name);
  expect(page.text).toContain('You offered to take it over');
  const change = await offered(id);
  expect(change).toMatchObject({ kind: 'add-owner', state: 'pending' });
  expect(await house.ownersOf(id)).toEqual([people.dana.id]);
  await cared(id, ({ state }) => state === 'offered');
  for (const alias of first.filter((each) => each !== taker))
    expect((await subjects(alias, name)).filter((each) => each.startsWith('Re:'))).toHaveLength(1);
  expect((await offer('tomas', name)).text).toContain('Somebody else offered to');

  // nobody approves their own offer
  const own = await (
    await house.as(taker)
  ).call('POST', `/api/group-changes/${change.id}/decision`, { decision: 'approve' });
  expect(own.status).not.toBe(200);
  await house.untilChange(change.id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  await decide(change, 'frank', 'approve');
  expect((await told(change)).state).toBe('done');
  expect(await house.ownersOf(id)).toEqual([people.dana.id, people[taker].id].toSorted());
  await night();
  await cared(id, ({ state }) => state === 'one-owner');
  expect(await subjects(taker, name)).toContain(`${name} needs a second owner`);
  expect(await membersOf(house.stack.urls, id)).toHaveLength(7);
  await table('memberships').deleteEntity(`g_${id}`, `p_${people.tomas.id}`);
});

test('the next members are asked a week later, and operations are told when nobody is left', async () => {
  const { id, name } = await groupWith([], ['rita', 'ravi', 'mona', 'tomas']);
  const all = ['rita', 'ravi', 'mona', 'tomas'] as const;
  await night();
  await cared(id, ({ state }) => state === 'no-owner');
  expect(await askings(name, ...all)).toHaveLength(3);
  house.stack.clock.advance(6 * DAY);
  await night();
  expect(await askings(name, ...all)).toHaveLength(3);
  house.stack.clock.advance(DAY + MINUTE);
  await cared(id, ({ round }) => round === 2);
  expect(await askings(name, ...all)).toHaveLength(4);
  house.stack.clock.advance(7 * DAY + MINUTE);
  await cared(id, ({ state }) => state === 'nobody-left');
  const { nobodyLeft, first } = await night();
  expect(nobodyLeft).toBeGreaterThanOrEqual(1);
  expect(first.nobodyLeft).toContainEqual({ groupId: id, rule: 'no-members-left' });
  for (const alias of all) expect(await subjects(alias, name)).toHaveLength(1);

  // somebody who was asked may still offer
  expect((await offer('ravi', name)).text).toContain('You offered to take it over');
  const change = await offered(id);
  await decide(change, 'frank', 'deny');
  expect((await told(change)).state).toBe('denied');
  expect((await offer('ravi', name)).text).toContain('Your offer was denied by');
  expect((await offer('mona', name)).text).toContain('You offered to take it over');
  const second = await offered(id).then(() =>
    eventually(
      async () => {
        const now = (await care(id)).offer?.changeId;
        return now !== undefined && now !== change.id ? house.changeStatus(now) : undefined;
      },
      'the offer of Mona',
      10_000,
    ),
  );
  await decide(second, 'frank', 'approve');
  expect((await told(second)).state).toBe('done');
  expect(await house.ownersOf(id)).toEqual([people.mona.id]);
});

test('an offer comes to nothing where the group has an owner again before it is applied', async () => {
  const { id, name } = await groupWith([], ['rita']);
  await night();
  await cared(id, ({ state }) => state === 'no-owner');
  await offer('rita', name);
  const change = await offered(id);
  await house.untilChange(change.id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  await house.change({ type: 'addOwner', group: id, target: people.olivia.id });
  await decide(change, 'frank', 'approve');
  expect(await told(change)).toMatchObject({ state: 'cancelled', why: { rule: 'has-owner' } });
  expect(await house.ownersOf(id)).toEqual([people.olivia.id]);
});

test('whatever opens the link, or posts to it without being its person on our page, nothing is offered', async () => {
  const { id, name } = await groupWith([], ['rita', 'ravi']);
  await night();
  await cared(id, ({ state }) => state === 'no-owner');
  const link = await linkOf('rita', name);
  const scanner = openBrowser(link);
  for (let n = 0; n < 5; n += 1) {
    expect((await scanner.get(link)).text).not.toContain(name);
    expect((await fetch(link, { method: 'HEAD' })).status).toBe(200);
    expect((await scanner.post(link, { token: 'x' })).status).toBe(403);
  }
  const stranger = await signIn(house.stack.urls, 'mona', new URL(link).pathname);
  expect(stranger.page.text).toContain('This link is for another account');
  const { browser, page } = await signIn(house.stack.urls, 'rita', new URL(link).pathname);
  expect(page.text).toContain(`Take over ${name}?`);
  const token = hiddenField(page.text, 'token');
  expect((await browser.post(link, { token }, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await browser.post(link, { token: 'another' })).status).toBe(403);
  expect((await care(id)).offer).toBeUndefined();
  const { json } = await ops.call('GET', '/api/ops/group-changes?pageSize=100');
  expect((json as { value: { group?: { id: string } }[] }).value.filter(({ group }) => group?.id === id)).toEqual([]);

  // who left the group can't take it over
  await house.change({ type: 'removeMember', group: id, target: people.rita.id });
  expect((await offer('rita', name)).text).toContain('you are none any more');
});

test('nobody is bothered where nobody could approve it, nor in groups that are not opted in', async () => {
  const orphan = await groupWith(['olivia'], ['rita'], {});
  await house.change({ type: 'removeOwner', group: orphan.id, target: people.olivia.id });
  const strangers = await house.newGroup(['olivia'], ['rita']);
  const closed = await groupWith(['olivia'], ['rita'], { optedIn: false });
  await night();
  await cared(orphan.id, ({ state }) => state === 'nobody-left');
  const { first } = await night();
  expect(first.nobodyLeft).toContainEqual({ groupId: orphan.id, rule: 'no-approvers' });
  expect(await subjects('rita', orphan.name)).toEqual([]);
  expect(await subjects('olivia', closed.name)).toEqual([]);
  await expect(care(closed.id)).rejects.toThrow();
  await expect(care(strangers)).rejects.toThrow();
});

test('members whose taking over nobody could approve are passed over, and do not stand in the way of those behind them', async () => {
  const members = ['adele', 'ada', 'ng', 'rita'] as const;
  const { id, name } = await groupWith([], members, { fallbackApprovers: [{ kind: 'manager' }] });
  await night();
  await cared(id, ({ state }) => state === 'no-owner');
  expect(await askings(name, ...members)).toEqual(['rita']);
});

/** Every third write, so that all tests together stay short; with ALL_WRITES=1 each of them. */
const WRITES = process.env['ALL_WRITES'] === '1' ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [2, 5, 8];

test.each(WRITES)(
  'the host is killed after write %i of asking members to take over: three are asked, and each is mailed once',
  async (nth) => {
    const { id, name } = await groupWith([], ['rita', 'ravi', 'mona', 'tomas']);
    const { host } = house.stack.pids;
    await night();
    await house.fault('tables', {
      method: 'POST|PUT|PATCH|DELETE',
      path: 'requests|links|open|\\$batch|quota',
      skip: nth - 1,
      times: 1,
      fault: { kind: 'kill', pid: host, when: 'after' },
    });
    const { asked } = await cared(id, ({ state }) => state === 'no-owner');
    expect(asked).toHaveLength(3);
    await restarted(host);
    await cared(id, ({ state }) => state === 'no-owner');
    const mails = await Promise.all((['rita', 'ravi', 'mona', 'tomas'] as const).map((alias) => subjects(alias, name)));
    expect(mails.flat()).toHaveLength(3);
    expect(mails.every((each) => each.length <= 1)).toBe(true);
  },
);

const LONELY = ['leilani', 'siobhan', 'elena', 'jun', 'thabo', 'aroha', 'mateus', 'ada'] as const;
/** Every third write of the eight before the mail goes; with ALL_WRITES=1 each of them. */
const LETTER_WRITES = process.env['ALL_WRITES'] === '1' ? [1, 2, 3, 4, 5, 6, 7, 8] : [2, 4, 6];

test.each(LETTER_WRITES)(
  'the host is killed after write %i of asking an only owner about several groups: each of them is asked about, once',
  async (nth) => {
    const owner = LONELY[nth - 1] ?? 'leilani';
    const all = [await groupWith([owner], []), await groupWith([owner], []), await groupWith([owner], [])];
    const { host } = house.stack.pids;
    await night();
    await house.fault('tables', {
      method: 'POST|PUT|PATCH|DELETE',
      path: 'requests|links|claims|\\$batch|quota|mails',
      skip: nth - 1,
      times: 1,
      fault: { kind: 'kill', pid: host, when: 'after' },
    });
    for (const { id } of all) await cared(id, ({ state }) => state === 'one-owner');
    await restarted(host);
    for (const { id, name } of all) {
      await cared(id, ({ state }) => state === 'one-owner');
      await eventually(async () => (await subjects(owner, name)).length > 0 || undefined, `the mail about ${name}`);
      expect(await subjects(owner, name)).toHaveLength(1);
    }
  },
  60_000,
);

test('the host is killed when the only owner’s mail is out and nothing was written of it: no second one comes', async () => {
  const { id, name } = await groupWith(['olivia'], []);
  const { host } = house.stack.pids;
  await house.fault('mail', { method: 'POST', times: 1, fault: { kind: 'kill', pid: host, when: 'after' } });
  await night();
  await cared(id, ({ state }) => state === 'one-owner');
  await restarted(host);
  await cared(id, ({ state }) => state === 'one-owner');
  expect(await subjects('olivia', name)).toHaveLength(1);
});

test('a group whose next step was forgotten is asked on after the night', async () => {
  const { id, name } = await groupWith([], ['rita', 'ravi', 'mona', 'tomas']);
  await night();
  const { due } = await cared(id, ({ state }) => state === 'no-owner');
  await table('open').deleteEntity('open', `${String(due)}_care_${id}`);
  house.stack.clock.advance(7 * DAY + MINUTE);
  expect((await night()).openRows).toBeGreaterThanOrEqual(1);
  await cared(id, ({ round }) => round === 2);
  expect(await askings(name, 'rita', 'ravi', 'mona', 'tomas')).toHaveLength(4);
});

test('without the permission to add owners no member is asked, and operations are told which feature is off', async () => {
  const poor = await openGroupsHouse({}, ['GroupMember.ReadWrite.All', 'User.Read.All']);
  try {
    const [id, { urls, clock }] = [await poor.newGroup([], ['rita']), poor.stack];
    const administrator = await asSystem(urls, 'adminTool');
    const policy = { optedIn: true, fallbackApprovers: FALLBACK };
    const written = await administrator.call('PUT', `/api/groups/${id}/policy`, policy, { 'if-none-match': '*' });
    expect(written.status).toBe(200);
    const left = async (): Promise<unknown[] | undefined> => {
      await poor.operations.call('POST', '/api/ops/reconcile');
      const { json } = await poor.operations.call('GET', '/api/ops/overview');
      const { last } = (json as { reconcile: Reconcile }).reconcile;
      clock.advance(5_000);
      return last !== null && last.found.nobodyLeft > 0 ? last.found.first.nobodyLeft : undefined;
    };
    expect(await eventually(left, 'somebody is told')).toEqual([{ groupId: id, rule: 'feature-off' }]);
    expect((await mailsTo(urls, 'rita')).length).toBe(0);
  } finally {
    await poor.stop();
  }
});

test('where the default policy opts groups in, all groups that can be joined are cared for, also behind a page that Graph forgot', async () => {
  const tenant = async (policy: Record<string, unknown>): Promise<void> => {
    const { headers } = await admin.call('GET', '/api/policies/default');
    const match = headers.get('etag');
    const { status, text } = await admin.call('PUT', '/api/policies/default', policy, {
      ...(match === null ? { 'if-none-match': '*' } : { 'if-match': match }),
    });
    if (status >= 300) throw new Error(text);
  };
  const first = await house.newGroup(['olivia'], ['rita']);
  // more than stand on one page
  const many = Array.from({ length: 110 }, (_, n) => ({
    type: 'createGroup',
    group: {
      id: randomUUID(),
      displayName: `Well owned ${String(n)}`,
      mailNickname: `well-owned-${String(n)}`,
      owners: [people.adele.id, people.frank.id],
      members: [],
    },
  }));
  await house.change(...many);
  const last = await house.newGroup(['olivia'], ['rita']);
  const closed = await groupWith(['olivia'], ['rita'], { optedIn: false });
  await tenant({ optedIn: true, ownerCare: true });
  await house.fault('directory', {
    method: 'GET',
    path: 'skiptoken',
    times: 1,
    fault: {
      kind: 'answer',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ error: { code: 'Directory_ExpiredPageToken', message: 'The page token has expired.' } }),
    },
  });
  const interrupted = await night();
  expect(interrupted.groups).toBeGreaterThan(110);
  for (const id of [first, last]) {
    await cared(id, ({ state }) => state === 'one-owner', 2_000);
    // the mail may be about another group of hers as well, whose care sends it
    const asked = async () => (await subjects('olivia', `Group ${id.slice(0, 8)}`)).length === 1 || undefined;
    await eventually(asked, `the mail about ${id}`);
  }
  // what was looked at before Graph forgot is not counted twice
  expect(await night()).toMatchObject({ groups: interrupted.groups, oneOwner: interrupted.oneOwner });
  // neither those that an administrator opted out, nor those that nobody can join here
  const unjoinable = [groups.distribution, groups.mailSecurity, groups.synced, groups.dynamic, groups.roleAssignable];
  for (const { id } of [closed, ...unjoinable]) await expect(care(id)).rejects.toThrow();

  // and nobody is asked any more once the policy says so
  await tenant({ optedIn: true, ownerCare: false });
  house.stack.clock.advance(31 * DAY);
  for (const id of [first, last]) {
    const { why } = await cared(id, ({ state }) => state === 'closed', 2_000);
    expect(why?.rule).toBe('owner-care-off');
    expect(await subjects('olivia', `Group ${id.slice(0, 8)}`)).toHaveLength(1);
  }
}, 120_000);

test('what was asked and why stands in the audit trail, and the trail holds', async () => {
  const { id } = await groupWith([], ['rita']);
  await night();
  await cared(id, ({ state }) => state === 'no-owner');
  const { urls, settings, clock } = house.stack;
  const run = runNode(
    [
      '--disable-warning=ExperimentalWarning',
      '--require',
      built('clock/preload.js'),
      '--',
      built('commands/audit-verify.js'),
    ],
    {
      env: {
        ...settings,
        TABLES_ENDPOINT: urls.tables,
        AUDIT_TABLES_ENDPOINT: urls.tables,
        LOCAL_CLOCK_FILE: clock.file,
      },
    },
  );
  expect([await run.ended, run.output()]).toEqual([0, expect.not.stringContaining('BROKEN')]);
  const rows: string[] = [];
  for await (const row of table('requests').listEntities({ queryOptions: { filter: `PartitionKey eq 'o_${id}'` } }))
    if (row.rowKey?.startsWith('ev_') === true) rows.push(String((row as unknown as { event: string }).event));
  expect(rows).toEqual(['care-began', 'members-asked']);
});
