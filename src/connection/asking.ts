import type { ClientRequest } from '../authenticator/contract.ts';
import type { Right } from '../authenticator/permissions.ts';
import { Hidden } from '../authenticator/secret.ts';
import type { About } from '../door/contract.ts';

/** What a connection has to remember for a guard that wants to know more than a credential. */
export class Asking {
  /** Where the request itself names the topic. */
  readonly about: About | null;
  readonly request: Hidden<ClientRequest> | undefined;
  /** For guards that judge each topic: what was given by a frame of the protocol. */
  credential: Hidden<string> | undefined = undefined;
  readonly judged = new Judged();

  constructor(about: About | null, request: ClientRequest | undefined) {
    this.about = about;
    this.request = request === undefined ? undefined : new Hidden(request);
  }
}

/**
 * Where each topic is judged by itself, when a connection first uses it: what has been found out so far, by the right
 * and the name that the client uses. An answer may lead to another topic than the one that was named.
 */
export class Judged {
  /** Names that the client has joined, and the topics that they are. */
  readonly joined = new Map<string, string>();
  readonly #topics = new Map<string, string>();

  get size(): number {
    return this.#topics.size;
  }

  /** The topic to use; undefined: not asked yet. */
  topicOf(right: Right, name: string): string | undefined {
    return this.#topics.get(`${right} ${name}`);
  }

  allow(right: Right, name: string, topic: string): void {
    this.#topics.set(`${right} ${name}`, topic);
    const [oldest] = this.#topics.keys();
    if (this.#topics.size > ANSWERS && oldest !== undefined) this.#topics.delete(oldest);
  }
}

/** Answers that one connection remembers. */
const ANSWERS = 512;
