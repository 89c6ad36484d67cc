import { randomUUID } from 'node:crypto';

import { groups, people, userPrincipalNameOf } from '../../../local/demo-tenant';
import { asPersonWithToken, asSystem, mintToken } from '../../../local/stack/actors';
import type { SystemActor } from '../../../local/stack/actors';
import { routes } from '../../../functions/routes';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';

let house: House;
let operations: SystemActor;
let rita: SystemActor;

beforeAll(async () => {
  house = await openHouse({ wires: true });
  operations = await asSystem(house.stack.urls, 'opsTool');
  rita = await asPersonWithToken(house.stack.urls, 'rita');
});
afterAll(() => house.stop());

const at = (group: keyof typeof groups): string => `/api/groups/${groups[group].id}/join-requests`;
const rule = ({ json }: { json: unknown }): string =>
  String((json as { type?: string }).type).split('/problems/')[1] ?? '';
const pointers = ({ json }: { json: unknown }): string[] =>
  (json as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer);
const openRequests = async (): Promise<{ id: string; orchestration: { runtimeStatus: string } | null }[]> =>
  (
    (await operations.call('GET', '/api/ops/requests?pageSize=100')).json as {
      value: { id: string; orchestration: { runtimeStatus: string } | null }[];
    }
  ).value;

/** Writes to the tables that name `what`, while `work` runs, but for the counters of calls. */
async function writes(what: string, work: () => Promise<unknown>): Promise<number> {
  const admin = house.stack.urls.wireAdmin;
  await fetch(`${admin}/admin/calls`, { method: 'DELETE' });
  await work();
  const calls = (await (await fetch(`${admin}/admin/calls`)).json()) as {
    method: string;
    path: string;
    body: string;
  }[];
  const isCounter = (path: string): boolean => /\/limits[(?]|\/limits$/.test(path);
  return calls.filter(
    ({ method, path, body }) => method !== 'GET' && !isCounter(path) && `${path}${body}`.includes(what),
  ).length;
}

describe('who may call', () => {
  const person = { person: 'rita' };
  test.each([
    ['no token', undefined],
    ['an expired token', { app: 'hrPortal', expiresIn: -3_600 }],
    ['a token that is not valid yet', { app: 'hrPortal', notBefore: 3_600 }],
    ['a token for another audience', { app: 'hrPortal', audience: 'https://graph.microsoft.com' }],
    ['a token of another tenant', { app: 'hrPortal', tenant: '99999999-0000-4000-8000-000000000001' }],
    ['a token of another issuer', { app: 'hrPortal', issuer: 'https://evil.example/v2.0' }],
    ['a token signed with a shared secret', { app: 'hrPortal', alg: 'HS256' }],
    ['a token that is not signed', { app: 'hrPortal', alg: 'none' }],
    ['a token of a foreign key', { app: 'hrPortal', key: 'foreign' }],
    ['a person’s token without our scope', { ...person, claims: { scp: 'something_else' } }],
  ])('%s opens no door but the open ones', async (_name, order) => {
    const token = order === undefined ? undefined : await mintToken(house.stack.urls, order);
    for (const route of routes.filter(({ admits }) => admits !== 'anyone')) {
      const path = `/api/${route.route.replace('{groupId}', groups.design.id).replace('{requestId}', '0'.repeat(32))}`;
      const response = await fetch(new URL(path, house.stack.urls.frontDoor), {
        method: route.method,
        headers: {
          'content-type': 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(route.method !== 'GET' && { body: '{}' }),
      });
      expect([route.name, response.status]).toEqual([route.name, 401]);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('an app without the role is refused, and a person can’t file for somebody else', async () => {
    const noRoles = await asSystem(house.stack.urls, 'noRoles');
    expect((await noRoles.call('POST', at('design'), { userId: people.rita.id, justification: 'x' })).status).toBe(403);
    expect((await rita.call('POST', at('design'), { userId: people.ravi.id, justification: 'x' })).status).toBe(403);
    expect((await rita.call('GET', '/api/ops/requests')).status).toBe(403);
  });

  test('an identity header sent past the front door’s sign-in is stripped', async () => {
    const claims = [
      { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: people.olivia.id },
      { typ: 'http://schemas.microsoft.com/identity/claims/tenantid', val: house.stack.settings['TENANT_ID'] },
    ];
    const principal = Buffer.from(JSON.stringify({ auth_typ: 'aad', claims })).toString('base64');
    const response = await fetch(new URL(at('design'), house.stack.urls.frontDoor), {
      method: 'POST',
      headers: {
        'x-ms-client-principal': principal,
        'x-ms-client-principal-idp': 'aad',
        'content-type': 'application/json',
      },
      body: '{}',
    });
    expect(response.status).toBe(401);
  });

  test('a stranger sees no more of a request than of one that does not exist', async () => {
    const id = await house.filed('finance', 'mona');
    const stranger = await asPersonWithToken(house.stack.urls, 'ravi');
    const [theirs, none] = await Promise.all([
      stranger.call('GET', `/api/join-requests/${id}`),
      stranger.call('GET', `/api/join-requests/${'0'.repeat(32)}`),
    ]);
    const facts = ({ status, json }: typeof theirs): unknown => [status, { ...(json as object), correlationId: '' }];
    expect(facts(theirs)).toEqual(facts(none));
    expect(theirs.status).toBe(404);
    for (const reader of [
      await asPersonWithToken(house.stack.urls, 'mona'),
      await asPersonWithToken(house.stack.urls, 'omar'),
      operations,
    ]) {
      expect((await reader.call('GET', `/api/join-requests/${id}`)).status).toBe(200);
    }
    expect((await stranger.call('POST', `/api/join-requests/${id}/withdraw`)).status).toBe(404);
  });

  describe('to a person a hidden group, a closed one and one that does not exist', () => {
    /** Ids of a hidden group, of one that is not open to requests, and of none. */
    const look: [string, string][] = [
      ['hidden', groups.hidden.id],
      ['closed', ''],
      ['none', 'b0000000-0000-4000-8000-0000000000ff'],
    ];
    beforeAll(async () => {
      const closed = await house.newGroup(['olivia']);
      const admin = await asSystem(house.stack.urls, 'adminTool');
      const path = `/api/groups/${closed}/policy`;
      const etag = (await admin.call('GET', path)).headers.get('etag') ?? '';
      expect((await admin.call('PUT', path, { optedIn: false }, { 'if-match': etag })).status).toBe(200);
      look[1] = ['closed', closed];
    });
    const doors: [string, string, (id: string) => string, unknown][] = [
      ['a request', 'POST', (id) => `/api/groups/${id}/join-requests`, { justification: 'x' }],
      ['a request without a reason', 'POST', (id) => `/api/groups/${id}/join-requests`, {}],
      ['the group', 'GET', (id) => `/api/groups/${id}`, undefined],
      ['its members', 'GET', (id) => `/api/groups/${id}/members`, undefined],
      ['its renewal', 'POST', (id) => `/api/groups/${id}/renew`, {}],
    ];
    /** The calls of Graph and tables that the door makes, in whatever order, without whom and what they name. */
    async function outgoing(
      method: string,
      path: string,
      body: unknown,
    ): Promise<{ answer: unknown; calls: string[] }> {
      await house.clearFaults();
      const { status, json, headers } = await rita.call(method, path, body);
      const made = [...(await house.calls('directory')), ...(await house.calls('tables'))]
        // timers write these, whenever their minute has come
        .filter((call) => !/\/(open|openbyage|operations|uncopied|\$batch)\b/.test(call.path))
        .map(
          (call) =>
            `${call.method} ${decodeURIComponent(call.path).replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}/gi, '?')}`,
        );
      const shown = [...headers.entries()].filter(
        ([name]) => !/^(date|x-correlation-id|x-ms-invocation-id)$/.test(name),
      );
      return { answer: [status, { ...(json as object), correlationId: '' }, shown], calls: made.toSorted() };
    }

    test.each(doors)('look the same, and make the same outgoing calls: %s', async (_what, method, pathOf, body) => {
      // tables and counters are made by whoever comes first
      await outgoing(method, pathOf(randomUUID()), body);
      const seen = [];
      for (const [, id] of look) seen.push(await outgoing(method, pathOf(id), body));
      const [hidden, closed, none] = seen;
      expect(hidden).toEqual(none);
      expect(closed).toEqual(none);
      expect(none?.calls.length).toBeGreaterThan(1);
    });
  });
});

describe('which groups and people', () => {
  test.each([
    ['distribution', 'group-is-distribution-list'],
    ['mailSecurity', 'group-is-mail-enabled-security'],
    ['synced', 'group-is-synchronised'],
    ['dynamic', 'group-is-dynamic'],
    ['dynamic365', 'group-is-dynamic'],
    ['roleAssignable', 'group-is-role-assignable'],
    ['restricted', 'group-is-management-restricted'],
    ['ownerless', 'no-approvers'],
    ['guestOwned', 'no-approvers'],
    ['disabledOwner', 'no-approvers'],
    ['maillessOwner', 'no-approvers'],
    ['appOwned', 'no-approvers'],
    ['soleOwnerRequester', 'no-approvers'],
  ] as const)('%s is refused by its own rule, and nothing is written', async (group, wanted) => {
    let answer: Awaited<ReturnType<House['file']>> | undefined;
    expect(await writes(groups[group].id, async () => (answer = await house.file(group, 'rita')))).toBe(0);
    expect(answer && [answer.status, rule(answer)]).toEqual([409, wanted]);
    expect((answer?.json as { detail: string }).detail.length).toBeGreaterThan(20);
  });

  test.each([
    ['gus', 'requester-is-guest', 409],
    ['dana', 'requester-disabled', 409],
  ] as const)('%s is refused: %s', async (person, wanted, status) => {
    const answer = await house.file('design', person);
    expect([answer.status, rule(answer)]).toEqual([status, wanted]);
  });

  test('an unknown group and an unknown person are told to a system', async () => {
    const group = await house.system.call('POST', '/api/groups/b0000000-0000-4000-8000-0000000000ff/join-requests', {
      userId: people.rita.id,
      justification: 'x',
    });
    const person = await house.system.call('POST', at('design'), {
      userPrincipalName: 'nobody@contoso.example',
      justification: 'x',
    });
    expect([group.status, rule(group), person.status, rule(person)]).toEqual([
      404,
      'group-not-found',
      404,
      'requester-not-found',
    ]);
  });
});

describe('bad input', () => {
  test('an address of any length is answered, and what is too long on the way is not cut off', async () => {
    const statuses = new Set<number>();
    for (let length = 4_000; length < 34_000; length += 250)
      statuses.add((await rita.call('GET', `/api/groups?search=${'x'.repeat(length)}`)).status);
    // too long for the app, then for what is before it
    expect([...statuses]).toEqual([400, 431]);
  });

  test('every field error is told at once, and nothing is written', async () => {
    const body = { userId: 'x', userPrincipalName: 7, justification: 'a\u0000b', duration: 'P1M', extra: true };
    let answer: Awaited<ReturnType<SystemActor['call']>> | undefined;
    expect(
      await writes(groups.design.id, async () => (answer = await house.system.call('POST', at('design'), body))),
    ).toBe(0);
    expect(answer?.status).toBe(400);
    expect(answer?.headers.get('content-type')).toContain('application/problem+json');
    expect(answer && pointers(answer).toSorted()).toEqual([
      '/duration',
      '/extra',
      '/justification',
      '/userId',
      '/userPrincipalName',
    ]);
  });

  test.each([
    ['markup', { justification: 'hello <script>alert(1)</script>' }],
    ['a justification that is too long', { justification: 'x'.repeat(2_001) }],
    ['no justification where the policy wants one', { justification: '  ' }],
  ])('%s is refused in the field', async (_name, more) => {
    const answer = await house.file('design', 'rita', more);
    expect([answer.status, pointers(answer)]).toEqual([400, ['/justification']]);
  });

  test.each([
    ['a body of 100 kB', JSON.stringify({ justification: 'x'.repeat(100_000) }), {}, 413],
    ['a body that was cut off', '{"justification":"x', {}, 400],
    ['an empty body', '', {}, 400],
    ['a body that is no object', '[1]', {}, 400],
    ['another content type', '<a/>', { 'content-type': 'text/xml' }, 415],
    [
      'a wrong Idempotency-Key',
      '{}',
      { 'idempotency-key': 'ü'.repeat(3).normalize('NFC').replace(/ü/g, ' ') + 'a b' },
      400,
    ],
  ])('%s is refused with a problem document', async (_name, body, headers, status) => {
    const answer = await house.system.call('POST', at('design'), body, headers);
    expect([answer.status, (answer.json as { status: number }).status]).toEqual([status, status]);
  });

  test('malformed ids are told as such', async () => {
    expect(
      (await house.system.call('POST', '/api/groups/not-a-guid/join-requests', { justification: 'x' })).status,
    ).toBe(400);
    expect((await house.system.call('GET', '/api/join-requests/..%2f..%2fadmin')).status).toBe(400);
  });
});

describe('filing', () => {
  test('is answered 202 with a body of ours, where to look, and when', async () => {
    const answer = await house.file('research', 'rita', {
      userId: undefined,
      userPrincipalName: userPrincipalNameOf(people.rita),
    });
    expect(answer.status).toBe(202);
    const { id } = answer.json as { id: string };
    expect(answer.headers.get('location')).toBe(`${house.stack.urls.frontDoor}/api/join-requests/${id}`);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.text).not.toMatch(/code=|runtime\/webhooks/);
  });

  test('a second open request of the same person for the same group is the first one', async () => {
    const first = await house.filed('design', 'rita');
    const again = await house.file('design', 'rita');
    expect([again.status, (again.json as { id: string }).id]).toEqual([200, first]);
    await house.system.call('POST', `/api/join-requests/${first}/withdraw`);
    await house.untilTold(first);
  });

  test('the same Idempotency-Key gives the first answer; with another body it is refused', async () => {
    const key = { 'idempotency-key': 'key-1' };
    const [first, second] = [
      await house.file('marketing', 'ravi', {}, key),
      await house.file('marketing', 'ravi', {}, key),
    ];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect((second.json as { id: string }).id).toBe((first.json as { id: string }).id);
    const other = await house.file('marketing', 'ravi', { justification: 'something else' }, key);
    expect([other.status, rule(other)]).toEqual([422, 'idempotency-key-reused']);
  });

  test('ten calls at once file one request', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => house.file('legalHold', 'ravi')));
    const ids = new Set(
      answers.filter(({ status }) => status === 202 || status === 200).map(({ json }) => (json as { id: string }).id),
    );
    expect(ids.size).toBe(1);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.every(({ status }) => status === 202 || status === 200 || status === 409)).toBe(true);
  });

  test('a withdrawn request ends as such, once', async () => {
    const id = await house.filed('marketing', 'mona');
    expect((await house.system.call('POST', `/api/join-requests/${id}/withdraw`)).status).toBe(200);
    expect((await house.untilTold(id)).state).toBe('withdrawn');
    expect((await house.system.call('POST', `/api/join-requests/${id}/withdraw`)).status).toBe(200);
    expect((await openRequests()).some((request) => request.id === id)).toBe(false);
  });
});

test('operations see open requests with what each waits for and its orchestration', async () => {
  const id = await house.filed('finance', 'hugo');
  await house.until(id, ({ waitingFor }) => waitingFor?.what === 'decision');
  const mine = (await openRequests()).find((request) => request.id === id);
  expect(mine).toMatchObject({ state: 'pending', waitingFor: 'decision', stage: { required: 1 }, overdue: false });
  expect(mine?.orchestration).toMatchObject({
    runtimeStatus: 'Running',
    customStatus: { state: 'pending', waitingFor: 'decision' },
  });
});

test('the open requests come in pages', async () => {
  // a request moves in the list when its next step is due at another time
  for (const id of [...(await openRequests()).map((request) => request.id), await house.filed('finance', 'frank')]) {
    await house.until(id, ({ waitingFor }) => waitingFor?.what === 'decision');
  }
  const ids: string[] = [];
  let next: string | undefined = '/api/ops/requests?pageSize=1';
  while (next !== undefined) {
    const page = (await operations.call('GET', next)).json as { value: { id: string }[]; nextLink?: string };
    expect(page.value.length).toBeLessThanOrEqual(1);
    ids.push(...page.value.map(({ id }) => id));
    next = page.nextLink;
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThanOrEqual(2);
});

test('health and the API’s description are open to anyone', async () => {
  const base = house.stack.urls.frontDoor;
  expect(await (await fetch(`${base}/api/health`)).json()).toEqual({ status: 'ok' });
  const document = (await (await fetch(`${base}/api/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, object>;
  };
  expect(document.openapi).toBe('3.1.0');
  const described = routes.filter(({ api }) => api !== undefined).map(({ route }) => `/api/${route}`);
  expect(Object.keys(document.paths).toSorted()).toEqual([...new Set(described)].toSorted());
});
