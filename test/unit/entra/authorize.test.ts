import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { people, tenant } from '../../../local/demo-tenant';
import { cliClientId, createEntra } from '../../../local/entra/entra';
import type { Entra } from '../../../local/entra/entra';

const base = 'http://localhost:7072';
const authority = `${base}/${tenant.id}/oauth2/v2.0`;
const verifier = 'a-verifier-of-at-least-forty-three-characters-0123456789';
const redirectUri = 'http://localhost:51234/done';
let entra: Entra;

beforeAll(() => {
  entra = createEntra({
    state: ':memory:',
    httpBase: () => base,
    httpsBase: () => 'https://localhost:7073',
    frontDoorBase: () => 'http://localhost:7070',
  });
});
afterAll(() => entra.close());
afterEach(() => jest.useRealTimers());

const cli = {
  client_id: cliClientId,
  response_type: 'code',
  redirect_uri: redirectUri,
  scope: `openid offline_access api://${tenant.apiClientId}/access_as_user`,
  state: 'st&te',
  nonce: 'n1',
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
};

const show = (params: Record<string, string>) =>
  entra.app.request(`${authority}/authorize?${new URLSearchParams(params).toString()}`);
const choose = (params: Record<string, string>) =>
  entra.app.request(`${authority}/authorize`, { method: 'POST', body: new URLSearchParams(params) });

const locationOf = (response: Response): URL => new URL(response.headers.get('location') ?? 'none:');

async function codeFor(person: string): Promise<string> {
  return locationOf(await choose({ ...cli, person })).searchParams.get('code') ?? '';
}

async function redeem(form: Record<string, string>): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({ client_id: cliClientId, ...form });
  return (await (await entra.app.request(`${authority}/token`, { method: 'POST', body })).json()) as Record<
    string,
    unknown
  >;
}
const byCode = (code: string, change: Record<string, string> = {}) =>
  redeem({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier, ...change });

test('the sign-in page shows every demo person with a button, and names from the directory are escaped', async () => {
  const response = await show(cli);
  expect(response.status).toBe(200);
  const page = await response.text();
  for (const alias of Object.keys(people)) expect(page).toContain(`name="person" value="${alias}"`);
  expect(page).toContain('owner of');
  expect(page).toContain('operator');
  expect(page).toContain('account disabled');
  expect(page).not.toContain('<img');
  expect(page).not.toContain("<b>O'Hara");
  expect(page).not.toContain('<script');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(response.headers.get('content-security-policy')).toContain(`form-action 'self' http://localhost:51234`);
  expect(response.headers.get('set-cookie')).toBeNull();
});

test('the style of the page is the one that its policy allows', async () => {
  const response = await show(cli);
  const style = /<style>([\s\S]*)<\/style>/.exec(await response.text())?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(response.headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
});

test('login_hint puts its person first', async () => {
  const page = await (await show({ ...cli, login_hint: 'Thabo@contoso.example' })).text();
  expect(page).toContain('Suggested');
  expect(/name="person" value="(\w+)"/.exec(page)?.[1]).toBe('thabo');
  expect(page.match(/value="thabo"/g)).toHaveLength(1);
});

test('whoever is chosen gets tokens once, with the code, the verifier and the same redirect URI', async () => {
  const response = await choose({ ...cli, person: 'rita' });
  expect(response.status).toBe(302);
  expect(locationOf(response).searchParams.get('state')).toBe('st&te');
  const code = locationOf(response).searchParams.get('code') ?? '';
  const answer = await byCode(code);
  await expect(entra.verify(String(answer['access_token']), tenant.apiClientId)).resolves.toMatchObject({
    oid: people.rita.id,
    azp: cliClientId,
    azpacr: '0',
    scp: 'access_as_user',
    ver: '2.0',
  });
  expect(decodeJwt(String(answer['id_token']))).toMatchObject({ aud: cliClientId, nonce: 'n1', oid: people.rita.id });
  expect(await byCode(code)).toMatchObject({ error: 'invalid_grant', error_codes: [54005] });
});

test('a refresh token brings a new token', async () => {
  const first = await byCode(await codeFor('otto'));
  const next = await redeem({ grant_type: 'refresh_token', refresh_token: String(first['refresh_token']) });
  await expect(entra.verify(String(next['access_token']), tenant.apiClientId)).resolves.toMatchObject({
    oid: people.otto.id,
    roles: ['Operations.Manage'],
  });
});

test.each<[string, Record<string, string>, number]>([
  ['a wrong verifier', { code_verifier: 'wrong' }, 501481],
  ['no verifier', { code_verifier: '' }, 501481],
  ['another redirect URI', { redirect_uri: 'http://localhost:51234/other' }, 500112],
])('a code with %s brings nothing', async (_, change, code) => {
  const answer = await byCode(await codeFor('rita'), change);
  expect(answer).toMatchObject({ error_codes: [code] });
  expect(answer).not.toHaveProperty('access_token');
});

test('a code is not good for another client', async () => {
  const code = await codeFor('rita');
  const answer = await byCode(code, { client_id: tenant.apiClientId, client_secret: entra.frontDoorSecret });
  expect(answer).toMatchObject({ error: 'invalid_grant' });
});

test('a code expires after ten minutes', async () => {
  const code = await codeFor('rita');
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'], now: Date.now() + 10 * 60_000 });
  expect(await byCode(code)).toMatchObject({ error: 'invalid_grant', error_codes: [70008] });
});

test.each<[string, Record<string, string>]>([
  ['an unregistered redirect URI', { redirect_uri: 'https://evil.example/' }],
  ['localhost in a name', { redirect_uri: 'http://localhost.evil.example/' }],
  ['localhost as a user name', { redirect_uri: 'http://localhost:1@evil.example/' }],
  ['an unknown client', { client_id: 'c1111111-0000-4000-8000-000000000000' }],
  ['localhost for the client of the pages', { client_id: tenant.apiClientId }],
])('%s leads to an error page and no redirect', async (_, change) => {
  const response = await choose({ ...cli, ...change, person: 'rita' });
  expect(response.status).toBe(400);
  expect(response.headers.get('location')).toBeNull();
  expect(await response.text()).toContain('AADSTS');
});

test('the pages’ client may redirect to the front door’s callback', async () => {
  const redirect_uri = 'http://localhost:7070/.auth/login/aad/callback';
  const response = await choose({ ...cli, client_id: tenant.apiClientId, redirect_uri, person: 'rita' });
  expect(response.headers.get('location')).toMatch(/^http:\/\/localhost:7070\/\.auth\/login\/aad\/callback\?code=/);
});

test.each<[string, Record<string, string>, string]>([
  ['no code challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['a silent sign-in', { prompt: 'none' }, 'login_required'],
  ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
  ['Cancel', { cancel: '1' }, 'access_denied'],
])('%s sends the client an error', async (_, change, error) => {
  const location = locationOf(await choose({ ...cli, ...change }));
  expect(location.origin).toBe('http://localhost:51234');
  expect(location.searchParams.get('error')).toBe(error);
  expect(location.searchParams.get('state')).toBe('st&te');
});

test('a disabled account cannot sign in', async () => {
  const response = await choose({ ...cli, person: 'dana' });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('AADSTS50057');
});

test('GET never signs anybody in', async () => {
  const response = await show({ ...cli, person: 'rita' });
  expect(response.status).toBe(200);
  expect(response.headers.get('location')).toBeNull();
});

test('sign-out leads back to the site only', async () => {
  const out = (target: string) =>
    entra.app.request(`${authority}/logout?${new URLSearchParams({ post_logout_redirect_uri: target }).toString()}`);
  expect((await out('http://localhost:7070/bye')).headers.get('location')).toBe('http://localhost:7070/bye');
  expect((await out('https://evil.example/')).headers.get('location')).toBeNull();
});

test('a device code waits for the person who enters it, and works once', async () => {
  const start = await entra.app.request(`${authority}/devicecode`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: cliClientId, scope: cli.scope }),
  });
  const { device_code, user_code, verification_uri } = (await start.json()) as Record<string, string>;
  const poll = () =>
    redeem({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: String(device_code) });
  expect(await poll()).toMatchObject({ error: 'authorization_pending', error_codes: [70016] });

  const wrong = await entra.app.request(`${String(verification_uri)}?code=WRONG`);
  expect(wrong.status).toBe(400);
  const page = await entra.app.request(`${String(verification_uri)}?code=${String(user_code).toLowerCase()}`);
  expect(await page.text()).toContain('value="rita"');
  const body = new URLSearchParams({ code: String(user_code), person: 'rita' });
  expect((await entra.app.request(String(verification_uri), { method: 'POST', body })).status).toBe(200);

  const answer = await poll();
  await expect(entra.verify(String(answer['access_token']))).resolves.toMatchObject({ oid: people.rita.id });
  expect(await poll()).toMatchObject({ error: 'invalid_grant' });
});
