/** The one style sheet of the directory's pages; light and dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --quiet: #57606a; --paper: #ffffff; --panel: #f6f8fa; --line: #d0d7de; --accent: #0b5cad; --badge: #e7eef6;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --quiet: #9aa4af; --paper: #0f1419; --panel: #171d24; --line: #343c46; --accent: #7cb7ff; --badge: #22303f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
a { color: var(--accent); text-underline-offset: 0.15em; }
a:focus-visible, button:focus-visible, input:focus-visible, .scroll:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; display: block; padding: 0.5rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; justify-content: space-between; padding: 0.8rem max(1rem, calc(50% - 34rem)); background: var(--panel); border-bottom: 1px solid var(--line); }
header > a { font-weight: 600; color: var(--ink); text-decoration: none; }
header nav a { margin-inline-end: 1rem; }
main, footer { max-width: 70rem; margin: 0 auto; padding: 1rem; }
footer { color: var(--quiet); font-size: 0.9rem; border-top: 1px solid var(--line); margin-top: 3rem; }
h1 { font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; margin: 1rem 0 0.5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; }
.lead { color: var(--quiet); margin: 0; }
.description { white-space: pre-line; overflow-wrap: anywhere; }
.count { color: var(--quiet); font-weight: 400; font-size: 0.8em; margin-inline-start: 0.3em; }
.badge { display: inline-block; padding: 0 0.5em; border-radius: 1em; background: var(--badge); font-size: 0.8rem; font-weight: 400; white-space: nowrap; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin: 1rem 0; }
input, button { font: inherit; color: inherit; padding: 0.4rem 0.7rem; border: 1px solid var(--line); border-radius: 6px; background: var(--paper); min-height: 44px; }
button { background: var(--panel); cursor: pointer; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
caption.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { text-align: start; vertical-align: top; padding: 0.5rem 0.8rem 0.5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; min-width: 9rem; }
thead th { color: var(--quiet); font-weight: 500; font-size: 0.9rem; }
tbody th { font-weight: 500; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 0.6rem 1.5rem; margin: 1.2rem 0; padding: 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
dt { color: var(--quiet); font-size: 0.85rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.flags { padding-inline-start: 1.2rem; }
.objects { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: 0.2rem 1.5rem; }
.objects li { padding: 0.35rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.empty { color: var(--quiet); }
.pager { display: flex; gap: 1rem; margin: 1rem 0; }
`;
