import { randomBytes, timingSafeEqual } from 'node:crypto';

import type { Cookie } from '@azure/functions';

/** The `__Host-` prefix keeps other hosts of the domain from setting it. */
const NAME = '__Host-gatehouse-form';
const TOKEN = /^[A-Za-z0-9_-]{22}$/;

type Headers = { get(name: string): string | null };

function tokenIn(headers: Headers): string | undefined {
  const pairs = (headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  const value = pairs.find((pair) => pair.startsWith(`${NAME}=`))?.slice(NAME.length + 1);
  return value !== undefined && TOKEN.test(value) ? value : undefined;
}

/** The token for a form and the cookie that it must match; a browser keeps its token, so that several open pages all work. */
export function formToken(headers: Headers): { token: string; cookie: Cookie } {
  const token = tokenIn(headers) ?? randomBytes(16).toString('base64url');
  return { token, cookie: { name: NAME, value: token, path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } };
}

/**
 * A browser says `Origin: null` for a form of a page with the referrer policy `no-referrer` (Fetch standard, "append a request Origin
 * header"); `Sec-Fetch-Site`, which no page can set, then says whether the form is of our own origin.
 */
export function isOurOrigin(headers: Headers, base: string): boolean {
  const origin = headers.get('origin');
  if (origin === 'null') return headers.get('sec-fetch-site') === 'same-origin';
  return origin === new URL(base).origin;
}

/** Whether a post comes from a form that we gave to this browser: its origin is ours, and cookie and field are the same. */
export function isOurForm(headers: Headers, field: string, base: string): boolean {
  if (!isOurOrigin(headers, base)) return false;
  const cookie = tokenIn(headers);
  return cookie !== undefined && TOKEN.test(field) && timingSafeEqual(Buffer.from(cookie), Buffer.from(field));
}
