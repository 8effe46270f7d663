import { createHash } from 'node:crypto';
import type { HttpReply } from '../contract.ts';
import { passedOn } from '../replies.ts';
import { pageScript } from './page-script.ts';
import { pageStyle } from './page-style.ts';

/**
 * The page of a path: a client for it, whole in one answer, that asks the network for its WebSocket alone. Script and
 * style are the same for every path and are let in by their hashes, so nothing that a path can hold is ever run.
 */
export function pageReply(path: string): HttpReply {
  return { type: 'reply', status: 200, headers, body: page(path) };
}

const headers: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': [
    "default-src 'none'",
    "connect-src 'self' ws: wss:",
    `script-src '${hash(pageScript)}'`,
    `style-src '${hash(pageStyle)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  // The query may hold a credential.
  'Referrer-Policy': 'no-referrer',
  ...passedOn,
};

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** `path`: decoded, as a reader would write it. The tag `html` is bare because pinghub's own tests look for it. */
function page(path: string): string {
  const shown = escapeHtml(path);
  return `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${shown} – pinghub</title>
<style>${pageStyle}</style>
</head>
<body lang="en">
<header>
<h1><bdi>${shown}</bdi></h1>
<p id="state" role="status" data-state="waiting">Not connected</p>
</header>
<main>
<noscript><p>This page needs JavaScript to open its WebSocket.</p></noscript>
<ol id="messages" role="log" aria-label="Messages" tabindex="0"></ol>
<p id="empty">No messages yet. What anybody sends to this path appears here.</p>
</main>
<form id="form">
<textarea id="text" rows="1" dir="auto" aria-label="Message" placeholder="Message (Enter sends, Shift+Enter breaks the line)" autofocus></textarea>
<button id="send" disabled>Send</button>
</form>
<script>${pageScript}</script>
</body>
</html>
`;
}

const entities: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

/** A text as HTML, for an element's content or a quoted attribute. Controls, which HTML cannot hold, show as U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities.get(character) ?? '').replace(/\p{Cc}/gu, '\ufffd');
}
