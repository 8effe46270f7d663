/**
 * The load process: `load.js JSON`, the JSON being a `LoadRequest`; prints one line, a `LoadResult`. It must cost far less
 * per delivery than any server, so that what is measured is the server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAll } from './connecting.ts';
import { Connection, pongFrame } from './connection.ts';
import { herd } from './herd.ts';
import { MessageStream } from './message-stream.ts';
import { cpuMicroseconds, residentBytes } from './process-stat.ts';
import { Publisher } from './publisher.ts';
import { Pump } from './pump.ts';
import type { LoadRequest, LoadResult } from './result.ts';
import type { Scenario } from './scenarios.ts';
import { Tally } from './tally.ts';

const REHEARSAL_END = 3000;
const PONG = 0x0a;
const PING = 0x09;

const request = JSON.parse(process.argv[2] ?? '') as LoadRequest;
process.stdout.write(
  `${JSON.stringify(await (request.scenario.missed === undefined ? run : herd)(request))}\n`,
  () => process.exit(0),
);

async function run({ scenario, port, pid }: LoadRequest): Promise<LoadResult> {
  const tally = new Tally();
  const echoes = new Tally();
  const streams: MessageStream[] = [];
  const connections: Connection[] = [];
  let closed = 0;
  let closedWhy: string | null = null;
  let reads = 0;
  let pump: Pump | null = null;
  const afterRead = (): void => {
    reads += 1;
    pump?.delivered();
  };

  const open = (topic: number, of: Tally, done: (error?: Error) => void): Connection => {
    const stream = new MessageStream(topic, of, (opcode, payload) => {
      if (opcode === PING) connection.socket.write(pongFrame(payload));
      else if (opcode !== PONG)
        closedWhy ??= `close frame ${payload.length < 2 ? '' : payload.readUInt16BE(0)}`;
    });
    const connection = new Connection(port, `/bench-${topic}`, stream, of === tally ? afterRead : ignore, {
      open: () => done(),
      closed: (reason) => {
        closed += 1;
        closedWhy ??= reason;
        done(new Error(`connection ${connections.length}: ${reason}`));
      },
    });
    if (of === tally) streams.push(stream);
    connections.push(connection);
    return connection;
  };

  for (let rehearsal = 0; rehearsal < (scenario.rehearsals ?? 0); rehearsal++) await rehearse(port, scenario);

  const idle = residentBytes(pid);
  const cpuIdle = cpuMicroseconds(pid);
  const ownIdle = process.cpuUsage();
  const connecting = performance.now();
  await connectAll(scenario.subscribers, (index, done) => open(index % scenario.topics, tally, done));
  const connectSeconds = (performance.now() - connecting) / 1000;
  const ownConnect = process.cpuUsage(ownIdle);
  const cpuConnect = difference(cpuMicroseconds(pid), cpuIdle);

  const publishers: Publisher[] = [];
  await connectAll(scenario.publishers, (index, done) => {
    publishers.push(new Publisher(open(index % scenario.topics, echoes, done).socket));
  });
  await sleep(scenario.settle);
  const memory = difference(residentBytes(pid), idle);

  pump = new Pump(scenario, publishers, tally);
  pump.start();
  await sleep(scenario.warmup);

  tally.measuring = true;
  const begin = { at: performance.now(), delivered: tally.delivered, published: pump.published, reads };
  const cpuBegin = cpuMicroseconds(pid);
  const ownBegin = process.cpuUsage();
  await sleep(scenario.duration);
  const cpu = difference(cpuMicroseconds(pid), cpuBegin);
  const own = process.cpuUsage(ownBegin);
  const passed = performance.now() - begin.at;
  tally.measuring = false;
  const measured = tally.delivered - begin.delivered;
  const published = pump.published - begin.published;
  const measuredReads = reads - begin.reads;
  pump.stop();

  const deadline = performance.now() + scenario.drain;
  while (tally.delivered < pump.expected && performance.now() < deadline) await sleep(10);
  let lost = 0;
  for (const [index, stream] of streams.entries())
    lost += stream.lost(pump.publishedOf(index % scenario.topics));
  for (const connection of connections) connection.destroy();

  return {
    deliveriesPerSecond: (measured / passed) * 1000,
    cpuPerDelivery: cpu === null || measured === 0 ? null : cpu / measured,
    p50: tally.percentile(0.5),
    p99: tally.percentile(0.99),
    bytesPerConnection: memory === null ? null : memory / connections.length,
    connectsPerSecond: scenario.subscribers / connectSeconds,
    cpuPerConnect: cpuConnect === null ? null : cpuConnect / scenario.subscribers,
    lost,
    outOfOrder: tally.outOfOrder,
    duplicates: tally.duplicates,
    unexpected: tally.unexpected + echoes.unexpected,
    closed,
    closedWhy,
    stalls: pump.stalls,
    published,
    delivered: measured,
    reads: measuredReads,
    serverShare: cpu === null ? null : cpu / 1000 / passed,
    loadShare: (own.user + own.system) / 1000 / passed,
    loadShareConnecting: (ownConnect.user + ownConnect.system) / 1e6 / connectSeconds,
  };
}

function ignore(): void {}

/** Connects all subscribers, and lets them go; waits until the server has seen the last of them off. */
async function rehearse(port: number, { subscribers, topics }: Scenario): Promise<void> {
  const connections: Connection[] = [];
  // Nothing is counted, and a tally for each would take longer than the connects.
  const tally = new Tally();
  await connectAll(subscribers, (index, done) => {
    const topic = index % topics;
    const stream = new MessageStream(topic, tally, ignore);
    connections.push(
      new Connection(port, `/bench-${topic}`, stream, ignore, {
        open: () => done(),
        closed: (reason) => done(new Error(reason)),
      }),
    );
  });
  for (const connection of connections) connection.destroy();
  await sleep(REHEARSAL_END);
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}
