/**
 * Request targets, taken apart by hand: `new URL` would fold `..`, `\` and `//` and drop tabs, so that the name that
 * was authorised and the name that is routed could differ.
 */

/** Splits a request target at its first `?`. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  return mark === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * Percent-decodes a text once. Null when an escape is malformed or the outcome is not UTF-8. A character from U+0080
 * to U+00FF stands for a byte that came unescaped, which is how Node hands over a request target.
 */
export function decodeOnce(encoded: string): string | null {
  if (PLAIN.test(encoded)) return encoded;
  const escaped = encoded.replace(/[\u0080-\uffff]/g, (character) =>
    // Not a byte, so it cannot have come off the wire: as a malformed escape it is refused below.
    character > '\u00ff' ? '%ZZ' : `%${character.charCodeAt(0).toString(16)}`,
  );
  try {
    return decodeURIComponent(escaped);
  } catch {
    return null;
  }
}

/** Nothing in it to decode. */
const PLAIN = /^[^%\u0080-\uffff]*$/;

/**
 * The first value of a name in a query, decoded; null: there is none that can be. Queries are forms: a `+` is a space there,
 * and encoders write `%2B` for a plus.
 */
export function queryValue(query: string, name: string): string | null {
  const value = encodedQueryValue(query, name);
  return value === null ? null : formDecoded(value);
}

/** The same where it matters that there is a value: one that cannot be decoded is the text as it came. */
export function queryText(query: string, name: string): string | null {
  return queryValue(query, name) ?? encodedQueryValue(query, name);
}

function encodedQueryValue(query: string, name: string): string | null {
  if (query === '') return null;
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (equals === -1 || formDecoded(pair.slice(0, equals)) !== name) continue;
    return pair.slice(equals + 1);
  }
  return null;
}

function formDecoded(text: string): string | null {
  return decodeOnce(text.replaceAll('+', ' '));
}

/** The segments of a path that begins with `/`: split first, decoded after; null where that is not possible. */
export function segments(path: string): readonly (string | null)[] {
  return path.split('/').slice(1).map(decodeOnce);
}
