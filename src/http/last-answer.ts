import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** A whole answer as text for a raw socket (RFC 9112): for upgrades, whose socket Node has given up, and refusals. */
export function rawReply({
  status,
  headers,
  body,
}: {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}): string {
  const fields = { 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close', ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}

/** How much a client may go on sending. */
export interface Bounds {
  /** Milliseconds in all, and between two reads. */
  readonly time: number;
  readonly silence: number;
  readonly bytes: number;
}

const BOUNDS: Bounds = { time: 30_000, silence: 5_000, bytes: 64 * 1024 * 1024 };

/**
 * Ends our side of a connection and reads on, for a bounded while and amount. A socket that is closed with bytes unread is
 * reset, and a client that is still sending sees a broken pipe instead of the answer (RFC 9112, section 9.6).
 */
export function lingeringEnd(socket: Socket, last?: string, { time, silence, bytes }: Bounds = BOUNDS): void {
  if (socket.destroyed) return;
  if (last === undefined) socket.end();
  else socket.end(last);
  const destroy = () => socket.destroy();
  const limit = setTimeout(destroy, time).unref();
  socket.once('close', () => clearTimeout(limit));
  socket.removeAllListeners('timeout');
  socket.setTimeout(silence, destroy);
  const discard = () => {
    let left = bytes;
    // Its parser, if it has one, has nothing more to do.
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) socket.destroy();
    });
  };
  // Only with its parser Node begins to read again what it has stopped reading for the parser's sake; and within the turn
  // that has brought the request it may be about to.
  setImmediate(() => {
    if (socket.isPaused()) socket.once('resume', discard);
    else discard();
    socket.resume();
  });
}

/** Milliseconds for a client to take the last words of a connection, where what came before fills all buffers. */
const LAST_WORDS = 10_000;

/** Ends a connection when these last words have been taken, or in a while. */
export function endWith(socket: Socket, last: string): void {
  socket.end(last);
  socket.destroySoon();
  if (socket.destroyed || socket.writableLength === 0) return;
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS).unref();
  socket.once('close', () => clearTimeout(timer));
}

/** Node ends a connection by this when it has sent the last answer. */
export function lingerAtEnd(socket: Socket): void {
  socket.destroySoon = () => lingeringEnd(socket);
}
