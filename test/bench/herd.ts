import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAll } from './connecting.ts';
import { Connection, pongFrame } from './connection.ts';
import { EventStream } from './event-stream.ts';
import { stamp, topicTag } from './mark.ts';
import { MessageStream } from './message-stream.ts';
import { cpuMicroseconds, residentBytes } from './process-stat.ts';
import { Publisher } from './publisher.ts';
import { Pump } from './pump.ts';
import type { LoadRequest, LoadResult } from './result.ts';
import { Tally } from './tally.ts';

/** Topics by their numbers: one that goes on meanwhile, and one that the herd has missed messages of. */
const LIVE = 0;
const MISSED = 1;

const PING = 0x09;
const LOOK_EVERY = 20;
/** Clients of a rehearsal, and how often there is one. */
const FEW = 1000;
const REHEARSALS = 2;
const REHEARSAL_END = 2000;
const LIMIT = 120_000;

/**
 * All clients come at once, each with a stream of events. On the side `fanfare` each says where it stood, and is sent what
 * it has missed; on the side `naive` they join, and that is all. Meanwhile the messages of another topic are timed.
 */
export async function herd({ scenario, side, port, pid }: LoadRequest): Promise<LoadResult> {
  const { subscribers, missed = 0 } = scenario;
  const live = new Tally();
  const echoes = new Tally();
  const keepers: Connection[] = [];
  let closed = 0;
  let closedWhy: string | null = null;
  const open = (topic: number, tally: Tally, done: (error?: Error) => void): Connection => {
    const stream = new MessageStream(topic, tally, (opcode, payload) => {
      if (opcode === PING) connection.socket.write(pongFrame(payload));
    });
    const connection = new Connection(port, `/bench-${topic}`, stream, () => undefined, {
      open: () => done(),
      closed: (reason) => {
        closed += 1;
        closedWhy ??= reason;
        done(new Error(reason));
      },
    });
    keepers.push(connection);
    return connection;
  };

  const liveSubscribers = 50;
  await connectAll(liveSubscribers, (_, done) => open(LIVE, live, done));
  const publishers: Publisher[] = [];
  await connectAll(2, (index, done) => {
    publishers.push(new Publisher(open(index === 0 ? LIVE : MISSED, echoes, done).socket));
  });
  const [ofLive, ofMissed] = publishers as [Publisher, Publisher];
  const at = await position(port, `/bench-${MISSED}`);
  for (let sequence = 0; sequence < missed; sequence++)
    ofMissed.add(topicTag(MISSED), sequence, stamp(performance.now()));
  ofMissed.flush();
  const pump = new Pump({ ...scenario, subscribers: liveSubscribers }, [ofLive], live);
  pump.start();
  await sleep(scenario.warmup);

  const since = side === 'fanfare' ? at : null;
  const each = side === 'fanfare' ? missed : 0;
  const come = async (count: number): Promise<Come> => {
    const tally = new Tally();
    const streams: EventStream[] = [];
    const began = performance.now();
    await connectAll(count, (_, done) =>
      streams.push(new EventStream(port, `/bench-${MISSED}`, since, tally, done)),
    );
    const deadline = performance.now() + LIMIT;
    while (tally.delivered < count * each && performance.now() < deadline) await sleep(1);
    const seconds = (performance.now() - began) / 1000;
    const lost = each === 0 ? 0 : streams.reduce((sum, stream) => sum + stream.lost(each), 0);
    return { seconds, lost, tally, streams };
  };
  for (let i = 0; i < REHEARSALS; i++) {
    for (const stream of (await come(FEW)).streams) stream.destroy();
    await sleep(REHEARSAL_END);
  }
  await sleep(scenario.settle);
  const idle = residentBytes(pid);
  const cpuIdle = cpuMicroseconds(pid);
  const own = process.cpuUsage();
  let peak = idle ?? 0;
  const looking = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid) ?? 0);
  }, LOOK_EVERY);
  live.measuring = true;
  const { seconds, lost, tally, streams } = await come(subscribers);
  live.measuring = false;
  clearInterval(looking);
  const cpu = cpuMicroseconds(pid);
  const { user, system } = process.cpuUsage(own);
  const loadShare = (user + system) / 1e6 / seconds;
  const serverShare = cpu === null || cpuIdle === null ? null : (cpu - cpuIdle) / 1e6 / seconds;
  pump.stop();
  for (const one of [...streams, ...keepers]) one.destroy();
  return {
    deliveriesPerSecond: tally.delivered / seconds,
    cpuPerDelivery: null,
    p50: live.percentile(0.5),
    p99: live.percentile(0.99),
    bytesPerConnection: null,
    connectsPerSecond: subscribers / seconds,
    cpuPerConnect: cpu === null || cpuIdle === null ? null : (cpu - cpuIdle) / subscribers,
    herdSeconds: seconds,
    peakMebibytes: idle === null ? null : (peak - idle) / 2 ** 20,
    lost,
    outOfOrder: tally.outOfOrder,
    duplicates: tally.duplicates,
    unexpected: tally.unexpected,
    closed,
    closedWhy,
    stalls: pump.stalls,
    published: missed,
    delivered: tally.delivered,
    reads: 0,
    serverShare,
    loadShare,
    loadShareConnecting: loadShare,
  };
}

interface Come {
  /** Until the last client had all that it was to have. */
  readonly seconds: number;
  readonly lost: number;
  readonly tally: Tally;
  readonly streams: readonly EventStream[];
}

/** Where a topic stands, as an event stream begins with it. */
function position(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get(
      { host: '127.0.0.1', port, path, headers: { Accept: 'text/event-stream' } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          const [, id] = /^id: (\S+)$/m.exec(text) ?? [];
          if (id === undefined) return;
          asked.destroy();
          resolve(id);
        });
        answer.on('error', () => undefined);
      },
    );
    asked.on('error', reject);
  });
}
