import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may wait on one connection: more than one read brings of the shortest ones. */
export const MAX_WAITING = 2048;

interface Last {
  readonly response: ServerResponse;
  /** How many unanswered requests were before it. */
  readonly place: number;
}

/**
 * Pipelined requests (RFC 9112, section 9.3.2), one at a time. Node hands over each of them at once and only keeps the
 * answers in order; but each has a handler of its own, so what one client has posted would be published in any order.
 */
export class Pipelines {
  readonly #last = new WeakMap<Socket, Last>();

  /**
   * Calls `turn` when the earlier requests of the connection have been answered, or is `now` when there are none. When
   * the connection ends before that, it may be called or not. `full`: as many as may wait do.
   */
  enter(socket: Socket, response: ServerResponse, turn: () => void): 'now' | 'later' | 'full' {
    const before = this.#last.get(socket);
    if (before === undefined || !this.isBusy(socket)) {
      this.#last.set(socket, { response, place: 0 });
      return 'now';
    }
    if (before.place >= MAX_WAITING) return 'full';
    this.#last.set(socket, { response, place: before.place + 1 });
    before.response.once('close', turn);
    return 'later';
  }

  /** Whether an answer has begun and not ended. */
  isAmidst(socket: Socket): boolean {
    const response = this.#last.get(socket)?.response;
    return response?.headersSent === true && !response.writableFinished;
  }

  /** Whether a request of the connection is still to be answered. */
  isBusy(socket: Socket): boolean {
    return this.#last.get(socket)?.response.writableFinished === false;
  }
}
