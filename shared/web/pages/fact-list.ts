import { groupDescribed } from '../../mail/facts';
import type { RequestFacts } from '../../mail/facts';
import { nameOf } from '../../mail/text';
import { html } from '../html';
import type { Content, Html } from '../html';

export type Fact = [label: string, value: Content];

/** Facts with their labels; those without a value are left out. */
export const factList = (facts: readonly Fact[]): Html => html`<dl class="facts">${facts.map(factRow)}</dl>`;

function factRow([label, value]: Fact): Content {
  if (value === undefined || value === '') return undefined;
  return html`<div>
    <dt>${label}</dt>
    <dd>${value}</dd>
  </div> `;
}

/** The group's name, with its description where it has one. */
export function groupValue(facts: RequestFacts): Html {
  const description = groupDescribed(facts);
  return html`<bdi>${nameOf(facts.groupName)}</bdi>
    ${description !== '' && html`<p class="soft small" dir="auto">${description}</p>`}`;
}
