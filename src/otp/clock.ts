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

class SystemTimer implements ClockTimer {
  readonly #timeout: NodeJS.Timeout;

  constructor(delay: number, action: () => void) {
    this.#timeout = setTimeout(action, delay);
    this.#timeout.unref();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}
