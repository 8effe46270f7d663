/** Messages, and the bytes they take. */
interface Load {
  readonly count: number;
  readonly bytes: number;
}

const nothing: Load = { count: 0, bytes: 0 };

/**
 * What has been handed to the connection and not been confirmed by the server. One question (PING) is under way at a
 * time; its answer confirms all that was handed over before it, because the server takes everything in order. Pure; time
 * is an argument, in milliseconds.
 */
export class Window {
  /** Bytes; 0: no bound. */
  readonly #limit: number;
  /** When the question that is under way was asked, and what had been handed over before it. */
  #asked: (Load & { readonly at: number }) | null = null;
  /** Handed over since that question. */
  #count = 0;
  #bytes = 0;
  /** Bytes that had come from the server when that was looked at last, and when they were seen to be more. */
  #received = 0;
  #heardAt: number;

  constructor(limit: number, now: number) {
    this.#limit = limit;
    this.#heardAt = now;
  }

  /** Messages that are not confirmed. */
  get count(): number {
    return this.#count + (this.#asked?.count ?? 0);
  }

  get bytes(): number {
    return this.#bytes + (this.#asked?.bytes ?? 0);
  }

  /** Takes messages in. False: they do not fit; one alone always does. */
  add(count: number, bytes: number): boolean {
    if (this.#limit > 0 && this.bytes > 0 && this.bytes + bytes > this.#limit) return false;
    this.#count += count;
    this.#bytes += bytes;
    return true;
  }

  /** Whether a question is to be asked now, which is then under way. `always`: though there is nothing to confirm. */
  ask(now: number, always = false): boolean {
    if (this.#asked !== null || (this.#count === 0 && !always)) return false;
    this.#asked = { count: this.#count, bytes: this.#bytes, at: now };
    this.#count = 0;
    this.#bytes = 0;
    return true;
  }

  /** The answer has come: how many messages it confirms, and how long it took. */
  answered(now: number): { readonly count: number; readonly roundTrip: number } {
    const { count, at } = this.#asked ?? { ...nothing, at: now };
    this.#asked = null;
    return { count, roundTrip: now - at };
  }

  /** Milliseconds that a question has waited for its answer; null: none is under way. */
  unanswered(now: number): number | null {
    return this.#asked === null ? null : now - this.#asked.at;
  }

  /**
   * Whether the server has said nothing for so many milliseconds that it was asked something. What it sends (`received`:
   * all bytes so far) counts as well as its answer, which stands behind all that is under way.
   */
  isSilent(now: number, received: number, timeout: number): boolean {
    if (received !== this.#received) this.#heardAt = now;
    this.#received = received;
    return this.#asked !== null && now - Math.max(this.#asked.at, this.#heardAt) >= timeout;
  }

  /** Empties it. Returns how many messages were not confirmed. */
  clear(): number {
    const { count } = this;
    this.#asked = null;
    this.#count = 0;
    this.#bytes = 0;
    return count;
  }
}
