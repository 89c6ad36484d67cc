import type { Context } from 'hono';
import { html } from 'hono/html';
import { DEVICE_CODE_SECONDS } from './grants';
import type { Grants } from './grants';
import { OAuthError, unknownClient } from './oauth-errors';
import { errorPage, sendPage, signInPage } from './page';
import { personByAlias } from './registrations';
import type { Registrations } from './registrations';
import { parseDelegatedScope } from './scopes';
import { field } from './token-endpoint';
import type { Form } from './token-endpoint';

export interface DeviceParts {
  registrations: Registrations;
  grants: Grants;
}

/** `POST /{tid}/oauth2/v2.0/devicecode`: only public clients sign people in that way. */
export function startDevice(parts: DeviceParts, form: Form, verificationUri: string): Record<string, string | number> {
  const clientId = field(form, 'client_id');
  const client = parts.registrations.find(clientId);
  if (client === undefined) throw unknownClient(clientId);
  if (client.kind !== 'public') {
    throw new OAuthError('invalid_client', 7000218, `The application '${clientId}' is no public client.`, 401);
  }
  const scope = field(form, 'scope');
  parseDelegatedScope(scope);
  const { deviceCode, userCode } = parts.grants.makeDeviceCode({ clientId, scope });
  return {
    user_code: userCode,
    device_code: deviceCode,
    verification_uri: verificationUri,
    expires_in: DEVICE_CODE_SECONDS,
    interval: 5,
    message: `To sign in, use a web browser to open the page ${verificationUri} and enter the code ${userCode} to authenticate.`,
  };
}

function askForCode(c: Context, wrong: boolean): Promise<Response> {
  const body = html`<h1>Enter the code</h1>
    ${wrong ? html`<p role="alert">That code didn’t work. Check it and try again; a code works once and for 15 minutes.</p>` : ''}
    <form method="get" class="row">
      <div>
        <label for="code">The code that your command line shows</label>
        <input
          type="text"
          id="code"
          name="code"
          required
          maxlength="12"
          autocomplete="off"
          autocapitalize="characters"
        />
      </div>
      <button class="plain">Next</button>
    </form>`;
  return sendPage(c, { title: 'Enter the code', body, status: wrong ? 400 : 200 });
}

function decide(c: Context, parts: DeviceParts, code: string, alias: string | undefined): Promise<Response> {
  const person = alias === undefined ? undefined : personByAlias(alias);
  if (alias !== undefined && person === undefined) return errorPage(c, 'AADSTS50034: The user account does not exist.');
  if (person?.accountEnabled === false) return errorPage(c, 'AADSTS50057: The user account is disabled.');
  if (!parts.grants.decideDevice(code, alias)) return askForCode(c, true);
  const outcome = person === undefined ? 'The sign-in was cancelled.' : 'You have signed in on your device.';
  return sendPage(c, {
    title: outcome,
    body: html`<h1>${outcome}</h1>
      <p>You can close this window now.</p>`,
  });
}

/** `GET` and `POST /{tid}/oauth2/deviceauth`: the page where the code is entered and the person chosen. */
export function devicePage(parts: DeviceParts, c: Context, form: Form): Promise<Response> {
  const code = form.get('code')?.replace(/[\s-]/g, '').toUpperCase();
  if (code === undefined || code === '') return askForCode(c, false);
  if (c.req.method === 'POST') return decide(c, parts, code, form.get('person'));
  const request = parts.grants.findUserCode(code);
  if (request === undefined) return askForCode(c, true);
  const client = parts.registrations.find(request.clientId);
  return signInPage(c, {
    client: client?.displayName ?? request.clientId,
    action: new URL(c.req.url).pathname,
    hidden: [['code', code]],
    hint: form.get('login_hint'),
    formTargets: [],
  });
}
