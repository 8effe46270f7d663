import { MARK_MODULUS, stamp, topicTag } from './mark.ts';
import type { Publisher } from './publisher.ts';
import type { Scenario } from './scenarios.ts';
import type { Tally } from './tally.ts';

/** Messages published in one go at most. */
const BURST = 4096;
/** A turn of the event loop may hold ten thousand reads: after this many the window is looked at again within the turn. */
const READS = 128;
/** Milliseconds without a delivery after which what is under way counts as never coming. */
const STALL = 1500;
const STALLS = 4;
/** A timer may be late by a millisecond and more: the rest of the wait is spent looking at the clock. */
const TIMER_SLACK = 2;

/** Publishes at the scenario's pace, topic after topic, until it is stopped. */
export class Pump {
  /** Messages published so far, of all topics. */
  published = 0;
  stalls = 0;
  readonly #pace: Scenario['pace'];
  readonly #tally: Tally;
  readonly #publishers: readonly Publisher[];
  readonly #tags: readonly number[];
  /** Deliveries that one message causes, on average. */
  readonly #fan: number;
  readonly #touched: Publisher[] = [];
  #running = false;
  #scheduled = false;
  #reads = 0;
  #started = 0;
  #writtenOff = 0;
  #lastDelivered = 0;
  #lastProgress = 0;
  #stallTimer: NodeJS.Timeout | undefined;

  constructor(scenario: Scenario, publishers: readonly Publisher[], tally: Tally) {
    this.#pace = scenario.pace;
    this.#publishers = publishers;
    this.#tally = tally;
    this.#tags = Array.from({ length: scenario.topics }, (_, topic) => topicTag(topic));
    this.#fan = scenario.subscribers / scenario.topics;
  }

  /** Deliveries that all messages published so far should cause. */
  get expected(): number {
    return Math.round(this.published * this.#fan);
  }

  /** How many messages of a topic have been published. */
  publishedOf(topic: number): number {
    const topics = this.#tags.length;
    return Math.floor(this.published / topics) + (topic < this.published % topics ? 1 : 0);
  }

  start(): void {
    this.#running = true;
    this.#started = performance.now();
    this.#lastProgress = this.#started;
    if (this.#pace.kind === 'rate') this.#keepRate(this.#pace.perSecond);
    else {
      this.#stallTimer = setInterval(() => this.#watchProgress(), 100);
      this.#fillWindow();
    }
  }

  stop(): void {
    this.#running = false;
    clearInterval(this.#stallTimer);
  }

  /** To be called after each read of a subscriber: what came may have opened the window. */
  delivered(): void {
    if (this.#pace.kind === 'rate' || !this.#running) return;
    this.#reads += 1;
    if (this.#reads >= READS) this.#fillWindow();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#fillWindow);
    }
  }

  readonly #fillWindow = (): void => {
    this.#scheduled = false;
    this.#reads = 0;
    if (!this.#running || this.#pace.kind !== 'window') return;
    const settled = this.#tally.delivered + this.#writtenOff;
    const owed = (this.#pace.messages - 1) * this.#fan + 0.5;
    const now = stamp(performance.now());
    for (let count = 0; count < BURST && this.published * this.#fan - settled <= owed; count++) {
      if (!this.#publish(now)) break;
    }
    this.#flush();
  };

  #keepRate(perSecond: number): void {
    if (!this.#running) return;
    const now = performance.now();
    let due = this.#due(perSecond);
    while (due <= now && this.#publish(stamp(due))) due = this.#due(perSecond);
    this.#flush();
    const wait = due - performance.now();
    const again = (): void => this.#keepRate(perSecond);
    if (wait > TIMER_SLACK + 1) setTimeout(again, Math.floor(wait - TIMER_SLACK));
    else setImmediate(again);
  }

  #due(perSecond: number): number {
    return this.#started + (this.published * 1000) / perSecond;
  }

  /** False: the publisher whose turn it is cannot take more, or its topic's numbers are used up. */
  #publish(sent: number): boolean {
    const topic = this.published % this.#tags.length;
    const sequence = Math.floor(this.published / this.#tags.length);
    const publisher = this.#publishers[topic % this.#publishers.length];
    const tag = this.#tags[topic];
    if (publisher === undefined || tag === undefined || publisher.blocked || sequence >= MARK_MODULUS)
      return false;
    if (publisher.add(tag, sequence, sent)) this.#touched.push(publisher);
    this.published += 1;
    return true;
  }

  #flush(): void {
    for (const publisher of this.#touched) publisher.flush();
    this.#touched.length = 0;
  }

  #watchProgress(): void {
    const now = performance.now();
    if (this.#tally.delivered !== this.#lastDelivered) {
      this.#lastDelivered = this.#tally.delivered;
      this.#lastProgress = now;
    } else if (now - this.#lastProgress > STALL) {
      this.#writtenOff = Math.max(0, this.expected - this.#tally.delivered);
      this.#lastProgress = now;
      this.stalls += 1;
      if (this.stalls > STALLS) this.stop();
      else this.#fillWindow();
    }
  }
}
