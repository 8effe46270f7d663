import type { Socket } from 'node:net';
import { endWith, rawReply } from '../http/last-answer.ts';
import { type Refusal, refusalOf } from './refusals.ts';

/** Connections that are heard at one time: each takes a place that `limits.connections` does not know of. */
export const MOST_HEARD = 64;
/** Milliseconds that a client has to ask. */
const TIME_TO_ASK = 2000;

/**
 * Connections that are refused, whose request is read first: an event stream, or a page of another origin, is answered
 * in words of its own.
 */
export class TurnedAway {
  readonly #heard = new Map<Socket, Refusal>();
  readonly #time: number;

  /** `time`: milliseconds that a client has to ask. */
  constructor(time = TIME_TO_ASK) {
    this.#time = time;
  }

  /** Refuses a connection: when it has asked, or at once where too many are heard already (false). */
  add(socket: Socket, why: Refusal): boolean {
    if (this.#heard.size >= MOST_HEARD) {
      turnAway(socket, why);
      return false;
    }
    this.#heard.set(socket, why);
    // Not a timer of the listener: these connections end however the listener does.
    const timer = setTimeout(() => turnAway(socket, why), this.#time).unref();
    socket.once('close', () => {
      clearTimeout(timer);
      this.#heard.delete(socket);
    });
    return true;
  }

  /** Why the connection is refused; undefined: it is not. */
  why(socket: Socket): Refusal | undefined {
    return this.#heard.get(socket);
  }
}

/** Ends a connection with words that need no request. */
export function turnAway(socket: Socket, why: Refusal): void {
  if (socket.writable) endWith(socket, rawReply(refusalOf(why)));
  else socket.destroySoon();
}
