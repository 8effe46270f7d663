import { performance } from 'node:perf_hooks';

/** Time as the processes see it. Tests give the system one that they wind by hand. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Runs `action` once, `delay` milliseconds from now. */
  after(delay: number, action: () => void): ClockTimer;
}

export interface ClockTimer {
  cancel(): void;
}

/** The machine's monotonic clock. Its timers do not keep Node's event loop alive: listeners and sockets do. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delay, action) => new SystemTimer(delay, action),
};

/** Milliseconds by which a timer is late when the event loop has stood still. */
const LATE = 50;

class SystemTimer implements ClockTimer {
  readonly #due: number;
  #handle: NodeJS.Timeout | NodeJS.Immediate;

  constructor(delay: number, action: () => void) {
    this.#due = performance.now() + delay;
    this.#handle = setTimeout(() => this.#fire(action), delay);
    this.#handle.unref();
  }

  /**
   * After the loop has stood still (for a collection, or because the whole machine did), timers come before what has
   * arrived meanwhile. Most of them wait for exactly that, and would take for silent whoever has answered long ago: one
   * that is late lets the sockets be read first.
   */
  #fire(action: () => void): void {
    if (performance.now() - this.#due > LATE) this.#handle = setImmediate(action);
    else action();
  }

  cancel(): void {
    clearTimeout(this.#handle as NodeJS.Timeout);
    clearImmediate(this.#handle as NodeJS.Immediate);
  }
}
