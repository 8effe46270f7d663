import { type Context, Script } from 'node:vm';

/**
 * The timers that an evaluation gets in place of Node's: what they run may throw, or never end, and the node lives on;
 * and they end with the session.
 */
export interface OperatorTimers {
  readonly globals: Readonly<Record<string, unknown>>;
  close(): void;
}

type Callback = (...args: unknown[]) => unknown;

/** The name by which the script below finds what it is to run. */
const SLOT = '__fanfare_callback';
const RUN = new Script(`globalThis.${SLOT}()`, { filename: 'timer' });

export function operatorTimers(
  context: () => Context,
  limit: number,
  failed: (error: unknown) => void,
): OperatorTimers {
  const running = new Set<NodeJS.Timeout | NodeJS.Immediate>();
  let closed = false;
  const guarded = (callback: unknown, args: readonly unknown[]) => {
    if (typeof callback !== 'function') throw new TypeError('a function is needed');
    return () => {
      if (closed) return;
      try {
        // Run as a script, which V8 can end when it takes too long, as it cannot a plain function.
        const sandbox = context() as Record<string, unknown>;
        Object.defineProperty(sandbox, SLOT, {
          configurable: true,
          enumerable: false,
          value: () => (callback as Callback)(...args),
        });
        RUN.runInContext(sandbox, { timeout: limit });
      } catch (error) {
        failed(error);
      }
    };
  };
  const clear = (timer: unknown) => {
    running.delete(timer as NodeJS.Timeout);
    clearTimeout(timer as NodeJS.Timeout);
    clearImmediate(timer as NodeJS.Immediate);
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
      queueMicrotask: (callback: unknown) => queueMicrotask(guarded(callback, [])),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
    close() {
      closed = true;
      for (const timer of running) clear(timer);
    },
  };
}
