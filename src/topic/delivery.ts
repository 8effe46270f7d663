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

  constructor(bytes: Buffer, count: number, accounting: Accounting) {
    this.bytes = bytes;
    this.count = count;
    this.accounting = accounting;
  }
}
