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
