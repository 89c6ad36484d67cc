/** The inbox's stylesheet. */
export const STYLES = `
:root{color-scheme:light dark;--ground:#f6f5f2;--pane:#fff;--ink:#1d1f23;--soft:#5b606b;--line:#dcdad4;--mark:#e7eefb;--accent:#1f5fbf;--bad:#a3271b;--bad-ground:#fbe9e7}
@media (prefers-color-scheme:dark){:root{--ground:#15171b;--pane:#1d2026;--ink:#eceef2;--soft:#a7adb8;--line:#343944;--mark:#26344d;--accent:#8db8ff;--bad:#ffb4a9;--bad-ground:#43201c}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-999px}.skip:focus{left:.5rem;top:.5rem;background:var(--pane);padding:.5rem;z-index:1}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.bar{display:flex;gap:1rem;align-items:center;justify-content:space-between;padding:.6rem 1rem;background:var(--pane);border-bottom:1px solid var(--line)}
.bar .name{font-weight:650}.bar .name a{color:inherit;text-decoration:none}
h1,h2{margin:0;line-height:1.3}h1{font-size:1.25rem}h2{font-size:.8rem;font-weight:600;color:var(--soft);padding:.9rem 1rem .4rem}
ul{list-style:none;margin:0;padding:0}
.boxes a{display:flex;justify-content:space-between;gap:.75rem;padding:.45rem 1rem;color:inherit;text-decoration:none;min-height:2.75rem;align-items:center}
.boxes a:hover,.mails a:hover{background:var(--mark)}
[aria-current=true]{background:var(--mark);box-shadow:inset 3px 0 var(--accent)}
.count{color:var(--soft);font-variant-numeric:tabular-nums}
.list{background:var(--pane);border-block:1px solid var(--line)}
.list h1{padding:.9rem 1rem .6rem}
.mails li{border-top:1px solid var(--line)}
.mails a{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:0 .75rem;padding:.6rem 1rem;color:inherit;text-decoration:none}
.mails .subject{font-weight:600;grid-column:1/-1}.mails .who{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.mails .who,.mails time,.meta{color:var(--soft);font-size:.875rem}
.badge{color:var(--bad);background:var(--bad-ground);border-radius:.3rem;padding:.05rem .4rem;font-size:.8rem;font-weight:600}
.empty,.older{padding:1rem;color:var(--soft);margin:0;border-top:1px solid var(--line)}
.mail{padding:1rem;display:flex;flex-direction:column;gap:.75rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem .9rem;margin:0}dt{color:var(--soft)}dd{margin:0}
.tabs{display:flex;gap:.25rem;border-bottom:1px solid var(--line)}
.tabs a{padding:.55rem .8rem;text-decoration:none;border-bottom:3px solid transparent}.tabs a[aria-current]{border-color:var(--accent);color:inherit;font-weight:600}
iframe{background:var(--pane);border:1px solid var(--line);border-radius:.4rem;width:100%;height:70vh;min-height:24rem}
pre{white-space:pre-wrap;margin:0;background:var(--pane);border:1px solid var(--line);border-radius:.4rem;padding:1rem;font:15px/1.55 ui-monospace,Menlo,Consolas,monospace}
.back{margin:0}
@media (max-width:63.99rem){.boxes{max-height:40vh;overflow:auto}.reading .boxes,.reading .list{display:none}}
@media (min-width:64rem){.panes{display:grid;grid-template-columns:18rem 22rem minmax(0,1fr);height:calc(100vh - 3.25rem)}.panes>*{overflow:auto}.list{border-block:0;border-inline:1px solid var(--line)}.back{display:none}.bar{height:3.25rem}iframe{flex:1;height:auto}.mail{min-height:100%}}
`;
