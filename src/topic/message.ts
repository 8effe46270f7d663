import type { Pid } from '../otp/process.ts';
import type { Accounting } from './accounting.ts';
import type { Gap } from './gap.ts';
import type { Numbered, Position } from './position.ts';

/**
 * A message as its publisher sent it, and no door's own. What each door makes of it is in the door's `Format`.
 *
 * - `text`: `payload` is valid UTF-8.
 * - `binary`: any bytes.
 * - `json`: `payload` is the sender's own frame, for doors that speak JSON to pass on byte for byte; `content` finds in
 *   it what text doors deliver: a string content as itself, any other as its JSON text as sent, null when there is none.
 */
export type Message =
  | { readonly kind: 'text'; readonly payload: Buffer }
  | { readonly kind: 'binary'; readonly payload: Buffer }
  | { readonly kind: 'json'; readonly payload: Buffer; readonly content: () => Buffer | null };

/** What names a topic. */
export interface TopicKey {
  readonly realm: string;
  readonly name: string;
}

/** What a message costs the relay beside its bytes, so that a flood of tiny ones is bounded as well. */
const MESSAGE_COST = 64;

/** What messages of so many bytes cost while they wait: in credit, and in what may wait for a link. */
export function costOf(bytes: number, messages = 1): number {
  return bytes + MESSAGE_COST * messages;
}

/** A relay that gives messages their order. The one that takes over has a higher epoch. */
export interface Sequencer {
  readonly node: string;
  readonly epoch: number;
}

/** A message on its way to its topic. */
export interface Publish {
  readonly type: 'publish';
  readonly message: Message;
  readonly from: Pid<PublisherMessage>;
  /** Credit to give back once the message has been fanned out, in bytes; 0: none. */
  readonly credit: number;
  /** The relay that the message came from, and then it goes to local members only; null: it was published here. */
  readonly via: Sequencer | null;
  /** When the message was accepted, if it is timed; 0 or left out: it is not. */
  readonly acceptedAt?: number;
  /** The position that its sequencer has given the message; left out: the topic's line gives it, if there is one. */
  readonly at?: Numbered;
  /** It is kept, and goes to nobody: those who are here now may have it, or came after it. */
  readonly isFill?: true;
  /** Another relay has sent it here to be given its order, and has seen that its publisher may publish. */
  readonly isForwarded?: true;
  /** Set where `from` is to be told what has become of the message: JSON text of the client's, of 64 characters at most. */
  readonly receipt?: string;
  /** Of several messages with the same key, the first alone is fanned out; by the relay that orders them, if one does. */
  readonly key?: string;
}

/** A message of several, and its key among theirs: '' for none; null: there are none. */
export function keyedBy(keys: readonly string[] | null, index: number, publish: Publish): Publish {
  const key = keys?.[index] ?? '';
  return key === '' ? publish : { ...publish, key };
}

/** What a topic tells a publisher, and whoever asks to join or to own it. */
export type PublisherMessage =
  | { readonly type: 'credit'; readonly bytes: number }
  | {
      readonly type: 'refused';
      readonly action: 'join' | 'claim' | 'publish';
      readonly name: string;
      readonly why: 'missing' | 'owned' | 'unavailable';
      /** That of a publish that had one. */
      readonly receipt?: string;
      /** The join was that of a member that comes back to a topic that was lost. */
      readonly again?: true;
    }
  /** A message with a receipt has been fanned out. `at`: null where the topic has no line, or another relay orders it. */
  | {
      readonly type: 'published';
      readonly name: string;
      readonly receipt: string;
      readonly at: Position | null;
    };

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
  /** What members of this format get where nothing is kept, and no position is said; absent: the same. */
  readonly unkept?: Format;
  /**
   * `undeliverable`: the format cannot carry the message, which must be a binary one. It is counted as a drop for each member.
   * `nothing`: there is nothing to deliver, as with an empty message at a door where that is a keepalive.
   * `at`: the message's position; null where the topic has no line. `key`: its idempotency key, for other relays.
   */
  render(
    message: Message,
    topic: string,
    at: Numbered | null,
    key?: string,
  ): Part | 'undeliverable' | 'nothing';
  /** Tells members that messages are missing. Absent: there are no words for it at this door. */
  gap?(topic: string, gap: Gap): Part;
  /** Finished bytes for one or more parts, in their order. */
  assemble(parts: readonly Part[]): Buffer;
}

/**
 * What a topic server sends to every member of one format at once: the messages of one turn as finished bytes. It is
 * the same object for all of them, and nobody changes it.
 */
export class Delivery {
  /** Ready for the socket: whole frames. */
  readonly bytes: Buffer;
  /** How many messages they are. */
  readonly count: number;
  /** Counts what cannot be delivered: a delivery may outlive the process that it was sent to. */
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

/** Tells members of a message that their format cannot carry. Null: they know nothing of positions. */
export function uncarried({ gap }: Format, topic: string, at: Numbered | null): Part | null {
  if (gap === undefined || at === null) return null;
  const from = { epoch: at.epoch, offset: at.offset - 1 };
  return gap(topic, { from, to: at, missed: 1, why: 'undeliverable' });
}
