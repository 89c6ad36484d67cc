import { oneLine } from '../../mail/text';
import { html } from '../html';
import type { Content } from '../html';

/** On top of a page whose form was not accepted: why the last attempt changed nothing. */
export const unchanged = (problem: string | undefined): Content =>
  problem !== undefined &&
  html`<div class="problem" role="alert">
    <h2>Nothing was changed</h2>
    <p>${oneLine(problem)}</p>
  </div> `;
