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
  if (writing === 'words' && !isYaml(text)) return words(text, first);
  return readYaml(text, first, report);
}

/** YAML has more words for null, such as `~`: here each of them is a text, and may be somebody's secret. */
function plainText(text: string, at: Place): Scalar {
  return { kind: 'scalar', text, quoted: text !== '' && text !== 'null', at };
}

function scalar(text: string, at: Place): Scalar {
  return { kind: 'scalar', text, quoted: false, at };
}

/** A list, or a text in quotes. `[::1]:5,a` is none: it begins with an address. */
function isYaml(text: string): boolean {
  const trimmed = text.trim();
  return (
    trimmed === '' ||
    /[\r\n]/.test(trimmed) ||
    /^(["'{]|- )/.test(trimmed) ||
    (trimmed.startsWith('[') && !/^\[[\da-f:.]*\](:\d|\s*,)/i.test(trimmed))
  );
}

function words(text: string, first: Place): Value {
  let column = first.column;
  const items = text.split(',').map((part) => {
    const at = { ...first, column: column + part.length - part.trimStart().length };
    column += part.length + 1;
    return scalar(part.trim(), at);
  });
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: 'list', items, at: first };
}
