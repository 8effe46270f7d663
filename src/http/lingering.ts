import type { Socket } from 'node:net';

/** Milliseconds that a client has in all to take our last words, and between two reads; and bytes that it may send on. */
const LINGER = 30_000;
const SILENCE = 5_000;
const BYTES = 64 * 1024 * 1024;

/**
 * Ends our side of a connection and reads on, for a bounded while and amount. A socket that is closed with bytes unread is
 * reset, and a client that is still sending sees a broken pipe instead of the answer (RFC 9112, section 9.6).
 */
export function lingeringEnd(socket: Socket, last?: string): void {
  if (socket.destroyed) return;
  if (last === undefined) socket.end();
  else socket.end(last);
  let left = BYTES;
  const destroy = () => socket.destroy();
  const limit = setTimeout(destroy, LINGER).unref();
  // Its parser, if it has one, has nothing more to do.
  socket.removeAllListeners('data');
  socket.removeAllListeners('timeout');
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  socket.setTimeout(SILENCE, destroy);
  socket.once('close', () => clearTimeout(limit));
  socket.resume();
}

/** Node ends a connection by this when it has sent the last answer. */
export function lingerAtEnd(socket: Socket): void {
  socket.destroySoon = () => lingeringEnd(socket);
}
