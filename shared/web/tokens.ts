import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose';
import type { FetchImplementation, JWTVerifyGetKey } from 'jose';
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

/** The token is not good; a key set that can't be fetched is our trouble, not the caller's. */
const isRefusal = (error: unknown): error is errors.JOSEError =>
  error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && error.code !== 'ERR_JOSE_GENERIC';

/** Keys are looked for so often, whether they could be fetched or not. */
const KEYS_AGAIN_MS = 60_000;
/** Without any key nobody is let in: then they are looked for sooner. */
const FIRST_KEYS_AGAIN_MS = 1_000;

/**
 * Validates Entra access tokens for our API: signature (RS256 with the tenant's keys), issuer and tenant, audience, times with a minute of
 * skew, version. Keys are cached; an unknown `kid` is looked for at most once a minute.
 */
export function tokenVerifier(config: Config): TokenVerifier {
  let failedAt = -Infinity;
  // the library counts from the last fetch that came through: while none does, every unknown key would be one more
  const fetchKeys: FetchImplementation = async (...request) => {
    const pause = keys.jwks() === undefined ? FIRST_KEYS_AGAIN_MS : KEYS_AGAIN_MS;
    if (Date.now() - failedAt < pause) throw new TypeError('the keys could not be fetched a moment ago');
    try {
      const response = await fetch(...request);
      failedAt = response.ok ? -Infinity : Date.now();
      return response;
    } catch (error) {
      failedAt = Date.now();
      throw error;
    }
  };
  const keys = createRemoteJWKSet(new URL(`${config.AUTHORITY_HOST}/${config.TENANT_ID}/discovery/v2.0/keys`), {
    cooldownDuration: KEYS_AGAIN_MS,
    cacheMaxAge: 24 * 3_600_000,
    timeoutDuration: 5_000,
    [customFetch]: fetchKeys,
  });
  const issuers = {
    '2.0': `${config.AUTHORITY_HOST}/${config.TENANT_ID}/v2.0`,
    '1.0': `${config.AUTHORITY_V1_ISSUER}/${config.TENANT_ID}/`,
  };

  const payloadOf = async (token: string, from: JWTVerifyGetKey): Promise<unknown> => {
    const { payload } = await jwtVerify(token, from, {
      issuer: Object.values(issuers),
      audience: [config.API_CLIENT_ID, `api://${config.API_CLIENT_ID}`],
      algorithms: ['RS256'],
      clockTolerance: 60,
      requiredClaims: ['exp', 'nbf'],
    });
    return payload;
  };

  const verified = async (token: string): Promise<unknown> => {
    try {
      return await payloadOf(token, keys).catch((error: unknown) => {
        const kept = keys.jwks();
        if (kept === undefined || isRefusal(error)) throw error;
        // those of a day ago still say who is who, but not that there is no other
        return payloadOf(token, createLocalJWKSet(kept)).catch((again: unknown) => {
          throw again instanceof errors.JWKSNoMatchingKey ? error : again;
        });
      });
    } catch (error) {
      if (isRefusal(error)) throw new TokenRejected(error.code);
      throw new TokensUnavailable(String(error));
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
