import { Histogram } from '../measure/histogram.ts';

/**
 * What became of every message, counted exactly: `attempts = delivered + Σ dropped`, once nothing is under way. One
 * attempt is one message for one member. Plain numbers, because each delivery touches them; `metrics.ts` reads them.
 */
export interface Accounting {
  /** Messages taken from publishers. */
  messages: number;
  attempts: number;
  /** Handed to the kernel for a member. */
  delivered: number;
  readonly dropped: Record<DropReason, number>;
  /** Messages that were never fanned out to anybody, which makes no attempt. */
  readonly lost: Record<LossReason, number>;
  readonly samples: Samples;
}

/** Looks at some messages on their way, in seconds and members; see `isSampled`. */
export interface Samples {
  /** Messages until the next one that is timed. */
  left: number;
  /** From a publish that is accepted to its write at each member. */
  readonly latency: Histogram;
  /** Members that one delivery goes to. */
  readonly fanOut: Histogram;
}

/** One message in so many is timed. */
const SAMPLED = 64;
const LATENCY = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
const FAN_OUT = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000];

/**
 * slow: the member was closed for not reading. closed: it left with messages still waiting. gone: its process was dead
 * or would take no more. undeliverable: its door cannot carry the message. crash: a process crashed on the message.
 * overflow: too much was waiting for a link to another relay. unlinked: there was no connection to that relay.
 */
export type DropReason = 'slow' | 'closed' | 'gone' | 'undeliverable' | 'crash' | 'overflow' | 'unlinked';

/**
 * unheard: no member. crash: the topic's server crashed on it, or for good with it. refused: nobody could take it.
 * unreachable: the relay that orders the topic could not be reached. stale: it came from one that has been replaced.
 */
export type LossReason = 'unheard' | 'crash' | 'refused' | 'unreachable' | 'stale';

export function newAccounting(): Accounting {
  return {
    messages: 0,
    attempts: 0,
    delivered: 0,
    dropped: { slow: 0, closed: 0, gone: 0, undeliverable: 0, crash: 0, overflow: 0, unlinked: 0 },
    lost: { unheard: 0, crash: 0, refused: 0, unreachable: 0, stale: 0 },
    samples: { left: 1, latency: new Histogram(LATENCY), fanOut: new Histogram(FAN_OUT) },
  };
}

/** Whether the message that has just been accepted is timed: one in 64, and the first after `sampleNext`. */
export function isSampled({ samples }: Accounting): boolean {
  if (--samples.left > 0) return false;
  samples.left = SAMPLED;
  return true;
}

/** Times the next message: where few come, one in 64 would say nothing for minutes. */
export function sampleNext({ samples }: Accounting): void {
  samples.left = 1;
}
