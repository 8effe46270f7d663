import type { GapReason } from '../gap.ts';
import type { Message } from '../message.ts';
import {
  countAt,
  diedAt,
  isBinary,
  isHole,
  kill,
  messageAt,
  missedAt,
  sizeAt,
  timeAt,
  wasMessage,
  whyAt,
} from './entry.ts';
import type { Segment } from './segment.ts';

export type Entry =
  | { readonly type: 'message'; readonly offset: number; readonly time: number; readonly message: Message }
  /** `offset`: of the last of the messages that are missing; `count`: how many offsets they take. */
  | {
      readonly type: 'hole';
      readonly offset: number;
      readonly time: number;
      readonly count: number;
      /** As many as that; null: nobody knows how many. */
      readonly missed: number | null;
      readonly why: GapReason;
      /** It was a message before this version of the line; null: it has always been a hole. */
      readonly died: number | null;
    };

/**
 * A place in a ring, before an entry. It holds the segments from there on: what is read behind it is read even if the
 * ring has let it go meanwhile.
 */
export class Cursor {
  #segment: Segment;
  #at: number;
  #offset: number;
  #messages: number;

  /** `at`: in the segment. `offset`: of the entry there. `messages`: of the line, before it. */
  constructor(segment: Segment, at: number, offset: number, messages: number) {
    this.#segment = segment;
    this.#at = at;
    this.#offset = offset;
    this.#messages = messages;
  }

  static atBeginOf(segment: Segment): Cursor {
    return new Cursor(segment, 0, segment.begin.offset, segment.begin.messages);
  }

  copy(): Cursor {
    return new Cursor(this.#segment, this.#at, this.#offset, this.#messages);
  }

  /** The offset of the next entry. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes of entries that precede it, in all the line. */
  get bytes(): number {
    return this.#segment.begin.bytes + this.#at;
  }

  /** Messages that were written before it, in all the line. */
  get messages(): number {
    return this.#messages;
  }

  get segment(): Segment {
    return this.#segment;
  }

  /** In the segment. */
  get at(): number {
    return this.#at;
  }

  /** Whether there is nothing behind it yet. Moves to the segment of the next entry. */
  get isAtEnd(): boolean {
    while (this.#at === this.#segment.length) if (!this.skip()) return true;
    return false;
  }

  /** The next entry; null: there is none yet. */
  peek(): Entry | null {
    if (this.isAtEnd) return null;
    const { bytes } = this.#segment;
    const at = this.#at;
    const time = timeAt(bytes, at);
    if (!isHole(bytes, at))
      return { type: 'message', offset: this.#offset, time, message: messageAt(bytes, at) };
    const count = countAt(bytes, at);
    const offset = this.#offset + count - 1;
    return {
      type: 'hole',
      offset,
      time,
      count,
      missed: missedAt(bytes, at),
      why: whyAt(bytes, at),
      died: diedAt(bytes, at),
    };
  }

  /** Moves behind the next entry, which there is. */
  pass(): void {
    const { bytes } = this.#segment;
    if (wasMessage(bytes, this.#at)) this.#messages++;
    this.#offset += countAt(bytes, this.#at);
    this.#at += sizeAt(bytes, this.#at);
  }

  /** Whether the next entry, which there is, stands for messages that are missing. */
  get isBeforeHole(): boolean {
    return isHole(this.#segment.bytes, this.#at);
  }

  /** Whether the next entry, which there is, is a binary message. */
  get isBeforeBinary(): boolean {
    return isBinary(this.#segment.bytes, this.#at);
  }

  /** Whether the next entry, which there is, is a message that cannot be rendered. */
  get isBeforeDead(): boolean {
    return this.isBeforeHole && wasMessage(this.#segment.bytes, this.#at);
  }

  /** How many offsets the next entry, which there is, takes. */
  get count(): number {
    return countAt(this.#segment.bytes, this.#at);
  }

  /** When the next entry, which there is, was kept. */
  get time(): number {
    return timeAt(this.#segment.bytes, this.#at);
  }

  /** Moves to the next segment. False: there is none. */
  skip(): boolean {
    const { next } = this.#segment;
    if (next === null) return false;
    this.#segment = next;
    this.#at = 0;
    this.#offset = next.begin.offset;
    this.#messages = next.begin.messages;
    return true;
  }

  /** The next entry, a message, crashes whoever renders it: it is a hole from this version of the line on. */
  kill(version: number): void {
    kill(this.#segment.bytes, this.#at, version);
  }
}
