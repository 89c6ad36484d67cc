import { nameOf, oneLine } from '../../mail/text';
import { html } from '../html';
import type { Html } from '../html';
import { layout } from './layout';
import { unchanged } from './unchanged';

/**
 * The page on which a member of a group that nobody owns offers to own it. Its form posts `token`; nothing on the page does so by itself.
 */
export function takeOverPage(p: {
  groupName: string;
  signedInAs: string;
  form: { action: string; token: string };
  /** A sentence on why the last attempt did not count. */
  problem?: string;
}): Html {
  const group = nameOf(p.groupName);
  const heading = `Take over ${group}?`;
  return layout({
    title: p.problem === undefined ? heading : `Problem: ${heading}`,
    signedInAs: nameOf(p.signedInAs),
    content: [
      unchanged(p.problem),
      html`<h1>${heading}</h1>
        <p class="lead soft">Nobody owns <bdi>${group}</bdi> any more who could decide who joins.</p>
        <section class="card" aria-labelledby="meaning">
          <h2 id="meaning">What it means</h2>
          <p>
            An owner is asked by mail who may join, adds and removes members, and can change the group and its owners.
          </p>
          <p class="soft">
            Those who stand in for missing owners approve it first. If you don’t want to, just close the page: others
            are asked.
          </p>
          <form method="post" action="${p.form.action}">
            <input type="hidden" name="token" value="${p.form.token}" />
            <button class="button" type="submit">Offer to take it over</button>
          </form>
        </section>`,
    ],
  });
}

/** What somebody sees who was asked once there is nothing to offer: how it stands. */
export function takeOverReceiptPage(p: {
  groupName: string;
  signedInAs: string;
  heading: string;
  sentence: string;
}): Html {
  const heading = oneLine(p.heading);
  return layout({
    title: heading,
    signedInAs: nameOf(p.signedInAs),
    content: html`<h1>${heading}</h1>
      <p class="lead soft">${oneLine(p.sentence)}</p>
      <p class="soft small">Group: <bdi>${nameOf(p.groupName)}</bdi></p>`,
  });
}
