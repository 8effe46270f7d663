import type { Position } from './position.ts';

/**
 * Why messages are missing. too_old: they are not kept any more. other_relay: the position is of another relay.
 * unknown_epoch: nobody here knows it. restarted: they died with a server. link: a link has lost them. expired: the
 * client had no right to them, or nobody here wanted them meanwhile.
 */
export type GapReason = 'too_old' | 'other_relay' | 'unknown_epoch' | 'restarted' | 'link' | 'expired';

/** Messages that members have missed: those behind `from` and before the one behind `to`, as far as that is known. */
export interface Gap {
  readonly from: Position | null;
  readonly to: Position | null;
  /** How many; null: nobody can know. */
  readonly missed: number | null;
  readonly why: GapReason;
}

/** What has come of a join with `since`. */
export interface Resumption {
  /**
   * Where the member stands before the answer's deliveries: what is sent begins behind it, and a client that is cut off
   * before the first of them comes back with this position. The same as `at` where nothing is sent.
   */
  readonly from: Position;
  /** Where the member stands once it has all that the answer brings. */
  readonly at: Position;
  /** Only for a position: whether exactly what was missed is sent. */
  readonly recovered?: boolean;
  /** Messages that were asked for and are not sent; null: nobody can know. Only where `recovered` is false. */
  readonly missed?: number | null;
  /** Only where `recovered` is false. */
  readonly why?: GapReason;
}

/** An epoch that a line continues: its positions up to `end` are the same offsets of the line. */
export interface Ancestor {
  readonly epoch: string;
  readonly end: number;
}

/** The position that a message was given, and what its epoch continues. */
export interface Numbered extends Position {
  readonly continues?: Ancestor;
}

/** The numbers of one topic's messages at this relay. */
export class Line {
  readonly #epoch: string;
  #last = 0;

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The offset of the last message that was fanned out here. */
  get last(): number {
    return this.#last;
  }
}
