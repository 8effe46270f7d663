import type { ServerResponse } from 'node:http';
import { observerQuery } from '../observer/observer-lists.ts';
import { observerHeaders, observerPage } from '../observer/observer-page.ts';
import type { SamplerMessage } from '../observer/sampler.ts';
import { type ProcessName, sendNamed } from '../otp/registry.ts';
import { redacting } from '../secret/redaction.ts';
import { disconnect } from '../view/connections.ts';
import { kill, resume, suspend, trace } from '../view/processes.ts';
import type { RelayView } from '../view/relay-view.ts';
import { Refusal } from '../view/relay-view.ts';
import type { Readiness } from './readiness.ts';

/** What the admin port answers, by path. */
export interface AdminRoutes {
  readonly view: RelayView;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly readiness: Readiness;
  readonly sampler: ProcessName<SamplerMessage>;
  readonly settings: AdminSettings;
}

/** What may change while the port stays where it is: read at the time of need. */
export interface AdminSettings {
  /** Names by which the port may be asked. */
  readonly names: readonly string[];
  /** The observer page may do more than look. */
  readonly actions: boolean;
}

export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
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

/** `reply` may be called later, and is called once; the feed answers for itself. */
export function routeAdmin(
  routes: AdminRoutes,
  request: AdminRequest,
  reply: (answer: AdminAnswer) => void,
): void {
  const { method, path } = request;
  const reads = method === 'GET' || method === 'HEAD';
  if (path === '/observer/actions') {
    if (method !== 'POST') reply({ ...json(405, { error: 'POST expected' }), more: { Allow: 'POST' } });
    else act(routes, request.body, reply);
    return;
  }
  if (!reads) {
    reply({ ...json(405, { error: 'GET expected' }), more: { Allow: 'GET, HEAD' } });
    return;
  }
  switch (path) {
    case '/health/live':
      // Who answers has its turns, and so have all others.
      reply(json(200, { live: true }));
      return;
    case '/health/ready':
    case '/healthz':
    case '/health':
      ready(routes, reply);
      return;
    case '/metrics':
      scrape(routes, reply);
      return;
    case '/':
      reply({ status: 302, type: 'text/plain', text: '', more: { Location: 'observer' } });
      return;
    case '/observer':
      reply({ status: 200, type: 'text/html; charset=utf-8', text: observerPage, more: observerHeaders });
      return;
    case '/observer/feed':
      feed(routes, request, reply);
      return;
    case '/observer/trace':
      traceOne(routes, request.query, reply);
      return;
    default:
      reply(json(404, { error: 'not found' }));
  }
}

function ready({ view, readiness }: AdminRoutes, reply: (answer: AdminAnswer) => void): void {
  const { node } = view;
  const why = view.phase();
  if (why !== 'ready') {
    reply(
      json(503, { ready: false, node, edges: [{ edge: 'node', ok: false, needed: true, why, took: 0 }] }),
    );
    return;
  }
  const answer = async () => {
    const edges = await readiness.edges();
    const isReady = edges.every(({ ok, needed }) => ok || !needed);
    return json(isReady ? 200 : 503, { ready: isReady, node, edges });
  };
  answer().then(reply, failed(reply));
}

function failed(reply: (answer: AdminAnswer) => void) {
  return (error: unknown) => reply(json(500, { error: error instanceof Error ? error.message : 'failed' }));
}

function scrape({ metrics }: AdminRoutes, reply: (answer: AdminAnswer) => void): void {
  metrics.text().then((text) => reply({ status: 200, type: metrics.contentType, text }), failed(reply));
}

function feed(
  { view, sampler }: AdminRoutes,
  { query, response, method, neverEnds }: AdminRequest,
  reply: (answer: AdminAnswer) => void,
): void {
  if (method === 'HEAD') {
    reply({ status: 200, type: 'text/event-stream', text: '' });
    return;
  }
  if (!neverEnds()) {
    reply({
      ...json(400, { error: 'a feed must be the last request of its connection' }),
      more: { Connection: 'close' },
    });
    return;
  }
  const { system } = view;
  response.on('close', () => sendNamed(system, sampler, { type: 'gone', response }));
  if (!sendNamed(system, sampler, { type: 'watch', response, query: observerQuery(query) })) {
    reply(json(503, { error: 'the sampler is not there' }));
  }
}

/** Messages that one trace shows, and milliseconds that it lasts. */
const TRACED = 50;
const TRACE_PERIOD = 3000;

/** Looks at the next messages of one process: their kinds and sizes, never what clients wrote. */
function traceOne({ view }: AdminRoutes, query: string, reply: (answer: AdminAnswer) => void): void {
  const lines: string[] = [];
  const pid = Number(new URLSearchParams(query).get('pid') ?? Number.NaN);
  const done = () => {
    timer.cancel();
    reply(json(200, { lines, period: TRACE_PERIOD }));
  };
  const timer = view.system.clock.after(TRACE_PERIOD, done);
  const say = (line: string) => {
    lines.push(line);
    if (lines.length === TRACED) done();
  };
  const refused = attempt(() => {
    trace(view, pid, { max: TRACED, period: TRACE_PERIOD, say });
    return '';
  });
  if (refused.status === 200) return;
  timer.cancel();
  reply(refused);
}

function act({ view, settings }: AdminRoutes, body: string, reply: (answer: AdminAnswer) => void): void {
  if (!settings.actions) {
    reply(json(403, { error: 'admin.observer_actions is off' }));
    return;
  }
  const asked = parsed(body);
  if (asked === null) {
    reply(json(400, { error: 'expected: { "action": …, "pid": … }' }));
    return;
  }
  const { action, pid } = asked;
  reply(
    attempt(() => {
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
    }),
  );
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
