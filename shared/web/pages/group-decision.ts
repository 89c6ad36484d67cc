import { askerDetails, changeHeadline, changeRows, othersInWords } from '../../mail/change-messages';
import type { ChangeFacts } from '../../mail/change-messages';
import { dateInWords, nameOf, oneLine, writtenText } from '../../mail/text';
import { html, series, withBreaks } from '../html';
import type { Html } from '../html';
import { decisionChoice, decisionForm, decisionProblem } from './decision-form';
import { factList } from './fact-list';
import type { Fact } from './fact-list';
import { historyCard } from './history';
import type { TimelineItem } from './history';
import { layout } from './layout';

/**
 * The page on which somebody decides whether a group is created, or who takes over one that nobody owns. Its form posts `decision` (`approve` or `deny`), `comment` and `token`;
 * nothing on the page does so by itself.
 */
export function groupDecisionPage(p: {
  facts: ChangeFacts;
  signedInAs: string;
  others: string[];
  timeline: TimelineItem[];
  deadline: Date;
  preselected?: 'approve' | 'deny';
  /** What was typed before, where it was not accepted. */
  comment?: string;
  form: { action: string; token: string };
  /** A sentence shown on top, such as why the last attempt did not count. */
  problem?: string;
}): Html {
  const heading = changeHeadline(p.facts);
  return layout({
    title: p.problem === undefined ? heading : `Problem: ${heading}`,
    signedInAs: nameOf(p.signedInAs),
    wide: true,
    content: [
      p.problem !== undefined && decisionProblem(p.problem),
      html`<h1>${heading}</h1>
        <div class="columns">
          ${changeCard(p.facts, [
            ['Decide by', dateInWords(p.deadline)],
            ['Can decide as well', othersInWords(p.others)],
          ])}
          ${form(p)} ${historyCard(p.timeline)}
        </div>`,
    ],
  });
}

/** What somebody sees who was asked once nothing is left to decide, or not by them: how it stands, for ever. */
export function groupReceiptPage(p: {
  facts: ChangeFacts;
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
      <div class="columns">${historyCard(p.timeline)} ${changeCard(p.facts, [])}</div>`,
  });
}

function changeCard(facts: ChangeFacts, more: Fact[]): Html {
  const purpose = facts.what.kind === 'create' ? writtenText(facts.what.purpose) : '';
  const rows = changeRows(facts).map(({ label, value, detail }): Fact => [
    label,
    html`<bdi>${typeof value === 'string' ? value : series(value)}</bdi>
      ${detail !== undefined && html`<p class="soft small" dir="auto">${detail}</p>`}`,
  ]);
  return html`<section class="card" aria-labelledby="request">
    <div>
      <h2 id="request"><bdi>${nameOf(facts.askedBy.name)}</bdi></h2>
      ${askerDetails(facts).map((line) => html`<p class="soft small"><bdi>${line}</bdi></p>`)}
    </div>
    ${
      purpose !== '' &&
      html`<p class="soft small">What it is for, as it was given</p>
        <blockquote dir="auto">${withBreaks(purpose)}</blockquote>`
    }
    ${factList([...rows, ...more, ['Reference', oneLine(facts.reference)]])}
  </section>`;
}

type Form = Parameters<typeof groupDecisionPage>[0];

const form = (p: Form): Html =>
  decisionForm({
    form: p.form,
    choices: [
      decisionChoice(
        'approve',
        'Approve',
        p.facts.what.kind === 'create'
          ? `The group ${nameOf(p.facts.groupName)} is created, with its owners.`
          : `${nameOf(p.facts.askedBy.name)} becomes an owner of ${nameOf(p.facts.groupName)}.`,
        p.preselected,
      ),
      decisionChoice(
        'deny',
        'Deny',
        p.facts.what.kind === 'create' ? 'No group is created.' : 'Nothing is changed; other members are asked.',
        p.preselected,
      ),
    ],
    reader: 'whoever asked',
    comment: p.comment,
    note: 'Nothing is decided until you confirm. The first decision counts.',
  });
