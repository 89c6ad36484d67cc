import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { Mailbox } from './message';
import { STYLES } from './styles';
import { deliveriesTo } from './store';
import type { MailboxCount, StoredMessage } from './store';

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const COMMON_SECURITY = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
const STYLE_HASH = createHash('sha256').update(STYLES).digest('base64');

/** Response headers of the inbox's own pages: no script at all, one stylesheet. */
export const PAGE_SECURITY = {
  ...COMMON_SECURITY,
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
};

// A page opened from a mail must be a page like any other, so popups leave the sandbox.
const SANDBOX = 'allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation';

/** Response headers of a mail's own HTML, which is anybody's text: nothing in it runs or loads. */
export const BODY_SECURITY = {
  ...COMMON_SECURITY,
  'content-security-policy': `sandbox ${SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`,
};

/** What stands around a message, or alone. */
export interface Frame {
  /** The mailbox that is looked at; all when absent. */
  to: string | undefined;
  mailboxes: MailboxCount[];
  total: number;
  messages: StoredMessage[];
  /** Sequence before which older messages begin. */
  older: number | undefined;
}

export interface ShownMessage extends StoredMessage {
  headers: Record<string, string>;
  view: 'html' | 'text' | 'headers' | undefined;
}

const time = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
const when = (at: Date): Html => html`<time datetime="${at.toISOString()}">${time.format(at)} UTC</time>`;
const query = (values: Record<string, string | undefined>): string => {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
};
const current = (on: boolean): Html => (on ? html` aria-current="true"` : html``);
const badges = (stored: StoredMessage, to: string | undefined): Html[] => {
  const problems = deliveriesTo(stored, to).flatMap(({ status }) => (status === 'Delivered' ? [] : status));
  return [...new Set(problems)].map((status) => html`<span class="badge">${status.replace(/\B[A-Z]/g, ' $&')}</span> `);
};

function page(title: string, main: Html, wide = ''): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${raw(`<style>${STYLES}</style>`)}
      </head>
      <body class="${wide}">
        <a class="skip" href="#main">Skip to the mail</a>
        <header class="bar">
          <span class="name"><a href="/">Local inbox</a></span
          ><a href="">Refresh</a>
        </header>
        ${main}
      </body>
    </html>`;
}

function boxes({ mailboxes, to, total }: Frame): Html {
  return html`<nav class="boxes" aria-labelledby="mailboxes">
    <h2 id="mailboxes">Mailboxes</h2>
    <ul>
      <li>
        <a href="/" ${current(to === undefined)}
          >All mail <span class="count">${total}<span class="hidden"> messages</span></span></a
        >
      </li>
      ${mailboxes.map(
        ({ address, count }) =>
          html`<li>
            <a href="/${query({ to: address })}" ${current(to?.toLowerCase() === address)}
              ><bdi>${address}</bdi> <span class="count">${count}<span class="hidden"> messages</span></span></a
            >
          </li> `,
      )}
    </ul>
  </nav>`;
}

function mails({ messages, to, older }: Frame, open: string | undefined): Html {
  if (messages.length === 0) {
    return html`<p class="empty">No mail here. It appears as soon as something is sent; use “Refresh”.</p>`;
  }
  return html`<ul class="mails">
      ${messages.map(
        (stored) =>
          html`<li>
            <a href="/messages/${stored.id}${query({ to })}" ${current(stored.id === open)}
              ><span class="subject"><bdi>${stored.message.content.subject}</bdi> ${badges(stored, to)}</span
              ><span class="who"
                ><bdi
                  >${to === undefined ? stored.deliveries.map(({ address }) => address).join(', ') : stored.message.senderAddress}</bdi
                ></span
              >${when(stored.accepted)}</a
            >
          </li> `,
      )}
    </ul>
    ${older === undefined ? '' : html`<p class="older"><a href="/${query({ to, before: String(older) })}">Older mail</a></p>`}`;
}

/** Mailboxes and the list of messages. */
export function inboxPage(frame: Frame): Html {
  const title = frame.to ?? 'All mail';
  return page(
    `${title} – Local inbox`,
    html`<div class="panes">
      ${boxes(frame)}
      <main id="main" class="list" tabindex="-1">
        <h1><bdi>${title}</bdi></h1>
        ${mails(frame, undefined)}
      </main>
    </div>`,
  );
}

const people = (list: Mailbox[]): Html[] =>
  list.map(
    ({ address, displayName }, index) =>
      html`${index === 0 ? '' : ', '}<bdi>${displayName === '' ? address : `${displayName} <${address}>`}</bdi>`,
  );

function summary(message: ShownMessage): Html {
  const { recipients, replyTo, senderAddress } = message.message;
  const line = (name: string, list: Mailbox[]): Html =>
    list.length === 0
      ? html``
      : html`<dt>${name}</dt>
          <dd>${people(list)}</dd>`;
  return html`<dl>
    <dt>From</dt>
    <dd><bdi>${senderAddress}</bdi></dd>
    ${line('To', recipients.to)}${line('Cc', recipients.cc)}${line('Bcc', recipients.bcc)}${line('Reply to', replyTo)}
    <dt>Date</dt>
    <dd>${when(message.accepted)}</dd>
  </dl>`;
}

function links(text: string): Html[] {
  return text
    .split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/)
    .map((part, index) =>
      index % 2 === 1 ? html`<a href="${part}" target="_blank" rel="noopener noreferrer">${part}</a>` : html`${part}`,
    );
}

function body(message: ShownMessage, shown: 'html' | 'text' | 'headers'): Html {
  if (shown === 'html') {
    return html`<iframe src="/messages/${message.id}/html" title="Text of the mail" sandbox="${SANDBOX}"></iframe>`;
  }
  if (shown === 'text') return html`<pre>${links(message.message.content.plainText)}</pre>`;
  const lines = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`);
  return html`<pre>${[...lines, '', `Operation-Id: ${message.operationId}`].join('\n')}</pre>`;
}

function attachments({ id, message }: ShownMessage): Html {
  if (message.attachments.length === 0) return html``;
  return html`<ul class="meta" aria-label="Attachments">
    ${message.attachments.map(
      ({ name, contentType }, index) =>
        html`<li>
          <a href="/messages/${id}/attachments/${index}"><bdi>${name}</bdi></a> (${contentType})
        </li>`,
    )}
  </ul>`;
}

/** One message, beside mailboxes and list where there is room. */
export function messagePage(frame: Frame, message: ShownMessage): Html {
  const { subject, html: markup, plainText } = message.message.content;
  const shown = message.view ?? (markup === '' ? 'text' : 'html');
  const tab = (view: 'html' | 'text' | 'headers', name: string): Html =>
    html`<a
      href="/messages/${message.id}${query({ view, to: frame.to })}"
      ${shown === view ? html` aria-current="page"` : ''}
      >${name}</a
    >`;
  return page(
    `${subject} – Local inbox`,
    html`<div class="panes">
      ${boxes(frame)}
      <section class="list" aria-labelledby="list">
        <h2 id="list"><bdi>${frame.to ?? 'All mail'}</bdi></h2>
        ${mails(frame, message.id)}
      </section>
      <main id="main" class="mail" tabindex="-1">
        <p class="back"><a href="/${query({ to: frame.to })}">Back to the list</a></p>
        <h1><bdi>${subject}</bdi> ${badges(message, frame.to)}</h1>
        ${summary(message)} ${attachments(message)}
        <nav class="tabs" aria-label="View">
          ${markup === '' ? '' : tab('html', 'Mail')}${plainText === '' ? '' : tab('text', 'Plain text')}${tab('headers', 'Headers')}
        </nav>
        ${body(message, shown)}
      </main>
    </div>`,
    'reading',
  );
}

export function notFoundPage(): Html {
  return page(
    'Not here – Local inbox',
    html`<main id="main" class="mail">
      <h1>There is nothing here</h1>
      <p>The mail may have been deleted. <a href="/">Show all mail</a></p>
    </main>`,
  );
}

/** A mail's HTML with its links made to open beside the inbox; the response's sandbox makes it harmless. */
export function framedBody(markup: string): string {
  const base = '<base target="_blank">';
  for (const opening of [/<head(?:\s[^>]*)?>/i, /<html(?:\s[^>]*)?>/i, /<!doctype[^>]*>/i]) {
    if (opening.test(markup)) return markup.replace(opening, (tag) => tag + base);
  }
  return `<!doctype html>${base}${markup}`;
}
