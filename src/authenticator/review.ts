import type { Standing } from './standing.ts';

/** Answers that are asked about again at one time, so that new questions are not held up by many old ones. */
const AT_ONCE = 64;
/** Milliseconds until what got no answer is asked again. */
const RETRY = 1000;

/** What is to be asked about again, after the authenticator has changed its mind. */
export class Review<Asker> {
  /** How often it has. */
  changes = 0;
  /** When to try again what has failed; null: nothing has. */
  retryAt: number | null = null;
  #due = false;
  #inFlight = 0;
  #queue: Standing<Asker>[] = [];
  #failed: Standing<Asker>[] = [];

  /** May be called from anywhere; `begin` does the work. */
  changed(): void {
    this.#due = true;
  }

  /** Queues all that stands, if something has changed, and what has failed, if its time has come. */
  begin(standing: Iterable<Standing<Asker>>, now: number): void {
    if (this.#due) {
      this.#due = false;
      this.changes++;
      this.#queue = [...standing];
      this.#failed = [];
      this.retryAt = null;
    } else if (this.retryAt !== null && this.retryAt <= now) {
      this.#queue.push(...this.#failed);
      this.#failed = [];
      this.retryAt = null;
    }
  }

  /** One more, whose answer was on its way when something changed. */
  add(standing: Standing<Asker>): void {
    this.#queue.push(standing);
  }

  /** The next ones; each is to be followed by `done`. Empty while enough are under way. */
  take(): readonly Standing<Asker>[] {
    if (this.#inFlight >= AT_ONCE || this.#queue.length === 0) return [];
    // From the end: an array gives it away without moving the rest.
    const taken = this.#queue.splice(this.#inFlight - AT_ONCE);
    this.#inFlight += taken.length;
    return taken;
  }

  done(): void {
    this.#inFlight--;
  }

  /** After `done`: there was no answer. */
  failed(standing: Standing<Asker>, now: number): void {
    this.#failed.push(standing);
    this.retryAt ??= now + RETRY;
  }

  /** Whether `take` would give something. */
  get waiting(): boolean {
    return this.#queue.length > 0 && this.#inFlight < AT_ONCE;
  }
}
