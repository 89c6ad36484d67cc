import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import { POLICY, STYLE_ELEMENT } from './page-style';

/** Markup of a page, or of a part of one. */
export type Markup = ReturnType<typeof html>;

/** A whole page of the front door's site, with the way back to its start page; `title` is text. */
export function localPage(title: string, content: Markup): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Gatehouse on this machine</title>
        ${raw(STYLE_ELEMENT)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <nav aria-label="Local stack">
            <ul>
              <li><a href="/">Start</a></li>
              <li><a href="/local/requests">Requests and their timelines</a></li>
            </ul>
          </nav>
        </header>
        <main id="content">${content}</main>
        <footer>This page belongs to the local stack. It is not part of the app, and nothing of it is deployed.</footer>
      </body>
    </html>`;
}

/** Answers with a page: no script, no other style, kept by nobody. */
export function sendLocalPage(
  c: Context,
  page: Markup,
  status: 200 | 400 | 401 | 403 | 404 | 502 = 200,
): Response | Promise<Response> {
  c.header('Content-Security-Policy', POLICY);
  c.header('Cache-Control', 'no-store');
  c.header('X-Content-Type-Options', 'nosniff');
  c.header('Referrer-Policy', 'same-origin');
  return c.html(page, status);
}
