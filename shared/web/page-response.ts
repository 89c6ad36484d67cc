import { createHash } from 'node:crypto';

import type { Cookie, HttpResponseInit } from '@azure/functions';

import type { Html } from './html';
import { pageStyle } from './pages/layout';

const STYLE_HASH = createHash('sha256').update(pageStyle).digest('base64');

/** Nothing is loaded, framed, cached, indexed or told to other sites; the only thing a page may do is post its own form. */
const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'x-robots-tag': 'noindex, nofollow',
} as const;

export function pageResponse(status: number, page: Html, cookies: Cookie[] = []): HttpResponseInit {
  return { status, headers: PAGE_HEADERS, body: page.toString(), cookies };
}
