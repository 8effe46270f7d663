import test, { type ExecutionContext } from 'ava';
import type { RelayOptions } from '../../src/application/relay.ts';
import { eventually } from '../support/arrivals.ts';
import { freePorts, SECRET } from '../support/cluster.ts';
import { faultyProxy } from '../support/faulty-proxy.ts';
import { quiescence } from '../support/otp.ts';
import { changeRelays, startTestRelay, type TestRelay } from '../support/relay.ts';
import { handshake, why } from '../support/scripted-peer.ts';
import { servedTime } from '../support/served-time.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** A link is not taken for dead because this process stands still for a while. */
const patient = { secret: SECRET, timeout: '30s' };

/**
 * The network port of a relay in this process, whose only peer is nowhere. Its time stands still unless a test says
 * otherwise: a handshake has less than 5 s, which is not much for a test on a busy machine.
 */
async function relayWithPort(t: ExecutionContext, options: RelayOptions = {}): Promise<TestRelay> {
  const [port, nobody] = await freePorts(2);
  const settings = {
    relays: [`127.0.0.1:${port}`, `127.0.0.1:${nobody}`],
    network: { host: '127.0.0.1', port, secret: SECRET },
    doors: { pusu: {} },
  };
  return startTestRelay(t, settings, 1000, { clock: new VirtualClock(), ...options });
}

test('without relays the network port is not opened', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  t.throws(() => relay.port('network'), { message: /does not listen/ });
});

test('who knows the secret is welcome, and who does not is refused', async (t) => {
  // However long a busy machine takes.
  const relay = await relayWithPort(t, { clock: new VirtualClock() });
  t.is(why(await handshake(t, relay, 'b', '1')), 'welcome');
  t.is(why(await handshake(t, relay, 'c', '1', 'another secret of theirs')), 'proof');
  const line = await relay.log.find(({ msg }) => msg === 'relay refused');
  t.is(line['peer'], 'c');
});

test('a live relay keeps its name; a newer start takes it over from a dead one', async (t) => {
  // Who says nothing is as alive as ever while this stands still.
  const clock = new VirtualClock();
  const relay = await relayWithPort(t, { clock });
  t.is(why(await handshake(t, relay, 'b', 'first')), 'welcome');
  t.is(why(await handshake(t, relay, 'b', 'second')), 'name-taken');
  t.is(why(await handshake(t, relay, 'test', 'other')), 'name-taken', 'its own name');
  for (let i = 0; i < 3; i++) await handshake(t, relay, 'b', 'second');
  const refused = relay.log.all.filter(({ msg, peer }) => msg === 'relay refused' && peer === 'b');
  t.is(refused.length, 1, 'however often it tries');
  const serving = relay.relay.backplane?.network.outbound.of('b');
  t.is(serving?.incarnation, 'first');
  // The first one says nothing: after network.timeout it is dead, its name is not.
  for (let heartbeats = 0; heartbeats < 3; heartbeats++) {
    t.true(relay.relay.backplane?.network.outbound.of('b')?.connection !== undefined);
    clock.advance(1000);
    await quiescence(relay.relay.system);
  }
  await relay.log.find(({ msg, peer }) => msg === 'not serving' && peer === 'b');
  t.is(why(await handshake(t, relay, 'b', 'second')), 'welcome');
  t.is(relay.relay.backplane?.network.outbound.of('b')?.incarnation, 'second');
});

test('without a secret only the addresses in relays are let in, and a warning says so', async (t) => {
  const [port] = await freePorts(1);
  const network = { host: '127.0.0.1', port, secret: null };
  const start = (relays: readonly string[], at: object) =>
    startTestRelay(t, { relays, network: at, doors: { pusu: {} } }, 1000, { clock: new VirtualClock() });
  const closed = await start(['192.0.2.1'], network);
  t.is(why(await handshake(t, closed, 'b', '1', null)), 'address');
  const [other] = await freePorts(1);
  const open = await start(['127.0.0.1:1'], { ...network, port: other });
  t.is(why(await handshake(t, open, 'b', '1', null)), 'welcome');
  t.true(open.log.all.some(({ msg }) => msg === 'open network'));
});

test('one relay in the list by its own address, twice, and by a name with several addresses is one link or none', async (t) => {
  const [a, b] = (await freePorts(2)) as [number, number];
  const relays = [`127.0.0.1:${a}`, `127.0.0.1:${b}`, `127.0.0.1:${b}`, `localhost:${b}`, `localhost:${a}`];
  const start = (node: string, port: number) =>
    startTestRelay(t, {
      node,
      relays,
      network: { host: '0.0.0.0', port, ...patient },
      doors: { pusu: {} },
    });
  const [one, two] = await Promise.all([start('a', a), start('b', b)]);
  for (const [relay, peer] of [
    [one, 'b'],
    [two, 'a'],
  ] as const) {
    await relay.log.find((line) => line.msg === 'linked' && line['peer'] === peer);
    await relay.log.find((line) => line.msg === 'link not needed');
    t.is(relay.relay.backplane?.network.inbound.size, 1);
    const said = relay.log.all.filter(({ msg }) => msg === 'link not needed').map((line) => line['why']);
    t.deepEqual(said, [...new Set(said)], 'once');
    t.is(relay.log.all.filter(({ msg }) => msg === 'linked').length, 1);
  }
});

test('when the address that a relay is linked by fails, another one of it takes over at once', async (t) => {
  const [a, b] = (await freePorts(2)) as [number, number];
  const proxy = await faultyProxy(t);
  proxy.target = b;
  const settings = (port: number) => ({ host: '127.0.0.1', port, ...patient });
  const others = [`127.0.0.1:${proxy.port}`, `127.0.0.1:${b}`];
  const one = await startTestRelay(t, {
    node: 'a',
    relays: [`127.0.0.1:${proxy.port}`],
    network: settings(a),
    doors: { pusu: {} },
  });
  await startTestRelay(t, {
    node: 'b',
    relays: [`127.0.0.1:${b}`],
    network: settings(b),
    doors: { pusu: {} },
  });
  await one.log.find(({ msg, address }) => msg === 'linked' && address === others[0]);
  await changeRelays(one, others);
  await one.log.find(
    ({ msg, why }) => msg === 'link not needed' && String(why).endsWith('is another address of b'),
  );
  proxy.target = 1;
  proxy.cut();
  const time = servedTime(t);
  await one.log.find(({ msg, address }) => msg === 'linked' && address === others[1]);
  t.true(time() < 5000);
});

test('a changed list ends links and makes others', async (t) => {
  const [a, b] = (await freePorts(2)) as [number, number];
  const start = (node: string, port: number, relays: readonly string[]) =>
    startTestRelay(t, {
      node,
      relays,
      network: { host: '127.0.0.1', port, ...patient },
      doors: { pusu: {} },
    });
  const one = await start('a', a, [`127.0.0.1:${a}`]);
  await start('b', b, [`127.0.0.1:${b}`]);
  await changeRelays(one, [`127.0.0.1:${a}`, `127.0.0.1:${b}`]);
  await one.log.find((line) => line.msg === 'linked' && line['peer'] === 'b');
  await changeRelays(one, []);
  const ended = await one.log.find(({ msg, peer }) => msg === 'unlinked' && peer === 'b');
  t.is(ended['why'], 'ended');
  await eventually(() => one.relay.backplane?.network.inbound.size === 0, 'no link is left');
  await changeRelays(one, [`127.0.0.1:${b}`]);
  await one.log.count(({ msg }) => msg === 'linked', 2);
});

test('a list that changes faster than links start makes one link for each address, and none for one that has left', async (t) => {
  const [a, b] = (await freePorts(2)) as [number, number];
  const [first, second] = [a, b].map((port) => `127.0.0.1:${port}`) as [string, string];
  const settings = (port: number) => ({ host: '127.0.0.1', port, ...patient });
  const one = await startTestRelay(t, {
    node: 'a',
    relays: [first],
    network: settings(a),
    doors: { pusu: {} },
  });
  await startTestRelay(t, { node: 'b', relays: [second], network: settings(b), doors: { pusu: {} } });
  const { network } = one.relay.backplane ?? t.fail();
  const links = () =>
    [...one.relay.system.processes.values()].filter(({ behaviour }) => behaviour.name === 'inbound-link')
      .length;
  await eventually(() => links() === 1, 'the one to itself');
  for (let i = 0; i < 3; i++) void changeRelays(one, [first, second]);
  await one.log.find(({ msg }) => msg === 'linked');
  t.is(links(), 2);
  for (const relays of [[first], [first, second], [first]]) void changeRelays(one, relays);
  await eventually(() => links() === 1 && network.inbound.size === 0, 'the link has ended');
});

test('relays are linked over IPv6', async (t) => {
  const [a, b] = (await freePorts(2)) as [number, number];
  const relays = [`[::1]:${a}`, `[::1]:${b}`];
  const start = (node: string, port: number) =>
    startTestRelay(t, { node, relays, network: { host: '::1', port, ...patient }, doors: { pusu: {} } });
  const started = await Promise.allSettled([start('a', a), start('b', b)]);
  const [one] = started;
  if (one?.status !== 'fulfilled') {
    t.log('skipped: no IPv6 here');
    t.pass();
    return;
  }
  await one.value.log.find((line) => line.msg === 'linked' && line['peer'] === 'b');
  t.pass();
});
