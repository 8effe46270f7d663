/**
 * `npm run bench:cluster`: three relays on this machine, linked as a mesh and then, where there is a nats-server, over
 * NATS (the server's own CPU time is not in the figures); all publishing on the first. `mesh` or `nats` runs one of them.
 *
 *     spread    1,000 subscribers of one topic over the three, full speed (F1)
 *     link      one subscriber at the second relay, full speed: what one link carries
 *     local     the same with the subscriber at the first relay: what publishing costs without a link
 *     latency   one subscriber at the second relay, 100 messages/s: from publishing to delivery, one hop
 *
 * 128-byte messages. CPU time is the relays' own, per message.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../support/cluster.ts';
import { cpuMicroseconds } from './process-stat.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PAYLOAD = 128;
/** On the wire from server to client: two bytes of header and two of length before it. */
const FRAME = PAYLOAD + 4;
const SECONDS = 4;

interface Relay {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Of the `link` of one backplane: what has gone over it, and the CPU time of its two ends, for one message. */
interface LinkCost {
  readonly perSecond: number;
  readonly sending: number;
  readonly taking: number;
}

/** With BENCH_PROFILE set to a folder, each relay leaves a profile there (`--cpu-prof`). */
const profiles = process.env['BENCH_PROFILE'];
const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
const costs = new Map<string, LinkCost>();
const folder = mkdtempSync(join(tmpdir(), 'fanfare-bench-'));
let relays: Relay[] = [];
const wanted = process.argv.slice(2);
try {
  for (const backplane of ['mesh', 'nats'] as const) {
    if (wanted.length > 0 && !wanted.includes(backplane)) continue;
    const server = backplane === 'nats' ? await startServer() : null;
    if (backplane === 'nats' && server === null) {
      console.log('nats: skipped, there is no nats-server');
      continue;
    }
    console.log(`${backplane}:`);
    relays = await startRelays(3, server?.address ?? null);
    await fullSpeed('spread', [334, 333, 333], 64);
    const { perSecond, cpu } = await fullSpeed('link', [0, 1, 0], 16_384);
    costs.set(backplane, { perSecond, sending: cpu[0] ?? Number.NaN, taking: cpu[1] ?? Number.NaN });
    await fullSpeed('local', [1, 0, 0], 16_384);
    await latency();
    await Promise.all(relays.map(({ child }) => ended(child)));
    server?.child.kill('SIGKILL');
  }
  console.log('one link, 128-byte messages:');
  for (const [backplane, { perSecond, sending, taking }] of costs) {
    console.log(
      `${backplane.padEnd(5)} moved ${Math.round(perSecond)} messages/s; CPU µs per message: sending ${sending.toFixed(2)}, ` +
        `taking ${taking.toFixed(2)}: a core of its own would send ${Math.round(1e6 / sending)} messages/s`,
    );
  }
} finally {
  for (const { child } of relays) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** In good order, so that a profile is written. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

/** Null: there is none on this machine. */
async function startServer(): Promise<{ readonly child: ChildProcess; readonly address: string } | null> {
  const [port = 0] = await freePorts(1);
  const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port)], {
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve) => {
    child.on('error', () => resolve(null));
    createInterface(child.stderr as NonNullable<typeof child.stderr>).on('line', (line) => {
      if (line.includes('Server is ready')) resolve({ child, address: `127.0.0.1:${port}` });
    });
  });
}

/** `server`: of NATS; null: they make a mesh. */
async function startRelays(count: number, server: string | null): Promise<Relay[]> {
  const ports = await freePorts(count);
  const started = ports.map((port, index) => {
    const file = join(folder, `${index}.json`);
    const at = { host: '127.0.0.1', port: 0 };
    const settings = {
      node: `relay-${index + 1}`,
      ...(server === null
        ? { relays: ports.map((each) => `127.0.0.1:${each}`) }
        : { cluster: { backplane: 'nats', servers: [server] } }),
      network: { host: '127.0.0.1', port, secret: 'a secret for benchmarks' },
      doors: { pinghub: { ...at, metrics_port: null } },
      admin: at,
    };
    writeFileSync(file, JSON.stringify(settings));
    const child = spawn(process.execPath, [...profiling, join(root, 'dist/start.js'), '--config', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return new Promise<Relay>((resolve) => {
      let links = 0;
      let door = 0;
      createInterface(child.stdout as NonNullable<typeof child.stdout>).on('line', (text) => {
        const line = JSON.parse(text) as { msg: string; door?: string; port?: number };
        if (line.msg === 'listening' && line.door === 'pinghub') door = line.port ?? 0;
        if (line.msg === 'linked' && ++links === count - 1) resolve({ child, port: door });
        if (line.msg === 'link overflow') console.error(text);
      });
    });
  });
  return Promise.all(started);
}

/** A WebSocket with no more than what is needed. */
function open(port: number, path: string, onData: (chunk: Buffer) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    socket.once('data', () => {
      socket.on('data', onData);
      resolve(socket);
    });
  });
}

/** A client's text frame with a mask of zeros. */
function clientFrame(payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 0x81;
  header[1] = 0x80 | 126;
  header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

/** `cpu`: microseconds of each relay for one message. */
async function fullSpeed(
  title: string,
  spread: readonly number[],
  window: number,
): Promise<{ readonly perSecond: number; readonly cpu: readonly number[] }> {
  const path = `/${title}`;
  const subscribers = spread.reduce((sum, count) => sum + count, 0);
  let bytes = 0;
  const sockets: Socket[] = [];
  for (const [index, count] of spread.entries()) {
    for (let i = 0; i < count; i++) {
      const { port } = relays[index] as Relay;
      sockets.push(
        await open(port, path, (chunk) => {
          bytes += chunk.length;
        }),
      );
    }
  }
  // At this door who publishes listens too: one more local subscriber, which is not counted.
  const publisher = await open((relays[0] as Relay).port, path, () => undefined);
  const frame = clientFrame(Buffer.alloc(PAYLOAD, 'x'));
  const many = Buffer.concat(Array.from({ length: Math.min(64, window / 4) }, () => frame));
  const perWrite = many.length / frame.length;
  let sent = 0;
  let running = true;
  const pump = () => {
    if (!running) return;
    const received = bytes / FRAME / subscribers;
    for (let i = 0; i < 64 && sent - received + perWrite <= window && publisher.writableLength < 1e6; i++) {
      publisher.write(many);
      sent += perWrite;
    }
    setImmediate(pump);
  };
  pump();
  await pause(1000);
  const before = { bytes, at: performance.now(), cpu: relays.map(cpuOf) };
  await pause(SECONDS * 1000);
  const seconds = (performance.now() - before.at) / 1000;
  const messages = (bytes - before.bytes) / FRAME / subscribers;
  const cpu = relays.map((relay, index) => cpuOf(relay) - (before.cpu[index] ?? 0));
  running = false;
  await pause(500);
  const lost = sent * subscribers - bytes / FRAME;
  for (const socket of [...sockets, publisher]) socket.destroy();
  console.log(
    `${title.padEnd(8)} ${Math.round(messages / seconds)} messages/s per link, ` +
      `${Math.round((messages * subscribers) / seconds)} deliveries/s, lost ${Math.round(lost)}; ` +
      `CPU µs per message: ${cpu.map((each) => ((each * 1e6) / messages).toFixed(2)).join(', ')}; ` +
      `share of a core: ${cpu.map((each) => `${Math.round((each / seconds) * 100)} %`).join(', ')}`,
  );
  return { perSecond: messages / seconds, cpu: cpu.map((each) => (each * 1e6) / messages) };
}

async function latency(): Promise<void> {
  const took: number[] = [];
  const sent: number[] = [];
  // Each message has its number: what comes late may come together. So little is never cut in two on loopback.
  const one = await open((relays[1] as Relay).port, '/latency', (chunk) => {
    for (let at = FRAME - PAYLOAD; at < chunk.length; at += FRAME)
      took.push(performance.now() - (sent[Number(chunk.toString('latin1', at, at + PAYLOAD))] ?? Number.NaN));
  });
  const publisher = await open((relays[0] as Relay).port, '/latency', () => undefined);
  for (let i = 0; i < 400; i++) {
    sent.push(performance.now());
    publisher.write(clientFrame(Buffer.from(String(i).padEnd(PAYLOAD))));
    await pause(10);
  }
  await pause(500);
  one.destroy();
  publisher.destroy();
  took.sort((a, b) => a - b);
  const at = (part: number) => took[Math.floor(took.length * part)]?.toFixed(3);
  console.log(`latency  one hop, ${took.length} messages: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

/** Seconds. */
function cpuOf({ child }: Relay): number {
  return (cpuMicroseconds(child.pid ?? 0) ?? Number.NaN) / 1e6;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
