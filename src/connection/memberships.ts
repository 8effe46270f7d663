import type { Position } from '../topic/position.ts';
import type { Topic } from '../topic/topic.ts';

/**
 * The topics of one connection: those that it is in, by name, the one that it owns, and the one that it published to last.
 * Most connections are in one, and that one costs no map.
 */
export class Memberships {
  #only: Topic | undefined = undefined;
  #map: Map<string, Topic> | undefined = undefined;
  #while: 'wanted' | 'owned' = 'wanted';
  #owned: Topic | undefined = undefined;
  #target: Topic | undefined = undefined;
  /** Where the connection stood in topics that it has lost, and is joining again. */
  #stood: Map<Topic, Position> | undefined = undefined;
  /** Topics that bring their past in portions, and have more of it. */
  #resuming: Set<Topic> | undefined = undefined;
  /** The one whose next portion has been asked for. */
  #asked: Topic | undefined = undefined;

  get size(): number {
    return this.#map?.size ?? (this.#only === undefined ? 0 : 1);
  }

  get(name: string): Topic | undefined {
    if (this.#map !== undefined) return this.#map.get(name);
    return this.#only?.name === name ? this.#only : undefined;
  }

  /** Adds a topic, in place of the one of that name. */
  set(topic: Topic): void {
    const before = this.get(topic.name);
    if (before !== undefined && before !== topic) this.#forget(before);
    if (this.#map !== undefined) {
      this.#map.set(topic.name, topic);
    } else if (this.#only === undefined || this.#only.name === topic.name) {
      this.#only = topic;
    } else {
      this.#map = new Map([
        [this.#only.name, this.#only],
        [topic.name, topic],
      ]);
      this.#only = undefined;
    }
  }

  delete(name: string): void {
    const topic = this.get(name);
    if (topic !== undefined) this.#forget(topic);
    if (this.#map !== undefined) this.#map.delete(name);
    else if (this.#only?.name === name) this.#only = undefined;
  }

  *[Symbol.iterator](): Iterator<Topic> {
    if (this.#map !== undefined) yield* this.#map.values();
    else if (this.#only !== undefined) yield this.#only;
  }

  /** A topic has gone. `at`: where the connection stood in it; null: it has no positions. */
  lose(topic: Topic, at: Position | null): void {
    if (at === null || this.get(topic.name) !== topic) return;
    this.#stood ??= new Map();
    this.#stood.set(topic, at);
  }

  /** Where the connection stood in a topic that it has lost; null: that is not known. */
  stoodIn(topic: Topic): Position | null {
    return this.#stood?.get(topic) ?? null;
  }

  /** A topic has brought a portion of its past, and has more. */
  resume(topic: Topic): void {
    if (this.#asked === topic) this.#asked = undefined;
    this.#resuming ??= new Set();
    this.#resuming.add(topic);
  }

  /** A topic has brought all of its past, or brings no more of it. */
  caughtUp(topic: Topic): void {
    if (this.#asked === topic) this.#asked = undefined;
    if (this.#resuming?.delete(topic) && this.#resuming.size === 0) this.#resuming = undefined;
  }

  /** Some topic has more of its past to bring. */
  get resumes(): boolean {
    return this.#resuming !== undefined;
  }

  /** The topic to ask for its next portion, now that there is room for one; undefined: none, or one is on its way. */
  nextPortion(): Topic | undefined {
    if (this.#resuming === undefined || this.#asked !== undefined) return undefined;
    const [topic] = this.#resuming;
    this.#asked = topic;
    return topic;
  }

  #forget(topic: Topic): void {
    this.caughtUp(topic);
    if (this.#stood?.delete(topic) && this.#stood.size === 0) this.#stood = undefined;
  }

  /** On what terms the connection joins its topics, and joins them again. */
  get while(): 'wanted' | 'owned' {
    return this.#while;
  }

  joinWhile(condition: 'wanted' | 'owned'): void {
    this.#while = condition;
  }

  get owned(): Topic | undefined {
    return this.#owned;
  }

  own(topic: Topic): void {
    this.#owned = topic;
  }

  /** The topic that was published to last; undefined: that was not live. */
  get target(): Topic | undefined {
    return this.#target;
  }

  aim(topic: Topic | undefined): void {
    this.#target = topic;
  }
}
