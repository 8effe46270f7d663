import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { askSilence, SILENCE, silenceServer } from '../../src/connection/silence-server.ts';
import type { Sent } from '../../src/connection/tcp-table.ts';
import { spawnOk, spawnScripted, testSystem } from '../support/otp.ts';
import { temporaryFolder } from '../support/relay-process.ts';

const GATHERING = 20;
const PAUSE = 250;

/** Something with a descriptor, as a socket has one, and its inode. */
function sockets(t: ExecutionContext, count: number): { readonly socket: Socket; readonly inode: number }[] {
  const folder = temporaryFolder(t);
  return Array.from({ length: count }, (_, index) => {
    const fd = openSync(join(folder, String(index)), 'w');
    t.teardown(() => closeSync(fd));
    const socket = { _handle: { fd, writeQueueSize: 100 }, bytesWritten: 1000 };
    return { socket: socket as unknown as Socket, inode: fstatSync(fd).ino };
  });
}

/** A server whose looks are answered by hand. */
function watched() {
  const world = testSystem();
  const looks: { at: ReadonlySet<number>; resolve(sent: Seen): void; reject(error: Error): void }[] = [];
  const read = (at: ReadonlySet<number>) =>
    new Promise<Seen>((resolve, reject) => looks.push({ at, resolve, reject }));
  spawnOk(world.system, silenceServer, read, { name: SILENCE.value });
  const settled = async () => {
    await Promise.resolve();
    await world.quiet();
  };
  return { ...world, looks, settled };
}

type Seen = ReadonlyMap<number, Sent>;

/** Of the 900 bytes that the kernel has taken at the beginning of a look, and as many more by its end. */
const answer = (silent: boolean, atLeast: number, more = 0) => ({
  type: 'acknowledging',
  silent,
  atLeast,
  atMost: atLeast + more,
});

test('one look answers all who have asked by then, and who asks meanwhile waits for the next one', async (t) => {
  const { system, looks, quiet, advance, settled } = watched();
  const [a, b, c] = sockets(t, 3);
  if (a === undefined || b === undefined || c === undefined) throw new Error('no sockets');
  const [one, other, later] = [spawnScripted(system), spawnScripted(system), spawnScripted(system)];
  askSilence(system, one.pid, a.socket);
  await quiet();
  await advance(GATHERING - 1);
  askSilence(system, other.pid, b.socket);
  t.is(looks.length, 0);
  await advance(1);
  t.is(looks.length, 1);
  askSilence(system, later.pid, c.socket);
  await advance(1000);
  t.is(looks.length, 1);
  t.deepEqual(looks[0]?.at, new Set([a.inode, b.inode]));
  (b.socket as unknown as { bytesWritten: number }).bytesWritten += 50;
  looks[0]?.resolve(
    new Map([
      [a.inode, { silent: false, unacknowledged: 0 }],
      [b.inode, { silent: true, unacknowledged: 300 }],
      [c.inode, { silent: true, unacknowledged: 1 }],
    ]),
  );
  await settled();
  t.deepEqual(
    [one.log.got, other.log.got, later.log.got],
    [[answer(false, 900)], [answer(true, 600, 50)], []],
  );
  // The look has taken a second: twenty of them are between it and the next one.
  await advance(20 * 1000 - 1);
  t.is(looks.length, 1);
  await advance(1);
  t.deepEqual(looks[1]?.at, new Set([c.inode]));
  looks[1]?.resolve(new Map([[c.inode, { silent: true, unacknowledged: 1 }]]));
  await settled();
  t.deepEqual(later.log.got, [answer(true, 899)]);
  await advance(100 * PAUSE);
  t.is(looks.length, 2);
});

test('where nothing can be seen nobody is answered, and who asks again has it looked for again', async (t) => {
  const { system, looks, quiet, advance, settled } = watched();
  const [a] = sockets(t, 1);
  if (a === undefined) throw new Error('no socket');
  const one = spawnScripted(system);
  for (let asked = 1; asked <= 2; asked++) {
    askSilence(system, one.pid, a.socket);
    await quiet();
    await advance(PAUSE);
    t.is(looks.length, asked);
    looks.at(-1)?.reject(new Error('EMFILE'));
    await settled();
    t.deepEqual(one.log.got, []);
  }
});

test('a socket that is closed is not asked about', async (t) => {
  const { system, looks, advance } = watched();
  const one = spawnScripted(system);
  for (const handle of [null, {}, { fd: -1 }])
    askSilence(system, one.pid, { _handle: handle } as unknown as Socket);
  await advance(100 * PAUSE);
  t.is(looks.length, 0);
});
