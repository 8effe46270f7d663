import type { Place, Report } from './config-error.ts';
import type { Writing } from './kind.ts';
import type { Scalar, Value } from './value.ts';
import { readYaml } from './yaml-text.ts';

/** What a flag or a variable sets; undefined: nothing, or what cannot be read. `first` is where the text starts. */
export function readSetting(
  text: string,
  first: Place,
  writing: Writing | undefined,
  report: Report,
): Value | undefined {
  if (writing === 'text' || writing === 'secret') return plainText(text, first);
  if (writing === 'words' && !isYaml(text)) return words(text, first, report);
  return readYaml(text, first, report);
}

/** YAML has more words for null, such as `~`: here each of them is a text, and may be somebody's secret. */
function plainText(text: string, at: Place): Scalar {
  return { kind: 'scalar', text, quoted: text !== '' && text !== 'null', at };
}

function scalar(text: string, at: Place): Scalar {
  return { kind: 'scalar', text, quoted: false, at };
}

/** A list or a map. `[::1]:5,a` is none: it begins with an address. */
function isYaml(text: string): boolean {
  const trimmed = text.trim();
  return (
    trimmed === '' ||
    /[\r\n]/.test(trimmed) ||
    /^(\{|- )/.test(trimmed) ||
    (trimmed.startsWith('[') && !/^\[[\da-f:.]*\](:\d|\s*,)/i.test(trimmed))
  );
}

/** What stands between commas; one within the quotes of an item is part of it. */
const ITEMS = /(?<=^|,)(?:\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*|[^,]*)(?=,|$)/g;

/** Items in quotes are read as YAML has them: `"null"` is a text there, and null is none. */
function words(text: string, first: Place, report: Report): Value | undefined {
  const items = [...text.matchAll(ITEMS)].map(({ 0: part, index }) => {
    const at = { ...first, column: first.column + index + part.length - part.trimStart().length };
    const word = part.trim();
    return /^["']/.test(word) ? readYaml(word, at, report) : scalar(word, at);
  });
  if (!items.every((item) => item !== undefined)) return undefined;
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: 'list', items, at: first };
}
