import test from 'ava';
import { type DrainerArgs, drainer, portionOf } from '../../src/acceptor/drainer.ts';
import { isAlive, type Pid } from '../../src/otp/process.ts';
import { processName } from '../../src/otp/registry.ts';
import { exit } from '../../src/otp/signal.ts';
import { suspend } from '../../src/otp/sys.ts';
import { ask } from '../support/admin.ts';
import { spawnOk, spawnScripted, testSystem } from '../support/otp.ts';
import { isBalanced, startTestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs } from '../support/ws-client.ts';

test('a thousand connections are told at once, more of them in portions over half of the time', (t) => {
  t.is(portionOf(1000, 30_000), 1000);
  // 150 portions, a tenth of a second apart.
  t.is(portionOf(1001, 30_000), 7);
  t.is(portionOf(10_000, 30_000), 67);
  t.is(portionOf(10_000, 0), 67);
  t.is(portionOf(10_000, 100), 10_000);
});

test('in the delay of a drain readiness is red and clients are let in; then it drains', async (t) => {
  const clock = new VirtualClock();
  const settings = { doors: { pusu: {} }, limits: { drain_delay: '15s' } };
  const { relay, log, port } = await startTestRelay(t, settings, 1000, { clock });
  relay.stop();
  t.like(await log.find(({ msg }) => msg === 'leaving'), { drainDelayMs: 15_000 });
  const health = await ask(port('admin'), '/health/ready');
  t.is(health.status, 503);
  t.regex(health.body, /"why":"draining"/);
  clock.advance(14_999);
  const late = await connectWs(t, port('pusu'));
  t.is(await late.next(), '{"type":"hello"}');
  clock.advance(1);
  t.deepEqual(await late.next(), { code: 1001, reason: 'going away' });
  await relay.ended;
});

test('a second stop cuts the delay of a drain short', async (t) => {
  const settings = { doors: { pusu: {} }, limits: { drain_delay: '15s' } };
  const { relay, log, port } = await startTestRelay(t, settings, 1000, { clock: new VirtualClock() });
  const one = await connectWs(t, port('pusu'));
  await one.next();
  relay.stop();
  t.true(relay.leaving());
  relay.stop();
  t.false(relay.leaving());
  t.deepEqual(await one.next(), { code: 1001, reason: 'going away' });
  await log.find(({ msg }) => msg === 'drained');
  await relay.ended;
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

test('a supervisor that dies before it has said whom it has keeps no drain waiting', async (t) => {
  const { system, quiet } = testSystem();
  const supervisor = spawnScripted(system, {}, { name: 'connections.0' });
  suspend(supervisor.pid);
  const lines: string[] = [];
  const args: DrainerArgs = {
    isStopping: () => false,
    stopAccepting: () => lines.push('accepts no more'),
    connections: [processName('connections.0')],
    only: () => true,
    limit: () => 0,
    tally: () => ({ delivered: 0, dropped: 0 }),
    log: {
      draining: (count) => lines.push(`draining ${count}`),
      drained: ({ left }) => lines.push(`left ${left}`),
    },
  };
  const pid: Pid<never> = spawnOk(system, drainer, args);
  await quiet();
  t.true(isAlive(pid));
  exit(supervisor.pid, 'kill');
  await quiet();
  t.deepEqual(lines, ['accepts no more', 'draining 0', 'left 0']);
  t.false(isAlive(pid));
});
