import type { ServerResponse } from 'node:http';
import { heapLimit } from '../measure/resources.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import { isAlive, type Self } from '../otp/process.ts';
import { type ProcessName, sendNamed } from '../otp/registry.ts';
import { findProcess, resident, residents } from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { redacting } from '../secret/redaction.ts';
import { connectionOf } from '../view/connections.ts';
import { info, state as stateOf } from '../view/processes.ts';
import type { RelayView } from '../view/relay-view.ts';
import { connectionCount, SAMPLE_PERIOD, type Sampling } from '../view/sampling.ts';
import { topicCount } from '../view/topics.ts';
import { type ObserverQuery, observerQuery } from './query.ts';
import type { Rates } from './rates.ts';
import { firstTab, tabOf } from './tabs.ts';

/**
 * Samples the relay once a second, pages or not, and pushes the lists that observer pages look at, as server-sent events.
 * All pages have the one sampler; its work for each page is bounded, and nothing waits for a page that does not read.
 */
export interface SamplerArgs {
  readonly view: RelayView;
  readonly sampling: Sampling;
  /** Written here alone; known while a page looks. */
  readonly rates: Rates;
  /** Whether the page may do more than look; read at the time of need. */
  readonly settings: { readonly actions: boolean };
}

export type SamplerMessage =
  | Exit
  | { readonly type: 'tick' }
  | { readonly type: 'watch'; readonly response: ServerResponse; readonly query: ObserverQuery }
  | { readonly type: 'gone'; readonly response: ServerResponse };

/** Pushes to a page what the query of its address asks for. False: the sampler is not there. */
export function watchBy(
  system: System,
  sampler: ProcessName<SamplerMessage>,
  response: ServerResponse,
  query: string,
): boolean {
  response.on('close', () => sendNamed(system, sampler, { type: 'gone', response }));
  return sendNamed(system, sampler, { type: 'watch', response, query: observerQuery(query) });
}

interface State extends SamplerArgs {
  readonly self: Self<SamplerMessage>;
  readonly watchers: Map<ServerResponse, ObserverQuery>;
  readonly heapLimit: number;
  ticks: number;
}

/** Pages that may look at the same time. */
const WATCHERS = 16;
/** Samples from one push of a list to the next. */
const LIST_EVERY = 2;
/** Bytes that may wait for a page; with more the page is left out until it has read them. */
const UNREAD = 256 * 1024;
const TICK: SamplerMessage = { type: 'tick' };

export const sampler: Behaviour<SamplerArgs, State, SamplerMessage> = {
  name: 'sampler',
  trapExit: true,

  init(self, args) {
    sendAfter(self, SAMPLE_PERIOD, TICK);
    return { ...args, self, watchers: new Map(), heapLimit: heapLimit(), ticks: 0 };
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'tick':
        tick(state);
        return keep;
      case 'watch':
        watch(state, message.response, message.query);
        return keep;
      case 'gone':
        state.watchers.delete(message.response);
        if (state.watchers.size === 0) state.rates.clear();
        return keep;
      case 'exit':
        return stop(message.reason);
    }
  },

  terminate({ watchers }) {
    for (const response of watchers.keys()) response.destroy();
  },

  undelivered(message) {
    if (message.type === 'watch') message.response.destroy();
  },
};

function tick(state: State): void {
  const { self, view, sampling, watchers, rates } = state;
  sendAfter(self, SAMPLE_PERIOD, TICK);
  const sample = sampling.take();
  state.ticks++;
  if (watchers.size === 0) return;
  const withList = state.ticks % LIST_EVERY === 0;
  if (withList) noteRates(view, rates, now(self));
  const totals = totalsOf(state);
  for (const [response, query] of watchers) {
    if (response.writableLength > UNREAD) continue;
    push(response, 'frame', { sample, totals, ...(withList ? seen(state, query) : NOTHING) });
  }
}

const NOTHING = { list: null, detail: null };

/** Counts everything once for rates; to be called every few seconds while a page looks. */
function noteRates({ system, topics }: RelayView, rates: Rates, now: number): void {
  rates.begin(now);
  for (const process of residents(system)) {
    const connection = connectionOf(process);
    if (connection !== undefined) {
      rates.note(process.id, process.handled, connection.intake.published, connection.outflow.messages);
    } else if (process.behaviour.name !== 'topic-server') {
      rates.note(process.id, process.handled, 0, 0);
    }
  }
  for (const { server, fanOut } of topics.all()) {
    if (server !== undefined)
      rates.note(server.id, resident(server).handled, fanOut.messages, fanOut.attempts);
  }
  rates.end();
}

/** The list that a page looks at, and the process. */
function seen({ view, rates }: State, query: ObserverQuery) {
  return {
    list: (tabOf(query.tab) ?? firstTab).page({ view, rates }, query),
    detail: query.pid === null ? null : detailOf(view, rates, query.pid),
  };
}

function watch(state: State, response: ServerResponse, query: ObserverQuery): void {
  const { view, sampling, watchers, rates, self } = state;
  if (watchers.size >= WATCHERS) {
    response.writeHead(503, { 'Retry-After': '5' }).end('Error: too many observers.\n');
    return;
  }
  // Rates need two looks: the first page sees none for a moment.
  if (watchers.size === 0) noteRates(view, rates, now(self));
  watchers.set(response, query);
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  });
  const totals = totalsOf(state);
  push(response, 'hello', {
    node: view.node,
    version: view.version,
    runtime: `Node.js ${process.version}`,
    pid: process.pid,
    actions: state.settings.actions,
    history: sampling.history.filter(({ at }) => at > query.since),
  });
  push(response, 'frame', { sample: null, totals, ...seen(state, query) });
}

function totalsOf({ view, sampling, heapLimit }: State) {
  const { system, topics, admission } = view;
  const { pending, behind, stalled } = sampling.census();
  const links = view.links() ?? [];
  return {
    state: view.phase() === 'ready' && admission.shedding ? 'shedding' : view.phase(),
    /** Milliseconds. */
    uptime: process.uptime() * 1000,
    processes: system.processes.size,
    topics: topicCount(view),
    connections: connectionCount(view),
    relays: view.relays().length,
    links: links.length,
    linksDown: links.filter(({ state }) => state === 'down').length,
    gone: view.history.remembered,
    reports: view.history.reports.size,
    crashed: system.counters.crashed,
    pending,
    slow: behind + stalled,
    dropped: topics.accounting.droppedInAll,
    linesLost: view.linesLost(),
    heapLimit,
  };
}

/** A process in full, or the news that it is gone. */
function detailOf(view: RelayView, rates: Rates, id: number) {
  const pid = findProcess(view.system, id);
  if (pid === undefined || !isAlive(pid)) {
    const gone = view.history.certificateOf(id) ?? null;
    return { pid: id, info: null, gone, rate: null, traffic: null, state: null };
  }
  const { handledRate, trafficRate, deliveryRate } = rates.of(id);
  const traffic = { in: trafficRate, out: deliveryRate };
  return { pid: id, info: info(view, id), gone: null, rate: handledRate, traffic, state: stateOf(view, id) };
}

function push(response: ServerResponse, event: string, content: object): void {
  response.write(`event: ${event}\ndata: ${JSON.stringify(content, redacting)}\n\n`);
}
