import { performance } from 'node:perf_hooks';
import { Registry } from 'prom-client';
import {
  activeResources,
  heapLimit,
  maxOpenFiles,
  memory,
  openFiles,
  virtualMemory,
} from '../measure/resources.ts';
import { FORESEEN_CLOSES } from '../view/history.ts';
import type { LinkView, RelayView } from '../view/relay-view.ts';
import { clientMessages, type Sampling } from '../view/sampling.ts';
import { byKey, type Definitions, definitions, withZeros } from './definitions.ts';

/**
 * The relay's metrics for Prometheus. Nothing is counted here: what the parts of the relay count in plain numbers is
 * read at each scrape. No label can be chosen by a client: doors, realms, reasons, kinds of process, peers.
 */
export class Metrics {
  readonly #registry = new Registry();

  constructor(view: RelayView, sampling: Sampling) {
    const declare = definitions(this.#registry);
    messageMetrics(view, declare);
    historyMetrics(view, declare);
    clientMetrics(view, sampling, declare);
    linkMetrics(view, declare);
    processMetrics(view, sampling, declare);
    runtimeMetrics(view, sampling, declare);
    standardMetrics(definitions(this.#registry, 'process'));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** What becomes of messages. */
function messageMetrics(view: RelayView, { gauge, counter, histogram }: Definitions): void {
  const { topics, doors } = view;
  const { accounting } = topics;
  counter(
    'messages_total',
    'Messages of the clients of this relay, and messages that came over links. Each is of the clients of one relay.',
    () => [
      [clientMessages(view), { from: 'clients' }],
      [accounting.overLinks, { from: 'links' }],
    ],
  );
  counter('door_messages_total', 'Messages that came in at a door.', function* () {
    for (const { name: door, counters } of doors()) {
      yield [counters.messages, { door, via: 'websocket' }];
      yield [counters.posts, { door, via: 'http' }];
    }
  });
  counter(
    'delivery_attempts_total',
    'Messages for members: one for each message and member. Deliveries and drops add up to it.',
    () => accounting.attempts,
  );
  counter('deliveries_total', 'Messages handed to the kernel for a member.', () => accounting.delivered);
  counter('dropped_total', 'Messages for members that did not reach them.', () =>
    byKey(accounting.dropped, 'reason'),
  );
  counter('lost_total', 'Messages that were fanned out to nobody.', () => byKey(accounting.lost, 'reason'));
  histogram(
    'publish_to_write_seconds',
    'From taking a message to its write at a member. One message in 64 is timed, and one each second.',
    () => [[accounting.latency, {}]],
  );
  histogram('fanout_members', 'Members that a delivery goes to, of the messages that are timed.', () => [
    [accounting.fanOut, {}],
  ]);
  gauge('topics', 'Live topics.', () => {
    const counts: Record<string, number> = {};
    for (const { realm } of doors()) counts[realm] = 0;
    for (const { realm } of topics.all()) counts[realm] = (counts[realm] ?? 0) + 1;
    return byKey(counts, 'realm');
  });
}

/** What is kept of messages, and what has come of those who asked for it. */
function historyMetrics({ topics: { histories } }: RelayView, { gauge, counter }: Definitions): void {
  gauge('history_topics', 'Topics of which messages are kept, or are to be.', () => histories.lines);
  gauge('history_messages', 'Messages that are kept.', () => histories.messages);
  gauge('history_bytes', 'Memory that they take.', () => histories.memory);
  gauge('history_limit_bytes', 'Memory that they may take (history.total).', () => histories.total);
  counter('history_evicted_total', 'Messages that are kept no longer, by the bound that made them go.', () =>
    byKey(histories.evicted, 'bound'),
  );
  counter('resumes_total', 'Clients that came back or asked for the past, by what came of it.', () =>
    byKey(histories.resumed, 'outcome'),
  );
  counter('replayed_messages_total', 'Messages that were sent to them.', () => histories.replayed);
  counter(
    'missed_messages_total',
    'Messages that they asked for and did not get, where their number is known.',
    () => histories.missed,
  );
}

/** Statuses with which doors answer what they do not take. */
const REFUSING_STATUSES = [
  '400',
  '401',
  '403',
  '404',
  '405',
  '409',
  '413',
  '415',
  '426',
  '429',
  '500',
  '503',
];

/** Clients that are connected, clients that were turned away, and the authenticators that are asked for them. */
function clientMetrics(
  { doors, history, admission, authenticators, refused, wrongTokens }: RelayView,
  sampling: Sampling,
  { gauge, counter, histogram }: Definitions,
): void {
  gauge('connections', 'Accepted connections that are open.', () =>
    doors().map(({ name, counters }) => [counters.connections, { door: name }]),
  );
  const atDoors = <Of extends Readonly<Record<string, string>>>(possible: readonly Of[]) =>
    doors().flatMap(({ name: door }) => possible.map((labels) => ({ door, ...labels })));
  counter('closes_total', 'Accepted connections that ended.', () =>
    withZeros(history.closes, atDoors(FORESEEN_CLOSES)),
  );
  counter('refusals_total', 'Connections and requests that were turned away, by limit or HTTP status.', () =>
    withZeros(
      history.refusals,
      atDoors([...REFUSING_STATUSES, ...Object.keys(refused())].map((reason) => ({ reason }))),
    ),
  );
  counter('gate_refusals_total', 'What the limits and checks before a door turned away.', () =>
    byKey(refused(), 'reason'),
  );
  counter(
    'admin_token_refusals_total',
    'Requests that the admin port refused for a wrong token, and actions without one.',
    wrongTokens,
  );
  gauge('admitted_sockets', 'Sockets that count against limits.connections.', () => admission.open);
  gauge(
    'connections_limit',
    'Sockets that may be open at once, by limits.connections; 0: any number.',
    () => admission.limit,
  );
  gauge('shedding', '1 while new connections are turned away because the heap is nearly full.', () =>
    Number(admission.shedding),
  );
  gauge('pending_bytes', 'Bytes that wait to be written to clients.', () => sampling.census().pending);
  gauge(
    'slow_connections',
    'Clients that are behind: those that hold their topics back, and those that do not read at all.',
    () => {
      const { behind, stalled } = sampling.census();
      return byKey({ behind, stalled }, 'state');
    },
  );
  counter(
    'authenticator_calls_total',
    'Questions to an authenticator, by whether it answered.',
    function* () {
      for (const { guard, authenticator, answered, failed } of authenticators()) {
        yield [answered, { guard, authenticator, outcome: 'answered' }];
        yield [failed, { guard, authenticator, outcome: 'failed' }];
      }
    },
  );
  histogram('authenticator_call_seconds', 'From the question to an authenticator to its answer.', () =>
    authenticators().map(({ guard, authenticator, latency }) => [latency, { guard, authenticator }] as const),
  );
}

/** The links to other relays. Their names are those of the network's own relays: as many as there are links. */
function linkMetrics({ links }: RelayView, declare: Definitions): void {
  const all = () => links() ?? [];
  declare.gauge(
    'links',
    'Links to other relays, or to the network that carries their messages, by state.',
    function* () {
      for (const state of ['up', 'down'])
        yield [all().filter((link) => link.state === state).length, { state }];
    },
  );
  const each = (
    type: 'gauge' | 'counter',
    name: string,
    help: string,
    read: (link: LinkView) => number | null,
  ) =>
    declare[type](name, help, function* () {
      const said = new Set<string>();
      for (const link of all()) {
        const { peer, direction } = link;
        const value = read(link);
        // A relay may be in the list by two addresses: it is counted once.
        if (value === null || said.has(`${direction} ${peer}`)) continue;
        said.add(`${direction} ${peer}`);
        yield [value, { peer, direction }];
      }
    });
  /** Of peers whose messages are counted. */
  const counted = (read: (link: LinkView) => number) => (link: LinkView) =>
    link.messages === null ? null : read(link);
  each('gauge', 'link_up', 'Whether a link is up.', ({ state }) => Number(state === 'up'));
  each(
    'gauge',
    'link_round_trip_seconds',
    'From a question over a link to its answer, behind what was under way.',
    ({ roundTrip }) => inSeconds(roundTrip),
  );
  each(
    'gauge',
    'link_lag_seconds',
    'How far what has come to the other side is behind what was sent there.',
    ({ lag }) => inSeconds(lag),
  );
  each(
    'gauge',
    'link_pending_bytes',
    'Bytes that wait to be written to a link.',
    counted(({ pending }) => pending),
  );
  each('counter', 'link_messages_total', 'Messages over a link.', ({ messages }) => messages);
  each('counter', 'link_bytes_total', 'Bytes of messages over a link.', ({ bytes }) => bytes);
  each(
    'counter',
    'link_lost_messages_total',
    'Messages for the other side of a link that did not get there.',
    counted(({ lost }) => lost),
  );
  each(
    'counter',
    'link_reconnects_total',
    'How often a link was made again.',
    counted(({ reconnects }) => reconnects),
  );
}

/** The supervision tree. */
function processMetrics({ system }: RelayView, sampling: Sampling, { gauge, counter }: Definitions): void {
  const { counters, restarts } = system;
  const ofKind = (read: 'count' | 'mailbox' | 'highWater') =>
    function* () {
      for (const [kind, census] of sampling.census().kinds) yield [census[read], { kind }] as const;
    };
  gauge('processes', 'Live processes.', ofKind('count'));
  gauge('mailbox_messages', 'Messages that wait in mailboxes.', ofKind('mailbox'));
  gauge(
    'mailbox_high_water_messages',
    'The longest that the mailbox of a live process has been.',
    ofKind('highWater'),
  );
  gauge('timers', 'Timers that processes have set.', () => sampling.census().timers);
  counter('restarts_total', 'Children that a supervisor has restarted.', () =>
    withZeros(
      Array.from(restarts, ([supervisor, count]) => [count, { supervisor }] as const),
      Array.from(sampling.census().supervisors, (supervisor) => ({ supervisor })),
    ),
  );
  counter('processes_started_total', 'Processes that were started.', () => counters.spawned);
  counter('crashes_total', 'Processes that crashed.', () => counters.crashed);
  counter('dead_letters_total', 'Messages sent to a process that was dead.', () => counters.deadLetters);
  counter('mailbox_refused_total', 'Messages that a full mailbox refused.', () => counters.refused);
}

/** The process that all of it runs in. */
function runtimeMetrics(
  { version, node, stalls, linesLost }: RelayView,
  sampling: Sampling,
  { gauge, counter, histogram }: Definitions,
): void {
  gauge('build_info', 'What runs: always 1.', () => [[1, { version, node, node_version: process.version }]]);
  histogram(
    'event_loop_delay_seconds',
    'How late a timer of the event loop is, looked at 40 times a second.',
    () => [[sampling.loopDelay, {}]],
  );
  gauge(
    'event_loop_utilisation_ratio',
    'Share of the last ten seconds that the event loop was busy.',
    () => sampling.utilisation,
  );
  counter(
    'event_loop_active_seconds_total',
    'Time that the event loop was busy.',
    () => performance.eventLoopUtilization().active / 1000,
  );
  counter(
    'event_loop_stalls_total',
    'Times that the event loop stood still for a second or more.',
    () => stalls.count,
  );
  gauge('memory_bytes', 'Memory of the process.', () => {
    const { rss, heapUsed, heapTotal, external } = memory();
    return byKey({ resident: rss, heap_used: heapUsed, heap_total: heapTotal, external }, 'kind');
  });
  gauge('resources', 'What keeps the event loop: sockets, servers, files.', () =>
    byKey(activeResources(), 'kind'),
  );
  gauge('heap_limit_bytes', 'The most that the heap can grow to.', heapLimit);
  counter('log_lines_lost_total', 'Log lines that their target did not take.', linesLost);
}

/** What Prometheus expects of every process, under the names that dashboards and alerts of others ask for. */
function standardMetrics({ gauge, counter }: Definitions): void {
  counter('cpu_seconds_total', 'Processor time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge(
    'start_time_seconds',
    'When the process started, since 1970.',
    () => Math.round(performance.timeOrigin) / 1000,
  );
  gauge('resident_memory_bytes', 'Resident memory.', () => memory().rss);
  gauge('virtual_memory_bytes', 'Address space.', () => virtualMemory() ?? []);
  gauge('open_fds', 'Open file descriptors.', () => openFiles() ?? []);
  gauge('max_fds', 'The most file descriptors that may be open.', () => maxOpenFiles() ?? []);
}

function inSeconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds / 1000;
}
