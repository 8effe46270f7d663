import type { Topic } from '../topic/topic.ts';

/** The topics that a connection is in, by name. Most connections are in one, and that one costs no map. */
export class Memberships {
  #only: Topic | undefined = undefined;
  #map: Map<string, Topic> | undefined = undefined;

  get size(): number {
    return this.#map?.size ?? (this.#only === undefined ? 0 : 1);
  }

  get(name: string): Topic | undefined {
    if (this.#map !== undefined) return this.#map.get(name);
    return this.#only?.name === name ? this.#only : undefined;
  }

  /** Adds a topic, in place of the one of that name. */
  set(topic: Topic): void {
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
    if (this.#map !== undefined) this.#map.delete(name);
    else if (this.#only?.name === name) this.#only = undefined;
  }

  *[Symbol.iterator](): Iterator<Topic> {
    if (this.#map !== undefined) yield* this.#map.values();
    else if (this.#only !== undefined) yield this.#only;
  }
}
