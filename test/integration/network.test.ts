import test, { type ExecutionContext } from 'ava';
import { encodePeerFrame } from '../../src/door/peer/codec.ts';
import { NO_VITALS, type Vitals, vitalsIn, vitalsText } from '../../src/measure/vitals.ts';
import type { Pid } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import type { RelayRow } from '../../src/view/network.ts';
import { eventually } from '../support/arrivals.ts';
import { asNode, freePorts, type Node, SECRET } from '../support/cluster.ts';
import { freeze } from '../support/freeze.ts';
import { skipWithoutNats, startNats } from '../support/nats.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { configFile, runRelay } from '../support/relay-process.ts';
import { dial, introduce, why } from '../support/scripted-peer.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** What a relay shows of another one. */
function rowOf({ relay }: TestRelay, node: string): RelayRow | undefined {
  return relay.node.relays().find((row) => row.node === node);
}

/** Waits until a relay shows that of another one. */
async function shows(relay: TestRelay, node: string, holds: (row: RelayRow) => boolean): Promise<RelayRow> {
  let last: RelayRow | undefined;
  await eventually(() => {
    last = rowOf(relay, node);
    return last !== undefined && holds(last);
  }, `what ${node} is shown as`);
  return last as RelayRow;
}

const vitals = (more: Partial<Vitals>) =>
  ({ type: 'vitals', text: vitalsText({ ...NO_VITALS, ...more }) }) as const;

/** A relay whose other one is scripted, and dials it. Its clock stands still, so nobody is silent. */
async function scripted(t: ExecutionContext, version: string, clock = new VirtualClock()) {
  const [port, nobody] = await freePorts(2);
  const settings = {
    relays: [`127.0.0.1:${nobody}`],
    network: { host: '127.0.0.1', port, secret: SECRET },
    doors: { pusu: {} },
  };
  const relay = await startTestRelay(t, settings, 1000, { clock });
  const peer = await dial(t, relay, [version]);
  const bytes: Buffer[] = [];
  peer.socket.on('message', (payload: Buffer) => bytes.push(payload));
  t.is(why(await introduce(t, peer, 'other', 'i')), 'welcome');
  return { relay, peer, bytes, clock, nobody };
}

test('two relays of version 2 tell each other their numbers, at once and every two seconds', async (t) => {
  const { relay, peer, clock, nobody } = await scripted(t, 'fanfare.peer.2');
  const isVitals = (frame: (typeof peer.frames.all)[number]) => frame !== 'closed' && frame.type === 'vitals';
  const told = await peer.frames.find(isVitals);
  t.like(told === 'closed' || told.type !== 'vitals' ? null : vitalsIn(told.text), {
    phase: 'ready',
    connections: 0,
  });
  t.like(rowOf(relay, 'other'), { state: 'unknown', why: 'it has told nothing yet' });
  peer.send(vitals({ phase: 'ready', connections: 7, version: '9' }));
  t.like(await shows(relay, 'other', ({ state }) => state === 'ready'), { connections: 7, version: '9' });
  const { length } = peer.frames.all.filter(isVitals);
  clock.advance(2000);
  await peer.frames.count(isVitals, length + 1);
  const down = rowOf(relay, `127.0.0.1:${nobody}`);
  t.like(down, { state: 'down', heard: null });
  t.regex(String(down?.why), /ECONNREFUSED/);
});

test('a relay of version 1 is told what it always was, is shown, and gets on as before', async (t) => {
  const clock = new VirtualClock();
  const { relay, peer, bytes } = await scripted(t, 'fanfare.peer.1', clock);
  t.like(await shows(relay, 'other', ({ state }) => state === 'unknown'), { why: 'not told by its version' });
  peer.send({ type: 'interest', version: 1, begin: true, end: true, add: [], drop: [] });
  await peer.frames.find((frame) => frame !== 'closed' && frame.type === 'confirm');
  for (let i = 0; i < 5; i++) clock.advance(1000);
  peer.send({ type: 'interest', version: 2, begin: false, end: false, add: [], drop: [] });
  await peer.frames.find((frame) => frame !== 'closed' && frame.type === 'confirm' && frame.version === 2);
  const types = new Set(bytes.map((payload) => payload[0]));
  // Challenge, welcome, heartbeat, confirm, claims.
  t.deepEqual(
    [...types].filter((type) => ![2, 4, 6, 8, 9].includes(type ?? 0)),
    [],
  );
  peer.socket.send(encodePeerFrame(vitals({}), 2));
  t.is(await peer.frames.find((frame) => frame === 'closed'), 'closed', 'it is no frame there');
});

test('numbers that are none cost the link nothing, and change nothing', async (t) => {
  const { relay, peer } = await scripted(t, 'fanfare.peer.2');
  peer.send(vitals({ phase: 'ready', connections: 7 }));
  await shows(relay, 'other', ({ connections }) => connections === 7);
  for (const text of ['', '{', '{"connections":-1}', '{"links":{}}', `{}${' '.repeat(40_000)}`])
    peer.send({ type: 'vitals', text });
  peer.send(vitals({ phase: 'ready', slow: 1 }));
  t.like(await shows(relay, 'other', ({ slow }) => slow === 1), { connections: null, state: 'ready' });
  t.false(peer.frames.all.includes('closed'));
  t.deepEqual(
    relay.log.all.filter(({ msg }) => msg === 'crash report'),
    [],
  );
});

test('the process that tells numbers is started again where it was killed, and costs no link anything', async (t) => {
  const { relay, peer } = await scripted(t, 'fanfare.peer.2');
  const isVitals = (frame: (typeof peer.frames.all)[number]) => frame !== 'closed' && frame.type === 'vitals';
  await peer.frames.find(isVitals);
  const { length } = peer.frames.all.filter(isVitals);
  exit(relay.relay.system.names.get('admin.vitals') as Pid<never>, 'kill');
  await peer.frames.count(isVitals, length + 1);
  peer.send(vitals({ phase: 'ready', connections: 3 }));
  await shows(relay, 'other', ({ connections }) => connections === 3);
  t.false(peer.frames.all.includes('closed'));
});

test('a relay without an admin port has its numbers, too', async (t) => {
  const relay = await startTestRelay(t, { node: 'a', admin: false, doors: { pusu: {} } });
  const [row, ...others] = relay.relay.node.relays();
  t.like(row, { node: 'a', own: true, state: 'ready', connections: 0, in: 0 });
  for (const value of [row?.cpu, row?.rss, row?.heap]) t.is(typeof value, 'number');
  t.deepEqual(others, []);
  await shows(relay, 'a', ({ loopDelay, busy }) => loopDelay !== null && busy !== null);
});

/** A relay of this process, and two of their own, which can stand still and be killed. */
async function threeRelays(t: ExecutionContext, timeout: string) {
  const ports = await freePorts(3);
  const relays = ports.map((port) => `127.0.0.1:${port}`);
  const network = (index: number) => ({
    host: '127.0.0.1',
    port: ports[index] as number,
    secret: SECRET,
    heartbeat: '200ms',
    timeout,
  });
  const start = async (index: number): Promise<Node> => {
    const settings = {
      node: `relay-${index + 1}`,
      relays,
      network: network(index),
      admin: { host: '127.0.0.1', port: 0 },
      doors: { pusu: { host: '127.0.0.1', port: 0 } },
    };
    const process = runRelay(t, ['--config', configFile(t, JSON.stringify(settings))]);
    const node = asNode(process, settings.node, network(index).port);
    await node.log.find(({ msg }) => msg === 'ready', `${settings.node} is ready`);
    return node;
  };
  const [own, second, third] = await Promise.all([
    startTestRelay(t, { node: 'relay-1', relays, network: network(0), doors: { pusu: {} } }),
    start(1),
    start(2),
  ]);
  for (const node of ['relay-2', 'relay-3']) await shows(own, node, ({ state }) => state === 'ready');
  return { own, second, third, start };
}

test.serial(
  'a relay that is killed is down, with the reason, and ready when it is there again',
  async (t) => {
    const { own, second, start } = await threeRelays(t, '10s');
    const { version } = rowOf(own, 'relay-2') as RelayRow;
    await second.kill();
    t.like(await shows(own, 'relay-2', ({ state }) => state === 'down'), { connections: null, version });
    const why = ({ troubles }: RelayRow) => troubles.join();
    await shows(own, 'relay-2', (row) => /ECONNREFUSED.*,not heard for/.test(why(row)));
    await start(1);
    await shows(own, 'relay-2', ({ state, uptime }) => state === 'ready' && uptime !== null);
    t.is(own.relay.node.relays().length, 3);
  },
);

test.serial('a relay that is stopped has said goodbye: that is no trouble', async (t) => {
  const { own, second } = await threeRelays(t, '10s');
  second.signal('SIGTERM');
  await second.exited;
  await eventually(() => rowOf(own, 'relay-2')?.state === 'stopped', 'it is stopped');
  t.deepEqual(rowOf(own, 'relay-2')?.troubles, []);
});

test.serial(
  'a relay that stands still is found from the others: its links are late, and its numbers stale',
  async (t) => {
    const { own, third } = await threeRelays(t, '60s');
    const pid = third.log.all.find(({ msg }) => msg === 'ready')?.['pid'] as number;
    await freeze(pid);
    const late = /^round trip .*, with relay-1 and relay-2$/;
    await shows(own, 'relay-3', ({ troubles }) => troubles.some((trouble) => late.test(trouble)));
    t.false(rowOf(own, 'relay-2')?.troubles.some((trouble) => late.test(trouble)));
    const row = await shows(own, 'relay-3', ({ state }) => state === 'stale');
    t.true((row.heard ?? 0) >= 6000);
    t.regex(row.troubles.join(), /^not heard for \d/);
    third.signal('SIGCONT');
    const stood = /its event loop stood still for \d/;
    await shows(own, 'relay-3', ({ state, troubles }) => state === 'ready' && stood.test(troubles.join()));
  },
);

test.serial(
  'over NATS the same is told: of who is killed, who is stopped, and who is no relay',
  async (t) => {
    if (skipWithoutNats(t)) return;
    const { address } = await startNats(t);
    const settings = (node: string) => ({
      node,
      cluster: { backplane: 'nats', servers: [address] },
      network: { heartbeat: '100ms', timeout: '1s' },
      doors: { pusu: {} },
    });
    const own = await startTestRelay(t, settings('a'));
    const other = await startTestRelay(t, settings('b'));
    await shows(own, 'b', ({ state }) => state === 'ready');
    const { connect, headers } = await import('@nats-io/transport-node');
    const stranger = await connect({ servers: address });
    t.teardown(() => stranger.close());
    const { foreign } = own.relay.nats?.network.stats ?? {};
    const say = (from: string | null, data: Buffer | string) => {
      const all = headers();
      if (from !== null) all.set('Fanfare-Relay', from);
      stranger.publish('fanfare.relays.vitals', data, { headers: all });
    };
    const incarnation = other.relay.nats?.network.self.incarnation;
    const liar = encodePeerFrame(vitals({ phase: 'ready', connections: 99 }), 2);
    say(null, liar);
    say('1 unheard c', liar);
    say('1 unheard b', liar);
    say(`1 ${own.relay.nats?.network.self.incarnation} a`, liar);
    say(`1 ${incarnation} b`, 'garbage');
    say(`1 ${incarnation} b`, encodePeerFrame(vitals({ phase: 'ready', slow: 5 }), 2));
    await shows(own, 'b', ({ slow }) => slow === 5);
    t.is(rowOf(own, 'b')?.connections, null);
    t.is(rowOf(own, 'c'), undefined);
    t.is(own.relay.nats?.network.stats.foreign, (foreign ?? 0) + 2);
    other.relay.stop();
    await other.relay.ended;
    await shows(own, 'b', ({ state }) => state === 'stopped');
    const process = runRelay(t, [
      '--config',
      configFile(t, JSON.stringify({ ...settings('d'), doors: { pusu: { port: 0 } } })),
    ]);
    await shows(own, 'd', ({ state }) => state === 'ready');
    process.signal('SIGKILL');
    await process.exited;
    const row = await shows(own, 'd', ({ state }) => state === 'down');
    t.is(row.why, 'it is not heard over nats');
  },
);
