import { decodeJwt } from 'jose';
import { apps, tenant } from '../../../local/demo-tenant';
import { cliClientId, createEntra } from '../../../local/entra/entra';
import type { Entra } from '../../../local/entra/entra';

const base = 'http://localhost:7072';
let entra: Entra;

beforeAll(() => {
  entra = createEntra({ state: ':memory:', httpBase: () => base, httpsBase: () => 'https://localhost:7073' });
});
afterAll(() => entra.close());

const good = {
  grant_type: 'client_credentials',
  client_id: apps.hrPortal.clientId,
  client_secret: apps.hrPortal.secret,
  scope: `api://${tenant.apiClientId}/.default`,
};

const post = (form: Record<string, string>, headers: Record<string, string> = {}, tid: string = tenant.id) =>
  entra.app.request(`${base}/${tid}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(form), headers });

const json = async (response: Response | Promise<Response>) =>
  (await (await response).json()) as Record<string, unknown>;

test.each([`api://${tenant.apiClientId}/.default`, `${tenant.apiClientId}/.default`])(
  'an app gets a v2.0 token that lives 60 to 90 minutes, for scope %s',
  async (scope) => {
    const response = await post({ ...good, scope });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const answer = await json(response);
    expect(answer).toMatchObject({ token_type: 'Bearer' });
    expect(answer['expires_in']).toBeGreaterThanOrEqual(3598);
    expect(answer['expires_in']).toBeLessThanOrEqual(5400);
    const claims = await entra.verify(String(answer['access_token']), tenant.apiClientId);
    expect(claims).toMatchObject({ azp: apps.hrPortal.clientId, roles: ['Requests.Submit'], idtyp: 'app', ver: '2.0' });
  },
);

test('the secret may come by HTTP Basic', async () => {
  const { client_id, client_secret, ...rest } = good;
  const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`;
  expect((await post(rest, { authorization })).status).toBe(200);
});

test('with Accept: text/plain the answer is the bare token, and SDKs that accept JSON too get JSON', async () => {
  const bare = await (await post(good, { accept: 'text/plain' })).text();
  await expect(entra.verify(bare, tenant.apiClientId)).resolves.toBeDefined();
  const sdk = await post(good, { accept: 'application/json, text/plain, */*' });
  expect(sdk.headers.get('content-type')).toContain('application/json');
});

test('a token for Graph is a v1.0 token without roles', async () => {
  const answer = await json(post({ ...good, scope: 'https://graph.microsoft.com/.default' }));
  const claims = decodeJwt(String(answer['access_token']));
  expect(claims).toMatchObject({ aud: 'https://graph.microsoft.com', ver: '1.0' });
  expect(claims).not.toHaveProperty('roles');
});

test.each<[string, Record<string, string>, number, string, number]>([
  ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client', 7000215],
  ['an unknown client', { client_id: 'c1111111-0000-4000-8000-000000000000' }, 400, 'unauthorized_client', 700016],
  ['a scope without /.default', { scope: `api://${tenant.apiClientId}/access_as_user` }, 400, 'invalid_scope', 1002012],
  ['an unknown resource', { scope: 'api://other/.default' }, 400, 'invalid_resource', 500011],
  ['no scope', { scope: '' }, 400, 'invalid_request', 900144],
  ['an unknown grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type', 70003],
  ['a public client’s secret', { client_id: cliClientId }, 401, 'invalid_request', 700025],
  ['an unknown code', { grant_type: 'authorization_code', code: 'x' }, 400, 'invalid_grant', 9002313],
  ['an unknown refresh token', { grant_type: 'refresh_token', refresh_token: 'x' }, 400, 'invalid_grant', 9002313],
])('%s is refused as Entra does', async (_, change, status, error, code) => {
  const response = await post({ ...good, ...change });
  expect(response.status).toBe(status);
  const body = await json(response);
  expect(body).toMatchObject({ error, error_codes: [code] });
  expect(body['error_description']).toMatch(
    new RegExp(`^AADSTS${String(code)}: .+ Trace ID: .+ Correlation ID: .+ Timestamp: .+Z$`),
  );
  expect(body).toEqual(
    expect.objectContaining({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/) as string,
      trace_id: expect.any(String) as string,
      correlation_id: expect.any(String) as string,
    }),
  );
});

test('a secret that is missing altogether is asked for', async () => {
  const { grant_type, client_id, scope } = good;
  expect(await json(post({ grant_type, client_id, scope }))).toMatchObject({
    error: 'invalid_client',
    error_codes: [7000218],
  });
});

test('a body that is no form has no grant_type', async () => {
  const response = await entra.app.request(`${base}/${tenant.id}/oauth2/v2.0/token`, { method: 'POST', body: '{}' });
  expect(await json(response)).toMatchObject({ error: 'invalid_request', error_codes: [900144] });
});

test('another tenant is not found; the domain name is as good as the id', async () => {
  const other = '11111111-1111-4111-8111-111111111111';
  expect(await json(post(good, {}, other))).toMatchObject({ error: 'invalid_request', error_codes: [90002] });
  expect((await post(good, {}, tenant.domain)).status).toBe(200);
});

test('the metadata names the https issuer, and sends browsers to http whichever listener was asked', async () => {
  const path = `/${tenant.id}/v2.0/.well-known/openid-configuration`;
  const issuer = `https://localhost:7073/${tenant.id}/v2.0`;
  const authorization_endpoint = `${base}/${tenant.id}/oauth2/v2.0/authorize`;
  expect(await json(entra.app.request(base + path))).toMatchObject({
    issuer,
    authorization_endpoint,
    jwks_uri: `${base}/${tenant.id}/discovery/v2.0/keys`,
  });
  expect(await json(entra.app.request(`https://localhost:7073${path}`))).toMatchObject({
    issuer,
    authorization_endpoint,
    jwks_uri: `https://localhost:7073/${tenant.id}/discovery/v2.0/keys`,
  });
});
