import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { denied } from './errors';

/** What of a validated token counts here; jose's `JWTPayload` fits. */
export interface TokenClaims {
  aud?: string | string[] | undefined;
  exp?: number | undefined;
}

export interface Credentials {
  /** Resolves to the claims of a token whose issuer, signature and times hold; throws otherwise. */
  verifyToken: (token: string) => Promise<TokenClaims>;
  /** Base64, as in a connection string; without it HMAC is refused. */
  accessKey?: string | undefined;
}

export interface SignedCall {
  method: string;
  pathAndQuery: string;
  host: string;
  header: (name: string) => string | undefined;
  body: Uint8Array;
}

const AUDIENCES = ['https://communication.azure.com', 'https://communication.azure.com/'];
const SKEW_MS = 5 * 60_000;
const HMAC = /^HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=([A-Za-z0-9+/]+={0,2})$/;

function same(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

async function checkToken(token: string, { verifyToken }: Credentials): Promise<void> {
  const claims = await verifyToken(token).catch(() => {
    throw denied();
  });
  const audiences = [claims.aud ?? []].flat();
  if (!audiences.some((audience) => AUDIENCES.includes(audience))) throw denied();
  if (claims.exp === undefined || claims.exp * 1000 <= Date.now()) throw denied();
}

function checkSignature(call: SignedCall, signature: string, accessKey: string): void {
  const date = call.header('x-ms-date') ?? '';
  const hash = call.header('x-ms-content-sha256') ?? '';
  const text = `${call.method}\n${call.pathAndQuery}\n${date};${call.host};${hash}`;
  const expected = createHmac('sha256', Buffer.from(accessKey, 'base64')).update(text).digest('base64');
  if (!same(signature, expected)) throw denied();

  const at = Date.parse(date);
  if (Number.isNaN(at) || Math.abs(Date.now() - at) > SKEW_MS) {
    throw denied('Access denied due to time difference between the originating client and the receiving server.');
  }
  if (!same(hash, createHash('sha256').update(call.body).digest('base64'))) {
    throw denied("Request 'x-ms-content-sha256' differs from generated content hash.");
  }
}

/**
 * Lets a call pass that carries an Entra token for ACS or a valid HMAC signature.
 * @throws ServiceError 401 `Denied` otherwise
 */
export async function authenticate(call: SignedCall, credentials: Credentials): Promise<void> {
  const authorization = call.header('authorization') ?? '';
  const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
  if (token !== undefined) return checkToken(token, credentials);
  const signature = HMAC.exec(authorization)?.[1];
  if (signature === undefined || credentials.accessKey === undefined) throw denied();
  checkSignature(call, signature, credentials.accessKey);
}
