import { type Format, type Part, uncarried } from '../message.ts';
import type { Cursor } from './cursor.ts';
import type { Line } from './line.ts';

/** Bytes of messages in one part of a replay, as in one delivery. */
export const PORTION = 64 * 1024;
/** Rendered bytes that are held for those who ask for the same. */
const HELD = 4 * 1024 * 1024;
/** What one part costs beside its bytes, and a line of which there are some. */
const RENDERED_COST = 256;

/** What a member knows is missing: what is up to this offset, and has died up to this version of the line. */
export interface Known {
  readonly offset: number;
  readonly version: number;
}

/** A part of a replay, the same for all members of one format that stand at one place. */
export interface Rendered {
  /** Null: there is nothing to send. */
  readonly bytes: Buffer | null;
  /** Messages in them. */
  readonly count: number;
  /** Messages that the format cannot carry. */
  readonly undeliverable: number;
  /** Behind the last of the messages. Nobody moves it. */
  readonly end: Cursor;
  /** There is nothing behind it. */
  readonly isLast: boolean;
}

interface OfLine {
  readonly version: number;
  readonly formats: Map<Format, Map<number, Rendered>>;
}

/**
 * What was kept, rendered. A herd that comes back asks for the same messages: they are rendered once, and all get the same
 * bytes, for as long as nothing new is published.
 */
export class Replays {
  readonly #lines = new Map<Line, OfLine>();
  #held = 0;

  /** Bytes that are held. */
  get held(): number {
    return this.#held;
  }

  /**
   * The next part behind `from`. Of holes that are not known yet the part tells. Throws where the format does, and then the message that could not be rendered is
   * missing from the line.
   */
  next(line: Line, format: Format, from: Cursor, known: Known): Rendered {
    const held = this.#of(line, format).get(from.bytes);
    if (held !== undefined) return held;
    const { rendered, isShared } = render(line, format, from, known);
    if (isShared) this.#hold(line, format, from.bytes, rendered);
    return rendered;
  }

  /** Whether the entry at a place is no message that the format can carry. Throws as `next` does. */
  isLost(line: Line, format: Format, cursor: Cursor): boolean {
    if (cursor.isBeforeHole) return true;
    const entry = cursor.isBeforeBinary ? cursor.peek() : null;
    if (entry?.type !== 'message') return false;
    const at = line.number(entry.offset);
    const part = renderMessage(line, cursor, () => format.render(entry.message, line.key.name, at));
    return part === 'undeliverable';
  }

  #of(line: Line, format: Format): Map<number, Rendered> {
    let of = this.#lines.get(line);
    if (of === undefined || of.version !== line.version) {
      this.#held += RENDERED_COST - (of === undefined ? 0 : heldOf(of));
      of = { version: line.version, formats: new Map() };
      this.#lines.set(line, of);
    }
    let places = of.formats.get(format);
    if (places === undefined) {
      places = new Map();
      of.formats.set(format, places);
    }
    return places;
  }

  #hold(line: Line, format: Format, place: number, rendered: Rendered): void {
    this.#held += costOf(rendered);
    if (this.#held > HELD) {
      this.#lines.clear();
      this.#held = costOf(rendered);
    }
    this.#of(line, format).set(place, rendered);
  }
}

function costOf({ bytes }: Rendered): number {
  return RENDERED_COST + (bytes?.length ?? 0);
}

function heldOf({ formats }: OfLine): number {
  let held = RENDERED_COST;
  for (const places of formats.values()) for (const rendered of places.values()) held += costOf(rendered);
  return held;
}

function render(
  line: Line,
  format: Format,
  from: Cursor,
  known: Known,
): { readonly rendered: Rendered; readonly isShared: boolean } {
  const { name } = line.key;
  const end = from.copy();
  const parts: Part[] = [];
  let count = 0;
  let undeliverable = 0;
  let isShared = true;
  for (let entry = end.peek(); entry !== null && end.bytes - from.bytes < PORTION; entry = end.peek()) {
    const at = line.number(entry.offset);
    if (entry.type === 'message') {
      const part = renderMessage(line, end, () => format.render(entry.message, name, at));
      if (part === 'undeliverable') {
        undeliverable++;
        // The answer to the member's join has counted those before the last message that it could be sent.
        const told = entry.offset > known.offset ? uncarried(format, name, at) : null;
        if (told !== null) parts.push(told);
        isShared = false;
      } else if (part !== 'nothing') {
        parts.push(part);
        count++;
      }
    } else if (format.gap !== undefined) {
      // What is told depends on what the member knows.
      isShared = false;
      const { count, missed, why, offset, died } = entry;
      const gap = { from: line.number(offset - count), to: at, missed, why };
      const isNews = offset > known.offset || (died !== null && died > known.version);
      if (isNews) parts.push(format.gap(name, gap));
    }
    end.pass();
  }
  const bytes = parts.length === 0 ? null : format.assemble(parts);
  return { rendered: { bytes, count, undeliverable, end, isLast: end.isAtEnd }, isShared };
}

/** A message that crashes the server in a replay would crash it in each of the next ones. */
function renderMessage<T>(line: Line, at: Cursor, render: () => T): T {
  try {
    return render();
  } catch (error) {
    line.kill(at);
    throw error;
  }
}
