import { performance } from 'node:perf_hooks';
import { Counter, Gauge, type Metric, Registry } from 'prom-client';
import type { RelayView } from './console/relay-view.ts';
import { heapLimit, type Sampling } from './console/sampling.ts';
import type { Histogram } from './histogram.ts';
import { redacted } from './redaction.ts';

/**
 * The relay's metrics for Prometheus. Nothing is counted here: what the parts of the relay count in plain numbers is
 * read at each scrape. No label can be chosen by a client: doors, realms, reasons, kinds of process, peers.
 */
export class Metrics {
  readonly #registry = new Registry();

  constructor(view: RelayView, sampling: Sampling) {
    const { gauge, counter, histogram } = definitions(this.#registry);
    messageMetrics(view, { gauge, counter, histogram });
    clientMetrics(view, sampling, { gauge, counter, histogram });
    processMetrics(view, sampling, { gauge, counter, histogram });
    runtimeMetrics(view, sampling, { gauge, counter, histogram });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

type Labels = Readonly<Record<string, string>>;
type Read = () => Iterable<readonly [value: number, labels?: Labels]>;

interface Definitions {
  gauge(name: string, help: string, read: Read, labels?: readonly string[]): void;
  counter(name: string, help: string, read: Read, labels?: readonly string[]): void;
  histogram(
    name: string,
    help: string,
    read: () => Iterable<readonly [histogram: Histogram, labels: Labels]>,
  ): void;
}

const PREFIX = 'fanfare_';

function definitions(registry: Registry): Definitions {
  return {
    gauge(name, help, read, labels = []) {
      const metric: Gauge = new Gauge({
        name: PREFIX + name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect() {
          metric.reset();
          for (const [value, of = {}] of read()) metric.set(redacted(of), value);
        },
      });
    },
    counter(name, help, read, labels = []) {
      const metric: Counter = new Counter({
        name: PREFIX + name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect() {
          metric.reset();
          for (const [value, of = {}] of read()) metric.inc(redacted(of), value);
        },
      });
    },
    histogram(name, help, read) {
      const full = PREFIX + name;
      // The library counts for itself; what is counted already is given in the shape that it reads.
      const metric = {
        name: full,
        help,
        type: 'histogram',
        aggregator: 'sum',
        reset: () => undefined,
        get: () =>
          Promise.resolve({
            name: full,
            help,
            type: 'histogram',
            aggregator: 'sum',
            values: [...read()].flatMap(([of, labels]) => histogramValues(full, of, redacted(labels))),
          }),
      };
      registry.registerMetric(metric as unknown as Metric);
    },
  };
}

function histogramValues(name: string, { bounds, counts, sum, count }: Histogram, labels: Labels) {
  let below = 0;
  const buckets = bounds.map((bound, index) => {
    below += counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

function* byKey(counts: Readonly<Record<string, number>>, label: string): ReturnType<Read> & Generator {
  for (const [key, value] of Object.entries(counts)) yield [value, { [label]: key }] as const;
}

function messageMetrics(
  { topics, doors, links }: RelayView,
  { gauge, counter, histogram }: Definitions,
): void {
  const { accounting } = topics;
  const { samples } = accounting;
  counter('messages_total', 'Messages taken from publishers.', () => [[accounting.messages]]);
  counter(
    'door_messages_total',
    'Messages that came in at a door.',
    function* () {
      for (const { name: door, counters } of doors()) {
        yield [counters.messages, { door, via: 'websocket' }];
        yield [counters.posts, { door, via: 'http' }];
      }
    },
    ['door', 'via'],
  );
  counter(
    'delivery_attempts_total',
    'Messages for members: one for each message and member. Deliveries and drops add up to it.',
    () => [[accounting.attempts]],
  );
  counter('deliveries_total', 'Messages handed to the kernel for a member.', () => [[accounting.delivered]]);
  counter(
    'dropped_total',
    'Messages for members that did not reach them.',
    () => byKey(accounting.dropped, 'reason'),
    ['reason'],
  );
  counter('lost_total', 'Messages that were fanned out to nobody.', () => byKey(accounting.lost, 'reason'), [
    'reason',
  ]);
  histogram(
    'publish_to_write_seconds',
    'From taking a message to its write at a member. One message in 64 is timed, and one each second.',
    () => [[samples.latency, {}]],
  );
  histogram('fanout_members', 'Members that a delivery goes to, of the messages that are timed.', () => [
    [samples.fanOut, {}],
  ]);
  gauge(
    'topics',
    'Live topics.',
    () => {
      const counts = new Map<string, number>(doors().map(({ realm }) => [realm, 0]));
      for (const { realm } of topics.all()) counts.set(realm, (counts.get(realm) ?? 0) + 1);
      return [...counts].map(([realm, count]) => [count, { realm }] as const);
    },
    ['realm'],
  );
  const peer = ['peer', 'direction'];
  gauge(
    'link_up',
    'Whether the link to another relay is up.',
    () => links().map(({ peer, direction, state }) => [state === 'up' ? 1 : 0, { peer, direction }] as const),
    peer,
  );
  gauge(
    'link_lag_seconds',
    'How far the other side of a link is behind.',
    () =>
      links().flatMap(({ peer, direction, lag }) =>
        lag === null ? [] : [[lag, { peer, direction }] as const],
      ),
    peer,
  );
  counter(
    'link_messages_total',
    'Messages over a link.',
    () => links().map(({ peer, direction, messages }) => [messages, { peer, direction }] as const),
    peer,
  );
}

function clientMetrics(
  view: RelayView,
  sampling: Sampling,
  { gauge, counter, histogram }: Definitions,
): void {
  const { doors, chronicle, admission, authenticators, refused } = view;
  gauge(
    'connections',
    'Accepted connections that are open.',
    () => doors().map(({ name, counters }) => [counters.connections, { door: name }] as const),
    ['door'],
  );
  counter(
    'closes_total',
    'Accepted connections that ended.',
    () => [...chronicle.closes].map(({ count, labels }) => [count, labels] as const),
    ['door', 'code', 'reason'],
  );
  counter(
    'refusals_total',
    'Connections and requests that were turned away, by limit or HTTP status.',
    () => [...chronicle.refusals].map(({ count, labels }) => [count, labels] as const),
    ['door', 'reason'],
  );
  counter(
    'gate_refusals_total',
    'What the limits and checks before a door turned away.',
    () => byKey(refused(), 'reason'),
    ['reason'],
  );
  gauge('admitted_sockets', 'Sockets that count against limits.connections.', () => [[admission.open]]);
  gauge('shedding', '1 while new connections are turned away because the heap is nearly full.', () => [
    [admission.shedding ? 1 : 0],
  ]);
  gauge('pending_bytes', 'Bytes that wait to be written to clients.', () => [[sampling.census().pending]]);
  gauge(
    'slow_connections',
    'Clients that are behind: those that hold their topics back, and those that do not read at all.',
    () => {
      const { behind, stalled } = sampling.census();
      return [
        [behind, { state: 'behind' }],
        [stalled, { state: 'stalled' }],
      ];
    },
    ['state'],
  );
  const guard = ['guard', 'authenticator'];
  counter(
    'authenticator_calls_total',
    'Questions to an authenticator, by whether it answered.',
    function* () {
      for (const { guard, authenticator, answered, failed } of authenticators()) {
        yield [answered, { guard, authenticator, outcome: 'answered' }];
        yield [failed, { guard, authenticator, outcome: 'failed' }];
      }
    },
    [...guard, 'outcome'],
  );
  histogram('authenticator_call_seconds', 'From the question to an authenticator to its answer.', () =>
    authenticators().map(({ guard, authenticator, latency }) => [latency, { guard, authenticator }] as const),
  );
}

function processMetrics({ system }: RelayView, sampling: Sampling, { gauge, counter }: Definitions): void {
  const { counters, restarts } = system;
  const kinds = ['kind'];
  const ofKind = (read: 'count' | 'mailbox' | 'highWater') => () =>
    [...sampling.census().kinds].map(([kind, census]) => [census[read], { kind }] as const);
  gauge('processes', 'Live processes.', ofKind('count'), kinds);
  gauge('mailbox_messages', 'Messages that wait in mailboxes.', ofKind('mailbox'), kinds);
  gauge(
    'mailbox_high_water_messages',
    'The longest that the mailbox of a live process has been.',
    ofKind('highWater'),
    kinds,
  );
  gauge('timers', 'Timers that processes have set.', () => [[sampling.census().timers]]);
  counter(
    'restarts_total',
    'Children that a supervisor has restarted.',
    () => [...restarts].map(([supervisor, count]) => [count, { supervisor }] as const),
    ['supervisor'],
  );
  counter('processes_started_total', 'Processes that were started.', () => [[counters.spawned]]);
  counter('crashes_total', 'Processes that crashed.', () => [[counters.crashed]]);
  counter('dead_letters_total', 'Messages sent to a process that was dead.', () => [[counters.deadLetters]]);
  counter('mailbox_refused_total', 'Messages that a full mailbox refused.', () => [[counters.refused]]);
}

function runtimeMetrics(view: RelayView, sampling: Sampling, { gauge, counter }: Definitions): void {
  gauge(
    'build_info',
    'What runs: always 1.',
    () => [[1, { version: view.version, node: view.node, node_version: process.version }]],
    ['version', 'node', 'node_version'],
  );
  gauge('start_time_seconds', 'When the process started, since 1970.', () => [
    [Math.round(performance.timeOrigin) / 1000],
  ]);
  gauge(
    'event_loop_delay_seconds',
    'How late timers of the event loop are, over ten seconds.',
    () => [...sampling.loopDelay].map(([q, value]) => [value, { quantile: String(q) }] as const),
    ['quantile'],
  );
  let last = performance.eventLoopUtilization();
  gauge(
    'event_loop_utilisation_ratio',
    'Share of the time since the last scrape that the event loop was busy.',
    () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return [[utilization]];
    },
  );
  counter('event_loop_stalls_total', 'Times that the event loop stood still for a second or more.', () => [
    [view.stalls.count],
  ]);
  counter('cpu_seconds_total', 'Processor time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return [[(user + system) / 1e6]];
  });
  gauge(
    'memory_bytes',
    'Memory of the process.',
    () => {
      const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
      return [
        [rss, { kind: 'resident' }],
        [heapUsed, { kind: 'heap_used' }],
        [heapTotal, { kind: 'heap_total' }],
        [external, { kind: 'external' }],
      ];
    },
    ['kind'],
  );
  gauge(
    'resources',
    'What keeps the event loop: sockets, servers, files.',
    () => {
      const counts: Record<string, number> = {};
      for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
      return byKey(counts, 'kind');
    },
    ['kind'],
  );
  gauge('heap_limit_bytes', 'The most that the heap can grow to.', () => [[heapLimit()]]);
  counter('log_lines_lost_total', 'Log lines that their target did not take.', () => [[view.linesLost()]]);
}
