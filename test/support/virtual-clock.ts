import type { Clock, ClockTimer } from '../../src/otp/clock.ts';

interface Due extends ClockTimer {
  readonly at: number;
  readonly action: () => void;
}

/** A clock that stands still until it is wound. Timers that are due at the same moment fire in the order they were set. */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Due>();

  /** Timers that are set and have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(delay: number, action: () => void): ClockTimer {
    const due: Due = {
      at: this.#now + Math.max(0, delay),
      action,
      cancel: () => this.#timers.delete(due),
    };
    this.#timers.add(due);
    return due;
  }

  /** Winds the clock on, firing what falls due on the way, each at its own time. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let due = this.#next(end); due !== undefined; due = this.#next(end)) {
      this.#timers.delete(due);
      this.#now = due.at;
      due.action();
    }
    this.#now = end;
  }

  #next(end: number): Due | undefined {
    let next: Due | undefined;
    for (const due of this.#timers) {
      if (due.at <= end && (next === undefined || due.at < next.at)) next = due;
    }
    return next;
  }
}
