import type { Socket } from 'node:net';
import { bytesReceived, bytesTaken } from './socket-bytes.ts';

/**
 * Whether a client has shown a sign of life since it was pinged: its pong, or bytes that have moved. A long frame that
 * comes slowly cannot be interrupted by a pong, and a ping stands behind all that waits for the client.
 *
 * What the kernel takes is such a sign only where its own buffer was full: then the client has taken something before.
 */
export class Heartbeat {
  #state: 'rest' | 'pinged' | 'answered' = 'rest';
  #pingedAt = 0;
  #received = 0;
  #taken = 0;
  /** Nothing was read for a while since the ping: a pong may not have been heard. */
  #deaf = false;
  /** Its machine was found silent when it was last asked about. */
  #silent = false;
  /** How long the last pong took, in whole milliseconds; -1: there was none. */
  roundTrip = -1;

  /** A ping has been written. `time`: milliseconds. */
  pinged(socket: Socket, time: number, deaf: boolean): void {
    this.#state = 'pinged';
    this.#pingedAt = Math.round(time);
    this.#received = bytesReceived(socket);
    this.#taken = socket.writableLength > 0 ? bytesTaken(socket) : Number.POSITIVE_INFINITY;
    this.#deaf = deaf;
  }

  answered(time: number): void {
    if (this.#state !== 'pinged') return;
    this.#state = 'answered';
    this.roundTrip = Math.round(time) - this.#pingedAt;
  }

  /** Nothing is read from the client, for now. */
  deafen(): void {
    this.#deaf = true;
  }

  /** A sign of life is due. */
  get waiting(): boolean {
    return this.#state !== 'rest';
  }

  /** The time for a sign of life is over. Whether there was one. */
  over(socket: Socket): boolean {
    const lives =
      this.#state === 'answered' ||
      this.#deaf ||
      bytesReceived(socket) > this.#received ||
      bytesTaken(socket) > this.#taken;
    this.#state = 'rest';
    return lives;
  }

  /** It was asked whether the client's machine acknowledges what it is sent. Whether it is silent for the second time. */
  silence(silent: boolean): boolean {
    const still = silent && this.#silent;
    this.#silent = silent;
    return still;
  }
}
