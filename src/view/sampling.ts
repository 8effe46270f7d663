import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { Histogram, quantile } from '../measure/histogram.ts';
import { memory } from '../measure/resources.ts';
import { supervisorName } from '../otp/incarnation.ts';
import { isSupervisor, residents, timersOf } from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import { connectionOf, pendingOf } from './connections.ts';
import type { RelayView } from './relay-view.ts';

/** Milliseconds between two samples, and how many are kept: ten minutes. */
export const SAMPLE_PERIOD = 1000;
const SAMPLES_KEPT = 600;
/** Milliseconds for which a look at all processes is good. */
const CENSUS_VALID = 900;

/** Milliseconds between two looks at how late a timer is; each wakes the loop. */
const DELAY_PERIOD = 25;
/** Seconds. */
const DELAY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Samples that the utilisation for metrics is the mean of: a scraper comes every few seconds. */
const UTILISATION_SAMPLES = 10;

/**
 * The relay sampled: the last ten minutes, and a census that is shared by all questions of a second. A sample is cheap:
 * it reads some thirty numbers.
 */
export class Sampling {
  readonly history: Sample[] = [];
  readonly #view: RelayView;
  /** How late a timer was, in seconds. */
  readonly loopDelay = new Histogram(DELAY_BOUNDS);
  readonly #delayTimer: NodeJS.Timeout;
  #delayAt = performance.now();
  /** Since the last sample, in milliseconds. */
  #worstDelay = 0;
  #utilisation: EventLoopUtilization = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #last: Totals;
  /** Samples that were taken while the relay was starting, and the one in which it became ready; those of ten minutes at most. */
  #ofStart = 0;
  #isStarting = true;
  #census: { readonly at: number; readonly census: Census } | null = null;

  constructor(view: RelayView) {
    this.#view = view;
    this.#delayTimer = setInterval(() => this.#noteDelay(), DELAY_PERIOD).unref();
    this.#last = totalsOf(view);
  }

  /** The event loop's share of busy time, lately; before the first sample, since the start. */
  get utilisation(): number {
    const lately = this.history.slice(-UTILISATION_SAMPLES);
    if (lately.length === 0) return performance.eventLoopUtilization().utilization;
    return lately.reduce((sum, { utilisation }) => sum + utilisation, 0) / lately.length;
  }

  stop(): void {
    clearInterval(this.#delayTimer);
  }

  /** A look at all processes that is no older than so many milliseconds. */
  census(valid = CENSUS_VALID): Census {
    const at = performance.now();
    if (this.#census === null || at - this.#census.at > valid) {
      this.#census = { at, census: takeCensus(this.#view.system) };
    }
    return this.#census.census;
  }

  /** Takes a sample, and keeps it. */
  take(): Sample {
    const loop = performance.eventLoopUtilization(this.#utilisation);
    this.#utilisation = performance.eventLoopUtilization();
    const now = totalsOf(this.#view);
    const isLong = now.at - this.#last.at > 2 * SAMPLE_PERIOD;
    const isStarting = this.#view.phase() === 'starting';
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    const cpu = (user + system) / 1000 / Math.max(1, now.at - this.#last.at);
    const sample = sampleOf(this.#view, this.#last, now, {
      loopDelay: this.#takeDelay(),
      utilisation: loop.utilization,
      cpu,
    });
    this.#last = now;
    this.history.push(sample);
    // Where samples are seldom taken, the first one is mostly of what came after the start.
    if (isStarting || (this.#isStarting && !isLong)) this.#ofStart = this.history.length;
    this.#isStarting = isStarting;
    if (this.history.length > SAMPLES_KEPT) {
      this.history.shift();
      this.#ofStart = Math.max(0, this.#ofStart - 1);
    }
    this.#view.topics.accounting.timeNext();
    return sample;
  }

  /** The samples of so many seconds. Where nobody takes one each second, as without an admin port, one is taken now. */
  lately(seconds: number): readonly Sample[] {
    if (performance.now() - this.#last.at > 2 * SAMPLE_PERIOD || this.history.length === 0) this.take();
    return this.history.slice(-seconds);
  }

  /** The same without what a start has cost, once the relay is ready: that says nothing of how it gets on. */
  settled(seconds: number): readonly Sample[] {
    const lately = this.lately(seconds);
    const { length } = this.history;
    return this.#isStarting ? lately : this.history.slice(Math.max(this.#ofStart, length - lately.length));
  }

  #noteDelay(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.#delayAt - DELAY_PERIOD);
    this.#delayAt = now;
    this.loopDelay.observe(late / 1000);
    this.#worstDelay = Math.max(this.#worstDelay, late);
  }

  #takeDelay(): number {
    const worst = this.#worstDelay;
    this.#worstDelay = 0;
    return worst;
  }
}

type Totals = ReturnType<typeof totalsOf>;
type Sample = ReturnType<typeof sampleOf>;

function totalsOf(view: RelayView) {
  const { messages, delivered, droppedInAll: dropped, latency } = view.topics.accounting;
  return {
    at: performance.now(),
    messages,
    published: clientMessages(view),
    deliveries: delivered,
    dropped,
    latency: [...latency.counts],
  };
}

interface Load {
  /** Milliseconds that timers of the event loop came too late, at worst. */
  readonly loopDelay: number;
  /** The event loop's share of busy time. */
  readonly utilisation: number;
  /** The share of one core that the process has used. */
  readonly cpu: number;
}

/** One look at the relay. Rates are per second since the last look. */
function sampleOf(view: RelayView, last: Totals, now: Totals, load: Load) {
  const seconds = Math.max(0.001, (now.at - last.at) / 1000);
  const { bounds } = view.topics.accounting.latency;
  const timed = now.latency.map((count, index) => count - (last.latency[index] ?? 0));
  const { rss, heapUsed } = memory();
  return {
    /** Milliseconds since 1970. */
    at: Date.now(),
    messages: (now.messages - last.messages) / seconds,
    /** Those of this relay's own clients. A door that is closed for good takes its count with it. */
    published: Math.max(0, now.published - last.published) / seconds,
    deliveries: (now.deliveries - last.deliveries) / seconds,
    dropped: (now.dropped - last.dropped) / seconds,
    /** Milliseconds from publish to write; null: nothing was timed. */
    latency50: milliseconds(quantile(bounds, timed, 0.5)),
    latency99: milliseconds(quantile(bounds, timed, 0.99)),
    ...load,
    heapUsed,
    rss,
    connections: connectionCount(view),
  };
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

/** Connections that are open at all doors. */
export function connectionCount({ doors }: RelayView): number {
  return doors().reduce((sum, { counters }) => sum + counters.connections, 0);
}

/**
 * Messages of this relay's own clients, counted as they come in. The difference of all messages and of those over links
 * would not do: what a slow reader holds back has come over a link, and is no message that was fanned out yet.
 */
export function clientMessages({ doors }: RelayView): number {
  return doors().reduce((sum, { counters }) => sum + counters.messages + counters.posts, 0);
}

type Census = ReturnType<typeof takeCensus>;

/** One look at every process: about a millisecond for ten thousand, so not to be taken more than once a second. */
function takeCensus(system: System) {
  /** All processes of one kind, added up. `highWater`: the longest that a mailbox of a live process has been. */
  const kinds = new Map<string, { count: number; mailbox: number; highWater: number }>();
  /** Bytes that wait to be written to clients; clients that hold their topics back; clients that do not read. */
  let pending = 0;
  let behind = 0;
  let stalled = 0;
  /** Timers that processes have set. */
  let timers = 0;
  const supervisors = new Set<string>();
  for (const process of residents(system)) {
    const { name } = process.behaviour;
    if (isSupervisor(process)) supervisors.add(supervisorName(process));
    let kind = kinds.get(name);
    if (kind === undefined) {
      kind = { count: 0, mailbox: 0, highWater: 0 };
      kinds.set(name, kind);
    }
    kind.count++;
    kind.mailbox += process.mailboxLength;
    kind.highWater = Math.max(kind.highWater, process.highWater, process.mailboxLength);
    timers += timersOf(process);
    const connection = connectionOf(process);
    if (connection === undefined) continue;
    pending += pendingOf(connection);
    if (connection.outflow.behind) behind++;
    if (connection.outflow.stalled) stalled++;
  }
  return { kinds, supervisors, pending, behind, stalled, timers };
}
