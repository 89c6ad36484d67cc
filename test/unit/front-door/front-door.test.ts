import { isReserved, principalHeaders, sessionOf } from '../../../local/front-door/principal';
import { openDatabase, openSessions } from '../../../local/front-door/sessions';
import { sameSite } from '../../../local/front-door/sign-in';

const base = 'http://localhost:7070';
const session = { claims: [{ typ: 'name', val: 'Rita' }], objectId: 'o', name: 'rita@contoso.example', idToken: 't' };

afterEach(() => jest.useRealTimers());

test.each([
  ['/requests/1?a=b#c', `${base}/requests/1?a=b#c`],
  ['requests', `${base}/requests`],
  [`${base}/x`, `${base}/x`],
  ['/.//evil.example/', `${base}//evil.example/`],
])('%s stays on the site', (target, expected) => {
  expect(sameSite(target, base)).toBe(expected);
});

test.each([
  'https://evil.example/',
  '//evil.example/',
  '/\\evil.example/',
  '\\\\evil.example/',
  '/\t/evil.example/',
  ' //evil.example/',
  'http://localhost:7070@evil.example/',
  'http://localhost:7070.evil.example/',
  'http://localhost:7071/',
  'https://localhost:7070/',
  'javascript:alert(1)',
  'data:text/html,x',
  'http://',
])('%j leaves the site and is refused', (target) => {
  expect(sameSite(target, base)).toBeUndefined();
});

test('a session is found by its signed cookie only, until eight hours have passed', () => {
  const sessions = openSessions(openDatabase(':memory:'));
  const cookie = sessions.start(session);
  expect(sessions.find(cookie)).toMatchObject({ objectId: 'o' });
  const [id = '', signature = ''] = cookie.split('.');
  expect(sessions.find(id)).toBeUndefined();
  expect(sessions.find(`${id}.`)).toBeUndefined();
  expect(sessions.find(`${id}.${signature.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A'))}`)).toBeUndefined();
  expect(sessions.find(undefined)).toBeUndefined();
  jest.useFakeTimers({ now: Date.now() + 8 * 3_600_000 - 1000 });
  expect(sessions.find(cookie)).toBeDefined();
  jest.setSystemTime(Date.now() + 2000);
  expect(sessions.find(cookie)).toBeUndefined();
});

test('an ended session is gone', () => {
  const sessions = openSessions(openDatabase(':memory:'));
  const cookie = sessions.start(session);
  sessions.end(cookie);
  expect(sessions.find(cookie)).toBeUndefined();
});

test('a sign-in’s state works once', () => {
  const sessions = openSessions(openDatabase(':memory:'));
  const state = sessions.beginSignIn({ browser: 'b', nonce: 'n', verifier: 'v', target: '/' });
  expect(sessions.takeSignIn(state)).toMatchObject({ nonce: 'n' });
  expect(sessions.takeSignIn(state)).toBeUndefined();
});

test('claims go by App Service’s names, and each role is a claim of its own', () => {
  const payload = {
    oid: 'o1',
    tid: 't1',
    sub: 's1',
    preferred_username: 'otto@contoso.example',
    name: 'Ottó',
    roles: ['A', 'B'],
    acct: 1,
  };
  const headers = principalHeaders(sessionOf(payload, 'token'));
  expect(headers).toMatchObject({
    'x-ms-client-principal-id': 'o1',
    'x-ms-client-principal-name': 'otto@contoso.example',
    'x-ms-client-principal-idp': 'aad',
  });
  const principal: unknown = JSON.parse(Buffer.from(headers['x-ms-client-principal'] ?? '', 'base64').toString());
  expect(principal).toMatchObject({
    auth_typ: 'aad',
    claims: [
      { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: 'o1' },
      { typ: 'http://schemas.microsoft.com/identity/claims/tenantid', val: 't1' },
      { typ: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier', val: 's1' },
      { typ: 'preferred_username', val: 'otto@contoso.example' },
      { typ: 'name', val: 'Ottó' },
      { typ: 'roles', val: 'A' },
      { typ: 'roles', val: 'B' },
      { typ: 'acct', val: '1' },
    ],
  });
});

test.each([
  'X-MS-CLIENT-PRINCIPAL',
  'x-ms-client-principal-id',
  'X-Ms-Client-Principal-Anything',
  'x-ms-token-AAD-id-token',
])('%s may only come from the front door', (name) => {
  expect(isReserved(name)).toBe(true);
  expect(isReserved(`not-${name}`)).toBe(false);
});
