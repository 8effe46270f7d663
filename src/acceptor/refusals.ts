import type { Socket } from 'node:net';
import type { HttpReply } from '../door/contract.ts';
import { forbidden, textReply, tooManyAttempts, tooManyRequests } from '../door/replies.ts';
import { endWith, rawReply } from '../http/last-answer.ts';

const NONE = {
  /** `limits.connections` is reached. */
  full: 0,
  /** The limit on open files is reached. */
  files: 0,
  'address-full': 0,
  'address-rate': 0,
  'failed-authorisations': 0,
  'publish-rate': 0,
  origin: 0,
  /** A proxy has sent no PROXY header, or not in time. */
  'proxy-header': 0,
  /** More requests on one connection than may wait, or a request behind a stream. */
  pipeline: 0,
  /** Nothing was taken of an answer for `limits.write_stall`. */
  'write-stall': 0,
  /** No TLS came about: a client without TLS, or a client that does not know the certificate. */
  tls: 0,
};

/** Why a client is turned away before it has a connection. */
export type Refusal = keyof typeof NONE;

/** How often clients were turned away, and why. */
export type Refusals = Record<Refusal, number>;

export function newRefusals(): Refusals {
  return { ...NONE };
}

/** What a client is told that has come with a request. */
export function refusalOf(why: Refusal): HttpReply {
  switch (why) {
    case 'full':
      return textReply(503, 'Error: full.', { 'Retry-After': '1' });
    case 'failed-authorisations':
      return tooManyAttempts;
    case 'origin':
      return forbidden;
    case 'publish-rate':
      return tooManyRequests('messages');
    default:
      return tooManyRequests('connections');
  }
}

/** Connections that are heard at one time: each takes a place that `limits.connections` does not know of. */
export const MOST_HEARD = 64;
/** Milliseconds that a client has to ask. */
const TIME_TO_ASK = 2000;

/**
 * Connections that are refused, whose request is read first: an event stream, or a page of another origin, is answered
 * in words of its own.
 */
export class TurnedAway {
  readonly #why = new WeakMap<Socket, Refusal>();
  /** The oldest first. */
  readonly #heard = new Set<Socket>();
  readonly #time: number;

  /** `time`: milliseconds that a client has to ask. */
  constructor(time = TIME_TO_ASK) {
    this.#time = time;
  }

  /** Refuses a connection: when it has asked, in that time, or sooner where many others come after it. */
  add(socket: Socket, why: Refusal): void {
    const [oldest] = this.#heard;
    if (this.#heard.size >= MOST_HEARD && oldest !== undefined) this.#refuse(oldest);
    this.#why.set(socket, why);
    this.#heard.add(socket);
    // Not a timer of the listener: these connections end however the listener does.
    const timer = setTimeout(() => this.#refuse(socket), this.#time).unref();
    socket.once('close', () => {
      clearTimeout(timer);
      this.#heard.delete(socket);
    });
  }

  /** Why the connection is refused; undefined: it is not. */
  why(socket: Socket): Refusal | undefined {
    return this.#why.get(socket);
  }

  #refuse(socket: Socket): void {
    const why = this.#why.get(socket);
    this.#heard.delete(socket);
    if (why !== undefined) turnAway(socket, why);
  }
}

/** Ends a connection with words that need no request. */
export function turnAway(socket: Socket, why: Refusal): void {
  if (socket.writable) endWith(socket, rawReply(refusalOf(why)));
  else socket.destroySoon();
}
