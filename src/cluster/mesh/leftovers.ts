import { keyOf, type TopicKey } from '../../door/peer/codec.ts';
import type { Publish } from '../../topic/message.ts';

const NONE: readonly Publish[] = [];

/**
 * Messages that were for a home that has gone, by topic. They are older than all that is published to the topic from here on: its server
 * takes them first, whatever stands in its mailbox.
 */
export class Leftovers {
  readonly #byTopic = new Map<string, Publish[]>();

  put(topic: TopicKey, publish: Publish): void {
    const key = keyOf(topic);
    const left = this.#byTopic.get(key);
    if (left === undefined) this.#byTopic.set(key, [publish]);
    else left.push(publish);
  }

  /** Those of the topic, in their order. They are the caller's from here on. */
  take(topic: TopicKey): readonly Publish[] {
    if (this.#byTopic.size === 0) return NONE;
    const key = keyOf(topic);
    const left = this.#byTopic.get(key) ?? NONE;
    this.#byTopic.delete(key);
    return left;
  }

  /** How many there were; none is left. */
  clear(): number {
    let count = 0;
    for (const left of this.#byTopic.values()) count += left.length;
    this.#byTopic.clear();
    return count;
  }
}
