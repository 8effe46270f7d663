import type { Socket } from 'node:net';
import { bytesTaken } from '../http/socket-bytes.ts';
import { inform } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Delivery } from '../topic/message.ts';
import type { Topic } from '../topic/topic.ts';
import { behind } from '../topic/topic-server.ts';
import { close, finishClose } from './closing.ts';
import type { Connection, ConnectionMessage } from './connection.ts';
import type { End } from './end.ts';
import type { Verdict } from './outflow.ts';
import { type Acknowledging, askSilence } from './silence-server.ts';

/** Performs what a connection's outflow finds: deliveries get to its socket, and its topics are told how it keeps up. */

/** Without `limits.write_stall`, in milliseconds: what is being closed has no pings that would find out who is gone. */
const CLOSING_STALL = 10_000;
/** How often the progress of a write under way is looked at, in milliseconds. */
const PROGRESS_PERIOD = 1000;

const NOTHING = Buffer.alloc(0);
const FLUSHED: ConnectionMessage = { type: 'flushed' };
const PROGRESS: ConnectionMessage = { type: 'progress' };

/** Queues a delivery; `flush` writes it. */
export function queue(connection: Connection, delivery: Delivery): void {
  const { outflow } = connection;
  outflow.push(delivery);
  if (!outflow.writing) return;
  const { pending } = connection.context.limits;
  const { writableLength } = connection.transport.socket;
  heed(connection, outflow.weigh(writableLength, pending), 'pending', outflow.pending(writableLength));
}

/** Writes what is queued, if no write is under way. */
export function flush(connection: Connection): void {
  const { outflow } = connection;
  const { socket } = connection.transport;
  // The kernel may take at once more than one write has.
  while (!outflow.empty && !outflow.writing && socket.writable) write(connection, socket);
}

function write(connection: Connection, socket: Socket): void {
  const taken = connection.outflow.take();
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
  if (socket.writableLength > 0) wait(connection, socket, count);
  else if (socket.errored === null) delivered(connection, count);
  else countDropped(connection, count, 'closed');
}

/** The kernel has not taken all: waits for the rest to be gone. */
function wait(connection: Connection, socket: Socket, count: number): void {
  const { outflow, self, context } = connection;
  if (!outflow.watched) sendAfter(self, PROGRESS_PERIOD, PROGRESS);
  const { pending } = context.limits;
  heed(connection, outflow.waits(count, socket.writableLength, pending, bytesTaken(socket), now(self)));
  // Written behind the rest, an empty write is done when the rest is. It costs nothing where nothing has to wait.
  socket.write(NOTHING, (error) => {
    if (error == null) inform(self, FLUSHED);
  });
}

/** The write that was under way is done. */
export function flushed(connection: Connection): void {
  const { outflow, context, transport } = connection;
  delivered(connection, outflow.arrived());
  flush(connection);
  if (connection.phase === 'closing' && !outflow.writing) finishClose(connection);
  heed(connection, outflow.lighten(transport.socket.writableLength, context.limits.pending));
}

/** Looks at how a write under way gets on, once a second. */
export function checkProgress(connection: Connection): void {
  const { outflow, self, context, transport, phase } = connection;
  const { socket } = transport;
  const { writeStall, pending } = context.limits;
  const limit = writeStall === 0 && phase === 'closing' ? CLOSING_STALL : writeStall;
  const verdict = outflow.look(socket.writableLength, pending, bytesTaken(socket), now(self), limit);
  if (outflow.watched) sendAfter(self, PROGRESS_PERIOD, PROGRESS);
  // It may read on, from what the kernel has.
  if (outflow.doubtful) askSilence(self.system, self, socket);
  heed(connection, verdict, 'write_stall', limit);
}

/** The kernel has told what was acknowledged: who reads only from what the kernel has, reads. */
export function acknowledged(connection: Connection, { atLeast, atMost }: Acknowledging): void {
  const { outflow, self, context, transport } = connection;
  const { writableLength } = transport.socket;
  heed(connection, outflow.acknowledged(atLeast, atMost, now(self), writableLength, context.limits.pending));
}

/** Counts all that has not reached the kernel: the connection is over. */
export function dropAll(connection: Connection, reason: 'slow' | 'closed' | 'crash'): void {
  countDropped(connection, connection.outflow.drop() + connection.outflow.arrived(), reason);
}

export function countDropped(
  connection: Connection,
  count: number,
  reason: 'slow' | 'closed' | 'crash',
): void {
  connection.context.topics.accounting.drop(count, reason);
  connection.context.counters.drops += count;
}

function time({ self, context }: Connection, { acceptedAt }: Delivery): void {
  context.topics.accounting.latency.observe((now(self) - acceptedAt) / 1000);
}

function delivered({ context }: Connection, count: number): void {
  context.topics.accounting.deliver(count);
  context.counters.sends += count;
}

/** A topic that is joined by one who is behind in others: it must know, too. */
export function tellNew({ outflow, self }: Connection, topic: Topic): void {
  if (outflow.behind) behind(topic, self, true);
}

/** A connection that is being closed holds nobody back. */
export function letGo(connection: Connection): void {
  heed(connection, connection.outflow.close());
}

function heed(
  connection: Connection,
  verdict: Verdict,
  limit: 'pending' | 'write_stall' = 'pending',
  reached = 0,
): void {
  switch (verdict) {
    case 'go on':
      return;
    case 'behind':
      tell(connection, true);
      return;
    case 'caught up':
      tell(connection, false);
      return;
    case 'too slow':
      tooSlow(connection, { type: 'slow', limit, reached });
      return;
  }
}

function tell({ memberships, self }: Connection, is: boolean): void {
  for (const topic of memberships) behind(topic, self, is);
}

function tooSlow(connection: Connection, end: End): void {
  countDropped(connection, connection.outflow.drop(), 'slow');
  // A stream has no close that a client would have to read.
  if (connection.phase !== 'open' || connection.transport.kind === 'stream') {
    connection.end ??= end;
    letGo(connection);
    connection.close();
    connection.transport.destroy();
    return;
  }
  close(connection, end);
  // Behind what it does not read the client will not see the close in time, but it is there if it reads on.
  finishClose(connection);
}
