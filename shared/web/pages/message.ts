import { oneLine } from '../../mail/text';
import { html } from '../html';
import type { Html } from '../html';
import { layout } from './layout';

/** Asks to sign in. It tells nothing: the very same for links that exist and links that don't. */
export function signInPage(p: { signInUrl: string }): Html {
  return messagePage({
    heading: 'Sign in to go on',
    sentence: 'This page is shown only to the person whom its link was sent to.',
    link: { href: p.signInUrl, text: 'Sign in' },
  });
}

/** Somebody is signed in for whom the link is not. It tells nothing of what is behind it. */
export function otherAccountPage(p: { signOutUrl: string }): Html {
  return messagePage({
    heading: 'This link is for another account',
    sentence: 'Sign out, then open the link again and sign in with the account that the mail was sent to.',
    link: { href: p.signOutUrl, text: 'Sign out' },
  });
}

/** The app runs where nobody can sign in. */
export function signInUnavailablePage(): Html {
  return messagePage({
    heading: 'Signing in is not possible here',
    sentence:
      'This page needs you to sign in, and this installation of Gatehouse has no sign-in set up. Please tell the people who run it.',
  });
}

/** A heading, a sentence and at most one thing to do. */
export function messagePage(p: { heading: string; sentence: string; link?: { href: string; text: string } }): Html {
  const heading = oneLine(p.heading);
  return layout({
    title: heading,
    content: html`<div class="card">
      <h1>${heading}</h1>
      <p class="soft">${oneLine(p.sentence)}</p>
      ${p.link && html`<p><a class="button" href="${p.link.href}">${oneLine(p.link.text)}</a></p>`}
    </div>`,
  });
}
