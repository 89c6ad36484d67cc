import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { tenant } from '../demo-tenant';
import { isDynamic, isMasteredOnPremises, isUnified } from './properties';
import type { DirectoryObject, Group, User } from './properties';
import type { Sql, Store } from './store';
import { STYLE } from './style';

type Html = ReturnType<typeof html>;

const PER_PAGE = 100;

const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

function kindInWords(group: Group): string {
  const { mailEnabled, securityEnabled } = group.properties;
  const dynamic = isDynamic(group) ? ', dynamic membership' : '';
  if (isUnified(group)) return `Microsoft 365 group${dynamic}`;
  if (mailEnabled) return securityEnabled ? 'Mail-enabled security group' : 'Distribution list';
  return `Security group${dynamic}`;
}

function flagsInWords(group: Group): string[] {
  const { properties } = group;
  const flags: [boolean, string][] = [
    [isMasteredOnPremises(group), 'Mastered on premises: Graph cannot change it'],
    [properties.onPremisesSyncEnabled === true && properties.isCloudManaged, 'Synchronised, managed in the cloud'],
    [isDynamic(group), `A rule decides who is in: ${properties.membershipRule ?? 'none set'}`],
    [properties.isAssignableToRole === true, 'Can be given directory roles'],
    [properties.isManagementRestricted === true, 'In a restricted management administrative unit'],
    [properties.visibility === 'HiddenMembership', 'Membership is hidden'],
    [properties.visibility === 'Private', 'Private'],
    [properties.visibility === 'Public', 'Public'],
    [properties.resourceProvisioningOptions.includes('Team'), 'Has a team'],
  ];
  return flags.filter(([applies]) => applies).map(([, words]) => words);
}

function stateInWords(user: User): string[] {
  const { userType, accountEnabled, mail } = user.properties;
  const flags: [boolean, string][] = [
    [userType === 'Guest', 'Guest'],
    [!accountEnabled, 'Account disabled'],
    [mail === null, 'No mailbox'],
  ];
  return flags.filter(([applies]) => applies).map(([, words]) => words);
}

// A name may hold any character, right-to-left marks included: bdi keeps it to itself.
const name = (text: string): Html => html`<bdi>${text}</bdi>`;

const badges = (words: readonly string[]): Html =>
  html`${words.map((word) => html`<span class="badge">${word}</span> `)}`;

function page(c: Context, title: string, content: Html, status: 200 | 404 = 200): Response | Promise<Response> {
  const body = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} – local directory</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <a href="/">${tenant.displayName}: local directory</a>
          <nav aria-label="Lists"><a href="/">Groups</a> <a href="/people">People</a></nav>
        </header>
        <main id="main">${content}</main>
        <footer>This is the local stand-in for Microsoft Graph. Its people and groups are made up.</footer>
      </body>
    </html>`;
  return c.html(body, status, securityHeaders);
}

/** The page for an address under which there is nothing. */
export const missing = (c: Context): Response | Promise<Response> =>
  page(
    c,
    'Not found',
    html`<h1>Not found</h1>
      <p>The directory has nothing under this address.</p>`,
    404,
  );

interface ListState {
  q: string;
  offset: number;
}

function listState(c: Context): ListState {
  const offset = Number(c.req.query('from') ?? '0');
  return { q: (c.req.query('q') ?? '').slice(0, 256), offset: Number.isSafeInteger(offset) && offset > 0 ? offset : 0 };
}

function named(q: string): { where?: Sql } {
  if (q === '') return {};
  const pattern = `%${q.replaceAll(/[\\%_]/g, '\\$&')}%`;
  return { where: { text: `o.display_name LIKE ? ESCAPE '\\'`, params: [pattern] } };
}

const searchForm = (path: string, label: string, q: string): Html =>
  html`<form role="search" action="${path}" method="get">
    <label for="q">${label}</label> <input id="q" name="q" type="search" value="${q}" />
    <button>Search</button>
  </form>`;

function pager(path: string, { q, offset }: ListState, total: number): Html {
  const link = (from: number, text: string): Html =>
    html`<a href="${path}?${new URLSearchParams({ ...(q !== '' && { q }), from: String(from) }).toString()}"
      >${text}</a
    >`;
  if (total <= PER_PAGE) return html``;
  return html`<nav class="pager" aria-label="Pages">
    ${offset > 0 ? link(Math.max(0, offset - PER_PAGE), 'Previous') : ''}
    <span>${offset + 1}–${Math.min(offset + PER_PAGE, total)} of ${total}</span>
    ${offset + PER_PAGE < total ? link(offset + PER_PAGE, 'Next') : ''}
  </nav>`;
}

function groupRow(group: Group): Html {
  const { id, displayName } = group.properties;
  return html`<tr>
    <th scope="row"><a href="/groups/${id}">${name(displayName)}</a></th>
    <td>${kindInWords(group)}</td>
    <td>${name(group.properties.description ?? '')}</td>
  </tr>`;
}

function personRow(user: User): Html {
  const { id, displayName, jobTitle, department } = user.properties;
  return html`<tr>
    <th scope="row"><a href="/people/${id}">${name(displayName)}</a> ${badges(stateInWords(user))}</th>
    <td>${name(jobTitle ?? '')}</td>
    <td>${name(department ?? '')}</td>
  </tr>`;
}

const table = (caption: string, columns: readonly string[], rows: readonly Html[]): Html =>
  rows.length === 0
    ? html`<p class="empty">None.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
        <table>
          <caption class="quiet">
            ${caption}
          </caption>
          <thead>
            <tr>
              ${columns.map((column) => html`<th scope="col">${column}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>`;

const kinds = { user: 'Person', group: 'Group', servicePrincipal: 'App' } as const;

function objectItem(object: DirectoryObject): Html {
  const { id, displayName } = object.properties;
  switch (object.type) {
    case 'user':
      return html`<li><a href="/people/${id}">${name(displayName)}</a> ${badges(stateInWords(object))}</li>`;
    case 'group':
      return html`<li><a href="/groups/${id}">${name(displayName)}</a> ${badges([kinds.group])}</li>`;
    case 'servicePrincipal':
      return html`<li>${name(displayName)} ${badges([kinds.servicePrincipal])}</li>`;
  }
}

const objectList = (objects: readonly DirectoryObject[]): Html =>
  objects.length === 0
    ? html`<p class="empty">None.</p>`
    : html`<ul class="objects">
        ${objects.map(objectItem)}
      </ul>`;

const facts = (entries: readonly (readonly [string, string | null])[]): Html =>
  html`<dl>
    ${entries.map(
      ([term, value]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${value === null || value === '' ? '–' : name(value)}</dd>
        </div>`,
    )}
  </dl>`;

const everything = ['user', 'group', 'servicePrincipal'] as const;

/** The pages that show the directory in a browser; they change nothing. */
export function pages(store: Store): Hono {
  const app = new Hono();

  const linked = (within: Sql): { objects: DirectoryObject[]; total: number } => {
    const listing = { view: 'now', types: everything, within } as const;
    return {
      objects: store.list({ ...listing, order: 'displayName asc', limit: 500 }),
      total: store.count(listing),
    };
  };
  const rest = (total: number, shown: number): Html =>
    total > shown ? html`<p>…and ${total - shown} more.</p>` : html``;

  app.get('/style.css', (c) =>
    c.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8', 'x-content-type-options': 'nosniff' }),
  );

  app.get('/', (c) => {
    const state = listState(c);
    const listing = { view: 'now', types: ['group'], ...named(state.q) } as const;
    const total = store.count(listing);
    const rows = store
      .list({ ...listing, order: 'displayName asc', limit: PER_PAGE, offset: state.offset })
      .filter((object) => object.type === 'group')
      .map(groupRow);
    return page(
      c,
      'Groups',
      html`<h1>Groups <span class="count">${total}</span></h1>
        ${searchForm('/', 'Name contains', state.q)} ${table('Groups', ['Name', 'Kind', 'Description'], rows)}
        ${pager('/', state, total)}`,
    );
  });

  app.get('/people', (c) => {
    const state = listState(c);
    const listing = { view: 'now', types: ['user'], ...named(state.q) } as const;
    const total = store.count(listing);
    const rows = store
      .list({ ...listing, order: 'displayName asc', limit: PER_PAGE, offset: state.offset })
      .filter((object) => object.type === 'user')
      .map(personRow);
    return page(
      c,
      'People',
      html`<h1>People <span class="count">${total}</span></h1>
        ${searchForm('/people', 'Name contains', state.q)} ${table('People', ['Name', 'Job title', 'Department'], rows)}
        ${pager('/people', state, total)}`,
    );
  });

  app.get('/groups/:id', (c) => {
    const group = store.findGroup(c.req.param('id'), 'now');
    if (group === undefined) return missing(c);
    const { id, displayName, description, mail, mailNickname } = group.properties;
    const owners = linked(store.targets('owner', id, 'now'));
    const members = linked(store.targets('member', id, 'now'));
    const flags = flagsInWords(group);
    return page(
      c,
      displayName,
      html`<h1>${name(displayName)}</h1>
        <p class="lead">${kindInWords(group)}</p>
        <p class="description">${name(description ?? '')}</p>
        ${
          flags.length === 0
            ? ''
            : html`<ul class="flags">
                ${flags.map((flag) => html`<li>${name(flag)}</li>`)}
              </ul>`
        }
        ${facts([
          ['Object id', id],
          ['Mail', mail],
          ['Mail nickname', mailNickname],
        ])}
        <h2>Owners <span class="count">${owners.total}</span></h2>
        ${objectList(owners.objects)}
        <h2>Members <span class="count">${members.total}</span></h2>
        ${objectList(members.objects)} ${rest(members.total, members.objects.length)}`,
    );
  });

  app.get('/people/:id', (c) => {
    const user = store.findUser(c.req.param('id'), 'now');
    if (user === undefined) return missing(c);
    const { properties } = user;
    const groupsOf = {
      text: `SELECT l.source FROM links l WHERE l.kind = ? AND l.target = ? AND l.removed_at IS NULL`,
    };
    const member = linked({ ...groupsOf, params: ['member', properties.id] });
    const owner = linked({ ...groupsOf, params: ['owner', properties.id] });
    const manager = linked(store.targets('manager', properties.id, 'now'));
    return page(
      c,
      properties.displayName,
      html`<h1>${name(properties.displayName)}</h1>
        <p>${badges(stateInWords(user))}</p>
        ${facts([
          ['Job title', properties.jobTitle],
          ['Department', properties.department],
          ['Company', properties.companyName],
          ['Office', properties.officeLocation],
          ['Country', properties.country],
          ['Language', properties.preferredLanguage],
          ['Mail', properties.mail],
          ['User principal name', properties.userPrincipalName],
          ['Object id', properties.id],
        ])}
        <h2>Manager</h2>
        ${objectList(manager.objects)}
        <h2>Owner of <span class="count">${owner.total}</span></h2>
        ${objectList(owner.objects)}
        <h2>Member of <span class="count">${member.total}</span></h2>
        ${objectList(member.objects)} ${rest(member.total, member.objects.length)}`,
    );
  });

  return app;
}
