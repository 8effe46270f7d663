/** What is counted of one process: messages handled, and messages in and deliveries of a connection or topic. */
interface Entry extends PerSecond {
  round: number;
  handled: number;
  traffic: number;
  deliveries: number;
}

/** Rates per second. Null: they are not known, as the process was not there at both looks. */
interface PerSecond {
  handledRate: number | null;
  trafficRate: number | null;
  deliveryRate: number | null;
}

const UNKNOWN: Readonly<PerSecond> = { handledRate: null, trafficRate: null, deliveryRate: null };

/**
 * Rates per second of all processes, from two looks at each. Time is an argument, in milliseconds. One look at ten
 * thousand makes nothing anew: entries are changed in place, and go with their processes.
 */
export class Rates {
  readonly #entries = new Map<number, Entry>();
  #round = 0;
  #at = 0;
  #seconds = 0;

  /** Begins a look: `note` is then called once for each process, and `end` at last. */
  begin(now: number): void {
    this.#seconds = this.#round === 0 ? 0 : (now - this.#at) / 1000;
    this.#round++;
    this.#at = now;
  }

  note(id: number, handled: number, traffic: number, deliveries: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.#entries.set(id, { ...UNKNOWN, round: this.#round, handled, traffic, deliveries });
      return;
    }
    const seconds = this.#seconds;
    entry.round = this.#round;
    entry.handledRate = seconds > 0 ? (handled - entry.handled) / seconds : null;
    entry.trafficRate = seconds > 0 ? (traffic - entry.traffic) / seconds : null;
    entry.deliveryRate = seconds > 0 ? (deliveries - entry.deliveries) / seconds : null;
    entry.handled = handled;
    entry.traffic = traffic;
    entry.deliveries = deliveries;
  }

  /** Forgets the processes that the look did not find. */
  end(): void {
    for (const [id, { round }] of this.#entries) if (round !== this.#round) this.#entries.delete(id);
  }

  /** The rates between the last two looks. */
  of(id: number | undefined): Readonly<PerSecond> {
    return (id === undefined ? undefined : this.#entries.get(id)) ?? UNKNOWN;
  }

  clear(): void {
    this.#entries.clear();
    this.#round = 0;
  }
}
