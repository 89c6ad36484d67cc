import { randomUUID } from 'node:crypto';

import { groups, people } from '../../../local/demo-tenant';
import { asSystem } from '../../../local/stack/actors';
import type { Answer, SystemActor } from '../../../local/stack/actors';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';

let house: House;
let admin: SystemActor;

beforeAll(async () => {
  house = await openHouse({ wires: true });
  admin = await asSystem(house.stack.urls, 'adminTool');
});
afterAll(() => house.stop());

const policyOf = (group: string): string => `/api/groups/${group}/policy`;
const put = (path: string, policy: unknown, etag?: string): Promise<Answer> =>
  admin.call('PUT', path, policy, etag === undefined ? {} : { 'if-match': etag });
const errorsOf = ({ json }: Answer): { pointer: string; detail: string }[] =>
  (json as { errors: { pointer: string; detail: string }[] }).errors;
const typeOf = ({ json }: Answer): string => String((json as { type: string }).type).split('/problems/')[1] ?? '';

test('a group has the default policy until it has one of its own, and every version is kept', async () => {
  const path = policyOf(groups.design.id);
  const before = await admin.call('GET', path);
  expect([before.headers.get('etag'), before.json]).toEqual([
    '"none"',
    expect.objectContaining({ version: 'setting', policy: expect.objectContaining({ optedIn: true }) as object }),
  ]);
  const first = await put(path, { optedIn: true, maximumDuration: 'P30D' }, '"none"');
  expect([first.status, first.headers.get('etag'), first.json]).toEqual([
    200,
    '"1"',
    expect.objectContaining({ version: 'group@1' }),
  ]);
  expect((await put(path, { optedIn: false }, '"1"')).headers.get('etag')).toBe('"2"');
  expect((await admin.call('GET', path)).json).toMatchObject({ version: 'group@2', policy: { optedIn: false } });
  const { value } = (await admin.call('GET', `${path}/versions`)).json as { value: object[] };
  expect(value).toMatchObject([
    { version: 'group@2', policy: { optedIn: false } },
    { version: 'group@1', policy: { maximumDuration: 'P30D' } },
  ]);
});

test('two administrators who change the same policy: the second is told, and nothing of the first is lost', async () => {
  const path = policyOf(groups.marketing.id);
  const [one, other] = await Promise.all([
    put(path, { optedIn: true, maximumDuration: 'P10D' }, '"none"'),
    put(path, { optedIn: true, maximumDuration: 'P20D' }, '"none"'),
  ]);
  expect([one.status, other.status].toSorted()).toEqual([200, 412]);
  expect((await put(path, { optedIn: true })).status).toBe(428);
  expect((await put(path, { optedIn: true }, 'W/"1"')).status).toBe(400);
  expect((await put(path, { optedIn: true }, '"7"')).status).toBe(412);
});

test('a policy is checked as a whole: every contradiction and every unknown id at once, each where it stands', async () => {
  const path = policyOf(groups.finance.id);
  const contradictory = await put(
    path,
    {
      optedIn: 'yes',
      stages: [{ deadline: 'P7D', reminders: ['P9D'], required: 0 }],
      fallbackApprovers: [{ kind: 'friends' }],
      unknown: 1,
    },
    '"none"',
  );
  expect(contradictory.status).toBe(400);
  expect(errorsOf(contradictory).map(({ pointer }) => pointer)).toEqual(
    expect.arrayContaining(['/optedIn', '/fallbackApprovers/0/kind', '/unknown']),
  );
  const nobody = randomUUID();
  const mixed = await put(
    path,
    {
      optedIn: 'yes',
      stages: [{ deadline: 'P7D', reminders: ['P9D'], approvers: [{ kind: 'people', ids: [nobody] }] }],
      maximumDuration: 'P1D',
      defaultDuration: 'P2D',
    },
    '"none"',
  );
  expect(errorsOf(mixed).map(({ pointer }) => pointer)).toEqual([
    '/optedIn',
    '/stages/0/reminders/0',
    '/defaultDuration',
    '/stages/0/parties/0/approvers/0/ids/0',
  ]);
  const fewToo = await put(
    path,
    { optedIn: true, stages: [{ required: 2 }], maximumDuration: 'P1D', defaultDuration: 'P2D' },
    '"none"',
  );
  expect(errorsOf(fewToo).map(({ pointer }) => pointer)).toEqual(['/defaultDuration', '/stages/0']);
  const unknown = await put(
    path,
    {
      optedIn: true,
      stages: [{ approvers: [{ kind: 'people', ids: [nobody, people.dana.id, people.gus.id] }] }],
      fallbackApprovers: [{ kind: 'groupMembers', groupId: nobody }],
    },
    '"none"',
  );
  expect(errorsOf(unknown).map(({ pointer }) => pointer)).toEqual([
    '/stages/0/parties/0/approvers/0/ids/0',
    '/stages/0/parties/0/approvers/0/ids/1',
    '/stages/0/parties/0/approvers/0/ids/2',
    '/fallbackApprovers/0/groupId',
  ]);
  expect((await admin.call('GET', path)).headers.get('etag')).toBe('"none"');
});

test('a manager who steps in where there are too few is one person more, and known only once somebody asks', async () => {
  const group = await house.newGroup([], ['rita']);
  const steppingIn = (required: number) => ({
    optedIn: true,
    stages: [{ required }],
    fallbackApprovers: [{ kind: 'manager' }],
  });
  const refused = await put(policyOf(group), steppingIn(2), '"none"');
  expect([refused.status, errorsOf(refused).map(({ pointer }) => pointer)]).toEqual([400, ['/stages/0']]);
  expect((await put(policyOf(group), steppingIn(1), '"none"')).status).toBe(200);
});

test('more approvals than there are owners are refused with the figure', async () => {
  const refused = await put(policyOf(groups.finance.id), { optedIn: true, stages: [{ required: 2 }] }, '"none"');
  expect(errorsOf(refused)).toEqual([{ pointer: '/stages/0', detail: expect.stringContaining('2 of 1') as string }]);
});

test.each(['synced', 'dynamic', 'roleAssignable', 'distribution', 'mailSecurity', 'restricted'] as const)(
  'a %s group can’t be opted in, and can be given a policy that says so',
  async (alias) => {
    const path = policyOf(groups[alias].id);
    const refused = await put(path, { optedIn: true }, '"none"');
    expect([refused.status, typeOf(refused)]).toEqual([409, expect.stringMatching(/^group-is-/)]);
    expect((await put(path, { optedIn: false }, '"none"')).status).toBe(200);
  },
);

test('the default policy is one for all that have none of their own', async () => {
  const before = await admin.call('GET', '/api/policies/default');
  expect(before.json).toMatchObject({ version: 'setting' });
  const written = await put('/api/policies/default', { optedIn: true, whoMayAsk: { guests: true } }, '"none"');
  expect([written.status, written.json]).toEqual([200, expect.objectContaining({ version: 'default@1' })]);
  expect((await admin.call('GET', policyOf(groups.research.id))).json).toMatchObject({ version: 'default@1' });
  const filed = await house.system.call('POST', `/api/groups/${groups.research.id}/join-requests`, {
    userId: people.gus.id,
    justification: 'x',
  });
  expect([filed.status, (filed.json as { policyVersion: string }).policyVersion]).toEqual([202, 'default@1']);
  const { id } = filed.json as { id: string };
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  expect((await put('/api/policies/default', { optedIn: true }, '"1"')).headers.get('etag')).toBe('"2"');
});

test('a group that a policy names is closed as long as it is named, and no group can name itself', async () => {
  const named = groups.legalHold.id;
  const path = policyOf(groups.publicNews.id);
  const naming = { optedIn: true, whoMayAsk: { membersOf: [named] } };
  expect((await put(path, naming, '"none"')).status).toBe(200);
  expect(typeOf(await put(policyOf(named), { optedIn: true }, '"none"'))).toBe('group-is-protected');
  expect((await put(path, { optedIn: true }, '"1"')).status).toBe(200);
  const itself = await put(policyOf(named), { optedIn: true, whoMayAsk: { membersOf: [named] } }, '"none"');
  expect(errorsOf(itself).map(({ pointer }) => pointer)).toEqual(['/whoMayAsk/membersOf/0']);
});

test('a mistake deep in a stage is named where it is', async () => {
  const refused = await put(
    policyOf(groups.design.id),
    {
      stages: [
        { parties: [{ approvers: [{ kind: 'owner' }] }, { approvers: [], required: 0 }] },
        { parties: [{}], required: 2 },
      ],
    },
    '"2"',
  );
  expect(errorsOf(refused)).toEqual([
    { pointer: '/stages/0/parties/0/approvers/0/kind', detail: expect.any(String) as string },
    { pointer: '/stages/0/parties/1/approvers', detail: 'Name at least one kind of approvers.' },
    { pointer: '/stages/0/parties/1/required', detail: 'At least one person must approve.' },
    { pointer: '/stages/1/parties', detail: 'Give parties, or approvers and required, not both.' },
  ]);
});

describe('dry run', () => {
  test('says so where a request is open, or the duration too long', async () => {
    const filed = await house.system.call('POST', `/api/groups/${groups.engineering.id}/join-requests`, {
      userId: people.ravi.id,
      justification: 'x',
    });
    expect(filed.status).toBe(202);
    const { id } = filed.json as { id: string };
    await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
    expect((await run(groups.engineering.id, { userId: people.ravi.id })).json).toMatchObject({
      eligible: false,
      refusal: { rule: 'open-already' },
    });
    const policy = { optedIn: true, maximumDuration: 'P30D' };
    expect((await run(groups.finance.id, { userId: people.ravi.id, duration: 'P99D', policy })).json).toMatchObject({
      eligible: false,
      errors: [{ pointer: '/duration' }],
    });
  });

  const run = (group: string, body: unknown): Promise<Answer> => admin.call('POST', `${policyOf(group)}/dry-run`, body);

  test('names who could decide and when, and writes nothing', async () => {
    const { wireAdmin } = house.stack.urls;
    await fetch(`${wireAdmin}/admin/calls`, { method: 'DELETE' });
    const { status, json } = await run(groups.research.id, {
      userId: people.rita.id,
      policy: {
        optedIn: true,
        stages: [
          { parties: [{ required: 2 }, { approvers: [{ kind: 'manager' }] }], reminders: ['P2D'], deadline: 'P5D' },
          { approvers: [{ kind: 'people', ids: [people.frank.id] }], reminders: [], deadline: 'P3D' },
        ],
        defaultDuration: 'P90D',
      },
    });
    const calls = (await (await fetch(`${wireAdmin}/admin/calls`)).json()) as { method: string }[];
    expect(calls.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(status).toBe(200);
    const { stages, ...rest } = json as { stages: Record<string, unknown>[] };
    expect(rest).toEqual({ eligible: true, withoutAsking: false, policyVersion: 'draft', duration: 'P90D' });
    expect(stages).toMatchObject([
      {
        number: 1,
        parties: [
          {
            required: 2,
            people: [
              { name: people.olivia.displayName },
              { name: people.amara.displayName },
              { name: people.yusuf.displayName },
            ],
          },
          { required: 1, people: [{ name: people.mona.displayName }] },
        ],
      },
      { number: 2, parties: [{ people: [{ name: people.frank.displayName }] }] },
    ]);
    const day = (n: number): Date => new Date(new Date(String(stages[0]?.['opensAt'])).getTime() + n * 86_400_000);
    expect(stages[0]).toMatchObject({ remindersAt: [day(2).toISOString()], expiresAt: day(5).toISOString() });
    expect(stages[1]).toMatchObject({ opensAt: day(5).toISOString(), expiresAt: day(8).toISOString() });
  });

  test.each([
    [groups.research.id, { userId: people.dana.id }, 'requester-disabled'],
    [groups.research.id, { userId: people.amara.id }, 'already-member'],
    [groups.ownerless.id, { userId: people.rita.id }, 'no-approvers'],
    [groups.research.id, { userId: randomUUID() }, 'requester-not-found'],
    [randomUUID(), { userId: people.rita.id }, 'group-not-found'],
    [groups.research.id, { userId: people.rita.id, policy: { optedIn: false } }, 'group-not-self-service'],
    [
      groups.research.id,
      { userId: people.rita.id, policy: { optedIn: true, whoMayAsk: { membersOf: [groups.finance.id] } } },
      'requester-not-eligible',
    ],
    [
      groups.finance.id,
      { userId: people.rita.id, policy: { optedIn: true, stages: [{ required: 2 }] } },
      'too-few-approvers',
    ],
  ])('%s for %j would be refused: %s', async (group, body, rule) => {
    expect((await run(group, body)).json).toMatchObject({ eligible: false, refusal: { rule } });
  });

  test('an owner who may join without asking would be asked by nobody', async () => {
    const { json } = await run(groups.finance.id, {
      userId: people.omar.id,
      policy: { optedIn: true, ownersJoinWithoutAsking: true },
    });
    expect(json).toMatchObject({ eligible: false, refusal: { rule: 'already-member' } });
    const engineering = await run(groups.engineering.id, {
      userId: people.mona.id,
      policy: { optedIn: true, ownersJoinWithoutAsking: true },
    });
    expect(engineering.json).toMatchObject({ eligible: true, withoutAsking: true });
  });
});
