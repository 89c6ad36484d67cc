import { groups, people, userPrincipalNameOf } from '../../../local/demo-tenant';
import type { PersonAlias } from '../../../local/demo-tenant';
import { asPersonWithToken, asSystem, mailsTo, mintToken } from '../../../local/stack/actors';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';

/** Abuse: who floods is stopped, and nobody else notices. Small limits, of this stack alone. */
let house: House;

beforeAll(async () => {
  house = await openHouse({
    env: {
      LIMIT_PER_APP: '80',
      LIMIT_PER_PERSON: '4',
      LIMIT_PER_GROUP: '12',
      MAIL_PER_MINUTE: '100',
      MAIL_PER_HOUR: '20',
      PROTECTED_GROUPS: `${groups.legalHold.id}, Contoso*`,
    },
  });
  // the hour's counters start with the hour
  house.stack.clock.set(new Date(Math.ceil(house.stack.clock.now().getTime() / 3_600_000) * 3_600_000 + 1_000));
});
afterAll(() => house.stop());

const file = (group: string, person: PersonAlias, token?: string) =>
  fetch(new URL(`/api/groups/${group}/join-requests`, house.stack.urls.frontDoor), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token ?? house.system.token}` },
    body: JSON.stringify({ userId: people[person].id, justification: 'x' }),
  });

test('one person’s fifth filing in an hour is refused with the time to wait, whoever files it and however they are named; the next person’s is not', async () => {
  const first = [groups.design.id, groups.marketing.id, groups.finance.id, groups.research.id];
  for (const group of first) expect((await file(group, 'rita')).status).toBe(202);
  const refused = await file(groups.engineering.id, 'rita');
  const wait = Number(refused.headers.get('retry-after'));
  expect([refused.status, wait > 3_000 && wait <= 3_600]).toEqual([429, true]);
  const another = await mintToken(house.stack.urls, { app: 'noRoles', claims: { roles: ['Requests.Submit'] } });
  expect((await file(groups.engineering.id, 'rita', another)).status).toBe(429);
  const byName = await house.system.call('POST', `/api/groups/${groups.engineering.id}/join-requests`, {
    userPrincipalName: userPrincipalNameOf(people.rita).toUpperCase(),
    justification: 'x',
  });
  expect(byName.status).toBe(429);
  const rita = await asPersonWithToken(house.stack.urls, 'rita');
  expect(
    (await rita.call('POST', `/api/groups/${groups.engineering.id}/join-requests`, { justification: 'x' })).status,
  ).toBe(429);
  expect((await file(groups.design.id, 'ravi')).status).toBe(202);
});

test('a flood about one group is stopped, and other groups go on', async () => {
  const crowd = Object.keys(people).filter((alias) => !['rita', 'ravi'].includes(alias)) as PersonAlias[];
  const statuses: number[] = [];
  for (const alias of crowd.slice(0, 16)) statuses.push((await file(groups.parent.id, alias)).status);
  expect(statuses.filter((status) => status === 429).length).toBe(4);
  expect((await file(groups.finance.id, 'mona')).status).toBe(202);
});

test('whoever asks for reminders again and again is stopped, and the next person is not', async () => {
  const nudged = async (person: PersonAlias): Promise<(times: number) => Promise<string[]>> => {
    const answer = await file(groups.finance.id, person);
    const { id } = (await answer.json()) as { id: string };
    const actor = await asPersonWithToken(house.stack.urls, person);
    return async (times) => {
      const types: string[] = [];
      for (let n = 0; n < times; n += 1) {
        const { status, json } = await actor.call('POST', `/api/join-requests/${id}/nudge`);
        types.push(`${String(status)} ${(json as { type: string }).type.split('/').at(-1) ?? ''}`);
      }
      return types;
    };
  };
  // too soon after the asking, or before it: that is counted as well
  const notYet = expect.stringMatching(/^(429 nudged-recently|409 conflict)$/) as string;
  expect(await (await nudged('tomas'))(5)).toEqual([
    ...Array.from({ length: 4 }, () => notYet),
    '429 too-many-requests',
  ]);
  expect(await (await nudged('yusuf'))(1)).toEqual([notYet]);
});

test('one who files much can’t use up the hour’s mails: another one’s request is asked about', async () => {
  const flood = ['maja', 'chen', 'priya', 'kenji', 'zoe', 'ines', 'anika', 'pierre'] as const;
  for (const alias of flood) await file(groups.engineering.id, alias);
  const token = await mintToken(house.stack.urls, { app: 'noRoles', claims: { roles: ['Requests.Submit'] } });
  const before = (await mailsTo(house.stack.urls, 'omar')).length;
  const answer = await file(groups.finance.id, 'sofia', token);
  const { id } = (await answer.json()) as { id: string };
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  expect((await mailsTo(house.stack.urls, 'omar')).length).toBe(before + 1);
});

test.each([
  ['by its id', groups.legalHold.id],
  ['by its name', groups.publicNews.id],
])('a group that is protected %s can’t be joined, nor opted in', async (_how, group) => {
  const answer = await file(group, 'noor');
  expect([answer.status, ((await answer.json()) as { type: string }).type]).toEqual([
    409,
    expect.stringMatching(/group-is-protected$/),
  ]);
  const admin = await asSystem(house.stack.urls, 'adminTool');
  const opted = await admin.call('PUT', `/api/groups/${group}/policy`, { optedIn: true }, { 'if-match': '"none"' });
  expect([opted.status, (opted.json as { type: string }).type]).toEqual([
    409,
    expect.stringMatching(/group-is-protected$/),
  ]);
});

test('a group whose members decide about others can’t be joined through Gatehouse', async () => {
  const admin = await asSystem(house.stack.urls, 'adminTool');
  const policy = {
    optedIn: true,
    fallbackApprovers: [{ kind: 'groupMembers', groupId: groups.fallbackApprovers.id }],
  };
  const put = await admin.call('PUT', `/api/groups/${groups.parent.id}/policy`, policy, { 'if-match': '"none"' });
  expect(put.status).toBe(200);
  const answer = await file(groups.fallbackApprovers.id, 'noor');
  expect([answer.status, ((await answer.json()) as { type: string }).type]).toEqual([
    409,
    expect.stringMatching(/group-is-protected$/),
  ]);
});
