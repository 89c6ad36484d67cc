import type { RequestFacts } from '../../mail/facts';
import { dateInWords, nameOf, oneLine, writtenText } from '../../mail/text';
import { html, withBreaks } from '../html';
import type { Content, Html } from '../html';
import { durationSelect } from './duration-select';
import { factList, groupValue } from './fact-list';
import type { Fact } from './fact-list';
import { historyCard } from './history';
import type { TimelineItem } from './history';
import { layout } from './layout';
import { unchanged } from './unchanged';

/** Longest reason that the form lets through, in UTF-16 units, as long as one of a request that is filed through the API. */
export const JUSTIFICATION_LENGTH = 2_000;

/**
 * The page on which a member asks to stay, lets the membership lapse, or leaves. Each form posts `token` and `action`: `extend` (with
 * `justification` and, where `durations` are given, `duration`), `lapse`, or `leave` (with `sure`: `yes`); nothing on the page does
 * so by itself. Without `form` nothing is left to choose.
 */
export function membershipPage(p: {
  facts: RequestFacts;
  signedInAs: string;
  /** Absent where there is no membership yet. */
  from?: Date;
  /** When it ends; without an end there is nothing to extend and nothing to let lapse. */
  until?: Date;
  timeline: TimelineItem[];
  form?: { action: string; token: string };
  /** By another grant the membership lasts longer, or has no end: `href` is its page, on which the member then asks to stay, or leaves. */
  goesOn?: { until?: Date; href?: string };
  /** The member has chosen to let it lapse. */
  lapsing: boolean;
  /** The group's own words on what a reason should say. */
  prompt?: string;
  justificationRequired: boolean;
  /** ISO 8601, to choose from. */
  durations?: string[];
  /** What was typed before, where it was not accepted. */
  typed?: { justification: string; duration?: string };
  /** Where an extension waits for a decision: its status. It can't be asked for twice. */
  extensionLink?: string;
  /** A sentence on why the last attempt did not count. */
  problem?: string;
  /** A sentence on what was just done. */
  done?: string;
}): Html {
  const group = nameOf(p.facts.groupName);
  const heading = `Your membership in ${group}`;
  const { form, goesOn, until } = p;
  const isWide = form !== undefined || goesOn !== undefined;
  const done = oneLine(p.done ?? '');
  return layout({
    title: p.problem === undefined ? heading : `Problem: ${heading}`,
    signedInAs: nameOf(p.signedInAs),
    wide: isWide,
    content: [
      unchanged(p.problem),
      done !== '' && html`<p class="done" role="status">${done}</p> `,
      html`<h1>${heading}</h1>
        <div class="columns">
          ${membershipCard(p)}
          ${
            isWide &&
            html`<div class="actions">
              ${goesOn && goesOnCard(goesOn)}
              ${form && !goesOn && until && [extendCard(form, p), lapseCard(form, until, p.lapsing)]}
              ${form && goesOn?.href === undefined && leaveCard(form, group)}
            </div>`
          }
          ${historyCard(p.timeline)}
        </div>`,
    ],
  });
}

function membershipCard({
  facts,
  from,
  until,
  goesOn,
}: Pick<Parameters<typeof membershipPage>[0], 'facts' | 'from' | 'until' | 'goesOn'>): Html {
  const period: Fact[] =
    from === undefined
      ? []
      : [
          ['Member since', dateInWords(from)],
          [goesOn ? 'By this request until' : 'Member until', until ? dateInWords(until) : 'No end date'],
        ];
  return html`<section class="card" aria-labelledby="membership">
    <h2 id="membership">${from === undefined ? 'What was asked for' : 'From when until when'}</h2>
    ${factList([...period, ['Group', groupValue(facts)], ['Reference', oneLine(facts.reference)]])}
  </section>`;
}

function goesOnCard({ until, href }: { until?: Date; href?: string }): Html {
  return html`<section class="card" aria-labelledby="goes-on">
    <h2 id="goes-on">You stay a member</h2>
    <p class="soft">
      ${until ? html`By another request until ${dateInWords(until)}.` : 'Without an end, by another request or because an owner added you.'}
      ${href !== undefined && html`<a href="${href}">See that membership</a>`}
    </p>
  </section>`;
}

interface Form {
  action: string;
  token: string;
}

function actionForm(form: Form, action: 'extend' | 'lapse' | 'leave', fields: Content): Html {
  return html`<form method="post" action="${form.action}">
    <input type="hidden" name="token" value="${form.token}" />
    <input type="hidden" name="action" value="${action}" />
    ${fields}
  </form>`;
}

function extendCard(
  form: Form,
  p: Pick<
    Parameters<typeof membershipPage>[0],
    'prompt' | 'justificationRequired' | 'durations' | 'typed' | 'extensionLink'
  >,
): Html {
  if (p.extensionLink !== undefined)
    return html`<section class="card" aria-labelledby="extend">
      <h2 id="extend">You have asked to stay</h2>
      <p class="soft">It is not decided yet. <a href="${p.extensionLink}">See the request</a></p>
    </section>`;
  const prompt = writtenText(p.prompt ?? '');
  const { durations = [] } = p;
  return html`<section class="card" aria-labelledby="extend">
    <h2 id="extend">Ask to stay</h2>
    <p class="soft">This makes a new request. Approved in time, your membership goes on without a gap.</p>
    ${actionForm(
      form,
      'extend',
      html`<label for="justification"
          >Why you need to stay ${!p.justificationRequired && html`<span class="soft">(optional)</span>`}</label
        >
        <p class="soft small" id="about-justification">
          ${prompt !== '' && html`<bdi>${withBreaks(prompt)}</bdi><br />`} Those who decide read it. At most
          ${JUSTIFICATION_LENGTH} characters.
        </p>
        <textarea
          id="justification"
          name="justification"
          rows="3"
          maxlength="${JUSTIFICATION_LENGTH}"
          aria-describedby="about-justification"
          dir="auto"
          ${p.justificationRequired && html`required`}
        >
${p.typed?.justification ?? ''}</textarea>
        ${
          durations.length > 0 &&
          durationSelect({
            label: 'For how long',
            hint: 'Those who decide may give less.',
            otherwise: 'As long as is usual for this group',
            durations,
            ...(p.typed?.duration !== undefined && { selected: p.typed.duration }),
          })
        }
        <button class="button" type="submit">Ask to stay</button>`,
    )}
  </section>`;
}

function lapseCard(form: Form, until: Date, lapsing: boolean): Html {
  const end = dateInWords(until);
  if (lapsing)
    return html`<section class="card" aria-labelledby="lapse">
      <h2 id="lapse">You let it lapse</h2>
      <p class="soft">Your membership ends on ${end}. You get no more warnings before.</p>
    </section>`;
  return html`<section class="card" aria-labelledby="lapse">
    <h2 id="lapse">Let it lapse</h2>
    <p class="soft">You stay a member until ${end}, and get no more warnings before.</p>
    ${actionForm(form, 'lapse', html`<button class="button quiet" type="submit">Let it lapse</button>`)}
  </section>`;
}

function leaveCard(form: Form, group: string): Html {
  return html`<section class="card" aria-labelledby="leave">
    <h2 id="leave">Leave now</h2>
    <p class="soft">Your membership ends now. To come back you have to ask again.</p>
    ${actionForm(
      form,
      'leave',
      html`<label class="choice">
          <input type="checkbox" name="sure" value="yes" required />
          <span>Yes, I want to leave <bdi>${group}</bdi> now.</span>
        </label>
        <button class="button quiet" type="submit">Leave now</button>`,
    )}
  </section>`;
}
