import { people } from '../../local/demo-tenant';
import { idsOf, openGroupsHouse, wish } from './own-groups-house';
import type { Change, GroupsHouse } from './own-groups-house';
import { QUIET_NIGHTS } from './house';

/** Creating groups, from the call to the group with its owners. */
let house: GroupsHouse;

beforeAll(async () => {
  house = await openGroupsHouse({ env: QUIET_NIGHTS });
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const policyOf = async (groupId: string) => {
  const adele = await house.as('adele');
  return (await adele.call('GET', `/api/groups/${groupId}/policy`)).json as {
    version: string;
    policy: { optedIn: boolean };
  };
};

test('a security group stands with its owners, open to join requests, and its owners are told', async () => {
  const change = await house.settled(
    await house.create('rita', wish('Sketch Club', { owners: [people.mona.id], description: 'Drawing at noon' })),
  );
  expect(change.state).toBe('done');
  const id = change.group?.id ?? '';
  expect(await house.ownersOf(id)).toEqual(idsOf('rita', 'mona'));
  expect((await policyOf(id)).policy.optedIn).toBe(true);
  expect(await house.mailsAbout(change.id, 'rita')).toEqual(['Done: create the group Sketch Club']);
  expect(await house.mailsAbout(change.id, 'mona')).toEqual(['You own the new group Sketch Club']);

  const asked = await house.system.call('POST', `/api/groups/${id}/join-requests`, {
    userId: people.ravi.id,
    justification: 'I draw.',
  });
  expect(asked.status).toBe(202);
});

test('a Microsoft 365 group has the name that the tenant asks for, and its creator as a member that Gatehouse added', async () => {
  await house.change({
    type: 'setGroupSettings',
    values: { PrefixSuffixNamingRequirement: 'GRP-[GroupName]', CustomBlockedWordsList: 'payroll' },
  });
  const change = await house.settled(
    await house.create('ravi', wish('Compiler Nights', { kind: 'microsoft365', visibility: 'Private' })),
  );
  expect([change.state, change.group?.name]).toEqual(['done', 'GRP-Compiler Nights']);
  const members = await fetch(`${house.stack.urls.directory}/admin/groups/${change.group?.id ?? ''}/members`);
  expect(((await members.json()) as { id: string }[]).map(({ id }) => id)).toEqual(idsOf('ravi'));

  const blocked = await house.create('ravi', wish('Payroll friends', { kind: 'microsoft365' }));
  expect([blocked.status, JSON.stringify(blocked.json)]).toEqual([400, expect.stringContaining('blocked word')]);
});

test('a name with the creator’s attributes that Entra does not take from an app waits for operations, and goes on once it does', async () => {
  await house.change({
    type: 'setGroupSettings',
    values: { PrefixSuffixNamingRequirement: '[GroupName]_[Department]' },
  });
  const failed = await house.settled(await house.create('rita', wish('Paper Models', { kind: 'microsoft365' })));
  expect([failed.state, failed.why?.rule]).toEqual(['failed', 'naming-policy-refused']);
  expect(await house.named('Paper Models_Design')).toEqual([]);

  await house.setDirectory({ appsExemptFromNaming: true });
  const retried = await house.operations.call('POST', `/api/ops/group-changes/${failed.id}/retry`);
  expect(retried.status).toBe(202);
  const now = await house.untilChange(failed.id, ({ timeline }) =>
    timeline.some(({ event }) => event === 'outcome-told'),
  );
  expect([now.state, now.group?.name]).toEqual(['done', 'Paper Models_Design']);
  await house.setDirectory({ appsExemptFromNaming: false });
  await house.change({ type: 'setGroupSettings', values: null });
});

test('a creation that failed after Graph made the group can’t be cancelled, only be tried again: no group is left behind', async () => {
  // the answer is lost, and the group is looked for before and after
  await house.fault('directory', {
    method: 'PATCH',
    path: 'uniqueName',
    times: 1,
    fault: { kind: 'reset', when: 'after' },
  });
  await house.fault('directory', {
    method: 'GET',
    path: 'uniqueName',
    skip: 2,
    fault: { kind: 'answer', status: 403 },
  });
  const failed = await house.settled(await house.create('rita', wish('Bell Founders')));
  expect([failed.state, failed.group]).toEqual(['failed', undefined]);
  await house.clearFaults();
  const cancelled = await house.operations.call('POST', `/api/ops/group-changes/${failed.id}/cancel`, {
    reason: 'It failed.',
  });
  expect([cancelled.status, cancelled.text]).toEqual([409, expect.stringContaining('group-stands')]);
  expect((await house.operations.call('POST', `/api/ops/group-changes/${failed.id}/retry`)).status).toBe(202);
  const now = await house.untilChange(failed.id, ({ timeline }) =>
    timeline.some(({ event }) => event === 'outcome-told'),
  );
  expect([now.state, await house.named('Bell Founders')]).toEqual(['done', [now.group?.id]]);
});

test('a creation whose group is gone again when it is tried once more waits for operations, and not for ever', async () => {
  const lost = { kind: 'reset', when: 'after' };
  await house.fault('directory', { method: 'PATCH', path: 'uniqueName', times: 1, fault: lost });
  const refused = { kind: 'answer', status: 403 };
  await house.fault('directory', { method: 'GET', path: 'uniqueName', skip: 2, fault: refused });
  const { id } = await house.settled(await house.create('rita', wish('Rope Makers')));
  await house.clearFaults();
  // the first look finds the group, and all after it find none
  const gone = {
    kind: 'answer',
    status: 404,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: { code: 'Request_ResourceNotFound', message: 'Resource does not exist.' } }),
  };
  await house.fault('directory', { method: 'GET', path: 'uniqueName', skip: 1, fault: gone });
  const retry = () => house.operations.call('POST', `/api/ops/group-changes/${id}/retry`);
  expect((await retry()).status).toBe(202);
  const failed = await house.untilChange(id, (now) => {
    house.stack.clock.advance(10_000);
    return now.state === 'failed';
  });
  expect(failed.why?.rule).toBe('group-deleted');
  await house.clearFaults();
  expect((await retry()).status).toBe(202);
  expect((await house.untilChange(id, ({ state }) => state === 'done')).group?.name).toBe('Rope Makers');
  expect(await house.named('Rope Makers')).toHaveLength(1);
});

test('two people who want the same name at once get one group between them, and the other is told', async () => {
  const answers = await Promise.all([
    house.create('rita', wish('Night Shift')),
    house.create('ravi', wish(' night  shift ')),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
  const [first] = answers.filter(({ status }) => status === 202);
  if (first === undefined) throw new Error('none was filed');
  expect((await house.settled(first)).state).toBe('done');
  const third = await house.create('mona', wish('NIGHT SHIFT'));
  expect([third.status, JSON.stringify(third.json)]).toEqual([400, expect.stringContaining('There is a group named')]);
});

test('the same Idempotency-Key finds the same change, and makes no second group', async () => {
  const headers = { 'idempotency-key': 'choir' };
  const first = await house.create('mona', wish('Choir'), headers);
  const change = await house.settled(first);
  const again = await house.create('mona', wish('Choir'), headers);
  expect([again.status, (again.json as Change).id]).toEqual([202, change.id]);
  expect((await house.create('mona', wish('Chorus'), headers)).status).toBe(422);
  expect(await house.named('Choir')).toHaveLength(1);
});

test('a group is found again although the directory does not find what it created at once', async () => {
  await house.setDirectory({ replicationDelayMs: 3_000 });
  await house.fault('directory', {
    method: 'PATCH',
    path: 'uniqueName',
    times: 1,
    fault: { kind: 'reset', when: 'after' },
  });
  const answer = await house.create('rita', wish('Slow Replicas', { owners: [people.mona.id] }));
  const { id } = answer.json as Change;
  await house.untilChange(id, ({ timeline }) => timeline.some(({ event }) => event === 'applying'));
  for (let seconds = 0; seconds < 30; seconds += 3) {
    house.stack.clock.advance(3_000);
    try {
      await house.untilChange(id, ({ state }) => state === 'done', 2_000);
      break;
    } catch {
      // not yet
    }
  }
  await house.setDirectory({ replicationDelayMs: 0 });
  expect((await house.changeStatus(id)).state).toBe('done');
  const [only, ...more] = await house.named('Slow Replicas');
  expect([await house.ownersOf(only ?? ''), more]).toEqual([idsOf('rita', 'mona'), []]);
});

test.each([
  ['before it is applied', undefined, 'approved'],
  ['while Graph can’t create the group', 'PATCH', 'applying'],
])('a creator whose account is disabled %s gets none', async (_, method, state) => {
  const unavailable = { kind: 'answer', status: 503 };
  await house.fault('directory', { ...(method !== undefined && { method }), path: 'uniqueName', fault: unavailable });
  const answer = await house.create('maja', wish('Ghost Writers'));
  const { id } = answer.json as Change;
  expect((await house.untilPostponed(id)).state).toBe(state);
  await house.change({ type: 'patchUser', id: people.maja.id, patch: { accountEnabled: false } });
  // an attempt that is under way now must not come through
  if (method === undefined) await house.clearFaults();
  // told, and so the name is free again
  const over = await house.untilChange(id, ({ timeline }) => {
    house.stack.clock.advance(10_000);
    return timeline.some(({ event }) => event === 'outcome-told');
  });
  expect([over.state, over.why?.rule]).toEqual(['cancelled', 'creator-not-usable']);
  expect(await house.named('Ghost Writers')).toEqual([]);
  await house.change({ type: 'patchUser', id: people.maja.id, patch: { accountEnabled: true } });
});

test.each([
  ['derived is chosen anew', {}, 'done', undefined],
  ['given ends it with the reason', { mailNickname: 'blue-team' }, 'cancelled', 'nickname-taken'],
] as const)('a mail nickname that somebody else gets meanwhile: one that was %s', async (what, more, state, rule) => {
  const name = `Blue Team ${String(what.length)}`;
  const nickname = 'mailNickname' in more ? more.mailNickname : `blue-team-${String(what.length)}`;
  // the names are settled, and the first attempt to create the group does not come through
  await house.fault('directory', { method: 'PATCH', path: 'uniqueName', fault: { kind: 'answer', status: 503 } });
  const answer = await house.create('rita', wish(name, { kind: 'microsoft365', ...more }));
  const { id } = answer.json as Change;
  expect((await house.untilPostponed(id)).state).toBe('applying');
  await house.change({
    type: 'createGroup',
    group: {
      displayName: `Rivals ${nickname}`,
      mailNickname: nickname,
      mailEnabled: true,
      groupTypes: ['Unified'],
      mail: `${nickname}@contoso.example`,
    },
  });
  await house.clearFaults();
  house.stack.clock.advance(60_000);
  const change = await house.untilChange(id, ({ timeline }) => timeline.some(({ event }) => event === 'outcome-told'));
  expect([change.state, change.why?.rule]).toEqual([state, rule]);
  expect(await house.named(name)).toHaveLength(state === 'done' ? 1 : 0);
});
