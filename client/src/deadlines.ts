export interface Clock {
  /** Milliseconds of the day's clock, which goes on while the machine sleeps. */
  now(): number;
  /** Returns the function that cancels it. */
  after(milliseconds: number, action: () => void): () => void;
}

/** A tick that is later than this has slept, and so may have the machine. */
const LATE = 3000;
const TICK = 1000;

export interface Deadlines {
  set(key: unknown, milliseconds: number, action: () => void): void;
  has(key: unknown): boolean;
  clear(...keys: unknown[]): void;
  /** Clears all. */
  stop(): void;
}

/**
 * Things to do at a time, one for each key. Times are compared with the clock at each tick, for a timer alone stands still while
 * the machine sleeps, and is run once a minute in a hidden tab. Nothing ticks while nothing is due. `late` is called in a tick
 * that comes late, before what is due.
 */
export function newDeadlines(clock: Clock, late: () => void): Deadlines {
  const due = new Map<unknown, { at: number; readonly action: () => void }>();
  let cancel: (() => void) | undefined;
  let expected = 0;

  function disarm(): void {
    cancel?.();
    cancel = undefined;
  }

  function arm(): void {
    const now = clock.now();
    disarm();
    expected = Math.min(now + TICK, ...[...due.values()].map(({ at }) => at));
    if (due.size) cancel = clock.after(Math.max(0, expected - now), tick);
  }

  function tick(): void {
    const now = clock.now();
    const by = now - expected;
    cancel = undefined;
    // The clock was set back.
    if (by < -LATE) for (const one of due.values()) one.at += by;
    if (Math.abs(by) > LATE) late();
    for (const [key, one] of due)
      if (one.at <= now) {
        due.delete(key);
        one.action();
      }
    arm();
  }

  function clear(...keys: unknown[]): void {
    for (const key of keys) due.delete(key);
    if (!due.size) disarm();
  }

  return {
    set(key, milliseconds, action) {
      const at = clock.now() + milliseconds;
      due.set(key, { at, action });
      if (!cancel || at < expected) arm();
    },
    has: (key) => due.has(key),
    clear,
    stop: () => clear(...due.keys()),
  };
}
