import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManagedIdentityCredential } from '@azure/identity';
import { createAdaptorServer } from '@hono/node-server';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { tenant } from '../../../local/demo-tenant';
import { createEntra } from '../../../local/entra/entra';
import type { Entra } from '../../../local/entra/entra';

const folder = mkdtempSync(join(tmpdir(), 'entra-'));
const httpsBase = 'https://localhost:7073';
const before = { endpoint: process.env['IDENTITY_ENDPOINT'], header: process.env['IDENTITY_HEADER'] };
let base = '';
const open = (): Entra =>
  createEntra({ state: join(folder, 'entra.db'), httpBase: () => base, httpsBase: () => httpsBase });
const entra = open();
const server = createAdaptorServer({ fetch: entra.app.fetch });

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  process.env['IDENTITY_ENDPOINT'] = `${base}/msi/token`;
  process.env['IDENTITY_HEADER'] = entra.identityHeader;
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}

afterAll(async () => {
  restore('IDENTITY_ENDPOINT', before.endpoint);
  restore('IDENTITY_HEADER', before.header);
  server.close();
  if ('closeAllConnections' in server) server.closeAllConnections();
  await once(server, 'close');
  entra.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  await fetch(`${base}/admin/faults`, { method: 'DELETE' });
  await fetch(`${base}/admin/calls`, { method: 'DELETE' });
  const permissions = JSON.stringify(['GroupMember.ReadWrite.All', 'User.Read.All']);
  await fetch(`${base}/admin/graph-permissions`, { method: 'PUT', body: permissions });
});

const credential = (clientId: string = tenant.identity.clientId) =>
  new ManagedIdentityCredential({ clientId, retryOptions: { maxRetries: 0 } });

async function tokenFor(scope: string): Promise<string> {
  const token = await credential().getToken(scope);
  return token.token;
}

// MSAL keeps managed-identity tokens for the whole process, so each of these asks for a resource of its own.
test('ManagedIdentityCredential gets a v1.0 token for Graph with the granted permissions, for 24 hours', async () => {
  const { token, expiresOnTimestamp } = await credential().getToken('https://graph.microsoft.com/.default');
  const keys = createRemoteJWKSet(new URL(`${base}/${tenant.id}/discovery/v2.0/keys`));
  const issuer = `https://sts.windows.net/${tenant.id}/`;
  const { payload } = await jwtVerify(token, keys, { issuer, audience: 'https://graph.microsoft.com' });
  expect(payload).toMatchObject({
    ver: '1.0',
    appid: tenant.identity.clientId,
    oid: tenant.identity.objectId,
    idtyp: 'app',
    roles: ['GroupMember.ReadWrite.All', 'User.Read.All'],
  });
  // MSAL reckons it from whole seconds that are left, so that it may be one short.
  expect([0, 1000]).toContain(Number(payload.exp) * 1000 - expiresOnTimestamp);
  expect(expiresOnTimestamp - Date.now()).toBeGreaterThan(23 * 3_600_000);
});

test.each([
  ['https://communication.azure.com//.default', 'https://communication.azure.com/'],
  ['https://storage.azure.com/.default', 'https://storage.azure.com'],
])('a token for %s has aud %s and no roles', async (scope, aud) => {
  const claims = decodeJwt(await tokenFor(scope));
  expect(claims).toMatchObject({ aud });
  expect(claims).not.toHaveProperty('roles');
});

test('a credential with a foreign client id says why it gets no token', async () => {
  const foreign = credential('c1111111-0000-4000-8000-000000000000');
  await expect(foreign.getToken('https://graph.microsoft.com/.default')).rejects.toThrow(
    /No User Assigned or Delegated Managed Identity found/,
  );
});

const ask = (query: Record<string, string>, header: string | undefined = entra.identityHeader): Promise<Response> => {
  const search = new URLSearchParams({ 'api-version': '2019-08-01', ...query }).toString();
  const headers: Record<string, string> = header === '' ? {} : { 'X-IDENTITY-HEADER': header };
  return fetch(`${base}/msi/token?${search}`, { headers });
};
const graph = { resource: 'https://graph.microsoft.com', client_id: tenant.identity.clientId };

test('the answer has App Service’s shape: expires_on is a string of seconds', async () => {
  const answer: unknown = await (await ask(graph)).json();
  expect(answer).toMatchObject({
    access_token: expect.any(String) as string,
    expires_on: expect.stringMatching(/^\d{10}$/) as string,
    resource: 'https://graph.microsoft.com',
    token_type: 'Bearer',
  });
});

test.each<[string, Record<string, string>, string | undefined, number]>([
  ['a wrong identity header', graph, 'wrong', 401],
  ['no identity header', graph, '', 401],
  ['no identity named', { resource: graph.resource }, undefined, 400],
  ['another identity', { ...graph, client_id: 'c1111111-0000-4000-8000-000000000000' }, undefined, 400],
  ['an unknown resource', { ...graph, resource: 'https://evil.example' }, undefined, 400],
  [
    'a resource that only begins like one',
    { ...graph, resource: 'https://graph.microsoft.com.evil.example' },
    undefined,
    400,
  ],
  ['no resource', { client_id: graph.client_id }, undefined, 400],
  ['another protocol version', { ...graph, 'api-version': '2017-09-01' }, undefined, 400],
])('%s is refused in App Service’s error shape', async (_, query, header, statusCode) => {
  const response = await ask(query, header);
  expect(response.status).toBe(statusCode);
  expect(await response.json()).toEqual({
    statusCode,
    message: expect.stringMatching(/.+/) as string,
    correlationId: expect.stringMatching(/^[\da-f-]{36}$/) as string,
  });
});

test('what an administrator grants or takes back stands in the next token, and survives a restart', async () => {
  const put = await fetch(`${base}/admin/graph-permissions`, { method: 'PUT', body: '["Group.Create"]' });
  expect(put.status).toBe(200);
  const { access_token } = (await (await ask(graph)).json()) as { access_token: string };
  expect(decodeJwt(access_token)).toMatchObject({ roles: ['Group.Create'] });

  const again = open();
  const search = new URLSearchParams({ 'api-version': '2019-08-01', ...graph }).toString();
  const headers = { 'x-identity-header': entra.identityHeader };
  const response = await again.app.request(`http://localhost/msi/token?${search}`, { headers });
  const after = (await response.json()) as { access_token: string };
  expect(decodeJwt(after.access_token)).toMatchObject({ roles: ['Group.Create'] });
  again.close();

  expect((await fetch(`${base}/admin/graph-permissions`, { method: 'PUT', body: '"x"' })).status).toBe(400);
});

test('keys, identity header and the front door’s secret survive a restart', async () => {
  const token = await entra.mint({ person: 'rita' });
  const again = open();
  await expect(again.verify(token)).resolves.toBeDefined();
  expect(again.identityHeader).toBe(entra.identityHeader);
  expect(again.frontDoorSecret).toBe(entra.frontDoorSecret);
  again.close();
});

test('the endpoint can be made to fail, and its calls are recorded', async () => {
  const fault = { path: '^/msi/token', times: 1, fault: { kind: 'answer', status: 503 } };
  expect((await fetch(`${base}/admin/faults`, { method: 'POST', body: JSON.stringify(fault) })).status).toBe(204);
  expect((await ask(graph)).status).toBe(503);
  expect((await ask(graph)).status).toBe(200);
  const calls = (await (await fetch(`${base}/admin/calls`)).json()) as { status: number }[];
  expect(calls.map((call) => call.status)).toEqual([503, 200]);
});

test('a connection can be dropped while the key set is fetched', async () => {
  const fault = { path: 'discovery', times: 1, fault: { kind: 'reset', when: 'before' } };
  await fetch(`${base}/admin/faults`, { method: 'POST', body: JSON.stringify(fault) });
  await expect(fetch(`${base}/${tenant.id}/discovery/v2.0/keys`)).rejects.toThrow();
  expect((await fetch(`${base}/${tenant.id}/discovery/v2.0/keys`)).status).toBe(200);
});
