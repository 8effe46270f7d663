import {
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  performance,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { quantile } from '../histogram.ts';
import { sampleNext } from '../topic/accounting.ts';
import { type Census, takeCensus } from './census.ts';
import type { RelayView } from './relay-view.ts';

/** One look at the relay. Rates are per second over the time since the last look. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly messages: number;
  readonly deliveries: number;
  readonly dropped: number;
  /** Milliseconds from publish to write; null: nothing was timed. */
  readonly latency50: number | null;
  readonly latency99: number | null;
  /** Milliseconds that timers of the event loop came too late, at worst of a hundred; and its share of busy time. */
  readonly loopDelay99: number;
  readonly utilisation: number;
  readonly heapUsed: number;
  readonly rss: number;
  readonly connections: number;
}

/** Milliseconds between two samples, and how many are kept: ten minutes. */
export const SAMPLE_PERIOD = 1000;
export const SAMPLES_KEPT = 600;
/** Milliseconds for which a look at all processes is good. */
const CENSUS_VALID = 900;

/** Quantiles of the event loop's delay, in seconds, over the last whole window. */
export type LoopDelay = ReadonlyMap<number, number>;
const DELAY_QUANTILES = [0.5, 0.9, 0.99, 1];
const DELAY_WINDOW = 10_000;
/** Milliseconds between two firings; each wakes the loop. */
const DELAY_RESOLUTION = 50;

/**
 * The relay sampled: the last ten minutes, and a census that is shared by all who ask within a second. Cheap when nobody
 * looks: a sample reads some thirty numbers.
 */
export class Sampling {
  readonly history: Sample[] = [];
  readonly #view: RelayView;
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION });
  /** The same over a longer time: what has been counted cannot be taken out of it again. */
  readonly #windowDelay: IntervalHistogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION });
  #windowSince = performance.now();
  #loopDelay: LoopDelay = new Map(DELAY_QUANTILES.map((q) => [q, 0]));
  #utilisation: EventLoopUtilization = performance.eventLoopUtilization();
  #last: { at: number; messages: number; deliveries: number; dropped: number; latency: number[] };
  #census: { readonly at: number; readonly census: Census } | null = null;

  constructor(view: RelayView) {
    this.#view = view;
    this.#delay.enable();
    this.#windowDelay.enable();
    this.#last = this.#totals();
  }

  get loopDelay(): LoopDelay {
    return this.#loopDelay;
  }

  stop(): void {
    this.#delay.disable();
    this.#windowDelay.disable();
  }

  census(): Census {
    const at = performance.now();
    if (this.#census === null || at - this.#census.at > CENSUS_VALID) {
      this.#census = { at, census: takeCensus(this.#view.system) };
    }
    return this.#census.census;
  }

  /** Takes a sample, and keeps it. */
  take(): Sample {
    const { topics, doors } = this.#view;
    const last = this.#last;
    const now = this.#totals();
    this.#last = now;
    const seconds = Math.max(0.001, (now.at - last.at) / 1000);
    const { bounds } = topics.accounting.samples.latency;
    const timed = now.latency.map((count, index) => count - (last.latency[index] ?? 0));
    const utilisation = performance.eventLoopUtilization(this.#utilisation);
    this.#utilisation = performance.eventLoopUtilization();
    const { rss, heapUsed } = process.memoryUsage();
    const sample: Sample = {
      at: Date.now(),
      messages: (now.messages - last.messages) / seconds,
      deliveries: (now.deliveries - last.deliveries) / seconds,
      dropped: (now.dropped - last.dropped) / seconds,
      latency50: milliseconds(quantile(bounds, timed, 0.5)),
      latency99: milliseconds(quantile(bounds, timed, 0.99)),
      loopDelay99: this.#takeDelay(now.at),
      utilisation: utilisation.utilization,
      heapUsed,
      rss,
      connections: doors().reduce((sum, { counters }) => sum + counters.connections, 0),
    };
    this.history.push(sample);
    if (this.history.length > SAMPLES_KEPT) this.history.shift();
    sampleNext(topics.accounting);
    return sample;
  }

  #totals() {
    const { messages, delivered, dropped, samples } = this.#view.topics.accounting;
    return {
      at: performance.now(),
      messages,
      deliveries: delivered,
      dropped: Object.values(dropped).reduce((sum, count) => sum + count, 0),
      latency: [...samples.latency.counts],
    };
  }

  #takeDelay(now: number): number {
    const worst = delayAt(this.#delay, 0.99);
    this.#delay.reset();
    if (now - this.#windowSince >= DELAY_WINDOW) {
      this.#loopDelay = new Map(DELAY_QUANTILES.map((q) => [q, delayAt(this.#windowDelay, q) / 1000]));
      this.#windowDelay.reset();
      this.#windowSince = now;
    }
    return worst;
  }
}

/** Milliseconds. The histogram holds the times from one firing of its timer to the next: its resolution is no delay. */
function delayAt(histogram: IntervalHistogram, q: number): number {
  return histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(q * 100) / 1e6 - DELAY_RESOLUTION);
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

/** Bytes of the heap in use, and the most that there can be. */
export function heapLimit(): number {
  return getHeapStatistics().heap_size_limit;
}
