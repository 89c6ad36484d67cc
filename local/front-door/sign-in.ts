import { Hono } from 'hono';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { tenant } from '../demo-tenant';
import { localPage, sendLocalPage } from '../local-page';
import { sessionOf } from './principal';
import { hashOf, randomToken } from './sessions';
import type { Session, Sessions, SignIn } from './sessions';

/** What the front door must know of the issuer. */
export interface FrontDoorIssuer {
  /** Where browsers sign in and codes are redeemed, `http://localhost:7072`. */
  httpBase: () => string;
  /** What the issuer's name begins with, `https://localhost:7073`. */
  httpsBase: () => string;
  /** The secret of the Gatehouse registration, `Entra.frontDoorSecret`. */
  clientSecret: string;
}

export const SESSION_COOKIE = 'AppServiceAuthSession';

const CALLBACK = '/.auth/login/aad/callback';
/** Ties a sign-in to the browser that began it, so that nobody can be signed in as somebody else from outside. */
const BROWSER_COOKIE = 'AppServiceAuthNonce';
const BROWSER_SECONDS = 900;

/** The address to go to, if it lies on this site. It is given back absolute: a path could begin with `//`. */
export function sameSite(target: string, base: string): string | undefined {
  const site = new URL(base);
  if (!URL.canParse(target, site.href)) return undefined;
  const url = new URL(target, site.href);
  if (url.origin !== site.origin) return undefined;
  return site.origin + url.pathname + url.search + url.hash;
}

interface Failure {
  status: 401 | 403 | 502;
  sentence: string;
  /** Where the sign-in was to lead, where that is known. */
  target?: string;
}
type Outcome<T> = { kind: 'ok'; value: T } | { kind: 'failed'; failure: Failure };

const failed = (status: Failure['status'], sentence: string, target?: string): Outcome<never> => ({
  kind: 'failed',
  failure: { status, sentence, ...(target !== undefined && { target }) },
});

const answerSchema = z.object({ id_token: z.string() });

/** What happened, in words, and where to go from here. */
function say(
  c: Context,
  page: { title: string; sentence: string; links?: [string, string][] },
  status: 200 | 400 | 404 | Failure['status'] = 200,
): Response | Promise<Response> {
  const links: [string, string][] = [...(page.links ?? []), ['/', 'Back to the start page']];
  const content = html`<h1>${page.title}</h1>
    <p>${page.sentence}</p>
    <ul>
      ${links.map(([href, text]) => html`<li><a href="${href}">${text}</a></li>`)}
    </ul>`;
  return sendLocalPage(c, localPage(page.title, content), status);
}

const offSite = (c: Context, name: string): Response | Promise<Response> =>
  say(c, { title: 'Not on this site', sentence: `${name} must be an address on this site.` }, 400);

const tellFailure = (c: Context, { sentence, status, target = '/' }: Failure): Response | Promise<Response> =>
  say(c, { title: 'You are not signed in', sentence, links: [[loginTo(target), 'Sign in again']] }, status);

const loginTo = (target: string): string =>
  `/.auth/login/aad?${new URLSearchParams({ post_login_redirect_uri: target }).toString()}`;

/** `/.auth/…` of App Service Authentication, for the provider `aad`. */
export function createSignIn(parts: { sessions: Sessions; base: () => string; entra: FrontDoorIssuer }): Hono {
  const { sessions, base, entra } = parts;
  const authority = (): string => `${entra.httpBase()}/${tenant.id}`;
  const redirectUri = (): string => base() + CALLBACK;
  const secure = (): boolean => base().startsWith('https:');
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined;

  const redeem = async (code: string, verifier: string): Promise<Outcome<string>> => {
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: tenant.apiClientId,
      client_secret: entra.clientSecret,
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri(),
      scope: 'openid profile email',
    });
    try {
      const response = await fetch(`${authority()}/oauth2/v2.0/token`, { method: 'POST', body: form });
      const answer = answerSchema.safeParse(await response.json());
      if (answer.success) return { kind: 'ok', value: answer.data.id_token };
      return failed(401, 'The issuer did not accept the sign-in. Sign in again.');
    } catch {
      return failed(502, `The local issuer at ${entra.httpBase()} can't be reached. Try again in a moment.`);
    }
  };

  const check = async (idToken: string, nonce: string): Promise<Outcome<JWTPayload>> => {
    // Without a cooldown: keys may be rotated while the stack's clock stands still.
    keys ??= createRemoteJWKSet(new URL(`${authority()}/discovery/v2.0/keys`), { cooldownDuration: 0 });
    try {
      const { payload } = await jwtVerify(idToken, keys, {
        algorithms: ['RS256'],
        issuer: `${entra.httpsBase()}/${tenant.id}/v2.0`,
        audience: tenant.apiClientId,
        requiredClaims: ['nonce', 'oid', 'tid'],
        currentDate: new Date(),
      });
      if (payload['nonce'] === nonce && payload['tid'] === tenant.id) return { kind: 'ok', value: payload };
    } catch {
      // Why a token is bad is nobody's business out here.
    }
    return failed(401, 'The sign-in could not be verified. Sign in again.');
  };

  /** The sign-in that this browser began, whose answer this is. */
  const takeSignIn = (c: Context): Outcome<{ signIn: SignIn; code: string }> => {
    const { state, code, error, error_description } = c.req.query();
    const signIn = state === undefined ? undefined : sessions.takeSignIn(state);
    const browser = getCookie(c, BROWSER_COOKIE);
    if (signIn === undefined || browser === undefined || hashOf(browser) !== signIn.browser) {
      return failed(401, 'This sign-in was not begun in this browser, or it took too long. Sign in again.');
    }
    const { target } = signIn;
    if (error === 'access_denied') return failed(403, 'The sign-in was cancelled.', target);
    if (code === undefined)
      return failed(401, `The issuer refused the sign-in: ${error_description ?? error ?? 'no code'}`, target);
    return { kind: 'ok', value: { signIn, code } };
  };

  const finish = async (c: Context): Promise<Outcome<{ session: Session; target: string }>> => {
    const taken = takeSignIn(c);
    if (taken.kind === 'failed') return taken;
    const { signIn, code } = taken.value;
    const { target } = signIn;
    const idToken = await redeem(code, signIn.verifier);
    if (idToken.kind === 'failed') return { ...idToken, failure: { ...idToken.failure, target } };
    const payload = await check(idToken.value, signIn.nonce);
    if (payload.kind === 'failed') return { ...payload, failure: { ...payload.failure, target } };
    return { kind: 'ok', value: { session: sessionOf(payload.value, idToken.value), target } };
  };

  const browserCookie = (c: Context): string => {
    const present = getCookie(c, BROWSER_COOKIE);
    const value = present !== undefined && /^[\w-]{43}$/.test(present) ? present : randomToken();
    // Its path is the whole of /.auth/login/aad, so that sign-ins begun in several tabs share it.
    setCookie(c, BROWSER_COOKIE, value, {
      httpOnly: true,
      sameSite: 'Lax',
      secure: secure(),
      path: '/.auth/login/aad',
      maxAge: BROWSER_SECONDS,
    });
    return value;
  };

  const auth = new Hono();

  auth.get('/.auth/login/aad', (c) => {
    const here = new URL(c.req.url);
    // Cookies belong to the name that the issuer sends people back to.
    if (here.host !== new URL(base()).host) return c.redirect(base() + here.pathname + here.search, 302);
    const target = sameSite(c.req.query('post_login_redirect_uri') ?? '/.auth/login/done', base());
    if (target === undefined) return offSite(c, 'post_login_redirect_uri');
    const nonce = randomToken();
    const verifier = randomToken();
    const state = sessions.beginSignIn({ browser: hashOf(browserCookie(c)), nonce, verifier, target });
    const url = new URL(`${authority()}/oauth2/v2.0/authorize`);
    url.search = new URLSearchParams({
      response_type: 'code',
      response_mode: 'query',
      client_id: tenant.apiClientId,
      redirect_uri: redirectUri(),
      scope: 'openid profile email',
      state,
      nonce,
      code_challenge: hashOf(verifier),
      code_challenge_method: 'S256',
    }).toString();
    const hint = c.req.query('login_hint');
    if (hint !== undefined) url.searchParams.set('login_hint', hint);
    c.header('cache-control', 'no-store');
    return c.redirect(url.href, 302);
  });

  auth.get(CALLBACK, async (c) => {
    const outcome = await finish(c);
    if (outcome.kind === 'failed') return tellFailure(c, outcome.failure);
    sessions.end(getCookie(c, SESSION_COOKIE));
    const cookie = sessions.start(outcome.value.session);
    setCookie(c, SESSION_COOKIE, cookie, { httpOnly: true, sameSite: 'Lax', secure: secure(), path: '/' });
    c.header('cache-control', 'no-store');
    c.header('referrer-policy', 'no-referrer');
    return c.redirect(outcome.value.target, 302);
  });

  auth.get('/.auth/logout', (c) => {
    const target = sameSite(c.req.query('post_logout_redirect_uri') ?? '/.auth/logout/complete', base());
    if (target === undefined) return offSite(c, 'post_logout_redirect_uri');
    sessions.end(getCookie(c, SESSION_COOKIE));
    deleteCookie(c, SESSION_COOKIE, { path: '/', httpOnly: true, sameSite: 'Lax' });
    const url = new URL(`${authority()}/oauth2/v2.0/logout`);
    url.searchParams.set('post_logout_redirect_uri', target);
    c.header('cache-control', 'no-store');
    return c.redirect(url.href, 302);
  });

  auth.get('/.auth/me', (c) => {
    const session = sessions.find(getCookie(c, SESSION_COOKIE));
    c.header('cache-control', 'no-store');
    if (session === undefined) return c.body(null, 401);
    const { claims, name, idToken, expiresAt } = session;
    const expires_on = new Date(expiresAt).toISOString();
    return c.json([{ expires_on, id_token: idToken, provider_name: 'aad', user_claims: claims, user_id: name }]);
  });

  auth.get('/.auth/login/done', (c) =>
    say(c, { title: 'Signed in', sentence: 'You have signed in. You can close this window now.' }),
  );
  auth.get('/.auth/logout/complete', (c) =>
    say(c, { title: 'Signed out', sentence: 'You have signed out.', links: [[loginTo('/'), 'Sign in again']] }),
  );
  auth.all('*', (c) => say(c, { title: 'Nothing here', sentence: 'There is nothing at this address.' }, 404));
  return auth;
}
