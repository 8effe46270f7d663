import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { bytesTaken } from './socket-bytes.ts';

/** The most milliseconds between two looks at one answer. */
const LOOK_PERIOD = 1000;

/** Where the end of a connection waits for an answer that its client does not read. */
type Answer = Pick<ServerResponse, 'once' | 'writableEnded'>;

/**
 * Ends connections of clients that take nothing of what answers them: their answers would wait in the relay for ever, and
 * so would the connection. Any byte that the kernel takes is progress.
 */
export class UnreadAnswers {
  readonly #limit: () => number;
  readonly #end: (socket: Socket) => void;

  /** `limit`: milliseconds without progress, asked at each look; 0: none. `end` is to destroy the socket. */
  constructor(limit: () => number, end: (socket: Socket) => void) {
    this.#limit = limit;
    this.#end = end;
  }

  /**
   * Looks at an answer until it is over. An answer that has no end by itself is looked at only when `endless` says so: its
   * writer looks after it otherwise.
   */
  watch(socket: Socket, answer: Answer, endless = false): void {
    let before = bytesTaken(socket);
    let stalled = 0;
    let timer: NodeJS.Timeout;
    const wait = () => {
      const limit = this.#limit();
      const period = limit === 0 ? LOOK_PERIOD : Math.min(LOOK_PERIOD, limit);
      timer = setTimeout(look, period, period).unref();
    };
    const look = (period: number) => {
      const taken = bytesTaken(socket);
      const waits = socket.writableLength > 0 && (endless || answer.writableEnded);
      // Counted in looks: when the event loop has stood still, one look is late and the client is not.
      stalled = waits && taken === before ? stalled + period : 0;
      before = taken;
      const limit = this.#limit();
      if (limit > 0 && stalled >= limit) this.#end(socket);
      else wait();
    };
    wait();
    answer.once('close', () => clearTimeout(timer));
  }
}
