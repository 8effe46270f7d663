import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpReply } from '../../door/contract.ts';
import { messageTooLarge } from '../../door/replies.ts';
import { inform, type Pid } from '../../otp/process.ts';
import { ABNORMAL } from '../end.ts';
import { onceOver, sendReply, type Transport, type TransportMessage } from './transport.ts';

/** Milliseconds for what is left of a body when it has been answered. */
const REST_OF_BODY = 5000;

/** One HTTP request with a body, and its answer. The body is read whole, up to the limit of a message. */
export class ExchangeTransport implements Transport {
  readonly kind = 'exchange';
  readonly socket: Socket;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #limit: number;
  readonly #onTooLarge: () => void;
  /** A body of more bytes will be refused, whatever follows. 0: that is not known. */
  #enough = 0;

  /** `limit`: bytes of the body; 0: none. `onTooLarge`: a longer one has been refused. */
  constructor(request: IncomingMessage, response: ServerResponse, limit: number, onTooLarge: () => void) {
    this.socket = request.socket;
    this.#request = request;
    this.#response = response;
    this.#limit = limit;
    this.#onTooLarge = onTooLarge;
  }

  attach(handler: Pid<TransportMessage>): boolean {
    const chunks: Buffer[] = [];
    let size = 0;
    const attached = onceOver(this.#response, () => inform(handler, { type: 'closed', code: ABNORMAL }));
    this.#request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (this.#response.headersSent) return;
      if (this.#limit > 0 && size > this.#limit) {
        this.#tooLarge();
        return;
      }
      chunks.push(chunk);
      if (this.#enough > 0 && size > this.#enough) done();
    });
    let told = false;
    const done = () => {
      if (told || this.#response.headersSent) return;
      told = true;
      inform(handler, { type: 'body', payload: joined(chunks) });
    };
    this.#request.on('end', done);
    return attached;
  }

  accept(): boolean {
    return false;
  }

  reply(reply: HttpReply): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    // What is left of a body that nobody wants stands before the next request.
    this.#request.resume();
    if (this.#response.shouldKeepAlive && reply !== messageTooLarge) this.#endBody();
    sendReply(this.#response, reply);
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  restrict(bytes: number): void {
    this.#enough = bytes;
  }

  close(): void {
    this.socket.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** A client that goes on for longer with a body that was answered does it to hold the connection. */
  #endBody(): void {
    if (this.#request.complete) return;
    const timer = setTimeout(() => this.socket.destroy(), REST_OF_BODY).unref();
    this.#request.once('close', () => clearTimeout(timer));
  }

  /** Answers at once; the rest of the body is not waited for. */
  #tooLarge(): void {
    if (this.#response.headersSent) return;
    this.#request.removeAllListeners('data');
    this.reply(messageTooLarge);
    this.#onTooLarge();
  }
}

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}
