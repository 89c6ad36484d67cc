import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { groups, people, tenant, userPrincipalNameOf } from '../demo-tenant';
import type { Person } from '../demo-tenant';

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const CSS = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #f4f5f8; --card: #fff; --line: #d5d9e0; --accent: #3450c4; --accent-ink: #fff; --tag: #e9edfb; --tag-ink: #28409e; --warn: #fbe9e2; --warn-ink: #8a3213; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #a7afbd; --paper: #14161b; --card: #1e2128; --line: #363b46; --accent: #9db0ff; --accent-ink: #10163a; --tag: #28304f; --tag-ink: #c5d0ff; --warn: #47261a; --warn-ink: #ffc9b3; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .25rem 0 .5rem; }
h2 { font-size: 1rem; margin: 2rem 0 .6rem; color: var(--soft); font-weight: 600; }
p { margin: .4rem 0; max-width: 44rem; }
code { font-size: .9em; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; overflow-x: auto; }
.brand { color: var(--soft); font-size: .9rem; }
.people { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); gap: .6rem; }
.people li { display: flex; }
.person { flex: 1; min-width: 0; display: flex; flex-direction: column; align-items: flex-start; gap: .1rem; text-align: start; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; cursor: pointer; }
.person:hover { border-color: var(--accent); }
.person:focus-visible, .plain:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.name { font-weight: 600; overflow-wrap: anywhere; max-width: 100%; }
.job { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; max-width: 100%; }
.tags { display: flex; flex-wrap: wrap; gap: .3rem; margin-top: .35rem; max-width: 100%; }
.tag { font-size: .78rem; line-height: 1.4; background: var(--tag); color: var(--tag-ink); border-radius: .4rem; padding: .08rem .45rem; overflow-wrap: anywhere; }
.tag.warn { background: var(--warn); color: var(--warn-ink); }
.plain { font: inherit; background: none; color: var(--accent); border: 1px solid var(--line); border-radius: .6rem; padding: .5rem 1.1rem; cursor: pointer; }
.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: end; margin: 1rem 0; }
label { display: block; font-weight: 600; }
input[type='text'] { font: inherit; font-size: 1.2rem; letter-spacing: .12em; text-transform: uppercase; padding: .4rem .7rem; border: 1px solid var(--soft); border-radius: .6rem; background: var(--card); color: inherit; max-width: 100%; }
a { color: var(--accent); }
`;
// Whole, because the hash is of every character between the tags.
const STYLE = raw(`<style>${CSS}</style>`);
const STYLE_HASH = createHash('sha256').update(CSS).digest('base64');

/** What the context calls the address that every page links back to. */
export const HOME = 'home';

/** Sends a page; `formTargets` are the origins that its form may lead to besides this one. */
export async function sendPage(
  c: Context,
  page: { title: string; body: Html; status?: 200 | 400; formTargets?: string[] },
): Promise<Response> {
  const home = c.get(HOME) as string | undefined;
  const targets = ["'self'", ...(page.formTargets ?? [])].join(' ');
  c.header(
    'content-security-policy',
    `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${targets}; base-uri 'none'; frame-ancestors 'none'`,
  );
  c.header('cache-control', 'no-store');
  c.header('referrer-policy', 'no-referrer');
  c.header('x-content-type-options', 'nosniff');
  const document = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title}</title>
        ${STYLE}
      </head>
      <body>
        <main>
          <p class="brand">
            ${tenant.displayName} · local issuer of the
            demo${home === undefined ? '' : html` · <a href="${home}">Gatehouse’s start page</a>`}
          </p>
          ${page.body}
        </main>
      </body>
    </html>`;
  return c.html(document, page.status ?? 200);
}

/** What is wrong, in words, where there is no client to send the error to. */
export function errorPage(c: Context, message: string): Promise<Response> {
  const body = html`<h1>Sorry, but we’re having trouble signing you in</h1>
    <p>${message}</p>`;
  return sendPage(c, { title: 'Sign-in error', body, status: 400 });
}

interface Tag {
  text: string;
  warn?: true;
}

/** Names of owned groups that a card shows before it counts the rest. */
const GROUPS_SHOWN = 3;

const ROLE_NAMES: Record<string, string> = {
  'Operations.Manage': 'operator',
  'Policy.Manage': 'administrator',
  'Audit.Read': 'auditor',
};

function ownerTag(owned: string[]): Tag[] {
  if (owned.length === 0) return [];
  const rest = owned.length - GROUPS_SHOWN;
  const names = owned.slice(0, GROUPS_SHOWN).join(', ');
  return [{ text: rest > 0 ? `owner of ${names} and ${String(rest)} more` : `owner of ${names}` }];
}

const ownedBy = (alias: string): string[] =>
  Object.values(groups)
    .filter((group) => group.owners.includes(alias))
    .map((group) => group.displayName);

/** What a person is in the demo. */
function tagsOf(alias: string, person: Person): Tag[] {
  const tags: Tag[] = person.roles.map((role) => ({ text: ROLE_NAMES[role] ?? role }));
  if (groups.fallbackApprovers.members.includes(alias)) tags.push({ text: 'fallback approver' });
  tags.push(...ownerTag(ownedBy(alias)));
  if (person.userType === 'Guest') tags.push({ text: 'guest' });
  if (person.mail === null) tags.push({ text: 'no mailbox', warn: true });
  if (!person.accountEnabled) tags.push({ text: 'account disabled', warn: true });
  return tags;
}

type Section = 'suggested' | 'staff' | 'owners' | 'guests' | 'others' | 'disabled';

const SECTIONS: Record<Section, string> = {
  suggested: 'Suggested',
  staff: 'Operations, administration and fallback approvers',
  owners: 'Group owners',
  guests: 'Guests',
  others: 'Everybody else',
  disabled: 'Disabled accounts',
};

function sectionOf(alias: string, person: Person): Section {
  if (!person.accountEnabled) return 'disabled';
  if (person.roles.length > 0 || groups.fallbackApprovers.members.includes(alias)) return 'staff';
  if (person.userType === 'Guest') return 'guests';
  return ownedBy(alias).length > 0 ? 'owners' : 'others';
}

function isHinted(alias: string, person: Person, hint: string | undefined): boolean {
  if (hint === undefined) return false;
  const names = [alias, userPrincipalNameOf(person), person.mail].filter((name) => name !== null);
  return names.some((name) => name.toLowerCase() === hint.toLowerCase());
}

function card(alias: string, person: Person): Html {
  const job = [person.jobTitle, person.department ?? person.companyName].filter((text) => text !== null).join(' · ');
  const tags = tagsOf(alias, person);
  return html`<li>
    <button class="person" name="person" value="${alias}">
      <span class="name"><bdi>${person.displayName}</bdi></span>
      ${job === '' ? '' : html`<span class="job"><bdi>${job}</bdi></span>`}
      ${
        tags.length === 0
          ? ''
          : html`<span class="tags">
              ${tags.map((tag) => html`<span class="${tag.warn ? 'tag warn' : 'tag'}"><bdi>${tag.text}</bdi></span>`)}
            </span>`
      }
    </button>
  </li>`;
}

/** The demo people, one button each; `login_hint` puts its person first. */
function peopleList(hint: string | undefined): Html {
  const entries = Object.entries(people).map(([alias, person]) => ({
    alias,
    person,
    section: isHinted(alias, person, hint) ? 'suggested' : sectionOf(alias, person),
  }));
  const sections = Object.entries(SECTIONS).map(([section, title]) => {
    const inside = entries.filter((entry) => entry.section === section);
    if (inside.length === 0) return '';
    return html`<section>
      <h2>${title}</h2>
      <ul class="people">
        ${inside.map(({ alias, person }) => card(alias, person))}
      </ul>
    </section>`;
  });
  return html`${sections}`;
}

/** The page that asks who signs in. Its form carries `hidden` on, so that the issuer remembers nobody. */
export function signInPage(
  c: Context,
  options: {
    client: string;
    action: string;
    hidden: [string, string][];
    hint: string | undefined;
    formTargets: string[];
  },
): Promise<Response> {
  const body = html`<h1>Sign in to ${options.client}</h1>
    <p>Choose who you are. There are no passwords here: everybody in this list exists only in the demo.</p>
    <form method="post" action="${options.action}">
      ${options.hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
      ${peopleList(options.hint)}
      <h2>None of them</h2>
      <button class="plain" name="cancel" value="1">Cancel</button>
    </form>`;
  return sendPage(c, { title: `Sign in to ${options.client}`, body, formTargets: options.formTargets });
}
