import { apps, groups, people, tenant, userPrincipalNameOf } from '../demo-tenant';
import type { Urls } from './settings';

/** The scope of application tokens for the Gatehouse API. */
export const API_SCOPE = `api://${tenant.apiClientId}/.default`;

/** The form that a demo app sends to the issuer for a token. */
export function tokenForm(app: { clientId: string; secret: string }): Record<string, string> {
  return {
    grant_type: 'client_credentials',
    client_id: app.clientId,
    client_secret: app.secret,
    scope: API_SCOPE,
  };
}

/** Where the local issuer hands out tokens. */
export const tokenUrl = (entra: string): string => `${entra}/${tenant.id}/oauth2/v2.0/token`;

/** What the HR portal posts for Rita, who would like to join Design. */
export const firstRequest = {
  path: `/api/groups/${groups.design.id}/join-requests`,
  body: {
    userPrincipalName: userPrincipalNameOf(people.rita),
    justification: 'I join the design team in March.',
  },
} as const;

/** A first join request to paste into bash: it fetches its token in the same line. */
export function firstRequestCurl(urls: Pick<Urls, 'entra' | 'frontDoor'>): string {
  const form = Object.entries(tokenForm(apps.hrPortal))
    .map(([name, value]) => `-d ${name}=${value}`)
    .join(' ');
  return [
    `curl -i ${urls.frontDoor}${firstRequest.path} \\`,
    `  -H "Authorization: Bearer $(curl -s ${tokenUrl(urls.entra)} -H 'Accept: text/plain' ${form})" \\`,
    `  -H 'Content-Type: application/json' -d '${JSON.stringify(firstRequest.body)}'`,
  ].join('\n');
}
