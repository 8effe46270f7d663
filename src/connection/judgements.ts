import type { Access, ClientRequest } from '../authenticator/contract.ts';
import { none, type Permissions, type Right, union } from '../authenticator/permissions.ts';
import { CREDENTIALS } from '../authenticator/standing.ts';
import type { About } from '../door/contract.ts';
import { decodeOnce } from '../door/request-path.ts';
import { Hidden } from '../secret/hidden.ts';
import { isTopicName } from '../topic/topic-name.ts';

/** Answers that one connection remembers; those about topics that it is in do not count. */
const ANSWERS = 512;

interface Judgement {
  readonly right: Right;
  readonly topic: string;
  /** The question that brought it. */
  readonly ref: number;
}

/**
 * What one connection has asked and been answered, where its guard wants to know more than a credential.
 *
 * Where each topic is judged by itself, when the connection first uses it, the answers are kept by the right and the name
 * that the client uses: an answer may lead to another topic than the one that was named.
 */
export class Judgements {
  readonly #about: About | null;
  readonly #request: Hidden<ClientRequest> | undefined;
  #credential: Hidden<string> | undefined = undefined;
  #introduced = false;
  #offered: readonly number[] = [];
  /** Names that the client has joined, and the topics that they are. */
  readonly #joined = new Map<string, string>();
  readonly #judgements = new Map<string, Judgement>();

  /** `about`: where the request itself names the topic. */
  constructor(about: About | null, request: ClientRequest | undefined) {
    this.#about = about;
    this.#request = request === undefined ? undefined : new Hidden(request);
  }

  get request(): ClientRequest | undefined {
    return this.#request?.reveal();
  }

  /** What the client has given for a credential in a frame of its protocol, where topics are judged. */
  get authorization(): string {
    return this.#credential?.reveal() ?? '';
  }

  /** The request brings a credential, perhaps one that no door of ours can read. */
  get hasAuthorization(): boolean {
    return this.request?.headers.some(([name]) => name.toLowerCase() === 'authorization') === true;
  }

  /** Where clients without a credential are judged too: this one has been asked about, or need not be. */
  get isIntroduced(): boolean {
    return this.#introduced;
  }

  introduce(): void {
    this.#introduced = true;
  }

  /** By the numbers of their questions: credentials that were given where each topic is judged. */
  get offered(): readonly number[] {
    return this.#offered;
  }

  /** Remembers a credential. Returns the number of the oldest, where they are too many. */
  offer(ref: number, authorization: string): number | undefined {
    // Where the request names the topic, it brings its credential itself.
    if (this.#about === null) this.#credential = new Hidden(authorization);
    const all = [...this.#offered, ref];
    this.#offered = all.slice(-CREDENTIALS);
    return all.length > CREDENTIALS ? all[0] : undefined;
  }

  /** What the client wants to do, as the request for it: the one that it has sent, or the one that would name the topic. */
  access(right: Right, topic: string, topicLength: number): Access {
    const { request } = this;
    if (this.#about !== null && request !== undefined) {
      const { read, write, topicAt } = this.#about;
      return {
        topic,
        right,
        rights: { read, write },
        method: request.method,
        target: request.target,
        topicAt,
      };
    }
    return {
      topic,
      right,
      rights: { read: right === 'read', write: right === 'write' },
      method: right === 'read' ? 'GET' : 'POST',
      // Decoded once it is the topic again, whatever the topic contains.
      target: `/${topic.split('/').map(encodeURIComponent).join('/')}`,
      topicAt(path) {
        const name = path.startsWith('/') ? decodeOnce(path.slice(1)) : null;
        return name !== null && isTopicName(name, topicLength) ? name : null;
      },
    };
  }

  /** How many answers are remembered. */
  get size(): number {
    return this.#judgements.size;
  }

  /** The questions that brought them. */
  get refs(): ReadonlySet<number> {
    return new Set(Array.from(this.#judgements.values(), ({ ref }) => ref));
  }

  /** All that the answers allow together. */
  get permissions(): Permissions {
    let all = none;
    for (const { right, topic } of this.#judgements.values())
      all = union(all, {
        ...none,
        exact: new Map([[topic, { read: right === 'read', write: right === 'write' }]]),
      });
    return all;
  }

  /** The topic to use; undefined: not asked yet. */
  topicOf(right: Right, name: string): string | undefined {
    return this.#judgements.get(keyOf(right, name))?.topic;
  }

  /** Returns the question whose answer is remembered no longer: the oldest one, where there are too many. */
  allow(right: Right, name: string, topic: string, ref: number): number | undefined {
    this.#judgements.set(keyOf(right, name), { right, topic, ref });
    if (this.#judgements.size <= ANSWERS + this.#joined.size) return undefined;
    for (const key of this.#judgements.keys())
      if (!key.startsWith('read ') || !this.#joined.has(key.slice('read '.length))) return this.#forget(key);
    return undefined;
  }

  /** The next use asks again. Returns the question whose answer is needed no longer. */
  forget(right: Right, name: string): number | undefined {
    return this.#forget(keyOf(right, name));
  }

  /** Takes back what a question's new answer does not give. False: it was not used. */
  take(ref: number, gives: (right: Right, topic: string) => boolean): boolean {
    let taken = false;
    for (const [key, { ref: own, right, topic }] of this.#judgements) {
      if (own !== ref || gives(right, topic)) continue;
      this.#judgements.delete(key);
      taken = true;
    }
    return taken;
  }

  clear(): void {
    this.#joined.clear();
    this.#judgements.clear();
  }

  /** A name by which the client uses a topic; undefined: it does not. */
  nameOf(topic: string): string | undefined {
    for (const [name, joined] of this.#joined) if (joined === topic) return name;
    for (const [key, judgement] of this.#judgements)
      if (judgement.topic === topic) return key.slice(judgement.right.length + 1);
    return undefined;
  }

  /** The client has joined a topic by this name. */
  join(name: string, topic: string): void {
    this.#joined.set(name, topic);
  }

  /** Returns the topic that the client is no longer in; undefined: it has joined it by another name as well. */
  leave(name: string): string | undefined {
    const topic = this.#joined.get(name) ?? name;
    this.#joined.delete(name);
    for (const other of this.#joined.values()) if (other === topic) return undefined;
    return topic;
  }

  #forget(key: string): number | undefined {
    const ref = this.#judgements.get(key)?.ref;
    this.#judgements.delete(key);
    for (const other of this.#judgements.values()) if (other.ref === ref) return undefined;
    return ref;
  }
}

function keyOf(right: Right, name: string): string {
  return `${right} ${name}`;
}
