import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpReply, Route } from '../../door/contract.ts';
import { inform, type Pid } from '../../otp/process.ts';
import { ABNORMAL, NORMAL } from '../end.ts';
import { KEEP_ALIVE, onceOver, sendReply, type Transport, type TransportMessage } from './transport.ts';

/** What a stream begins with, and what keeps it open. */
export type StreamOptions = Pick<
  Extract<Route, { readonly transport: 'stream' }>,
  'headers' | 'keepAlive' | 'opening' | 'later'
>;

/** An HTTP client has no close to send: it ends its side, or resets it where something is still on its way. */
function hasLeft({ readableEnded, errored }: Socket): boolean {
  const code = (errored as NodeJS.ErrnoException | null)?.code;
  return code === undefined ? readableEnded : code === 'ECONNRESET' || code === 'EPIPE';
}

/** Refusals of a moment. */
const PASSING = new Set([429, 503]);

/**
 * An endless HTTP answer: an event stream (WHATWG HTML, 9.2). Its body has no length and ends with the connection, so
 * that finished events can be written straight to the socket, without chunks around them.
 */
export class StreamTransport implements Transport {
  readonly kind = 'stream';
  readonly socket: Socket;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: StreamOptions;
  #handler: Pid<TransportMessage> | undefined = undefined;

  constructor(request: IncomingMessage, response: ServerResponse, options: StreamOptions) {
    this.socket = request.socket;
    this.#request = request;
    this.#response = response;
    this.#options = options;
  }

  attach(handler: Pid<TransportMessage>): boolean {
    this.#handler = handler;
    const attached = onceOver(this.#response, () => {
      this.#handler = undefined;
      inform(handler, { type: 'closed', code: hasLeft(this.socket) ? NORMAL : ABNORMAL });
    });
    // A body is not wanted, and unread it would hold the connection back.
    this.#request.resume();
    return attached;
  }

  accept(): boolean {
    if (this.#handler === undefined || !this.socket.writable) return false;
    const response = this.#response;
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
    response.removeHeader('Keep-Alive');
    response.writeHead(200, this.#options.headers);
    this.socket.setNoDelay(true);
    this.socket.setKeepAlive(true, KEEP_ALIVE);
    this.socket.cork();
    response.flushHeaders();
    this.socket.write(this.#options.opening(Math.random()));
    this.socket.uncork();
    return true;
  }

  reply(reply: HttpReply): void {
    sendReply(this.#response, PASSING.has(reply.status) ? this.#options.later(reply, Math.random()) : reply);
  }

  keepAlive(): void {
    this.socket.write(this.#options.keepAlive);
  }

  close(): void {
    this.socket.end();
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
