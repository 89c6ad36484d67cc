import { createHash, createHmac, randomUUID } from 'node:crypto';
import { SignJWT, generateKeyPair, jwtVerify } from 'jose';
import { createMail } from '../../../../local/mail/mail';
import type { Mail, MailOptions } from '../../../../local/mail/mail';

export const ACS = 'https://localhost:7077';
export const INBOX = 'http://localhost:7076';
export const ACCESS_KEY = Buffer.from('the access key of the tests').toString('base64');
export const VERSION = 'api-version=2025-09-01';

/** An issuer with its own key: signs tokens and checks them as the stack's caller does. */
export async function createIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  return {
    sign: (claims: { aud?: string; exp?: number } = {}) =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'RS256' })
        .setAudience(claims.aud ?? 'https://communication.azure.com')
        .setExpirationTime(claims.exp ?? Math.floor(Date.now() / 1000) + 3600)
        .sign(privateKey),
    verify: async (token: string) => (await jwtVerify(token, publicKey)).payload,
  };
}
export type Issuer = Awaited<ReturnType<typeof createIssuer>>;

export function openMail(issuer: Issuer, options: Partial<MailOptions> = {}): Mail {
  return createMail({
    state: ':memory:',
    verifyToken: issuer.verify,
    accessKey: ACCESS_KEY,
    senderDomains: ['contoso.example'],
    acsBase: () => ACS,
    ...options,
  });
}

export function letter(changes: Record<string, unknown> = {}) {
  return {
    senderAddress: 'gatehouse@contoso.example',
    content: {
      subject: 'Ada asks to join Finance',
      plainText: 'Open https://localhost:7070/decide/1.',
      html: '<p>Hello</p>',
    },
    recipients: { to: [{ address: 'owner@contoso.example', displayName: 'Olga Owner' }] },
    ...changes,
  };
}

export interface SendOptions {
  operationId?: string | undefined;
  query?: string;
  headers?: Record<string, string>;
}

/** Calls of one caller with an Entra token. */
export async function callerOf(mail: Mail, issuer: Issuer) {
  const authorization = `Bearer ${await issuer.sign()}`;
  const request = (path: string, init: RequestInit = {}) =>
    mail.acs.request(ACS + path, { ...init, headers: { authorization, ...(init.headers as Record<string, string>) } });
  return {
    request,
    send: (body: unknown, { operationId, query = VERSION, headers = {} }: SendOptions = {}) =>
      request(`/emails:send?${query}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(operationId !== undefined && { 'operation-id': operationId }),
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    status: (id: string) => request(`/emails/operations/${id}?${VERSION}`),
  };
}
export type Caller = Awaited<ReturnType<typeof callerOf>>;

export interface ListedMessage {
  id: string;
  sequence: number;
  operationId: string;
  to: string[];
  subject: string;
  status: string;
  headers: Record<string, string>;
  plainText: string;
  receivedAt: string;
  recipients: { address: string; displayName: string; kind: string; status: string }[];
}

export async function listed(mail: Mail, query = ''): Promise<{ messages: ListedMessage[]; sequence: number }> {
  const response = await mail.inbox.request(`${INBOX}/api/messages${query}`);
  return (await response.json()) as { messages: ListedMessage[]; sequence: number };
}

export function admin(mail: Mail, method: string, path: string, body?: unknown) {
  return mail.inbox.request(`${INBOX}/admin/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
}

export async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  const body = (await response.json()) as { error: { code: string; message: string } };
  expect(response.headers.get('x-ms-error-code')).toBe(body.error.code);
  return { status: response.status, ...body.error };
}

/** A call signed with an access key, as `@azure/communication-common` signs. */
export function signed(path: string, body: string, changes: { key?: string; date?: Date; hashOf?: string } = {}) {
  const date = (changes.date ?? new Date()).toUTCString();
  const hash = createHash('sha256')
    .update(changes.hashOf ?? body)
    .digest('base64');
  const signature = createHmac('sha256', Buffer.from(changes.key ?? ACCESS_KEY, 'base64'))
    .update(`POST\n${path}\n${date};localhost:7077;${hash}`)
    .digest('base64');
  return {
    method: 'POST',
    body,
    headers: {
      'x-ms-date': date,
      'x-ms-content-sha256': hash,
      authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
    },
  };
}

export const newId = randomUUID;
