import { createHash, generateKeyPairSync, randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { tenant, userPrincipalNameOf } from '../demo-tenant';
import type { App, Person } from '../demo-tenant';
import { makeRsaKey } from './keys';
import type { Keys } from './keys';
import { API_SCOPE, appByAlias, personByAlias } from './registrations';

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
const HMAC = ['HS256', 'HS384', 'HS512'] as const;

/** What `POST /admin/token` takes: a good token of its person or app, and in which ways it is to be bad. */
export const mintSchema = z
  .strictObject({
    person: z
      .string()
      .refine((alias) => personByAlias(alias) !== undefined, 'is no alias of a demo person')
      .optional(),
    app: z
      .string()
      .refine((alias) => appByAlias(alias) !== undefined, 'is no alias of a demo app')
      .optional(),
    audience: z.string().optional(),
    /** Only people's tokens have `scp`; `access_as_user` unless given. */
    scope: z.string().optional(),
    roles: z.array(z.string()).optional(),
    ver: z.enum(['1.0', '2.0']).default('2.0'),
    issuer: z.string().optional(),
    tenant: z.string().optional(),
    /** Seconds from now; below zero the token has expired. */
    expiresIn: z.int().default(3600),
    /** Seconds from now. */
    notBefore: z.int().default(0),
    /** An HMAC is made with the public key's PEM as its secret: the classic confusion. */
    alg: z.enum([...RSA, ...HMAC, 'ES256', 'none']).default('RS256'),
    kid: z.string().optional(),
    /** Replaces claims; `null` removes one. */
    claims: z.record(z.string(), z.unknown()).default({}),
    /** `rotated`: the key that signed before; `foreign`: one that was never published, under the active key's name. */
    key: z.enum(['rotated', 'foreign']).optional(),
  })
  .refine((request) => request.person === undefined || request.app === undefined, 'person and app exclude each other');
export type MintRequest = z.input<typeof mintSchema>;
type Mint = z.output<typeof mintSchema>;

/** A token that can't be made as things stand. */
export class MintError extends Error {}

/** How a client proved itself: not at all, by a secret, by a certificate (managed identities do). */
export type ClientProof = '0' | '1' | '2';

interface Lifetime {
  iat: number;
  nbf: number;
  exp: number;
}

export interface IssuedToken {
  token: string;
  /** Seconds from now, as `expires_in` says it. */
  expiresIn: number;
  exp: number;
}

export interface Tokens {
  issuerV2(tid?: string): string;
  issuerV1(tid?: string): string;
  /** v2.0 token for the Gatehouse API, for an app. */
  forApp(app: App): Promise<IssuedToken>;
  /** v1.0 token for another resource: `aud` is the resource as it was asked for. */
  forAppV1(app: Pick<App, 'clientId' | 'objectId'>, resource: string, extra: JWTPayload): Promise<IssuedToken>;
  /** v2.0 token for the Gatehouse API, for a person who uses a client. */
  forPerson(person: Person, clientId: string, proof: ClientProof): Promise<IssuedToken>;
  /** v1.0 token for Graph, as a sign-in that asks for no API gets. */
  forPersonV1(person: Person, clientId: string, proof: ClientProof): Promise<IssuedToken>;
  idToken(person: Person, clientId: string, nonce: string | undefined): Promise<string>;
  /** A managed identity's token: v1.0, 24 hours. */
  forIdentity(resource: string, roles: string[]): Promise<IssuedToken>;
  /** Any token; throws `MintError` where it can't be made. */
  mint(request: MintRequest): Promise<string>;
  /** Checks a token as a resource does: RS256, published key, issuer, tenant, time, and the audience where one is given. */
  verify(token: string, audience?: string | string[]): Promise<JWTPayload>;
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Entra dates tokens back by five minutes, so that clocks may differ, and lets them live 60 to 90 minutes. */
function lifetime(length: number = randomInt(3600, 5400)): Lifetime {
  const now = seconds();
  return { iat: now - 300, nbf: now - 300, exp: now + length };
}

/** `sub` is a person's name at one client only. */
const pairwise = (oid: string, clientId: string): string =>
  createHash('sha256').update(`${oid} ${clientId}`).digest('base64url');

const opaque = (): JWTPayload => ({
  aio: randomBytes(36).toString('base64'),
  uti: randomBytes(16).toString('base64url'),
});

/** Entra leaves `roles` out where there are none. */
const rolesClaim = (roles: readonly string[]): JWTPayload => (roles.length === 0 ? {} : { roles: [...roles] });

function personClaims(person: Person, audience: string): JWTPayload {
  const guest = person.userType === 'Guest';
  return {
    name: person.displayName,
    oid: person.id,
    preferred_username: guest && person.mail !== null ? person.mail : userPrincipalNameOf(person),
    sub: pairwise(person.id, audience),
    tid: tenant.id,
    // People's roles are roles on the Gatehouse API: other clients' tokens don't have them.
    ...rolesClaim(audience === tenant.apiClientId ? person.roles : []),
    ...(guest ? { acct: 1, idp: 'mail' } : {}),
    ...opaque(),
  };
}

function withOverrides(claims: JWTPayload, overrides: Record<string, unknown>): JWTPayload {
  const kept = Object.entries({ ...claims, ...overrides }).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept);
}

function unsecured(claims: JWTPayload, kid: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ typ: 'JWT', alg: 'none', kid })}.${part(claims)}.`;
}

/** Makes and checks the tokens of the local issuer. */
export function createTokens(keys: Keys, httpsBase: () => string): Tokens {
  const issuerV2 = (tid: string = tenant.id): string => `${httpsBase()}/${tid}/v2.0`;
  const issuerV1 = (tid: string = tenant.id): string => `https://sts.windows.net/${tid}/`;
  let foreign: KeyObject | undefined;

  const sign = (claims: JWTPayload): Promise<string> => {
    const { kid, privateKey } = keys.active();
    return new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid }).sign(privateKey);
  };
  const issue = async (claims: JWTPayload, life: Lifetime = lifetime()): Promise<IssuedToken> => {
    const token = await sign({ ...claims, ...life });
    return { token, exp: life.exp, expiresIn: life.exp - seconds() - 1 };
  };

  const appV1 = (app: Pick<App, 'clientId' | 'objectId'>, resource: string, proof: ClientProof): JWTPayload => ({
    aud: resource,
    iss: issuerV1(),
    appid: app.clientId,
    appidacr: proof,
    idp: issuerV1(),
    idtyp: 'app',
    oid: app.objectId,
    sub: app.objectId,
    tid: tenant.id,
    ver: '1.0',
    ...opaque(),
  });
  const appV2 = (app: App): JWTPayload => ({
    aud: tenant.apiClientId,
    iss: issuerV2(),
    azp: app.clientId,
    azpacr: '1',
    idtyp: 'app',
    oid: app.objectId,
    sub: app.objectId,
    tid: tenant.id,
    ver: '2.0',
    ...rolesClaim(app.roles),
    ...opaque(),
  });
  const personV2 = (person: Person, clientId: string, proof: ClientProof): JWTPayload => ({
    aud: tenant.apiClientId,
    iss: issuerV2(),
    azp: clientId,
    azpacr: proof,
    scp: API_SCOPE,
    ver: '2.0',
    ...personClaims(person, tenant.apiClientId),
  });
  const personV1 = (person: Person, clientId: string, proof: ClientProof, resource: string): JWTPayload => {
    const { preferred_username, ...claims } = personClaims(person, resource);
    const names = { unique_name: preferred_username, upn: userPrincipalNameOf(person) };
    return { aud: resource, iss: issuerV1(), appid: clientId, appidacr: proof, ver: '1.0', ...claims, ...names };
  };

  /** The claims of a good token for the Gatehouse API, in the version asked for. */
  const goodClaims = (request: Mint): JWTPayload => {
    const person = request.person === undefined ? undefined : personByAlias(request.person);
    const app = request.app === undefined ? undefined : appByAlias(request.app);
    const uri = `api://${tenant.apiClientId}`;
    const v1 = request.ver === '1.0';
    if (person !== undefined && v1) {
      const claims = personV1(person, tenant.apiClientId, '1', uri);
      return { ...claims, scp: API_SCOPE, ...rolesClaim(person.roles) };
    }
    if (person !== undefined) return personV2(person, tenant.apiClientId, '1');
    if (app !== undefined && v1) return { ...appV1(app, uri, '1'), ...rolesClaim(app.roles) };
    if (app !== undefined) return appV2(app);
    const named = v1 ? { aud: uri, iss: issuerV1() } : { aud: tenant.apiClientId, iss: issuerV2() };
    return { ...named, tid: tenant.id, ver: request.ver, ...opaque() };
  };

  const mintClaims = (request: Mint): JWTPayload => {
    const now = seconds();
    const asked: Record<string, unknown> = { iat: now, nbf: now + request.notBefore, exp: now + request.expiresIn };
    if (request.tenant !== undefined) {
      asked['tid'] = request.tenant;
      asked['iss'] = request.ver === '1.0' ? issuerV1(request.tenant) : issuerV2(request.tenant);
    }
    if (request.issuer !== undefined) asked['iss'] = request.issuer;
    if (request.audience !== undefined) asked['aud'] = request.audience;
    if (request.scope !== undefined) asked['scp'] = request.scope;
    if (request.roles !== undefined) asked['roles'] = request.roles;
    return withOverrides(goodClaims(request), { ...asked, ...request.claims });
  };

  const signingKey = (request: Mint): { kid: string; privateKey: KeyObject } => {
    if (request.key === 'rotated') {
      const previous = keys.previous();
      if (previous === undefined) throw new MintError('No key was rotated yet: POST /admin/keys/rotate first.');
      return previous;
    }
    if (request.key === 'foreign') return { kid: keys.active().kid, privateKey: (foreign ??= makeRsaKey()) };
    return keys.active();
  };

  const mint = async (input: MintRequest): Promise<string> => {
    const request = mintSchema.parse(input);
    const claims = mintClaims(request);
    const { alg } = request;
    const key = signingKey(request);
    const kid = request.kid ?? key.kid;
    if (alg === 'none') return unsecured(claims, kid);
    const jwt = new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg, kid });
    if (alg === 'ES256') return jwt.sign(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    if (!alg.startsWith('HS')) return jwt.sign(key.privateKey);
    const pem = keys.active().publicKey.export({ type: 'spki', format: 'pem' }).toString();
    return jwt.sign(new TextEncoder().encode(pem));
  };

  const verify = async (token: string, audience?: string | string[]): Promise<JWTPayload> => {
    const keyOf = (header: { kid?: string | undefined }): KeyObject => {
      const key = keys.published(header.kid);
      if (key === undefined) throw new Error('The token is signed with a key that is not published.');
      return key.publicKey;
    };
    const checks = {
      algorithms: ['RS256'],
      issuer: [issuerV2(), issuerV1()],
      requiredClaims: ['exp', 'nbf', 'tid', 'oid'],
      currentDate: new Date(),
    };
    const { payload } = await jwtVerify(token, keyOf, audience === undefined ? checks : { ...checks, audience });
    if (payload['tid'] !== tenant.id) throw new Error('The token is of another tenant.');
    return payload;
  };

  return {
    issuerV2,
    issuerV1,
    forApp: (app) => issue(appV2(app)),
    forAppV1: (app, resource, extra) => issue({ ...appV1(app, resource, '1'), ...extra }),
    forPerson: (person, clientId, proof) => issue(personV2(person, clientId, proof)),
    forPersonV1: (person, clientId, proof) =>
      issue({
        ...personV1(person, clientId, proof, '00000003-0000-0000-c000-000000000000'),
        scp: 'email openid profile User.Read',
      }),
    idToken: (person, clientId, nonce) => {
      const claims = {
        aud: clientId,
        iss: issuerV2(),
        ver: '2.0',
        sid: randomUUID(),
        ...personClaims(person, clientId),
      };
      const mail = person.mail === null ? {} : { email: person.mail };
      return sign({ ...claims, ...mail, ...(nonce === undefined ? {} : { nonce }), ...lifetime(3600) });
    },
    forIdentity: (resource, roles) =>
      issue({ ...appV1(tenant.identity, resource, '2'), ...rolesClaim(roles) }, lifetime(86_400)),
    mint,
    verify,
  };
}
