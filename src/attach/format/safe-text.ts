/**
 * Topic names and close reasons come from clients: on a terminal a control character could move the cursor, rename the
 * window or answer for the operator, and a bidirectional one could turn the text around.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
/** The colours of Node's own inspector are left alone, and line ends. */
const UNSAFE_OR_COLOUR = new RegExp(`\\x1b\\[\\d{1,3}m|${UNSAFE.source}`, 'gu');

/** Text for one line: what is unsafe, line ends too, is written as an escape. */
export function safeLine(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** JSON, in which what is unsafe can only stand in strings, where an escape means the same. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Text of several lines, which may be coloured. */
export function safeBlock(text: string): string {
  return text.replace(UNSAFE_OR_COLOUR, (found) =>
    found === '\n' || found.length > 2 ? found : escaped(found),
  );
}

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** At most `limit` characters, the last one an ellipsis where something was left out. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

/** At most so many lines and characters of a block; says how much was left out. */
export function bounded(text: string, lines = 500, characters = 65_536): string {
  const all = text.split('\n');
  const kept = all.length > lines ? all.slice(0, lines).join('\n') : text;
  const cut = kept.length > characters ? kept.slice(0, characters) : kept;
  const left = text.length - cut.length;
  return left === 0 ? text : `${cut}\n… ${left} more characters`;
}
