import type { Socket } from 'node:net';
import test from 'ava';
import { Network } from '../../../src/cluster/mesh/network.ts';
import { outboundLink } from '../../../src/cluster/mesh/outbound-link.ts';
import type { Connection } from '../../../src/cluster/mesh/outbound-links.ts';
import { PeerSocket } from '../../../src/cluster/mesh/peer-socket.ts';
import { isAlive, send } from '../../../src/otp/process.ts';
import { exit } from '../../../src/otp/signal.ts';
import { Accounting } from '../../../src/topic/accounting.ts';
import { spawnOk, testSystem } from '../../support/otp.ts';

const peer = { node: 'far', incarnation: 'first' };

/** A network whose log says which connections are served. */
function world() {
  const { system, quiet } = testSystem();
  const log: string[] = [];
  const note = (message: string) => log.push(message);
  const network = new Network({
    self: { node: 'near', incarnation: 'n1' },
    settings: { heartbeat: 1000, timeout: 3000, pending: 0 },
    topics: () => ({ accounting: new Accounting() }),
    log: { note, warn: note },
  } as unknown as ConstructorParameters<typeof Network>[0]);
  return { network, log, quiet, start: () => spawnOk(system, outboundLink, { network, peer, version: 2 }) };
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
  const session = {
    welcome: () => frame,
    tick: () => true,
    beat: () => frame,
    isToTell: () => false,
    lag: () => 0,
    numbered: () => undefined,
  };
  return {
    stream,
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
