import { closeSync, openSync } from 'node:fs';
import { platform } from 'node:os';
import { basename, dirname } from 'node:path';
import { parse } from 'yaml';
import { Refusal } from '../view/relay-view.ts';

/** Who asks, for the audit log. A program of an earlier release does not say. */
export interface Asker {
  readonly by?: 'prompt' | 'command';
  /** A user of the system. */
  readonly who?: string;
}

/**
 * What goes over the attach socket: a JSON object a line, UTF-8, in both directions. The node speaks first (`hello`);
 * each request has one answer with its `id`, in whatever order they are done; `say` belongs to no request.
 */
export type Request = Asker & Asking;

type Asking =
  /** JavaScript to be evaluated in the node. */
  | {
      readonly type: 'evaluate';
      readonly id: number;
      readonly text: string;
      readonly style: Style;
      readonly width?: number;
    }
  /** A named operation, with its arguments. */
  | {
      readonly type: 'call';
      readonly id: number;
      readonly name: string;
      readonly args: readonly unknown[];
      readonly style: Style;
      readonly width?: number;
    }
  /** A named operation as it was typed, where nothing is evaluated. */
  | {
      readonly type: 'command';
      readonly id: number;
      readonly text: string;
      readonly style: Style;
      readonly width?: number;
    }
  | { readonly type: 'complete'; readonly id: number; readonly text: string }
  /** Gives up the request `of`. */
  | { readonly type: 'cancel'; readonly id: number; readonly of: number }
  | { readonly type: 'status'; readonly id: number };

/**
 * lines: for people, `colours` too. shell: the same for a command of the shell, errors on one line. json: one line of JSON.
 * A command of the shell leaves with its answer: what an operation would say later has to be in it.
 */
export type Style = 'lines' | 'colours' | 'shell' | 'json';

/** What a request came to. */
export interface Outcome {
  readonly ok: boolean;
  readonly text: string;
}

export type Answer =
  | {
      readonly type: 'hello';
      readonly node: string;
      readonly pid: number;
      readonly version: string;
      readonly evaluation: boolean;
    }
  | ({ readonly type: 'answer'; readonly id: number } & Outcome)
  | { readonly type: 'say'; readonly text: string };

/** Names within the folder of a node. */
export const SOCKET_FILE = 'attach.sock';

/** Characters of one line; more ends the connection. */
const LINE_LIMIT = 1024 * 1024;

/** Cuts incoming text into lines. `take` returns false once a line is too long. */
export class Lines {
  readonly #each: (line: string) => void;
  #rest = '';

  constructor(each: (line: string) => void) {
    this.#each = each;
  }

  take(chunk: string): boolean {
    this.#rest += chunk;
    for (let end = this.#rest.indexOf('\n'); end >= 0; end = this.#rest.indexOf('\n')) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      if (line !== '') this.#each(line);
    }
    return this.#rest.length <= LINE_LIMIT;
  }
}

const STYLES: readonly unknown[] = ['lines', 'colours', 'shell', 'json'];

/** Characters of a line of the terminal. */
function isWidth(width: unknown): boolean {
  return typeof width === 'number' && width >= 1 && width <= 10_000;
}

/** A line as a request; null: it is none. */
export function parseRequest(line: string): Request | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { type, id, text, style, name, args, of, by, who, width } = value as Readonly<
    Record<string, unknown>
  >;
  if (typeof id !== 'number' || ![undefined, 'prompt', 'command'].includes(by as string)) return null;
  if (who !== undefined && typeof who !== 'string') return null;
  if (width !== undefined && !isWidth(width)) return null;
  const textOk = typeof text === 'string';
  const styleOk = STYLES.includes(style);
  const ok =
    ((type === 'evaluate' || type === 'command') && textOk && styleOk) ||
    (type === 'call' && typeof name === 'string' && Array.isArray(args) && styleOk) ||
    (type === 'complete' && textOk) ||
    (type === 'cancel' && typeof of === 'number') ||
    type === 'status';
  return ok ? (value as Request) : null;
}

/**
 * An operation as it is typed where nothing is evaluated: `topics`, `members topic:main:chat`, `kill(<88>, {force: true})`.
 * Arguments are YAML in its flow style, so that quotes may be left out. Nothing in it is run.
 */
export function typedCommand(text: string): { readonly name: string; readonly args: readonly unknown[] } {
  const [, name, inBrackets, behind] =
    /^\s*([a-z_]+(?:\.[a-z_]+)?)\s*(?:\(([\s\S]*)\)\s*;?|(?:\s([\s\S]*))?)\s*$/.exec(text) ?? [];
  if (name === undefined) throw new Refusal('a name and its arguments, such as: members topic:main:chat');
  const list = inBrackets ?? behind?.trim() ?? '';
  try {
    const args = flowValue(`[${list}]`);
    if (Array.isArray(args)) return { name, args };
  } catch {
    // The refusal below is for everything that is no list.
  }
  throw new Refusal('arguments are separated by commas, options in braces: {by: members, n: 10}');
}

/**
 * YAML in its flow style, so that quotes may be left out, and in options the blank behind a colon, too: `{n:3}`. Throws for
 * what is none.
 */
export function flowValue(text: string): unknown {
  return spaced(parse(text, { maxAliasCount: 0 }));
}

/** To YAML `{n:3}` is a key without a value. */
function spaced(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spaced);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => {
      const [, name, rest] = /^(\w+):(.+)$/s.exec(key) ?? [];
      if (item !== null || name === undefined || rest === undefined) return [key, spaced(item)];
      return [name, parse(rest, { maxAliasCount: 0 }) as unknown];
    }),
  );
}

/** `sun_path` holds 108 bytes with its final NUL (unix(7)). */
const LONGEST = 107;

/**
 * The address of a UNIX socket. A release may be unpacked deeper than an address is long: then the address goes by way of
 * an open descriptor of the folder, and is valid until `close`.
 */
export class SocketAddress {
  readonly text: string;
  #folder: number | null = null;

  /** Throws where the folder is not there, or the system has no such addresses. */
  constructor(path: string) {
    if (Buffer.byteLength(path) <= LONGEST) {
      this.text = path;
      return;
    }
    if (platform() !== 'linux')
      throw new Error(`the path of a socket has at most ${LONGEST} bytes; set var_dir`);
    this.#folder = openSync(dirname(path), 'r');
    this.text = `/proc/self/fd/${this.#folder}/${basename(path)}`;
  }

  close(): void {
    if (this.#folder !== null) closeSync(this.#folder);
    this.#folder = null;
  }
}
