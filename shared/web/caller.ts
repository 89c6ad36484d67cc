import { z } from 'zod';

import type { Config } from '../config';
import { TokenRejected } from './tokens';
import type { Caller, TokenVerifier } from './tokens';

const principalSchema = z.object({ claims: z.array(z.object({ typ: z.string(), val: z.string() })) });

const OBJECT_ID = ['http://schemas.microsoft.com/identity/claims/objectidentifier', 'oid'];
const TENANT_ID = ['http://schemas.microsoft.com/identity/claims/tenantid', 'tid'];
const ROLE = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];

/** Reads the principal that App Service Authentication put into `x-ms-client-principal`. */
function fromSession(header: string, tenantId: string): Caller {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch {
    return { kind: 'nobody' };
  }
  const parsed = principalSchema.safeParse(decoded);
  if (!parsed.success) return { kind: 'nobody' };
  const all = (types: string[]): string[] =>
    parsed.data.claims.filter(({ typ }) => types.includes(typ)).map(({ val }) => val);
  const id = z.guid().safeParse(all(OBJECT_ID)[0]);
  if (!id.success || all(TENANT_ID)[0]?.toLowerCase() !== tenantId.toLowerCase()) return { kind: 'nobody' };
  return {
    kind: 'person',
    id: id.data.toLowerCase(),
    name: all(['name'])[0] ?? id.data,
    roles: all(ROLE),
    via: 'session',
  };
}

/** By which the platform says who signed in. */
const PRINCIPAL_HEADERS = ['', '-id', '-name', '-idp'].map((part) => `x-ms-client-principal${part}`);

/**
 * Who is calling. With an `Authorization` header only the validated token counts; the platform's identity headers count only where
 * App Service Authentication is on and sets them. @throws {TokenRejected} for a token that is not good.
 */
export async function identify(
  headers: { get(name: string): string | null },
  config: Config,
  verify: TokenVerifier,
  warn: (message: string) => void,
): Promise<Caller> {
  const principal = headers.get('x-ms-client-principal');
  const isOfPlatform = config.WEBSITE_AUTH_ENABLED && headers.get('x-ms-client-principal-idp') === 'aad';
  if (!isOfPlatform && PRINCIPAL_HEADERS.some((name) => (headers.get(name) ?? '') !== ''))
    warn('An identity header came in although App Service Authentication did not set it; it was ignored.');
  const authorization = headers.get('authorization');
  if (authorization !== null) {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
    if (token === undefined) throw new TokenRejected('not a bearer token');
    return verify(token);
  }
  if (!isOfPlatform || principal === null || principal === '') return { kind: 'nobody' };
  return fromSession(principal, config.TENANT_ID);
}
