import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { pinned, type VerificationKey } from '../config/jwt-keys.ts';
import { httpGet } from './http-get.ts';
import { FaultyAnswer } from './outcome.ts';

export type JwksSource = { readonly file: string } | { readonly url: string };

export interface JwksOptions {
  readonly source: JwksSource;
  /** Algorithms that may be used; empty: the usual one of each key. */
  readonly algorithms: readonly string[];
  /** Milliseconds that fetching may take. */
  readonly timeout: number;
  /** Milliseconds after which a set at a URL is looked at again; 0: as seldom as can be. Default: 0. */
  readonly recheck?: number;
  /** Milliseconds on a clock that never goes back. */
  readonly now?: () => number;
}

/** Keys of one set; the rest is left out. */
const MOST = 100;
/** Bytes of a key set. */
const SIZE = 256 * 1024;
/** Milliseconds after which a set is looked at again, if nothing else is said. A file costs nothing. */
const FRESH = { file: 1000, url: 5 * 60_000 };
/** Milliseconds after which a set that could not be looked at again no longer counts. A file that cannot be read counts at once. */
const STALE = { file: 0, url: 15 * 60_000 };
/** Milliseconds between two fetches for the sake of a key that is not in the set: anybody can name such a key. */
const PAUSE = 5000;
/** Milliseconds for which a failure is everybody's, so that many questions do not become many requests. */
const FAILURE = 500;

/** A set of keys, in a file or at a URL: kept for a while, looked at again after that, and no key when that fails. */
export class Jwks {
  readonly #options: JwksOptions;
  readonly #kind: 'file' | 'url';
  readonly #now: () => number;
  readonly #fresh: number;
  /** Null: it is as it was; that is no answer to who wants it `whole`. */
  readonly #fetch: (whole: boolean) => Promise<string | null>;
  readonly #watchers = new Set<() => void>();
  #text = '';
  #keys: readonly VerificationKey[] = [];
  /** When the keys were looked at and found good. */
  #good = Number.NEGATIVE_INFINITY;
  #tried = Number.NEGATIVE_INFINITY;
  #failed: { readonly at: number; readonly error: unknown } | null = null;
  #loading: Promise<void> | null = null;

  constructor(options: JwksOptions) {
    const { source, timeout, recheck = 0, now = () => performance.now() } = options;
    this.#options = options;
    this.#now = now;
    this.#kind = 'file' in source ? 'file' : 'url';
    this.#fresh = (this.#kind === 'url' && recheck) || FRESH[this.#kind];
    this.#fetch = 'file' in source ? () => readText(source.file) : fetching(source.url, timeout);
  }

  /** All keys, looked at again before when they are old, or when `isEnough` misses one. Rejects when there is no set. */
  async keys(isEnough: (keys: readonly VerificationKey[]) => boolean): Promise<readonly VerificationKey[]> {
    const age = this.#now() - this.#good;
    if (age >= this.#fresh) {
      const loading = this.#load();
      // While the old keys still count nobody has to wait for the new ones.
      if (age >= STALE[this.#kind]) await loading;
      else loading.catch(() => undefined);
    }
    if (!isEnough(this.#keys) && this.#now() - this.#tried >= PAUSE) await this.#load();
    return this.#keys;
  }

  /** Looks at the set from time to time, and calls `changed` when other keys are in it. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    const look = () => {
      // A server is not asked before there is a token to verify.
      if (this.#kind === 'file' || this.#text !== '') this.#load().catch(() => undefined);
    };
    const timer = setInterval(look, this.#fresh);
    timer.unref();
    return () => {
      clearInterval(timer);
      this.#watchers.delete(changed);
    };
  }

  /** One at a time, for all who wait for it. */
  #load(): Promise<void> {
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadOnce(): Promise<void> {
    if (this.#failed !== null && this.#now() - this.#failed.at < FAILURE) throw this.#failed.error;
    this.#tried = this.#now();
    // What has come last may be no set: that it has not changed would be no good news.
    const whole = this.#failed !== null;
    this.#failed = null;
    try {
      this.#take(await this.#fetch(whole));
    } catch (error) {
      this.#failed = { at: this.#now(), error };
      throw error;
    }
  }

  #take(text: string | null): void {
    if (text !== null && text !== this.#text) {
      this.#keys = keysOf(text, this.#options.algorithms, this.#kind === 'url');
      const isFirst = this.#text === '';
      this.#text = text;
      if (!isFirst) for (const changed of this.#watchers) changed();
    }
    this.#good = this.#now();
  }
}

/** What has not changed is not sent again (RFC 9110, section 13.1), by servers that can tell. */
function fetching(url: string, timeout: number): (whole: boolean) => Promise<string | null> {
  const target = new URL(url);
  const get = httpGet({ timeout, limit: SIZE });
  let known: Record<string, string> = {};
  return async (whole) => {
    if (whole) known = {};
    const { status, headers, body, cut } = await get(target, { accept: 'application/json', ...known });
    if (status === 304 && Object.keys(known).length > 0) return null;
    if (status !== 200) throw new FaultyAnswer(`HTTP_${status}`);
    if (cut) throw new FaultyAnswer('TOO_LARGE');
    const { etag, 'last-modified': modified } = headers;
    known = {
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
      ...(etag !== undefined || modified === undefined ? {} : { 'if-modified-since': modified }),
    };
    return body.toString();
  };
}

async function readText(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SIZE + 1), 0, SIZE + 1, 0);
    if (bytesRead > SIZE) throw new FaultyAnswer('TOO_LARGE');
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * The keys of a JSON Web Key Set (RFC 7517, section 5), each with the algorithms that it is for. Keys that we cannot use
 * are left out, as its section 5 has it; secrets too when the set is `published`. Throws a SyntaxError for no set.
 */
export function keysOf(text: string, wanted: readonly string[], published: boolean): VerificationKey[] {
  const set: unknown = JSON.parse(text);
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new SyntaxError('not a key set');
  return keys.slice(0, MOST).flatMap((jwk: unknown) => keyOf(jwk, wanted, published) ?? []);
}

function keyOf(jwk: unknown, wanted: readonly string[], published: boolean): VerificationKey | null {
  if (typeof jwk !== 'object' || jwk === null) return null;
  const { kid, use, alg, key_ops: operations } = jwk as Readonly<Record<string, unknown>>;
  if (use !== undefined && use !== 'sig') return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null;
  const key = imported(jwk, published);
  if (key === null) return null;
  const fitting = alg === undefined ? pinned(key, wanted) : named(key, alg, wanted);
  if (fitting.length === 0) return null;
  return { kid: typeof kid === 'string' ? kid : null, key, algorithms: fitting };
}

/** A key that says what it is for is for nothing else. */
function named(key: KeyObject, alg: unknown, wanted: readonly string[]): readonly string[] {
  return typeof alg === 'string' ? wantedOf(pinned(key, [alg]), wanted) : [];
}

/** What is left of the algorithms of a key when these are wanted; empty: whichever. */
function wantedOf(able: readonly string[], wanted: readonly string[]): readonly string[] {
  return wanted.length === 0 || able.some((algorithm) => wanted.includes(algorithm)) ? able : [];
}

function imported(jwk: object, published: boolean): KeyObject | null {
  const { kty, k } = jwk as Readonly<Record<string, unknown>>;
  try {
    if (kty !== 'oct') return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    if (published || typeof k !== 'string' || k === '') return null;
    return createSecretKey(Buffer.from(k, 'base64url'));
  } catch {
    return null;
  }
}
