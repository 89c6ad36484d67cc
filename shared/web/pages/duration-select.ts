import { parseDuration } from '../../domain/duration';
import { durationInWords, oneLine } from '../../mail/text';
import { html } from '../html';
import type { Html } from '../html';

const OFFERED = ['P1D', 'P7D', 'P30D', 'P90D', 'P180D', 'P365D'];

/** The usual durations (ISO 8601) that are shorter than what was asked for and no longer than the maximum; absent is without end. */
export function shorterDurations(asked: string | undefined, maximum: string | undefined): string[] {
  const length = (duration: string | undefined): number | undefined =>
    duration === undefined ? Infinity : parseDuration(duration);
  const [below, most] = [length(asked), length(maximum)];
  // of a duration that can't be read nothing is known to be shorter
  if (below === undefined || most === undefined) return [];
  return OFFERED.filter((duration) => {
    const offered = length(duration) ?? Infinity;
    return offered < below && offered <= most;
  });
}

/** A field named `duration` that posts one of the ISO 8601 durations, or nothing, which means what `otherwise` says. */
export function durationSelect(p: {
  label: string;
  hint: string;
  otherwise: string;
  durations: string[];
  /** What was chosen before. */
  selected?: string;
}): Html {
  const option = (duration: string): Html =>
    duration === p.selected
      ? html`<option value="${duration}" selected>${durationInWords(duration)}</option> `
      : html`<option value="${duration}">${durationInWords(duration)}</option> `;
  return html`<label for="duration">${p.label} <span class="soft">(optional)</span></label>
    <p class="soft small" id="about-duration">${p.hint}</p>
    <select id="duration" name="duration" aria-describedby="about-duration">
      <option value="">${oneLine(p.otherwise)}</option>
      ${p.durations.map(option)}
    </select>`;
}
