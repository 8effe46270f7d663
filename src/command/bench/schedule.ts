/**
 * When one sender means to send each of its messages: at an even rate, from `start` to before `end`, whatever the relay
 * does meanwhile. A message that is sent late is still measured from then on, so that a pause of the relay is seen by all
 * messages that fell into it. Times are milliseconds.
 */
export class Schedule {
  readonly #start: number;
  readonly #period: number;
  /** How many messages there are. */
  readonly count: number;

  /** `share`: this sender's place among all senders, from 0 to below 1: they take turns. */
  constructor({ start, end, rate, share }: ScheduleArgs) {
    this.#period = 1000 / rate;
    this.#start = start + share * this.#period;
    this.count = Math.max(0, Math.ceil((end - this.#start) / this.#period - ROUNDING));
  }

  /** The intended time of a message. */
  timeOf(number: number): number {
    return this.#start + number * this.#period;
  }

  /** How many messages are to have been sent at this time. */
  dueAt(now: number): number {
    if (now < this.#start) return 0;
    return Math.min(this.count, Math.floor((now - this.#start) / this.#period + ROUNDING) + 1);
  }
}

/** A part of a period: what sums of fractions are off by. */
const ROUNDING = 1e-9;

interface ScheduleArgs {
  readonly start: number;
  readonly end: number;
  /** Messages per second of this sender. */
  readonly rate: number;
  readonly share: number;
}
