import type { Accounting } from './accounting.ts';

/**
 * What a topic server sends to every member of one format at once: the messages of one turn as finished bytes. It is
 * the same object for all of them, and nobody changes it.
 */
export class Delivery {
  /** Ready for the socket: whole frames. */
  readonly bytes: Buffer;
  /** How many messages they are. */
  readonly count: number;
  /** Where it is counted by whoever cannot deliver it: it may outlive the process that it was sent to. */
  readonly accounting: Accounting;
  /** When the message in it that is timed was accepted, in milliseconds; 0: none is. */
  readonly acceptedAt: number;

  constructor(bytes: Buffer, count: number, accounting: Accounting, acceptedAt = 0) {
    this.bytes = bytes;
    this.count = count;
    this.accounting = accounting;
    this.acceptedAt = acceptedAt;
  }
}
