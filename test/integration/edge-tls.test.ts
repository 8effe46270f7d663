import { copyFileSync, writeFileSync } from 'node:fs';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { type Certificate, selfSigned } from '../support/certificate.ts';
import { ask, clientFrame, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { isBalanced, startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

type Settings = Parameters<typeof startTestRelay>[1];

const keyed = { apikeys: { list: [{ domain: 'a.com', key: 'key-a' }] } };

async function open(
  t: ExecutionContext,
  more: Settings = {},
): Promise<{ relay: TestRelay; certificate: Certificate }> {
  const certificate = selfSigned(t);
  const { cert, key } = certificate;
  const tls = { tls: { cert, key } };
  const doors = { pusu: tls, wspubsub: { ...tls, ...keyed }, pinghub: tls };
  return { relay: await startTestRelay(t, { doors, ...more }), certificate };
}

const wss = (relay: TestRelay, door: string): string => `wss://127.0.0.1:${relay.port(door)}`;

async function tlsSocket(t: ExecutionContext, port: number, ca: Buffer): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', ca });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

test('pusu: a session over wss', async (t) => {
  const { relay, certificate } = await open(t);
  const client = await connectWs(t, wss(relay, 'pusu'), '/', { ca: certificate.ca });
  client.send('{"type":"subscribe","channel":"c"}', '{"type":"publish","channel":"c","content":"é"}');
  t.deepEqual(await client.take(3), [
    '{"type":"hello"}',
    '{"type":"subscribe_ok","channel":"c"}',
    '{"type":"publish","channel":"c","content":"é"}',
  ]);
  client.send('?');
  t.deepEqual(await client.take(2), [
    '{"type":"unknown_message_received"}',
    { code: 1008, reason: 'unknown_message_received' },
  ]);
});

test('wspubsub: a publisher and a subscriber over wss', async (t) => {
  const {
    relay,
    certificate: { ca },
  } = await open(t);
  const owner = await connectWs(t, wss(relay, 'wspubsub'), '/ws/pub/key-a/a.com/news', { ca });
  const subscriber = await connectWs(t, wss(relay, 'wspubsub'), '/ws/sub/a.com/news', { ca });
  owner.send('one', Buffer.from([0, 1]));
  t.deepEqual(await subscriber.take(2), ['one', Buffer.from([0, 1])]);
});

test('pinghub: WebSocket over wss, POST, page and events over https', async (t) => {
  const {
    relay,
    certificate: { ca },
  } = await open(t);
  const port = relay.port('pinghub');
  const client = await connectWs(t, wss(relay, 'pinghub'), '/t', { ca });
  const events = await tlsSocket(t, port, ca);
  events.write('GET /t HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
  let got = '';
  const arrived = new Promise<void>((resolve) => {
    events.on('data', (chunk: Buffer) => {
      got += chunk.toString();
      if (got.includes('text/event-stream') && !got.includes('data:')) void post();
      if (got.includes('data: posted')) resolve();
    });
  });
  let posted = false;
  const post = async () => {
    if (posted) return;
    posted = true;
    t.is((await ask(port, '/t', { method: 'POST', body: 'posted', ca })).status, 200);
  };
  await arrived;
  t.is(await client.next(), 'posted');
  t.regex((await ask(port, '/t', { ca })).body, /<html/i);
});

test('a client that does not speak TLS, or does not trust the certificate, is turned away and counted', async (t) => {
  const { relay } = await open(t);
  const plain = await connectRaw(t, relay.port('pusu'));
  plain.send(upgradeRequest());
  await plain.end();
  await t.throwsAsync(connectWs(t, wss(relay, 'pusu'), '/', {}), { message: /self-signed/ });
  await eventually(() => relay.relay.refusals.tls === 2, 'both are counted');
});

test('a client that is silent before TLS is given the time of a handshake', async (t) => {
  const { relay } = await open(t, { limits: { handshake: '50ms' } });
  t.is(await (await connectRaw(t, relay.port('pusu'))).end(), '');
});

test('connections over TLS are counted and given back', async (t) => {
  const {
    relay,
    certificate: { ca },
  } = await open(t, { limits: { connections: 1 } });
  const first = await connectWs(t, wss(relay, 'pinghub'), '/t', { ca });
  await t.throwsAsync(connectWs(t, wss(relay, 'pinghub'), '/t', { ca }));
  t.is(relay.relay.refusals.full, 1);
  await first.leave();
  await relay.closed();
  let second: WsClient | undefined;
  while (second === undefined)
    second = await connectWs(t, wss(relay, 'pinghub'), '/t', { ca }).catch(() => undefined);
  second.send('x');
  t.is(await second.next(), 'x');
});

test('certificate and key are read again on demand, and connections go on', async (t) => {
  const folder = temporaryFolder(t);
  const old = selfSigned(t, 'old', folder);
  const { cert, key } = old;
  const settings = { doors: { pinghub: { tls: { cert, key } } } };
  const relay = await startTestRelay(t, settings);
  const reread = () => relay.relay.reload(() => ({ ok: true, config: testConfig(settings) }));
  const port = relay.port('pinghub');
  const before = await connectWs(t, wss(relay, 'pinghub'), '/t', { ca: old.ca });
  const renewed = selfSigned(t, 'new');
  copyFileSync(renewed.cert, cert);
  copyFileSync(renewed.key, key);
  await reread();
  await relay.log.find(({ msg }) => msg === 'certificate read');
  t.is((await tlsSocket(t, port, renewed.ca)).getPeerCertificate().subject.CN, 'new');
  before.send('still here');
  t.is(await before.next(), 'still here');

  writeFileSync(cert, 'no certificate');
  await reread();
  const kept = await relay.log.find(({ msg }) => msg === 'the certificate stays the old one');
  t.deepEqual(kept['expected'], 'a file with a certificate in PEM');
  t.is((await tlsSocket(t, port, renewed.ca)).getPeerCertificate().subject.CN, 'new');
});

test('a subscriber over TLS that reads nothing is closed as slow, its neighbours get all, and all is accounted for', async (t) => {
  const {
    relay,
    certificate: { ca },
  } = await open(t, { limits: { pending: '128KiB', message: '32KiB', write_stall: '30s' } });
  const neighbour = await connectWs(t, wss(relay, 'pinghub'), '/t', { ca });
  const deaf = await tlsSocket(t, relay.port('pinghub'), ca);
  deaf.write(upgradeRequest());
  await new Promise((resolve) => deaf.once('data', resolve));
  deaf.pause();
  const payload = 'x'.repeat(32 * 1024);
  // More than the buffers of both ends take.
  for (let n = 0; n < 400; n++) {
    neighbour.send(payload);
    t.is(await neighbour.next(), payload);
  }
  t.like(await relay.closed(), { code: 1013, reason: 'slow', level: 'info' });
  const last = await connectWs(t, wss(relay, 'pinghub'), '/t', { ca });
  last.send('the end');
  t.is(await neighbour.next(), 'the end');
  t.is(await last.next(), 'the end');
  await eventually(() => isBalanced(relay.accounting), 'attempts are deliveries and drops');
  t.true(relay.accounting.dropped.slow > 0);
});

test('a subscriber over TLS whose writes make no progress is closed as slow, whatever may be pending', async (t) => {
  const {
    relay,
    certificate: { ca },
  } = await open(t, { limits: { pending: 0, write_stall: '3s' } });
  const neighbour = await connectWs(t, wss(relay, 'pinghub'), '/t', { ca });
  const deaf = await tlsSocket(t, relay.port('pinghub'), ca);
  deaf.write(upgradeRequest());
  await new Promise((resolve) => deaf.once('data', resolve));
  deaf.pause();
  const messages = Array.from({ length: 300 }, (_, n) => `${n}`.padEnd(32 * 1024));
  neighbour.send(...messages);
  t.deepEqual(await neighbour.take(300), messages);
  t.like(await relay.closed(), { code: 1013, reason: 'slow', level: 'info' });
  await eventually(() => isBalanced(relay.accounting), 'attempts are deliveries and drops');
  t.true(relay.accounting.dropped.slow > 0);
});

test('a subscriber over TLS that reads slowly gets everything, in order', async (t) => {
  const {
    relay,
    certificate: { ca },
  } = await open(t);
  const slow = await tlsSocket(t, relay.port('pinghub'), ca);
  slow.write(upgradeRequest());
  const fast = await connectWs(t, wss(relay, 'pinghub'), '/t', { ca });
  const count = 300;
  const wanted = Array.from({ length: count }, (_, n) => `${n}:${'y'.repeat(8000)}`);
  let bytes = 0;
  const done = new Promise<void>((resolve) => {
    let got = '';
    slow.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      bytes += chunk.length;
      slow.pause();
      setImmediate(() => slow.resume());
      if (got.includes(`${count - 1}:${'y'.repeat(8000)}`)) {
        t.deepEqual(
          [...got.matchAll(/(\d+):y+/g)].map(([, n]) => Number(n)),
          wanted.map((_, n) => n),
        );
        resolve();
      }
    });
  });
  await eventually(() => bytes > 0, 'the upgrade');
  fast.send(...wanted);
  await done;
  t.deepEqual(await fast.take(count), wanted);
  slow.end(clientFrame('', 8));
});
