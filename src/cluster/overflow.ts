import type { TopicKey } from '../door/peer/codec.ts';

/** Topics that one log line names. */
const NAMED = 100;

/** Messages that were dropped since they were logged last, by topic. */
export class Overflow {
  readonly #counts = new Map<string, number>();

  add({ realm, name }: TopicKey, count: number): void {
    const topic = `${realm} ${name}`;
    const key = this.#counts.has(topic) || this.#counts.size < NAMED ? topic : 'others';
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  /** What is to be logged now; null: nothing. */
  take(): Readonly<Record<string, number>> | null {
    if (this.#counts.size === 0) return null;
    const counts = Object.fromEntries(this.#counts);
    this.#counts.clear();
    return counts;
  }
}
