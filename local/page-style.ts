import { createHash } from 'node:crypto';

// System fonts, light and dark by the reader's choice.
const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --page: #f6f7f9; --card: #fff; --line: #d5d9df; --link: #0a58ca; --code: #f0f2f5; --accent: #0b6e4f }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a3abb5; --page: #14171b; --card: #1d2126; --line: #363c44; --link: #8ab4f8; --code: #101317; --accent: #5ed0a6 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
header, main, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.25rem }
header { padding-top: 2rem }
header nav ul, .cards { list-style: none; padding: 0; margin: 0 }
header nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .25rem 0 }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .5rem }
h3 { font-size: 1rem; margin: 0 }
p { max-width: 44rem }
.lead { font-size: 1.1rem; color: var(--soft); margin-top: 0 }
.soft { color: var(--soft) }
a { color: var(--link) }
a:focus-visible, button:focus-visible, input:focus-visible, pre:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
.skip { position: absolute; left: -100rem }
.skip:focus { position: static }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .75rem }
.cards li, .panel { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem }
.cards p { margin: .25rem 0 0; font-size: .92rem; color: var(--soft) }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .86rem; user-select: all; -webkit-user-select: all }
code { font-family: ui-monospace, Menlo, Consolas, monospace }
table { border-collapse: collapse; width: 100%; font-size: .92rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; overflow-wrap: anywhere }
td .head { display: none }
caption { text-align: left; padding: .6rem .8rem 0; color: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .45rem .8rem; border-bottom: 1px solid var(--line) }
tr:last-child td, tr:last-child th { border-bottom: 0 }
form.moves { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: 1rem }
input { font: inherit; padding: .45rem .6rem; border: 1px solid var(--soft); border-radius: .5rem; background: var(--card); color: var(--ink); min-height: 2.75rem; max-width: 100% }
button { font: inherit; padding: .45rem .9rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--code); color: var(--ink); cursor: pointer; min-height: 2.75rem }
button:hover { border-color: var(--link) }
time, .number { font-variant-numeric: tabular-nums }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; color: var(--accent) }
ol.trail { list-style: none; margin: 0; padding: 0 0 0 1rem; border-left: 2px solid var(--line) }
ol.trail li { margin: 0 0 .9rem }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 }
dl.facts dt { color: var(--soft) }
dl.facts dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap }
@media (max-width: 48rem) {
  table, caption, tbody, tr, th, td { display: block }
  thead { position: absolute; left: -100rem }
  tbody tr { padding: .5rem 0; border-bottom: 1px solid var(--line) }
  tbody tr:last-child { border-bottom: 0 }
  th, td { border: 0; padding: .15rem .8rem }
  td .head { display: inline; color: var(--soft) }
  td .head::after { content: ':' }
  dl.facts { grid-template-columns: 1fr; gap: 0 }
  dl.facts dd { margin-bottom: .5rem }
}
footer { margin: 3rem auto 2rem; color: var(--soft); font-size: .9rem }
`;

const hash = createHash('sha256').update(STYLE).digest('base64');

/** The pages' style, element and all: a space more between its tags and the policy would not allow it. */
export const STYLE_ELEMENT = `<style>${STYLE}</style>`;

/** Nothing but this style and forms to ourselves. */
export const POLICY = `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
