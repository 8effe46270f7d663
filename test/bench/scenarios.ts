/** How the publishers of a scenario are paced. */
export type Pace =
  /** At most this many messages unreceived per subscriber on average, so that the server decides the speed. */
  | { readonly kind: 'window'; readonly messages: number }
  /** This many messages a second whatever the server does; each carries the time at which it was due. */
  | { readonly kind: 'rate'; readonly perSecond: number };

/** What one load process does to one server. Times in milliseconds. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Of the columns of the report, what they are; without it a naive server, and the relay. */
  readonly sides?: 'history off and on' | 'plain joins and resumes';
  /** Messages that each subscriber has missed, and asks for as it comes back. */
  readonly missed?: number;
  /** How often the subscribers connect and go again first: a server's first thousands pay for its compiler. */
  readonly rehearsals?: number;
  readonly subscribers: number;
  readonly topics: number;
  readonly publishers: number;
  readonly pace: Pace;
  /** Quiet time after the last connect; memory is read at its end. */
  readonly settle: number;
  readonly warmup: number;
  readonly duration: number;
  /** How long to wait for messages that are still under way when publishing has ended. */
  readonly drain: number;
}

const fullSpeed: Scenario = {
  name: 'F1',
  title: '1 topic, 1,000 subscribers, full speed',
  subscribers: 1000,
  topics: 1,
  publishers: 1,
  pace: { kind: 'window', messages: 64 },
  settle: 500,
  warmup: 1000,
  duration: 3000,
  drain: 3000,
};

export const scenarios: readonly Scenario[] = [
  fullSpeed,
  {
    name: 'F2',
    title: '1 topic, 10,000 subscribers, full speed',
    subscribers: 10_000,
    topics: 1,
    publishers: 1,
    pace: { kind: 'window', messages: 16 },
    settle: 2000,
    warmup: 1500,
    duration: 4000,
    drain: 5000,
  },
  {
    name: 'F3',
    title: '1,000 topics of 5 subscribers, full speed',
    subscribers: 5000,
    topics: 1000,
    publishers: 1000,
    pace: { kind: 'window', messages: 256 },
    settle: 500,
    warmup: 1000,
    duration: 3000,
    drain: 3000,
  },
  {
    name: 'F4',
    title: 'latency at rest: 100 subscribers, 100 messages/s',
    subscribers: 100,
    topics: 1,
    publishers: 1,
    pace: { kind: 'rate', perSecond: 100 },
    settle: 500,
    warmup: 500,
    duration: 4000,
    drain: 3000,
  },
  {
    name: 'F5',
    title: 'steady: 1,000 subscribers, 100 messages/s',
    subscribers: 1000,
    topics: 1,
    publishers: 1,
    pace: { kind: 'rate', perSecond: 100 },
    settle: 500,
    warmup: 1000,
    duration: 3000,
    drain: 3000,
  },
  {
    name: 'C1',
    title: '10,000 connects, to a server that has had 20,000 before',
    rehearsals: 2,
    subscribers: 10_000,
    topics: 1,
    publishers: 1,
    pace: { kind: 'rate', perSecond: 2 },
    settle: 500,
    warmup: 100,
    duration: 1000,
    drain: 1000,
  },
  {
    ...fullSpeed,
    name: 'H1',
    title: 'F1 with history: the relay, without it and with it',
    sides: 'history off and on',
  },
  {
    name: 'R1',
    title:
      '10,000 clients at once: the relay, as they join, and as they come back and have missed 100 messages',
    sides: 'plain joins and resumes',
    missed: 100,
    subscribers: 10_000,
    topics: 1,
    publishers: 1,
    pace: { kind: 'rate', perSecond: 100 },
    settle: 1000,
    warmup: 500,
    duration: 1000,
    drain: 3000,
  },
];
