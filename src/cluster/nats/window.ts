/** Messages, and the bytes they take. */
interface Load {
  count: number;
  bytes: number;
}

/**
 * What has been handed to the connection and not been confirmed by the server. One question (PING) is under way at a
 * time; its answer confirms all that was handed over before it, because the server takes everything in order.
 */
export class Window {
  /** Bytes; 0: no bound. */
  readonly #limit: number;
  /** Before the question that is under way. */
  #asked: Load | undefined = undefined;
  #since: Load = { count: 0, bytes: 0 };

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Messages that are not confirmed. */
  get count(): number {
    return this.#since.count + (this.#asked?.count ?? 0);
  }

  get bytes(): number {
    return this.#since.bytes + (this.#asked?.bytes ?? 0);
  }

  /** Takes messages in. False: they do not fit; one alone always does. */
  add(count: number, bytes: number): boolean {
    if (this.#limit > 0 && this.bytes > 0 && this.bytes + bytes > this.#limit) return false;
    this.#since.count += count;
    this.#since.bytes += bytes;
    return true;
  }

  /** Whether a question is to be asked now, which is then under way. */
  ask(): boolean {
    if (this.#asked !== undefined || this.#since.count === 0) return false;
    this.#asked = this.#since;
    this.#since = { count: 0, bytes: 0 };
    return true;
  }

  /** The answer has come. Returns how many messages it confirms. */
  answered(): number {
    const count = this.#asked?.count ?? 0;
    this.#asked = undefined;
    return count;
  }

  /** Empties it. Returns how many messages were not confirmed. */
  clear(): number {
    const { count } = this;
    this.#asked = undefined;
    this.#since = { count: 0, bytes: 0 };
    return count;
  }
}
