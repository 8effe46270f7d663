import { readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { connect as connectTls, TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { Connection } from '../../src/connection/connection.ts';
import type { Acknowledging } from '../../src/connection/silence-server.ts';
import { bytesReceived, bytesTaken } from '../../src/http/socket-bytes.ts';
import { Arrivals, eventually } from '../support/arrivals.ts';
import { selfSigned } from '../support/certificate.ts';
import { quiescence } from '../support/otp.ts';
import { clientFrame, connectRaw, post, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const apikeys = { list: [{ domain: 'd', key: 'k' }] };
const PING = 150;
const PONG = 100;
const limits = { ping: `${PING}ms`, pong: `${PONG}ms` };

interface StillRelay extends TestRelay {
  /** Its time goes on by so many milliseconds, and whatever falls due has been done. */
  wait(milliseconds: number): Promise<void>;
}

/** A relay whose time stands still: who is closed was late by that time, however slow the machine is. */
async function stillRelay(
  t: ExecutionContext,
  settings: Parameters<typeof startTestRelay>[1],
): Promise<StillRelay> {
  const clock = new VirtualClock();
  const relay = await startTestRelay(t, { limits, ...settings }, 1000, { clock });
  const wait = (milliseconds: number) => {
    clock.advance(milliseconds);
    return quiescence(relay.relay.system);
  };
  return { ...relay, wait };
}

/** The state of the one connection that there is. */
function theConnection({ relay }: TestRelay): Connection {
  const [only, ...others] = [...relay.system.processes.values()]
    .map((process) => (process as { readonly state?: unknown }).state)
    .filter((state) => state instanceof Connection);
  if (only === undefined || others.length > 0) throw new Error('there is not one connection');
  return only;
}

/** A way to the relay that can hold what is written, as a slow line would, and let so many bytes of it pass. */
interface HeldLine {
  write(bytes: string | Buffer): void;
  until(text: string): Promise<string>;
  hold(): void;
  pass(bytes: number): void;
}

async function heldLine(t: ExecutionContext, port: number, ca: Buffer | null): Promise<HeldLine> {
  const raw = await connectRaw(t, port);
  let held: Buffer | null = null;
  const line = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      if (held === null) raw.send(chunk);
      else held = Buffer.concat([held, chunk]);
      done();
    },
  });
  raw.socket.on('data', (chunk) => line.push(chunk));
  const end = ca === null ? line : connectTls({ socket: line, host: '127.0.0.1', ca });
  end.on('error', () => undefined);
  const states = new Arrivals<string>('line');
  let text = '';
  end.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    states.push(text);
  });
  if (end instanceof TLSSocket) await new Promise((resolve) => end.once('secureConnect', resolve));
  return {
    write: (bytes) => end.write(bytes),
    until: (wanted) => states.find((state) => state.includes(wanted), wanted),
    hold: () => {
      held = Buffer.alloc(0);
    },
    pass: (bytes) => {
      if (held === null) throw new Error('nothing is held');
      raw.send(held.subarray(0, bytes));
      held = held.subarray(bytes);
    },
  };
}

/** A text frame of 126 to 65,535 bytes, its mask zero. */
function longFrame(text: string): Buffer {
  const head = Buffer.from([0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(text.length, 2);
  return Buffer.concat([head, Buffer.from(text)]);
}

let asked = 0;

/** The relay has read all that a client has said, and pongs, so far. */
async function isRead({ webSocket }: WsClient): Promise<void> {
  const mark = String(asked++);
  await new Promise<void>((resolve) => {
    webSocket.on('pong', (data) => {
      if (String(data) === mark) resolve();
    });
    webSocket.ping(mark);
  });
}

test('a client that answers pings stays, ping after ping', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const one = await connectWs(t, relay.port('pusu'));
  await relay.wait(PING);
  for (let pings = 1; pings <= 3; pings++) {
    await one.pings.count(() => true, pings);
    await isRead(one);
    await relay.wait(PONG);
    await relay.wait(PING - PONG);
  }
  one.send('{"type":"subscribe","channel":"c"}');
  t.is((await one.take(2))[1], '{"type":"subscribe_ok","channel":"c"}');
});

test('a client that answers no ping is closed when limits.pong is over, and not before: no pong', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const one = await connectWs(t, relay.port('pusu'), '/', { autoPong: false });
  t.is(await one.next(), '{"type":"hello"}');
  await relay.wait(PING - 1);
  await isRead(one);
  t.deepEqual(one.pings.all, []);
  await relay.wait(1);
  await one.pings.next();
  await relay.wait(PONG - 1);
  t.is(
    relay.log.all.find(({ msg }) => msg === 'closed'),
    undefined,
  );
  await relay.wait(1);
  t.like(await one.next(), { code: 1006 });
  t.like(await relay.closed(), { door: 'pusu', code: 1006, reason: 'no pong' });
});

test('a client that sends, and no pong, stays as long as it sends something after each ping', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const one = await connectWs(t, relay.port('pusu'), '/', { autoPong: false });
  await relay.wait(PING);
  for (let pings = 1; pings <= 3; pings++) {
    await one.pings.count(() => true, pings);
    await isRead(one);
    await relay.wait(PONG);
    await relay.wait(PING - PONG);
  }
  await relay.wait(PONG);
  t.like(await relay.closed(), { reason: 'no pong' });
});

for (const way of ['TCP', 'TLS'] as const) {
  test(`over ${way} a client stays whose one long frame comes slowly: no pong can be sent within it`, async (t) => {
    const certificate = selfSigned(t);
    const { cert, key } = certificate;
    const tls = way === 'TLS' ? { tls: { cert, key } } : {};
    const relay = await stillRelay(t, { doors: { pinghub: tls } });
    const line = await heldLine(t, relay.port('pinghub'), way === 'TLS' ? certificate.ca : null);
    line.write(upgradeRequest());
    await line.until('101');
    line.hold();
    line.write(longFrame('x'.repeat(10_000)));
    await relay.wait(PING);
    for (let beats = 1; beats <= 3; beats++) {
      const before = theConnection(relay).transport.socket;
      const received = bytesReceived(before);
      line.pass(1000);
      await eventually(() => bytesReceived(before) > received, 'the relay has read some of the frame');
      await relay.wait(PONG);
      await relay.wait(PING - PONG);
    }
    line.pass(Number.POSITIVE_INFINITY);
    await line.until('x'.repeat(10_000));
    await relay.wait(PONG);
    await relay.wait(PING - PONG);
    await relay.wait(PONG);
    t.like(await relay.closed(), { reason: 'no pong' });
  });
}

test('a reader stays who has a backlog before the ping and takes some of it, and is closed when it takes nothing', async (t) => {
  const relay = await stillRelay(t, { doors: { pinghub: {} } });
  const reader = await connectRaw(t, relay.port('pinghub'));
  reader.send(upgradeRequest());
  await reader.until('101');
  const connection = theConnection(relay);
  const { socket } = connection.transport;
  reader.socket.pause();
  const publisher = await connectWs(t, relay.port('pinghub'), '/t');
  // Until nothing moves any more, and more waits than a kernel would still find room for.
  while (connection.outflow.pending(0) < 120_000) {
    publisher.send('x'.repeat(60_000));
    await publisher.next();
  }
  await relay.wait(PING);
  await publisher.pings.next();
  await isRead(publisher);
  const taken = bytesTaken(socket);
  reader.socket.resume();
  await eventually(() => bytesTaken(socket) > taken, 'the reader has taken something');
  await relay.wait(PONG);
  await relay.wait(PING - PONG);
  t.is(
    relay.log.all.find(({ msg }) => msg === 'closed'),
    undefined,
  );
  await publisher.pings.next();
  await isRead(publisher);
  await eventually(() => socket.writableLength === 0, 'the reader has taken all');
  await relay.wait(PONG);
  await relay.wait(PING - PONG);
  await publisher.pings.next();
  await isRead(publisher);
  await relay.wait(PONG);
  t.like(await relay.closed(), { reason: 'no pong', in: 0 });
});

test('a reader stays who takes what the kernel has for it, and is closed when it takes nothing', async (t) => {
  // Longer than the time in which all that ask the kernel are put together.
  const relay = await stillRelay(t, { doors: { pinghub: {} }, limits: { ping: '10s', pong: '2s' } });
  const reader = await connectRaw(t, relay.port('pinghub'));
  reader.send(upgradeRequest());
  await reader.until('101');
  const connection = theConnection(relay);
  reader.socket.pause();
  const publisher = await connectWs(t, relay.port('pinghub'), '/t');
  for (let i = 0; i < 20; i++) {
    publisher.send('x'.repeat(60_000));
    await publisher.next();
  }
  t.is(connection.transport.socket.writableLength, 0);
  const looks = new Arrivals<Acknowledging>('looks');
  const { heartbeat } = connection;
  const acknowledged = heartbeat.acknowledged.bind(heartbeat);
  heartbeat.acknowledged = (socket, answer) => {
    acknowledged(socket, answer);
    looks.push(answer);
  };
  const isPinged = async () => {
    await publisher.pings.next();
    await isRead(publisher);
    await relay.wait(1000);
  };
  await relay.wait(10_000);
  await isPinged();
  const before = await looks.next();
  reader.socket.resume();
  await eventually(() => reader.received().length > 300_000, 'the reader has taken something');
  reader.socket.pause();
  await relay.wait(1000);
  await relay.wait(1000);
  t.true((await looks.next()).atLeast > before.atLeast);
  await relay.wait(1000);
  t.is(
    relay.log.all.find(({ msg }) => msg === 'closed'),
    undefined,
  );
  await relay.wait(8000);
  await isPinged();
  // Its pong is due, and again where the kernel still has much for it.
  await relay.wait(1000);
  await relay.wait(2000);
  t.like(await relay.closed(), { reason: 'no pong', in: 0 });
});

test('owner and subscribers of wspubsub are pinged too, and an owner that answers none leaves its topic', async (t) => {
  const relay = await stillRelay(t, { doors: { wspubsub: { apikeys, grace: '0s' } } });
  const owner = await connectWs(t, relay.port('wspubsub'), '/ws/pub/k/d/t', { autoPong: false });
  const subscriber = await connectWs(t, relay.port('wspubsub'), '/ws/sub/d/t');
  await relay.wait(PING);
  for (const one of [owner, subscriber]) await one.pings.next();
  await isRead(subscriber);
  await relay.wait(PONG);
  t.like(await relay.closed(), { reason: 'no pong' });
  // Once the topic has heard of it, and then at the end of a grace of nothing.
  for (let i = 0; i < 2; i++) await relay.wait(0);
  t.deepEqual(await subscriber.next(), { code: 1000, reason: 'topic ended' });
});

test('a pong that nobody asked for counts for nothing', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const raw = await connectRaw(t, relay.port('pusu'));
  raw.send(upgradeRequest());
  await raw.until('hello');
  raw.send(clientFrame('', 0xa));
  raw.send(clientFrame('{"type":"subscribe","channel":"c"}'));
  await raw.until('subscribe_ok');
  await relay.wait(PING);
  await raw.until('\x89');
  await relay.wait(PONG);
  t.like(await relay.closed(), { reason: 'no pong' });
});

test('without limits.ping nobody is pinged', async (t) => {
  const doors = { pusu: {}, pinghub: {} };
  const relay = await stillRelay(t, { doors, limits: { ping: '0s', pong: '10ms' } });
  const clients = [
    await connectWs(t, relay.port('pusu'), '/', { autoPong: false }),
    await connectWs(t, relay.port('pinghub'), '/', { autoPong: false }),
  ];
  for (let i = 0; i < 3; i++) await relay.wait(60_000);
  for (const one of clients) {
    await isRead(one);
    t.deepEqual(one.pings.all, []);
  }
});

test('a stream gets a comment at each limits.ping, between events, and is never asked for a pong', async (t) => {
  const relay = await stillRelay(t, { doors: { pinghub: {} } });
  const stream = await connectRaw(t, relay.port('pinghub'));
  stream.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  const head = (await stream.until('\r\n\r\n')).length;
  const comments = (text: string) => text.slice(head).split(':\n\n').length - 1;
  const before = comments(stream.received());
  for (let beats = 1; beats <= 3; beats++) {
    await relay.wait(PING - 1);
    t.is(comments(stream.received()), before + beats - 1);
    await relay.wait(1);
    await eventually(() => comments(stream.received()) === before + beats, 'a comment');
  }
  await post(relay.port('pinghub'), '/t', 'event');
  await stream.until('data: event\n\n');
  await relay.wait(PING);
  await stream.until('data: event\n\n:\n\n');
});

test('pings that a reload takes away are not sent, and those that it brings are, on open connections too', async (t) => {
  const relay = await stillRelay(t, { doors: { pinghub: {} } });
  const reloaded = (ping: string) =>
    relay.relay.reload(() => ({
      ok: true,
      config: testConfig({ doors: { pinghub: {} }, limits: { ping, pong: `${PONG}ms` } }),
    }));
  const one = await connectWs(t, relay.port('pinghub'), '/t', { autoPong: false });
  const stream = await connectRaw(t, relay.port('pinghub'));
  stream.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  await stream.until('\r\n\r\n');
  await reloaded('0s');
  const before = stream.received();
  for (let i = 0; i < 3; i++) await relay.wait(60_000);
  await isRead(one);
  t.deepEqual(one.pings.all, []);
  t.is(stream.received(), before);
  await reloaded(`${PING}ms`);
  for (let i = 0; i < 3; i++) await relay.wait(10_000);
  await one.pings.next();
  await stream.until(':\n\n');
  t.pass();
});

test('without limits.ping the kernel itself probes whoever is quiet', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} }, limits: { ping: 0 } });
  const port = relay.port('pinghub');
  await connectWs(t, port, '/t');
  const stream = await connectRaw(t, port);
  stream.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  await stream.until('\r\n\r\n');
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // Established, and the timer that runs is that of keep-alive (proc_pid_net(5)).
  const probed = new RegExp(`^ *\\d+: \\w+:${hex} \\w+:\\w+ 01 \\w+:\\w+ 02:`, 'gm');
  const count = () => [...readFileSync('/proc/self/net/tcp', 'latin1').matchAll(probed)].length;
  await eventually(() => count() === 2, 'both are probed');
  t.pass();
});
