import { Hono } from 'hono';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import { z } from 'zod';
import type { Clock } from '../clock/clock';
import { groups, people, tenant, userPrincipalNameOf } from '../demo-tenant';
import type { Group, Person } from '../demo-tenant';
import { firstRequestCurl } from './first-request';
import { POLICY, STYLE_ELEMENT } from './home-style';
import type { Urls } from './settings';
import { readRequest, readRequests } from './timeline';
import type { RequestDetails, RequestSummary } from './timeline';

export interface HomeOptions {
  urls: Urls;
  clock: Clock;
  /** An operator's token for the app, from the local issuer. */
  operatorToken: () => Promise<string>;
}

type Page = ReturnType<typeof html>;

const MOVES = {
  PT10M: { label: '10 minutes', ms: 600_000 },
  PT1H: { label: '1 hour', ms: 3_600_000 },
  P1D: { label: '1 day', ms: 86_400_000 },
  P7D: { label: '7 days', ms: 7 * 86_400_000 },
  P30D: { label: '30 days', ms: 30 * 86_400_000 },
} as const;

const moveSchema = z.object({ move: z.enum(Object.keys(MOVES) as (keyof typeof MOVES)[]) });

const time = (iso: string): Page =>
  Number.isNaN(Date.parse(iso))
    ? html`${iso}`
    : html`<time datetime="${iso}">${iso.replace('T', ' ').replace(/\.\d+Z$|Z$/, ' UTC')}</time>`;

function layout(title: string, content: Page): Page {
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
              <li><a href="/local/requests">Requests</a></li>
            </ul>
          </nav>
        </header>
        <main id="content">${content}</main>
        <footer>This page belongs to the local stack. It is not part of the app, and nothing of it is deployed.</footer>
      </body>
    </html>`;
}

const card = (href: string, title: string, text: string): Page =>
  html`<li>
    <h3><a href="${href}">${title}</a></h3>
    <p>${text}</p>
  </li>`;

function personRow(alias: string, person: Person): Page {
  const remarks = [
    ...person.roles,
    ...(person.userType === 'Guest' ? ['guest'] : []),
    ...(person.accountEnabled ? [] : ['account disabled']),
    ...(person.mail === null ? ['no mailbox'] : []),
  ];
  return html`<tr>
    <th scope="row"><bdi>${person.displayName}</bdi></th>
    <td><code>${alias}</code></td>
    <td><code>${userPrincipalNameOf(person)}</code></td>
    <td><bdi>${person.jobTitle ?? ''}</bdi></td>
    <td>${remarks.join(', ')}</td>
  </tr>`;
}

function kindOf(group: Group): string {
  if (group.groupTypes.includes('Unified')) return 'Microsoft 365';
  if (group.mailEnabled) return group.securityEnabled ? 'mail-enabled security' : 'distribution list';
  return 'security';
}

function groupRow(alias: string, group: Group): Page {
  const remarks = [
    ...(group.onPremisesSyncEnabled === true && !group.isCloudManaged ? ['synchronised'] : []),
    ...(group.groupTypes.includes('DynamicMembership') ? ['dynamic membership'] : []),
    ...(group.isAssignableToRole === true ? ['role-assignable'] : []),
    ...(group.isManagementRestricted === true ? ['restricted management'] : []),
    ...(group.visibility === 'HiddenMembership' ? ['hidden membership'] : []),
  ];
  return html`<tr>
    <th scope="row"><bdi>${group.displayName}</bdi></th>
    <td><code>${alias}</code></td>
    <td><code>${group.id}</code></td>
    <td>${[kindOf(group), ...remarks].join(', ')}</td>
    <td>${group.owners.length === 0 ? 'nobody' : group.owners.join(', ')}</td>
  </tr>`;
}

function wideTable(caption: string, heads: string[], rows: Page[]): Page {
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function startPage({ urls, clock }: HomeOptions): Page {
  return layout(
    'Start',
    html`<h1>Gatehouse</h1>
      <p class="lead">
        People ask to join a group, its owners decide, a workflow applies it. Everything here runs on this machine: the
        unmodified app, and local parts in the place of Microsoft Entra ID, Microsoft Graph and Azure.
      </p>

      <h2 id="first">A first request</h2>
      <p>
        Paste this into bash. The HR portal, a demo system, asks that Rita may join
        <bdi>${groups.design.displayName}</bdi>; a moment later its owners have a mail in the
        <a href="${urls.mail}/">inbox</a>. A click into the block selects all of it.
      </p>
      <pre tabindex="0" aria-label="Command for bash"><code>${firstRequestCurl(urls)}</code></pre>

      <h2>Look around</h2>
      <ul class="cards">
        ${card(`${urls.mail}/`, 'Inbox', 'Every mail that the app sends, for every demo person.')}
        ${card('/local/requests', 'Requests', 'Join requests, each with its timeline.')}
        ${card(`${urls.directory}/`, 'Directory', 'People, groups, owners and members, as Microsoft Graph would answer.')}
        ${card('/api/openapi.json', 'API document', 'OpenAPI 3.1 of the HTTP API, made from what validates it.')}
      </ul>

      <h2 id="clock">Clock</h2>
      <p>
        The stack's time is <strong>${time(clock.now().toISOString())}</strong>. All its parts share this one clock:
        move it forward and reminders, deadlines and ends of membership come due.
      </p>
      <form class="moves" method="post" action="/local/clock">
        ${Object.entries(MOVES).map(
          ([move, { label }]) => html`<button name="move" value="${move}">Forward ${label}</button>`,
        )}
      </form>

      <h2>Who is who</h2>
      <p>Sign in as any of them: the sign-in page asks only who you are. Their tenant is ${tenant.displayName}.</p>
      ${wideTable(
        'Demo people',
        ['Name', 'Alias', 'Sign-in name', 'Job', 'Remarks'],
        Object.entries(people).map(([alias, person]) => personRow(alias, person)),
      )}
      <h2>Groups</h2>
      ${wideTable(
        'Demo groups',
        ['Name', 'Alias', 'Id', 'Kind', 'Owners'],
        Object.entries(groups).map(([alias, group]) => groupRow(alias, group)),
      )}`,
  );
}

function requestsPage(requests: RequestSummary[], next: string | undefined): Page {
  const row = (request: RequestSummary): Page =>
    html`<tr>
      <th scope="row">
        <a href="/local/requests/${encodeURIComponent(request.id)}"><bdi>${request.requester}</bdi></a>
      </th>
      <td><bdi>${request.group}</bdi></td>
      <td><span class="badge">${request.state}</span></td>
      <td>${time(request.filedAt)}</td>
    </tr>`;
  return layout(
    'Requests',
    html`<h1>Requests</h1>
      <p class="lead">Open ones, as operations see them. A finished request is found by its id.</p>
      ${
        requests.length === 0
          ? html`<p>No request is open. <a href="/#first">File a first one.</a></p>`
          : wideTable('Open join requests', ['Requester', 'Group', 'State', 'Filed'], requests.map(row))
      }
      ${
        next === undefined
          ? ''
          : html`<p><a href="/local/requests?next=${encodeURIComponent(next)}">More requests</a></p>`
      }
      <form class="moves" method="get" action="/local/requests">
        <label for="id">Request id</label>
        <input id="id" name="id" required pattern="[A-Za-z0-9_\\-]{1,100}" autocomplete="off" size="34" />
        <button>Show</button>
      </form>`,
  );
}

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT/.test(text);

function requestPage(request: RequestDetails): Page {
  return layout(
    `Request of ${request.requester}`,
    html`<h1><bdi>${request.requester}</bdi> and <bdi>${request.group}</bdi></h1>
      <p><span class="badge">${request.state}</span></p>
      <div class="panel">
        <dl class="facts">
          ${request.facts.map(
            ([label, value]) =>
              html`<dt>${label}</dt>
                <dd>${isTime(value) ? time(value) : html`<bdi>${value}</bdi>`}</dd>`,
          )}
        </dl>
      </div>
      <h2>What happened</h2>
      ${
        request.timeline.length === 0
          ? html`<p>The app tells no timeline for this request.</p>`
          : html`<ol class="trail">
              ${request.timeline.map(
                (entry) =>
                  html`<li>
                    <strong><bdi>${entry.text === '' ? entry.event : entry.text}</bdi></strong
                    ><br />
                    <span class="soft">${time(entry.at)} · <code>${entry.event}</code> · <bdi>${entry.by}</bdi></span>
                  </li>`,
              )}
            </ol>`
      }`,
  );
}

const problemPage = (title: string, sentence: string): Page =>
  layout(
    title,
    html`<h1>${title}</h1>
      <p>${sentence}</p>
      <p><a href="/">Back to the start page</a></p>`,
  );

type Answer = { kind: 'ok'; body: unknown } | { kind: 'none'; sentence: string };

/** The start page: what runs here, whom to be, and where to look. Server-rendered, without script. */
export function createHome(options: HomeOptions): Hono {
  const ask = async (path: string): Promise<Answer> => {
    try {
      const headers = { Authorization: `Bearer ${await options.operatorToken()}`, Accept: 'application/json' };
      const answer = await fetch(new URL(path, options.urls.host), { headers, redirect: 'manual' });
      if (answer.status === 404) return { kind: 'none', sentence: 'The app knows nothing by this address.' };
      if (!answer.ok) return { kind: 'none', sentence: `The app answered ${answer.status}.` };
      return { kind: 'ok', body: await answer.json() };
    } catch {
      return { kind: 'none', sentence: 'The app does not answer at this moment: it may still be starting.' };
    }
  };
  const send = (c: Context, page: Page, status: 200 | 400 | 403 | 502 = 200): Response | Promise<Response> => {
    c.header('Content-Security-Policy', POLICY);
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'same-origin');
    return c.html(page, status);
  };

  const home = new Hono();
  home.get('/', (c) => send(c, startPage(options)));
  const showRequest = async (c: Context, id: string): Promise<Response> => {
    if (!/^[\w-]{1,100}$/.test(id)) return send(c, problemPage('No such request', 'Requests have other ids.'), 400);
    const answer = await ask(`/api/join-requests/${id}`);
    if (answer.kind === 'none') return send(c, problemPage('No request to show', answer.sentence), 502);
    const request = readRequest(answer.body);
    if (request === undefined)
      return send(c, problemPage('No request to show', 'The app’s answer is no request.'), 502);
    return send(c, requestPage(request));
  };
  home.get('/local/requests', async (c) => {
    const id = c.req.query('id');
    if (id !== undefined) return showRequest(c, id);
    const next = c.req.query('next') ?? '/api/ops/requests';
    // The token goes to the app alone, and only for this list.
    const { origin, pathname, search } = new URL(URL.canParse(next, options.urls.host) ? next : '/', options.urls.host);
    const ours = [options.urls.host, options.urls.frontDoor].some((url) => new URL(url).origin === origin);
    if (!ours || pathname !== '/api/ops/requests')
      return send(c, problemPage('No such list', 'Only the app’s requests are listed here.'), 400);
    const answer = await ask(pathname + search);
    if (answer.kind === 'none') return send(c, problemPage('No requests to show', answer.sentence), 502);
    const { requests, next: following } = readRequests(answer.body);
    return send(c, requestsPage(requests, following));
  });
  home.get('/local/requests/:id', (c) => showRequest(c, c.req.param('id')));
  home.get('/local/clock', (c) => c.json({ now: options.clock.now().toISOString() }));
  home.post('/local/clock', async (c) => {
    // Any page open in this browser could post here.
    if (c.req.header('Origin') !== options.urls.frontDoor) {
      return send(c, problemPage('Not from here', 'The clock is moved from the start page only.'), 403);
    }
    const form = moveSchema.safeParse(await c.req.parseBody());
    if (!form.success) return send(c, problemPage('No such move', 'The start page offers the moves there are.'), 400);
    options.clock.advance(MOVES[form.data.move].ms);
    return c.redirect('/#clock', 303);
  });
  return home;
}
