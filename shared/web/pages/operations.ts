import { dateInWords, nameOf, oneLine, writtenText } from '../../mail/text';
import { html, withBreaks } from '../html';
import type { Content, Html } from '../html';
import { factList } from './fact-list';
import type { Fact } from './fact-list';
import { historyCard } from './history';
import type { TimelineItem } from './history';
import { layout } from './layout';
import { unchanged } from './unchanged';

/** Longest reason that a form lets through, in UTF-16 units. */
export const REASON_LENGTH = 500;

/** A request as a line of a list. */
export interface ListedRequest {
  href: string;
  group: string;
  requester: string;
  /** State, stage and what it waits for. */
  standing: string;
  filedAt: Date;
  age: string;
  /** Why it needs somebody, in words. */
  trouble?: string;
}

export interface Listed {
  rows: ListedRequest[];
  /** Where the list goes on. */
  more?: string;
}

/** A fact of the overview; `bad` where somebody should look at it. */
export interface Reading {
  label: string;
  text: string;
  bad?: boolean;
}

/** The search field: it posts `token` and `find`, so that what is searched for stands in no address. */
export interface Search {
  action: string;
  token: string;
  typed?: string;
}

/** The operations page: what needs somebody first, then how Gatehouse runs, then all open requests by age. */
export function overviewPage(p: {
  signedInAs: string;
  search: Search;
  problem?: string;
  /** Absent on the pages of the list that follow. */
  failed?: Listed;
  stuck?: Listed;
  readings?: Reading[];
  open: Listed;
}): Html {
  const first = p.readings !== undefined;
  return page(p, 'Operations', [
    html`<h1>Operations</h1> `,
    html`<div class="columns">
      ${first && [needsYou(p.failed, p.stuck), readingsCard(p.readings ?? [])]} ${searchCard(p.search)}
      ${listCard('open', first ? 'Open requests, oldest first' : 'Open requests, continued', p.open, 'Nothing is open.')}
    </div>`,
  ]);
}

/** What a search found: requests of a person, or for a group, newest first. */
export function foundPage(p: {
  signedInAs: string;
  search: Search;
  problem?: string;
  lists: { heading: string; listed: Listed }[];
  back: string;
}): Html {
  return page(p, 'Search', [
    html`<p><a href="${p.back}">All open requests</a></p>
      <h1>Search</h1> `,
    html`<div class="columns">
      ${searchCard(p.search)}
      ${p.lists.map(({ heading, listed }, index) => listCard(`found-${String(index)}`, heading, listed, 'None.'))}
    </div>`,
  ]);
}

/** A mail of the request. */
export interface ShownMail {
  what: string;
  to: string;
  /** What became of it, in words. */
  standing: string;
  /** Where it is sent once more, where that can be. */
  again?: string;
}

export interface Offer {
  href: string;
  text: string;
}

/** A request with all that is known of it, and what operations may do. */
export function operatedPage(p: {
  signedInAs: string;
  back: string;
  heading: string;
  facts: Fact[];
  justification: string;
  workflow: Fact[];
  offers: Offer[];
  mails: ShownMail[];
  timeline: TimelineItem[];
  /** What was just done. */
  done?: string;
}): Html {
  const heading = oneLine(p.heading);
  const words = writtenText(p.justification);
  return layout({
    title: heading,
    signedInAs: nameOf(p.signedInAs),
    wide: true,
    content: [
      p.done !== undefined && html`<p class="done" role="status">${oneLine(p.done)}</p> `,
      html`<p><a href="${p.back}">All open requests</a></p>
        <h1>${heading}</h1>
        <div class="columns">
          <section class="card" aria-labelledby="request">
            <h2 id="request">The request</h2>
            ${words !== '' && html`<blockquote dir="auto">${withBreaks(words)}</blockquote>`} ${factList(p.facts)}
          </section>
          <div class="actions">
            ${
              p.offers.length > 0 &&
              html`<section class="card" aria-labelledby="offers">
                <h2 id="offers">What you can do</h2>
                <ul class="rows">
                  ${p.offers.map(({ href, text }) => html`<li><a href="${href}">${oneLine(text)}</a></li> `)}
                </ul>
              </section>`
            }
            <section class="card" aria-labelledby="workflow">
              <h2 id="workflow">Its workflow</h2>
              ${factList(p.workflow)}
            </section>
            ${mailsCard(p.mails)}
          </div>
          ${historyCard(p.timeline)}
        </div>`,
    ],
  });
}

/** A field of an action's form besides the reason. */
export type ActionField =
  | { kind: 'text'; name: string; label: string; hint: string; value?: string; rows: number }
  | { kind: 'number'; name: string; label: string; hint: string; value: number; most: number }
  | {
      kind: 'choice';
      name: string;
      label: string;
      hint: string;
      value?: string;
      options: { value: string; text: string }[];
    };

/**
 * Asks to confirm an action and for the reason of it. The form posts `token`, `action`, `reason`, what `hidden` holds and the fields;
 * nothing on the page does so by itself.
 */
export function actionPage(p: {
  signedInAs: string;
  back: string;
  heading: string;
  /** The request, in a line. */
  about: string;
  /** What will happen, and what will not, one sentence each. */
  consequences: string[];
  fields: ActionField[];
  reason: { hint: string; value?: string };
  form: { action: string; token: string; name: string; hidden?: Record<string, string> };
  button: string;
  problem?: string;
}): Html {
  const heading = oneLine(p.heading);
  const { form, reason } = p;
  return layout({
    title: p.problem === undefined ? heading : `Problem: ${heading}`,
    signedInAs: nameOf(p.signedInAs),
    content: [
      unchanged(p.problem),
      html`<p><a href="${p.back}">Back to the request</a></p>
        <h1>${heading}</h1>
        <p class="soft lead">${oneLine(p.about)}</p>
        <div class="columns">
          <section class="card" aria-labelledby="confirm">
            <h2 id="confirm">What happens</h2>
            <ul class="plain">
              ${p.consequences.map((sentence) => html`<li>${oneLine(sentence)}</li> `)}
            </ul>
            <form method="post" action="${form.action}">
              <input type="hidden" name="token" value="${form.token}" />
              <input type="hidden" name="action" value="${form.name}" />
              ${Object.entries(form.hidden ?? {}).map(
                ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
              )}
              ${p.fields.map(fieldOf)}
              <label for="reason">Why</label>
              <p class="soft small" id="about-reason">${oneLine(reason.hint)}</p>
              <textarea
                id="reason"
                name="reason"
                rows="3"
                maxlength="${REASON_LENGTH}"
                aria-describedby="about-reason"
                dir="auto"
                required
              >
${reason.value ?? ''}</textarea>
              <button class="button" type="submit">${oneLine(p.button)}</button>
            </form>
          </section>
        </div>`,
    ],
  });
}

function page(p: { signedInAs: string; problem?: string }, title: string, content: Content): Html {
  return layout({
    title: p.problem === undefined ? title : `Problem: ${title}`,
    signedInAs: nameOf(p.signedInAs),
    wide: true,
    content: [
      p.problem !== undefined &&
        html`<div class="problem" role="alert">
          <h2>Nothing was found</h2>
          <p>${oneLine(p.problem)}</p>
        </div> `,
      content,
    ],
  });
}

function needsYou(failed: Listed | undefined, stuck: Listed | undefined): Html {
  const rows = [...(failed?.rows ?? []), ...(stuck?.rows ?? [])];
  const more = [
    failed?.more !== undefined && html`<p><a href="${failed.more}">More that failed</a></p>`,
    stuck?.more !== undefined && html`<p class="soft">More are stuck; the earliest are shown.</p>`,
  ];
  return html`<section class="card" aria-labelledby="needs-you">
    <h2 id="needs-you">Failed or stuck</h2>
    ${rows.length === 0 ? html`<p class="soft">Nothing needs you.</p>` : rowsOf(rows)} ${more}
  </section>`;
}

const rowsOf = (rows: readonly ListedRequest[]): Html =>
  html`<ul class="rows">
    ${rows.map(
      ({ href, group, requester, standing, filedAt, age, trouble }) =>
        html`<li>
          <a href="${href}"><bdi>${nameOf(requester)}</bdi> for <bdi>${nameOf(group)}</bdi></a>
          ${trouble !== undefined && html`<p class="trouble" dir="auto">${writtenText(trouble)}</p>`}
          <p class="soft small">
            ${oneLine(standing)}; filed ${oneLine(age)} ago,
            <time datetime="${filedAt.toISOString()}">${dateInWords(filedAt)}</time>
          </p>
        </li> `,
    )}
  </ul>`;

function listCard(id: string, heading: string, { rows, more }: Listed, none: string): Html {
  return html`<section class="card" aria-labelledby="${id}">
    <h2 id="${id}">${oneLine(heading)}</h2>
    ${rows.length === 0 ? html`<p class="soft">${none}</p>` : rowsOf(rows)}
    ${more !== undefined && html`<p><a href="${more}">More of: ${oneLine(heading)}</a></p>`}
  </section>`;
}

function readingsCard(readings: readonly Reading[]): Html {
  return html`<section class="card" aria-labelledby="readings">
    <h2 id="readings">How Gatehouse runs</h2>
    ${factList(
      readings.map(({ label, text, bad = false }): Fact => [
        label,
        bad ? html`<strong class="trouble">${oneLine(text)}</strong>` : oneLine(text),
      ]),
    )}
  </section>`;
}

function searchCard({ action, token, typed = '' }: Search): Html {
  return html`<section class="card" aria-labelledby="search">
    <h2 id="search">Find requests</h2>
    <form method="post" action="${action}">
      <input type="hidden" name="token" value="${token}" />
      <label for="find">Person, group or request</label>
      <p class="soft small" id="about-find">
        A person’s object id or user principal name, a group’s object id, or a request’s reference.
      </p>
      <input
        type="text"
        id="find"
        name="find"
        value="${typed}"
        maxlength="120"
        autocomplete="off"
        spellcheck="false"
        aria-describedby="about-find"
        required
      />
      <button class="button quiet" type="submit">Find</button>
    </form>
  </section>`;
}

function mailsCard(mails: readonly ShownMail[]): Content {
  if (mails.length === 0) return undefined;
  return html`<section class="card" aria-labelledby="mails">
    <h2 id="mails">Its mails</h2>
    <ul class="rows">
      ${mails.map(
        ({ what, to, standing, again }) =>
          html`<li>
            ${oneLine(what)} – <bdi>${nameOf(to)}</bdi>
            <p class="soft small">
              ${oneLine(standing)}
              ${
                again !== undefined &&
                html`<br /><a href="${again}">Send again: ${oneLine(what)}, <bdi>${nameOf(to)}</bdi></a>`
              }
            </p>
          </li> `,
      )}
    </ul>
  </section>`;
}

function fieldOf(field: ActionField): Html {
  const { name, label, hint } = field;
  const about = `about-${name}`;
  const control = (): Html => {
    switch (field.kind) {
      case 'text':
        return html`<textarea id="${name}" name="${name}" rows="${field.rows}" aria-describedby="${about}" required>
${field.value ?? ''}</textarea>`;
      case 'number':
        return html`<input
          type="number"
          id="${name}"
          name="${name}"
          value="${field.value}"
          min="1"
          max="${field.most}"
          aria-describedby="${about}"
          required
        />`;
      case 'choice':
        return html`<select id="${name}" name="${name}" aria-describedby="${about}">
          ${field.options.map(
            ({ value, text }) =>
              html`<option value="${value}" ${value === field.value && html`selected`}>${oneLine(text)}</option> `,
          )}
        </select>`;
    }
  };
  return html`<label for="${name}">${oneLine(label)}</label>
    <p class="soft small" id="${about}">${oneLine(hint)}</p>
    ${control()}`;
}
