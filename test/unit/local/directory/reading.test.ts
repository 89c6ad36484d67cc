import { apps, groups, people, tenant } from '../../../../local/demo-tenant';
import { base, errorOf, eventual, idsOf, openDirectory, tokenWith, valueOf } from './support';

const directory = openDirectory();
const { call } = directory;
afterAll(() => directory.close());

const missingId = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';

describe('signing in to the local Graph', () => {
  const withHeader = async (authorization?: string) => {
    const response = await directory.graph.request(`/v1.0/groups/${groups.design.id}`, {
      headers: { 'client-request-id': 'mine', ...(authorization !== undefined && { authorization }) },
    });
    return {
      status: response.status,
      headers: response.headers,
      json: (await response.json()) as Record<string, unknown>,
    };
  };

  it.each([
    ['without a token', undefined, 'Access token is empty.'],
    ['with something that is no token', 'Bearer nonsense', 'CompactToken parsing failed with error code: 80049217'],
    ['with a token that the issuer did not sign', 'Bearer a.b.c', 'Access token validation failure.'],
    [
      'with a token for another API',
      `Bearer ${tokenWith({ aud: 'https://storage.azure.com' })}`,
      'Access token validation failure. Invalid audience.',
    ],
    [
      'with an expired token',
      `Bearer ${tokenWith({ exp: 1_000_000 })}`,
      'Lifetime validation failed, the token is expired.',
    ],
    [
      'with a token of another tenant',
      `Bearer ${tokenWith({ tid: missingId })}`,
      'Access token validation failure. Invalid tenant.',
    ],
  ])('is refused with 401 %s', async (_case, authorization, message) => {
    const answer = await withHeader(authorization);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    expect(answer.json).toEqual({
      error: {
        code: 'InvalidAuthenticationToken',
        message,
        innerError: {
          date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/) as string,
          'request-id': answer.headers.get('request-id'),
          'client-request-id': 'mine',
        },
      },
    });
    expect(answer.headers.get('client-request-id')).toBe('mine');
  });

  it.each([
    [`/groups/${groups.design.id}`, 'User.Read.All'],
    [`/groups/${groups.design.id}/members`, 'User.Read.All'],
    [`/groups/${groups.design.id}/onPremisesSyncBehavior`, 'Group.ReadWrite.All'],
    [`/users/${people.rita.id}`, 'GroupMember.ReadWrite.All'],
    [`/users/${people.rita.id}/manager`, 'User.ReadBasic.All'],
    [`/directoryObjects/${people.rita.id}`, 'User.Read.All'],
    ['/organization', 'Group.Read.All'],
  ])('is refused with 403 on %s where the app has only %s', async (path, role) => {
    const answer = await call(path, { roles: [role] });
    expect(answer.status).toBe(403);
    expect(errorOf(answer)).toMatchObject({
      code: 'Authorization_RequestDenied',
      message: 'Insufficient privileges to complete the operation.',
    });
  });
});

describe('reading a group', () => {
  it('gives the selected properties and nothing else', async () => {
    const answer = await call(
      `/groups/${groups.roleAssignable.id}?$select=id,isAssignableToRole,isManagementRestricted,uniqueName`,
    );
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      '@odata.context': `${base}/v1.0/$metadata#groups(id,isAssignableToRole,isManagementRestricted,uniqueName)/$entity`,
      id: groups.roleAssignable.id,
      isAssignableToRole: true,
      isManagementRestricted: null,
      uniqueName: null,
    });
  });

  it('keeps back, without $select, what Graph gives only on request', async () => {
    const { json } = await call(`/groups/${groups.marketing.id}`);
    expect(json).toMatchObject({
      displayName: 'Marketing',
      groupTypes: ['Unified'],
      mailEnabled: true,
      deletedDateTime: null,
    });
    expect(Object.keys(json)).not.toEqual(expect.arrayContaining(['isAssignableToRole']));
    for (const name of ['isAssignableToRole', 'isManagementRestricted', 'uniqueName', 'isCloudManaged']) {
      expect(json).not.toHaveProperty(name);
    }
  });

  it('refuses an unknown property with 400, and a property that only the store has', async () => {
    for (const name of ['colour', 'isCloudManaged']) {
      const answer = await call(`/groups/${groups.design.id}?$select=id,${name}`);
      expect(answer.status).toBe(400);
      expect(errorOf(answer)).toMatchObject({
        code: 'BadRequest',
        message: `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type 'microsoft.graph.group'.`,
      });
    }
  });

  it('answers 404 for an unknown id and 400 for something that is no id', async () => {
    const unknown = await call(`/groups/${missingId}`);
    expect(unknown.status).toBe(404);
    expect(errorOf(unknown)).toMatchObject({
      code: 'Request_ResourceNotFound',
      message: `Resource '${missingId}' does not exist or one of its queried reference-property objects are not present.`,
    });
    const malformed = await call('/groups/design');
    expect(malformed.status).toBe(400);
    expect(errorOf(malformed)).toMatchObject({
      code: 'Request_BadRequest',
      message: "Invalid object identifier 'design'.",
    });
  });

  it('tells a cloud-managed group from one mastered on premises', async () => {
    const roles = ['Group-OnPremisesSyncBehavior.ReadWrite.All'];
    const managed = await call(`/groups/${groups.cloudManaged.id}/onPremisesSyncBehavior`, { roles });
    const synced = await call(`/groups/${groups.synced.id}/onPremisesSyncBehavior`, { roles });
    expect([managed.json['isCloudManaged'], synced.json['isCloudManaged']]).toEqual([true, false]);
  });
});

describe('listing owners and members', () => {
  it('gives owners with their type, and leaves out service principals', async () => {
    const owners = await call(`/groups/${groups.design.id}/owners?$select=id,displayName,mail`);
    expect(valueOf(owners)).toEqual([
      {
        '@odata.type': '#microsoft.graph.user',
        id: people.olivia.id,
        displayName: 'Olivia Okafor',
        mail: people.olivia.mail,
      },
      {
        '@odata.type': '#microsoft.graph.user',
        id: people.omar.id,
        displayName: 'Omar Haddad',
        mail: people.omar.mail,
      },
    ]);
    expect(idsOf(await call(`/groups/${groups.appOwned.id}/owners`))).toEqual([]);
  });

  it('gives of a user only the id where the app may read no users, and only basics with User.ReadBasic.All', async () => {
    const path = `/groups/${groups.finance.id}/owners?$select=id,displayName,jobTitle`;
    const type = '#microsoft.graph.user';
    expect(valueOf(await call(path, { roles: ['GroupMember.Read.All'] }))).toEqual([
      { '@odata.type': type, id: people.omar.id, displayName: null, jobTitle: null },
    ]);
    expect(valueOf(await call(path, { roles: ['GroupMember.Read.All', 'User.ReadBasic.All'] }))).toEqual([
      { '@odata.type': type, id: people.omar.id, displayName: 'Omar Haddad', jobTitle: null },
    ]);
  });

  it('casts to users without a type on each', async () => {
    const users = await call(`/groups/${groups.parent.id}/members/microsoft.graph.user?$select=id`);
    expect(users.json['@odata.context']).toBe(`${base}/v1.0/$metadata#users(id)`);
    expect(valueOf(users)).toEqual([{ id: people.siobhan.id }]);
  });

  it('reaches through groups in groups when asked for transitive members', async () => {
    const direct = idsOf(await call(`/groups/${groups.parent.id}/members?$select=id`));
    const all = idsOf(await call(`/groups/${groups.parent.id}/transitiveMembers?$select=id`));
    expect(direct).toEqual([people.siobhan.id, groups.design.id]);
    expect(all).toEqual(
      expect.arrayContaining([people.siobhan.id, groups.design.id, people.chen.id, people.olivia.id]),
    );
    expect(all).toHaveLength(2 + groups.design.members.length);
  });

  it('pages with a next link that keeps the options, until all have been seen once', async () => {
    const seen: unknown[] = [];
    let path: string | undefined = `/groups/${groups.everyone.id}/members?$select=id&$top=9`;
    let pages = 0;
    while (path !== undefined) {
      const page = await call(path);
      expect(page.status).toBe(200);
      seen.push(...idsOf(page));
      pages += 1;
      const next = page.json['@odata.nextLink'] as string | undefined;
      if (next !== undefined)
        expect(next).toContain(`${base}/v1.0/groups/${groups.everyone.id}/members?$select=id&$top=9&$skiptoken=`);
      path = next?.slice(`${base}/v1.0`.length);
    }
    expect(pages).toBe(Math.ceil(Object.keys(people).length / 9));
    expect(new Set(seen)).toEqual(new Set(Object.values(people).map(({ id }) => id)));
    expect(seen).toHaveLength(Object.keys(people).length);
  });

  it.each(['0', '1000', 'many'])('refuses a page of %s', async (top) => {
    const answer = await call(`/groups/${groups.everyone.id}/members?$top=${top}`);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({
      code: 'Request_UnsupportedQuery',
      message: `Invalid page size specified: '${top}'. Must be between 1 and 999 inclusive.`,
    });
  });

  it('refuses a page token that is not its own', async () => {
    const answer = await call(`/groups/${groups.everyone.id}/members?$skiptoken=abc`);
    expect([answer.status, errorOf(answer).code]).toEqual([400, 'Directory_ExpiredPageToken']);
  });

  it('finds one member by id in an advanced query, and refuses that in any other', async () => {
    const path = `/groups/${groups.design.id}/members?$select=id&$count=true&$filter=id eq '${people.chen.id}'`;
    const answer = await call(path, { headers: eventual });
    expect(answer.json['@odata.count']).toBe(1);
    expect(idsOf(answer)).toEqual([people.chen.id]);
    const nobody = await call(path.replace(people.chen.id, people.rita.id), { headers: eventual });
    expect(nobody.json['@odata.count']).toBe(0);
    const refused = {
      code: 'Request_UnsupportedQuery',
      message: 'The specified filter to the reference property query is currently not supported.',
    };
    expect(errorOf(await call(path))).toMatchObject(refused);
    expect(errorOf(await call(path.replace('&$count=true', ''), { headers: eventual }))).toMatchObject(refused);
  });

  it('shows nobody in a group of hidden membership unless the app may see hidden members', async () => {
    const path = `/groups/${groups.hidden.id}/members?$select=id`;
    expect(idsOf(await call(path))).toEqual([]);
    expect(idsOf(await call(path, { roles: ['GroupMember.Read.All', 'Member.Read.Hidden'] }))).toHaveLength(2);
  });
});

describe('reading users', () => {
  it('finds a user by id and by user principal name, in whatever case', async () => {
    const select = '?$select=id,accountEnabled,userType,otherMails';
    for (const key of [people.gus.id, encodeURIComponent('GUS_fabrikam.example#EXT#@contoso.example')]) {
      const { json } = await call(`/users/${key}${select}`);
      expect(json).toMatchObject({
        id: people.gus.id,
        accountEnabled: true,
        userType: 'Guest',
        otherMails: ['gus@fabrikam.example'],
      });
    }
  });

  it('answers 404 for an unknown user principal name', async () => {
    const answer = await call('/users/nobody@contoso.example');
    expect([answer.status, errorOf(answer).code]).toEqual([404, 'Request_ResourceNotFound']);
  });

  it('refuses to User.ReadBasic.All what is not basic', async () => {
    const roles = ['User.ReadBasic.All'];
    expect((await call(`/users/${people.rita.id}?$select=displayName,mail`, { roles })).status).toBe(200);
    expect((await call(`/users/${people.rita.id}?$select=accountEnabled`, { roles })).status).toBe(403);
    expect((await call(`/users?$filter=accountEnabled eq true`, { roles })).status).toBe(403);
  });

  it('gives the manager, and 404 where there is none', async () => {
    const manager = await call(`/users/${people.rita.id}/manager?$select=id,displayName`);
    expect(manager.json).toMatchObject({ '@odata.type': '#microsoft.graph.user', id: people.mona.id });
    const none = await call(`/users/${people.adele.id}/manager`);
    expect([none.status, errorOf(none).code]).toEqual([404, 'Request_ResourceNotFound']);
  });

  const check = (groupIds: string[], roles?: string[]) =>
    call(`/users/${people.chen.id}/checkMemberGroups`, { method: 'POST', body: { groupIds }, ...(roles && { roles }) });

  it('checks memberships through nesting, and answers only for the groups that were asked about', async () => {
    const answer = await check([groups.parent.id, groups.design.id, groups.finance.id, missingId]);
    expect(answer.json['value']).toEqual([groups.parent.id, groups.design.id]);
  });

  it('takes at most twenty groups in a check, and no malformed id', async () => {
    const ids = Object.values(groups).map(({ id }) => id);
    expect((await check(ids.slice(0, 20))).status).toBe(200);
    expect((await check(ids.slice(0, 21))).status).toBe(400);
    expect(errorOf(await check([groups.design.id, 'x']))).toMatchObject({ message: "Invalid object identifier 'x'." });
  });

  it('leaves hidden membership out of a check unless the app may see it', async () => {
    const path = `/users/${people.aroha.id}/checkMemberGroups`;
    const body = { groupIds: [groups.hidden.id] };
    const roles = ['User.Read.All', 'GroupMember.Read.All'];
    expect((await call(path, { method: 'POST', body, roles })).json['value']).toEqual([]);
    const seen = await call(path, { method: 'POST', body, roles: [...roles, 'Member.Read.Hidden'] });
    expect(seen.json['value']).toEqual([groups.hidden.id]);
  });
});

describe('looking for groups and users', () => {
  const find = async (path: string, headers?: Record<string, string>) =>
    call(encodeURI(path), { ...(headers && { headers }) });

  it.each([
    [`displayName eq 'design studio'`, [groups.design.id]],
    [`startswith(displayName,'All of')`, [groups.dynamic.id, groups.dynamic365.id]],
    [`startsWith(displayName,'Corp') and onPremisesSyncEnabled eq true`, [groups.synced.id, groups.cloudManaged.id]],
    [`groupTypes/any(c:c eq 'Unified') and startswith(mail,'m')`, [groups.marketing.id]],
    [`mailEnabled eq true and securityEnabled eq true`, [groups.mailSecurity.id]],
    [`displayName in ('Finance','Research')`, [groups.finance.id, groups.research.id]],
    [`(displayName eq 'Finance' or displayName eq 'Nothing') and mail eq null`, [groups.finance.id]],
    [`isAssignableToRole eq true`, [groups.roleAssignable.id]],
    [`mailNickname eq 'it''s'`, []],
  ])('finds groups where %s', async (filter, expected) => {
    const answer = await find(`/groups?$select=id&$filter=${filter}`);
    expect(answer.status).toBe(200);
    expect(idsOf(answer)).toEqual(expected);
  });

  it.each([
    [
      `displayName ne 'Finance'`,
      `Operator 'NotEqualsMatch' is not supported because the 'ConsistencyLevel:eventual' header is missing.`,
    ],
    [`endswith(mail,'contoso.example')`, `Operator 'endsWith' is not supported`],
    [`not(displayName eq 'Finance')`, `Operator 'Not' is not supported`],
    [
      `visibility eq 'Private'`,
      `Unsupported or invalid query filter clause specified for property 'visibility' of resource 'Group'.`,
    ],
    [`displayName eq 'x`, 'Invalid filter clause'],
    [`displayName eq`, 'Invalid filter clause'],
    [`displayName eq 'x' or`, 'Invalid filter clause'],
  ])('refuses a plain filter by %s', async (filter, message) => {
    const answer = await find(`/groups?$filter=${filter}`);
    expect(answer.status).toBe(400);
    expect(errorOf(answer).message).toContain(message);
  });

  it('takes ne, not and endswith in an advanced query', async () => {
    const filter = `securityEnabled ne true and not(startswith(displayName,'All')) and endswith(mail,'@contoso.example')`;
    const answer = await find(`/groups?$count=true&$select=id&$filter=${filter}`, eventual);
    expect(idsOf(answer).sort()).toEqual(
      [groups.marketing.id, groups.distribution.id, groups.hidden.id, groups.publicNews.id].sort(),
    );
    expect(answer.json['@odata.count']).toBe(4);
  });

  it('sorts by name, with a filter only in an advanced query', async () => {
    const sorted = await find('/groups?$orderby=displayName desc&$top=2&$select=displayName');
    const names = Object.values(groups)
      .map(({ displayName }) => displayName.toLowerCase())
      .sort()
      .reverse();
    expect(valueOf(sorted).map(({ displayName }) => String(displayName).toLowerCase())).toEqual(names.slice(0, 2));
    const path = `/groups?$orderby=displayName&$select=id&$count=true&$filter=startswith(displayName,'All of')`;
    expect(errorOf(await find(path)).message).toBe('Sorting not supported for current query.');
    expect(idsOf(await find(path, eventual))).toEqual([groups.dynamic.id, groups.dynamic365.id]);
  });

  it('pages through a sorted list without losing or repeating any', async () => {
    const seen: unknown[] = [];
    let path: string | undefined = '/users?$orderby=displayName&$select=id&$top=5';
    while (path !== undefined) {
      const page = await call(path);
      seen.push(...idsOf(page));
      path = (page.json['@odata.nextLink'] as string | undefined)?.slice(`${base}/v1.0`.length);
    }
    expect(seen).toHaveLength(Object.keys(people).length);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('searches by how words begin, with the header only', async () => {
    const path = '/groups?$select=id&$search="displayName:lic too" OR "description:campaigns"';
    expect(idsOf(await find(path, eventual))).toEqual([groups.marketing.id, groups.parent.id]);
    expect(errorOf(await find(path))).toMatchObject({
      code: 'Request_UnsupportedQuery',
      message:
        "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
    });
    expect((await find('/groups?$search=displayName:x', eventual)).status).toBe(400);
  });

  it('finds users by mail', async () => {
    expect(idsOf(await find(`/users?$select=id&$filter=mail eq '${people.olivia.mail ?? ''}'`))).toEqual([
      people.olivia.id,
    ]);
  });

  it('does not let a quote in a value out of its literal', async () => {
    const answer = await find(`/groups?$select=id&$filter=displayName eq 'x'' or displayName eq ''Finance'`);
    expect(idsOf(answer)).toEqual([]);
  });
});

describe('other calls', () => {
  const roles = ['Directory.Read.All'];

  it('gives any object by its id, and several at once', async () => {
    const one = await call(`/directoryObjects/${apps.directoryBot.objectId}`, { roles });
    expect(one.json).toMatchObject({
      '@odata.type': '#microsoft.graph.servicePrincipal',
      displayName: 'Directory Bot',
    });
    const body = { ids: [people.rita.id, groups.design.id, missingId], types: ['user', 'group'] };
    const several = await call('/directoryObjects/getByIds', { method: 'POST', body, roles });
    expect(valueOf(several).map((object) => [object['@odata.type'], object['id']])).toEqual([
      ['#microsoft.graph.user', people.rita.id],
      ['#microsoft.graph.group', groups.design.id],
    ]);
  });

  it('names the tenant', async () => {
    expect(valueOf(await call('/organization'))).toMatchObject([{ id: tenant.id, displayName: 'Contoso' }]);
  });

  it.each(['/me', '/groups/x/photo'].map((path) => [path]))(
    'answers for %s what it is, not data that is not so',
    async (path) => {
      const answer = await call(path);
      expect([400, 501]).toContain(answer.status);
      if (answer.status === 501)
        expect(errorOf(answer).message).toBe(`The local directory does not implement GET /v1.0${path}.`);
    },
  );

  it('says 501 for a query option that it does not have', async () => {
    const answer = await call(`/groups/${groups.design.id}?$expand=owners`);
    expect(answer.status).toBe(501);
    expect(errorOf(answer).message).toContain('$expand');
  });

  it('runs the steps of a batch each with its own outcome, and skips those whose precondition failed', async () => {
    const requests = [
      { id: '1', method: 'GET', url: `/groups/${groups.design.id}?$select=id` },
      { id: '2', method: 'GET', url: `/groups/${missingId}` },
      { id: '3', method: 'GET', url: `/groups/${groups.design.id}`, dependsOn: ['2'] },
      {
        id: '4',
        method: 'POST',
        url: `/users/${people.chen.id}/checkMemberGroups`,
        headers: { 'Content-Type': 'application/json' },
        body: { groupIds: [groups.design.id] },
      },
    ];
    const answer = await call('/$batch', { method: 'POST', body: { requests } });
    const responses = answer.json['responses'] as { id: string; status: number; body: Record<string, unknown> }[];
    expect(responses.map(({ id, status }) => [id, status])).toEqual([
      ['1', 200],
      ['2', 404],
      ['3', 424],
      ['4', 200],
    ]);
    expect(responses[3]?.body['value']).toEqual([groups.design.id]);
  });

  it('takes at most twenty steps in a batch', async () => {
    const requests = Array.from({ length: 21 }, (_, n) => ({ id: String(n), method: 'GET', url: '/organization' }));
    expect((await call('/$batch', { method: 'POST', body: { requests: requests.slice(1) } })).status).toBe(200);
    expect((await call('/$batch', { method: 'POST', body: { requests } })).status).toBe(400);
  });
});
