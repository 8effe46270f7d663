import { Histogram } from '../measure/histogram.ts';

/** One message in so many is timed. */
const SAMPLED = 64;
/** Seconds. */
const LATENCY = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** Members. */
const FAN_OUT = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000];

/**
 * slow: the member was closed for not reading. closed: it left with messages still waiting. gone: its process was dead
 * or would take no more. undeliverable: its door cannot carry the message. crash: a process crashed on the message.
 * overflow: too much was waiting for a link to another relay. unlinked: there was no connection to that relay.
 */
export type DropReason = 'slow' | 'closed' | 'gone' | 'undeliverable' | 'crash' | 'overflow' | 'unlinked';

/**
 * unheard: no member. crash: a process crashed on it, or for good with it. refused: nobody could take it.
 * unreachable: the relay that orders the topic could not be reached. stale: it came from one that has been replaced.
 * abandoned: its publisher's connection ended before its turn came.
 */
export type LossReason = 'unheard' | 'crash' | 'refused' | 'unreachable' | 'stale' | 'abandoned';

/**
 * What became of every message, counted exactly: `attempts = delivered + Σ dropped`, once nothing is under way. One
 * attempt is one message for one member. Plain additions, because each delivery makes some.
 */
export class Accounting {
  #messages = 0;
  #overLinks = 0;
  #attempts = 0;
  #delivered = 0;
  readonly #dropped = { slow: 0, closed: 0, gone: 0, undeliverable: 0, crash: 0, overflow: 0, unlinked: 0 };
  readonly #lost = { unheard: 0, crash: 0, refused: 0, unreachable: 0, stale: 0, abandoned: 0 };
  #untilTimed = 1;
  /** From a publish that is accepted to its write at each member, in seconds, of the messages that are timed. */
  readonly latency = new Histogram(LATENCY);
  /** Members that one delivery goes to, where one of its messages is timed. */
  readonly fanOut = new Histogram(FAN_OUT);

  /** Messages taken from publishers: fanned out, or lost. */
  get messages(): number {
    return this.#messages;
  }

  /** Messages of the clients of other relays, which have come over links. */
  get overLinks(): number {
    return this.#overLinks;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Handed to the kernel for a member. */
  get delivered(): number {
    return this.#delivered;
  }

  get dropped(): Readonly<Record<DropReason, number>> {
    return this.#dropped;
  }

  get droppedInAll(): number {
    return Object.values(this.#dropped).reduce((sum, count) => sum + count, 0);
  }

  /** Messages that were never fanned out to anybody, which makes no attempt. */
  get lost(): Readonly<Record<LossReason, number>> {
    return this.#lost;
  }

  /** Messages are fanned out. */
  take(messages: number): void {
    this.#messages += messages;
  }

  /** Messages have come over a link. */
  arrive(messages: number): void {
    this.#overLinks += messages;
  }

  lose(messages: number, why: LossReason): void {
    this.#messages += messages;
    this.#lost[why] += messages;
  }

  /** What is attempted is delivered or dropped later, once. */
  attempt(attempts: number): void {
    this.#attempts += attempts;
  }

  deliver(attempts: number): void {
    this.#delivered += attempts;
  }

  drop(attempts: number, why: DropReason): void {
    this.#dropped[why] += attempts;
  }

  /** Whether the message that has just been accepted is timed: one in 64, and the first after `timeNext`. */
  isTimed(): boolean {
    if (--this.#untilTimed > 0) return false;
    this.#untilTimed = SAMPLED;
    return true;
  }

  /** Times the next message: where few come, one in 64 would say nothing for minutes. */
  timeNext(): void {
    this.#untilTimed = 1;
  }

  /** As operators see it in the state of a process. */
  toString(): string {
    const { messages, attempts, delivered, droppedInAll } = this;
    return `${messages} messages, ${attempts} attempts, ${delivered} delivered, ${droppedInAll} dropped`;
  }
}
