import type { ClientRequest } from '../authenticator/contract.ts';
import { none, type Permissions, type Right, union } from '../authenticator/permissions.ts';
import { CREDENTIALS } from '../authenticator/standing.ts';
import type { About } from '../door/contract.ts';
import { Hidden } from '../secret/hidden.ts';

/** What a connection has to remember for a guard that wants to know more than a credential. */
export class Asking {
  /** Where the request itself names the topic. */
  readonly about: About | null;
  readonly request: Hidden<ClientRequest> | undefined;
  /** For guards that judge each topic: what was given by a frame of the protocol. */
  credential: Hidden<string> | undefined = undefined;
  readonly judged = new Judged();
  /** For guards that judge clients without a credential too: this one has been asked about, or need not be. */
  introduced = false;
  #offered: readonly number[] = [];

  constructor(about: About | null, request: ClientRequest | undefined) {
    this.about = about;
    this.request = request === undefined ? undefined : new Hidden(request);
  }

  /** By the numbers of their questions: credentials that were given where each topic is judged. */
  get offered(): readonly number[] {
    return this.#offered;
  }

  /** Returns the number of the credential that is one too many. */
  offer(ref: number): number | undefined {
    const all = [...this.#offered, ref];
    this.#offered = all.slice(-CREDENTIALS);
    return all.length > CREDENTIALS ? all[0] : undefined;
  }
}

/** Answers that one connection remembers; those about topics that it is in do not count. */
const ANSWERS = 512;

interface Judgement {
  readonly right: Right;
  readonly topic: string;
  /** The question that brought it. */
  readonly ref: number;
}

/**
 * Where each topic is judged by itself, when a connection first uses it: what has been found out so far, by the right
 * and the name that the client uses. An answer may lead to another topic than the one that was named.
 */
export class Judged {
  /** Names that the client has joined, and the topics that they are. */
  readonly joined = new Map<string, string>();
  readonly #judgements = new Map<string, Judgement>();

  get size(): number {
    return this.#judgements.size;
  }

  /** The questions that brought it. */
  get refs(): ReadonlySet<number> {
    return new Set(Array.from(this.#judgements.values(), ({ ref }) => ref));
  }

  /** All of it together. */
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
    if (this.#judgements.size <= ANSWERS + this.joined.size) return undefined;
    for (const key of this.#judgements.keys())
      if (!key.startsWith('read ') || !this.joined.has(key.slice('read '.length))) return this.#forget(key);
    return undefined;
  }

  /** Returns the question whose answer is needed no longer. */
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
    this.joined.clear();
    this.#judgements.clear();
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
