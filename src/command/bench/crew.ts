import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Message } from '#client';
import type { Place } from '../command.ts';
import { connectTo, failureOf, type Reached } from '../connected-client.ts';
import type { Reach } from '../reach.ts';
import { now } from './clock.ts';
import { contentText, parseContent } from './content.ts';
import { Latencies, type ToldLatencies } from './latencies.ts';
import type { Part, Receiver, Sender } from './plan.ts';
import { Schedule } from './schedule.ts';
import { Sequence } from './sequence.ts';

/** Times of the shared clock, in milliseconds. */
export interface Times {
  readonly start: number;
  /** What was meant to be sent from then on is measured. */
  readonly measured: number;
  readonly end: number;
}

/** How far a part of the run is. */
export interface Soundings {
  readonly sent: number;
  readonly received: number;
}

/** What one part of the run has sent. */
export interface Sent {
  /** By stream: how many numbers were used. */
  readonly counts: readonly (readonly [stream: number, count: number])[];
  /** Of them, those that were meant for the measured time. */
  readonly measured: number;
  /** Messages that nobody has answered for. */
  readonly unanswered: number;
  /** From 0 to 1: the part of the time for which senders had as much unanswered as they may, and waited. */
  readonly waiting: number;
}

/** What one part of the run has got. */
export interface Tally {
  readonly received: number;
  readonly lost: number;
  readonly doubles: number;
  readonly late: number;
  /** Gaps that the relay, or the client itself, has told of. */
  readonly gaps: number;
  readonly latencies: ToldLatencies;
  /** From 0 to 1: how busy the process was. */
  readonly busy: number;
}

/** One process's part of a run. Asked for in this order; `stop` and `close` at any time. */
export interface Crew {
  /** Settles when all are connected and all subscriptions stand. */
  open(): Promise<void>;
  /** Settles when all senders have sent and have their answers, or none has come for a while. */
  send(times: Times): Promise<Sent>;
  soundings(): Soundings;
  /** Ends the sending early. */
  stop(): void;
  /** Settles when all that was sent has come, or nothing has come for a while. */
  finish(sent: ReadonlyMap<number, number>): Promise<Tally>;
  close(): Promise<void>;
}

/** Messages of one sender that may be without an answer. */
const UNANSWERED = 1000;
/** Milliseconds for the last messages of a given rate. */
const GRACE = 250;
/** Messages that a sender sends in one turn of the event loop. */
const BURST = 64;
/** Milliseconds without any news, after which what is missing is given up. */
const QUIET = 2000;
/** Milliseconds between two looks at whether all has come. */
const LOOK = 20;

/** The part of a run that this process does. */
export class LocalCrew implements Crew {
  readonly #part: Part;
  readonly #reach: Reach;
  readonly #place: Pick<Place, 'env' | 'err'>;
  readonly #reached: Reached[] = [];
  #senders: SenderCrew[] = [];
  #receivers: ReceiverCrew[] = [];
  readonly #latencies = new Latencies();
  #measured = Number.POSITIVE_INFINITY;
  #gaps = 0;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(part: Part, reach: Reach, place: Pick<Place, 'env' | 'err'>) {
    this.#part = part;
    this.#reach = reach;
    this.#place = place;
  }

  async open(): Promise<void> {
    const { run, size, senders, receivers } = this.#part;
    const connected = async () => {
      const reached = await connectTo(this.#reach, this.#place, {
        outage: this.#reach.timeout,
        offline: 'reject',
      });
      this.#reached.push(reached);
      return reached;
    };
    this.#receivers = await inTurn(receivers, async (receiver) => {
      const { client } = await connected();
      const crew = new ReceiverCrew(receiver, run, (intended) => this.#time(intended));
      const channels = new Set(receiver.streams.map(({ channel }) => channel));
      for (const channel of channels) {
        const subscription = client.subscribe(channel);
        subscription.on((item) => {
          if (item.type === 'gap') this.#gaps++;
          else crew.take(item);
        });
        await subscription.ready.catch((error: unknown) => {
          throw failureOf(error, channel);
        });
      }
      return crew;
    });
    this.#senders = await inTurn(senders, async (sender) => {
      const { client } = await connected();
      return new SenderCrew(sender, run, size, client);
    });
  }

  async send(times: Times): Promise<Sent> {
    this.#measured = times.measured;
    this.#loop = performance.eventLoopUtilization();
    const lost = Promise.race(this.#reached.map((reached) => reached.lost));
    await Promise.race([Promise.all(this.#senders.map((sender) => sender.send(times))), lost]);
    const counts = this.#senders.flatMap((sender) => sender.counts());
    const sum = (read: (sender: SenderCrew) => number) =>
      this.#senders.reduce((total, sender) => total + read(sender), 0);
    return {
      counts,
      measured: sum((sender) => sender.measured),
      unanswered: sum((sender) => sender.unanswered),
      waiting: sum((sender) => sender.waiting) / Math.max(1, this.#senders.length),
    };
  }

  soundings(): Soundings {
    return {
      sent: this.#senders.reduce((sum, { sent }) => sum + sent, 0),
      received: this.#receivers.reduce((sum, { received }) => sum + received, 0),
    };
  }

  stop(): void {
    for (const sender of this.#senders) sender.stop();
  }

  async finish(sent: ReadonlyMap<number, number>): Promise<Tally> {
    const { utilization } = performance.eventLoopUtilization(this.#loop);
    await quiet(
      () => this.#receivers.every((receiver) => receiver.lost(sent) === 0),
      () => this.soundings().received,
    );
    const sum = (read: (receiver: ReceiverCrew) => number) =>
      this.#receivers.reduce((total, receiver) => total + read(receiver), 0);
    return {
      received: sum(({ received }) => received),
      lost: sum((receiver) => receiver.lost(sent)),
      doubles: sum(({ doubles }) => doubles),
      late: sum(({ late }) => late),
      gaps: this.#gaps,
      latencies: this.#latencies.toTold(),
      busy: utilization,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#reached.map((reached) => reached.close()));
  }

  #time(intended: number): void {
    if (intended >= this.#measured) this.#latencies.note(now() - intended);
  }
}

/** Connections that are made at a time: a relay takes only so many new ones a second from one address. */
const AT_ONCE = 10;

async function inTurn<T, R>(items: readonly T[], make: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE)
    made.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(make))));
  return made;
}

/**
 * Waits until all has come, or `news` has not changed for a while. Looks are counted, and not the time: a process that stood
 * still has heard nothing either.
 */
async function quiet(hasAll: () => boolean, news: () => number): Promise<void> {
  let last = news();
  for (let looks = 0; !hasAll() && looks < QUIET / LOOK; looks++) {
    await pause(LOOK);
    const latest = news();
    if (latest !== last) looks = 0;
    last = latest;
  }
}

/** As a content tells it: both sides shall judge alike whether it is of the measured time. */
function inMicros(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** One connection that publishes. */
class SenderCrew {
  readonly #sender: Sender;
  readonly #run: string;
  readonly #size: number;
  readonly #client: Reached['client'];
  /** Numbers used, by the place of the stream. */
  readonly #counts: number[];
  sent = 0;
  measured = 0;
  #answered = 0;
  #failed = 0;
  #error: unknown = null;
  #waited = 0;
  #time = 0;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(sender: Sender, run: string, size: number, client: Reached['client']) {
    this.#sender = sender;
    this.#run = run;
    this.#size = size;
    this.#client = client;
    this.#counts = sender.streams.map(() => 0);
  }

  get unanswered(): number {
    return this.sent - this.#answered;
  }

  get waiting(): number {
    return this.#time === 0 ? 0 : this.#waited / this.#time;
  }

  counts(): (readonly [number, number])[] {
    return this.#sender.streams.map(({ id }, place) => [id, this.#counts[place] as number] as const);
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  async send({ start, measured, end }: Times): Promise<void> {
    const { rate, share } = this.#sender;
    const schedule = rate === null ? null : new Schedule({ start, end, rate, share });
    if (now() < start) await pause(start - now());
    let burst = 0;
    // What was meant to be sent just before the end is sent, unless the relay is far behind.
    const last = schedule === null ? end : end + GRACE;
    while (!this.#isStopped && now() < last && this.#error === null) {
      if (this.sent - this.#answered - this.#failed >= UNANSWERED) {
        const since = now();
        await this.#change(last - since);
        this.#waited += now() - since;
        continue;
      }
      const due = schedule === null ? Number.POSITIVE_INFINITY : schedule.dueAt(now());
      if (this.sent >= due) {
        if (schedule === null || this.sent >= schedule.count) break;
        await this.#change(schedule.timeOf(this.sent) - now());
        continue;
      }
      this.#put(inMicros(schedule === null ? now() : schedule.timeOf(this.sent)), measured);
      if (++burst % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#time = now() - start;
    await quiet(
      () => this.sent === this.#answered + this.#failed,
      () => this.#answered,
    );
    if (this.#error !== null) throw this.#error;
    // There nobody answers for a message: what counts as answered has only been sent.
    if (this.#client.level === 'pusu')
      await Promise.race([this.#client.flush().catch(() => undefined), pause(QUIET)]);
  }

  #put(intended: number, measured: number): void {
    const { streams } = this.#sender;
    const place = this.sent % streams.length;
    const { id, channel } = streams[place] as Sender['streams'][number];
    const number = this.#counts[place] as number;
    this.#counts[place] = number + 1;
    this.sent++;
    if (intended >= measured) this.measured++;
    const content = contentText({ run: this.#run, stream: id, number, intended }, this.#size);
    this.#client
      .publish(channel, content)
      .then(this.#onAnswer, (error: unknown) => this.#onError(error, channel));
  }

  readonly #onAnswer = () => {
    this.#answered++;
    if (this.sent - this.#answered - this.#failed === UNANSWERED - 1) this.#wake();
  };

  /** A message without an answer, as when the connection is lost, may have come: only what the relay refuses ends the run. */
  #onError(error: unknown, channel: string): void {
    this.#failed++;
    const failure = failureOf(error, channel);
    if (!isOutage(error)) this.#error ??= failure;
    this.#wake();
  }

  #change(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, milliseconds));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const OUTAGES: ReadonlySet<string> = new Set(['offline', 'unconfirmed', 'closed']);

function isOutage(error: unknown): boolean {
  return error instanceof Error && 'why' in error && OUTAGES.has(String(error.why));
}

/** One connection that listens. */
class ReceiverCrew {
  readonly #sequences: ReadonlyMap<number, Sequence>;
  readonly #run: string;
  readonly #time: (intended: number) => void;

  constructor({ streams }: Receiver, run: string, time: (intended: number) => void) {
    this.#sequences = new Map(streams.map(({ id }) => [id, new Sequence()]));
    this.#run = run;
    this.#time = time;
  }

  take({ content }: Message): void {
    const parsed = parseContent(content, this.#run);
    if (parsed === null) return;
    if (this.#sequences.get(parsed.stream)?.take(parsed.number) === 'double') return;
    this.#time(parsed.intended);
  }

  get received(): number {
    return this.#sum(({ received }) => received);
  }

  get doubles(): number {
    return this.#sum(({ doubles }) => doubles);
  }

  get late(): number {
    return this.#sum(({ late }) => late);
  }

  lost(sent: ReadonlyMap<number, number>): number {
    let lost = 0;
    for (const [id, sequence] of this.#sequences) lost += sequence.lost(sent.get(id) ?? 0);
    return lost;
  }

  #sum(read: (sequence: Sequence) => number): number {
    let sum = 0;
    for (const sequence of this.#sequences.values()) sum += read(sequence);
    return sum;
  }
}
