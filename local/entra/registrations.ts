import { apps, people, tenant } from '../demo-tenant';
import type { App, Person } from '../demo-tenant';

/** Client id of the public client that command lines sign people in with. */
export const cliClientId = '7e9a0000-0000-4000-8000-0000000000a4';

/** The scope that people's tokens for the Gatehouse API carry. */
export const API_SCOPE = 'access_as_user';

/** What App Service Authentication registers as its redirect URI, under the site's address. */
export const CALLBACK_PATH = '/.auth/login/aad/callback';

/** Who may ask the issuer for tokens. `web` and `daemon` know a secret, `public` doesn't. */
export type Client =
  | { kind: 'web'; id: string; displayName: string; secret: string; redirectUri: string; app: App }
  | { kind: 'daemon'; id: string; displayName: string; secret: string; app: App }
  | { kind: 'public'; id: string; displayName: string };

/** What tokens are for: our API takes v2.0 tokens, Graph v1.0 ones. */
export type Resource = { kind: 'gatehouse' } | { kind: 'graph' };

export interface Registrations {
  find(clientId: string): Client | undefined;
}

/** The clients of the tenant: Gatehouse itself (its pages sign people in), the command line, the demo apps. */
export function createRegistrations(web: { secret: string; base: () => string }): Registrations {
  return {
    find: (clientId) => {
      if (clientId === cliClientId) return { kind: 'public', id: clientId, displayName: 'Gatehouse command line' };
      if (clientId === tenant.apiClientId) {
        const app = {
          clientId,
          objectId: '7e9a0000-0000-4000-8000-0000000000a5',
          displayName: 'Gatehouse',
          secret: web.secret,
          roles: [],
        };
        const redirectUri = web.base() + CALLBACK_PATH;
        return { kind: 'web', id: clientId, displayName: app.displayName, secret: web.secret, redirectUri, app };
      }
      const app = Object.values(apps).find((each) => each.clientId === clientId);
      if (app === undefined) return undefined;
      return { kind: 'daemon', id: clientId, displayName: app.displayName, secret: app.secret, app };
    },
  };
}

/** Entra ignores the port of `http://localhost` for public clients only; every other redirect URI must match to the letter. */
export function mayRedirectTo(client: Client, redirectUri: string): boolean {
  switch (client.kind) {
    case 'web':
      return redirectUri === client.redirectUri;
    case 'daemon':
      return false;
    case 'public': {
      if (!URL.canParse(redirectUri)) return false;
      const url = new URL(redirectUri);
      return url.protocol === 'http:' && url.hostname === 'localhost' && url.username === '' && url.hash === '';
    }
  }
}

/** The resource that an identifier names: an application id, or an application id URI. */
export function findResource(identifier: string): Resource | undefined {
  if (identifier === tenant.apiClientId || identifier === `api://${tenant.apiClientId}`) return { kind: 'gatehouse' };
  if (/^https:\/\/graph\.microsoft\.com\/?$/.test(identifier)) return { kind: 'graph' };
  return undefined;
}

/** A demo person by alias, `undefined` where there is none. */
export const personByAlias = (alias: string): Person | undefined =>
  Object.entries(people).find(([each]) => each === alias)?.[1];

/** A demo app by alias, `undefined` where there is none. */
export const appByAlias = (alias: string): App | undefined =>
  Object.entries(apps).find(([each]) => each === alias)?.[1];
