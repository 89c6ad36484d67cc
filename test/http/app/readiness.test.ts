import { asSystem, mintToken, signIn } from '../../../local/stack/actors';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';
import { openGroupsHouse, OWN_GROUPS } from '../../workflow/own-groups-house';

/** What is behind the app, and what its identity can do. */
let house: House;

beforeAll(async () => {
  house = await openHouse({ wires: true, env: { ALLOWED_CLIENTS: '' } });
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const ready = async (token?: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(new URL('/api/health/ready', house.stack.urls.frontDoor), {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('a ready app says how long each service took, and that its Graph permissions are as needed', async () => {
  const { status, body } = await ready();
  expect([status, body['status'], body['graphPermissions']]).toEqual([200, 'ready', 'as-needed']);
  const dependencies = body['dependencies'] as Record<string, { ok: boolean; ms: number }>;
  expect(Object.keys(dependencies).toSorted()).toEqual(['directory', 'mail', 'signInKeys', 'tables']);
  expect(Object.values(dependencies).every(({ ok, ms }) => ok && ms >= 0)).toBe(true);
  expect(body).not.toHaveProperty('missing');
});

test('operations are told which permissions they are', async () => {
  const { token } = await asSystem(house.stack.urls, 'opsTool');
  expect((await ready(token)).body).toMatchObject({ missing: [], excessive: [] });
});

test('while the tables are down the app is not ready, and alive', async () => {
  await house.fault('tables', { fault: { kind: 'answer', status: 503 } });
  const { status, body } = await ready();
  expect([status, body['status']]).toEqual([503, 'not-ready']);
  expect((body['dependencies'] as Record<string, { ok: boolean }>)['tables']?.ok).toBe(false);
  expect((await fetch(new URL('/api/health/live', house.stack.urls.frontDoor))).status).toBe(200);
});

test('what happened is told in lines that alerts read, without anybody’s name or address', async () => {
  const id = await house.filed('design', 'ravi');
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const lines = house.stack.logs('host').filter((line) => /(^|\s)mail \{/.test(line));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('\n')).toContain('"result":"accepted","kind":"ask"');
  expect(lines.join('\n')).not.toMatch(/@|Ravi|Olivia/);
});

test('only tokens of the clients on the list count, where there is one', async () => {
  const other = await openHouse({ env: { ALLOWED_CLIENTS: 'c0000000-0000-4000-8000-000000000002' } });
  try {
    const call = async (token: string): Promise<number> =>
      (
        await fetch(new URL('/api/ops/requests', other.stack.urls.frontDoor), {
          headers: { authorization: `Bearer ${token}` },
        })
      ).status;
    expect(await call((await asSystem(other.stack.urls, 'opsTool')).token)).toBe(200);
    const roles = ['Operations.Manage'];
    expect(await call(await mintToken(other.stack.urls, { app: 'hrPortal', claims: { roles } }))).toBe(401);
  } finally {
    await other.stop();
  }
});

test('permissions beyond what is needed: anybody is told that there are, operations which, there and on their page', async () => {
  const rich = await openGroupsHouse({}, [...OWN_GROUPS, 'Directory.ReadWrite.All']);
  try {
    const { urls } = rich.stack;
    const at = async (token?: string): Promise<unknown> => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(new URL('/api/health/ready', urls.frontDoor), { headers })).json();
    };
    expect(await at()).toMatchObject({ graphPermissions: 'more-than-needed' });
    expect(await at()).not.toHaveProperty('excessive');
    const { token } = await asSystem(urls, 'opsTool');
    expect(await at(token)).toMatchObject({ missing: [], excessive: ['Directory.ReadWrite.All'] });
    const { page } = await signIn(urls, 'otto', '/api/ops');
    expect(page.text).toContain('More than needed: Directory.ReadWrite.All');
  } finally {
    await rich.stop();
  }
});
