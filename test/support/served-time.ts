import type { ExecutionContext } from 'ava';

/** Milliseconds between two looks, and how much of them counts at the most. */
const LOOK = 20;
const COUNTED = 40;

/**
 * Measures milliseconds as long as this process is served, for what is promised within a time: what a machine that is
 * busy elsewhere keeps everybody waiting does not count.
 */
export function servedTime(t: ExecutionContext): () => number {
  let served = 0;
  let last = performance.now();
  const look = () => {
    const time = performance.now();
    served += Math.min(time - last, COUNTED);
    last = time;
  };
  const timer = setInterval(look, LOOK);
  t.teardown(() => clearInterval(timer));
  return () => {
    look();
    return served;
  };
}
