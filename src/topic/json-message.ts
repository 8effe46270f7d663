import type { Message } from './message.ts';

/**
 * A publish frame as a message: the frame itself for those who speak PuSu, and its `content`, found when first asked
 * for, for those who speak text. A class, so that a message costs no closure.
 */
class JsonMessage {
  readonly kind = 'json';
  readonly payload: Buffer;

  constructor(payload: Buffer) {
    this.payload = payload;
  }

  content(): Buffer | null {
    return contentOf(this.payload);
  }
}

/** `frame`: a whole publish frame. It is not copied. */
export function jsonMessage(frame: Buffer): Message {
  return new JsonMessage(frame);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The bytes that text doors deliver for a frame: the text of its top-level `content` when that is a string, its JSON
 * text as it was sent for any other value (parsing and printing it again would round big integers), null when there
 * is none. Of several, the last counts, as for `JSON.parse`. A lone surrogate becomes U+FFFD. The outcome is a view of
 * the frame where it can be. What is not a JSON object has no content; nothing is thrown.
 */
export function contentOf(frame: Buffer): Buffer | null {
  let at = skipSpace(frame, 0);
  if (frame[at] !== OPEN_BRACE) return null;
  let content: Buffer | null = null;
  do {
    const key = skipSpace(frame, at + 1);
    if (frame[key] !== QUOTE) return content;
    const keyEnd = skipString(frame, key);
    const colon = skipSpace(frame, keyEnd);
    if (frame[colon] !== COLON) return content;
    const value = skipSpace(frame, colon + 1);
    const valueEnd = skipValue(frame, value);
    if (isContent(frame, key, keyEnd)) content = frame.subarray(value, valueEnd);
    at = skipSpace(frame, valueEnd);
  } while (frame[at] === COMMA);
  return content !== null && content[0] === QUOTE ? unquoted(content) : content;
}

const contentKey = Buffer.from('"content"');

function isContent(frame: Buffer, start: number, end: number): boolean {
  if (end - start === contentKey.length) return contentKey.compare(frame, start, end) === 0;
  // Shorter: no. Longer: only with escapes in it, six bytes for one at most.
  if (end - start < contentKey.length || end - start > 6 * contentKey.length) return false;
  const text = frame.subarray(start, end);
  return text.includes(BACKSLASH) && parsedString(text) === 'content';
}

function unquoted(text: Buffer): Buffer | null {
  if (!text.includes(BACKSLASH)) return text.subarray(1, -1);
  const string = parsedString(text);
  return string === null ? null : Buffer.from(string);
}

function parsedString(text: Buffer): string | null {
  try {
    return String(JSON.parse(text.toString()));
  } catch {
    return null;
  }
}

function skipSpace(frame: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const byte = frame[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at++;
  }
}

/** From an opening quote to behind the closing one. A quote behind an odd number of backslashes does not close. */
function skipString(frame: Buffer, from: number): number {
  let quote = from;
  for (;;) {
    quote = frame.indexOf(QUOTE, quote + 1);
    if (quote === -1) return frame.length;
    let backslashes = 0;
    while (frame[quote - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

/** From the first byte of a value to behind its last one. */
function skipValue(frame: Buffer, from: number): number {
  const first = frame[from];
  if (first === QUOTE) return skipString(frame, from);
  let at = from;
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    while (at < frame.length && !endsScalar(frame[at])) at++;
    return at;
  }
  let depth = 0;
  while (at < frame.length) {
    const byte = frame[at];
    if (byte === QUOTE) {
      at = skipString(frame, at);
      continue;
    }
    at++;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at;
  }
  return at;
}

function endsScalar(byte: number | undefined): boolean {
  return (
    byte === COMMA ||
    byte === CLOSE_BRACE ||
    byte === CLOSE_BRACKET ||
    byte === 0x20 ||
    byte === 0x0a ||
    byte === 0x0d ||
    byte === 0x09
  );
}
