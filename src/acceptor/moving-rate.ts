/** Seconds between two looks at the counter. */
export const TICK = 5;
const WINDOW = 300;
const WEIGHT = 1 - Math.exp(-TICK / WINDOW);

/** A five-minute moving rate per second of a counter that only grows: exponentially weighted, as a load average. */
export interface MovingRate {
  readonly count: number;
  readonly rate: number;
  /** The first look sets the rate, the later ones move it. */
  readonly started: boolean;
}

export const still: MovingRate = { count: 0, rate: 0, started: false };

/** The rate after the next look, `TICK` seconds after the last one, at which the counter stands at `count`. */
export function look(last: MovingRate, count: number): MovingRate {
  const now = (count - last.count) / TICK;
  return { count, rate: last.started ? last.rate + WEIGHT * (now - last.rate) : now, started: true };
}
