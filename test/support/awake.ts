/** Milliseconds between two looks, and how late one may be of itself. */
const PERIOD = 10;
const LATE = 20;

let seen = performance.now();
let stood = 0;

setInterval(() => {
  stood += standing();
  seen = performance.now();
}, PERIOD).unref();

/** For how long this process has stood still since the last look. */
function standing(): number {
  const gap = performance.now() - seen;
  return gap > PERIOD + LATE ? gap - PERIOD : 0;
}

/**
 * The time in milliseconds on a clock that stands still whenever this process does, be it because the machine is busy or
 * because it waits for a command: how long something takes elsewhere is measured with it.
 */
export function awake(): number {
  return performance.now() - stood - standing();
}
