/** Messages of one publisher to one channel: numbered from 0, and checked by each subscriber of the channel. */
export interface Stream {
  readonly id: number;
  readonly channel: string;
}

/** One connection that publishes; to several channels in turn. */
export interface Sender {
  /** Its place among all senders, from 0 to below 1: at a given rate they take turns. */
  readonly share: number;
  /** Messages per second; null: as many as the relay takes. */
  readonly rate: number | null;
  readonly streams: readonly Stream[];
}

/** One connection that listens, and the streams that it is to get. */
export interface Receiver {
  readonly streams: readonly Stream[];
}

/** What one process does. */
export interface Part {
  readonly run: string;
  /** Bytes of a content. */
  readonly size: number;
  readonly senders: readonly Sender[];
  readonly receivers: readonly Receiver[];
}

interface PlanArgs {
  readonly run: string;
  readonly size: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly channels: number;
  /** Of the names of channels. */
  readonly prefix: string;
  /** Messages per second of all publishers together; null: as many as the relay takes. */
  readonly rate: number | null;
}

/** Every channel has a publisher and a subscriber, where there are any: those that are fewer have several channels each. */
export function planOf({ run, size, publishers, subscribers, channels, prefix, rate }: PlanArgs): Part {
  const streams: Stream[][] = Array.from({ length: publishers }, () => []);
  const inChannel: Stream[][] = Array.from({ length: channels }, () => []);
  let id = 0;
  for (const [publisher, channel] of pairs(publishers, channels)) {
    const stream = { id: id++, channel: `${prefix}${channel}` };
    streams[publisher]?.push(stream);
    inChannel[channel]?.push(stream);
  }
  const heard: Stream[][] = Array.from({ length: subscribers }, () => []);
  for (const [subscriber, channel] of pairs(subscribers, channels))
    for (const stream of inChannel[channel] as Stream[]) heard[subscriber]?.push(stream);
  return {
    run,
    size,
    senders: streams.map((own, publisher) => ({
      share: publisher / publishers,
      rate: rate === null ? null : rate / publishers,
      streams: own,
    })),
    receivers: heard.map((own) => ({ streams: own })),
  };
}

/** Who has to do with which channel, so that each has one and each channel has somebody. */
function* pairs(people: number, channels: number): Iterable<readonly [person: number, channel: number]> {
  for (let i = 0; i < Math.max(people, channels) && people > 0; i++) yield [i % people, i % channels];
}

/** The plan dealt out to so many processes, of which each has something to do. */
export function dealt(plan: Part, processes: number): Part[] {
  const parts = Array.from({ length: processes }, (): { senders: Sender[]; receivers: Receiver[] } => ({
    senders: [],
    receivers: [],
  }));
  // Counted on over both: with one of each, two processes have one each.
  let next = 0;
  for (const receiver of plan.receivers) parts[next++ % processes]?.receivers.push(receiver);
  for (const sender of plan.senders) parts[next++ % processes]?.senders.push(sender);
  return parts
    .filter(({ senders, receivers }) => senders.length + receivers.length > 0)
    .map((part) => ({ ...plan, ...part }));
}
