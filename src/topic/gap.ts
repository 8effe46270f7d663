import type { Position } from './position.ts';

/**
 * Why messages are missing. too_old: they are not kept any more. other_relay: the position is of another relay.
 * unknown_epoch: nobody here knows it. restarted: they died with a server. link: a link has lost them. expired: the
 * client had no right to them, or nobody here wanted them meanwhile. undeliverable: the client's door cannot carry them.
 */
export type GapReason =
  | 'too_old'
  | 'other_relay'
  | 'unknown_epoch'
  | 'restarted'
  | 'link'
  | 'expired'
  | 'undeliverable';

/** Messages that members have missed: those behind `from`, up to `to`, as far as that is known. */
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
  /** Where the member stands once it has all that was asked for, as far as it is kept. */
  readonly at: Position;
  /** Only for a position: whether exactly what was missed is sent. */
  readonly recovered?: boolean;
  /** Messages that were asked for and are not sent; null: nobody can know. Only where `recovered` is false. */
  readonly missed?: number | null;
  /** Only where `recovered` is false. */
  readonly why?: GapReason;
}
