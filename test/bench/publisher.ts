import type { Socket } from 'node:net';
import { MASKED_FRAME, writeMaskedFrame } from './mark.ts';

/** Past this many bytes unsent, a publisher takes no further messages. */
const UNSENT = 1024 * 1024;

/** A connection that publishes: frames are gathered and leave in one write per turn. */
export class Publisher {
  readonly #socket: Socket;
  #frames = Buffer.allocUnsafe(8 * MASKED_FRAME);
  #used = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get blocked(): boolean {
    return this.#socket.writableLength + this.#used > UNSENT;
  }

  /** Returns whether these are the first bytes since the last flush. */
  add(tag: number, sequence: number, sent: number): boolean {
    if (this.#used + MASKED_FRAME > this.#frames.length) {
      this.#frames = Buffer.concat([this.#frames], 2 * this.#frames.length);
    }
    writeMaskedFrame(this.#frames, this.#used, tag, sequence, sent);
    this.#used += MASKED_FRAME;
    return this.#used === MASKED_FRAME;
  }

  flush(): void {
    // A copy, because the socket may keep what it is given for longer than this turn.
    this.#socket.write(Buffer.from(this.#frames.subarray(0, this.#used)));
    this.#used = 0;
  }
}
