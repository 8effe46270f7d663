import test from 'ava';
import type { Connection } from '../../src/connection/connection.ts';
import { exit } from '../../src/otp/signal.ts';
import { eventually } from '../support/arrivals.ts';
import { crowd, hasAllInOrder, quietAccount } from '../support/promises.ts';
import { connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { isBalanced, startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

test('many publishers of one topic: what all have got is what was delivered and what was attempted', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const people = await crowd(t, relay.port('pinghub'), '/t', { readers: 10, publishers: 10 });
  const everybody = [...people.readers, ...people.publishers];
  await people.publish(200);
  await people.heard(everybody);
  await quietAccount(relay);
  for (const { got } of everybody) t.true(hasAllInOrder(got.all, people.sent));
  for (const { got } of everybody) t.deepEqual(got.all, everybody[0]?.got.all);
  const { messages, attempts, delivered, dropped, lost } = relay.accounting;
  t.deepEqual({ messages, attempts, delivered }, { messages: 2000, attempts: 40_000, delivered: 40_000 });
  t.true([...Object.values(dropped), ...Object.values(lost)].every((count) => count === 0));
});

test('members that come, leave and break under load: the account stays exact, those who stay miss nothing', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const { system, topics } = relay.relay;
  const idle = system.processes.size;
  const port = relay.port('pinghub');
  const people = await crowd(t, port, '/t', { readers: 5, publishers: 3 });
  const everybody = [...people.readers, ...people.publishers];
  const passing: Promise<void>[] = [];
  await people.publish(600, (round) => {
    passing.push(
      connectWs(t, port, '/t').then(async (one) => {
        await one.next();
        if (round % 3 === 0) one.webSocket.terminate();
        else if (round % 3 === 1) one.webSocket.close();
        else (one.webSocket as unknown as { _socket: { resetAndDestroy(): void } })._socket.resetAndDestroy();
      }),
    );
  });
  let passed = false;
  const all = Promise.all(passing).then(() => {
    passed = true;
  });
  while (!passed) await people.publish(20);
  await all;
  await people.heard(everybody);
  await quietAccount(relay);
  for (const { got } of everybody) t.true(hasAllInOrder(got.all, people.sent));
  const sent = people.sent.flat().length;
  t.is(relay.accounting.messages, sent);
  t.true(relay.accounting.delivered > 8 * sent);
  for (const one of everybody) one.webSocket.close();
  await eventually(() => system.processes.size === idle, 'no process is left of them');
  t.deepEqual([...topics.all()], []);
  t.true(isBalanced(relay.accounting));
});

test('doors of one realm: what a door cannot carry is counted for each of its members', async (t) => {
  const relay = await startTestRelay(t, {
    doors: {
      pusu: {},
      pinghub: {},
      wspubsub: { realm: 'main', apikeys: { list: [{ domain: 'd', key: 'k' }] } },
    },
  });
  const owner = await connectWs(t, relay.port('wspubsub'), '/ws/pub/k/d/t');
  const sub = await connectWs(t, relay.port('wspubsub'), '/ws/sub/d/t');
  const pusu = [await connectWs(t, relay.port('pusu')), await connectWs(t, relay.port('pusu'))];
  for (const one of pusu) {
    one.send('{"type":"subscribe","channel":"d/t"}');
    await one.take(2);
  }
  const ping = await connectWs(t, relay.port('pinghub'), '/d/t');
  const stream = await connectRaw(t, relay.port('pinghub'));
  stream.send('GET /d/t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  await stream.until('\r\n\r\n');
  owner.send(Buffer.from([0xff, 0xfe]), '', 'text');
  t.deepEqual(await sub.take(3), [Buffer.from([0xff, 0xfe]), '', 'text']);
  t.is(await ping.next(), 'text');
  await stream.until('data: text\n\n');
  await pusu[1]?.take(2);
  await quietAccount(relay);
  const { messages, attempts, delivered, dropped } = relay.accounting;
  // Binary: 5 members, 4 of which cannot have it. Empty: nothing at all for pinghub's two. Text: all 5.
  t.deepEqual({ messages, attempts, delivered }, { messages: 3, attempts: 5 + 3 + 5, delivered: 1 + 3 + 5 });
  t.is(dropped.undeliverable, 4);
});

test('a relay that stops under load has counted everything in the end', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const people = await crowd(t, relay.port('pinghub'), '/t', { readers: 5, publishers: 3 });
  await people.publish(400, (round) => {
    if (round === 10) relay.relay.stop();
  });
  await relay.relay.ended;
  await eventually(
    () => people.readers.every(({ got }) => typeof got.all.at(-1) === 'object'),
    'all are told to go',
  );
  for (const { got } of people.readers) t.deepEqual(got.all.at(-1), { code: 1001, reason: 'going away' });
  t.true(isBalanced(relay.accounting));
  t.is(relay.log.all.filter(({ msg }) => msg === 'closed').length, 8);
  const { delivered, dropped } = relay.accounting;
  const heard = [...people.readers, ...people.publishers].reduce(
    (sum, { got }) => sum + got.all.length - 1,
    0,
  );
  t.is(dropped.slow + dropped.crash, 0);
  t.true(heard <= delivered);
});

test('what a client that does not read was to get is counted when its handler is killed, even if there is no supervisor any more to hear of it', async (t) => {
  const relay = await startTestRelay(t, { limits: { pending: '64MiB' }, doors: { pinghub: {} } });
  const port = relay.port('pinghub');
  const reader = await connectRaw(t, port);
  reader.send(upgradeRequest({}, 'GET /t HTTP/1.1'));
  await reader.until('\r\n\r\n');
  reader.socket.removeAllListeners('data');
  reader.socket.pause();
  const handler = [...relay.relay.system.processes.values()].find(
    ({ behaviour }) => behaviour.name === 'connection-handler',
  );
  if (handler?.parent === undefined) throw new Error('nobody handles the client');
  const publisher = await connectWs(t, port, '/t');
  const { outflow } = handler.state as Connection;
  await eventually(() => {
    if (publisher.webSocket.bufferedAmount === 0) publisher.send('x'.repeat(60_000));
    return outflow.writing && outflow.pending(0) > 0;
  }, 'something is under way, and something waits');
  exit(handler.parent, 'kill');
  exit(handler, 'kill');
  await eventually(() => isBalanced(relay.accounting), 'the counts are balanced');
  t.true(relay.accounting.dropped.crash >= 2);
});
