/**
 * What a topic server sends to every member of one format at once: the messages of one turn as finished bytes. It is
 * the same object for all of them, and nobody changes it.
 */
export class Delivery {
  /** Ready for the socket: whole frames. */
  readonly bytes: Buffer;
  /** How many messages they are. */
  readonly count: number;

  constructor(bytes: Buffer, count: number) {
    this.bytes = bytes;
    this.count = count;
  }
}
