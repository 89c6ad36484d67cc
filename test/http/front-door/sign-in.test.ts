import { people } from '../../../local/demo-tenant';
import { Browser, openHouse } from './house';
import type { House } from './house';

let house: House;
beforeAll(async () => {
  house = await openHouse();
  house.host.answer = (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: request.url, headers: request.headers }));
  };
});
afterAll(() => house.close());

interface Seen {
  url: string;
  headers: Record<string, string | undefined>;
}

/** What the host behind the front door got. */
async function seen(browser: Browser, headers: Record<string, string> = {}): Promise<Seen> {
  return (await (await browser.go(`${house.site}/api/echo`, { headers })).json()) as Seen;
}

function principalOf({ headers }: Seen): unknown {
  const text = headers['x-ms-client-principal'];
  return text === undefined ? undefined : JSON.parse(Buffer.from(text, 'base64').toString());
}

test('whoever signs in is known to the app by the principal headers, and comes back to where they were', async () => {
  const browser = new Browser();
  const done = await browser.signIn(house.site, 'otto');
  expect(done.status).toBe(302);
  expect(done.headers.get('location')).toBe(`${house.site}/page?x=1`);
  const cookie = done.headers.getSetCookie().find((line) => line.startsWith('AppServiceAuthSession='));
  expect(cookie).toMatch(/; HttpOnly/i);
  expect(cookie).toMatch(/; SameSite=Lax/i);
  expect(cookie).toMatch(/; Path=\/(;|$)/i);

  const request = await seen(browser);
  expect(request.headers).toMatchObject({
    'x-ms-client-principal-id': people.otto.id,
    'x-ms-client-principal-name': 'otto@contoso.example',
    'x-ms-client-principal-idp': 'aad',
  });
  expect(principalOf(request)).toMatchObject({
    auth_typ: 'aad',
    claims: expect.arrayContaining([
      { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: people.otto.id },
      { typ: 'roles', val: 'Operations.Manage' },
    ]) as unknown[],
  });
});

test('without a sign-in requests are let through without a principal, and /.auth/me is 401', async () => {
  const browser = new Browser();
  const request = await seen(browser);
  expect(Object.keys(request.headers).filter((name) => name.startsWith('x-ms-'))).toEqual([]);
  expect((await browser.go(`${house.site}/.auth/me`)).status).toBe(401);
});

test('forged principal headers are dropped, in any case, signed in or not', async () => {
  const forged = {
    'X-MS-CLIENT-PRINCIPAL': 'Zm9yZ2Vk',
    'x-Ms-Client-Principal-Id': 'forged',
    'X-MS-CLIENT-PRINCIPAL-IDP': 'forged',
    'x-ms-token-aad-id-token': 'forged',
    'X-MS-TOKEN-AAD-ACCESS-TOKEN': 'forged',
  };
  const stranger = await seen(new Browser(), forged);
  expect(Object.keys(stranger.headers).filter((name) => name.startsWith('x-ms-'))).toEqual([]);

  const browser = new Browser();
  await browser.signIn(house.site, 'rita');
  const known = await seen(browser, forged);
  expect(known.headers['x-ms-client-principal-id']).toBe(people.rita.id);
  expect(JSON.stringify(known)).not.toContain('forged');
});

test('an Authorization header passes untouched beside the principal of the cookie', async () => {
  const browser = new Browser();
  await browser.signIn(house.site, 'rita');
  const request = await seen(browser, { authorization: 'Bearer x.y.z' });
  expect(request.headers['authorization']).toBe('Bearer x.y.z');
  expect(request.headers['x-ms-client-principal-id']).toBe(people.rita.id);
});

test('/.auth/me says who is signed in', async () => {
  const browser = new Browser();
  await browser.signIn(house.site, 'gus');
  const me: unknown = await (await browser.go(`${house.site}/.auth/me`)).json();
  expect(me).toEqual([
    expect.objectContaining({
      provider_name: 'aad',
      user_id: 'gus@fabrikam.example',
      user_claims: expect.arrayContaining([{ typ: 'acct', val: '1' }]) as unknown[],
    }),
  ]);
});

test('a session survives a restart of the front door', async () => {
  const browser = new Browser();
  await browser.signIn(house.site, 'olivia');
  house.restartFrontDoor();
  expect((await seen(browser)).headers['x-ms-client-principal-id']).toBe(people.olivia.id);
});

test('a tampered cookie is nobody', async () => {
  const browser = new Browser();
  await browser.signIn(house.site, 'olivia');
  const cookie = browser.cookies.get('AppServiceAuthSession') ?? '';
  browser.cookies.set('AppServiceAuthSession', cookie.slice(0, -2));
  expect((await seen(browser)).headers).not.toHaveProperty('x-ms-client-principal-id');
});

test('after sign-out the session is gone, even for who kept the cookie', async () => {
  const browser = new Browser();
  await browser.signIn(house.site, 'olivia');
  const kept = browser.cookies.get('AppServiceAuthSession') ?? '';
  const out = await browser.go(`${house.site}/.auth/logout?post_logout_redirect_uri=/bye`);
  const back = await browser.go(out.headers.get('location') ?? '');
  expect(back.headers.get('location')).toBe(`${house.site}/bye`);
  expect(browser.cookies.has('AppServiceAuthSession')).toBe(false);
  browser.cookies.set('AppServiceAuthSession', kept);
  expect((await seen(browser)).headers).not.toHaveProperty('x-ms-client-principal-id');
});

test.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
  'sign-in and sign-out refuse to lead to %s',
  async (target) => {
    const browser = new Browser();
    const query = encodeURIComponent(target);
    const login = await browser.go(`${house.site}/.auth/login/aad?post_login_redirect_uri=${query}`);
    expect([login.status, login.headers.get('location')]).toEqual([400, null]);
    const logout = await browser.go(`${house.site}/.auth/logout?post_logout_redirect_uri=${query}`);
    expect([logout.status, logout.headers.get('location')]).toEqual([400, null]);
  },
);

test('a callback that another browser began signs nobody in, and neither does a replay', async () => {
  const attacker = new Browser();
  const callback = await attacker.signInUpToCallback(house.site, 'rita', '/');
  const victim = new Browser();
  await victim.go(`${house.site}/.auth/login/aad`);
  expect(victim.cookies.size).toBe(1);
  expect((await victim.go(callback)).status).toBe(401);
  expect(victim.cookies.has('AppServiceAuthSession')).toBe(false);
  expect((await attacker.go(callback)).status).toBe(401);
});

test('a callback with a made-up code or state signs nobody in', async () => {
  const browser = new Browser();
  const callback = new URL(await browser.signInUpToCallback(house.site, 'rita', '/'));
  callback.searchParams.set('code', 'made-up');
  expect((await browser.go(callback.href)).status).toBe(401);
  callback.searchParams.set('state', 'made-up');
  expect((await browser.go(callback.href)).status).toBe(401);
  expect(browser.cookies.has('AppServiceAuthSession')).toBe(false);
});

test('an ID token made for another nonce signs nobody in', async () => {
  const browser = new Browser();
  const begun = await browser.go(`${house.site}/.auth/login/aad`);
  const authorize = new URL(begun.headers.get('location') ?? '');
  authorize.searchParams.set('nonce', 'another');
  authorize.searchParams.set('person', 'rita');
  const chosen = await browser.go(authorize.origin + authorize.pathname, {
    method: 'POST',
    body: authorize.searchParams,
  });
  const callback = chosen.headers.get('location') ?? '';
  expect(callback).toContain('code=');
  expect((await browser.go(callback)).status).toBe(401);
  expect(browser.cookies.has('AppServiceAuthSession')).toBe(false);
});

test('two sign-ins in two tabs both come to their end', async () => {
  const browser = new Browser();
  const first = await browser.signInUpToCallback(house.site, 'rita', '/first');
  const second = await browser.signInUpToCallback(house.site, 'omar', '/second');
  expect((await browser.go(first)).headers.get('location')).toBe(`${house.site}/first`);
  expect((await browser.go(second)).headers.get('location')).toBe(`${house.site}/second`);
  expect((await seen(browser)).headers['x-ms-client-principal-id']).toBe(people.omar.id);
});

test('a cancelled sign-in is answered with a page that leads on', async () => {
  const browser = new Browser();
  const begun = await browser.go(
    `${house.site}/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent('/page?x=1')}`,
  );
  const authorize = new URL(begun.headers.get('location') ?? '');
  authorize.searchParams.set('cancel', '1');
  const cancelled = await browser.go(authorize.origin + authorize.pathname, {
    method: 'POST',
    body: authorize.searchParams,
  });
  const answer = await browser.go(cancelled.headers.get('location') ?? '');
  const page = await answer.text();
  expect([answer.status, answer.headers.get('content-type')]).toEqual([403, 'text/html; charset=UTF-8']);
  expect(page).toContain('The sign-in was cancelled.');
  expect(page).toContain('<a href="/">');
  const again = /<a href="([^"]+)">Sign in again<\/a>/.exec(page)?.[1] ?? '';
  const target = new URL(again, house.site).searchParams.get('post_login_redirect_uri') ?? '';
  expect([again.split('?')[0], new URL(target, house.site).href]).toEqual([
    '/.auth/login/aad',
    `${house.site}/page?x=1`,
  ]);
});

test('the issuer’s page links back to the site that asked for the sign-in', async () => {
  const browser = new Browser();
  const begun = await browser.go(`${house.site}/.auth/login/aad`);
  const page = await (await browser.go(begun.headers.get('location') ?? '')).text();
  expect(page).toContain(`<a href="${house.site}/">`);
});

test('keys may be rotated between two sign-ins', async () => {
  await new Browser().signIn(house.site, 'rita');
  await house.entra.app.request('/admin/keys/rotate', { method: 'POST' });
  const browser = new Browser();
  expect((await browser.signIn(house.site, 'rita')).status).toBe(302);
});
