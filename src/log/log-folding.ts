/**
 * Folds bursts: of one event the first lines of each second are written, and the rest become one line with their number
 * when the second is over. No event goes uncounted. Time is an argument, in milliseconds.
 */
export interface FoldedEvent {
  readonly fields: Readonly<Record<string, unknown>>;
  count: number;
}

/** Lines of one event in one second. */
export const LINES_PER_SECOND = 10;
/** Events that are told apart; those beyond fold as one. */
const EVENTS = 1000;
const PERIOD = 1000;

export class Folding {
  readonly #events = new Map<string, FoldedEvent & { lines: number }>();
  #until = 0;

  /** Whether this event gets a line of its own. `key`: what makes two events the same. */
  admits(key: string, fields: () => Readonly<Record<string, unknown>>, now: number): boolean {
    if (now >= this.#until) this.#until = now + PERIOD;
    const known = this.#events.size >= EVENTS && !this.#events.has(key) ? '' : key;
    let event = this.#events.get(known);
    if (event === undefined) {
      event = { fields: known === '' ? {} : fields(), count: 0, lines: 0 };
      this.#events.set(known, event);
    }
    if (event.lines < LINES_PER_SECOND) {
      event.lines++;
      return true;
    }
    event.count++;
    return false;
  }

  /** Milliseconds until the second is over in which something was last admitted or folded. */
  due(now: number): number {
    return Math.max(0, this.#until - now);
  }

  /** Ends the second. Returns what was folded in it. */
  take(): FoldedEvent[] {
    const folded = [...this.#events.values()].filter(({ count }) => count > 0);
    this.#events.clear();
    return folded;
  }
}
