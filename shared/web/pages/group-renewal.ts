import { afterwardsInWords } from '../../mail/lifetime-messages';
import type { Afterwards, LifeFacts } from '../../mail/lifetime-messages';
import { dateInWords, nameOf, oneLine } from '../../mail/text';
import { html } from '../html';
import type { Html } from '../html';
import { factList } from './fact-list';
import { layout } from './layout';
import { unchanged } from './unchanged';

/**
 * The page on which an owner renews a group. Its form posts `token`; nothing on the page does so by itself. Without `form` there is
 * nothing to renew, and the page says how it stands.
 */
export function groupRenewalPage(p: {
  facts: LifeFacts;
  signedInAs: string;
  /** Heading and sentence: how the group stands. */
  heading: string;
  sentence: string;
  /** When it expires, where it has not. */
  expires?: Date;
  expired?: Date;
  /** What becomes of it where nobody renews it. */
  afterwards?: Afterwards;
  form?: { action: string; token: string };
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
        <div class="columns">${lifeCard(p)} ${p.form && renewCard(p.form, nameOf(p.facts.groupName))}</div>`,
    ],
  });
}

const lifeCard = ({ facts, expires, expired, afterwards }: Parameters<typeof groupRenewalPage>[0]): Html =>
  html`<section class="card" aria-labelledby="life">
    <h2 id="life"><bdi>${nameOf(facts.groupName)}</bdi></h2>
    ${factList([
      ['Kind', facts.kind === 'security' ? 'Security group' : 'Microsoft 365 group'],
      ['Expires', expires && dateInWords(expires)],
      ['Expired', expired && dateInWords(expired)],
      ['Unless it is renewed', afterwards && afterwardsInWords(afterwards)],
      ['Group id', facts.groupId],
    ])}
  </section>`;

const renewCard = ({ action, token }: { action: string; token: string }, group: string): Html =>
  html`<section class="card" aria-labelledby="renew">
    <h2 id="renew">Is it still needed?</h2>
    <p class="soft">Its time begins anew, and the other owners are told. If it is not needed, do nothing.</p>
    <form method="post" action="${action}">
      <input type="hidden" name="token" value="${token}" />
      <button class="button" type="submit">Renew <bdi>${group}</bdi></button>
    </form>
  </section>`;
