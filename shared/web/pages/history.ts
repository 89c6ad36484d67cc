import { dateInWords, nameOf, oneLine } from '../../mail/text';
import { html } from '../html';
import type { Content } from '../html';

/** Something that happened to a request. */
export interface TimelineItem {
  at: Date;
  text: string;
  /** Who did it. */
  by?: string;
}

/** What happened, earliest first, as a card; nothing where nothing did. */
export function historyCard(timeline: readonly TimelineItem[]): Content {
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
