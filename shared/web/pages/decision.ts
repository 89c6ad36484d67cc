import { approvalsInWords, headlineOf, periodInWords, presentEnd, requesterDetails, wishOf } from '../../mail/facts';
import type { RequestFacts } from '../../mail/facts';
import { dateInWords, durationInWords, nameOf, namesShown, oneLine, writtenText } from '../../mail/text';
import { html, series, withBreaks } from '../html';
import type { Content, Html } from '../html';
import { decisionChoice, decisionForm, decisionProblem } from './decision-form';
import { durationSelect, shorterDurations } from './duration-select';
import { factList, groupValue } from './fact-list';
import type { Fact } from './fact-list';
import { historyCard } from './history';
import type { TimelineItem } from './history';
import { layout } from './layout';
import { unchanged } from './unchanged';

export type { TimelineItem } from './history';

/** What an approver decided before, while others still decide, and how many times they may change their mind. */
export interface OwnDecision {
  choice: 'approve' | 'deny';
  /** ISO 8601; the shorter time that was given with the approval. */
  duration?: string;
  changesLeft: number;
}

/**
 * The page on which an approver decides. Its form posts `decision` (`approve` or `deny`), `comment`, `token` and, where the time may
 * be shortened, `duration` (ISO 8601, or empty for what was asked for); nothing on the page does so by itself.
 */
export function decisionPage(p: {
  facts: RequestFacts;
  signedInAs: string;
  otherApprovers: string[];
  timeline: TimelineItem[];
  deadline?: Date;
  preselected?: 'approve' | 'deny';
  /** What was typed before, where it was not accepted. */
  comment?: string;
  mine?: OwnDecision;
  /** How many must approve, and how many have. */
  progress?: { required: number; approvals: number };
  /** The time may be shortened; `maximum` (ISO 8601) is the longest that the group allows, `selected` what was chosen before. */
  shorten?: { maximum?: string; selected?: string };
  form: { action: string; token: string };
  /** A sentence shown on top, such as why the last attempt did not count. */
  problem?: string;
}): Html {
  const heading = headlineOf(p.facts);
  return layout({
    title: p.problem === undefined ? heading : `Problem: ${heading}`,
    signedInAs: nameOf(p.signedInAs),
    wide: true,
    content: [
      p.problem !== undefined && decisionProblem(p.problem),
      html`<h1>${heading}</h1>
        <div class="columns">
          ${requestCard(p.facts, [
            ['Membership ends', presentEnd(p.facts)],
            ['Decide by', p.deadline && dateInWords(p.deadline)],
            ['Approvals', approvalsNeeded(p.progress)],
            [
              'Can decide as well',
              p.otherApprovers.length === 0 ? 'Nobody else' : series(namesShown(p.otherApprovers, 20)),
            ],
          ])}
          ${ownDecision(p)} ${historyCard(p.timeline)}
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
  /** For the requester, while it is open; each posts `token` and `action`: `nudge` or `withdraw`. */
  forms?: { action: string; token: string; nudge: boolean };
  /** Where the reader can go on. */
  next?: { href: string; label: string };
  /** A sentence on why the last attempt did not count. */
  problem?: string;
}): Html {
  const heading = oneLine(p.heading);
  return layout({
    title: p.problem === undefined ? heading : `Problem: ${heading}`,
    signedInAs: nameOf(p.signedInAs),
    content: [
      unchanged(p.problem),
      html`<h1>${heading}</h1>
        <p class="lead soft">${oneLine(p.sentence)}</p>
        ${p.next && html`<p><a class="button" href="${p.next.href}">${p.next.label}</a></p>`}
        <div class="columns">
          ${historyCard(p.timeline)} ${requestCard(p.facts, [])} ${p.forms && requesterForms(p.forms)}
        </div>`,
    ],
  });
}

function requesterForms({ action, token, nudge }: { action: string; token: string; nudge: boolean }): Html {
  const form = (name: 'nudge' | 'withdraw', label: string): Html =>
    html`<form method="post" action="${action}">
      <input type="hidden" name="token" value="${token}" />
      <input type="hidden" name="action" value="${name}" />
      <button class="button" type="submit">${label}</button>
    </form> `;
  return html`<section class="card" aria-labelledby="yours">
    <h2 id="yours">What you can do</h2>
    ${
      nudge &&
      html`<p class="soft">Where it takes long, have those who can decide reminded, at most once a day.</p>
        ${form('nudge', 'Remind them')}`
    }
    <p class="soft">You no longer need it? Nobody will be asked any more.</p>
    ${form('withdraw', 'Withdraw the request')}
  </section>`;
}

const approvalsNeeded = (progress?: { required: number; approvals: number }): string | undefined =>
  progress === undefined || progress.required < 2 ? undefined : approvalsInWords(progress.required, progress.approvals);

function requestCard(facts: RequestFacts, more: Fact[]): Html {
  const reason = writtenText(facts.justification);
  const known: Fact[] = [
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
    ${factList(known)}
  </section>`;
}

type Form = Parameters<typeof decisionPage>[0];

function ownDecision(p: Form): Html {
  const { facts, mine } = p;
  if (mine !== undefined && mine.changesLeft < 1)
    return html`<section class="card decide" id="decision" tabindex="-1" aria-labelledby="yours">
      <h2 id="yours">Your decision</h2>
      <p>${decidedBefore(mine)}</p>
    </section>`;
  return decisionForm({
    form: p.form,
    before: mine && html`<p class="soft small">${decidedBefore(mine)}</p>`,
    choices: choices(facts, p.preselected ?? mine?.choice, mine?.duration),
    more: shortening(p),
    reader: 'the requester',
    comment: p.comment,
    note:
      mine === undefined ? 'Nothing is decided until you confirm.' : 'Your decision stays as it is until you confirm.',
  });
}

function choices(facts: RequestFacts, selected: 'approve' | 'deny' | undefined, given: string | undefined): Html[] {
  const requester = nameOf(facts.requester.name);
  const duration = given ?? facts.duration;
  const period = duration === undefined ? 'without an end date' : `for ${durationInWords(duration)}`;
  const wish = wishOf(facts);
  return [
    decisionChoice('approve', 'Approve', `${requester} may ${wish} ${nameOf(facts.groupName)}, ${period}.`, selected),
    decisionChoice('deny', 'Deny', deniedMeaning(facts), selected),
  ];
}

function deniedMeaning(facts: RequestFacts): string {
  const requester = nameOf(facts.requester.name);
  const end = presentEnd(facts);
  return end === undefined ? `${requester} may not join.` : `The membership ends as before, on ${end}.`;
}

function decidedBefore({ choice, duration, changesLeft }: OwnDecision): string {
  const time = duration === undefined ? '' : `, for ${durationInWords(duration)}`;
  const before = choice === 'approve' ? `You approved${time}.` : 'You denied.';
  if (changesLeft < 1) return `${before} Others still decide; you can’t change your mind any more.`;
  const times = changesLeft === 1 ? 'once more' : `${changesLeft} more times`;
  return `${before} Until the others have decided you can change your mind ${times}.`;
}

function shortening({ facts, shorten }: Form): Content {
  if (shorten === undefined) return undefined;
  const durations = shorterDurations(facts.duration, shorten.maximum);
  if (durations.length === 0) return undefined;
  return durationSelect({
    label: 'Shorten the time',
    hint: 'Counts only if you approve. The requester is told.',
    otherwise: `As asked: ${periodInWords(facts).toLowerCase()}`,
    durations,
    ...(shorten.selected !== undefined && { selected: shorten.selected }),
  });
}
