/** Milliseconds without a fault after which an authenticator that answers is back. */
export const QUIET = 1000;

/**
 * When an authenticator is out, and when it is back: a first fault begins an outage; a good answer ends it, once there
 * has been no further fault for a while. Without that while, one client with a credential that the authenticator
 * chokes on could write two log lines with every other question. Pure; time is an argument, in milliseconds.
 */
export class Outage {
  #since = 0;
  /** 0: there is no outage. */
  #faults = 0;
  #lastFault = 0;
  /** When a question was answered first since the last fault; null: none has been. */
  #answeredAt: number | null = null;

  /** A question got no answer. True: an outage begins with that. */
  fault(now: number): boolean {
    const begins = this.#faults === 0;
    if (begins) this.#since = now;
    this.#faults++;
    this.#lastFault = now;
    this.#answeredAt = null;
    return begins;
  }

  answered(now: number): void {
    if (this.#faults > 0) this.#answeredAt ??= now;
  }

  /** When the outage will be over, if nothing happens before; infinite: not by itself, or there is none. */
  get endsAt(): number {
    return this.#answeredAt === null ? Number.POSITIVE_INFINITY : this.#lastFault + QUIET;
  }

  /** What there was of an outage that is over by now; null: nothing is over. */
  ended(now: number): Pick<AuthenticatorAvailable, 'faults' | 'durationMs'> | null {
    if (this.#answeredAt === null || this.endsAt > now) return null;
    const over = { faults: this.#faults, durationMs: Math.round(this.#answeredAt - this.#since) };
    this.#faults = 0;
    this.#answeredAt = null;
    return over;
  }
}

/** One pair for each outage. Holds nothing that came from a client. */
export type AuthenticatorEvent =
  | {
      readonly type: 'authenticator-unavailable';
      readonly authenticator: string;
      readonly why: Fault;
      /** The class or code of the error, `ECONNREFUSED`: messages may quote a credential. Null when there is none. */
      readonly error: string | null;
    }
  | AuthenticatorAvailable;

interface AuthenticatorAvailable {
  readonly type: 'authenticator-available';
  readonly authenticator: string;
  /** Questions that got no answer in the outage. */
  readonly faults: number;
  /** Milliseconds from the first fault to the first answer after the last one. */
  readonly durationMs: number;
}

/** threw: or rejected its promise. shape: the answer was no permissions. late: none in time. busy: too many at once. */
export type Fault = 'threw' | 'shape' | 'late' | 'busy';
