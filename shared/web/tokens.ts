import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';

import type { Config } from '../config';

/** App roles of the registration. The last one is the name that Event Grid's documentation gives to the role of its own principal. */
export const ROLES = {
  submit: 'Requests.Submit',
  operations: 'Operations.Manage',
  policy: 'Policy.Manage',
  audit: 'Audit.Read',
  mailEvents: 'AzureEventGridSecureWebhookSubscriber',
} as const;
const SCOPE = 'access_as_user';

/** Who is calling: people are known by their object id in our tenant, never by an address. */
export type Caller =
  | { kind: 'nobody' }
  | { kind: 'app'; id: string; roles: readonly string[] }
  | { kind: 'person'; id: string; name: string; roles: readonly string[]; via: 'token' | 'session' };

/** The token is not one of ours, or no longer. */
export class TokenRejected extends Error {
  override name = 'TokenRejected';
}

/** The signing keys can't be fetched now. */
export class TokensUnavailable extends Error {
  override name = 'TokensUnavailable';
}

export type TokenVerifier = (token: string) => Promise<Caller>;

const claimsSchema = z.object({
  iss: z.string(),
  tid: z.guid(),
  oid: z.guid(),
  ver: z.enum(['1.0', '2.0']),
  scp: z.string().optional(),
  idtyp: z.string().optional(),
  sub: z.string(),
  nonce: z.string().optional(),
  /** Client id of the calling app: in version 2.0 tokens and in version 1.0 tokens. */
  azp: z.string().optional(),
  appid: z.string().optional(),
  roles: z.array(z.string()).default([]),
  name: z.string().optional(),
});

/**
 * Validates Entra access tokens for our API: signature (RS256 with the tenant's keys), issuer and tenant, audience, times with a minute of
 * skew, version. Keys are cached; an unknown `kid` is looked for at most once a minute.
 */
export function tokenVerifier(config: Config): TokenVerifier {
  const keys = createRemoteJWKSet(new URL(`${config.AUTHORITY_HOST}/${config.TENANT_ID}/discovery/v2.0/keys`), {
    cooldownDuration: 60_000,
    cacheMaxAge: 24 * 3_600_000,
    timeoutDuration: 5_000,
  });
  const issuers = {
    '2.0': `${config.AUTHORITY_HOST}/${config.TENANT_ID}/v2.0`,
    '1.0': `${config.AUTHORITY_V1_ISSUER}/${config.TENANT_ID}/`,
  };

  const verified = async (token: string): Promise<unknown> => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: Object.values(issuers),
        audience: [config.API_CLIENT_ID, `api://${config.API_CLIENT_ID}`],
        algorithms: ['RS256'],
        clockTolerance: 60,
        requiredClaims: ['exp', 'nbf'],
      });
      return payload;
    } catch (error) {
      // a key set that can't be fetched is our trouble, not the caller's
      if (
        !(error instanceof errors.JOSEError) ||
        error instanceof errors.JWKSTimeout ||
        error.code === 'ERR_JOSE_GENERIC'
      )
        throw new TokensUnavailable(String(error));
      throw new TokenRejected(error.code);
    }
  };

  return async (token) => {
    const parsed = claimsSchema.safeParse(await verified(token));
    if (!parsed.success) throw new TokenRejected('claims');
    const { iss, tid, oid, ver, scp, idtyp, sub, nonce, azp, appid, roles, name } = parsed.data;
    // an ID token says who signed in somewhere; it is no right to call anything
    if (nonce !== undefined) throw new TokenRejected('id token');
    if (tid.toLowerCase() !== config.TENANT_ID.toLowerCase() || iss !== issuers[ver]) throw new TokenRejected('tenant');
    const client = (azp ?? appid ?? '').toLowerCase();
    if (config.ALLOWED_CLIENTS.length > 0 && !config.ALLOWED_CLIENTS.includes(client))
      throw new TokenRejected('client');
    const id = oid.toLowerCase();
    if (scp === undefined) {
      // app-only: Entra says so by `idtyp` where the registration asks for that claim; the subject is the service principal itself
      if (idtyp !== 'app' && sub.toLowerCase() !== id) throw new TokenRejected('neither scope nor app');
      return { kind: 'app', id, roles };
    }
    if (idtyp === 'app') throw new TokenRejected('scope of an app');
    if (!scp.split(' ').includes(SCOPE)) throw new TokenRejected('scope');
    return { kind: 'person', id, name: name ?? id, roles, via: 'token' };
  };
}
