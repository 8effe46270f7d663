import type { Socket } from 'node:net';
import test from 'ava';
import type { LocalTopics } from '../../../src/cluster/backplane.ts';
import { Network } from '../../../src/cluster/mesh/network.ts';
import { homeOf } from '../../../src/cluster/mesh/ordering.ts';
import { outboundLink } from '../../../src/cluster/mesh/outbound-link.ts';
import type { Connection } from '../../../src/cluster/mesh/outbound-links.ts';
import { PeerSocket } from '../../../src/cluster/mesh/peer-socket.ts';
import { forwardedBatch, forwardedFrame, parseMessages } from '../../../src/door/peer/batch.ts';
import { ReceivedCounts } from '../../../src/door/peer/dialling-session.ts';
import { isAlive, send } from '../../../src/otp/process.ts';
import { exit } from '../../../src/otp/signal.ts';
import { Accounting } from '../../../src/topic/accounting.ts';
import { Delivery, type Publish } from '../../../src/topic/message.ts';
import { Topic } from '../../../src/topic/topic.ts';
import { spawnOk, spawnScripted, testSystem } from '../../support/otp.ts';

const peer = { node: 'far', incarnation: 'first' };
/** Its home is this relay, and with a third one that. */
const name =
  Array.from({ length: 100 }, (_, i) => `t${i}`).find(
    (one) =>
      homeOf(`main\0${one}`, ['near', 'far']) === 'near' &&
      homeOf(`main\0${one}`, ['near', 'far', 'third']) === 'third',
  ) ?? '';

/** A network whose log says which connections are served, and whose topics are one, with a server that takes what it gets. */
function world() {
  const { system, quiet, advance } = testSystem();
  const accounting = new Accounting();
  const topic = new Topic('main', name);
  const server = spawnScripted(system);
  topic.serve(server.pid);
  const topics = { accounting, find: () => topic, keeps: () => false } as unknown as LocalTopics;
  const log: string[] = [];
  const lines: [message: string, fields: object][] = [];
  const note = (message: string, fields: object) => {
    log.push(message);
    lines.push([message, fields]);
  };
  const network = new Network({
    self: { node: 'near', incarnation: 'n1' },
    settings: { heartbeat: 1000, timeout: 3000, pending: 0 },
    topics: () => topics,
    log: { note, warn: note },
  } as unknown as ConstructorParameters<typeof Network>[0]);
  network.inbound.list(new Map(), true);
  const start = () => spawnOk(system, outboundLink, { network, peer, version: 2 });
  /** This relay has made its own link to the peer. */
  const link = () => {
    const own = spawnScripted(system);
    const counts = new ReceivedCounts('first', 0);
    network.inbound.linked(peer, own.pid, counts, { version: 2, epoch: 1 });
    for (const what of ['interest', 'claims'] as const) network.outbound.of('far')?.told(what);
    return own;
  };
  const ordered = () =>
    (server.log.got as Publish[]).map(({ message, receipt }) => [String(message.payload), receipt]);
  return { network, log, lines, quiet, advance, start, link, ordered, accounting };
}

/** A frame that the peer sends, with messages to be given their order. */
function forwardedBy(texts: readonly string[], hops = 0) {
  const messages = texts.map(
    (text) => ({ message: { kind: 'text', payload: Buffer.from(text) }, key: '' }) as const,
  );
  return forwardedFrame(hops, [forwardedBatch({ realm: 'main', name }, messages, 2)]);
}

/** A connection whose other end has proved to be the relay. */
function connection() {
  const stream = { destroyed: false, writable: true, writableLength: 0, bytesRead: 0, written: 0 };
  const close = () => {
    stream.destroyed = true;
  };
  const write = () => {
    stream.written++;
  };
  const streamed = Object.assign(stream, { destroy: close, destroySoon: close, write });
  const socket = new PeerSocket(streamed as unknown as Socket, 2);
  const frame = { type: 'heartbeat', last: 0, received: 0 };
  const said: unknown[] = [];
  socket.say = (one: unknown) => said.push(one);
  const session = {
    version: 2,
    received: (payload: Buffer) => parseMessages(payload, 2),
    welcome: () => frame,
    tick: () => true,
    beat: () => frame,
    isToTell: () => false,
    lag: () => 0,
    numbered: () => undefined,
  };
  const fates = () => said.filter((one) => (one as { readonly type: string }).type === 'fate');
  return {
    stream,
    fates,
    frame: (payload: Buffer) => ({ type: 'frame', socket, payload }) as const,
    ends: { type: 'closed', socket, why: 'connection lost' } as const,
    taken: { type: 'take', connection: { socket, session } as unknown as Connection } as const,
  };
}

test('of two processes that were started for one relay at once the first one serves, and the other one is gone', async (t) => {
  const { network, log, quiet, start } = world();
  const [first, second] = [start(), start()];
  const [one, other] = [connection(), connection()];
  send(first, one.taken);
  send(second, other.taken);
  await quiet();
  t.deepEqual([one.stream.destroyed, other.stream.destroyed], [false, true]);
  t.deepEqual([isAlive(first), isAlive(second)], [true, false]);
  t.is(network.outbound.of('far')?.connection, one.taken.connection);
  t.deepEqual(log, ['serving']);
});

test('a connection that comes anew takes over, with the counts of the one before', async (t) => {
  const { network, log, quiet, start } = world();
  const link = start();
  const [one, other] = [connection(), connection()];
  send(link, one.taken);
  send(link, other.taken);
  await quiet();
  t.deepEqual([one.stream.destroyed, other.stream.destroyed], [true, false]);
  t.is(network.outbound.of('far')?.links, 2);
  t.deepEqual(log, ['serving', 'not serving', 'serving']);
  exit(link, 'kill');
  t.true(other.stream.destroyed);
  send(start(), connection().taken);
  await quiet();
  t.is(network.outbound.of('far')?.links, 3);
});

test('what was for a relay while it was away is said once, when it is back or is given up', async (t) => {
  const { lines, quiet, start, accounting } = world();
  const link = start();
  const one = connection();
  const deliver = (count: number) => {
    accounting.attempt(count);
    send(link, new Delivery(Buffer.from('x'), count, accounting));
  };
  const away = () => lines.filter(([message]) => message === 'while it was away').map(([, fields]) => fields);
  send(link, one.taken);
  await quiet();
  send(link, one.ends);
  await quiet();
  deliver(3);
  deliver(4);
  await quiet();
  t.deepEqual(away(), []);
  const other = connection();
  send(link, other.taken);
  await quiet();
  t.deepEqual(away(), [{ peer: 'far', dropped: 7 }]);
  send(link, other.ends);
  await quiet();
  send(link, connection().taken);
  await quiet();
  t.is(away().length, 1, 'nothing was for it');
  const third = connection();
  send(link, third.taken);
  send(link, third.ends);
  await quiet();
  deliver(5);
  send(link, { type: 'replaced' });
  await quiet();
  t.deepEqual(away(), [
    { peer: 'far', dropped: 7 },
    { peer: 'far', dropped: 5 },
  ]);
  t.is(accounting.dropped.unlinked, 12);
});

test('what a peer forwards waits until this relay has linked the peer, too, and is told of once it has been sent on', async (t) => {
  const { quiet, advance, start, link, ordered, accounting } = world();
  const one = connection();
  const pid = start();
  send(pid, one.taken);
  send(pid, one.frame(forwardedBy(['a', 'b'])));
  send(pid, one.frame(forwardedBy(['c'])));
  await quiet();
  t.deepEqual(ordered(), [], 'alone it would make an order that nobody goes by');
  link();
  await advance(10);
  t.deepEqual(ordered(), [
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
  ]);
  t.deepEqual(one.fates(), []);
  const says = (receipt: string) => send(pid, { type: 'published', name, receipt, at: null });
  says('2');
  await quiet();
  t.deepEqual(one.fates(), [], 'in their order');
  says('1');
  await quiet();
  send(pid, { type: 'refused', action: 'publish', name, why: 'unavailable', receipt: '3' });
  await quiet();
  t.deepEqual(one.fates(), [
    { type: 'fate', count: 2, failed: [] },
    { type: 'fate', count: 3, failed: [3] },
  ]);
  t.is(accounting.lost.unreachable, 0);
});

test('a peer that cannot be linked is not waited for longer than the timeout', async (t) => {
  const { quiet, advance, start, ordered } = world();
  const one = connection();
  const pid = start();
  send(pid, one.taken);
  send(pid, one.frame(forwardedBy(['a'])));
  await quiet();
  for (let i = 0; i < 299; i++) await advance(10);
  t.deepEqual(ordered(), []);
  await advance(20);
  t.deepEqual(ordered(), [['a', '1']]);
});

test('what is not for this relay to order goes one hop further, and comes back when its home has left', async (t) => {
  const { network, quiet, start, link, ordered, accounting } = world();
  // Another relay is the home; the peer has yet to hear of that one.
  const third = { node: 'third', incarnation: 't1' };
  const one = connection();
  const pid = start();
  send(pid, one.taken);
  await quiet();
  const home = link();
  network.inbound.linked(third, home.pid, new ReceivedCounts('t1', 0), { version: 2, epoch: 2 });
  // It was started long ago.
  network.firstUntil = 0;
  send(pid, one.frame(forwardedBy(['a'])));
  send(pid, one.frame(forwardedBy(['b'], 1)));
  await quiet();
  const [request] = home.log.got as { readonly type: string; readonly hops: number }[];
  t.like(request, { type: 'forward', hops: 1, sender: { type: 'link', link: pid, number: 1 } });
  t.is(accounting.lost.unreachable, 1, 'no message goes further than one hop');
  network.inbound.unlinked(third, home.pid);
  const topic = { realm: 'main', name };
  const forwarded = { message: { kind: 'text', payload: Buffer.from('a') }, key: '' } as const;
  send(pid, { type: 'anew', number: 1, topic, forwarded });
  await quiet();
  t.deepEqual(ordered(), [['a', '1']]);
  send(pid, { type: 'settled', number: 1, isDone: true });
  await quiet();
  t.deepEqual(one.fates(), [{ type: 'fate', count: 2, failed: [2] }]);
});

test('a link that ends takes nothing more, and waits until what all links have taken has been sent on', async (t) => {
  const { network, quiet, advance, start, link, ordered } = world();
  const one = connection();
  const pid = start();
  link();
  send(pid, one.taken);
  send(pid, one.frame(forwardedBy(['a'])));
  await quiet();
  exit(pid, 'shutdown');
  await quiet();
  t.true(isAlive(pid));
  send(pid, one.frame(forwardedBy(['b'])));
  send(pid, { type: 'published', name, receipt: '1', at: null });
  await advance(10);
  t.false(isAlive(pid));
  t.deepEqual(ordered(), [['a', '1']]);
  t.is(network.outbound.of('far')?.fates.taken, 1, 'the peer may send the other one elsewhere');
  t.deepEqual(one.fates(), [{ type: 'fate', count: 1, failed: [] }]);
});

test('what has waited for a link that is killed is counted as lost, and its publishers hear of that', async (t) => {
  const { quiet, start, accounting, network } = world();
  const one = connection();
  const pid = start();
  send(pid, one.taken);
  send(pid, one.frame(forwardedBy(['a', 'b'])));
  await quiet();
  exit(pid, 'kill');
  await quiet();
  t.is(accounting.lost.unreachable, 2);
  t.deepEqual(network.outbound.of('far')?.fates.tell(), { count: 2, failed: [1, 2] });
});
