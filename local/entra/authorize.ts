import type { Context } from 'hono';
import type { Grants } from './grants';
import { OAuthError, oauthErrorBody, unknownClient } from './oauth-errors';
import { errorPage, signInPage } from './page';
import { mayRedirectTo, personByAlias } from './registrations';
import type { Client, Registrations } from './registrations';
import { parseDelegatedScope } from './scopes';
import { field } from './token-endpoint';
import type { Form } from './token-endpoint';

export interface AuthorizeParts {
  registrations: Registrations;
  grants: Grants;
  httpBase: () => string;
}

type ResponseMode = 'query' | 'fragment';

/** Where the answer goes, once client and redirect URI are known to be right. */
interface ReplyTo {
  client: Client;
  redirectUri: string;
  mode: ResponseMode;
  state: string | undefined;
}

interface SignInRequest {
  scope: string;
  nonce: string | undefined;
  challenge: string | undefined;
}

/** What the sign-in page's form carries on. */
const CARRIED = [
  'client_id',
  'response_type',
  'redirect_uri',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'response_mode',
];

const invalid = (code: number, sentence: string): OAuthError => new OAuthError('invalid_request', code, sentence);

/** Errors before this point may not be sent anywhere: they are shown. */
function readReplyTo(registrations: Registrations, form: Form): ReplyTo {
  const clientId = field(form, 'client_id');
  const client = registrations.find(clientId);
  if (client === undefined) throw unknownClient(clientId);
  const redirectUri = field(form, 'redirect_uri');
  if (!mayRedirectTo(client, redirectUri)) {
    throw invalid(
      50011,
      `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the application '${clientId}'.`,
    );
  }
  const mode = form.get('response_mode') ?? 'query';
  if (mode !== 'query' && mode !== 'fragment') {
    throw invalid(90014, `The local issuer answers with response_mode query or fragment, not '${mode}'.`);
  }
  return { client, redirectUri, mode, state: form.get('state') };
}

function readChallenge(client: Client, form: Form): string | undefined {
  const challenge = form.get('code_challenge');
  if (challenge === undefined) {
    if (client.kind !== 'public') return undefined;
    throw invalid(9002325, 'Proof Key for Code Exchange is required: the request has no code_challenge.');
  }
  if (form.get('code_challenge_method') !== 'S256') {
    throw invalid(9002341, `The value of code_challenge_method must be 'S256'.`);
  }
  if (!/^[\w-]{43}$/.test(challenge))
    throw invalid(50147, 'The size or form of the Code_Challenge parameter is not valid.');
  return challenge;
}

function readSignIn(client: Client, form: Form): SignInRequest {
  const responseType = field(form, 'response_type');
  if (responseType !== 'code') {
    const sentence = `The response_type '${responseType}' is not enabled for the application.`;
    throw new OAuthError('unsupported_response_type', 700054, sentence);
  }
  const scope = field(form, 'scope');
  parseDelegatedScope(scope);
  const challenge = readChallenge(client, form);
  if (form.get('prompt') === 'none') {
    const sentence = 'A silent sign-in request was sent but no user is signed in.';
    throw new OAuthError('login_required', 50058, sentence);
  }
  return { scope, nonce: form.get('nonce'), challenge };
}

function reply(c: Context, to: ReplyTo, answer: Record<string, string>): Response {
  const url = new URL(to.redirectUri);
  const params = to.mode === 'query' ? url.searchParams : new URLSearchParams();
  for (const [name, value] of Object.entries(answer)) params.set(name, value);
  if (to.state !== undefined) params.set('state', to.state);
  if (to.mode === 'fragment') url.hash = params.toString();
  c.header('cache-control', 'no-store');
  c.header('referrer-policy', 'no-referrer');
  return c.redirect(url.href, 302);
}

function replyError(c: Context, parts: AuthorizeParts, to: ReplyTo, error: OAuthError): Response {
  const body = oauthErrorBody(error, parts.httpBase());
  return reply(c, to, { error: body.error, error_description: body.error_description, error_uri: body.error_uri });
}

function showSignIn(c: Context, to: ReplyTo, form: Form): Promise<Response> {
  const hidden = CARRIED.flatMap((name): [string, string][] => {
    const value = form.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return signInPage(c, {
    client: to.client.displayName,
    action: new URL(c.req.url).pathname,
    hidden,
    hint: form.get('login_hint'),
    // The form's answer is a redirect to the client; browsers hold redirects to `form-action` as well.
    formTargets: [new URL(to.redirectUri).origin],
  });
}

/** Who pressed which button: a code for the client, or the reason why there is none. */
function decide(c: Context, parts: AuthorizeParts, to: ReplyTo, request: SignInRequest, form: Form): Response {
  const alias = form.get('person');
  if (alias === undefined)
    throw new OAuthError('access_denied', 65004, 'The user declined to consent to access the app.');
  const person = personByAlias(alias);
  if (person === undefined)
    throw new OAuthError('access_denied', 50034, `The user account '${alias}' does not exist in the directory.`);
  if (!person.accountEnabled) throw new OAuthError('access_denied', 50057, 'The user account is disabled.');
  const { scope, nonce, challenge } = request;
  const code = parts.grants.makeCode({
    clientId: to.client.id,
    person: alias,
    redirectUri: to.redirectUri,
    scope,
    nonce,
    challenge,
  });
  return reply(c, to, { code });
}

/** `GET` and `POST /{tid}/oauth2/v2.0/authorize`. */
export async function authorize(parts: AuthorizeParts, c: Context, form: Form): Promise<Response> {
  let to: ReplyTo;
  try {
    to = readReplyTo(parts.registrations, form);
  } catch (error) {
    if (error instanceof OAuthError) return errorPage(c, error.message);
    throw error;
  }
  try {
    const request = readSignIn(to.client, form);
    const chosen = c.req.method === 'POST' && (form.has('person') || form.has('cancel'));
    return chosen ? decide(c, parts, to, request, form) : await showSignIn(c, to, form);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    // Entra shows a disabled account its error and leaves the client out of it.
    if (error.code === 50057) return errorPage(c, error.message);
    return replyError(c, parts, to, error);
  }
}
