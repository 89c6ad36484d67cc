import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JSONWebKeySet, JWTPayload } from 'jose';
import { apps, people, tenant } from '../../../local/demo-tenant';
import { createEntra } from '../../../local/entra/entra';
import type { Entra, MintRequest } from '../../../local/entra/entra';

const httpsBase = 'https://localhost:7073';
const issuer = `${httpsBase}/${tenant.id}/v2.0`;
let entra: Entra;

beforeAll(() => {
  entra = createEntra({ state: ':memory:', httpBase: () => 'http://localhost:7072', httpsBase: () => httpsBase });
});
afterAll(() => entra.close());

async function jwks(): Promise<JSONWebKeySet> {
  const response = await entra.app.request(`/${tenant.id}/discovery/v2.0/keys`);
  return (await response.json()) as JSONWebKeySet;
}

/** What a careful API does with a token, on the published keys. */
async function check(token: string): Promise<JWTPayload> {
  const checks = { issuer, audience: tenant.apiClientId, algorithms: ['RS256'] };
  return (await jwtVerify(token, createLocalJWKSet(await jwks()), checks)).payload;
}

async function mintByHttp(body: unknown): Promise<Response> {
  return entra.app.request('/admin/token', { method: 'POST', body: JSON.stringify(body) });
}

test('a person’s token has the claims of a v2.0 token with a scope', async () => {
  const claims = await check(await entra.mint({ person: 'otto' }));
  expect(claims).toMatchObject({
    iss: issuer,
    aud: tenant.apiClientId,
    tid: tenant.id,
    oid: people.otto.id,
    preferred_username: 'otto@contoso.example',
    name: 'Otto Brandt',
    scp: 'access_as_user',
    roles: ['Operations.Manage'],
    ver: '2.0',
  });
  expect(claims).not.toHaveProperty('idtyp');
  expect(claims).not.toHaveProperty('acct');
});

test('a guest’s token says that it is a guest’s, and roles are left out where there are none', async () => {
  const claims = await check(await entra.mint({ person: 'gus' }));
  expect(claims).toMatchObject({ acct: 1, preferred_username: 'gus@fabrikam.example' });
  expect(claims).not.toHaveProperty('roles');
});

test('an app’s token names the app, its roles and that it is an app', async () => {
  const claims = await check(await entra.mint({ app: 'hrPortal' }));
  expect(claims).toMatchObject({
    azp: apps.hrPortal.clientId,
    azpacr: '1',
    oid: apps.hrPortal.objectId,
    sub: apps.hrPortal.objectId,
    roles: ['Requests.Submit'],
    idtyp: 'app',
    ver: '2.0',
  });
  expect(claims).not.toHaveProperty('scp');
});

test('a v1.0 token is issued by sts.windows.net for the resource’s URI', async () => {
  const claims = decodeJwt(await entra.mint({ app: 'hrPortal', ver: '1.0' }));
  expect(claims).toMatchObject({
    iss: `https://sts.windows.net/${tenant.id}/`,
    aud: `api://${tenant.apiClientId}`,
    appid: apps.hrPortal.clientId,
    roles: ['Requests.Submit'],
    ver: '1.0',
  });
  expect(claims).not.toHaveProperty('azp');
  await expect(entra.verify(await entra.mint({ app: 'hrPortal', ver: '1.0' }))).resolves.toMatchObject({ ver: '1.0' });
});

test.each<[string, MintRequest]>([
  ['for another audience', { person: 'rita', audience: 'https://graph.microsoft.com' }],
  ['of another issuer', { person: 'rita', issuer: 'https://evil.example/' }],
  ['of another tenant', { person: 'rita', tenant: '11111111-1111-4111-8111-111111111111' }],
  ['that has expired', { person: 'rita', expiresIn: -1 }],
  ['that is not valid yet', { person: 'rita', notBefore: 600 }],
  ['signed with a foreign key under a known name', { person: 'rita', key: 'foreign' }],
  ['that names an unknown key', { person: 'rita', kid: 'unknown' }],
  ['with an HMAC of the public key', { person: 'rita', alg: 'HS256' }],
  ['signed by elliptic curve', { person: 'rita', alg: 'ES256' }],
  ['with the right key and another algorithm', { person: 'rita', alg: 'PS256' }],
  ['with no signature', { person: 'rita', alg: 'none' }],
])('a token %s is refused by a careful API and by verify', async (_, request) => {
  const token = await entra.mint(request);
  await expect(check(token)).rejects.toThrow();
  await expect(entra.verify(token, tenant.apiClientId)).rejects.toThrow();
  await expect(check(await entra.mint({ person: 'rita' }))).resolves.toBeDefined();
});

test('only the named thing is wrong with a bad token', async () => {
  const bad = decodeJwt(await entra.mint({ person: 'rita', expiresIn: -1 }));
  const good = decodeJwt(await entra.mint({ person: 'rita' }));
  expect(Object.keys(bad).sort()).toEqual(Object.keys(good).sort());
  expect(bad.exp).toBeLessThan(Date.now() / 1000);
  expect(decodeProtectedHeader(await entra.mint({ person: 'rita', alg: 'none' }))).toMatchObject({ alg: 'none' });
});

test('claims can be replaced and removed', async () => {
  const claims = await check(await entra.mint({ person: 'rita', claims: { oid: null, extra: [1, 2] } }));
  expect(claims).not.toHaveProperty('oid');
  expect(claims).toMatchObject({ extra: [1, 2] });
});

test('roles and scope can be replaced', async () => {
  const claims = await check(await entra.mint({ person: 'rita', roles: ['Policy.Manage'], scope: 'other' }));
  expect(claims).toMatchObject({ roles: ['Policy.Manage'], scp: 'other' });
});

test.each([
  ['an unknown person', { person: 'nobody' }],
  ['a person and an app at once', { person: 'rita', app: 'hrPortal' }],
  ['a field that does not exist', { person: 'rita', expiresInn: 3 }],
  ['an unknown algorithm', { person: 'rita', alg: 'RS1' }],
])('POST /admin/token refuses %s with a sentence', async (_, body) => {
  const response = await mintByHttp(body);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: expect.stringMatching(/\w+/) as string });
});

test('POST /admin/token answers the token', async () => {
  const response = await mintByHttp({ person: 'olivia' });
  const { access_token } = (await response.json()) as { access_token: string };
  await expect(check(access_token)).resolves.toMatchObject({ oid: people.olivia.id });
});

test('admin calls and the managed identity do not answer on the https listener', async () => {
  const admin = await entra.app.request(`${httpsBase}/admin/token`, { method: 'POST', body: '{"person":"rita"}' });
  expect(admin.status).toBe(404);
  const faults = await entra.app.request(`${httpsBase}/admin/calls`);
  expect(faults.status).toBe(404);
  const identity = await entra.app.request(`${httpsBase}/msi/token`);
  expect(identity.status).toBe(404);
});

test('after a rotation the old key verifies until it is removed, and its tokens can still be made', async () => {
  const own = createEntra({ state: ':memory:', httpBase: () => 'http://localhost', httpsBase: () => httpsBase });
  const none = await own.app.request('/admin/token', { method: 'POST', body: '{"person":"rita","key":"rotated"}' });
  expect(none.status).toBe(409);

  const old = await own.mint({ person: 'rita' });
  const { kid } = decodeProtectedHeader(old);
  expect((await own.app.request(`/admin/keys/${kid}`, { method: 'DELETE' })).status).toBe(409);
  await own.app.request('/admin/keys/rotate', { method: 'POST' });
  const fresh = await own.mint({ person: 'rita' });
  expect(decodeProtectedHeader(fresh).kid).not.toBe(kid);
  await expect(own.verify(old)).resolves.toBeDefined();
  await expect(own.verify(await own.mint({ person: 'rita', key: 'rotated' }))).resolves.toBeDefined();

  expect((await own.app.request(`/admin/keys/${kid}`, { method: 'DELETE' })).status).toBe(204);
  await expect(own.verify(old)).rejects.toThrow('not published');
  await expect(own.verify(await own.mint({ person: 'rita', key: 'rotated' }))).rejects.toThrow('not published');
  await expect(own.verify(fresh)).resolves.toBeDefined();
  const { keys } = (await (await own.app.request(`/${tenant.id}/discovery/v2.0/keys`)).json()) as JSONWebKeySet;
  expect(keys.map((key) => key.kid)).toEqual([decodeProtectedHeader(fresh).kid]);
  expect(keys[0]).not.toHaveProperty('d');
  own.close();
});

test('fetches of the key set are counted', async () => {
  await entra.app.request('/admin/calls', { method: 'DELETE' });
  await jwks();
  await jwks();
  const calls = (await (await entra.app.request('/admin/calls')).json()) as { path: string }[];
  expect(calls.map((call) => call.path)).toEqual(Array(2).fill(`/${tenant.id}/discovery/v2.0/keys`));
});
