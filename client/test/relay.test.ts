import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { WebSocket, WebSocketServer } from 'ws';
import { Arrivals, eventually } from '../../test/support/arrivals.ts';
import { freePorts } from '../../test/support/cluster.ts';
import { faultyProxy } from '../../test/support/faulty-proxy.ts';
import { freeze } from '../../test/support/freeze.ts';
import { startTestRelay } from '../../test/support/relay.ts';
import { configFile, runRelay } from '../../test/support/relay-process.ts';
import type { Client, Gap, Message, Options, State } from '../src/api.ts';
import { connect, type FanfareError } from '../src/node.ts';

const history = {
  topics: [{ pattern: 'kept.*', history: { messages: 100_000, bytes: '64MiB', age: '1h' } }],
};
/** A client that does not wait long: the faults here are short. */
const quick = { retry: { base: 20, cap: 200 }, silence: 400 };
/** One that takes a machine that is busy for what it is, where each reconnect would count. */
const patient = { ...quick, silence: 60_000 };

function client(t: ExecutionContext, url: string, options: Options = quick): Client {
  const made = connect(url, options);
  t.teardown(() => made.close());
  return made;
}

/** What a subscription tells, as it comes. */
function events(subscription: {
  on(listener: (event: Message | Gap) => void): unknown;
}): Arrivals<Message | Gap> {
  const arrivals = new Arrivals<Message | Gap>('events');
  subscription.on((event) => arrivals.push(event));
  return arrivals;
}

function states(of: Client): Arrivals<State> {
  const arrivals = new Arrivals<State>('states');
  of.on('state', (state) => arrivals.push(state));
  return arrivals;
}

const contents = (all: readonly (Message | Gap)[]) =>
  all.map((event) => (event.type === 'message' ? event.content : `${event.missed ?? '?'} ${event.why}`));

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('over connections that break all the time, every message of a kept channel comes once and in order', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, ...history });
  const proxy = await faultyProxy(t, relay.port('pusu'));
  const listener = client(t, proxy.url);
  const subscription = listener.subscribe<number>('kept.a');
  const heard = events(subscription);
  await subscription.ready;
  const publisher = client(t, `ws://127.0.0.1:${relay.port('pusu')}`);
  for (let i = 0; i < 1000; i++) {
    await publisher.publish('kept.a', i);
    if (i % 100 === 50) proxy.cut();
    if (i % 100 === 99) await heard.find((event) => event.type === 'message' && event.content === i);
  }
  await heard.count(({ type }) => type === 'message', 1000);
  t.deepEqual(contents(heard.all), upTo(1000));
  t.true(proxy.connections > 10);
});

test('where nothing is kept, each break is one gap', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const proxy = await faultyProxy(t, relay.port('pusu'));
  const listener = client(t, proxy.url, patient);
  const subscription = listener.subscribe('a');
  const heard = events(subscription);
  await subscription.ready;
  const publisher = client(t, `ws://127.0.0.1:${relay.port('pusu')}`);
  await publisher.publish('a', 1);
  await heard.next();
  proxy.cut();
  await heard.next();
  await publisher.publish('a', 2);
  await heard.next();
  t.deepEqual(contents(heard.all), [1, '? disconnected', 2]);
});

test('a network that swallows everything is noticed, and left for a connection that works; nothing is lost', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, ...history });
  const proxy = await faultyProxy(t, relay.port('pusu'));
  const listener = client(t, proxy.url);
  const seen = states(listener);
  const subscription = listener.subscribe('kept.a', { since: 'all' });
  const heard = events(subscription);
  await subscription.ready;
  const publisher = client(t, `ws://127.0.0.1:${relay.port('pusu')}`);
  proxy.isBlack = true;
  for (const i of upTo(50)) await publisher.publish('kept.a', i);
  await seen.find((state) => state === 'waiting');
  t.deepEqual(heard.all, []);
  proxy.isBlack = false;
  await heard.count(() => true, 50);
  t.deepEqual(contents(heard.all), upTo(50));
});

test('a network that is slow is waited for', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const proxy = await faultyProxy(t, relay.port('pusu'));
  proxy.delay = 250;
  const slow = client(t, proxy.url, {});
  const subscription = slow.subscribe('a');
  await subscription.ready;
  await slow.publish('a', 1);
  const took = await slow.flush();
  t.true(took >= 490, `${took}`);
});

const config = (port: number, more = '') => `
doors: { pusu: { host: 127.0.0.1, port: ${port} } }
network: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
topics: [{ pattern: "kept.*", history: true }]
${more}`;

test('a relay that was killed and starts anew is one gap, and then goes on', async (t) => {
  const [port = 0] = await freePorts(1);
  const start = async () => {
    const relay = runRelay(t, ['--config', configFile(t, config(port))]);
    await relay.log.find(({ msg }) => msg === 'ready', 'ready');
    return relay;
  };
  const first = await start();
  const both = client(t, `ws://127.0.0.1:${port}`);
  const subscription = both.subscribe('kept.a');
  const heard = events(subscription);
  await both.publish('kept.a', 'before');
  await heard.next();
  first.signal('SIGKILL');
  await first.exited;
  await t.throwsAsync(both.publish('kept.a', 'lost'), { message: /^offline|^unconfirmed/ });
  await start();
  await heard.next();
  await eventually(() => both.state === 'open', 'open');
  await both.publish('kept.a', 'after');
  await heard.next();
  t.deepEqual(contents(heard.all), ['before', '? unknown_epoch', 'after']);
});

test('a relay that stands still is noticed by its silence, and resumed from when it goes on', async (t) => {
  const [port = 0] = await freePorts(1);
  const relay = runRelay(t, ['--config', configFile(t, config(port))]);
  await relay.log.find(({ msg }) => msg === 'ready', 'ready');
  const { pid } = await relay.log.find(({ pid: id }) => typeof id === 'number', 'pid');
  const listener = client(t, `ws://127.0.0.1:${port}`);
  const publisher = client(t, `ws://127.0.0.1:${port}`, { ...quick, offline: { queue: 10_000 } });
  const seen = states(listener);
  const heard = events(listener.subscribe('kept.a', { since: 'all' }));
  await publisher.publish('kept.a', 1);
  await heard.next();
  await freeze(pid as number);
  await seen.find((state) => state === 'waiting');
  await eventually(() => publisher.state !== 'open', 'the publisher has noticed it too');
  const sent = publisher.publish('kept.a', 2);
  relay.signal('SIGCONT');
  await sent;
  await heard.next();
  t.deepEqual(contents(heard.all), [1, 2]);
});

test('a relay that drains says goodbye, and its clients come back without losing anything', async (t) => {
  const [port = 0] = await freePorts(1);
  const first = runRelay(t, ['--config', configFile(t, config(port))]);
  await first.log.find(({ msg }) => msg === 'ready', 'ready');
  const one = client(t, `ws://127.0.0.1:${port}`);
  const seen = states(one);
  await one.subscribe('a').ready;
  first.signal('SIGTERM');
  await seen.find((state) => state === 'waiting');
  await first.exited;
  runRelay(t, ['--config', configFile(t, config(port))]);
  await seen.find((state) => state === 'open' && seen.all.includes('waiting'));
  await eventually(() => one.state === 'open', 'open again');
  await one.publish('a', 1);
  t.is(one.state, 'open');
});

test('a slow loop slows its publisher: nothing is lost, and little waits', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, ...history });
  const url = `ws://127.0.0.1:${relay.port('pusu')}`;
  const [reader, publisher] = [client(t, url, patient), client(t, url, patient)];
  const subscription = reader.subscribe<{ readonly i: number }>('kept.a', { buffer: 16 });
  await subscription.ready;
  const count = 5000;
  const filling = 'x'.repeat(1000);
  const publishing = Promise.all(upTo(count).map((i) => publisher.publish('kept.a', { i, filling })));
  let next = 0;
  for await (const event of subscription) {
    if (event.type === 'gap') throw new Error(`${event.missed} ${event.why}`);
    t.is(event.content.i, next++);
    if (next % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    if (next === count) break;
  }
  await publishing;
  t.is(relay.accounting.dropped.slow, 0);
});

test('credentials: the right one is let in, a wrong one ends the client after one more try', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {} },
    authenticator: 'PasswordAuthenticator',
    passwords: { good: ['a.*'] },
  });
  const url = `ws://127.0.0.1:${relay.port('pusu')}`;
  const asked: string[] = [];
  const token = (why: string) => {
    asked.push(why);
    return why === 'first' ? 'old' : 'good';
  };
  const one = client(t, url, { ...quick, token });
  await one.subscribe('a.1').ready;
  await one.publish('a.1', 1);
  t.deepEqual(asked, ['first', 'refused']);
  const denied = one.subscribe('b');
  await t.throwsAsync(denied.ready, { message: 'permission_denied: b' });
  await t.throwsAsync(one.publish('b', 1), { message: 'permission_denied: b' });
  t.is(one.state, 'open');
  const wrong = client(t, url, { ...quick, token: 'wrong' });
  await t.throwsAsync(wrong.subscribe('a.1').ready, { message: 'unauthorized' });
  t.is(wrong.state, 'closed');
});

// Older peers.

class PusuAlone extends WebSocket {
  constructor(url: string) {
    super(url, ['pusu']);
  }
}

test('over plain PuSu everything works but recovery', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, ...history });
  const proxy = await faultyProxy(t, relay.port('pusu'));
  const one = client(t, proxy.url, { ...patient, WebSocket: PusuAlone });
  const subscription = one.subscribe('kept.a');
  const heard = events(subscription);
  await subscription.ready;
  t.is(one.level, 'pusu');
  await one.publish('kept.a', { n: 1 });
  t.is(typeof (await one.flush()), 'number');
  t.deepEqual((await heard.next()) as Message, { type: 'message', content: { n: 1 }, replayed: false });
  proxy.cut();
  await heard.next();
  await eventually(() => one.state === 'open', 'open');
  await one.publish('kept.a', 2);
  await heard.next();
  t.deepEqual(contents(heard.all), [{ n: 1 }, '? disconnected', 2]);
});

test('over plain PuSu silence is noticed by what a repeated subscribe is not answered', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const proxy = await faultyProxy(t, relay.port('pusu'));
  const one = client(t, proxy.url, { ...quick, WebSocket: PusuAlone });
  const seen = states(one);
  await one.subscribe('a').ready;
  proxy.isBlack = true;
  await seen.find((state) => state === 'waiting');
  proxy.isBlack = false;
  await eventually(() => one.state === 'open', 'open again');
  t.is(one.level, 'pusu');
});

/** As much of pusud as its clients see: it echoes the first subprotocol, and its subscribe_ok names no channel. */
async function pusud(t: ExecutionContext): Promise<string> {
  const members = new Map<string, Set<WebSocket>>();
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: ([first = '']) => first,
  });
  server.on('connection', (socket) => {
    socket.send('{"type":"hello"}');
    socket.on('message', (bytes) => {
      const text = String(bytes);
      const { type, channel } = JSON.parse(text) as { readonly type: string; readonly channel: string };
      const group = members.get(channel) ?? new Set();
      members.set(channel, group);
      if (type === 'authorize') socket.send('{"type":"authorization_ok"}');
      else if (type === 'subscribe') {
        group.add(socket);
        socket.send('{"type":"subscribe_ok"}');
      } else if (type === 'unsubscribe') group.delete(socket);
      else if (type === 'publish') for (const member of group) member.send(text);
      else socket.close();
    });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('pusud gets nothing that it does not know', async (t) => {
  const url = await pusud(t);
  const one = client(t, url, { ...quick, token: 'x' });
  const [a, b] = [one.subscribe('a', { since: 'all', linger: 0 }), one.subscribe('b')];
  const heard = events(a);
  await Promise.all([a.ready, b.ready]);
  t.is(one.level, 'pusu');
  await one.publish('a', 1);
  await one.flush();
  t.deepEqual(contents([await heard.next()]), [1]);
  await a.end();
  await one.close();
});

test('the reason of a failure is told with the state', async (t) => {
  const [port = 0] = await freePorts(1);
  const one = client(t, `ws://127.0.0.1:${port}`, { retry: { attempts: 0 } });
  const error = await new Promise<FanfareError | undefined>((resolve) =>
    one.on('state', (_state, reason) => resolve(reason)),
  );
  t.regex(error?.message ?? '', /ECONNREFUSED/);
});
