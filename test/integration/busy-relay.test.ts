import test, { type ExecutionContext } from 'ava';
import type { Connection } from '../../src/connection/connection.ts';
import { resume, suspend } from '../../src/otp/sys.ts';
import { eventually } from '../support/arrivals.ts';
import { clientFrame, connectRaw, type RawClient, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

// A relay with much to do comes late: what happened at a socket meanwhile has happened before anybody listened there.

/** Lets the processes whose names begin so handle nothing, until the function that comes back is called. */
function hold(relay: TestRelay, prefix: string): () => void {
  const held = [...relay.relay.system.names].filter(([name]) => name.startsWith(prefix));
  if (held.length === 0) throw new Error(`no process is called ${prefix}`);
  for (const [, pid] of held) suspend(pid);
  return () => {
    for (const [, pid] of held) resume(pid);
  };
}

/** Waits until the relay's side has seen what the clients did: whoever comes later has been answered. */
async function seen(t: ExecutionContext, relay: TestRelay): Promise<void> {
  const later = await connectRaw(t, relay.port('pinghub-metrics'));
  await later.end();
}

function reset(clients: readonly RawClient[]): Promise<unknown> {
  return Promise.all(
    clients.map((client) => {
      client.socket.resetAndDestroy();
      return client.end();
    }),
  );
}

const handlers = (relay: TestRelay) =>
  [...relay.relay.system.processes.values()].filter(
    ({ behaviour }) => behaviour.name === 'connection-handler',
  ).length;

test('a connection that is gone before it was judged takes nobody’s place', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} }, limits: { connections: 3 } });
  const release = hold(relay, 'listener.pinghub');
  const gone = await Promise.all(Array.from({ length: 3 }, () => connectRaw(t, relay.port('pinghub'))));
  await reset(gone);
  await seen(t, relay);
  release();
  for (let i = 0; i < 3; i++) await connectWs(t, relay.port('pinghub'), '/t');
  t.is(handlers(relay), 3);
});

test('a client that is gone before its handler has started leaves none behind', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {}, pusu: {} } });
  const release = hold(relay, 'connections.');
  const requests: readonly (readonly [door: string, bytes: string])[] = [
    ['pusu', upgradeRequest()],
    ['pinghub', upgradeRequest()],
    ['pinghub', 'GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n'],
    ['pinghub', 'POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'],
    ['pinghub', 'POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell'],
  ];
  const clients = await Promise.all(
    requests.map(async ([door, bytes]) => {
      const client = await connectRaw(t, relay.port(door));
      client.send(bytes);
      return client;
    }),
  );
  await seen(t, relay);
  await reset(clients);
  await seen(t, relay);
  release();
  const one = connectWs(t, relay.port('pusu'));
  t.is(await (await one).next(), '{"type":"hello"}');
  await eventually(() => handlers(relay) === 1, 'the handlers of the others are gone');
  t.deepEqual(
    relay.log.all.filter(({ msg }) => msg.endsWith('report')),
    [],
  );
});

test('a request that came with a connection that is not admitted is not handled', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} }, limits: { connections: 1 } });
  const one = await connectWs(t, relay.port('pinghub'), '/t');
  const release = hold(relay, 'listener.pinghub');
  const clients = await Promise.all(Array.from({ length: 3 }, () => connectRaw(t, relay.port('pinghub'))));
  for (const client of clients) client.send('POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nnot');
  await seen(t, relay);
  release();
  for (const client of clients) t.regex(await client.end(), /^HTTP\/1\.1 503 (?![\s\S]*HTTP\/1\.1)/);
  one.send('marker');
  t.is(await one.next(), 'marker');
});

for (const [kind, frame] of [
  ['messages', clientFrame('x')],
  ['pongs that nobody asked for', clientFrame('', 0xa)],
] as const) {
  test(`a flood of ${kind} is read no faster than its handler takes it, and none is refused`, async (t) => {
    const FLOOD = 300_000;
    const relay = await startTestRelay(t, { doors: { pinghub: {} } });
    const { system } = relay.relay;
    const client = await connectRaw(t, relay.port('pinghub'));
    client.send(upgradeRequest());
    await client.until('\r\n\r\n');
    const handler = [...system.processes.values()].find(
      ({ behaviour }) => behaviour.name === 'connection-handler',
    );
    if (handler === undefined) throw new Error('no handler');
    suspend(handler);
    client.socket.resume();
    client.send(Buffer.alloc(FLOOD * frame.length, frame));
    client.send(clientFrame('last'));
    const { socket } = (handler.state as Connection).transport;
    await eventually(() => socket.isPaused() || handler.mailboxLength > FLOOD / 2, 'the reading is paused');
    // What is paused between two reads has the rest of one read behind it: 64 KiB.
    t.true(handler.mailboxLength <= 2048 + 65536 / frame.length);
    resume(handler);
    await client.until('last');
    const messages = kind === 'messages' ? FLOOD + 1 : 1;
    t.is(relay.accounting.messages, messages);
    t.is(relay.accounting.delivered, messages);
    t.is(system.counters.refused, 0);
  });
}
