/** The door's own metrics: gauges as whole numbers, meters as five-minute moving rates per second. */
export interface PinghubMetrics {
  readonly channels: number;
  readonly websockets: number;
  readonly drops5m: number;
  readonly postmsgs5m: number;
  readonly sends5m: number;
  readonly websocketmsgs5m: number;
}

/** What a connection to the metrics port reads before it is closed: `name.value number` lines, sorted by name. */
export function metricsText(metrics: PinghubMetrics): string {
  const meter = (rate: number) => rate.toFixed(3);
  return [
    `channels.value ${metrics.channels}\n`,
    `drops5m.value ${meter(metrics.drops5m)}\n`,
    `postmsgs5m.value ${meter(metrics.postmsgs5m)}\n`,
    `sends5m.value ${meter(metrics.sends5m)}\n`,
    `websocketmsgs5m.value ${meter(metrics.websocketmsgs5m)}\n`,
    `websockets.value ${metrics.websockets}\n`,
  ].join('');
}

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
