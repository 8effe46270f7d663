import { createHash } from 'node:crypto';
import type { Access, Answer, Authenticator, ClientRequest, Question } from './contract.ts';
import { type HttpAnswer, httpGet } from './http-get.ts';
import { FaultyAnswer } from './outcome.ts';
import { none, type Permissions } from './permissions.ts';

export interface ForwardOptions {
  /** Where to ask. */
  readonly url: string;
  /** Milliseconds that an answer may take. */
  readonly timeout: number;
  /** Milliseconds that a yes or no holds for all who ask the very same; 0: none is kept. */
  readonly cache: number;
  /** Milliseconds after which what stands is asked about again; 0: never. Default: 0. */
  readonly recheck?: number;
  /** Such questions in a second, at most; 0: no limit. Default: 0. */
  readonly recheckRate?: number;
  /** Milliseconds on a clock that never goes back. */
  readonly now?: () => number;
}

/** Bytes of an answer that nobody reads. */
const BODY_BYTES = 64 * 1024;
/** Characters of a credential. */
const CREDENTIAL = 8 * 1024;

/**
 * `Forward`: another server judges what a client wants, as in pinghub's subrequest. It gets the client's own headers and
 * what the request was for; 204 allows it, and may name another path in `X-Rewrite`; 403 forbids it, and so does 431.
 */
export function forwardAuthenticator({
  url,
  timeout,
  cache,
  recheck = 0,
  recheckRate = 0,
  now = () => performance.now(),
}: ForwardOptions): Authenticator {
  const target = new URL(url);
  const get = httpGet({ timeout, limit: BODY_BYTES });
  const kept = new KeptAnswers(cache, now);
  return {
    name: 'Forward',
    anonymous: none,
    needs: 'topic',
    ...(recheck === 0 ? {} : { recheck: { every: recheck, rate: recheckRate || Number.POSITIVE_INFINITY } }),
    async authorise(question) {
      const { access, request } = question;
      if (access === undefined || request === undefined) throw new TypeError('there is no request to judge');
      if (!isHeaderValue(question.authorization)) return none;
      const headers = headersFor(question, request, access);
      const key = cache > 0 ? kept.keyOf(headers, access) : '';
      const known = kept.get(key);
      if (known !== undefined) return known;
      const answer = meaningOf(await get(target, headers), access);
      kept.set(key, answer);
      return answer;
    },
  };
}

function meaningOf({ status, headers }: HttpAnswer, { topic, rights, topicAt }: Access): Answer {
  // 431: the client's own headers are more than the service takes.
  if (status === 403 || status === 431) return none;
  if (status !== 204) throw new FaultyAnswer(`HTTP_${status}`);
  const rewrite = headers['x-rewrite'];
  if (rewrite === undefined) return grantOn(topic, rights);
  const [path = ''] = String(rewrite).split('?');
  const moved = topicAt(path);
  if (moved === null) throw new FaultyAnswer('BAD_REWRITE');
  return grantOn(moved, rights);
}

/** A name is a topic here, whatever it looks like: `*` is a topic of that name. */
function grantOn(topic: string, rights: Access['rights']): Answer {
  const { all, prefixes } = none;
  const permissions: Permissions = { all, prefixes, exact: new Map([[topic, rights]]) };
  return { permissions, subject: null, expires: null, topic };
}

/** Said by proxies: from a client they would be a lie. `_` is what some servers read as `-`. */
function isSpoofable(name: string): boolean {
  const plain = name.toLowerCase().replaceAll('_', '-');
  return /^(x-original-.*|x-rewrite.*|x-forwarded(-.*)?|forwarded|x-real-ip|x-client-ip)$/.test(plain);
}

/** RFC 9110, section 5.5, without the bytes whose meaning nobody knows, and no longer than servers take it. */
function isHeaderValue(text: string): boolean {
  return text.length <= CREDENTIAL && /^[\t\x20-\x7e]*$/.test(text);
}

function headersFor(
  { authorization, address }: Question,
  request: ClientRequest,
  { method, target }: Access,
): Record<string, string | string[]> {
  const headers = new Map<string, string[]>();
  const [, own] = request.headers.find(([name]) => name.toLowerCase() === 'authorization') ?? [];
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (isSpoofable(lower) || (lower === 'authorization' && authorization !== '')) continue;
    const values = headers.get(lower);
    if (values === undefined) headers.set(lower, [value]);
    else values.push(value);
  }
  // Of a token in the request the door has taken the scheme away.
  if (authorization !== '')
    headers.set('authorization', [own === `Bearer ${authorization}` ? own : authorization]);
  if (address !== '') headers.set('x-forwarded-for', [address]);
  headers.set('x-original-uri', [target]);
  headers.set('x-original-method', [method]);
  const all = [...headers].map(([name, values]) => [name, values.length === 1 ? values[0] : values] as const);
  return Object.fromEntries(all) as Record<string, string | string[]>;
}

/** Answers that are kept for a short time, with the hash of all that was asked as their key. */
class KeptAnswers {
  readonly #time: number;
  readonly #now: () => number;
  readonly #answers = new Map<string, { readonly answer: Answer; readonly until: number }>();

  constructor(time: number, now: () => number) {
    this.#time = time;
    this.#now = now;
  }

  keyOf(headers: Readonly<Record<string, string | string[]>>, { topic, right, rights }: Access): string {
    return createHash('sha256')
      .update(JSON.stringify([topic, right, rights.read, rights.write, Object.entries(headers).toSorted()]))
      .digest('base64');
  }

  get(key: string): Answer | undefined {
    const found = this.#answers.get(key);
    if (found === undefined || found.until > this.#now()) return found?.answer;
    this.#answers.delete(key);
    return undefined;
  }

  set(key: string, answer: Answer): void {
    if (this.#time === 0) return;
    this.#answers.delete(key);
    this.#answers.set(key, { answer, until: this.#now() + this.#time });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > KEPT && oldest !== undefined) this.#answers.delete(oldest);
  }
}

const KEPT = 10_000;
