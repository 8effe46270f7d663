import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { ask, connectRaw, post, rawExchange } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';

// Where the pinghub door is to be found: its metrics port, and its UNIX socket.

test('the metrics port gives sorted lines to whoever connects, and then the end', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {}, pusu: {} } });
  const read = () => rawExchange(t, relay.port('pinghub-metrics'), '');
  const lines = (channels: number, webSockets: number) =>
    `channels.value ${channels}\ndrops5m.value 0.000\npostmsgs5m.value 0.000\nsends5m.value 0.000\n` +
    `websocketmsgs5m.value 0.000\nwebsockets.value ${webSockets}\n`;
  t.is(await read(), lines(0, 0));
  const one = await connectWs(t, relay.port('pinghub'), '/a');
  await connectWs(t, relay.port('pinghub'), '/a');
  await connectWs(t, relay.port('pinghub'), '/b');
  t.is(await read(), lines(2, 3));
  // Of this door alone.
  const pusu = await connectWs(t, relay.port('pusu'), '/');
  pusu.send('{"type":"subscribe","channel":"c"}');
  await pusu.take(2);
  t.is(await read(), lines(2, 3));
  await one.leave();
  await relay.closed();
  t.is(await read(), lines(2, 2));
});

test('the metrics port does not wait for those who send', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const answer = await rawExchange(t, relay.port('pinghub-metrics'), 'GET / HTTP/1.1\r\n\r\n');
  t.regex(answer, /^channels\.value 0\n/);
});

/** Has read its answer, and keeps its side of the connection open. */
async function keeper(t: ExecutionContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.on('end', resolve));
  return socket;
}

test('clients that have their answer and do not leave keep nobody out of the metrics port', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const port = relay.port('pinghub-metrics');
  for (let i = 0; i < 150; i++) await keeper(t, port);
  t.regex(await rawExchange(t, port, ''), /^channels\.value 0\n/);
});

test('a client of the metrics port that goes on sending is let go', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const socket = await keeper(t, relay.port('pinghub-metrics'));
  const sending = setInterval(() => socket.write('x'), 100);
  await new Promise((resolve) => socket.on('close', resolve));
  clearInterval(sending);
  t.pass();
});

test('metrics can be switched off', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: { metrics_port: false } } });
  t.throws(() => relay.port('pinghub-metrics'));
});

test('a UNIX socket takes the place of the port, and everything works over it', async (t) => {
  const path = join(temporaryFolder(t), 'pinghub.sock');
  const relay = await startTestRelay(t, { doors: { pinghub: { socket: path } } });
  await relay.log.find(({ msg, ...fields }) => msg === 'listening' && fields['socket'] === path);
  t.is(statSync(path).mode & 0o777, 0o777);
  const one = await connectWs(t, `ws+unix:${path}:`, '/t');
  t.is((await post(path, '/t', 'posted')).status, 200);
  t.is(await one.next(), 'posted');
  t.is((await ask(path, '/t')).status, 200);
  const raw = await connectRaw(t, path);
  raw.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  await raw.until('\r\n\r\n');
  one.send('streamed');
  await raw.until('data: streamed\n\n');
  await one.leave();
  t.like(await relay.closed(), { door: 'pinghub', address: 'local' });
});

test('the socket file that a killed relay has left is taken over, one that is answered at is not', async (t) => {
  const path = join(temporaryFolder(t), 'pinghub.sock');
  const settings = { doors: { pinghub: { socket: path } } };
  const file = configFile(
    t,
    JSON.stringify({
      network: { port: 0 },
      admin: { port: 0 },
      doors: { pinghub: { socket: path, metrics_port: false } },
    }),
  );
  const killed = runRelay(t, ['--config', file]);
  await killed.log.find(({ msg }) => msg === 'ready');
  await t.throwsAsync(startTestRelay(t, settings), { message: /the address is in use/ });
  killed.signal('SIGKILL');
  await killed.exited;
  t.true(existsSync(path));
  await startTestRelay(t, settings);
  t.is((await post(path, '/t', 'x')).status, 200);
});

test('a file that is no socket is not touched', async (t) => {
  const path = join(temporaryFolder(t), 'precious');
  writeFileSync(path, 'x');
  await t.throwsAsync(startTestRelay(t, { doors: { pinghub: { socket: path } } }), {
    message: /cannot listen on .*precious/,
  });
  t.is(statSync(path).size, 1);
});

test('a relay that stops removes its socket file', async (t) => {
  const path = join(temporaryFolder(t), 'pinghub.sock');
  const { relay } = await startTestRelay(t, { doors: { pinghub: { socket: path } } });
  relay.stop();
  await relay.ended;
  await eventually(() => !existsSync(path), 'the socket file is gone');
  t.pass();
});
