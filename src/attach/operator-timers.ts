/**
 * The timers that an evaluation gets in place of Node's: what they run may throw, or never end, and the node lives on;
 * and they end with the session.
 */
export interface OperatorTimers {
  readonly globals: Readonly<Record<string, unknown>>;
  /** Ends those that there are. */
  clear(): void;
  close(): void;
}

type Callback = (...args: unknown[]) => unknown;

/** `run` never throws: it bounds what it runs, and tells of what that throws. */
export function operatorTimers(run: (callback: () => unknown) => void): OperatorTimers {
  const running = new Set<NodeJS.Timeout | NodeJS.Immediate>();
  let closed = false;
  const guarded = (callback: unknown, args: readonly unknown[]) => {
    if (typeof callback !== 'function') throw new TypeError('a function is needed');
    if (closed) throw new Error('the session has ended');
    return () => {
      if (!closed) run(() => (callback as Callback)(...args));
    };
  };
  const clear = (timer: unknown) => {
    running.delete(timer as NodeJS.Timeout);
    clearTimeout(timer as NodeJS.Timeout);
    clearImmediate(timer as NodeJS.Immediate);
  };
  const clearAll = () => {
    for (const timer of running) clear(timer);
  };
  return {
    globals: {
      setTimeout: (callback: unknown, delay?: number, ...args: unknown[]) => {
        const run = guarded(callback, args);
        const timer = setTimeout(() => {
          running.delete(timer);
          run();
        }, delay);
        running.add(timer);
        return timer;
      },
      setInterval: (callback: unknown, delay?: number, ...args: unknown[]) => {
        const timer = setInterval(guarded(callback, args), delay);
        running.add(timer);
        return timer;
      },
      setImmediate: (callback: unknown, ...args: unknown[]) => {
        const run = guarded(callback, args);
        const timer = setImmediate(() => {
          running.delete(timer);
          run();
        });
        running.add(timer);
        return timer;
      },
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
    clear: clearAll,
    close() {
      closed = true;
      clearAll();
    },
  };
}
