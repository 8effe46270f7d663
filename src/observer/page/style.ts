/**
 * The observer page's style: the system's fonts, light or dark as the reader's system is. Texts have a contrast of 4.5 to 1
 * on every ground, lines of controls and charts 3 to 1 (WCAG 2.2, AA); a test counts them.
 */
export const style = String.raw`
:root { color-scheme: light dark;
  --page: #f4f5f7; --card: #fff; --hover: #f1f4f9; --chosen: #e8effd; --ink: #16191f; --soft: #4d5665; --faint: #626b7a; --line: #e3e6eb; --edge: #7d8696;
  --accent: #2455c3; --second: #a4570a; --fill: rgba(47, 98, 217, .10);
  --good: #0f713f; --warn: #9a5107; --bad: #b92a25; --shadow: 0 1px 2px rgba(16, 24, 40, .05); }
@media (prefers-color-scheme: dark) { :root {
  --page: #0e1116; --card: #161a21; --hover: #1c222b; --chosen: #1d2a45; --ink: #e7eaf0; --soft: #aab4c3; --faint: #8e99ab; --line: #262c36; --edge: #6f7a8b;
  --accent: #7aa5ff; --second: #f2a65a; --fill: rgba(122, 165, 255, .13);
  --good: #4fc58a; --warn: #eeb15c; --bad: #ff857d; --shadow: none; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px/1.45 system-ui, -apple-system, 'Segoe UI', sans-serif;
  font-variant-numeric: tabular-nums; }
.wrap { display: flex; flex-direction: column; max-width: 1480px; margin: 0 auto; padding: 20px 24px 48px; }
.mono { font-family: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace; font-size: 12.5px; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; margin-bottom: 18px; }
h1 { margin: 0; font-size: 20px; font-weight: 650; letter-spacing: -.01em; overflow-wrap: anywhere; }
header .facts { color: var(--soft); font-size: 13px; }
.spring { flex: 1; }
.help { min-width: 30px; height: 30px; padding: 0; border: 1px solid var(--edge); border-radius: 99px; background: var(--card); color: var(--soft); font: inherit; font-weight: 600; cursor: pointer; }
.pill { display: inline-flex; align-items: center; gap: 7px; padding: 4px 12px 4px 10px; border-radius: 99px; font-size: 13px;
  font-weight: 550; border: 1px solid var(--line); background: var(--card); }
.pill::before { content: ''; flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--faint); }
.pill[data-state=ready]::before { background: var(--good); }
.pill[data-state=starting]::before, .pill[data-state=draining]::before, .pill[data-state=shedding]::before { background: var(--warn); }
.pill[data-state=lost] { border-color: var(--bad); color: var(--bad); } .pill[data-state=lost]::before { background: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 12px; margin-bottom: 12px; }
.tile, .panel { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); }
.tile { padding: 12px 0 0; overflow: hidden; position: relative; }
.tile h2 { margin: 0 14px; font-size: 12.5px; font-weight: 500; color: var(--soft); }
.tile .now { margin: 1px 14px 0; font-size: 24px; font-weight: 620; letter-spacing: -.015em; line-height: 1.25; white-space: nowrap; }
.tile .now small { margin-left: 4px; font-size: 13px; font-weight: 450; letter-spacing: 0; color: var(--soft); }
.tile .now.zero { color: var(--faint); font-weight: 450; }
.tile .also { margin: 0 14px 8px; font-size: 12px; color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tile .also b { font-weight: 600; color: var(--second); }
.tile svg { display: block; width: 100%; height: 60px; cursor: crosshair; }
.tile .area { fill: var(--fill); stroke: none; }
.tile .line { fill: none; stroke: var(--accent); stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linejoin: round; stroke-linecap: round; }
.tile .line.two { stroke: var(--second); stroke-width: 1.3; }
.tile .cuts { fill: none; stroke: var(--bad); stroke-width: 3; vector-effect: non-scaling-stroke; }
.tile .cursor { stroke: var(--edge); stroke-width: 1; vector-effect: non-scaling-stroke; stroke-dasharray: 3 3; }
.tile .scale { display: flex; justify-content: space-between; gap: 8px; margin: 0 14px 2px; font-size: 11px; color: var(--faint); white-space: nowrap; }
.tile .scale span:first-child { overflow: hidden; text-overflow: ellipsis; }
.counts { display: flex; flex-wrap: wrap; gap: 4px 22px; padding: 10px 16px; margin-bottom: 16px; font-size: 13px; color: var(--soft); }
.counts b { color: var(--ink); font-weight: 600; }
.counts .zero, .counts .zero b { color: var(--faint); font-weight: 400; }
.counts .bad b { color: var(--bad); } .counts .warn b { color: var(--warn); }
.tabs { display: flex; flex-wrap: wrap; gap: 0 2px; border-bottom: 1px solid var(--line); padding: 0 8px; position: relative; }
.tabs button { flex: none; padding: 11px 12px 10px; border: 0; border-bottom: 2px solid transparent; background: none;
  color: var(--soft); font: inherit; font-weight: 550; cursor: pointer; white-space: nowrap; }
.tabs button:hover { color: var(--ink); }
.tabs button[aria-selected=true] { color: var(--accent); border-bottom-color: var(--accent); }
.tabs button span { margin-left: 6px; color: var(--faint); font-weight: 450; font-size: 12.5px; }
.tools { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 10px 14px; border-bottom: 1px solid var(--line); }
.tools .range { color: var(--soft); font-size: 13px; }
input, .tools button, .tools .button, .acts button, .links button { padding: 5px 10px; border: 1px solid var(--edge); border-radius: 7px; background: var(--card);
  color: inherit; font: inherit; font-size: 13px; text-decoration: none; }
input { width: 240px; max-width: 100%; background: var(--page); }
input::placeholder { color: var(--faint); opacity: 1; }
.tools button, .acts button, .links button { cursor: pointer; }
.tools button:hover:enabled, .tools .button:hover, .acts button:hover, .links button:hover { border-color: var(--accent); color: var(--accent); }
.tools .button { color: var(--soft); }
button:disabled { color: var(--faint); border-color: var(--line); cursor: default; }
.acts button.danger:hover { border-color: var(--bad); color: var(--bad); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
tr:focus-visible, .report:focus-visible, .tabs button:focus-visible { outline-offset: -2px; }
.split { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; align-items: start; }
.split.two { grid-template-columns: minmax(0, 1fr) 370px; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { position: relative; padding: 8px 14px; text-align: left; font-size: 12px; font-weight: 550; color: var(--soft); white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th button { padding: 0; border: 0; background: none; color: inherit; font: inherit; cursor: pointer; }
th button:hover { color: var(--ink); }
th[aria-sort] button { color: var(--accent); }
th[aria-sort=descending] button::after { content: ' \2193'; } th[aria-sort=ascending] button::after { content: ' \2191'; }
td { padding: 4px 14px; height: 29px; border-bottom: 1px solid var(--line); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
td.name { max-width: 420px; }
tr:last-child td { border-bottom: 0; }
th.num, td.num { text-align: right; }
tbody tr { cursor: pointer; scroll-margin: 40px; } tbody tr:hover { background: var(--hover); } tbody tr.chosen { background: var(--chosen); }
tbody tr.still { cursor: default; }
td.still { color: var(--soft); } .zero { color: var(--faint); }
td.bar { position: relative; } td.bar i { position: absolute; right: 14px; bottom: 3px; max-width: calc(100% - 28px); height: 2px; border-radius: 1px; background: var(--accent); }
.soft { color: var(--faint); }
.tag { display: inline-block; padding: 0 7px; border-radius: 5px; font-size: 11.5px; line-height: 18px; background: var(--hover); color: var(--soft); }
.tag.bad { color: var(--bad); } .tag.warn { color: var(--warn); } .tag.good { color: var(--good); }
.fold { display: inline-block; width: 18px; margin-left: -4px; padding: 0; border: 0; background: none; color: var(--faint); font: inherit;
  font-size: 11px; cursor: pointer; text-align: center; } .fold:hover { color: var(--accent); } .fold.none { visibility: hidden; }
.sup { font-weight: 600; }
.more { color: var(--faint); font-size: 12.5px; margin-left: 8px; }
.empty { margin: 0; padding: 40px 16px; text-align: center; color: var(--soft); }
aside { position: sticky; top: 12px; max-height: calc(100vh - 24px); overflow: auto; }
aside .top, dialog .top { display: flex; align-items: start; gap: 8px; padding: 12px 14px 8px; }
h3 { flex: 1; margin: 0; font-size: 15px; font-weight: 620; overflow-wrap: anywhere; }
.close { padding: 0 6px; border: 0; background: none; color: var(--soft); font: inherit; font-size: 18px; line-height: 22px; cursor: pointer; }
aside dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 4px 16px; margin: 0; padding: 0 14px 12px; font-size: 13px; }
aside dt { color: var(--soft); } aside dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
aside h4 { margin: 0; padding: 10px 14px 6px; border-top: 1px solid var(--line); font-size: 12px; font-weight: 550; color: var(--soft); }
aside pre { margin: 0; padding: 0 14px 12px; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--ink); }
.trouble { margin: 0; padding: 0 14px 12px; color: var(--bad); overflow-wrap: anywhere; }
.acts, .links { display: flex; flex-wrap: wrap; gap: 6px; padding: 0 14px 12px; }
.links button { max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 12.5px; }
.said { margin: 0; padding: 0 14px 12px; font-size: 13px; color: var(--soft); overflow-wrap: anywhere; }
.report { padding: 12px 16px; border-bottom: 1px solid var(--line); } .report:last-child { border-bottom: 0; }
.report p { margin: 0; overflow-wrap: anywhere; } .report time { color: var(--faint); font-size: 12.5px; margin-right: 10px; }
.report .why { margin-top: 2px; } .report details { margin-top: 4px; color: var(--soft); } .report pre { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.said:empty, .trouble:empty, .links:empty, pre:empty { display: none; }
.split.two td, .split.two th { padding-left: 8px; padding-right: 8px; } .split.two td.bar i { right: 8px; }
.split.two td:first-child, .split.two th:first-child { padding-left: 14px; } .split.two td:last-child, .split.two th:last-child { padding-right: 14px; }
.split.two td.name { max-width: 300px; } .split.two .tabs button { padding-left: 8px; padding-right: 8px; }
dialog { width: 460px; max-width: calc(100vw - 24px); padding: 0 0 8px; border: 1px solid var(--edge); border-radius: 12px; background: var(--card); color: var(--ink); }
dialog::backdrop { background: rgba(10, 14, 20, .45); }
dialog dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 7px 16px; margin: 0; padding: 4px 16px 12px; font-size: 13px; }
dialog dt { text-align: right; white-space: nowrap; } dialog dd { margin: 0; color: var(--soft); }
kbd { display: inline-block; min-width: 22px; margin-left: 4px; padding: 0 6px; border: 1px solid var(--edge); border-radius: 5px; font: inherit; font-size: 12px; text-align: center; }
/* What is shown is old: it has lost its colours. */
body.lost { --ink: var(--soft); --second: var(--soft); --accent: var(--faint); --good: var(--soft); --warn: var(--soft); }
body.lost .tiles, body.lost .counts, body.lost #list, body.lost #detail { --bad: var(--soft); }
body.lost .area { fill: none; } body.lost .now, body.lost .counts b { font-weight: 450; }
@media (max-width: 1180px) { .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
@media (max-width: 1000px) {
  .split.two { grid-template-columns: minmax(0, 1fr); }
  aside { position: fixed; z-index: 1; inset: auto 0 0; max-height: 75vh; border-radius: 14px 14px 0 0; box-shadow: 0 -6px 30px rgba(10, 14, 20, .35); }
  .split.two { padding-bottom: 30vh; } }
/* A phone: the list first, what is touched large enough, and nothing wider than the page but the list itself. */
@media (max-width: 620px) {
  .wrap { padding: 12px 12px 32px; }
  header { margin-bottom: 10px; } header .facts { order: 1; width: 100%; font-size: 12px; }
  .split { order: 1; margin-bottom: 12px; } .counts { order: 2; } .tiles { order: 3; grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .help, .close { min-width: 40px; height: 40px; }
  .tabs { flex-wrap: nowrap; overflow-x: auto; scrollbar-width: thin; }
  .tabs button, .tools button, .tools .button, .acts button, .links button, th button { min-height: 40px; min-width: 40px; }
  .tools .button { line-height: 28px; text-align: center; }
  th { padding-top: 0; padding-bottom: 0; } th button { text-align: inherit; } td { height: 40px; } td, th, .split.two td, .split.two th { padding-left: 10px; padding-right: 10px; }
  td.name { max-width: 220px; } .fold { width: 40px; height: 40px; margin: -10px 0 -10px -12px; font-size: 14px; } .branch .more { display: none; }
  td.early.name { min-width: 170px; max-width: 240px; white-space: normal; overflow-wrap: anywhere; } td.early .more { display: block; margin-left: 0; }
  .tile .scale, .tile .also { flex-wrap: wrap; white-space: normal; }
  .report summary { padding: 10px 0; } aside .top { align-items: center; padding-top: 6px; padding-bottom: 4px; }
  input { flex: 1 1 100%; width: 100%; min-height: 40px; font-size: 16px; } .tools { padding: 8px; } }
[hidden] { display: none !important; }
`;
