/**
 * Messages that have come from one start of another relay, over however many connections: its last number that is known
 * of, and how many have come. The difference was lost.
 */
export class ReceivedCounts {
  readonly incarnation: string;
  last: number;
  received: number;
  /** Of frames of messages. */
  bytes = 0;

  constructor(incarnation: string, last: number) {
    this.incarnation = incarnation;
    this.last = last;
    this.received = last;
  }

  get lost(): number {
    return this.last - this.received;
  }

  /** A frame comes whose first message has that number. False: it was there before. */
  begin(first: number, bytes: number): boolean {
    if (first <= this.last) return false;
    this.last = first - 1;
    this.bytes += bytes;
    return true;
  }

  /** The next messages of the frame. */
  take(count: number): void {
    this.last += count;
    this.received += count;
  }

  /** The other side has come to that number, as it tells. */
  told(last: number): void {
    this.last = Math.max(this.last, last);
  }
}
