import { groups, people } from '../../../local/demo-tenant';
import { openGroupsHouse, OWN_GROUPS, wish } from '../../workflow/own-groups-house';

/** Where own groups are off, or enough was asked for: houses with permissions, settings and limits of their own. */

const JOIN = ['GroupMember.ReadWrite.All', 'User.Read.All'];
const off = (permission: string) => ({
  type: expect.stringMatching(/\/problems\/feature-off$/) as string,
  status: 501,
  permission,
  detail: expect.stringContaining(permission) as string,
});

test('with what joining needs alone, groups are neither created nor described, and members are still managed', async () => {
  const house = await openGroupsHouse({}, JOIN);
  try {
    expect((await house.create('rita', wish('Off'))).json).toMatchObject(off('Group.ReadWrite.All'));
    const { id } = groups.design;
    for (const body of [
      { kind: 'describe', description: 'x' },
      { kind: 'add-owner', person: people.mona.id },
      { kind: 'leave-as-owner' },
    ])
      expect((await house.manage('olivia', id, body)).json).toMatchObject(off('Group.ReadWrite.All'));
    const change = await house.settled(
      await house.manage('olivia', id, { kind: 'add-member', person: people.ravi.id }),
    );
    expect(change.state).toBe('done');
    const olivia = await house.as('olivia');
    expect((await olivia.call('GET', '/api/groups?owner=me')).status).toBe(200);
    expect((await olivia.call('GET', `/api/groups/${id}/members`)).status).toBe(200);
  } finally {
    await house.stop();
  }
});

test('without the permission to read the naming policy only security groups are created', async () => {
  const house = await openGroupsHouse({}, [...JOIN, 'Group.ReadWrite.All']);
  try {
    const wished = wish('Half on', { kind: 'microsoft365' });
    expect((await house.create('rita', wished)).json).toMatchObject(off('GroupSettings.Read.All'));
    expect((await house.settled(await house.create('rita', wish('Half on')))).state).toBe('done');
  } finally {
    await house.stop();
  }
});

test('where the settings are strict it is off whatever was granted', async () => {
  const house = await openGroupsHouse({ env: { GRAPH_PERMISSIONS: 'strict' } }, OWN_GROUPS);
  try {
    expect((await house.create('rita', wish('Strictly off'))).json).toMatchObject(off('Group.ReadWrite.All'));
    expect(await house.named('Strictly off')).toEqual([]);
  } finally {
    await house.stop();
  }
});

test('who asks for too many groups in an hour, or checks too many names, waits; others and other groups go on', async () => {
  const house = await openGroupsHouse({ env: { LIMIT_PER_PERSON: '2', LIMIT_PER_GROUP: '3' } });
  // the hour's counters start with the hour
  house.stack.clock.set(new Date(Math.ceil(house.stack.clock.now().getTime() / 3_600_000) * 3_600_000 + 1_000));
  try {
    for (const name of ['One', 'Two']) expect((await house.create('rita', wish(`Flood ${name}`))).status).toBe(202);
    const refused = await house.create('rita', wish('Flood Three'));
    expect([refused.status, Number(refused.headers.get('retry-after')) > 3_000]).toEqual([429, true]);
    expect((await house.create('mona', wish('Trickle'))).status).toBe(202);
    const rita = await house.as('rita');
    const checked: number[] = [];
    for (let n = 0; n < 4; n += 1)
      checked.push(
        (await rita.call('POST', '/api/groups/check-name', { kind: 'security', displayName: 'Flood' })).status,
      );
    expect(checked).toEqual([200, 200, 200, 429]);
    // what a stranger tries is refused, and is not the owner's
    for (let n = 0; n < 5; n += 1)
      expect([403, 404, 409, 429]).toContain(
        (await house.manage('ravi', groups.marketing.id, { kind: 'leave' })).status,
      );
    const changed: number[] = [];
    for (const person of [people.ravi.id, people.maja.id, people.chen.id, people.zoe.id])
      changed.push((await house.manage('olivia', groups.marketing.id, { kind: 'add-member', person })).status);
    expect(changed).toEqual([202, 202, 202, 429]);
    expect((await house.manage('olivia', groups.everyone.id, { kind: 'describe', description: 'All' })).status).toBe(
      202,
    );
    expect(await house.named('Flood Three')).toEqual([]);
  } finally {
    await house.stop();
  }
});
