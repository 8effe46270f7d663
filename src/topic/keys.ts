import type { TopicKey } from './message.ts';
import type { Position } from './position.ts';

/** How long a key is remembered, in milliseconds, and how many of them are. */
const AGE = 300_000;
const LIMIT = 10_000;

/** What has become of a message with a key: where it stands, where its topic has positions. */
export interface Answer {
  readonly at: Position | null;
}

/** The messages with keys that were fanned out here lately: a publisher that has had no answer may send one again. */
export class Keys {
  readonly #answers = new Map<string, Answer & { readonly until: number }>();

  get size(): number {
    return this.#answers.size;
  }

  /** Undefined: no message with this key is remembered. `now` in milliseconds. */
  find(topic: TopicKey, key: string, now: number): Answer | undefined {
    const answer = this.#answers.get(nameOf(topic, key));
    return answer !== undefined && answer.until > now ? answer : undefined;
  }

  /** The keys of messages of a topic that have positions. */
  *of({ realm, name }: TopicKey): Iterable<readonly [key: string, at: Position]> {
    const start = nameOf({ realm, name }, '');
    for (const [named, { at }] of this.#answers)
      if (at !== null && named.startsWith(start)) yield [named.slice(start.length), at];
  }

  remember(topic: TopicKey, key: string, at: Position | null, now: number): void {
    const name = nameOf(topic, key);
    this.#answers.delete(name);
    this.#answers.set(name, { at, until: now + AGE });
    for (const [oldest, { until }] of this.#answers) {
      if (this.#answers.size <= LIMIT && until > now) break;
      this.#answers.delete(oldest);
    }
  }
}

function nameOf({ realm, name }: TopicKey, key: string): string {
  return `${realm}\0${name}\0${key}`;
}
