import { inspect } from 'node:util';

/**
 * What may not be written, wherever it comes up: in the log, in reports, at the prompt, on the observer page, in
 * metrics. One list of names under which secrets stand, and of the forms in which they are sent. Everything that the
 * relay writes for people passes here last; that is a net, and not a leave to write secrets in the first place.
 */
export const HIDDEN = '[hidden]';

/** What a name contains that stands for a secret. Headers are the clients' own: any of them may be one. */
const NAMES = [
  'pass(?:word|phrase|wd)',
  'pass(?![\\w-])',
  'secret',
  'token',
  'credential',
  'authori[sz]ation(?![\\w-])',
  'api[_-]?keys?(?![a-z])',
  'verification_?key',
  'private',
  'sha256',
  'cookie',
  'headers(?![\\w-])',
  'websocket-protocol',
].join('|');

const name = new RegExp(NAMES, 'i');

/** Whether what stands under this name is a secret. */
export function isSecretName(text: string): boolean {
  return name.test(text);
}

/** Forms that a secret can be told by; what is kept of each. Each is linear in the length of the text. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  // RFC 9110, section 11.4: what follows the scheme.
  [/\b(bearer|basic)(\s{1,8})[\w+/.~=%-]{4,}/gi, `$1$2${HIDDEN}`],
  // The same among the subprotocols of a WebSocket.
  [/\b(bearer)(,\s{0,8})[\w!#$%&'*+.^`|~-]{4,}/gi, `$1$2${HIDDEN}`],
  // RFC 3986, section 3.2.1. A password may hold an @ of its own.
  [/(:\/\/)[^\s"'`/?#]{1,1024}@/g, `$1${HIDDEN}@`],
  // The key of a wspubsub publisher, at whatever door it was offered.
  [/(ws\/pub\/)[^/\s?"'`]+/gi, `$1${HIDDEN}`],
  // A JSON Web Token (RFC 7519, section 3).
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, HIDDEN],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}-----|$)/g, HIDDEN],
];

const suspicious = new RegExp(`${NAMES}|bearer|basic|:\\/\\/|ws\\/pub|eyJ|PRIVATE KEY`, 'i');

/** A text in which what has the form of a secret is hidden. What its names say is not looked at. */
export function redactForms(text: string): string {
  let shown = text;
  for (const [form, kept] of FORMS) shown = shown.replace(form, kept);
  return shown;
}

/**
 * A text of our own about what stands, or should stand, under the name of a secret, such as `passwords[0]: expected …`.
 * It never holds the secret itself, so what follows such a name is shown. What has the form of a secret is hidden.
 */
export class OwnWords {
  readonly #text: string;

  constructor(text: string) {
    this.#text = redactForms(text);
  }

  toString(): string {
    return this.#text;
  }

  [inspect.custom](): string {
    return inspect(this.#text);
  }
}

/** Names of ours, such as keys of the configuration: one that follows the name of a secret is not its value. */
export function ownNames(names: readonly (string | OwnWords)[]): OwnWords[] {
  return names.map((each) => new OwnWords(String(each)));
}

/** A text without what has the form of a secret, and without what stands after the name of one: `token: …`, `"token":"…"`. */
export function redactText(text: string): string {
  return suspicious.test(text) ? redactForms(redactNamed(text)) : text;
}

/** Plain values without their secrets; for what is read by programs, where redacting the text could break it. */
export function redacted<T>(value: T): T {
  return plainly('', value) as T;
}

/** The same for `JSON.stringify`, which has called `toJSON` before. */
export function redacting(key: string, value: unknown): unknown {
  if (typeof value === 'string') return isSecretName(key) ? HIDDEN : redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isSecretName(key)) return HIDDEN;
  if (value instanceof OwnWords) return String(value);
  return isSecretPair(value) ? [value[0], HIDDEN] : value;
}

/** A header as Node lists them, or an entry of a map. */
function isSecretPair(value: object): value is readonly [string, unknown] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [first, second] = value as readonly unknown[];
  return typeof first === 'string' && isSecretName(first) && typeof second === 'string';
}

function plainly(key: string, value: unknown): unknown {
  const shown = redacting(key, value);
  if (typeof shown !== 'object' || shown === null) return shown;
  if (Array.isArray(shown)) return shown.map((item) => plainly('', item));
  const proto: unknown = Object.getPrototypeOf(shown);
  if (proto !== Object.prototype && proto !== null) return shown;
  return Object.fromEntries(Object.entries(shown).map(([name, item]) => [name, plainly(name, item)]));
}

/** A colour of the terminal, as `inspect` puts it around values. */
const COLOUR = '(?:\\x1b\\[[\\d;]{0,8}m)?';
const named = new RegExp(
  `(?:${NAMES})[\\w.-]{0,40}(?:\\[\\d{1,9}\\])?(?:\\\\{0,7}["'\`])?${COLOUR}\\s{0,8}(?:=>?|:|,(?=\\s{0,8}${COLOUR}\\\\{0,7}["'\`]))\\s{0,8}${COLOUR}`,
  'gi',
);

function redactNamed(text: string): string {
  let shown = '';
  let from = 0;
  named.lastIndex = 0;
  for (let found = named.exec(text); found !== null; found = named.exec(text)) {
    const at = named.lastIndex;
    const end = endOfValue(text, at);
    if (end === at) continue;
    const quote = /^\\*["'`]/.exec(text.slice(at, at + 8))?.[0] ?? '';
    shown += `${text.slice(from, at)}${quote}${HIDDEN}${text.slice(end - quote.length, end) === quote ? quote : ''}`;
    from = end;
    named.lastIndex = end;
  }
  return from === 0 ? text : shown + text.slice(from);
}

/** Numbers and the like are counts and switches; nothing is left of a value that is hidden already. */
const HARMLESS = new RegExp(
  `(?:-?\\d+(?:\\.\\d+)?|true|false|null|undefined|\\[hidden\\]|Hidden)${COLOUR}(?=[\\s,;)\\]}&]|$)`,
  'y',
);
/** Of a value with an inside, what `inspect` puts before it: `Map(2) {`, `[Object: null prototype] {`. */
const OPENING = /(?:\[[\w: ]{1,40}\] |[A-Za-z]\w{0,40}(?:\(\d+\))? (?:\[\w{1,40}\] )?)?[[{(<]/y;
/** What is not in quotes goes on to the end of its line, or of the text around it; an apostrophe is part of it. */
const END = /\r?\n|["'`](?=[\s,;)\]}]|$)/g;
const CLOSING: Readonly<Record<string, string>> = { '[': ']', '{': '}', '(': ')', '<': '>' };

/** Where the value ends that starts at `at`; `at` itself: it may be shown. */
function endOfValue(text: string, at: number): number {
  HARMLESS.lastIndex = at;
  if (HARMLESS.test(text)) return at;
  const quote = quoteAt(text, at);
  if (quote !== null) return text.startsWith(HIDDEN, quote.next) ? at : endOfQuoted(text, quote);
  OPENING.lastIndex = at;
  if (OPENING.test(text)) return endOfNested(text, OPENING.lastIndex - 1);
  END.lastIndex = at;
  return END.exec(text)?.index ?? text.length;
}

interface Quote {
  readonly mark: string;
  /** How many backslashes stand before it: it may be a quote in a text in a text. */
  readonly depth: number;
  readonly next: number;
}

function quoteAt(text: string, at: number): Quote | null {
  let next = at;
  while (text[next] === '\\') next++;
  const mark = text[next];
  return mark === '"' || mark === "'" || mark === '`' ? { mark, depth: next - at, next: next + 1 } : null;
}

function endOfQuoted(text: string, { mark, depth, next }: Quote): number {
  let backslashes = 0;
  for (let at = next; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') {
      backslashes++;
      continue;
    }
    // One escape more doubles the backslashes, and adds one: 0, 1, 3. An odd multiple of what is before the opening
    // quote closes; fewer end the text around it.
    if (character === mark && backslashes < depth) return at - backslashes;
    if (character === mark && ((backslashes + 1) / (depth + 1)) % 2 === 1) return at + 1;
    backslashes = 0;
  }
  return text.length;
}

function endOfNested(text: string, start: number): number {
  const waiting: string[] = [];
  for (let at = start; at < text.length; at++) {
    const character = text[at] as string;
    // A colour is no bracket.
    if (character === '\x1b') at++;
    const closing = character === '\x1b' ? undefined : CLOSING[character];
    if (closing !== undefined) waiting.push(closing);
    else if (character === waiting.at(-1)) waiting.pop();
    else if (character === '"' || character === "'" || character === '`')
      at = endOfQuoted(text, { mark: character, depth: 0, next: at + 1 }) - 1;
    if (waiting.length === 0) return at + 1;
  }
  return text.length;
}
