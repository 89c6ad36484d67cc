import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context, MiddlewareHandler } from 'hono';
import { html } from 'hono/html';
import type { JWTPayload } from 'jose';
import { apps, tenant } from '../demo-tenant';
import { createFaults } from '../faults';
import { createAdmin, openGraphPermissions } from './admin';
import { authorize } from './authorize';
import { devicePage, startDevice } from './device';
import { createGrants } from './grants';
import { openKeys } from './keys';
import { answerIdentity } from './managed-identity';
import { OAuthError, oauthErrorBody, unknownTenant } from './oauth-errors';
import { HOME, sendPage } from './page';
import { createRegistrations } from './registrations';
import { keptSecret, openState } from './state';
import { grantToken } from './token-endpoint';
import type { Form } from './token-endpoint';
import { createTokens } from './tokens';
import type { MintRequest } from './tokens';

export { cliClientId } from './registrations';
export type { MintRequest } from './tokens';

export interface EntraOptions {
  /** Path of `entra.db`. */
  state: string;
  /** What browsers and `curl` open, `http://localhost:7072`. */
  httpBase: () => string;
  /** What the app calls, `https://localhost:7073`; the issuer's name begins with it. */
  httpsBase: () => string;
  /** The site that people sign in to: its callback is Gatehouse's registered redirect URI. */
  frontDoorBase?: () => string;
  /** Application permissions on Graph that the managed identity has, until an admin call changes them. */
  graphPermissions?: readonly string[];
}

export interface Entra {
  /** For both listeners; admin calls and the managed identity answer on the http one only. */
  app: Hono<Env>;
  /** The secret that `x-identity-header` must carry. */
  identityHeader: string;
  /** The secret of the Gatehouse registration, which the front door signs people in with. */
  frontDoorSecret: string;
  /** Checks a token as a resource does; throws where it isn't good. */
  verify(token: string, expectedAudience?: string | string[]): Promise<JWTPayload>;
  /** Any token, good or bad, as `POST /admin/token` makes it. */
  mint(request: MintRequest): Promise<string>;
  close(): void;
}

type Env = { Bindings: HttpBindings; Variables: { [HOME]: string } };

const isHttps = (c: Context): boolean => new URL(c.req.url).protocol === 'https:';

const httpOnly: MiddlewareHandler<Env> = async (c, next) => (isHttps(c) ? c.notFound() : next());

/** Form or query: the first value of each field. */
function toForm(params: URLSearchParams): Form {
  const form = new Map<string, string>();
  for (const [name, value] of params) if (!form.has(name)) form.set(name, value);
  return form;
}

async function readForm(c: Context): Promise<Form> {
  if (c.req.method !== 'POST') return toForm(new URL(c.req.url).searchParams);
  const type = c.req.header('content-type') ?? '';
  if (!type.toLowerCase().startsWith('application/x-www-form-urlencoded')) return new Map();
  return toForm(new URLSearchParams(await c.req.text()));
}

/** `curl -H 'Accept: text/plain'` gets the bare token. SDKs accept JSON too, and get JSON. */
function wantsBareToken(c: Context): boolean {
  const accept = c.req.header('accept') ?? '';
  return accept.includes('text/plain') && !accept.includes('json');
}

function metadata(issuer: string, here: string, browser: string): Record<string, unknown> {
  return {
    token_endpoint: `${here}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    jwks_uri: `${here}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    code_challenge_methods_supported: ['S256'],
    issuer,
    request_uri_parameter_supported: false,
    authorization_endpoint: `${browser}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${here}/oauth2/v2.0/devicecode`,
    end_session_endpoint: `${browser}/oauth2/v2.0/logout`,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'email'],
  };
}

function startPage(c: Context, httpBase: string): Promise<Response> {
  const curl = `token=$(curl -s -H 'Accept: text/plain' -d grant_type=client_credentials \\
  -d client_id=${apps.hrPortal.clientId} -d client_secret=${apps.hrPortal.secret} \\
  -d scope=api://${tenant.apiClientId}/.default ${httpBase}/${tenant.id}/oauth2/v2.0/token)`;
  const body = html`<h1>Local issuer</h1>
    <p>
      Stands in for Microsoft Entra ID on this machine: it signs the demo people in and gives tokens to the demo apps.
    </p>
    <h2>A token for an app</h2>
    <pre><code>${curl}</code></pre>
    <h2>Apps</h2>
    <ul>
      ${Object.values(apps).map((app) => html`<li>${app.displayName}: <code>${app.clientId}</code>, secret <code>${app.secret}</code>, ${app.roles.length === 0 ? 'no roles' : app.roles.join(', ')}</li>`)}
    </ul>
    <p><a href="/${tenant.id}/v2.0/.well-known/openid-configuration">OpenID configuration</a></p>`;
  return sendPage(c, { title: 'Local issuer', body });
}

/** The local issuer: sign-in, client credentials, managed identity, JWKS. */
export function createEntra(options: EntraOptions): Entra {
  const { httpBase, httpsBase, frontDoorBase = () => 'http://localhost:7070' } = options;
  const db = openState(options.state);
  const keys = openKeys(db);
  const tokens = createTokens(keys, httpsBase);
  const grants = createGrants(db);
  const identityHeader = keptSecret(db, 'identity-header');
  const frontDoorSecret = keptSecret(db, 'front-door-secret');
  const registrations = createRegistrations({ secret: frontDoorSecret, base: frontDoorBase });
  const permissions = openGraphPermissions(
    db,
    options.graphPermissions ?? ['GroupMember.ReadWrite.All', 'User.Read.All'],
  );
  const faults = createFaults();
  const parts = { registrations, grants, tokens, httpBase };

  const app = new Hono<Env>();
  app.onError((error, c) => {
    if (error instanceof OAuthError) {
      const correlationId = c.req.header('client-request-id') ?? randomUUID();
      c.header('cache-control', 'no-store');
      return c.json(oauthErrorBody(error, httpBase(), correlationId), error.status);
    }
    throw error;
  });

  app.use('*', (c, next) => {
    c.set(HOME, `${frontDoorBase()}/`);
    return next();
  });
  app.use('/admin/*', httpOnly);
  app.use('/msi/*', httpOnly);
  app.route('/', faults.admin);
  app.route('/', createAdmin({ tokens, keys, permissions }));
  app.get('/', (c) => startPage(c, httpBase()));

  app.use('/msi/token', faults.middleware);
  app.get('/msi/token', (c) => answerIdentity({ tokens, identityHeader, graphPermissions: permissions.get }, c));

  app.use('/:tid/:rest{.+}', async (c, next) => {
    const tid = c.req.param('tid');
    if (tid !== tenant.id && tid !== tenant.domain) throw unknownTenant(tid);
    await next();
  });
  app.use('/:tid/v2.0/.well-known/openid-configuration', faults.middleware);
  app.use('/:tid/discovery/*', faults.middleware);

  // The browser is sent to http, whichever listener was asked; everything else stays on the listener that was asked.
  app.get('/:tid/v2.0/.well-known/openid-configuration', (c) => {
    const here = isHttps(c) ? httpsBase() : httpBase();
    return c.json(metadata(tokens.issuerV2(), `${here}/${tenant.id}`, `${httpBase()}/${tenant.id}`));
  });
  app.get('/:tid/discovery/v2.0/keys', (c) => c.json(keys.jwks(tokens.issuerV2())));

  app.on(['GET', 'POST'], '/:tid/oauth2/v2.0/authorize', async (c) => authorize(parts, c, await readForm(c)));
  app.post('/:tid/oauth2/v2.0/token', async (c) => {
    const answer = await grantToken(parts, await readForm(c), c.req.header('authorization'));
    c.header('cache-control', 'no-store');
    c.header('pragma', 'no-cache');
    return wantsBareToken(c) ? c.text(answer.access_token) : c.json(answer);
  });
  app.post('/:tid/oauth2/v2.0/devicecode', async (c) => {
    return c.json(startDevice(parts, await readForm(c), `${httpBase()}/${tenant.id}/oauth2/deviceauth`));
  });
  app.on(['GET', 'POST'], '/:tid/oauth2/deviceauth', async (c) => devicePage(parts, c, await readForm(c)));

  app.get('/:tid/oauth2/v2.0/logout', (c) => {
    const target = c.req.query('post_logout_redirect_uri');
    const allowed =
      target !== undefined && URL.canParse(target) && new URL(target).origin === new URL(frontDoorBase()).origin;
    if (allowed) return c.redirect(new URL(target).href, 302);
    const body = html`<h1>You signed out of your account</h1>
      <p>It’s a good idea to close all browser windows.</p>`;
    return sendPage(c, { title: 'Signed out', body });
  });

  return {
    app,
    identityHeader,
    frontDoorSecret,
    verify: (token, expectedAudience) => tokens.verify(token, expectedAudience),
    mint: (request) => tokens.mint(request),
    close: () => {
      db.close();
    },
  };
}
