import type { Socket } from './api.ts';
import type { Clock } from './deadlines.ts';

/** What a client has of the world around it. */
export interface Surroundings extends Clock {
  /** From 0 to 1. */
  random(): number;
  open(url: string, protocols: string[]): Socket | Promise<Socket>;
  /** `wake`: a dead connection may be noticed now. `hide`: the page may be put away. Returns the function that ends it. */
  watch(wake: () => void, hide: () => void): () => void;
}

interface Page {
  readonly document?: { readonly visibilityState: string };
  addEventListener?(type: string, listener: () => void, options: object): void;
}

export function surroundingsOf(open: Surroundings['open']): Surroundings {
  return {
    now: Date.now,
    after(milliseconds, action) {
      const timer = setTimeout(action, milliseconds);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    open,
    watch(wake, hide) {
      const page = globalThis as Page;
      const watching = new AbortController();
      // Some are the document's, and do not come up to the window.
      for (const type of ['online', 'pageshow', 'pagehide', 'resume', 'visibilitychange']) {
        const listener = () => {
          if (type === 'pagehide') hide();
          else if (type === 'online' || page.document?.visibilityState !== 'hidden') wake();
        };
        page.addEventListener?.(type, listener, { capture: true, signal: watching.signal });
      }
      return () => watching.abort();
    },
  };
}
