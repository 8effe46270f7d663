import type { Recheck } from './contract.ts';
import type { Standing } from './standing.ts';

/** Answers that are asked about again at one time, so that new questions are not held up by many old ones. */
const AT_ONCE = 64;
/** Milliseconds until what got no answer is asked again. */
const RETRY = 1000;
/** Milliseconds that are waited for at least where the rate is used up: a timer for each question would cost more. */
const PACE = 20;

/**
 * What is to be asked about again: all that stands, when the authenticator has changed its mind, or in rounds, because it
 * never says that it has; and what has failed. Pure; time is an argument, in milliseconds.
 */
export class Review<Asker> {
  readonly #recheck: Recheck | undefined;
  readonly #rate: number;
  #changes = 0;
  /** When the next round begins; infinite: there are none. */
  #roundAt: number;
  /** When to go on with what has failed, or waits for the rate; infinite: with nothing. */
  #retryAt = Number.POSITIVE_INFINITY;
  #pacedUntil = Number.POSITIVE_INFINITY;
  #allowance: number;
  #allowedAt = 0;
  #due = false;
  #inFlight = 0;
  #queue: Standing<Asker>[] = [];
  #failed: Standing<Asker>[] = [];

  constructor(recheck: Recheck | undefined, now: number) {
    this.#recheck = recheck;
    this.#rate = recheck?.rate ?? Number.POSITIVE_INFINITY;
    this.#allowance = this.#burst;
    this.#roundAt = this.#nextRound(now);
  }

  /** How often the authenticator has changed its mind. */
  get changes(): number {
    return this.#changes;
  }

  /** May be called from anywhere; `begin` does the work. */
  changed(): void {
    this.#due = true;
  }

  /** Something stands that is the first to do so: the next round is a whole one away. */
  stands(now: number): void {
    this.#roundAt = this.#nextRound(now);
  }

  /** Queues all that stands, if something has changed or a round begins, and what has failed, if its time has come. */
  begin(standing: Iterable<Standing<Asker>>, now: number): void {
    if (this.#due) {
      this.#due = false;
      this.#changes++;
      this.#requeue([...standing]);
    } else if (this.#retryAt <= now) {
      this.#requeue(this.#queue.concat(this.#failed));
    }
    // A round is gone to its end before the next one.
    if (this.#roundAt <= now && !this.#isBusy) {
      this.#requeue([...standing]);
      this.#roundAt = this.#nextRound(now);
    }
  }

  /** One more, whose answer was on its way when something changed. */
  add(standing: Standing<Asker>): void {
    this.#queue.push(standing);
  }

  /** The next ones; each is to be followed by `done`. Empty while enough are under way. */
  take(now: number): readonly Standing<Asker>[] {
    const room = Math.min(AT_ONCE - this.#inFlight, this.#queue.length);
    this.#pacedUntil = Number.POSITIVE_INFINITY;
    if (room <= 0) return [];
    const count = Math.min(room, this.#allowed(now));
    if (count < room) this.#pacedUntil = now + Math.max(PACE, 1000 / this.#rate);
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
    this.#retryAt = Math.min(this.#retryAt, now + RETRY);
  }

  /** Whether `take` would give something at once. */
  get waiting(): boolean {
    return this.#queue.length > 0 && this.#inFlight < AT_ONCE && !Number.isFinite(this.#pacedUntil);
  }

  /** When `begin` and `take` have something to do next; infinite: never. `anyStands`: there is something to ask about. */
  dueAt(anyStands: boolean): number {
    const roundAt = anyStands && !this.#isBusy ? this.#roundAt : Number.POSITIVE_INFINITY;
    return Math.min(this.#retryAt, this.#pacedUntil, roundAt);
  }

  /** Something is queued or under way. */
  get #isBusy(): boolean {
    return this.#queue.length > 0 || this.#inFlight > 0;
  }

  #nextRound(now: number): number {
    return this.#recheck === undefined ? Number.POSITIVE_INFINITY : now + this.#recheck.every;
  }

  #requeue(queue: Standing<Asker>[]): void {
    this.#queue = queue;
    this.#failed = [];
    this.#retryAt = Number.POSITIVE_INFINITY;
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
