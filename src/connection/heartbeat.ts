import type { Socket } from 'node:net';
import { bytesReceived, bytesTaken } from '../http/socket-bytes.ts';
import type { Acknowledging } from './silence-server.ts';

/** Bytes that a client may well have read by the time of its next ping. With more, some may still wait in the kernel. */
const BACKLOG = 64 * 1024;

/**
 * Whether a client has shown a sign of life since it was pinged: its pong, or bytes that have moved. A long frame that
 * comes slowly cannot be interrupted by a pong, and a ping stands behind all that waits for the client.
 *
 * What the kernel takes is such a sign only where its own buffer was full: then the client has taken something before.
 * Where the kernel may have a backlog, it is asked what has been acknowledged.
 */
export class Heartbeat {
  /** doubted: no sign of life was seen, and the kernel is asked. */
  #state: 'rest' | 'pinged' | 'answered' | 'doubted' = 'rest';
  #pingedAt = 0;
  #received = 0;
  /** Bytes that the kernel had taken at the ping, where its buffer was full then; -1: it was not. */
  #taken = -1;
  /** Nothing was read for a while since the ping: a pong may not have been heard. */
  #deaf = false;
  /** Bytes of the client's that had been acknowledged soon after the ping, at the most; -1: that is not known. */
  #acknowledged = -1;
  /** Bytes that had been handed to the socket at the ping. */
  #written = 0;
  /** At the last look more than a little had not been acknowledged. */
  #behind = false;
  /** When its machine was first found silent, of the looks up to the last; -1: it is not. */
  #silentSince = -1;
  #roundTrip = -1;

  /** A ping is about to be written. `time`: milliseconds. Whether the kernel is to be asked what has been acknowledged. */
  pings(socket: Socket, time: number, deaf: boolean): boolean {
    const backlog =
      this.#behind || socket.writableLength > 0 || socket.bytesWritten - this.#written > BACKLOG;
    this.#state = 'pinged';
    this.#pingedAt = Math.round(time);
    this.#received = bytesReceived(socket);
    this.#taken = socket.writableLength > 0 ? bytesTaken(socket) : -1;
    this.#deaf = deaf;
    this.#acknowledged = -1;
    this.#written = socket.bytesWritten;
    return backlog;
  }

  answered(time: number): void {
    if (this.#state !== 'pinged' && this.#state !== 'doubted') return;
    this.#state = 'answered';
    this.#roundTrip = Math.round(time) - this.#pingedAt;
  }

  /** Nothing is read from the client, for now. */
  deafen(): void {
    this.#deaf = true;
  }

  /** How long the last pong took, in whole milliseconds; null: there was none. */
  get roundTrip(): number | null {
    return this.#roundTrip < 0 ? null : this.#roundTrip;
  }

  /** A sign of life is due. */
  get waiting(): boolean {
    return this.#state !== 'rest';
  }

  /** The time for a sign of life is over. doubtful: the kernel may know of one; asked again, it is none. */
  over(socket: Socket): 'alive' | 'doubtful' | 'dead' {
    const lives =
      this.#state === 'answered' ||
      this.#deaf ||
      bytesReceived(socket) > this.#received ||
      (this.#taken >= 0 && bytesTaken(socket) > this.#taken);
    if (lives) {
      this.#state = 'rest';
      return 'alive';
    }
    if (this.#state === 'doubted' || this.#acknowledged < 0) return 'dead';
    this.#state = 'doubted';
    return 'doubtful';
  }

  /** What the kernel says. */
  acknowledged(socket: Socket, { atLeast, atMost }: Acknowledging): void {
    this.#behind = bytesTaken(socket) - atLeast > BACKLOG;
    if (this.#state === 'pinged' && this.#acknowledged < 0) this.#acknowledged = atMost;
    else if (this.#state === 'doubted' && atLeast > this.#acknowledged) this.#state = 'answered';
  }

  /** How long the client's machine has been silent each time it was looked at, in milliseconds; null: it is not. */
  silence({ silent }: Acknowledging, time: number): number | null {
    if (!silent) this.#silentSince = -1;
    else if (this.#silentSince < 0) this.#silentSince = time;
    return silent ? time - this.#silentSince : null;
  }
}
