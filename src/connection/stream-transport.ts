import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpReply } from '../door/contract.ts';
import { type Pid, send } from '../otp/process.ts';
import { ABNORMAL } from './close-codes.ts';
import type { TransportMessage } from './connection.ts';
import { onceOver, type Transport } from './transport.ts';

const COMMENT = Buffer.from(': keepalive\n\n');

/**
 * An endless HTTP answer: an event stream (WHATWG HTML, 9.2). Its body has no length and ends with the connection, so
 * that finished events can be written straight to the socket, without chunks around them.
 */
export class StreamTransport implements Transport {
  readonly kind = 'stream';
  readonly socket: Socket;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #handler: Pid<TransportMessage> | undefined = undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.socket = request.socket;
    this.#request = request;
    this.#response = response;
  }

  attach(handler: Pid<TransportMessage>): void {
    this.#handler = handler;
    onceOver(this.#response, this.socket, () => {
      this.#handler = undefined;
      send(handler, { type: 'closed', code: ABNORMAL });
    });
    // A body is not wanted, and unread it would hold the connection back.
    this.#request.resume();
  }

  accept(): boolean {
    if (this.#handler === undefined || this.socket.destroyed) return false;
    const response = this.#response;
    // Behind an answer that has not gone out yet, events would overtake it.
    if (response.socket !== this.socket) return false;
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
      'X-Content-Type-Options': 'nosniff',
    });
    response.flushHeaders();
    this.socket.setNoDelay(true);
    return true;
  }

  reply({ status, headers, body }: HttpReply): void {
    this.#response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
    this.#response.end(body);
  }

  pause(): void {
    // Nothing comes in.
  }

  resume(): void {
    // Nothing comes in.
  }

  keepAlive(): void {
    this.socket.write(COMMENT);
  }

  close(): void {
    this.socket.end();
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
