import { decodeDigits, FRAME, FRAME_HEADER, topicTag } from './mark.ts';
import type { Tally } from './tally.ts';

/** Missing messages that one subscriber remembers. The rest is counted as lost, and as a duplicate when it comes late. */
const REMEMBERED = 256;

/**
 * One subscriber's stream of frames, checked message by message: size, topic and sequence. It takes the bytes as they
 * come, copies only a frame that two reads share, and allocates nothing per frame.
 */
export class MessageStream {
  readonly #tag: number;
  readonly #tally: Tally;
  readonly #control: (opcode: number, payload: Buffer) => void;
  #next = 0;
  #missing: Set<number> | null = null;
  #forgotten = 0;
  #held: Buffer | null = null;
  #heldView: DataView | null = null;
  #heldLength = 0;

  /** `control` gets each control frame (ping, pong, close); its payload is valid during the call only. */
  constructor(topic: number, tally: Tally, control: (opcode: number, payload: Buffer) => void) {
    this.#tag = topicTag(topic);
    this.#tally = tally;
    this.#control = control;
  }

  /** How many of the `published` messages of the topic never came. */
  lost(published: number): number {
    return published - this.#next + (this.#missing?.size ?? 0) + this.#forgotten;
  }

  /** Takes `bytes` from `start` to `end`, read at `now` (a `stamp`). False: not a stream that can be followed further. */
  take(bytes: Buffer, view: DataView, start: number, end: number, now: number): boolean {
    let at = start;
    if (this.#heldLength > 0) {
      at = this.#completeHeld(bytes, at, end, now);
      if (at < 0) return false;
    }
    at = this.#frames(bytes, view, at, end, now);
    if (at < 0) return false;
    if (at < end) this.#hold(bytes, at, end);
    return true;
  }

  /** Returns the end of the last whole frame, or -1. */
  #frames(bytes: Buffer, view: DataView, start: number, end: number, now: number): number {
    const tally = this.#tally;
    const tag = this.#tag;
    let at = start;
    let next = this.#next;
    let delivered = 0;
    // Messages that were sent together share a time: their latencies are counted together.
    let word = 0;
    let alike = 0;
    for (;;) {
      if (at + FRAME <= end && view.getUint32(at) === FRAME_HEADER && view.getUint32(at + 4) === tag) {
        const sequence = decodeDigits(view.getUint32(at + 8));
        if (sequence === next) next += 1;
        else {
          this.#next = next;
          this.#stray(sequence);
          next = this.#next;
        }
        const sent = view.getUint32(at + 12);
        if (sent !== word) {
          if (alike > 0 && tally.measuring) tally.latency(decodeDigits(word), now, alike);
          word = sent;
          alike = 0;
        }
        alike += 1;
        delivered += 1;
        at += FRAME;
        continue;
      }
      const size = frameSize(bytes, at, end);
      if (size < 0) at = -1;
      if (size <= 0 || at + size > end) break;
      this.#oddFrame(bytes, at, size);
      at += size;
    }
    if (alike > 0 && tally.measuring) tally.latency(decodeDigits(word), now, alike);
    tally.delivered += delivered;
    this.#next = next;
    return at;
  }

  #stray(sequence: number): void {
    if (sequence > this.#next) {
      this.#missing ??= new Set();
      for (let missed = this.#next; missed < sequence; missed++) {
        if (this.#missing.size < REMEMBERED) this.#missing.add(missed);
        else this.#forgotten += 1;
      }
      this.#next = sequence + 1;
    } else if (this.#missing?.delete(sequence)) {
      this.#tally.outOfOrder += 1;
    } else {
      this.#tally.duplicates += 1;
      // It is no delivery of a message that was owed; the caller adds it once more.
      this.#tally.delivered -= 1;
    }
  }

  #oddFrame(bytes: Buffer, at: number, size: number): void {
    const opcode = (bytes[at] ?? 0) & 0x0f;
    if (opcode < 8) this.#tally.unexpected += 1;
    else this.#control(opcode, bytes.subarray(at + 2, at + size));
  }

  #hold(bytes: Buffer, at: number, end: number): void {
    if (this.#held === null) {
      this.#held = Buffer.allocUnsafeSlow(FRAME);
      this.#heldView = new DataView(this.#held.buffer, this.#held.byteOffset, FRAME);
    }
    bytes.copy(this.#held, 0, at, end);
    this.#heldLength = end - at;
  }

  /** Fills the held frame up and counts it. Returns where the next frame starts, or -1. */
  #completeHeld(bytes: Buffer, start: number, end: number, now: number): number {
    const held = this.#held;
    const view = this.#heldView;
    if (held === null || view === null) return start;
    let at = start;
    let size = frameSize(held, 0, this.#heldLength);
    while (size === 0 && at < end) {
      held[this.#heldLength++] = bytes[at++] ?? 0;
      size = frameSize(held, 0, this.#heldLength);
    }
    if (size < 0) return -1;
    const wanted = size === 0 ? 0 : Math.min(size - this.#heldLength, end - at);
    bytes.copy(held, this.#heldLength, at, at + wanted);
    this.#heldLength += wanted;
    if (size === 0 || this.#heldLength < size) return end;
    this.#heldLength = 0;
    return this.#frames(held, view, 0, size, now) < 0 ? -1 : at + wanted;
  }
}

/** Bytes of the frame at `at`; 0: its header is not whole yet; -1: larger than anything this stream may carry. */
function frameSize(bytes: Buffer, at: number, end: number): number {
  if (end - at < 2) return 0;
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  if (short < 126) return 2 + short;
  if (short === 127) return -1;
  if (end - at < 4) return 0;
  const size = 4 + bytes.readUInt16BE(at + 2);
  return size <= FRAME ? size : -1;
}
