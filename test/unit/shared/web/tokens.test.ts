import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWK, JWTPayload } from 'jose';

import { readConfig } from '../../../../shared/config';
import { identify } from '../../../../shared/web/caller';
import { TokenRejected, TokensUnavailable, tokenVerifier } from '../../../../shared/web/tokens';

/** What the app makes of tokens as Entra signs them; the keys come by `fetch`, as from Entra. */
const TENANT = '7e9a0000-0000-4000-8000-000000000001';
const CLIENT = '7e9a0000-0000-4000-8000-0000000000a1';
const PERSON = '7e9a0000-0000-4000-8000-0000000000b1';
const settings = {
  TENANT_ID: TENANT,
  API_CLIENT_ID: CLIENT,
  TABLES_ENDPOINT: 'https://example.table.core.windows.net/',
  AUDIT_TABLES_ENDPOINT: 'https://exampleaudit.table.core.windows.net/',
  MAIL_ENDPOINT: 'https://example.communication.azure.com',
  MAIL_SENDER: 'gatehouse@contoso.example',
  PUBLIC_BASE_URL: 'https://gatehouse.contoso.example',
};
const config = readConfig(settings);
const START = new Date('2026-11-24T09:00:00Z');
const seconds = (at: Date): number => Math.floor(at.getTime() / 1_000);

interface Key {
  kid: string;
  sign(claims: JWTPayload, more?: { exp?: number; nbf?: number }): Promise<string>;
  jwk: JWK;
}
async function makeKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return {
    kid,
    jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' },
    sign: (claims, { exp = seconds(START) + 3_600, nbf = seconds(START) - 60 } = {}) =>
      new SignJWT({ ...claims, exp, nbf }).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey),
  };
}
const claims = (more: JWTPayload = {}): JWTPayload => ({
  iss: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  aud: CLIENT,
  tid: TENANT,
  oid: PERSON,
  sub: 'x',
  ver: '2.0',
  scp: 'access_as_user',
  name: 'Rita',
  ...more,
});
const V1 = { iss: `https://sts.windows.net/${TENANT}/`, ver: '1.0', aud: `api://${CLIENT}` };

let first: Key;
let second: Key;
let published: Key[];
let isDown = false;
const fetched = jest.spyOn(globalThis, 'fetch');

beforeAll(async () => {
  [first, second] = await Promise.all([makeKey('first'), makeKey('second')]);
});
beforeEach(() => {
  jest.useFakeTimers({
    now: START,
    doNotFake: [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'setImmediate',
      'nextTick',
      'queueMicrotask',
      'performance',
    ],
  });
  published = [first];
  isDown = false;
  fetched.mockReset();
  fetched.mockImplementation(() =>
    isDown
      ? Promise.reject(new TypeError('fetch failed'))
      : Promise.resolve(Response.json({ keys: published.map(({ jwk }) => jwk) })),
  );
});
afterEach(() => jest.useRealTimers());
afterAll(() => fetched.mockRestore());

test('tokens of both versions count, each with the issuer of its version only', async () => {
  const verify = tokenVerifier(config);
  const person = { kind: 'person', id: PERSON, name: 'Rita', roles: [], via: 'token' };
  await expect(verify(await first.sign(claims()))).resolves.toEqual(person);
  await expect(verify(await first.sign(claims(V1)))).resolves.toEqual(person);
  for (const wrong of [{ ver: '1.0' }, { ...V1, ver: '2.0' }, { ver: '3.0' }, { ver: undefined }])
    await expect(verify(await first.sign(claims(wrong)))).rejects.toThrow(TokenRejected);
});

test('times count with a minute of skew, and no more', async () => {
  const verify = tokenVerifier(config);
  const at = seconds(START);
  await expect(verify(await first.sign(claims(), { exp: at - 59 }))).resolves.toMatchObject({ id: PERSON });
  await expect(verify(await first.sign(claims(), { exp: at - 61 }))).rejects.toThrow(TokenRejected);
  await expect(verify(await first.sign(claims(), { nbf: at + 59 }))).resolves.toMatchObject({ id: PERSON });
  await expect(verify(await first.sign(claims(), { nbf: at + 61 }))).rejects.toThrow(TokenRejected);
});

test('keys are fetched once; a key that is unknown is looked for, at most once a minute', async () => {
  const verify = tokenVerifier(config);
  await verify(await first.sign(claims()));
  await verify(await first.sign(claims()));
  expect(fetched).toHaveBeenCalledTimes(1);
  expect(fetched).toHaveBeenCalledWith(
    `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`,
    expect.anything(),
  );
  published = [first, second];
  const rotated = await second.sign(claims());
  await expect(verify(rotated)).rejects.toThrow(TokenRejected);
  expect(fetched).toHaveBeenCalledTimes(1);
  jest.setSystemTime(START.getTime() + 61_000);
  await expect(verify(rotated)).resolves.toMatchObject({ id: PERSON });
  for (let n = 0; n < 5; n += 1)
    await expect(verify(await (await makeKey('unknown')).sign(claims()))).rejects.toThrow(TokenRejected);
  expect(fetched).toHaveBeenCalledTimes(2);
});

test('keys that can’t be fetched are our trouble, not the caller’s', async () => {
  isDown = true;
  const verify = tokenVerifier(config);
  await expect(verify(await first.sign(claims()))).rejects.toThrow(TokensUnavailable);
  isDown = false;
  jest.setSystemTime(START.getTime() + 1_000);
  await expect(verify(await first.sign(claims()))).resolves.toMatchObject({ id: PERSON });
});

test('while keys can’t be fetched, unknown ones are looked for once a minute, and those that are known count', async () => {
  const verify = tokenVerifier(config);
  const unknown = await (await makeKey('unknown')).sign(claims());
  await verify(await first.sign(claims()));
  isDown = true;
  for (const hours of [1, 25]) {
    fetched.mockClear();
    const at = new Date(START.getTime() + hours * 3_600_000);
    jest.setSystemTime(at);
    for (let n = 0; n < 5; n += 1) await expect(verify(unknown)).rejects.toThrow(TokensUnavailable);
    const known = await first.sign(claims(), { exp: seconds(at) + 60, nbf: seconds(at) });
    await expect(verify(known)).resolves.toMatchObject({ id: PERSON });
    expect(fetched).toHaveBeenCalledTimes(1);
  }
});

test('another tenant, another audience, another client than those allowed: refused', async () => {
  const verify = tokenVerifier(readConfig({ ...settings, ALLOWED_CLIENTS: CLIENT }));
  const good = { azp: CLIENT };
  await expect(verify(await first.sign(claims(good)))).resolves.toMatchObject({ id: PERSON });
  for (const wrong of [{ tid: PERSON }, { aud: PERSON }, { azp: PERSON }, { azp: undefined }])
    await expect(verify(await first.sign(claims({ ...good, ...wrong })))).rejects.toThrow(TokenRejected);
});

test('an identity header that App Service Authentication did not set is ignored, and logged', async () => {
  const principal = Buffer.from(JSON.stringify({ auth_typ: 'aad', claims: [] })).toString('base64');
  const forged = (idp: string) =>
    new Headers({
      'x-ms-client-principal': principal,
      'x-ms-client-principal-id': PERSON,
      'x-ms-client-principal-idp': idp,
    });
  const verify = tokenVerifier(config);
  const on = readConfig({ ...settings, WEBSITE_AUTH_ENABLED: 'true' });
  for (const [headers, of] of [
    [forged('aad'), config],
    [forged('github'), on],
  ] as const) {
    const warned: string[] = [];
    await expect(identify(headers, of, verify, (message) => warned.push(message))).resolves.toEqual({ kind: 'nobody' });
    expect(warned).toEqual([expect.stringContaining('An identity header came in')]);
  }
});

test.each(['x-ms-client-principal', 'x-ms-client-principal-id', 'x-ms-client-principal-name'])(
  'a forged %s beside a token is ignored, and logged as well',
  async (name) => {
    const warned: string[] = [];
    const headers = new Headers({ authorization: `Bearer ${await first.sign(claims())}`, [name]: 'somebody' });
    const caller = identify(headers, config, tokenVerifier(config), (message) => warned.push(message));
    await expect(caller).resolves.toMatchObject({ id: PERSON, via: 'token' });
    expect(warned).toHaveLength(1);
  },
);
