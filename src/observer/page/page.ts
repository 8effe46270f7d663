import { createHash } from 'node:crypto';
import { shownTabs } from '../tabs.ts';
import { addressScript } from './address-script.ts';
import { cellScript } from './cell-script.ts';
import { chartScript } from './chart-script.ts';
import { detailScript } from './detail-script.ts';
import { elementScript } from './element-script.ts';
import { feedScript } from './feed-script.ts';
import { keyboardScript } from './keyboard-script.ts';
import { lineScript } from './line-script.ts';
import { listScript } from './list-script.ts';
import { style } from './style.ts';
import { textScript } from './text-script.ts';

/**
 * The observer page: one text, the same for everybody, which gets all that it shows from the feed. Script and style are
 * let in by their hashes, so nothing that a client can make up, such as a topic's name, is ever run.
 */
const script = [
  `'use strict';\n(() => {\nconst TABS = ${JSON.stringify(shownTabs)};\n`,
  textScript,
  elementScript,
  lineScript,
  chartScript,
  addressScript,
  cellScript,
  listScript,
  detailScript,
  keyboardScript,
  feedScript,
  '})();\n',
].join('');

export const observerHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "connect-src 'self'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
};

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Ccircle cx='16' cy='16' r='15' fill='%232f62d9'/%3E" +
  "%3Cg stroke='white' stroke-width='2.6' stroke-linecap='round'%3E%3Cpath d='M9 16h6l8-7M15 16h8M15 16l8 7'/%3E%3C/g%3E%3C/svg%3E";

export const observerPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${ICON}">
<title>Fanfare observer</title>
<style>${style}</style>
</head>
<body>
<div class="wrap">
<header>
<h1 id="node">Fanfare</h1>
<span class="facts" id="facts"></span>
<span class="spring"></span>
<button class="help" id="help" aria-label="Keys" title="Keys: ?">?</button>
<span class="pill" id="state" role="status" data-state="starting">Connecting…</span>
</header>
<noscript><p class="panel empty">This page needs JavaScript.</p></noscript>
<section class="tiles" id="tiles" aria-label="The last ten minutes"></section>
<section class="panel counts" id="counts" aria-label="Totals"></section>
<div class="split" id="split">
<main class="panel">
<div class="tabs" role="tablist" id="tabs" aria-label="Lists"></div>
<div role="tabpanel" id="panel">
<div class="tools" id="tools">
<input id="filter" type="search" placeholder="Filter ( / )" aria-label="Filter" maxlength="100" autocomplete="off" spellcheck="false">
<span class="spring"></span>
<a class="button" id="json" download aria-label="Export as JSON" title="All of this list as JSON">JSON</a>
<a class="button" id="csv" download aria-label="Export as CSV" title="All of this list as CSV">CSV</a>
<span class="range" id="range"></span>
<button id="back" aria-label="Previous page" disabled>←</button>
<button id="on" aria-label="Next page" disabled>→</button>
</div>
<div class="scroll" id="list"></div>
</div>
</main>
<aside class="panel" id="detail" aria-label="Detail" hidden></aside>
</div>
</div>
<dialog id="keys" aria-labelledby="keys-title">
<div class="top"><h3 id="keys-title">Keys</h3><button class="close" id="keys-close" aria-label="Close">×</button></div>
<dl id="shortcuts"></dl>
</dialog>
<script>${script}</script>
</body>
</html>
`;
