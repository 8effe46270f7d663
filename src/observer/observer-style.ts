/** The observer page's style: the system's fonts, light or dark as the reader's system is. */
export const observerStyle = `
:root { color-scheme: light dark;
  --page: #f4f5f7; --card: #fff; --ink: #16191f; --soft: #5d6675; --faint: #8a93a3; --line: #e3e6eb; --hover: #f1f4f9;
  --chosen: #e8effd; --accent: #2f62d9; --second: #d97a1f; --fill: rgba(47, 98, 217, .10); --bar: rgba(47, 98, 217, .13);
  --good: #14804a; --warn: #b25e09; --bad: #c3302b; --shadow: 0 1px 2px rgba(16, 24, 40, .05); }
@media (prefers-color-scheme: dark) { :root {
  --page: #0e1116; --card: #161a21; --ink: #e7eaf0; --soft: #9aa4b4; --faint: #6d7788; --line: #262c36; --hover: #1c222b;
  --chosen: #1d2a45; --accent: #7aa5ff; --second: #f2a65a; --fill: rgba(122, 165, 255, .13); --bar: rgba(122, 165, 255, .18);
  --good: #4fc58a; --warn: #eeb15c; --bad: #ff857d; --shadow: none; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px/1.45 system-ui, -apple-system, 'Segoe UI', sans-serif;
  font-variant-numeric: tabular-nums; }
.wrap { max-width: 1480px; margin: 0 auto; padding: 20px 24px 48px; }
.mono { font-family: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace; font-size: 12.5px; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; margin-bottom: 18px; }
h1 { margin: 0; font-size: 20px; font-weight: 650; letter-spacing: -.01em; overflow-wrap: anywhere; }
header .facts { color: var(--soft); font-size: 13px; }
header .spring { flex: 1; }
.pill { display: inline-flex; align-items: center; gap: 7px; padding: 4px 12px 4px 10px; border-radius: 99px; font-size: 13px;
  font-weight: 550; border: 1px solid var(--line); background: var(--card); }
.pill::before { content: ''; width: 8px; height: 8px; border-radius: 50%; background: var(--faint); }
.pill[data-state=ready]::before { background: var(--good); }
.pill[data-state=starting]::before, .pill[data-state=draining]::before, .pill[data-state=shedding]::before { background: var(--warn); }
.pill[data-state=lost]::before { background: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 12px; margin-bottom: 12px; }
@media (max-width: 1180px) { .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
@media (max-width: 620px) { .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); } .wrap { padding: 14px 12px 32px; } }
.tile, .panel { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); }
.tile { padding: 12px 0 0; overflow: hidden; position: relative; }
.tile h2 { margin: 0 14px; font-size: 12.5px; font-weight: 500; color: var(--soft); }
.tile .now { margin: 1px 14px 0; font-size: 24px; font-weight: 620; letter-spacing: -.015em; line-height: 1.25; white-space: nowrap; }
.tile .now small { margin-left: 4px; font-size: 13px; font-weight: 450; letter-spacing: 0; color: var(--soft); }
.tile .also { margin: 0 14px 8px; font-size: 12px; color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tile .also b { font-weight: 600; color: var(--second); }
.tile svg { display: block; width: 100%; height: 60px; cursor: crosshair; }
.tile .area { fill: var(--fill); stroke: none; }
.tile .line { fill: none; stroke: var(--accent); stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.tile .line.two { stroke: var(--second); stroke-width: 1.3; }
.tile .cursor { stroke: var(--faint); stroke-width: 1; vector-effect: non-scaling-stroke; stroke-dasharray: 3 3; }
.tile .scale { display: flex; justify-content: space-between; gap: 8px; margin: 0 14px 2px; font-size: 11px; color: var(--faint); white-space: nowrap; }
.counts { display: flex; flex-wrap: wrap; gap: 4px 22px; padding: 10px 16px; margin-bottom: 16px; font-size: 13px; color: var(--soft); }
.counts b { color: var(--ink); font-weight: 600; }
.counts .bad b { color: var(--bad); } .counts .warn b { color: var(--warn); }
nav { display: flex; flex-wrap: wrap; gap: 2px; border-bottom: 1px solid var(--line); padding: 0 8px; }
nav button { padding: 11px 12px 10px; border: 0; border-bottom: 2px solid transparent; margin-bottom: -1px; background: none;
  color: var(--soft); font: inherit; font-weight: 550; cursor: pointer; }
nav button:hover { color: var(--ink); }
nav button[aria-selected=true] { color: var(--accent); border-bottom-color: var(--accent); }
nav button span { margin-left: 6px; color: var(--faint); font-weight: 450; font-size: 12.5px; }
.tools { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 10px 14px; border-bottom: 1px solid var(--line); }
.tools .spring { flex: 1; }
.tools .range { color: var(--soft); font-size: 13px; }
input, .tools button, .acts button { padding: 5px 10px; border: 1px solid var(--line); border-radius: 7px; background: var(--page);
  color: inherit; font: inherit; font-size: 13px; }
input { width: 240px; max-width: 100%; }
.tools button, .acts button { cursor: pointer; background: var(--card); }
.tools button:hover:enabled, .acts button:hover:enabled { border-color: var(--accent); color: var(--accent); }
button:disabled { color: var(--faint); cursor: default; }
.acts button.danger:hover { border-color: var(--bad); color: var(--bad); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.split { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; align-items: start; }
.split.two { grid-template-columns: minmax(0, 1fr) 370px; }
@media (max-width: 1000px) { .split.two { grid-template-columns: minmax(0, 1fr); } }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { position: relative; padding: 8px 14px; text-align: left; font-size: 12px; font-weight: 550; color: var(--soft); white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th button { padding: 0; border: 0; background: none; color: inherit; font: inherit; cursor: pointer; }
th button:hover { color: var(--ink); }
th[aria-sort] button { color: var(--accent); } th[aria-sort] button::after { content: ' \\2193'; }
td { padding: 4px 14px; height: 29px; border-bottom: 1px solid var(--line); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
td.name { max-width: 420px; }
tr:last-child td { border-bottom: 0; }
.num { text-align: right; }
tbody tr { cursor: pointer; } tbody tr:hover { background: var(--hover); } tbody tr.chosen { background: var(--chosen); }
tbody.still tr { cursor: default; }
td .zero { color: var(--faint); }
td.bar { position: relative; } td.bar i { position: absolute; right: 14px; bottom: 3px; max-width: calc(100% - 28px); height: 2px; border-radius: 1px; background: var(--accent); opacity: .55; }
td.bar b { font-weight: 400; }
.soft { color: var(--faint); }
.tag { display: inline-block; padding: 0 7px; border-radius: 5px; font-size: 11.5px; line-height: 18px; background: var(--hover); color: var(--soft); }
.tag.bad { color: var(--bad); } .tag.warn { color: var(--warn); } .tag.good { color: var(--good); }
.fold { display: inline-block; width: 18px; margin-left: -4px; padding: 0; border: 0; background: none; color: var(--faint); font: inherit;
  font-size: 11px; cursor: pointer; text-align: center; } .fold:hover { color: var(--accent); } .fold.none { visibility: hidden; }
.sup { font-weight: 600; }
.more { color: var(--faint); font-size: 12.5px; margin-left: 8px; }
.empty { padding: 40px 16px; text-align: center; color: var(--soft); }
aside { position: sticky; top: 12px; max-height: calc(100vh - 24px); overflow: auto; }
aside .top { display: flex; align-items: start; gap: 8px; padding: 12px 14px 8px; }
aside h3 { flex: 1; margin: 0; font-size: 15px; font-weight: 620; overflow-wrap: anywhere; }
aside .close { padding: 0 6px; border: 0; background: none; color: var(--soft); font: inherit; font-size: 18px; line-height: 22px; cursor: pointer; }
aside dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 4px 16px; margin: 0; padding: 0 14px 12px; font-size: 13px; }
aside dt { color: var(--soft); } aside dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
aside h4 { margin: 0; padding: 10px 14px 6px; border-top: 1px solid var(--line); font-size: 12px; font-weight: 550; color: var(--soft); }
aside pre { margin: 0; padding: 0 14px 12px; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--ink); }
.acts { display: flex; flex-wrap: wrap; gap: 6px; padding: 0 14px 12px; }
.said { margin: 0; padding: 0 14px 12px; font-size: 13px; color: var(--soft); overflow-wrap: anywhere; }
.report { padding: 12px 16px; border-bottom: 1px solid var(--line); } .report:last-child { border-bottom: 0; }
.report p { margin: 0; overflow-wrap: anywhere; } .report time { color: var(--faint); font-size: 12.5px; margin-right: 10px; }
.report .why { margin-top: 2px; } .report details { margin-top: 4px; color: var(--soft); } .report pre { margin: 4px 0 0; white-space: pre-wrap; }
.said:empty, pre:empty { display: none; }
.split.two td, .split.two th { padding-left: 8px; padding-right: 8px; } .split.two td.bar i { right: 8px; }
.split.two td:first-child, .split.two th:first-child { padding-left: 14px; } .split.two td:last-child, .split.two th:last-child { padding-right: 14px; }
.split.two td.name { max-width: 300px; }
[hidden] { display: none !important; }
`;
