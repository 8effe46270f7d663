import { connect, type Socket } from 'node:net';
import { stamp } from './mark.ts';
import type { MessageStream } from './message-stream.ts';

/** Every connection reads into this one buffer: a read is handled before the next one starts. */
const chunk = Buffer.allocUnsafeSlow(64 * 1024);
const chunkView = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);

const LONGEST_RESPONSE = 4096;

export interface ConnectionEvents {
  /** The upgrade is accepted. */
  open(): void;
  /** The connection is no more: refused, closed by the server or broken. Never after `destroy`. */
  closed(reason: string): void;
}

/**
 * One WebSocket connection on a bare socket: the upgrade by hand, then bytes straight into its stream. With thousands of
 * them the cost of a read is cache misses, so that a read touches as few objects as can be.
 */
export class Connection {
  readonly socket: Socket;
  readonly #events: ConnectionEvents;
  /** Null: the upgrade is done. */
  #response: string | null = '';
  #ended = false;

  /** `afterRead` is called when bytes of an open connection have been taken; one function may serve all connections. */
  constructor(
    port: number,
    path: string,
    stream: MessageStream,
    afterRead: () => void,
    events: ConnectionEvents,
  ) {
    this.#events = events;
    this.socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: chunk,
        callback: (length) => {
          const start = this.#response === null ? 0 : this.#upgrade(length);
          if (start < 0) return !this.#ended;
          if (!stream.take(chunk, chunkView, start, length, stamp(performance.now()))) {
            this.#end('sent a frame that cannot be followed');
            return false;
          }
          afterRead();
          return true;
        },
      },
    });
    this.socket.on('error', (error) => this.#end(error.message));
    this.socket.on('close', () => this.#end('closed'));
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
    );
  }

  /** Ends it at once by a reset, which leaves no port in TIME_WAIT behind. */
  destroy(): void {
    this.#ended = true;
    this.socket.resetAndDestroy();
  }

  /** Returns where the first frame starts, or -1 when there is nothing to read yet. */
  #upgrade(length: number): number {
    const before = this.#response ?? '';
    const response = before + chunk.toString('latin1', 0, Math.min(length, LONGEST_RESPONSE));
    const end = response.indexOf('\r\n\r\n');
    if (end < 0 && response.length < LONGEST_RESPONSE) {
      this.#response = response;
      return -1;
    }
    if (!response.startsWith('HTTP/1.1 101 ')) {
      this.#end(`refused: ${response.split('\r\n', 1)[0]}`);
      return -1;
    }
    this.#response = null;
    this.#events.open();
    return end + 4 - before.length;
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.socket.destroy();
    this.#events.closed(reason);
  }
}

/** A pong with the payload of its ping (at most 125 bytes), masked with the key 0: as it is. */
export function pongFrame(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
