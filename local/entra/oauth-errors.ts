import { randomUUID } from 'node:crypto';

/** The `error` values that Entra answers with. */
export type OAuthErrorName =
  | 'access_denied'
  | 'authorization_declined'
  | 'authorization_pending'
  | 'expired_token'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_request'
  | 'invalid_resource'
  | 'invalid_scope'
  | 'login_required'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type';

/** What Entra refuses: an OAuth error with the AADSTS number that its documentation explains. */
export class OAuthError extends Error {
  constructor(
    readonly error: OAuthErrorName,
    readonly code: number,
    readonly sentence: string,
    /** Only an RFC 6749 redirect or a page carries errors from `/authorize`; the token endpoint answers this status. */
    readonly status: 400 | 401 = 400,
  ) {
    super(`AADSTS${String(code)}: ${sentence}`);
  }
}

export interface OAuthErrorBody {
  error: OAuthErrorName;
  error_description: string;
  error_codes: number[];
  timestamp: string;
  trace_id: string;
  correlation_id: string;
  error_uri: string;
}

/** The body of Entra's error answers. */
export function oauthErrorBody(error: OAuthError, base: string, correlationId: string = randomUUID()): OAuthErrorBody {
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const traceId = randomUUID();
  return {
    error: error.error,
    error_description: `${error.message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [error.code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `${base}/error?code=${String(error.code)}`,
  };
}

export const missingParameter = (name: string): OAuthError =>
  new OAuthError('invalid_request', 900144, `The request body must contain the following parameter: '${name}'.`);

export const unknownTenant = (name: string): OAuthError =>
  new OAuthError(
    'invalid_request',
    90002,
    `Tenant '${name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
  );

export const unknownClient = (clientId: string): OAuthError =>
  new OAuthError(
    'unauthorized_client',
    700016,
    `Application with identifier '${clientId}' was not found in the directory 'Contoso'.`,
  );

export const unknownResource = (resource: string): OAuthError =>
  new OAuthError(
    'invalid_resource',
    500011,
    `The resource principal named ${resource} was not found in the tenant named Contoso.`,
  );
