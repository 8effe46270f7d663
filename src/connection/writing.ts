import type { Socket } from 'node:net';
import { inform } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Delivery } from '../topic/delivery.ts';
import type { Topic } from '../topic/topic.ts';
import { close, finishClose } from './closing.ts';
import type { Connection, ConnectionMessage } from './connection.ts';
import { type Acknowledging, askSilence } from './silence-server.ts';
import { bytesTaken } from './socket-bytes.ts';

/**
 * How deliveries get from a connection's outbox to its socket, and what becomes of a client that does not keep up.
 *
 * One write is under way at a time. As long as the kernel takes all of it at once, that is all there is to it. When it
 * does not, the outbox fills: the topics are told, and hold back while the client makes progress; past `limits.pending`
 * bytes, or `limits.write_stall` without progress, the client is closed as slow.
 */

/** Bytes in one write, so that a slow client's progress shows. */
const WRITE_BYTES = 256 * 1024;
/** A client that is this far behind holds its topics back, as a part of `limits.pending` (256 KiB of 1 MiB). */
const BEHIND_PART = 4;
const BEHIND_BYTES = 256 * 1024;
/** Without `limits.write_stall`, in milliseconds: what is being closed has no pings that would find out who is gone. */
const CLOSING_STALL = 10_000;
/** How often the progress of a write under way is looked at, in milliseconds. */
const PROGRESS_PERIOD = 1000;
/** Bytes in that time; with less, a client is not reading, and holds nobody back any more. */
const PROGRESS_BYTES = 4096;

const NOTHING = Buffer.alloc(0);
const FLUSHED: ConnectionMessage = { type: 'flushed' };

/** Queues a delivery; `flush` writes it. */
export function queue(connection: Connection, delivery: Delivery): void {
  const { outbox } = connection;
  outbox.push(delivery);
  if (!outbox.writing) return;
  const { pending } = connection.context.limits;
  const waiting = pendingBytes(connection);
  if (waiting > connection.pendingHighWater) connection.pendingHighWater = waiting;
  if (connection.behind || connection.stalled) {
    if (pending > 0 && !connection.burst && waiting > pending) tooSlow(connection, 'pending', waiting);
  } else if (isBehind(connection)) {
    // What comes in the same turn was sent before its topics could know, by many of them perhaps: it is not held
    // against the client.
    connection.burst = true;
    tell(connection, true);
  }
}

/** Writes what is queued, if no write is under way. */
export function flush(connection: Connection): void {
  const { outbox } = connection;
  const { socket } = connection.transport;
  // The kernel may take at once more than one write has.
  while (!outbox.empty && !outbox.writing && socket.writable) write(connection, socket);
}

function write(connection: Connection, socket: Socket): void {
  const taken = connection.outbox.take(WRITE_BYTES);
  if (taken === undefined) return;
  let count = 0;
  if (Array.isArray(taken)) {
    socket.cork();
    for (const delivery of taken) {
      socket.write(delivery.bytes);
      count += delivery.count;
      if (delivery.acceptedAt !== 0) time(connection, delivery);
    }
    socket.uncork();
  } else {
    socket.write(taken.bytes);
    count = taken.count;
    if (taken.acceptedAt !== 0) time(connection, taken);
  }
  connection.messagesOut += count;
  if (socket.writableLength > 0) wait(connection, count);
  else if (socket.errored === null) delivered(connection, count);
  else countDropped(connection, count, 'closed');
}

/** The write that was under way is done. */
export function flushed(connection: Connection): void {
  const { outbox } = connection;
  outbox.writing = false;
  delivered(connection, outbox.inFlight);
  outbox.inFlight = 0;
  flush(connection);
  if (connection.phase === 'closing' && !outbox.writing) finishClose(connection);
  if (connection.behind && pendingBytes(connection) <= behindBytes(connection) / 2) tell(connection, false);
}

/** Looks at how a write under way gets on, once a second. */
export function checkProgress(connection: Connection): void {
  const { stall, self, context } = connection;
  if (stall === undefined) return;
  if (!connection.outbox.writing) {
    connection.stall = undefined;
    connection.stalled = false;
    return;
  }
  sendAfter(self, PROGRESS_PERIOD, { type: 'progress' });
  const written = bytesTaken(connection.transport.socket);
  const progress = written - stall.written;
  stall.written = written;
  if (progress > 0) stall.since = now(self);
  // It may read on, from what the kernel has.
  else askSilence(self.system, self, connection.transport.socket);
  const { writeStall } = context.limits;
  const limit = writeStall === 0 && connection.phase === 'closing' ? CLOSING_STALL : writeStall;
  if (limit > 0 && now(self) - stall.since >= limit) {
    tooSlow(connection, 'write_stall', limit);
    return;
  }
  // Those who read slowly hold their topics back; those who do not read hold their neighbours for one period only.
  connection.stalled = progress < PROGRESS_BYTES;
  tell(connection, !connection.stalled && isBehind(connection));
}

/** What the kernel says of a client whose write is under way: bytes that it has acknowledged are progress. */
export function acknowledged({ stall, self }: Connection, { atLeast, atMost }: Acknowledging): void {
  if (stall === undefined) return;
  if (stall.acknowledged >= 0 && atLeast > stall.acknowledged) stall.since = now(self);
  stall.acknowledged = atMost;
}

/** Drops what is queued: the connection is over. */
export function drop(connection: Connection, reason: 'slow' | 'closed' | 'crash'): void {
  countDropped(connection, connection.outbox.clear(), reason);
}

/** Counts what was written and never reached the kernel. */
export function dropInFlight(connection: Connection, reason: 'slow' | 'closed' | 'crash'): void {
  countDropped(connection, connection.outbox.inFlight, reason);
  connection.outbox.inFlight = 0;
  connection.outbox.writing = false;
}

export function countDropped(
  connection: Connection,
  count: number,
  reason: 'slow' | 'closed' | 'crash',
): void {
  connection.context.topics.accounting.dropped[reason] += count;
  connection.context.counters.drops += count;
}

function time({ self, context }: Connection, { acceptedAt }: Delivery): void {
  context.topics.accounting.samples.latency.observe((now(self) - acceptedAt) / 1000);
}

function delivered({ context }: Connection, count: number): void {
  context.topics.accounting.delivered += count;
  context.counters.sends += count;
}

/** The kernel has not taken all: waits for the rest to be gone. */
function wait(connection: Connection, count: number): void {
  const { outbox, transport, self } = connection;
  outbox.writing = true;
  outbox.inFlight = count;
  connection.pendingHighWater = Math.max(connection.pendingHighWater, pendingBytes(connection));
  // Written behind the rest, an empty write is done when the rest is. It costs nothing where nothing has to wait.
  transport.socket.write(NOTHING, (error) => {
    if (error == null) inform(self, FLUSHED);
  });
  if (connection.stall === undefined) {
    connection.stall = { written: bytesTaken(transport.socket), acknowledged: -1, since: now(self) };
    sendAfter(self, PROGRESS_PERIOD, { type: 'progress' });
  }
  if (!connection.behind && isBehind(connection)) tell(connection, true);
}

/** A connection that is being closed gets nothing more, so it holds nobody back. */
export function letGo(connection: Connection): void {
  tell(connection, false);
}

/** A topic that is joined by one who is behind in others: it must know, too. */
export function tellNew(connection: Connection, { server }: Topic): void {
  if (connection.behind && server !== undefined) inform(server, { type: 'behind', member: connection.self });
}

function tell(connection: Connection, behind: boolean): void {
  if (connection.behind === behind) return;
  connection.behind = behind;
  const type = behind ? 'behind' : 'not-behind';
  for (const { server } of connection.memberships) {
    if (server !== undefined) inform(server, { type, member: connection.self });
  }
}

function tooSlow(connection: Connection, limit: 'pending' | 'write_stall', reached: number): void {
  const end = { type: 'slow', limit, reached } as const;
  drop(connection, 'slow');
  // A stream has no close that a client would have to read.
  if (connection.phase !== 'open' || connection.transport.kind === 'stream') {
    connection.end ??= end;
    letGo(connection);
    connection.phase = 'closing';
    connection.transport.destroy();
    return;
  }
  close(connection, end);
  // Behind what it does not read the client will not see the close in time, but it is there if it reads on.
  finishClose(connection);
}

function isBehind(connection: Connection): boolean {
  return connection.delivers && pendingBytes(connection) > behindBytes(connection);
}

function behindBytes({ context }: Connection): number {
  const { pending } = context.limits;
  return pending === 0 ? BEHIND_BYTES : Math.min(BEHIND_BYTES, pending / BEHIND_PART);
}

function pendingBytes({ outbox, transport }: Connection): number {
  return outbox.bytes + transport.socket.writableLength;
}
