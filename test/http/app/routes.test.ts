import { randomUUID } from 'node:crypto';

import { people } from '../../../local/demo-tenant';
import { asPersonWithToken, asSystem, mintToken, signIn } from '../../../local/stack/actors';
import { routes } from '../../../functions/routes';
import { ROLES } from '../../../shared/web/tokens';
import { openGroupsHouse, wish } from '../../workflow/own-groups-house';
import type { GroupsHouse } from '../../workflow/own-groups-house';

/**
 * Every door × every kind of caller. A door without a row here fails, as does a cell that is not as written.
 * 401: no way in. 403: known, but not admitted. 404: admitted, and there is nothing that they may see. Anything else: the lock opened
 * (most calls are made so that nothing changes: a closed request, no If-Match, an empty body).
 */
const CALLERS = [
  'nobody',
  'app without role',
  'the app that filed',
  'another app that files',
  'operations app',
  'policy app',
  'Event Grid',
  'the requester',
  'an owner',
  'a former owner',
  'a stranger',
  'an operator',
  'an administrator',
  'a guest',
] as const;
type Caller = (typeof CALLERS)[number];

interface Row {
  body?: unknown;
  headers?: Record<string, string>;
  /** One status for each caller, in the order above. */
  cells: number[];
}

const closed = { decision: 'approve' };
const MATRIX: Record<string, Row> = {
  fileJoinRequest: { body: {}, cells: [401, 403, 400, 400, 403, 403, 403, 400, 400, 400, 400, 400, 400, 409] },
  readJoinRequest: { cells: [401, 403, 200, 404, 200, 403, 403, 200, 200, 200, 404, 200, 404, 404] },
  withdrawJoinRequest: { cells: [401, 403, 409, 404, 403, 403, 403, 409, 404, 404, 404, 404, 404, 404] },
  decideJoinRequest: { body: closed, cells: [401, 403, 403, 403, 403, 403, 403, 409, 409, 409, 404, 409, 404, 404] },
  nudgeApprovers: { cells: [401, 403, 403, 403, 403, 403, 403, 409, 404, 404, 404, 404, 404, 404] },
  leaveMembership: { cells: [401, 403, 403, 403, 403, 403, 403, 409, 404, 404, 404, 404, 404, 404] },
  letMembershipLapse: { cells: [401, 403, 403, 403, 403, 403, 403, 409, 404, 404, 404, 404, 404, 404] },
  revokeMembership: {
    body: { reason: 'x' },
    cells: [401, 403, 403, 403, 409, 403, 403, 404, 409, 404, 404, 409, 404, 404],
  },
  readGroupPolicy: { cells: [401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403] },
  writeGroupPolicy: { body: {}, cells: [401, 403, 403, 403, 403, 428, 403, 403, 403, 403, 403, 403, 428, 403] },
  listGroupPolicyVersions: { cells: [401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403] },
  readDefaultPolicy: { cells: [401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403] },
  writeDefaultPolicy: { body: {}, cells: [401, 403, 403, 403, 403, 428, 403, 403, 403, 403, 403, 403, 428, 403] },
  listDefaultPolicyVersions: { cells: [401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403] },
  dryRunPolicy: { body: {}, cells: [401, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403] },
  readSelfServiceReport: { cells: [401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403] },
  // without a reason: nothing changes
  groupOptIn: { body: {}, cells: [401, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403] },
  groupOptOut: { body: {}, cells: [401, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403] },
  groupMarkOwnersTold: { body: {}, cells: [401, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403] },
  groupsOptIn: { body: {}, cells: [401, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403] },
  groupsOptOut: { body: {}, cells: [401, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403] },
  groupsMarkOwnersTold: { body: {}, cells: [401, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403] },
  createGroup: { body: {}, cells: [401, 403, 403, 403, 403, 403, 403, 400, 400, 400, 400, 400, 400, 400] },
  checkGroupName: { body: {}, cells: [401, 403, 403, 403, 403, 403, 403, 400, 400, 400, 400, 400, 400, 400] },
  changeGroup: {
    body: { kind: 'describe' },
    cells: [401, 403, 403, 403, 403, 403, 403, 403, 400, 403, 403, 403, 400, 403],
  },
  listGroups: { cells: [401, 403, 403, 403, 403, 403, 403, 400, 400, 400, 400, 400, 400, 400] },
  readGroup: { cells: [401, 403, 403, 403, 403, 403, 403, 200, 200, 200, 200, 200, 200, 200] },
  listGroupMembers: { cells: [401, 403, 403, 403, 403, 403, 403, 403, 200, 403, 403, 200, 200, 403] },
  readGroupChange: { cells: [401, 403, 403, 403, 200, 403, 403, 200, 404, 404, 404, 200, 200, 404] },
  withdrawGroupChange: { cells: [401, 403, 403, 403, 403, 403, 403, 409, 404, 404, 404, 404, 404, 404] },
  decideGroupChange: {
    body: closed,
    cells: [401, 403, 403, 403, 403, 403, 403, 409, 404, 404, 404, 409, 409, 404],
  },
  listOpenGroupChanges: { cells: [401, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403, 403] },
  retryGroupChange: { cells: [401, 403, 403, 403, 409, 403, 403, 403, 403, 403, 403, 409, 403, 403] },
  cancelGroupChange: {
    body: { reason: 'x' },
    cells: [401, 403, 403, 403, 409, 403, 403, 403, 403, 403, 403, 409, 403, 403],
  },
  // it was not created here: there is nothing to renew
  renewGroup: { body: {}, cells: [401, 403, 403, 403, 403, 403, 403, 404, 409, 404, 404, 404, 409, 404] },
  listWaitingGroups: { cells: [401, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403, 403] },
  retryGroupLife: { cells: [401, 403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 404, 403, 403] },
  readCreationPolicy: { cells: [401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403] },
  writeCreationPolicy: { body: {}, cells: [401, 403, 403, 403, 403, 428, 403, 403, 403, 403, 403, 403, 428, 403] },
  listCreationPolicyVersions: { cells: [401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403] },
  listOpenRequests: { cells: [401, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403, 403] },
  retryApplication: { cells: [401, 403, 403, 403, 409, 403, 403, 403, 403, 403, 403, 409, 403, 403] },
  cancelRequest: {
    body: { reason: 'x' },
    cells: [401, 403, 403, 403, 409, 403, 403, 403, 403, 403, 403, 409, 403, 403],
  },
  startReconcile: { cells: [401, 403, 403, 403, 202, 202, 403, 403, 403, 403, 403, 202, 202, 403] },
  readOperationsOverview: { cells: [401, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403, 403] },
  findRequests: { cells: [401, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403, 403] },
  readRequestRecord: { cells: [401, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 200, 403, 403] },
  rerouteRequest: { body: {}, cells: [401, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403, 403] },
  extendDeadline: { body: {}, cells: [401, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 400, 403, 403] },
  resendMail: {
    body: { mail: 'ask_0_0_1', reason: 'x' },
    cells: [401, 403, 403, 403, 409, 403, 403, 403, 403, 403, 403, 409, 403, 403],
  },
  restartWorkflow: {
    body: { reason: 'x' },
    cells: [401, 403, 403, 403, 409, 403, 403, 403, 403, 403, 403, 409, 403, 403],
  },
  readAudit: { cells: [401, ...new Array<number>(13).fill(403)] },
  receiveMailDelivery: { body: [], cells: [401, 403, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 403] },
  health: { cells: new Array<number>(14).fill(200) },
  live: { cells: new Array<number>(14).fill(200) },
  ready: { cells: new Array<number>(14).fill(200) },
  apiDocument: { cells: new Array<number>(14).fill(200) },
  // pages: a token is no session of theirs unless it is the person's own; without one they are asked to sign in
  showDecisionPage: { cells: new Array<number>(14).fill(200) },
  postDecision: { cells: new Array<number>(14).fill(403) },
  showTakeOverPage: { cells: new Array<number>(14).fill(200) },
  postTakeOver: { cells: new Array<number>(14).fill(403) },
  showGroupDecisionPage: { cells: new Array<number>(14).fill(200) },
  postGroupDecision: { cells: new Array<number>(14).fill(403) },
  showGroupRenewalPage: { cells: new Array<number>(14).fill(200) },
  postGroupRenewal: { cells: new Array<number>(14).fill(403) },
  showRequestPage: { cells: new Array<number>(14).fill(200) },
  postRequestPage: { cells: [403, 403, 403, 403, 403, 403, 403, 415, 403, 403, 403, 403, 403, 403] },
  showMembershipPage: { cells: new Array<number>(14).fill(200) },
  postMembership: { cells: [403, 403, 403, 403, 403, 403, 403, 415, 403, 403, 403, 403, 403, 403] },
  showOperationsPage: { cells: new Array<number>(14).fill(200) },
  postOperationsSearch: { cells: [403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 415, 403, 403] },
  showOperatedRequest: { cells: new Array<number>(14).fill(200) },
  postOperatedRequest: { cells: [403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 415, 403, 403] },
};

let house: GroupsHouse;
let requestId: string;
let changeId: string;
let pendingId: string;
const group = randomUUID();
const tokens = {} as Record<Caller, string | undefined>;

beforeAll(async () => {
  house = await openGroupsHouse();
  const { urls } = house.stack;
  await house.change({
    type: 'createGroup',
    group: { id: group, displayName: 'Matrix', mailNickname: 'matrix', owners: [people.olivia.id, people.omar.id] },
  });
  const file = async (person: 'rita' | 'mona'): Promise<string> => {
    const { json } = await house.system.call('POST', `/api/groups/${group}/join-requests`, {
      userId: people[person].id,
      justification: 'x',
    });
    const { id } = json as { id: string };
    await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
    return id;
  };
  requestId = await file('rita');
  pendingId = await file('mona');
  const olivia = await asPersonWithToken(urls, 'olivia');
  await olivia.call('POST', `/api/join-requests/${requestId}/decision`, { decision: 'deny' });
  await house.untilTold(requestId);
  await house.change({ type: 'removeOwner', group, target: people.omar.id });
  changeId = (await house.settled(await house.create('rita', wish('Matrix of one’s own')))).id;

  const ofApp = async (roles: string[]) => mintToken(urls, { app: 'noRoles', claims: { roles } });
  const ofPerson = (person: string) => mintToken(urls, { person });
  Object.assign(tokens, {
    nobody: undefined,
    'app without role': (await asSystem(urls, 'noRoles')).token,
    'the app that filed': house.system.token,
    'another app that files': await ofApp([ROLES.submit]),
    'operations app': await ofApp([ROLES.operations]),
    'policy app': await ofApp([ROLES.policy]),
    'Event Grid': await ofApp([ROLES.mailEvents]),
    'the requester': await ofPerson('rita'),
    'an owner': await ofPerson('olivia'),
    'a former owner': await ofPerson('omar'),
    'a stranger': await ofPerson('ravi'),
    'an operator': await ofPerson('otto'),
    'an administrator': await ofPerson('adele'),
    'a guest': await ofPerson('gus'),
  } satisfies Record<Caller, string | undefined>);
});
afterAll(() => house.stop());

const pathOf = (route: string, id: string): string =>
  `/api/${route}`
    .replace('{groupId}', group)
    .replace('{requestId}', id)
    .replace('{changeId}', id)
    .replace('{linkId}', 'AAAAAAAAAAAAAAAAAAAAAA');

async function call(method: string, path: string, token: string | undefined, { body, headers }: Omit<Row, 'cells'>) {
  const response = await fetch(new URL(path, house.stack.urls.frontDoor), {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

test('every door has its row, and there is no row without a door', () => {
  expect(Object.keys(MATRIX).toSorted()).toEqual(routes.map(({ name }) => name).toSorted());
});

test.each(routes.map((route) => [route.name, route] as const))(
  '%s opens to whom it should, and to nobody else',
  async (name, route) => {
    const row = MATRIX[name];
    if (row === undefined) throw new Error('no row');
    const found: [Caller, number][] = [];
    for (const caller of CALLERS) {
      const id = route.route.includes('{changeId}') ? changeId : requestId;
      const { status } = await call(route.method, pathOf(route.route, id), tokens[caller], row);
      found.push([caller, status]);
    }
    expect(found).toEqual(CALLERS.map((caller, n) => [caller, row.cells[n]]));
  },
);

test('while a request waits, a former owner sees nothing of it', async () => {
  const at = `/api/join-requests/${pendingId}`;
  const statuses = await Promise.all(
    (['the requester', 'an owner', 'a former owner', 'a stranger'] as const).map(
      async (caller) => (await call('GET', at, tokens[caller], {})).status,
    ),
  );
  expect(statuses).toEqual([404, 200, 404, 404]);
  const decision = await call('POST', `${at}/decision`, tokens['a former owner'], { body: { decision: 'approve' } });
  expect(decision.status).toBe(404);
});

test('what one may not see looks like what does not exist, door by door', async () => {
  const facts = ({ status, text }: { status: number; text: string }): unknown => [
    status,
    text.replaceAll(/"correlationId":"[^"]*"/g, ''),
  ];
  for (const { method, route, name } of routes.filter((each) =>
    /^(join-requests\/\{requestId\}|group-changes\/\{changeId\})/.test(each.route),
  )) {
    const row = MATRIX[name] ?? { cells: [] };
    const id = route.includes('{changeId}') ? changeId : requestId;
    const theirs = await call(method, pathOf(route, id), tokens['a stranger'], row);
    const none = await call(method, pathOf(route, '0'.repeat(32)), tokens['a stranger'], row);
    expect([name, facts(theirs)]).toEqual([name, facts(none)]);
  }
});

test.each([
  ['an id token of a person with every role', { person: 'otto', claims: { nonce: 'n' } }],
  [
    'a person’s token without a scope, with roles',
    { person: 'rita', claims: { scp: null, roles: ['Requests.Submit'] } },
  ],
  ['an app’s token with a scope', { app: 'hrPortal', claims: { scp: 'access_as_user', idtyp: 'app' } }],
])('%s opens nothing', async (_name, order) => {
  const token = await mintToken(house.stack.urls, order);
  expect((await call('GET', '/api/ops/requests', token, {})).status).toBe(401);
});

test('a session of a browser does not withdraw a request for a page of somebody else’s', async () => {
  const { browser } = await signIn(house.stack.urls, 'mona', `/api/requests/${pendingId}`);
  const forged = await browser.post(`/api/join-requests/${pendingId}/withdraw`, {}, { origin: 'https://evil.example' });
  expect([forged.status, (await house.status(pendingId)).state]).toEqual([403, 'pending']);
});
