import type { JWTPayload } from 'jose';
import { z } from 'zod';
import type { Session } from './sessions';

/** App Service renames these claims; all others keep the token's name. */
const CLAIM_TYPES: Record<string, string> = {
  email: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  idp: 'http://schemas.microsoft.com/identity/claims/identityprovider',
  oid: 'http://schemas.microsoft.com/identity/claims/objectidentifier',
  sub: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier',
  tid: 'http://schemas.microsoft.com/identity/claims/tenantid',
};
const NAME_TYPE = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress';
const ROLE_TYPE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

const identitySchema = z.object({ oid: z.string(), preferred_username: z.string() });

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A session for the person of a checked ID token. A claim with several values becomes several claims. */
export function sessionOf(payload: JWTPayload, idToken: string): Session {
  const { oid, preferred_username } = identitySchema.parse(payload);
  const claims = Object.entries(payload).flatMap(([name, value]) => {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return values.map((each) => ({ typ: CLAIM_TYPES[name] ?? name, val: textOf(each) }));
  });
  return { claims, objectId: oid, name: preferred_username, idToken };
}

/** The headers that tell the app who is signed in. */
export function principalHeaders(session: Session): Record<string, string> {
  const principal = { auth_typ: 'aad', claims: session.claims, name_typ: NAME_TYPE, role_typ: ROLE_TYPE };
  return {
    'x-ms-client-principal': Buffer.from(JSON.stringify(principal)).toString('base64'),
    'x-ms-client-principal-id': session.objectId,
    'x-ms-client-principal-name': session.name,
    'x-ms-client-principal-idp': 'aad',
  };
}

/** Headers that only the front door may set: whatever comes from outside under these names is dropped. */
export const isReserved = (header: string): boolean => /^x-ms-(client-principal|token-aad-)/i.test(header);
