import { groups, people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { built } from '../../local/stack/paths';
import { mailsTo, membersOf } from '../../local/stack/actors';
import { runNode, tableClient } from '../http/stack/tools';
import { idsOf, openGroupsHouse, wish } from './own-groups-house';
import type { GroupsHouse } from './own-groups-house';

/** Owners change their groups: descriptions, owners, members, and never so that nobody is left to decide. */
let house: GroupsHouse;
let count = 0;

beforeAll(async () => {
  house = await openGroupsHouse();
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

/** A group of these owners and members, past Gatehouse. */
async function group(owners: PersonAlias[], members: PersonAlias[] = []): Promise<string> {
  count += 1;
  const id = `c0000000-0000-4000-8000-${String(count).padStart(12, '0')}`;
  await house.change({
    type: 'createGroup',
    group: {
      id,
      displayName: `Team ${String(count)}`,
      mailNickname: `team-${String(count)}`,
      owners: owners.map((alias) => people[alias].id),
      members: members.map((alias) => people[alias].id),
    },
  });
  return id;
}

const members = async (id: string): Promise<string[]> => (await membersOf(house.stack.urls, id)).toSorted();
const done = async (person: PersonAlias, id: string, body: Record<string, unknown>) => {
  const change = await house.settled(await house.manage(person, id, body));
  expect([change.state, change.why]).toEqual(['done', undefined]);
  return change;
};
const refused = async (person: PersonAlias, id: string, body: Record<string, unknown>): Promise<string> => {
  const { status, json } = await house.manage(person, id, body);
  return `${String(status)} ${(json as { type: string }).type.split('/').at(-1) ?? ''}`;
};

test('name and description are changed by the rules of names, and the other owners are told by whom', async () => {
  const id = await group(['rita', 'mona']);
  const change = await done('rita', id, {
    kind: 'describe',
    displayName: 'Kite Makers',
    description: 'Paper and wind',
  });
  const { json } = await (await house.as('mona')).call('GET', `/api/groups/${id}`);
  expect(json).toMatchObject({ displayName: 'Kite Makers', description: 'Paper and wind', you: { own: true } });
  expect(await house.mailsAbout(change.id, 'mona')).toEqual([
    'Rita Lindqvist changed Kite Makers'.replace('Kite Makers', `Team ${String(count)}`),
  ]);
  expect(await refused('rita', id, { kind: 'describe', displayName: 'Design Studio' })).toBe('400 bad-request');
  expect(await refused('rita', id, { kind: 'describe', displayName: '\u200f' })).toBe('400 bad-request');
  expect(await refused('rita', id, { kind: 'describe' })).toBe('400 bad-request');
  // its own name is not in its way
  await done('rita', id, { kind: 'describe', displayName: 'kite makers', description: '' });
});

test('an owner is added and removed, both are told, and the last who can decide stays', async () => {
  const id = await group(['rita', 'dora']);
  expect(await refused('rita', id, { kind: 'leave-as-owner' })).toBe('409 last-owner');
  expect(await refused('rita', id, { kind: 'remove-owner', person: people.rita.id })).toBe('409 last-owner');
  const added = await done('rita', id, { kind: 'add-owner', person: people.mona.id, reason: 'She takes part.' });
  expect(await house.ownersOf(id)).toEqual(idsOf('rita', 'dora', 'mona'));
  expect(await house.mailsAbout(added.id, 'mona')).toEqual([`You are an owner of Team ${String(count)} now`]);
  expect(await refused('rita', id, { kind: 'add-owner', person: people.mona.id })).toBe('409 already-owner');
  const removed = await done('mona', id, { kind: 'remove-owner', person: people.rita.id });
  expect(await house.mailsAbout(removed.id, 'rita')).toEqual([`You are no longer an owner of Team ${String(count)}`]);
  expect(await house.ownersOf(id)).toEqual(idsOf('dora', 'mona'));
  // a former owner has nothing to say any more
  expect(await refused('rita', id, { kind: 'add-owner', person: people.ravi.id })).toBe('403 not-yours');
});

test('owners who do not exist, are guests, are disabled or have no mailbox are refused by name', async () => {
  const id = await group(['rita']);
  for (const person of [people.gus.id, people.dana.id, people.nora.id, 'nobody@contoso.example'])
    expect(await refused('rita', id, { kind: 'add-owner', person })).toBe('400 bad-request');
  expect(await refused('rita', id, { kind: 'hand-over', person: people.rita.id })).toBe('400 bad-request');
  expect(await house.ownersOf(id)).toEqual(idsOf('rita'));
});

test('a group is handed over: the new owner is there before the old one goes', async () => {
  const id = await group(['rita']);
  const change = await done('rita', id, { kind: 'hand-over', person: people.ravi.id });
  expect(await house.ownersOf(id)).toEqual(idsOf('ravi'));
  expect(await house.mailsAbout(change.id, 'ravi')).toEqual([`You are an owner of Team ${String(count)} now`]);
  expect(await house.mailsAbout(change.id, 'rita')).toHaveLength(1);
});

test('an owner leaves as one once there is a successor, and the others are told', async () => {
  const id = await group(['rita', 'mona', 'ravi']);
  const left = await done('rita', id, { kind: 'leave-as-owner' });
  expect(await house.ownersOf(id)).toEqual(idsOf('mona', 'ravi'));
  for (const owner of ['mona', 'ravi'] as const) expect(await house.mailsAbout(left.id, owner)).toHaveLength(1);
  expect(await house.mailsAbout(left.id, 'rita')).toEqual([expect.stringMatching(/^Done: /)]);
});

test('two owners who remove each other at once leave one', async () => {
  const id = await group(['rita', 'mona', 'dora']);
  const answers = await Promise.all([
    house.manage('rita', id, { kind: 'remove-owner', person: people.mona.id }),
    house.manage('mona', id, { kind: 'remove-owner', person: people.rita.id }),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
  for (const answer of answers) if (answer.status === 202) await house.settled(answer);
  const left = await house.ownersOf(id);
  expect(left.filter((owner) => owner !== people.dora.id)).toHaveLength(1);
});

test('an owner who is no longer one when it is to be applied changes nothing', async () => {
  const id = await group(['rita', 'mona']);
  // who owns the group is asked once when the change is filed
  await house.fault('directory', { path: 'owners/microsoft', skip: 1, fault: { kind: 'answer', status: 503 } });
  const answer = await house.manage('rita', id, { kind: 'add-owner', person: people.ravi.id });
  const { id: changeId } = answer.json as { id: string };
  expect((await house.untilPostponed(changeId)).state).toBe('approved');
  await house.change({ type: 'removeOwner', group: id, target: people.rita.id });
  await house.clearFaults();
  house.stack.clock.advance(60_000);
  const { why } = await house.untilChange(changeId, ({ state }) => state === 'cancelled');
  expect([why?.rule, await house.ownersOf(id)]).toEqual(['no-longer-yours', idsOf('mona')]);
});

test('while one change of the owners waits for the directory, another is not taken', async () => {
  const id = await group(['rita', 'mona']);
  await house.fault('directory', { method: 'POST', path: 'owners/\\$ref', fault: { kind: 'answer', status: 503 } });
  const answer = await house.manage('rita', id, { kind: 'add-owner', person: people.ravi.id });
  const { id: changeId } = answer.json as { id: string };
  expect((await house.untilPostponed(changeId)).state).toBe('applying');
  expect(await refused('mona', id, { kind: 'remove-owner', person: people.rita.id })).toBe('409 change-in-progress');
  await house.clearFaults();
  house.stack.clock.advance(60_000);
  await house.untilChange(changeId, ({ state }) => state === 'done');
  expect(await house.ownersOf(id)).toEqual(idsOf('rita', 'mona', 'ravi'));
});

/** What stands once the service answers again; the clock runs on, so that the next attempt comes. */
const onceItAnswers = async (changeId: string) => {
  await house.clearFaults();
  return house.untilChange(changeId, ({ timeline }) => {
    house.stack.clock.advance(10_000);
    return timeline.some(({ event }) => event === 'outcome-told');
  });
};
const idOf = ({ status, json, text }: Awaited<ReturnType<typeof house.manage>>): string => {
  if (status !== 202) throw new Error(`${String(status)} ${text}`);
  return (json as { id: string }).id;
};

test('an owner whose removal waited for the directory stays where nobody else is left by then who can decide', async () => {
  const id = await group(['rita', 'tomas']);
  await house.fault('directory', { method: 'DELETE', path: 'owners/', fault: { kind: 'answer', status: 503 } });
  const changeId = idOf(await house.manage('rita', id, { kind: 'remove-owner', person: people.rita.id }));
  expect((await house.untilPostponed(changeId)).state).toBe('applying');
  await house.change({ type: 'patchUser', id: people.tomas.id, patch: { accountEnabled: false } });
  const { state, why } = await onceItAnswers(changeId);
  await house.change({ type: 'patchUser', id: people.tomas.id, patch: { accountEnabled: true } });
  expect([state, why?.rule]).toEqual(['cancelled', 'last-owner']);
  expect(await house.ownersOf(id)).toEqual(idsOf('rita', 'tomas'));
});

test('a change of owners that failed keeps nobody from another one, and comes second when it is tried again', async () => {
  const id = await group(['rita', 'mona']);
  await house.fault('directory', { method: 'POST', path: 'owners/\\$ref', fault: { kind: 'answer', status: 403 } });
  const failed = await house.settled(await house.manage('rita', id, { kind: 'add-owner', person: people.ravi.id }));
  expect(failed.state).toBe('failed');
  await house.clearFaults();
  await done('mona', id, { kind: 'remove-owner', person: people.rita.id });
  expect((await house.operations.call('POST', `/api/ops/group-changes/${failed.id}/retry`)).status).toBe(202);
  const { state, why } = await house.untilChange(failed.id, ({ state: now }) => now === 'cancelled');
  expect([state, why?.rule]).toEqual(['cancelled', 'no-longer-yours']);
  expect(await house.ownersOf(id)).toEqual(idsOf('mona'));
});

test('a handing over of which Graph does the first half only says so, and both own the group', async () => {
  const id = await group(['rita']);
  const message = 'The group must have at least one owner, hence this owner cannot be removed.';
  await house.fault('directory', {
    method: 'DELETE',
    path: 'owners/',
    fault: {
      kind: 'answer',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ error: { code: 'Request_BadRequest', message } }),
    },
  });
  const changeId = idOf(await house.manage('rita', id, { kind: 'hand-over', person: people.ravi.id }));
  const { state, why } = await house.untilChange(changeId, ({ timeline }) => {
    house.stack.clock.advance(60_000);
    return timeline.some(({ event }) => event === 'outcome-told');
  });
  expect([state, why?.rule, why?.sentence]).toEqual([
    'cancelled',
    'handed-over-in-part',
    expect.stringMatching(/^Ravi Subramanian owns the group now, and whoever handed it over still does/),
  ]);
  expect(await house.ownersOf(id)).toEqual(idsOf('rita', 'ravi'));
  // whoever became an owner is told so, whatever became of the other half
  expect(await house.mailsAbout(changeId, 'ravi')).toEqual([expect.stringMatching(/^You are an owner of /)]);
});

test('a name that another group got while a renaming waited is not given twice', async () => {
  const id = await group(['rita', 'mona']);
  await house.fault('directory', { path: 'owners/microsoft', skip: 1, fault: { kind: 'answer', status: 503 } });
  const changeId = idOf(await house.manage('rita', id, { kind: 'describe', displayName: 'Lantern Makers' }));
  expect((await house.untilPostponed(changeId)).state).toBe('approved');
  await house.change({
    type: 'createGroup',
    group: {
      id: 'c0000000-0000-4000-8777-000000000001',
      displayName: 'Lantern Makers',
      mailNickname: 'lanterns',
      owners: [people.mona.id],
    },
  });
  const { state, why } = await onceItAnswers(changeId);
  expect([state, why?.rule]).toEqual(['cancelled', 'name-taken']);
});

test('a renaming and a creation that want the same name at once: one of them gets it', async () => {
  const id = await group(['rita', 'mona']);
  const answers = await Promise.all([
    house.manage('rita', id, { kind: 'describe', displayName: 'Glass Blowers' }),
    house.create('mona', wish('Glass Blowers')),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
  for (const answer of answers) if (answer.status === 202) expect((await house.settled(answer)).state).toBe('done');
  expect(await house.named('Glass Blowers')).toHaveLength(1);
});

test('a member whom an owner could not add is not kept for ever by that when they come for a time', async () => {
  const id = await group(['rita', 'mona']);
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 403 } });
  const failed = await house.settled(await house.manage('rita', id, { kind: 'add-member', person: people.ravi.id }));
  expect(failed.state).toBe('failed');
  await house.clearFaults();
  const cancelled = await house.operations.call('POST', `/api/ops/group-changes/${failed.id}/cancel`, {
    reason: 'No.',
  });
  expect(cancelled.status).toBe(202);
  const row = await tableClient(house.stack, 'memberships').getEntity(`g_${id}`, `p_${people.ravi.id}`);
  expect(JSON.parse(String(row['json']))).toMatchObject({ wanted: 'out', addedByGatehouse: false, grants: [] });
  expect(await members(id)).toEqual([]);
});

test('a member through another group is not said to be taken out: that group is not changed here', async () => {
  const inner = await group(['mona'], ['lars']);
  const id = await group(['rita', 'mona']);
  await house.change({ type: 'addMember', group: id, target: inner });
  for (const [person, body] of [
    ['rita', { kind: 'remove-member', person: people.lars.id }],
    ['lars', { kind: 'leave' }],
  ] as const) {
    const changeId = idOf(await house.manage(person, id, body));
    const { state, why } = await house.untilChange(changeId, ({ timeline }) => {
      house.stack.clock.advance(10_000);
      return timeline.some(({ event }) => event === 'outcome-told');
    });
    expect([state, why?.rule]).toEqual(['cancelled', 'member-through-group']);
  }
  // who is both is taken out of this group, and told that they are a member all the same
  await house.change({ type: 'addMember', group: id, target: people.lars.id });
  const removed = await done('rita', id, { kind: 'remove-member', person: people.lars.id });
  const [mail] = (await mailsTo(house.stack.urls, 'rita')).filter(({ plainText }) => plainText?.includes(removed.id));
  expect(mail?.plainText).toContain('They are still a member through another group.');
});

test('a member is added and removed by an owner, and what Gatehouse added is known', async () => {
  const id = await group(['rita'], ['lars']);
  const added = await done('rita', id, { kind: 'add-member', person: people.ravi.id, reason: 'He builds it.' });
  expect(await members(id)).toEqual(idsOf('ravi', 'lars'));
  expect(await house.mailsAbout(added.id, 'ravi')).toEqual([`You are a member of Team ${String(count)} now`]);
  expect(await refused('rita', id, { kind: 'add-member', person: people.ravi.id })).toBe('409 already-member');
  expect(await refused('rita', id, { kind: 'add-member', person: people.gus.id })).toBe('409 requester-is-guest');

  const listed = await (await house.as('rita')).call('GET', `/api/groups/${id}/members`);
  const { value } = listed.json as { value: { id: string; addedByGatehouse: boolean; grants?: unknown[] }[] };
  expect(value.map((member) => [member.id, member.addedByGatehouse, member.grants?.length])).toEqual(
    expect.arrayContaining([
      [people.ravi.id, true, 1],
      [people.lars.id, false, undefined],
    ]),
  );
  await done('rita', id, { kind: 'remove-member', person: people.ravi.id });
  await done('lars', id, { kind: 'leave' });
  expect(await members(id)).toEqual([]);
  expect(await refused('rita', id, { kind: 'remove-member', person: people.ravi.id })).toBe('409 not-a-member');
  expect(await refused('lars', id, { kind: 'leave' })).toBe('409 not-a-member');
});

test('a membership for a time that an owner makes lasting does not end, until the owner ends it with its grant', async () => {
  const id = await group(['olivia']);
  const filed = await house.system.call('POST', `/api/groups/${id}/join-requests`, {
    userId: people.ravi.id,
    justification: 'For a while.',
    duration: 'P1D',
  });
  const { id: requestId } = filed.json as { id: string };
  await house.until(requestId, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const olivia = await house.as('olivia');
  await olivia.call('POST', `/api/join-requests/${requestId}/decision`, { decision: 'approve' });
  await house.untilTold(requestId);

  await done('olivia', id, { kind: 'add-member', person: people.ravi.id });
  house.stack.clock.advance(26 * 3_600_000);
  const ended = await house.until(requestId, ({ membership }) => membership?.ended !== undefined);
  expect(ended.membership?.ended?.removed).toBe(false);
  expect(await members(id)).toEqual(idsOf('ravi'));
  await done('olivia', id, { kind: 'remove-member', person: people.ravi.id });
  expect(await members(id)).toEqual([]);
});

test('removing a member ends the grants of their requests, and the member is told why', async () => {
  const id = await group(['olivia']);
  const filed = await house.system.call('POST', `/api/groups/${id}/join-requests`, {
    userId: people.ravi.id,
    justification: 'For good.',
  });
  const { id: requestId } = filed.json as { id: string };
  await house.until(requestId, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  await (await house.as('olivia')).call('POST', `/api/join-requests/${requestId}/decision`, { decision: 'approve' });
  await house.untilTold(requestId);
  await done('olivia', id, { kind: 'remove-member', person: people.ravi.id, reason: 'The project is over.' });
  house.stack.clock.advance(120_000);
  const { membership } = await house.until(requestId, (now) => now.membership?.ended !== undefined);
  expect(membership?.ended).toMatchObject({ how: 'revoked', reason: 'The project is over.' });
  expect(await members(id)).toEqual([]);
});

test('operators may take members out and administrators care for owners, and neither makes a member', async () => {
  const id = await group(['dora'], ['lars']);
  expect(await refused('otto', id, { kind: 'add-member', person: people.ravi.id })).toBe('403 not-yours');
  expect(await refused('otto', id, { kind: 'add-owner', person: people.ravi.id })).toBe('403 not-yours');
  expect(await refused('adele', id, { kind: 'add-member', person: people.ravi.id })).toBe('403 not-yours');
  expect(await refused('adele', id, { kind: 'remove-member', person: people.lars.id })).toBe('403 not-yours');
  await done('adele', id, { kind: 'add-owner', person: people.mona.id, reason: 'The owner left.' });
  await done('otto', id, { kind: 'remove-member', person: people.lars.id, reason: 'A leak.' });
  expect([await house.ownersOf(id), await members(id)]).toEqual([idsOf('dora', 'mona'), []]);
});

test.each([
  ['synced', 'adele', '409 group-is-synchronised'],
  ['dynamic', 'olivia', '409 group-is-dynamic'],
  ['roleAssignable', 'adele', '409 group-is-role-assignable'],
  ['restricted', 'adele', '409 group-is-management-restricted'],
] as const)('a group that is %s is not changed here', async (alias, person, rule) => {
  expect(await refused(person, groups[alias].id, { kind: 'describe', description: 'x' })).toBe(rule);
});

test('what is hidden from somebody looks like what does not exist', async () => {
  const rita = await house.as('rita');
  const bare = ({ status, text }: { status: number; text: string }) => [
    status,
    text.replaceAll(/"correlationId":"[^"]*"/g, ''),
  ];
  const body = { kind: 'add-member', person: people.ravi.id };
  const none = 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee';
  for (const path of ['', '/members'])
    expect(bare(await rita.call('GET', `/api/groups/${groups.hidden.id}${path}`))).toEqual(
      bare(await rita.call('GET', `/api/groups/${none}${path}`)),
    );
  expect(bare(await house.manage('rita', groups.hidden.id, body))).toEqual(
    bare(await house.manage('rita', none, body)),
  );
});

test('one finds the groups that one owns, is a member of, and that are open, a page at a time', async () => {
  const id = await group(['priya'], ['rita']);
  const list = async (person: PersonAlias, query: string) =>
    (await (await house.as(person)).call('GET', `/api/groups?${query}`)).json as {
      value: { id: string; displayName: string }[];
      nextLink?: string;
    };
  expect((await list('priya', 'owner=me')).value.map((each) => each.id)).toEqual([id]);
  expect((await list('rita', 'member=me')).value.map((each) => each.id)).toContain(id);
  const found = await list('rita', 'search=design');
  expect(found.value.map(({ displayName }) => displayName)).toContain('Design Studio');

  const seen: string[] = [];
  let query = 'owner=me&pageSize=2';
  for (let pages = 0; pages < 20; pages += 1) {
    const page = await list('olivia', query);
    expect(page.value.length).toBeLessThanOrEqual(2);
    seen.push(...page.value.map((each) => each.id));
    if (page.nextLink === undefined) break;
    query = new URL(page.nextLink).search.slice(1);
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(expect.arrayContaining([groups.design.id, groups.marketing.id, groups.everyone.id]));
  const olivia = await house.as('olivia');
  for (const wrong of [
    '',
    'owner=me&member=me',
    'owner=adele',
    'search=%20',
    'owner=me&after=nonsense',
    'owner=me&pageSize=0',
  ])
    expect([wrong, (await olivia.call('GET', `/api/groups?${wrong}`)).status]).toEqual([wrong, 400]);
});

test('what changed, by whom and why stands in the trail, its copy finds it by its id, and all of it holds', async () => {
  const id = await group(['rita']);
  const change = await done('rita', id, { kind: 'hand-over', person: people.mona.id, reason: 'I move on.' });
  const created = await house.settled(await house.create('rita', wish('Audited Club')));
  const auditor = await house.as('aude');
  const found = async (requestId: string) => {
    const { json } = await auditor.call('GET', `/api/audit?requestId=${requestId}`);
    return (
      (json as { value?: { event: string; by: { id: string }; data?: Record<string, unknown>; groupId?: string }[] })
        .value ?? []
    );
  };
  for (let minutes = 0; minutes < 20; minutes += 1) {
    const copied = [...(await found(change.id)), ...(await found(created.id))];
    if (copied.filter(({ event }) => event === 'outcome-told').length === 2) break;
    house.stack.clock.advance(60_000);
    await new Promise((ready) => setTimeout(ready, 250));
  }
  const entries = await found(change.id);
  expect(entries.map(({ event }) => event)).toEqual(['change-asked', 'applying', 'applied', 'outcome-told']);
  expect(entries[0]).toMatchObject({
    by: { id: people.rita.id },
    data: { as: 'owner', reason: 'I move on.' },
    groupId: id,
  });
  expect((await found(created.id)).map(({ event }) => event)).toContain('group-created');

  const { settings, urls, clock } = house.stack;
  const env = {
    ...settings,
    TABLES_ENDPOINT: urls.tables,
    AUDIT_TABLES_ENDPOINT: urls.tables,
    LOCAL_CLOCK_FILE: clock.file,
  };
  const args = ['--disable-warning=ExperimentalWarning', '--require', built('clock/preload.js'), '--'];
  const verify = async (): Promise<[number | null, string]> => {
    const run = runNode([...args, built('commands/audit-verify.js')], { env });
    return [await run.ended, run.output()];
  };
  expect(await verify()).toEqual([0, expect.not.stringContaining('BROKEN')]);
  const table = tableClient(house.stack, 'requests');
  const row = await table.getEntity<Record<string, unknown>>(`c_${change.id}`, 'state');
  const forged = JSON.stringify({ ...(JSON.parse(String(row['json'])) as object), state: 'denied' });
  const merge = (json: unknown) =>
    table.updateEntity({ partitionKey: `c_${change.id}`, rowKey: 'state', json }, 'Merge');
  await merge(forged);
  expect(await verify()).toEqual([1, expect.stringContaining(`BROKEN requests c_${change.id}/state`)]);
  await merge(row['json']);
});
