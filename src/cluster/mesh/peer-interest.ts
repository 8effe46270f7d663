import { type InterestFrame, keyOf, type TopicKey } from '../../door/peer/codec.ts';
import type { Topic } from '../../topic/topic.ts';

/** A topic that the other relay wants. */
interface Wanted extends TopicKey {
  /** Set when the link is a member. */
  topic: Topic | undefined;
}

/** Which topics the link is to join, and which it is to leave. */
interface Changes {
  readonly join: readonly TopicKey[];
  readonly leave: readonly Topic[];
}

/**
 * The topics that the relay at the other end of a link wants, and which of them the link is a member of on its behalf.
 * They outlive the connection; what is to be confirmed does not.
 */
export class PeerInterest {
  readonly #wanted = new Map<string, Wanted>();
  /** Topics that are being joined, each with the number of the frame that asked for it: in order, so the first is lowest. */
  readonly #joining = new Map<string, number>();
  #frames = 0;
  /** Versions that wait for all topics of their frame and of those before it. */
  #toConfirm: { readonly version: number; readonly frame: number }[] = [];
  /** Names that came in a full list that is still coming; undefined: none is. */
  #listing: Set<string> | undefined = undefined;

  /** The other relay names topics. */
  named({ begin, end, version, add, drop }: InterestFrame): Changes {
    const join: TopicKey[] = [];
    const leave: Topic[] = [];
    const unwant = (key: string) => {
      const topic = this.#wanted.get(key)?.topic;
      if (topic !== undefined) leave.push(topic);
      this.#wanted.delete(key);
      this.#joining.delete(key);
    };
    this.#frames++;
    if (begin) this.#listing = new Set();
    for (const topic of add) {
      const key = keyOf(topic);
      this.#listing?.add(key);
      if (this.#wanted.has(key)) continue;
      this.#wanted.set(key, { ...topic, topic: undefined });
      this.#joining.set(key, this.#frames);
      join.push(topic);
    }
    for (const topic of drop) unwant(keyOf(topic));
    if (end && this.#listing !== undefined) {
      for (const key of this.#wanted.keys()) if (!this.#listing.has(key)) unwant(key);
      this.#listing = undefined;
    }
    if (version > 0 || end) this.#toConfirm.push({ version, frame: this.#frames });
    return { join, leave };
  }

  /** The link has become a member. False: the other relay does not want that any more, and the link is to leave. */
  joined(topic: Topic): boolean {
    const key = keyOf(topic);
    this.#joining.delete(key);
    const wanted = this.#wanted.get(key);
    if (wanted !== undefined) wanted.topic = topic;
    return wanted !== undefined;
  }

  /** The topic is lost. True: its successor is to be joined. */
  lost(topic: Topic): boolean {
    const wanted = this.#wanted.get(keyOf(topic));
    if (wanted?.topic !== topic) return false;
    wanted.topic = undefined;
    this.#joining.set(keyOf(topic), this.#frames);
    return true;
  }

  /** Topics of which the link is not a member yet. */
  get missing(): TopicKey[] {
    return [...this.#joining.keys()].flatMap((key) => this.#wanted.get(key) ?? []);
  }

  /** Topics of which the link is a member. */
  get topics(): Topic[] {
    return [...this.#wanted.values()].flatMap(({ topic }) => topic ?? []);
  }

  topicOf(key: TopicKey): Topic | undefined {
    return this.#wanted.get(keyOf(key))?.topic;
  }

  /** The last version all of whose topics are joined, to be confirmed now; undefined: there is none. */
  confirm(): number | undefined {
    if (this.#toConfirm.length === 0) return undefined;
    const [lowest = Number.POSITIVE_INFINITY] = this.#joining.values();
    let version: number | undefined;
    while ((this.#toConfirm[0]?.frame ?? lowest) < lowest) version = this.#toConfirm.shift()?.version;
    return version;
  }

  /** The connection has ended: nobody waits for a confirmation. */
  disconnected(): void {
    this.#toConfirm = [];
    this.#listing = undefined;
  }
}
