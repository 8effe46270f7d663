import type { Message } from './message.ts';

/** A message in one door's words, not yet framed. The payload is not copied: `assemble` does that once. */
export interface Part {
  readonly opcode: 1 | 2;
  readonly payload: Buffer;
}

/**
 * How the members of one kind want their deliveries, as bytes ready for the socket. Two members have the same format
 * when it is the same object. Implementations are pure and do not throw.
 */
export interface Format {
  readonly name: string;
  /** Of other relays: they get what was published here, and never what came from another relay. */
  readonly remote?: true;
  /**
   * `undeliverable`: the format cannot carry the message, which is counted as a drop for each member.
   * `nothing`: there is nothing to deliver, as with an empty message at a door where that is a keepalive.
   */
  render(message: Message, topic: string): Part | 'undeliverable' | 'nothing';
  /** Finished bytes for one or more parts, in their order. */
  assemble(parts: readonly Part[]): Buffer;
}
