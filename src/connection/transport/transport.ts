import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpReply } from '../../door/contract.ts';
import { lingerAtEnd } from '../../http/last-answer.ts';
import type { Pid } from '../../otp/process.ts';
import type { End } from '../end.ts';

/** What the transport tells. Payloads are views of a read buffer. */
export type TransportMessage =
  | { readonly type: 'text' | 'binary' | 'body'; readonly payload: Buffer }
  | { readonly type: 'pong' }
  /** Answered by the transport. */
  | { readonly type: 'ping' }
  | Farewell
  /** The last one. */
  | { readonly type: 'closed'; readonly code: number };

/** The client's close, or the end of a client that has sent what it may not: nothing more of it is read. */
export interface Farewell {
  readonly type: 'farewell';
  readonly end: Extract<End, { readonly type: 'left' | 'fault' }>;
}

/**
 * The way to one client: a WebSocket, an endless HTTP answer, or a single exchange. It tells the connection's handler
 * what happens (`TransportMessage`), and that `closed` comes last, once.
 */
export interface Transport {
  readonly kind: 'websocket' | 'stream' | 'exchange';
  /** Where finished bytes go once the connection is accepted. */
  readonly socket: Socket;
  /**
   * Begins to tell the handler what happens. False: the client has gone, or its socket is on its way out. Nothing is to
   * be begun for it, and `closed` has been told.
   */
  attach(handler: Pid<TransportMessage>): boolean;
  /** Completes the upgrade or sends the head of the answer. False: the client is gone, or no client of ours. */
  accept(): boolean;
  /** Answers a request that was not accepted, and ends it. */
  reply(reply: HttpReply): void;
  /** Reads nothing more until `resume`. Absent, as the next three are: nothing comes in. */
  pause?(): void;
  resume?(): void;
  /** The handler has handled a message of so many bytes. */
  handled?(bytes: number): void;
  /** The client has no right yet: a message may have no more than so many bytes; 0: the limit is that of every message. */
  restrict?(bytes: number): void;
  /** Sends what keeps the way open: a ping, a comment. Absent: it is open for a short time only. */
  keepAlive?(): void;
  /** Ends an accepted connection in good order; it takes `limits.close` at the most. */
  close(code: number, reason: string): void;
  /** Ends the connection now. */
  destroy(): void;
}

/**
 * Milliseconds of quiet after which the kernel probes the other side, ten times in ten seconds: for those to whom nothing
 * is written, where there are no pings.
 */
export const KEEP_ALIVE = 60_000;

/** Listeners on a socket that hold no state are shared by all connections. */
export function ignoreError(): void {
  // A socket's error is followed by its close, which says all we need.
}

/**
 * Tells once that an answer is over: sent, or its connection gone, which may have been before anybody listened. False: it
 * was. An answer that has no socket is one that Node has let go of; nothing would ever be heard of it.
 */
export function onceOver(response: ServerResponse, tell: () => void): boolean {
  if (response.socket?.writable !== true) {
    tell();
    return false;
  }
  response.once('close', tell);
  return true;
}

/** Sends a whole answer. Of an answer to HEAD Node sends the head alone, with the length that the body would have. */
export function sendReply(response: ServerResponse, { status, headers, body }: HttpReply): void {
  const { req } = response;
  const length: Record<string, string> =
    status === 204 ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const all: Record<string, string> = { ...length, ...headers };
  // With a `Connection` of ours Node forgets that the client wants it closed.
  if (all['Connection'] === 'Upgrade' && !response.shouldKeepAlive) all['Connection'] += ', close';
  // A client that is still sending does not read before it is done.
  if (!req.complete) lingerAtEnd(req.socket);
  if (!response.shouldKeepAlive || all['Connection'] === 'close') response.removeHeader('Keep-Alive');
  response.writeHead(status, all);
  response.end(body);
}
