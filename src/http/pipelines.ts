import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { lingeringEnd } from './last-answer.ts';

/** Requests that may wait on one connection: more than one read brings of the shortest ones. */
export const MAX_WAITING = 2048;

interface Turn {
  /** Null: what has come is no request that HTTP answers, and HTTP goes no further on this connection. */
  readonly response: ServerResponse | null;
  readonly take: () => void;
}

/** The requests of one connection. */
interface Line {
  /** What is being answered. */
  current: ServerResponse | undefined;
  readonly waiting: Turn[];
  /** The answer to `current` does not end. */
  endless: boolean;
}

/** now: it is its turn. later: `take` will be called. full: its turn will not come, and the connection has to end. */
export type PlaceInLine = 'now' | 'later' | 'full';

interface HalfOpen extends Server {
  httpAllowHalfOpen?: boolean;
}

/**
 * Has a server answer clients that end their side when they have asked, as `nc -N` does: by itself Node ends its own side
 * then, before the answer. Endless answers end with the client's side: see `Pipelines.neverEnds`.
 */
export function answerHalfClosed(server: HalfOpen): void {
  server.httpAllowHalfOpen = true;
  // Not before: a client that ends its side in the handshake has gone.
  server.on('secureConnection', (socket: Socket) => {
    socket.allowHalfOpen = true;
  });
}

function endToo(this: Socket): void {
  this.end();
}

/**
 * Pipelined requests (RFC 9112, section 9.3.2), one at a time. Node hands over each of them at once and only keeps the
 * answers in order; but each has a process of its own, so what one client has posted would be published in any order.
 *
 * A request has its turn when the answer before it is over as far as Node is concerned, and not when it has been written:
 * only then does Node end the socket of an answer that says `Connection: close`, and what was begun before that would
 * never hear of the end. While requests wait the connection is not read: what waits is what one read has brought.
 */
export class Pipelines {
  readonly #lines = new WeakMap<Socket, Line>();

  /** `take` is called when the earlier requests of the connection have been answered; not when it has ended before. */
  enter(socket: Socket, response: ServerResponse, take: () => void): PlaceInLine {
    return this.#enter(socket, { response, take });
  }

  /** As `enter`, for an upgrade: Node has let go of the socket, which may be paused, and is read by what takes it. */
  leave(socket: Socket, take: () => void): PlaceInLine {
    return this.#enter(socket, { response: null, take });
  }

  /**
   * As `leave`, for what is no HTTP. When the request that has come last is not whole, it is what cannot be read: it is
   * not answered otherwise any more.
   */
  break(socket: Socket, take: () => void): PlaceInLine {
    const line = this.#lines.get(socket);
    const last = line?.waiting.at(-1);
    if (last === undefined) return line?.current?.req.complete === false ? 'now' : this.leave(socket, take);
    if (last.response?.req.complete === false) line?.waiting.pop();
    return this.leave(socket, take);
  }

  /**
   * The answer to the request whose turn it is has no end but that of its client, who ends its side to leave. False:
   * others wait behind it.
   */
  neverEnds(socket: Socket): boolean {
    const line = this.#lines.get(socket);
    if (line === undefined) return true;
    line.endless = line.waiting.length === 0;
    if (line.endless && socket.readableEnded) socket.end();
    else if (line.endless) socket.once('end', endToo);
    return line.endless;
  }

  /** Ends a connection with these last words; amidst an answer that is under way no other would be understood. */
  end(socket: Socket, last: string): void {
    if (this.#lines.get(socket)?.current?.headersSent === true) socket.destroySoon();
    else lingeringEnd(socket, last);
  }

  #enter(socket: Socket, turn: Turn): PlaceInLine {
    const line = this.#lines.get(socket) ?? newLine();
    if (line.current === undefined) {
      this.#begin(socket, line, turn);
      return 'now';
    }
    if (line.endless || line.waiting.length >= MAX_WAITING) return 'full';
    line.waiting.push(turn);
    // A socket that Node has let go of is not read anyway.
    if (line.waiting.length === 1 && turn.response !== null) socket.pause();
    return 'later';
  }

  #begin(socket: Socket, line: Line, { response }: Turn): void {
    if (response === null) {
      // Nothing comes behind it, and an upgraded connection may stay for days.
      this.#lines.delete(socket);
      return;
    }
    this.#lines.set(socket, line);
    line.current = response;
    response.once('close', () => {
      line.current = undefined;
      if (line.endless) socket.off('end', endToo);
      line.endless = false;
      const next = line.waiting.shift();
      if (next === undefined) return;
      this.#begin(socket, line, next);
      if (line.waiting.length === 0 && next.response !== null) socket.resume();
      next.take();
    });
  }
}

function newLine(): Line {
  return { current: undefined, waiting: [], endless: false };
}
