import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { type Format, formatIn, formats } from '../observer/export.ts';
import { observerHeaders, observerPage } from '../observer/page/page.ts';
import { tabOf } from '../observer/tabs.ts';
import type { Hidden } from '../secret/hidden.ts';
import { redacting } from '../secret/redaction.ts';
import { sha256 } from '../secret/secret.ts';
import type { Audit } from '../view/audit.ts';
import { disconnect } from '../view/connections.ts';
import { kill, resume, suspend, trace } from '../view/processes.ts';
import { Refusal, type RelayView } from '../view/relay-view.ts';
import type { Readiness } from './readiness.ts';
import type { WrongTokens } from './wrong-tokens.ts';

/** What the admin port answers, by path. */
export interface AdminRoutes {
  readonly view: RelayView;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly readiness: Readiness;
  /** Pushes to an observer page what it looks at. False: the sampler is not there. */
  readonly feedTo: (response: ServerResponse, query: string) => boolean;
  /** Writes a list of the page as a file. False: the process that does is not there. */
  readonly exportTo: (response: ServerResponse, query: string, format: Format) => boolean;
  readonly settings: AdminSettings;
  readonly audit: Audit;
  readonly wrongTokens: WrongTokens;
}

/** What may change while the port stays where it is: read at the time of need. */
export interface AdminSettings {
  /** Names by which the port may be asked. */
  readonly names: readonly string[];
  /** Which paths there are. */
  readonly observer: boolean;
  readonly metrics: boolean;
  readonly health: boolean;
  /** The hash of what the observer page wants to be shown; null: nothing. */
  readonly token: Hidden<Buffer> | null;
  /** The observer page may do more than look. */
  readonly actions: boolean;
}

export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  /** The address that asks; behind a proxy, what that says of its client as well. */
  readonly from: string;
  /** The address that asks, alone. */
  readonly address: string;
  readonly credential: AdminCredential | null;
  readonly response: ServerResponse;
  /** The answer has no end. False: other requests wait behind it. */
  readonly neverEnds: () => boolean;
}

export interface AdminAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly more?: Readonly<Record<string, string>>;
}

/** Null: the feed answers for itself. */
type Answered = AdminAnswer | Promise<AdminAnswer> | null;

export function routeAdmin(routes: AdminRoutes, request: AdminRequest): Answered {
  const { method, path } = request;
  const refusal = refusalOfPath(routes, request);
  const isAction = path === '/observer/actions' && method === 'POST';
  if (refusal?.status === 401) {
    // A browser asks without one first.
    if (isAction || request.credential !== null) tokenRefused(routes, request);
    return refusal;
  }
  if (path === '/observer/actions') {
    if (isAction) return audited(routes, request, refusal ?? act(routes, request.body));
    return refusal ?? { ...json(405, { error: 'POST expected' }), more: { Allow: 'POST' } };
  }
  if (refusal !== null) return refusal;
  if (method !== 'GET' && method !== 'HEAD')
    return { ...json(405, { error: 'GET expected' }), more: { Allow: 'GET, HEAD' } };
  switch (path) {
    case '/health/live':
      // A relay that answers has its turns, and so have all its processes.
      return json(200, { live: true });
    case '/health/ready':
    case '/healthz':
    case '/health':
      return ready(routes);
    case '/metrics':
      return scrape(routes);
    case '/':
      return firstPage(routes);
    case '/observer':
      return { status: 200, type: 'text/html; charset=utf-8', text: observerPage, more: observerHeaders };
    case '/observer/feed':
      return feed(routes, request);
    case '/observer/export':
      return exported(routes, request);
    case '/observer/trace':
      return traceOne(routes, request.query);
    default:
      return json(404, { error: 'not found' });
  }
}

type Part = 'observer' | 'metrics' | 'health';

function partOf(path: string): Part | null {
  const [, part] = /^\/(observer|metrics|health)(?:z|\/.*)?$/.exec(path) ?? [];
  return (part as Part | undefined) ?? null;
}

/** Why a path is not answered: it is switched off, or wants a token. Null: it is answered. */
function refusalOfPath(
  { settings, view }: AdminRoutes,
  { path, credential }: AdminRequest,
): AdminAnswer | null {
  const part = partOf(path);
  if (part === null) return null;
  if (!settings[part]) return json(404, { error: `admin.${part} is off` });
  if (part !== 'observer' || settings.token === null) return null;
  const isRight = credential !== null && timingSafeEqual(sha256(credential.token), settings.token.reveal());
  if (isRight) return null;
  // A browser asks for a name, which the audit log has, and a password, and sends both with whatever the page asks.
  const challenge = { 'WWW-Authenticate': `Basic realm="fanfare ${view.node}", charset="UTF-8"` };
  return { ...json(401, { error: 'admin.token is wanted' }), more: challenge };
}

/** What a request shows; `user`: a name of the user's choice. */
export interface AdminCredential {
  readonly user: string;
  readonly token: string;
}

/** Of `Authorization: Basic …`, whose password is the token, or `Bearer TOKEN`. Null: there is none. */
export function credentialIn(authorization: string | undefined): AdminCredential | null {
  const [, scheme = '', text = ''] = /^(basic|bearer) +(.+)$/i.exec(authorization ?? '') ?? [];
  if (text === '') return null;
  if (scheme.toLowerCase() === 'bearer') return { user: '', token: text };
  const [, user, token] = /^([^:]*):(.*)$/s.exec(Buffer.from(text, 'base64').toString()) ?? [];
  return user === undefined || token === undefined ? null : { user, token };
}

const PAGE_HEADERS = { 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'" };

/** Links are relative: the port may be behind a path of a proxy. */
function firstPage({ settings, view: { node, version } }: AdminRoutes): AdminAnswer {
  const links: readonly (readonly [Part, path: string, about: string])[] = [
    ['observer', 'observer', 'the supervision tree, topics, connections and links, as they live'],
    ['metrics', 'metrics', 'for Prometheus'],
    ['health', 'health/ready', 'whether this relay is ready, and what is not'],
    ['health', 'health/live', 'whether it answers at all'],
  ];
  const items = links
    .filter(([part]) => settings[part])
    .map(([, path, about]) => `<li><a href="${path}">${path}</a>: ${about}`);
  const title = escaped(`${node} (Fanfare ${version})`);
  const text = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>${title}</title>
<h1>${title}</h1>
<ul>
${items.join('\n')}
</ul>
`;
  return { status: 200, type: 'text/html; charset=utf-8', text, more: PAGE_HEADERS };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The answer in place of one that was to come later and failed. */
export function failed(error: unknown): AdminAnswer {
  return json(500, { error: error instanceof Error ? error.message : 'failed' });
}

/** The answer to a request that may not ask at all; null: it may. */
export function refusalOf(
  { headers, httpVersion }: Pick<IncomingMessage, 'headers' | 'httpVersion'>,
  { host, path }: { readonly host: string | undefined; readonly path: string },
  names: readonly string[],
): AdminAnswer | null {
  const isOwn = host === undefined ? isProbe(httpVersion, path) : isOwnHost(host, names);
  if (!isOwn) return plain(421, 'Error: not asked by a name of mine. Add it to admin.names.');
  const [site, mode] = [headers['sec-fetch-site'], headers['sec-fetch-mode']].map((header) =>
    Array.isArray(header) ? header.join(', ') : header,
  );
  if (isOwnOrigin(headers.origin, host) && isOwnSite(site, mode)) return null;
  return plain(403, 'Error: forbidden. Pages of other origins may not ask.');
}

/**
 * Whether the admin port is asked under a name of its own. A page of a stranger's, whose name was made to resolve to this
 * machine (DNS rebinding), asks under the stranger's name; an address or `localhost` cannot be a stranger's.
 */
export function isOwnHost(header: string | undefined, names: readonly string[]): boolean {
  const host = hostOf(header);
  if (host === null) return false;
  return isIP(host) !== 0 || host === 'localhost' || names.some((name) => name.toLowerCase() === host);
}

/** Load balancers ask for health without a `Host`, which HTTP/1.0 has not. Browsers always send one. */
export function isProbe(httpVersion: string, path: string): boolean {
  return httpVersion === '1.0' && /^\/health(z|\/live|\/ready)?$/.test(path);
}

/** Browsers name the page that asks; programs name none. Only a page of this very port may. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  const own = host?.toLowerCase();
  return (
    own !== undefined &&
    (origin.toLowerCase() === `http://${own}` || origin.toLowerCase() === `https://${own}`)
  );
}

/** What a browser says of where a request comes from (Fetch Metadata); older ones and programs say nothing. */
export function isOwnSite(site: string | undefined, mode: string | undefined): boolean {
  return site === undefined || site === 'same-origin' || site === 'none' || mode === 'navigate';
}

/** The host of a `Host` header, lower case and without port and brackets; null: it is none. */
function hostOf(header: string | undefined): string | null {
  const [, bracketed, named] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@[\]]+))(?::\d{1,5})?$/.exec(header ?? '') ?? [];
  return (bracketed ?? named)?.toLowerCase().replace(/\.$/, '') ?? null;
}

function ready({ view, readiness }: AdminRoutes): Answered {
  const { node } = view;
  const why = view.phase();
  if (why !== 'ready')
    return json(503, {
      ready: false,
      node,
      edges: [{ edge: 'node', ok: false, needed: true, why, took: 0 }],
    });
  return readiness.edges().then((edges) => {
    const isReady = edges.every(({ ok, needed }) => ok || !needed);
    return json(isReady ? 200 : 503, { ready: isReady, node, edges });
  });
}

function scrape({ metrics }: AdminRoutes): Answered {
  return metrics.text().then((text) => ({ status: 200, type: metrics.contentType, text }));
}

function feed({ feedTo }: AdminRoutes, { query, response, method, neverEnds }: AdminRequest): Answered {
  if (method === 'HEAD') return { status: 200, type: 'text/event-stream', text: '' };
  if (!neverEnds()) {
    const error = 'a feed must be the last request of its connection';
    return { ...json(400, { error }), more: { Connection: 'close' } };
  }
  return feedTo(response, query) ? null : json(503, { error: 'the sampler is not there' });
}

function exported({ exportTo }: AdminRoutes, { query, response, method }: AdminRequest): Answered {
  const format = formatIn(query);
  const tab = new URLSearchParams(query).get('tab') ?? '';
  if (format === undefined) return json(400, { error: 'format is csv or json' });
  if (tabOf(tab) === undefined) return json(400, { error: 'tab is a list of the observer page' });
  if (method === 'HEAD') return { status: 200, type: formats[format], text: '' };
  return exportTo(response, query, format) ? null : json(503, { error: 'the export server is not there' });
}

/** Messages that one trace shows, and milliseconds that it lasts. */
const TRACED = 50;
const TRACE_PERIOD = 3000;

/** Looks at the next messages of one process: their kinds and sizes, never what clients wrote. */
function traceOne({ view }: AdminRoutes, query: string): Answered {
  const pid = Number(new URLSearchParams(query).get('pid') ?? Number.NaN);
  return new Promise((resolve) => {
    const lines: string[] = [];
    const done = () => {
      timer.cancel();
      resolve(json(200, { lines, period: TRACE_PERIOD }));
    };
    const timer = view.system.clock.after(TRACE_PERIOD, done);
    const say = (line: string) => {
      lines.push(line);
      if (lines.length === TRACED) done();
    };
    const begun = attempt(() => {
      trace(view, pid, { max: TRACED, period: TRACE_PERIOD, say });
      return '';
    });
    if (begun.status === 200) return;
    timer.cancel();
    resolve(begun);
  });
}

/** What the page does is written down, and what it is refused, too. */
function audited(
  { audit }: AdminRoutes,
  { body, from, credential }: AdminRequest,
  answer: AdminAnswer,
): AdminAnswer {
  const asked = parsed(body);
  const { done, error } = JSON.parse(answer.text) as { readonly done?: string; readonly error?: string };
  const what = asked === null ? 'what is no action' : `${asked.action} <${asked.pid}>`;
  audit.write({ by: 'page', who: whoAsks({ from, credential }), what, outcome: done ?? `refused: ${error}` });
  return answer;
}

function tokenRefused({ wrongTokens }: AdminRoutes, { address, from, credential }: AdminRequest): void {
  const who = whoAsks({ from, credential });
  wrongTokens.refused({ address, who, token: credential === null ? null : 'wrong' });
}

function whoAsks({ from, credential }: Pick<AdminRequest, 'from' | 'credential'>): string {
  return credential === null || credential.user === '' ? from : `${credential.user} at ${from}`;
}

function act({ view, settings }: AdminRoutes, body: string): AdminAnswer {
  if (!settings.actions) return json(403, { error: 'admin.observer_actions is off' });
  const asked = parsed(body);
  if (asked === null) return json(400, { error: 'expected: { "action": …, "pid": … }' });
  const { action, pid } = asked;
  return attempt(() => {
    switch (action) {
      case 'suspend':
        return suspend(view, pid, false);
      case 'resume':
        return resume(view, pid);
      case 'kill':
        return kill(view, pid, false);
      case 'disconnect':
        return disconnect(view, pid, undefined);
      default:
        throw new Refusal('action is one of suspend, resume, kill, disconnect');
    }
  });
}

function parsed(body: string): { readonly action: string; readonly pid: number } | null {
  try {
    const { action, pid } = JSON.parse(body) as { action?: unknown; pid?: unknown };
    return typeof action === 'string' && typeof pid === 'number' ? { action, pid } : null;
  } catch {
    return null;
  }
}

function attempt(action: () => string): AdminAnswer {
  try {
    return json(200, { done: action() });
  } catch (error) {
    if (error instanceof Refusal) return json(409, { error: error.message });
    throw error;
  }
}

function json(status: number, content: object): AdminAnswer {
  return { status, type: 'application/json', text: `${JSON.stringify(content, redacting)}\n` };
}

export function plain(status: number, words: string): AdminAnswer {
  return { status, type: 'text/plain; charset=utf-8', text: `${words}\n` };
}
