/** What is counted of one process: messages handled, and messages in and deliveries of a connection or topic. */
interface Entry {
  round: number;
  handled: number;
  traffic: number;
  deliveries: number;
  handledRate: number;
  trafficRate: number;
  deliveryRate: number;
}

const NONE: Pick<Entry, 'handledRate' | 'trafficRate' | 'deliveryRate'> = {
  handledRate: 0,
  trafficRate: 0,
  deliveryRate: 0,
};

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
      const rates = { handledRate: 0, trafficRate: 0, deliveryRate: 0 };
      this.#entries.set(id, { round: this.#round, handled, traffic, deliveries, ...rates });
      return;
    }
    const seconds = this.#seconds;
    entry.round = this.#round;
    entry.handledRate = seconds > 0 ? (handled - entry.handled) / seconds : 0;
    entry.trafficRate = seconds > 0 ? (traffic - entry.traffic) / seconds : 0;
    entry.deliveryRate = seconds > 0 ? (deliveries - entry.deliveries) / seconds : 0;
    entry.handled = handled;
    entry.traffic = traffic;
    entry.deliveries = deliveries;
  }

  /** Forgets the processes that the look did not find. */
  end(): void {
    for (const [id, { round }] of this.#entries) if (round !== this.#round) this.#entries.delete(id);
  }

  /** The rates between the last two looks; 0 for a process that was not there at both. */
  of(id: number | undefined): Readonly<typeof NONE> {
    return (id === undefined ? undefined : this.#entries.get(id)) ?? NONE;
  }

  clear(): void {
    this.#entries.clear();
    this.#round = 0;
  }
}
