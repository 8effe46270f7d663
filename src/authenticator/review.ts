import type { Standing } from './standing.ts';

/** Answers that are asked about again at one time, so that new questions are not held up by many old ones. */
const AT_ONCE = 64;
/** Milliseconds until what got no answer is asked again. */
const RETRY = 1000;
/** Milliseconds that are waited for at least where the rate is used up: a timer for each question would cost more. */
const PACE = 20;

/** What is to be asked about again, after the authenticator has changed its mind, or because it never says that it has. */
export class Review<Asker> {
  /** How often it has. */
  changes = 0;
  /** When to go on with what has failed, or waits for the rate; null: with nothing. */
  retryAt: number | null = null;
  pacedUntil: number | null = null;
  readonly #rate: number;
  #allowance: number;
  #allowedAt = 0;
  #due = false;
  #inFlight = 0;
  #queue: Standing<Asker>[] = [];
  #failed: Standing<Asker>[] = [];

  /** `rate`: questions in a second, at most. */
  constructor(rate = Number.POSITIVE_INFINITY) {
    this.#rate = rate;
    this.#allowance = this.#burst;
  }

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
      this.#queue = this.#queue.concat(this.#failed);
      this.#failed = [];
      this.retryAt = null;
    }
  }

  /** Queues all that stands, though nothing is known to have changed. Not while `isBusy`: a round is gone to its end. */
  again(standing: Iterable<Standing<Asker>>): void {
    this.#queue = [...standing];
    this.#failed = [];
    this.retryAt = null;
  }

  /** Something is queued or under way. */
  get isBusy(): boolean {
    return this.#queue.length > 0 || this.#inFlight > 0;
  }

  /** One more, whose answer was on its way when something changed. */
  add(standing: Standing<Asker>): void {
    this.#queue.push(standing);
  }

  /** The next ones; each is to be followed by `done`. Empty while enough are under way. */
  take(now: number): readonly Standing<Asker>[] {
    const room = Math.min(AT_ONCE - this.#inFlight, this.#queue.length);
    this.pacedUntil = null;
    if (room <= 0) return [];
    const count = Math.min(room, this.#allowed(now));
    if (count < room) this.pacedUntil = now + Math.max(PACE, 1000 / this.#rate);
    // From the end: an array gives it away without moving the rest.
    const taken = this.#queue.splice(this.#queue.length - count);
    this.#inFlight += taken.length;
    this.#allowance -= taken.length;
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

  /** Whether `take` would give something at once. */
  get waiting(): boolean {
    return this.#queue.length > 0 && this.#inFlight < AT_ONCE && this.pacedUntil === null;
  }

  /** A tenth of a second's questions may come together. */
  get #burst(): number {
    return Math.max(1, this.#rate / 10);
  }

  #allowed(now: number): number {
    if (this.#rate === Number.POSITIVE_INFINITY) return this.#rate;
    const gained = ((now - this.#allowedAt) * this.#rate) / 1000;
    this.#allowedAt = now;
    this.#allowance = Math.min(this.#burst, this.#allowance + gained);
    return Math.floor(this.#allowance);
  }
}
