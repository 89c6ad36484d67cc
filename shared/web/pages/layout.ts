import { css, html } from '../html';
import type { Content, Html } from '../html';

const style = css`
  :root {
    color-scheme: light dark;
    --page: #f4f5f8;
    --card: #ffffff;
    --line: #e1e4ea;
    --edge: #7b8494;
    --ink: #181c25;
    --soft: #596273;
    --accent: #4338ca;
    --on-accent: #ffffff;
    --tint: #eceefe;
    --bad: #a1211a;
    --bad-tint: #fdeeec;
    --good: #14602f;
    --good-tint: #e3f5e9;
    --rail: #c9ceda;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --page: #0f1115;
      --card: #181b21;
      --line: #2b303a;
      --edge: #7d8798;
      --ink: #f1f3f6;
      --soft: #a9b1bf;
      --accent: #a5b0ff;
      --on-accent: #12142b;
      --tint: #25294d;
      --bad: #ffb4ab;
      --bad-tint: #3a1a18;
      --good: #8ee8ad;
      --good-tint: #12351f;
      --rail: #4a5261;
    }
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  html {
    -webkit-text-size-adjust: 100%;
    text-size-adjust: 100%;
  }
  body {
    margin: 0;
    background: var(--page);
    color: var(--ink);
    overflow-wrap: anywhere;
    font:
      1rem/1.55 -apple-system,
      BlinkMacSystemFont,
      'Segoe UI',
      Roboto,
      Helvetica,
      Arial,
      sans-serif;
  }
  header,
  main {
    max-width: 38rem;
    margin: 0 auto;
    padding: 0 1rem;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1rem;
    justify-content: space-between;
    align-items: center;
    padding-top: 1.25rem;
    padding-bottom: 1.25rem;
  }
  .wide {
    max-width: 66rem;
  }
  .brand {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    margin: 0;
    font-weight: 600;
  }
  .brand::before {
    content: '';
    width: 0.8rem;
    height: 1rem;
    border-radius: 0.4rem 0.4rem 0.125rem 0.125rem;
    background: var(--accent);
  }
  .account {
    margin: 0;
    font-size: 0.875rem;
    color: var(--soft);
  }
  main {
    padding-bottom: 3rem;
  }
  h1,
  h2,
  p,
  dl,
  dd,
  ol,
  fieldset,
  legend,
  form {
    margin: 0;
    padding: 0;
  }
  h1 {
    font-size: 1.5rem;
    line-height: 1.3;
    font-weight: 650;
    letter-spacing: -0.01em;
  }
  h2,
  legend {
    font-size: 1rem;
    line-height: 1.4;
    font-weight: 600;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.15em;
  }
  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  .card {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: 0.75rem;
    padding: 1.25rem;
  }
  .card > * + * {
    margin-top: 0.75rem;
  }
  .soft {
    color: var(--soft);
  }
  .lead {
    margin-top: 0.5rem;
  }
  .small {
    font-size: 0.875rem;
  }
  .problem {
    margin-bottom: 1rem;
    padding: 1rem 1.25rem;
    border-radius: 0.75rem;
    border: 1px solid var(--bad);
    background: var(--bad-tint);
  }
  .done {
    margin-bottom: 1rem;
    padding: 1rem 1.25rem;
    border-radius: 0.75rem;
    border: 1px solid var(--good);
    background: var(--good-tint);
    color: var(--good);
    font-weight: 600;
  }
  .problem h2 {
    color: var(--bad);
  }
  .problem a {
    color: var(--bad);
  }
  .problem > * + * {
    margin-top: 0.25rem;
  }
  blockquote {
    margin: 0;
    padding-left: 1rem;
    border-left: 3px solid var(--rail);
  }
  .facts > div {
    padding: 0.55rem 0;
    border-top: 1px solid var(--line);
  }
  .card > .facts {
    margin-top: 1.25rem;
  }
  .facts > div:last-child {
    padding-bottom: 0;
  }
  dt {
    font-size: 0.875rem;
    color: var(--soft);
  }
  .history ol {
    list-style: none;
  }
  .history li {
    position: relative;
    padding: 0 0 1rem 1.5rem;
  }
  .history li:last-child {
    padding-bottom: 0;
  }
  .history li::before {
    content: '';
    position: absolute;
    left: 0.1rem;
    top: 0.48rem;
    width: 0.6rem;
    height: 0.6rem;
    border-radius: 50%;
    border: 2px solid var(--rail);
    background: var(--card);
  }
  .history li:last-child::before {
    border-color: var(--accent);
    background: var(--accent);
  }
  .history li:not(:last-child)::after {
    content: '';
    position: absolute;
    left: 0.35rem;
    top: 1.1rem;
    bottom: -0.4rem;
    width: 0.1rem;
    background: var(--line);
  }
  time {
    display: block;
    font-size: 0.875rem;
    color: var(--soft);
  }
  .rows {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  .rows li {
    padding: 0.55rem 0;
    border-top: 1px solid var(--line);
  }
  .rows li:last-child {
    padding-bottom: 0;
  }
  .rows time {
    display: inline;
  }
  .plain {
    margin: 0;
    padding-left: 1.25rem;
  }
  .trouble {
    color: var(--bad);
    font-weight: 600;
  }
  fieldset {
    border: 0;
    min-width: 0;
  }
  .choices {
    display: grid;
    gap: 0.75rem;
    margin-top: 0.75rem;
  }
  .choice {
    display: flex;
    gap: 0.75rem;
    padding: 0.875rem 1rem;
    border: 1px solid var(--edge);
    border-radius: 0.625rem;
    cursor: pointer;
  }
  .choice:has(:checked) {
    border-color: var(--accent);
    box-shadow: inset 0 0 0 1px var(--accent);
    background: var(--tint);
  }
  .choice:has(:focus-visible) {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  .choice input {
    flex: none;
    width: 1.25rem;
    height: 1.25rem;
    margin: 0.15rem 0 0;
    accent-color: var(--accent);
    outline: 0;
  }
  .choice strong {
    display: block;
    font-weight: 600;
  }
  .meaning {
    display: block;
    font-size: 0.875rem;
    line-height: 1.45;
    color: var(--soft);
  }
  label[for] {
    display: block;
    margin-top: 1.25rem;
    font-weight: 600;
  }
  [type='text'],
  [type='number'],
  textarea,
  select {
    display: block;
    width: 100%;
    margin-top: 0.5rem;
    padding: 0.625rem 0.75rem;
    font: inherit;
    color: inherit;
    background: var(--card);
    border: 1px solid var(--edge);
    border-radius: 0.625rem;
  }
  textarea {
    resize: vertical;
  }
  [type='text'],
  [type='number'],
  select {
    min-height: 2.75rem;
    text-overflow: ellipsis;
  }
  .button {
    display: inline-block;
    min-height: 2.75rem;
    padding: 0.55rem 1.5rem;
    border: 1px solid transparent;
    border-radius: 0.5rem;
    background: var(--accent);
    color: var(--on-accent);
    font: inherit;
    font-weight: 600;
    text-decoration: none;
    cursor: pointer;
  }
  .quiet {
    border-color: var(--edge);
    background: var(--card);
    color: var(--ink);
  }
  form .button {
    width: 100%;
    margin-top: 1.25rem;
  }
  form [type='hidden'] + .button {
    margin-top: 0.25rem;
  }
  form .button + p {
    margin-top: 0.75rem;
  }
  .columns,
  .actions {
    display: grid;
    gap: 1rem;
  }
  .columns {
    margin-top: 1.25rem;
  }
  @media (min-width: 40rem) {
    header,
    main {
      padding-left: 1.5rem;
      padding-right: 1.5rem;
    }
    .card {
      padding: 1.75rem;
    }
    h1 {
      font-size: 1.75rem;
    }
    .facts > div {
      display: grid;
      grid-template-columns: 9rem 1fr;
      gap: 1rem;
      align-items: baseline;
    }
  }
  @media (min-width: 60rem) {
    .wide .columns {
      grid-template: auto 1fr / minmax(0, 1fr) 24rem;
      align-items: start;
    }
    .columns > .decide,
    .columns > .actions {
      grid-column: 2;
      grid-row: 1 / span 2;
    }
    .columns > .decide {
      position: sticky;
      top: 1rem;
    }
  }
  @media (forced-colors: active) {
    .choice:has(:checked) {
      outline: 2px solid Highlight;
    }
    .button {
      border-color: ButtonText;
    }
  }
`;

/** The one style sheet of all pages, exactly as it stands in them: its SHA-256 is what the content security policy allows. */
export const pageStyle: string = style.text;

/** A whole page. `wide` is for pages with two columns. */
export function layout(page: { title: string; signedInAs?: string; wide?: boolean; content: Content }): Html {
  const width = page.wide === true ? 'wide' : '';
  return html`<!doctype html>
    <html lang="en" dir="ltr">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex, nofollow" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} – Gatehouse</title>
        ${style.element}
      </head>
      <body>
        <header class="${width}">
          <p class="brand">Gatehouse</p>
          ${page.signedInAs !== undefined && html`<p class="account">Signed in as <bdi>${page.signedInAs}</bdi></p>`}
        </header>
        <main class="${width}">${page.content}</main>
      </body>
    </html> `;
}
