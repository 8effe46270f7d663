import { createServer } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { WebSocketServer } from 'ws';
import { Arrivals } from '../support/arrivals.ts';
import { freePorts, SECRET } from '../support/cluster.ts';
import { rawExchange, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { dial, introduce, why } from '../support/scripted-peer.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs } from '../support/ws-client.ts';

/** A relay of this release, whose other relay is at `peer`. */
async function relayOf(t: ExecutionContext, peer?: number): Promise<TestRelay> {
  const [port, nobody] = await freePorts(2);
  const settings = {
    relays: [`127.0.0.1:${port}`, `127.0.0.1:${peer ?? nobody}`],
    network: { host: '127.0.0.1', port, secret: SECRET, timeout: peer === undefined ? '30s' : '2s' },
    doors: { pusu: {} },
  };
  // A scripted relay has no heartbeat: it must not be taken for dead in the middle, nor be late on a busy machine. One
  // that is dialled is tried again in time.
  const options = peer === undefined ? { clock: new VirtualClock() } : {};
  return startTestRelay(t, settings, 1000, options);
}

test('a relay of the next release or the one before is spoken with in the highest version of both, and messages flow', async (t) => {
  const relay = await relayOf(t);
  const offers: readonly (readonly [readonly string[], string])[] = [
    [['fanfare.peer.3', 'fanfare.peer.2'], 'fanfare.peer.2'],
    [['fanfare.peer.2', 'fanfare.peer.3'], 'fanfare.peer.2'],
    [['fanfare.peer.1', 'fanfare.peer.2'], 'fanfare.peer.2'],
    [['fanfare.peer.1'], 'fanfare.peer.1'],
  ];
  for (const [index, [versions, taken]] of offers.entries()) {
    const next = await dial(t, relay, versions);
    t.is(next.socket.protocol, taken);
    t.is(why(await introduce(t, next, `next-${index}`, 'i')), 'welcome');
    const messages = new Arrivals<Buffer>('messages');
    next.socket.on('message', (payload: Buffer) => {
      if (payload[0] === 16) messages.push(payload);
    });
    next.send({
      type: 'interest',
      version: 1,
      begin: true,
      end: true,
      add: [{ realm: 'main', name: 'news' }],
      drop: [],
    });
    await next.frames.find((frame) => frame !== 'closed' && frame.type === 'confirm');
    const client = await connectWs(t, relay.port('pusu'));
    client.send('{"type":"publish","channel":"news","content":"Hello"}');
    t.true((await messages.next()).includes('"Hello"'));
  }
});

test('who speaks no version of ours is refused, both sides are named to it and in the log, and it gets no more than it has sent', async (t) => {
  const relay = await relayOf(t);
  for (const [offer, theirs] of [
    ['fanfare.peer.3', '3'],
    ['fanfare.peer.4, fanfare.peer.3', '4, 3'],
  ] as const) {
    const request = upgradeRequest({ 'Sec-WebSocket-Protocol': offer });
    const answer = await rawExchange(t, relay.port('network'), request);
    const said = `peer protocol versions offered: ${theirs}; spoken here: 1, 2`;
    t.true(answer.startsWith('HTTP/1.1 400 ') && answer.endsWith(said), answer);
    t.true(answer.length <= request.length);
    await relay.log.find((line) => line.msg === 'relay refused' && line['why'] === said);
  }
});

/** The network port of a relay of another release. `take`: the version that it takes of those offered; null: none. */
async function otherRelease(
  t: ExecutionContext,
  take: string | null,
): Promise<{ readonly port: number; readonly offers: Arrivals<string>; readonly times: readonly number[] }> {
  const times: number[] = [];
  const offers = new Arrivals<string>('offers');
  const hellos = new WebSocketServer({ noServer: true, handleProtocols: () => take ?? false });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    times.push(performance.now());
    offers.push(String(request.headers['sec-websocket-protocol']));
    if (take !== null) {
      hellos.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', () => offers.push('hello'));
        t.teardown(() => webSocket.terminate());
      });
      return;
    }
    const text = 'peer protocol versions offered: 1, 2; spoken here: 4, 3';
    socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  });
  const [port = 0] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { port, offers, times };
}

test('it offers what it speaks to another release, and goes on with what is taken of it', async (t) => {
  const other = await otherRelease(t, 'fanfare.peer.1');
  await relayOf(t, other.port);
  t.is(await other.offers.next(), 'fanfare.peer.1,fanfare.peer.2');
  t.is(await other.offers.next(), 'hello');
});

test('refused by another release, it says why in its log, with the versions of both', async (t) => {
  const other = await otherRelease(t, null);
  const relay = await relayOf(t, other.port);
  const line = await relay.log.find(({ msg }) => msg === 'not linked');
  t.regex(JSON.stringify(line), /versions offered: 1, 2; spoken here: 4, 3/);
});

test('a relay that cannot be linked is tried again and again, later each time, and that is said once', async (t) => {
  const other = await otherRelease(t, null);
  const relay = await relayOf(t, other.port);
  await other.offers.take(4);
  const { times } = other;
  for (const [index, wait] of [500, 1000, 2000].entries()) {
    const gap = (times[index + 1] ?? 0) - (times[index] ?? 0);
    // Shortened by chance, by up to a half; a timer may fire a moment early.
    t.true(gap > wait / 2 - 5, `${gap} ms`);
  }
  const said = relay.log.all.filter(
    ({ msg, address }) => msg === 'not linked' && address === `127.0.0.1:${other.port}`,
  );
  t.is(said.length, 1);
});

test('a release that takes a version that was not offered is not spoken to', async (t) => {
  const other = await otherRelease(t, 'fanfare.peer.3');
  const relay = await relayOf(t, other.port);
  const line = await relay.log.find(
    (one) => one.msg === 'not linked' && one['address'] === `127.0.0.1:${other.port}`,
  );
  t.regex(String(line['why']), /subprotocol/);
  t.false(other.offers.all.includes('hello'));
});
