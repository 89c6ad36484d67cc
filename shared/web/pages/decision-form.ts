import { oneLine } from '../../mail/text';
import { html } from '../html';
import type { Content, Html } from '../html';

/** Longest comment that the form lets through, in UTF-16 units; whoever asked is sent it. */
export const COMMENT_LENGTH = 500;

/** On top of a page whose form was not accepted: why not. */
export function decisionProblem(problem: string): Html {
  return html`<div class="problem" role="alert">
    <h2>Your decision was not recorded</h2>
    <p>${oneLine(problem)}</p>
    <p><a href="#decision">Go to your decision</a></p>
  </div> `;
}

/** One of the things that can be decided, with what it means. */
export const decisionChoice = (
  value: 'approve' | 'deny',
  label: string,
  meaning: string,
  selected: 'approve' | 'deny' | undefined,
): Html =>
  html`<label class="choice">
    <input type="radio" name="decision" value="${value}" required${selected === value && html` checked`} />
    <span><strong>${label}</strong> <span class="meaning">${meaning}</span></span>
  </label> `;

/** The form that decides: it posts `decision`, `comment`, `token`, and whatever fields `more` holds. */
export function decisionForm(p: {
  form: { action: string; token: string };
  /** Above the choices. */
  before?: Content;
  choices: Html[];
  /** Between choices and comment. */
  more?: Content;
  /** Whom the comment is sent to. */
  reader: string;
  /** What was typed before, where it was not accepted. */
  comment?: string | undefined;
  /** Below the button. */
  note: string;
}): Html {
  return html`<section class="card decide" id="decision" tabindex="-1" aria-labelledby="yours">
    <form method="post" action="${p.form.action}">
      <input type="hidden" name="token" value="${p.form.token}" />
      <fieldset>
        <legend id="yours">Your decision</legend>
        ${p.before}
        <div class="choices">${p.choices}</div>
      </fieldset>
      ${p.more}
      <label for="comment">Comment <span class="soft">(optional)</span></label>
      <p class="soft small" id="about-comment">Sent to ${p.reader}. At most ${COMMENT_LENGTH} characters.</p>
      <textarea
        id="comment"
        name="comment"
        rows="3"
        maxlength="${COMMENT_LENGTH}"
        aria-describedby="about-comment"
        dir="auto"
      >
${p.comment ?? ''}</textarea>
      <button class="button" type="submit">Confirm</button>
      <p class="soft small">${p.note}</p>
    </form>
  </section>`;
}
