import { groupDescribed, periodInWords, requesterDetails } from '../../mail/facts';
import type { RequestFacts } from '../../mail/facts';
import { dateInWords, durationInWords, nameOf, namesShown, oneLine, writtenText } from '../../mail/text';
import { html, series, withBreaks } from '../html';
import type { Content, Html } from '../html';
import { layout } from './layout';

/** Something that happened to a request. */
export interface TimelineItem {
  at: Date;
  text: string;
  /** Who did it. */
  by?: string;
}

/** Longest comment that the form lets through, in UTF-16 units; the requester is sent it. */
export const COMMENT_LENGTH = 500;

/**
 * The page on which an approver decides. Its form posts `decision` (`approve` or `deny`), `comment` and `token`;
 * nothing on the page does so by itself.
 */
export function decisionPage(p: {
  facts: RequestFacts;
  signedInAs: string;
  otherApprovers: string[];
  timeline: TimelineItem[];
  deadline?: Date;
  preselected?: 'approve' | 'deny';
  form: { action: string; token: string };
  /** A sentence shown on top, such as why the last attempt did not count. */
  problem?: string;
}): Html {
  const heading = headingOf(p.facts);
  return layout({
    title: p.problem === undefined ? heading : `Problem: ${heading}`,
    signedInAs: nameOf(p.signedInAs),
    wide: true,
    content: [
      p.problem !== undefined && problemSummary(p.problem),
      html`<h1>${heading}</h1>
        <div class="columns">
          ${requestCard(p.facts, [
            ['Decide by', p.deadline && dateInWords(p.deadline)],
            [
              'Can decide as well',
              p.otherApprovers.length === 0 ? 'Nobody else' : series(namesShown(p.otherApprovers, 20)),
            ],
          ])}
          ${decisionForm(p)} ${historyCard(p.timeline)}
        </div>`,
    ],
  });
}

/** What an approver sees once nothing is left to decide, or not by them: how the request stands, for ever. */
export function receiptPage(p: {
  facts: RequestFacts;
  signedInAs: string;
  heading: string;
  sentence: string;
  timeline: TimelineItem[];
}): Html {
  const heading = oneLine(p.heading);
  return layout({
    title: heading,
    signedInAs: nameOf(p.signedInAs),
    content: html`<h1>${heading}</h1>
      <p class="lead soft">${oneLine(p.sentence)}</p>
      <div class="columns">${historyCard(p.timeline)} ${requestCard(p.facts, [])}</div>`,
  });
}

const headingOf = (facts: RequestFacts): string =>
  `${nameOf(facts.requester.name)} asks to join ${nameOf(facts.groupName)}`;

function problemSummary(problem: string): Html {
  return html`<div class="problem" role="alert">
    <h2>Your decision was not recorded</h2>
    <p>${oneLine(problem)}</p>
    <p><a href="#decision">Go to your decision</a></p>
  </div> `;
}

type Row = [label: string, value: Content];

function requestCard(facts: RequestFacts, more: Row[]): Html {
  const reason = writtenText(facts.justification);
  const known: Row[] = [
    ['For how long', periodInWords(facts)],
    ...more,
    ['Group', groupValue(facts)],
    ['Asked on', dateInWords(facts.filedAt)],
    ['Reference', oneLine(facts.reference)],
  ];
  return html`<section class="card" aria-labelledby="request">
    <div>
      <h2 id="request"><bdi>${nameOf(facts.requester.name)}</bdi></h2>
      ${requesterDetails(facts).map((line) => html`<p class="soft small"><bdi>${line}</bdi></p>`)}
    </div>
    ${
      reason === ''
        ? html`<p class="soft">No reason was given.</p>`
        : html`<p class="soft small">The reason, as it was given</p>
            <blockquote dir="auto">${withBreaks(reason)}</blockquote>`
    }
    <dl class="facts">${known.map(factRow)}</dl>
  </section>`;
}

function groupValue(facts: RequestFacts): Html {
  const description = groupDescribed(facts);
  return html`<bdi>${nameOf(facts.groupName)}</bdi>
    ${description !== '' && html`<p class="soft small" dir="auto">${description}</p>`}`;
}

function factRow([label, value]: Row): Content {
  if (value === undefined || value === '') return undefined;
  return html`<div>
    <dt>${label}</dt>
    <dd>${value}</dd>
  </div> `;
}

function historyCard(timeline: readonly TimelineItem[]): Content {
  if (timeline.length === 0) return undefined;
  return html`<section class="card history" aria-labelledby="history">
    <h2 id="history">What happened so far</h2>
    <ol>
      ${timeline.map(
        ({ at, text, by }) =>
          html`<li>
            ${oneLine(text)}${by !== undefined && html` – <bdi>${nameOf(by)}</bdi>`}
            <time datetime="${at.toISOString()}">${dateInWords(at)}</time>
          </li> `,
      )}
    </ol>
  </section>`;
}

function decisionForm(p: {
  facts: RequestFacts;
  preselected?: 'approve' | 'deny';
  form: { action: string; token: string };
}): Html {
  const requester = nameOf(p.facts.requester.name);
  const period = p.facts.duration === undefined ? 'without an end date' : `for ${durationInWords(p.facts.duration)}`;
  const choice = (value: 'approve' | 'deny', label: string, meaning: string): Html =>
    html`<label class="choice">
      <input type="radio" name="decision" value="${value}" required${p.preselected === value && html` checked`} />
      <span><strong>${label}</strong> <span class="meaning">${meaning}</span></span>
    </label> `;
  return html`<section class="card decide" id="decision" tabindex="-1" aria-labelledby="yours">
    <form method="post" action="${p.form.action}">
      <input type="hidden" name="token" value="${p.form.token}" />
      <fieldset>
        <legend id="yours">Your decision</legend>
        <div class="choices">
          ${choice('approve', 'Approve', `${requester} may join ${nameOf(p.facts.groupName)}, ${period}.`)}
          ${choice('deny', 'Deny', `${requester} may not join.`)}
        </div>
      </fieldset>
      <label for="comment">Comment <span class="soft">(optional)</span></label>
      <p class="soft small" id="about-comment">Sent to the requester. At most ${COMMENT_LENGTH} characters.</p>
      <textarea
        id="comment"
        name="comment"
        rows="3"
        maxlength="${COMMENT_LENGTH}"
        aria-describedby="about-comment"
        dir="auto"
      ></textarea>
      <button class="button" type="submit">Confirm</button>
      <p class="soft small">Nothing is decided until you confirm.</p>
    </form>
  </section>`;
}
