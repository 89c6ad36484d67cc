import { createHash, timingSafeEqual } from 'node:crypto';
import type { Person } from '../demo-tenant';
import type { Grant, Grants } from './grants';
import { missingParameter, OAuthError, unknownClient } from './oauth-errors';
import { personByAlias } from './registrations';
import type { Client, Registrations } from './registrations';
import { parseAppScope, parseDelegatedScope } from './scopes';
import type { ClientProof, Tokens } from './tokens';

/** A form's fields, each once. */
export type Form = ReadonlyMap<string, string>;

export interface TokenAnswer {
  token_type: 'Bearer';
  scope?: string;
  expires_in: number;
  ext_expires_in: number;
  access_token: string;
  refresh_token?: string;
  id_token?: string;
}

export interface TokenEndpointParts {
  registrations: Registrations;
  grants: Grants;
  tokens: Tokens;
}

/** A client that proved to be itself. */
interface ProvenClient {
  client: Client;
  proof: ClientProof;
}

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

/** A required field of a form. */
export function field(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined || value === '') throw missingParameter(name);
  return value;
}

function same(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function basicCredentials(authorization: string | undefined): { id: string; secret: string } | undefined {
  if (authorization === undefined || !/^basic /i.test(authorization)) return undefined;
  const text = Buffer.from(authorization.slice(6), 'base64').toString();
  const at = text.indexOf(':');
  if (at < 0) return undefined;
  try {
    return { id: decodeURIComponent(text.slice(0, at)), secret: decodeURIComponent(text.slice(at + 1)) };
  } catch {
    return undefined;
  }
}

function authenticate(registrations: Registrations, form: Form, authorization: string | undefined): ProvenClient {
  const basic = basicCredentials(authorization);
  const clientId = basic?.id ?? field(form, 'client_id');
  const secret = basic?.secret ?? form.get('client_secret');
  const client = registrations.find(clientId);
  if (client === undefined) throw unknownClient(clientId);
  if (client.kind === 'public') {
    if (secret === undefined) return { client, proof: '0' };
    const sentence = `Client is public so neither 'client_assertion' nor 'client_secret' should be presented.`;
    throw new OAuthError('invalid_request', 700025, sentence, 401);
  }
  if (secret === undefined) {
    const sentence = `The request body must contain the following parameter: 'client_assertion' or 'client_secret'.`;
    throw new OAuthError('invalid_client', 7000218, sentence, 401);
  }
  if (!same(secret, client.secret)) {
    const sentence = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${client.id}'.`;
    throw new OAuthError('invalid_client', 7000215, sentence, 401);
  }
  return { client, proof: '1' };
}

async function clientCredentials(parts: TokenEndpointParts, proven: ProvenClient, form: Form): Promise<TokenAnswer> {
  const { client } = proven;
  if (client.kind === 'public') {
    const sentence = `The request body must contain the following parameter: 'client_assertion' or 'client_secret'.`;
    throw new OAuthError('invalid_client', 7000218, sentence, 401);
  }
  const { resource, identifier } = parseAppScope(field(form, 'scope'));
  const issued =
    resource.kind === 'gatehouse'
      ? await parts.tokens.forApp(client.app)
      : await parts.tokens.forAppV1(client.app, identifier, {});
  const { expiresIn, token } = issued;
  return { token_type: 'Bearer', expires_in: expiresIn, ext_expires_in: expiresIn, access_token: token };
}

/** The person of a grant, who may have been disabled since. */
function personOf(grant: Grant): Person {
  const person = personByAlias(grant.person);
  if (person === undefined)
    throw new OAuthError('invalid_grant', 50034, 'The user account does not exist in the directory.');
  if (!person.accountEnabled) throw new OAuthError('invalid_grant', 50057, 'The user account is disabled.');
  return person;
}

async function answerPerson(
  parts: TokenEndpointParts,
  { client, proof }: ProvenClient,
  grant: Grant,
): Promise<TokenAnswer> {
  const person = personOf(grant);
  const scope = parseDelegatedScope(grant.scope);
  const issued =
    scope.resource.kind === 'gatehouse'
      ? await parts.tokens.forPerson(person, client.id, proof)
      : await parts.tokens.forPersonV1(person, client.id, proof);
  return {
    token_type: 'Bearer',
    scope: scope.granted,
    expires_in: issued.expiresIn,
    ext_expires_in: issued.expiresIn,
    access_token: issued.token,
    ...(scope.offline ? { refresh_token: parts.grants.makeRefreshToken({ ...grant, nonce: undefined }) } : {}),
    ...(scope.openid ? { id_token: await parts.tokens.idToken(person, client.id, grant.nonce) } : {}),
  };
}

const otherClient = (): OAuthError =>
  new OAuthError('invalid_grant', 70000, 'Provided grant is invalid or malformed: it was issued to another client.');

function checkVerifier(grant: Grant, verifier: string | undefined): void {
  if (grant.challenge === undefined) return;
  if (verifier === undefined) throw missingParameter('code_verifier');
  if (createHash('sha256').update(verifier).digest('base64url') === grant.challenge) return;
  const sentence = 'The Code_Verifier does not match the code_challenge supplied in the authorization request.';
  throw new OAuthError('invalid_grant', 501481, sentence);
}

function redeem(grants: Grants, code: string): Grant {
  const redemption = grants.redeemCode(code);
  switch (redemption.kind) {
    case 'redeemed':
      return redemption.grant;
    case 'used':
      throw new OAuthError(
        'invalid_grant',
        54005,
        'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
      );
    case 'expired':
      throw new OAuthError(
        'invalid_grant',
        70008,
        'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
      );
    case 'unknown':
      throw new OAuthError('invalid_grant', 9002313, 'Invalid request. Request is malformed or invalid.');
  }
}

function authorizationCode(parts: TokenEndpointParts, proven: ProvenClient, form: Form): Promise<TokenAnswer> {
  const grant = redeem(parts.grants, field(form, 'code'));
  if (grant.clientId !== proven.client.id) throw otherClient();
  const redirectUri = field(form, 'redirect_uri');
  if (redirectUri !== grant.redirectUri) {
    const sentence = `The reply address '${redirectUri}' does not match the reply address '${grant.redirectUri ?? ''}' provided when requesting Authorization code.`;
    throw new OAuthError('invalid_client', 500112, sentence);
  }
  checkVerifier(grant, form.get('code_verifier'));
  return answerPerson(parts, proven, grant);
}

function refreshToken(parts: TokenEndpointParts, proven: ProvenClient, form: Form): Promise<TokenAnswer> {
  const grant = parts.grants.findRefreshToken(field(form, 'refresh_token'));
  if (grant === undefined)
    throw new OAuthError('invalid_grant', 9002313, 'Invalid request. Request is malformed or invalid.');
  if (grant.clientId !== proven.client.id) throw otherClient();
  const scope = form.get('scope');
  return answerPerson(parts, proven, scope === undefined ? grant : { ...grant, scope });
}

function deviceCode(parts: TokenEndpointParts, proven: ProvenClient, form: Form): Promise<TokenAnswer> {
  const poll = parts.grants.pollDevice(field(form, 'device_code'), proven.client.id);
  switch (poll.kind) {
    case 'signed-in':
      return answerPerson(parts, proven, poll.grant);
    case 'pending':
      throw new OAuthError(
        'authorization_pending',
        70016,
        'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
      );
    case 'declined':
      throw new OAuthError('authorization_declined', 70018, 'The end user denied the authorization request.');
    case 'expired':
      throw new OAuthError(
        'expired_token',
        70020,
        'The provided value for the input parameter device_code is not valid. This device code has expired.',
      );
    case 'other-client':
      throw otherClient();
    case 'unknown':
      throw new OAuthError('invalid_grant', 70019, 'The verification code is not valid.');
  }
}

/** `POST /{tid}/oauth2/v2.0/token`; throws `OAuthError`. */
export async function grantToken(
  parts: TokenEndpointParts,
  form: Form,
  authorization: string | undefined,
): Promise<TokenAnswer> {
  const grantType = field(form, 'grant_type');
  const proven = authenticate(parts.registrations, form, authorization);
  switch (grantType) {
    case 'client_credentials':
      return clientCredentials(parts, proven, form);
    case 'authorization_code':
      return authorizationCode(parts, proven, form);
    case 'refresh_token':
      return refreshToken(parts, proven, form);
    case DEVICE_CODE:
    case 'device_code':
      return deviceCode(parts, proven, form);
    default:
      throw new OAuthError(
        'unsupported_grant_type',
        70003,
        `The app requested an unsupported grant type '${grantType}'.`,
      );
  }
}
