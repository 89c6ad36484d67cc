import { apps, groups, people } from '../../../../local/demo-tenant';
import { errorOf, idsOf, openDirectory, ownPermissions, valueOf } from './support';
import type { Answer } from './support';

let directory: ReturnType<typeof openDirectory>;
beforeEach(() => {
  directory = openDirectory();
});
afterEach(() => {
  jest.useRealTimers();
  directory.close();
});

const groupAdmin = [...ownPermissions, 'Group.ReadWrite.All'];
const outcome = (answer: Answer): [number, string, string] => [
  answer.status,
  errorOf(answer).code,
  errorOf(answer).message,
];
const members = async (id: string): Promise<unknown[]> =>
  idsOf(await directory.call(`/groups/${id}/members?$select=id&$top=999`));

describe('adding a member', () => {
  it('adds once, and says of the second time that the reference exists', async () => {
    expect((await directory.add(groups.design.id, people.rita.id)).status).toBe(204);
    expect(await members(groups.design.id)).toContain(people.rita.id);
    expect(outcome(await directory.add(groups.design.id, people.rita.id))).toEqual([
      400,
      'Request_BadRequest',
      "One or more added object references already exist for the following modified properties: 'members'.",
    ]);
  });

  it('works for a Microsoft 365 group and for a cloud-managed one', async () => {
    expect((await directory.add(groups.marketing.id, people.rita.id)).status).toBe(204);
    expect((await directory.add(groups.cloudManaged.id, people.rita.id)).status).toBe(204);
  });

  it('answers 404 for an unknown person and for an unknown group', async () => {
    const unknown = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
    const text = `Resource '${unknown}' does not exist or one of its queried reference-property objects are not present.`;
    expect(outcome(await directory.add(groups.design.id, unknown))).toEqual([404, 'Request_ResourceNotFound', text]);
    expect(outcome(await directory.add(unknown, people.rita.id))).toEqual([404, 'Request_ResourceNotFound', text]);
  });

  const mailRefusal = 'Cannot Update a mail-enabled security groups and or distribution list.';
  const syncRefusal =
    'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.';
  const denial = 'Insufficient privileges to complete the operation.';
  it.each([
    ['distribution', 400, 'Request_BadRequest', mailRefusal],
    ['mailSecurity', 400, 'Request_BadRequest', mailRefusal],
    ['synced', 400, 'Request_BadRequest', syncRefusal],
    ['dynamic', 403, 'Authorization_RequestDenied', denial],
    ['dynamic365', 403, 'Authorization_RequestDenied', denial],
    ['roleAssignable', 403, 'Authorization_RequestDenied', denial],
    ['restricted', 403, 'Authorization_RequestDenied', denial],
  ] as const)('to a group of the kind "%s" is refused with %i', async (alias, status, code, message) => {
    const before = directory.store.count({
      view: 'now',
      types: ['user'],
      within: directory.store.targets('member', groups[alias].id, 'now'),
    });
    expect(outcome(await directory.add(groups[alias].id, people.rita.id))).toEqual([status, code, message]);
    const after = directory.store.count({
      view: 'now',
      types: ['user'],
      within: directory.store.targets('member', groups[alias].id, 'now'),
    });
    expect(after).toBe(before);
  });

  it('to a role-assignable group takes RoleManagement.ReadWrite.Directory as well', async () => {
    const roles = [...ownPermissions, 'RoleManagement.ReadWrite.Directory'];
    expect((await directory.add(groups.roleAssignable.id, people.rita.id, 'members', { roles })).status).toBe(204);
  });

  it('is refused to an app that may only read, but not to an app that owns the group', async () => {
    const call = { roles: ['GroupMember.Read.All'] };
    expect((await directory.add(groups.appOwned.id, people.rita.id, 'members', call)).status).toBe(403);
    const claims = { oid: apps.directoryBot.objectId };
    expect((await directory.add(groups.appOwned.id, people.rita.id, 'members', { roles: [], claims })).status).toBe(
      204,
    );
  });

  it('takes no group into a Microsoft 365 group, no Microsoft 365 group anywhere, and none into itself', async () => {
    expect((await directory.add(groups.marketing.id, groups.design.id)).status).toBe(400);
    expect((await directory.add(groups.finance.id, groups.marketing.id)).status).toBe(400);
    expect((await directory.add(groups.finance.id, groups.finance.id)).status).toBe(400);
    expect((await directory.add(groups.finance.id, groups.design.id)).status).toBe(204);
  });

  it('refuses a body without a reference', async () => {
    const path = `/groups/${groups.design.id}/members/$ref`;
    expect((await directory.call(path, { method: 'POST', body: {} })).status).toBe(400);
    expect((await directory.call(path, { method: 'POST', body: { '@odata.id': 'https://x.example/' } })).status).toBe(
      400,
    );
    expect((await directory.call(path, { method: 'POST' })).status).toBe(400);
  });
});

describe('removing a member', () => {
  it('removes once, then answers 404', async () => {
    expect((await directory.drop(groups.design.id, people.chen.id)).status).toBe(204);
    expect(await members(groups.design.id)).not.toContain(people.chen.id);
    const again = await directory.drop(groups.design.id, people.chen.id);
    expect([again.status, errorOf(again).code]).toEqual([404, 'Request_ResourceNotFound']);
    expect((await directory.add(groups.design.id, people.chen.id)).status).toBe(204);
  });

  it('without /$ref deletes the person, where the app may', async () => {
    const path = `/groups/${groups.design.id}/members/${people.chen.id}`;
    expect((await directory.call(path, { method: 'DELETE' })).status).toBe(403);
    expect((await directory.call(`/users/${people.chen.id}`)).status).toBe(200);
    expect((await directory.call(path, { method: 'DELETE', roles: ['User.ReadWrite.All'] })).status).toBe(204);
    expect((await directory.call(`/users/${people.chen.id}`)).status).toBe(404);
    expect(await members(groups.design.id)).not.toContain(people.chen.id);
  });
});

describe('changing owners', () => {
  it('takes more than the permission on members', async () => {
    expect((await directory.add(groups.design.id, people.mona.id, 'owners')).status).toBe(403);
    const call = { roles: groupAdmin };
    expect((await directory.add(groups.design.id, people.mona.id, 'owners', call)).status).toBe(204);
    expect(errorOf(await directory.add(groups.design.id, people.mona.id, 'owners', call)).message).toBe(
      "One or more added object references already exist for the following modified properties: 'owners'.",
    );
  });

  it('never takes the last user away, even where an app owns the group too', async () => {
    const call = { roles: groupAdmin };
    await directory.add(groups.design.id, apps.directoryBot.objectId, 'owners', call);
    expect((await directory.drop(groups.design.id, people.omar.id, 'owners', call)).status).toBe(204);
    expect(outcome(await directory.drop(groups.design.id, people.olivia.id, 'owners', call))).toEqual([
      400,
      'Request_BadRequest',
      'The group must have at least one owner, hence this owner cannot be removed.',
    ]);
    expect((await directory.drop(groups.design.id, apps.directoryBot.objectId, 'owners', call)).status).toBe(204);
  });
});

describe('with a replication delay', () => {
  const at = (seconds: number): void => {
    jest.setSystemTime(Date.parse('2026-11-24T09:00:00Z') + seconds * 1000);
  };
  beforeEach(async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'] });
    at(0);
    expect((await directory.settings({ replicationDelayMs: 10_000 })).status).toBe(200);
  });

  it('readers see an added member late, while a second add knows at once', async () => {
    await directory.add(groups.design.id, people.rita.id);
    expect(await members(groups.design.id)).not.toContain(people.rita.id);
    expect((await directory.add(groups.design.id, people.rita.id)).status).toBe(400);
    at(10);
    expect(await members(groups.design.id)).toContain(people.rita.id);
  });

  it('readers see a removed member a while longer, and one who came back once only', async () => {
    await directory.drop(groups.design.id, people.chen.id);
    expect(await members(groups.design.id)).toContain(people.chen.id);
    at(1);
    await directory.add(groups.design.id, people.chen.id);
    at(10.5);
    expect(await members(groups.design.id)).not.toContain(people.chen.id);
    at(11);
    expect((await members(groups.design.id)).filter((id) => id === people.chen.id)).toHaveLength(1);
  });

  it('readers see what a property was before, also after several changes', async () => {
    const enabled = async () =>
      (await directory.call(`/users/${people.rita.id}?$select=accountEnabled`)).json['accountEnabled'];
    await directory.change({ type: 'patchUser', id: people.rita.id, patch: { accountEnabled: false } });
    await directory.change({ type: 'patchUser', id: people.rita.id, patch: { jobTitle: 'Lead' } });
    expect(await enabled()).toBe(true);
    at(10);
    expect(await enabled()).toBe(false);
  });

  it('a group just created is not there yet, and a person just created cannot be added', async () => {
    const group = 'e0000000-0000-4000-8000-000000000001';
    const user = 'e0000000-0000-4000-8000-000000000002';
    const created = await directory.change(
      { type: 'createGroup', group: { id: group, displayName: 'New', mailNickname: 'new' } },
      { type: 'createUser', user: { id: user, displayName: 'Nia', userPrincipalName: 'nia@contoso.example' } },
    );
    expect(await created.json()).toEqual({ created: [group, user] });
    expect((await directory.call(`/groups/${group}`)).status).toBe(404);
    expect((await directory.add(group, people.rita.id)).status).toBe(404);
    expect(outcome(await directory.add(groups.design.id, user))).toEqual([
      400,
      'Request_BadRequest',
      'The source resource object or one of the objects being referenced do not exist.',
    ]);
    at(10);
    expect((await directory.add(group, user)).status).toBe(204);
  });

  it('nothing goes missing when the clock is set back', async () => {
    await directory.add(groups.design.id, people.rita.id);
    at(-3600);
    expect(await members(groups.design.id)).toContain(people.rita.id);
  });
});

describe('the admin API', () => {
  const errors = async (response: Response): Promise<{ path: string; message: string }[]> =>
    ((await response.json()) as { errors: { path: string; message: string }[] }).errors;

  it('makes every kind of change', async () => {
    const { id } = groups.design;
    const response = await directory.change(
      { type: 'patchUser', id: people.rita.id, patch: { accountEnabled: false, manager: people.olivia.id } },
      { type: 'patchGroup', id, patch: { description: 'changed', isAssignableToRole: true } },
      { type: 'addMember', group: id, target: people.rita.id },
      { type: 'removeMember', group: id, target: people.maja.id },
      { type: 'addOwner', group: id, target: people.mona.id },
      { type: 'removeOwner', group: id, target: people.olivia.id },
      { type: 'deleteGroup', id: groups.research.id },
      { type: 'deleteUser', id: people.omar.id },
      { type: 'createGroup', group: { displayName: 'Fresh', mailNickname: 'fresh', owners: [people.mona.id] } },
    );
    expect(response.status).toBe(200);
    const user = await directory.call(`/users/${people.rita.id}?$select=accountEnabled`);
    expect(user.json['accountEnabled']).toBe(false);
    expect((await directory.call(`/users/${people.rita.id}/manager`)).json['id']).toBe(people.olivia.id);
    const group = await directory.call(`/groups/${id}?$select=description,isAssignableToRole`);
    expect(group.json).toMatchObject({ description: 'changed', isAssignableToRole: true });
    expect(await members(id)).toEqual(expect.arrayContaining([people.rita.id]));
    expect(await members(id)).not.toContain(people.maja.id);
    expect(idsOf(await directory.call(`/groups/${id}/owners`))).toEqual([people.mona.id]);
    expect((await directory.call(`/groups/${groups.research.id}`)).status).toBe(404);
    const [fresh] = ((await response.json()) as { created: string[] }).created;
    expect(valueOf(await directory.call(`/groups/${fresh}/owners?$select=id`))).toHaveLength(1);
  });

  it('names every error of a request that is not well-formed', async () => {
    const response = await directory.site.request('/admin/changes', {
      method: 'POST',
      body: JSON.stringify([
        { type: 'patchUser', id: 'x', patch: { accountEnabled: 'no', shoeSize: 43 } },
        { type: 'explode' },
      ]),
    });
    expect(response.status).toBe(400);
    const paths = (await errors(response)).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['0.id', '0.patch.accountEnabled', '0.patch', '1.type']));
  });

  it('makes none of the changes when one cannot be made, and names each that cannot', async () => {
    const response = await directory.change(
      { type: 'addMember', group: groups.design.id, target: people.rita.id },
      { type: 'removeMember', group: groups.design.id, target: people.omar.id },
      { type: 'createUser', user: { displayName: 'Twin', userPrincipalName: 'RITA@contoso.example' } },
      { type: 'deleteGroup', id: people.rita.id },
    );
    expect(response.status).toBe(400);
    expect((await errors(response)).map(({ path }) => path)).toEqual(['1', '2', '3']);
    expect(await members(groups.design.id)).not.toContain(people.rita.id);
  });

  it('lists who is in a group and who owns it, apps included', async () => {
    const read = async (path: string): Promise<unknown> => (await directory.site.request(path)).json();
    expect(await read(`/admin/groups/${groups.appOwned.id}/owners`)).toEqual([
      { id: apps.directoryBot.objectId, type: 'servicePrincipal', displayName: 'Directory Bot' },
    ]);
    expect(await read(`/admin/groups/${groups.hidden.id}/members`)).toHaveLength(2);
    expect((await directory.site.request('/admin/groups/x/members')).status).toBe(404);
  });

  it('takes settings within bounds and refuses others with every error', async () => {
    const refused = await directory.settings({ replicationDelayMs: -1, pageSize: 1000, colour: 'red' });
    expect(refused.status).toBe(400);
    expect(await errors(refused)).toHaveLength(3);
    expect((await directory.settings({ pageSize: 3 })).status).toBe(200);
    const page = await directory.call(`/groups/${groups.everyone.id}/members`);
    expect(valueOf(page)).toHaveLength(3);
    expect(page.json).toHaveProperty(['@odata.nextLink']);
  });

  it('is closed to the pages of other sites', async () => {
    const response = await directory.site.request('/admin/settings', {
      method: 'PUT',
      body: '{"pageSize":3}',
      headers: { origin: 'https://elsewhere.example' },
    });
    expect(response.status).toBe(403);
    expect(directory.store.settings().pageSize).toBe(100);
  });
});

describe('injected faults', () => {
  it('throttle a call with and without Retry-After before it acts, and are recorded', async () => {
    const fault = (headers: object) => ({
      method: 'POST',
      path: 'members/\\$ref',
      times: 1,
      fault: {
        kind: 'answer',
        status: 429,
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"error":{"code":"TooManyRequests","message":"Too many requests."}}',
      },
    });
    for (const headers of [{ 'retry-after': '7' }, {}]) {
      const set = await directory.site.request('/admin/faults', {
        method: 'POST',
        body: JSON.stringify(fault(headers)),
      });
      expect(set.status).toBe(204);
    }
    const answers = [];
    for (let n = 0; n < 3; n += 1) answers.push(await directory.add(groups.design.id, people.rita.id));
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 204]);
    expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual(['7', null, null]);
    expect(answers.every(({ headers }) => headers.has('request-id'))).toBe(true);
    const calls = (await (await directory.site.request('/admin/calls')).json()) as { status: number }[];
    expect(calls.map(({ status }) => status)).toEqual([429, 429, 204]);
  });
});
