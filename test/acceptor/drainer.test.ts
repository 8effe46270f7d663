import test from 'ava';
import { portionOf } from '../../src/acceptor/drainer.ts';
import { isBalanced, startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

test('a thousand connections are told at once, more of them in portions over half of the time', (t) => {
  t.is(portionOf(1000, 30_000), 1000);
  // 150 portions, a tenth of a second apart.
  t.is(portionOf(1001, 30_000), 7);
  t.is(portionOf(10_000, 30_000), 67);
  t.is(portionOf(10_000, 0), 67);
  t.is(portionOf(10_000, 100), 10_000);
});

test('a drain tells who moved, what was flushed, and what was dropped', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const clients = await Promise.all(Array.from({ length: 3 }, () => connectWs(t, relay.port('pusu'))));
  for (const one of clients) {
    await one.next();
    one.send('{"type":"subscribe","channel":"c"}');
    await one.next();
  }
  clients[0]?.send('{"type":"publish","channel":"c","content":1}');
  await Promise.all(clients.map((one) => one.next()));
  relay.relay.stop();
  await relay.relay.ended;
  for (const one of clients) t.deepEqual(await one.next(), { code: 1001, reason: 'going away' });
  t.like(await relay.log.find(({ msg }) => msg === 'drained'), {
    connections: 3,
    left: 0,
    moved: 3,
    flushed: 0,
    dropped: 0,
  });
  t.true(isBalanced(relay.accounting));
});
