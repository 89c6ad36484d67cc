import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import type { Clock } from '../clock/clock';
import { groups, people, tenant, userPrincipalNameOf } from '../demo-tenant';
import type { Group, Person } from '../demo-tenant';
import type { SeenRequests } from '../front-door/seen-requests';
import { localPage, sendLocalPage } from '../local-page';
import type { Markup } from '../local-page';
import { firstRequestCurl } from './first-request';
import type { Urls } from './settings';
import { readRequest, readRequests } from './timeline';
import type { RequestDetails, RequestSummary } from './timeline';

export interface HomeOptions {
  urls: Urls;
  clock: Clock;
  /** An operator's token for the app, from the local issuer. */
  operatorToken: () => Promise<string>;
}

/** What the front door hands over with each call. */
interface HomeEnv {
  seen?: SeenRequests;
}

/** States in which something may still happen by itself or by operations; the app lists requests in these. */
const OPEN_STATES: ReadonlySet<string> = new Set(['pending', 'approved', 'applying', 'failed']);
/** So many of the latest requests are looked up for the list of finished ones. */
const LATEST = 50;

const MOVES = {
  PT10M: { label: '10 minutes', ms: 600_000 },
  PT1H: { label: '1 hour', ms: 3_600_000 },
  P1D: { label: '1 day', ms: 86_400_000 },
  P7D: { label: '7 days', ms: 7 * 86_400_000 },
  P30D: { label: '30 days', ms: 30 * 86_400_000 },
} as const;

const moveSchema = z.object({ move: z.enum(Object.keys(MOVES) as (keyof typeof MOVES)[]) });

const time = (iso: string): Markup =>
  Number.isNaN(Date.parse(iso))
    ? html`${iso}`
    : html`<time datetime="${iso}">${iso.replace('T', ' ').replace(/\.\d+Z$|Z$/, ' UTC')}</time>`;

const card = (href: string, title: string, text: string): Markup =>
  html`<li>
    <h3><a href="${href}">${title}</a></h3>
    <p>${text}</p>
  </li>`;

function personRow(alias: string, person: Person): Markup[] {
  const remarks = [
    ...person.roles,
    ...(person.userType === 'Guest' ? ['guest'] : []),
    ...(person.accountEnabled ? [] : ['account disabled']),
    ...(person.mail === null ? ['no mailbox'] : []),
  ];
  return [
    html`<bdi>${person.displayName}</bdi>`,
    html`<code>${alias}</code>`,
    html`<code>${userPrincipalNameOf(person)}</code>`,
    html`<bdi>${person.jobTitle ?? '–'}</bdi>`,
    html`${remarks.length === 0 ? '–' : remarks.join(', ')}`,
  ];
}

function kindOf(group: Group): string {
  if (group.groupTypes.includes('Unified')) return 'Microsoft 365';
  if (group.mailEnabled) return group.securityEnabled ? 'mail-enabled security' : 'distribution list';
  return 'security';
}

function groupRow(alias: string, group: Group): Markup[] {
  const remarks = [
    ...(group.onPremisesSyncEnabled === true && !group.isCloudManaged ? ['synchronised'] : []),
    ...(group.groupTypes.includes('DynamicMembership') ? ['dynamic membership'] : []),
    ...(group.isAssignableToRole === true ? ['role-assignable'] : []),
    ...(group.isManagementRestricted === true ? ['restricted management'] : []),
    ...(group.visibility === 'HiddenMembership' ? ['hidden membership'] : []),
  ];
  return [
    html`<bdi>${group.displayName}</bdi>`,
    html`<code>${alias}</code>`,
    html`<code>${group.id}</code>`,
    html`${[kindOf(group), ...remarks].join(', ')}`,
    html`${group.owners.length === 0 ? 'nobody' : group.owners.join(', ')}`,
  ];
}

/** A table whose rows become cards where it is narrow; the roles are said again, since a browser forgets them with the layout. */
function table(caption: string, heads: string[], rows: Markup[][]): Markup {
  const cell = (content: Markup, index: number): Markup => {
    const head = heads[index] ?? '';
    return index === 0
      ? html`<th scope="row" role="rowheader">${content}</th>`
      : html`<td role="cell"><span class="head" aria-hidden="true">${head}</span> ${content}</td>`;
  };
  return html`<table role="table">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${heads.map((head) => html`<th scope="col" role="columnheader">${head}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row">
            ${row.map(cell)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function startPage({ urls, clock }: HomeOptions): Markup {
  return localPage(
    'Start',
    html`<h1>Gatehouse</h1>
      <p class="lead">
        People ask to join a group, its owners decide, a workflow applies it. Everything here runs on this machine: the
        unmodified app, and local parts in the place of Microsoft Entra ID, Microsoft Graph and Azure.
      </p>

      <h2>Look around</h2>
      <ul class="cards">
        ${card('/local/requests', 'Requests and their timelines', 'Open and finished join requests, each with all that happened.')}
        ${card(`${urls.mail}/`, 'Inbox', 'Every mail that the app sends, for every demo person.')}
        ${card(`${urls.directory}/`, 'Directory', 'People, groups, owners and members, as Microsoft Graph would answer.')}
        ${card('/api/openapi.json', 'API document', 'OpenAPI 3.1 of the HTTP API, made from what validates it.')}
      </ul>

      <h2 id="first">A first request</h2>
      <p>
        Paste this into bash. The HR portal, a demo system, asks that Rita may join
        <bdi>${groups.design.displayName}</bdi>; a moment later its owners have a mail in the
        <a href="${urls.mail}/">inbox</a>. A click into the block selects all of it.
      </p>
      <pre tabindex="0" aria-label="Command for bash"><code>${firstRequestCurl(urls)}</code></pre>

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
      ${table(
        'Demo people',
        ['Name', 'Alias', 'Sign-in name', 'Job', 'Remarks'],
        Object.entries(people).map(([alias, person]) => personRow(alias, person)),
      )}
      <h2>Groups</h2>
      ${table(
        'Demo groups',
        ['Name', 'Alias', 'Id', 'Kind', 'Owners'],
        Object.entries(groups).map(([alias, group]) => groupRow(alias, group)),
      )}`,
  );
}

function requestsPage(lists: {
  open: RequestSummary[];
  next: string | undefined;
  finished: RequestSummary[] | undefined;
}): Markup {
  const { open, next, finished } = lists;
  const row = (request: RequestSummary): Markup[] => [
    html`<a href="/local/requests/${encodeURIComponent(request.id)}"><bdi>${request.requester}</bdi></a>`,
    html`<bdi>${request.group}</bdi>`,
    html`<span class="badge">${request.state}</span>`,
    time(request.filedAt),
  ];
  const heads = ['Requester', 'Group', 'State', 'Filed'];
  return localPage(
    'Requests',
    html`<h1>Requests and their timelines</h1>
      <h2>Open</h2>
      ${
        open.length === 0
          ? html`<p>No request is open. <a href="/#first">File one.</a></p>`
          : table('Open join requests, as operations see them', heads, open.map(row))
      }
      ${
        next === undefined
          ? ''
          : html`<p><a href="/local/requests?next=${encodeURIComponent(next)}">More requests</a></p>`
      }
      ${
        finished === undefined
          ? ''
          : html`<h2>Finished</h2>
              ${
                finished.length === 0
                  ? html`<p>None of the latest requests has come to its end.</p>`
                  : table('Finished join requests among the latest ones, newest first', heads, finished.map(row))
              }`
      }
      <form class="moves" method="get" action="/local/requests">
        <label for="id">Any request, by its id</label>
        <input id="id" name="id" required pattern="[0-9a-fA-F]{32}" title="32 hexadecimal digits" autocomplete="off" />
        <button>Show</button>
      </form>`,
  );
}

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT/.test(text);

function requestPage(request: RequestDetails): Markup {
  return localPage(
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

const problemPage = (title: string, sentence: string): Markup =>
  localPage(
    title,
    html`<h1>${title}</h1>
      <p>${sentence}</p>
      <p><a href="/">Back to the start page</a></p>`,
  );

type Answer = { kind: 'ok'; body: unknown } | { kind: 'none'; sentence: string };

/** The start page: what runs here, whom to be, and where to look. Server-rendered, without script. */
export function createHome(options: HomeOptions): Hono<{ Bindings: HomeEnv }> {
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
  const read = async (id: string): Promise<RequestDetails | string> => {
    const answer = await ask(`/api/join-requests/${id}`);
    if (answer.kind === 'none') return answer.sentence;
    return readRequest(answer.body) ?? 'The app’s answer is no request.';
  };

  /** Of the requests that the front door saw last, those that have ended, newest first. */
  const finishedOf = async (ids: readonly string[]): Promise<RequestSummary[]> => {
    const found = await Promise.all(ids.map(read));
    return found.filter((each) => typeof each !== 'string').filter(({ state }) => !OPEN_STATES.has(state));
  };

  const home = new Hono<{ Bindings: HomeEnv }>();
  home.get('/', (c) => sendLocalPage(c, startPage(options)));
  const showRequest = async (c: Context, id: string): Promise<Response> => {
    if (!/^[0-9a-f]{32}$/i.test(id)) {
      return sendLocalPage(
        c,
        problemPage(
          'No such request',
          'The id of a request has 32 hexadecimal digits: it stands in the answer to the filing, in each mail, and in the list of requests.',
        ),
        400,
      );
    }
    const request = await read(id.toLowerCase());
    if (typeof request === 'string') return sendLocalPage(c, problemPage('No request to show', request), 502);
    return sendLocalPage(c, requestPage(request));
  };
  home.get('/local/requests', async (c) => {
    const id = c.req.query('id');
    if (id !== undefined) return showRequest(c, id);
    const next = c.req.query('next') ?? '/api/ops/requests';
    // The token goes to the app alone, and only for this list.
    const { origin, pathname, search } = new URL(URL.canParse(next, options.urls.host) ? next : '/', options.urls.host);
    const ours = [options.urls.host, options.urls.frontDoor].some((url) => new URL(url).origin === origin);
    if (!ours || pathname !== '/api/ops/requests')
      return sendLocalPage(c, problemPage('No such list', 'Only the app’s requests are listed here.'), 400);
    const answer = await ask(pathname + search);
    if (answer.kind === 'none') return sendLocalPage(c, problemPage('No requests to show', answer.sentence), 502);
    const { requests: open, next: following } = readRequests(answer.body);
    const isFirst = c.req.query('next') === undefined;
    const seen = c.env?.seen;
    // What was filed past the front door is seen here at the latest.
    for (const { id } of open.toReversed()) seen?.add(id);
    const listed = new Set(open.map(({ id }) => id));
    const others = (seen?.latest(LATEST) ?? []).filter((id) => !listed.has(id));
    const finished = isFirst ? await finishedOf(others) : undefined;
    return sendLocalPage(c, requestsPage({ open, next: following, finished }));
  });
  home.get('/local/requests/:id', (c) => showRequest(c, c.req.param('id')));
  home.get('/local/clock', (c) => c.json({ now: options.clock.now().toISOString() }));
  home.post('/local/clock', async (c) => {
    // Any page open in this browser could post here.
    if (c.req.header('Origin') !== options.urls.frontDoor) {
      return sendLocalPage(c, problemPage('Not from here', 'The clock is moved from the start page only.'), 403);
    }
    const form = moveSchema.safeParse(await c.req.parseBody());
    if (!form.success)
      return sendLocalPage(c, problemPage('No such move', 'The start page offers the moves there are.'), 400);
    options.clock.advance(MOVES[form.data.move].ms);
    return c.redirect('/#clock', 303);
  });
  return home;
}
