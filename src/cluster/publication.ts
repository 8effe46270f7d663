import type { TopicKey } from '../door/peer/codec.ts';
import type { Pid } from '../otp/process.ts';
import {
  costOf,
  type Message,
  type Publish,
  type PublisherMessage,
  type Sequencer,
} from '../topic/message.ts';
import { publish } from '../topic/topic-server.ts';
import type { LocalTopics } from './backplane.ts';

/** Bytes on their way to this relay's topics before a link is not read any more; with half of them it is read again. */
const LIMIT = 4 * 1024 * 1024;

/**
 * Publishes here what comes over a link, and knows how much of it is on its way to topics. The last message of each
 * batch brings back, as `credit` to the link, what all of the batch has cost.
 */
export class Publication {
  /** Bytes that are on their way. */
  underWay = 0;
  /** So much is on its way that the link is not to be read. */
  isFull = false;
  readonly #topics: () => LocalTopics;
  readonly #link: Pid<PublisherMessage>;

  constructor(topics: () => LocalTopics, link: Pid<PublisherMessage>) {
    this.#topics = topics;
    this.#link = link;
  }

  /**
   * Messages of one topic, of so many bytes. `via`: the relay that has given them their order; null: they get it here.
   * `keys`: of each, '' for none. What is lost is counted. Returns how many of them the topic has refused.
   */
  publish(
    { realm, name }: TopicKey,
    messages: readonly Message[],
    bytes: number,
    via: Sequencer | null,
    keys: readonly string[] | null = null,
  ): number {
    const topics = this.#topics();
    const { accounting } = topics;
    const { length } = messages;
    accounting.arrive(length);
    const topic = topics.find(realm, name);
    if (topic?.server === undefined) {
      // Nobody is in the topic any more, or it is just being lost.
      accounting.lose(length, 'unheard');
      return 0;
    }
    const cost = costOf(bytes, length);
    let refused = 0;
    for (let i = 0; i < length; i++) {
      const message = messages[i] as Message;
      const credit = i === length - 1 ? cost : 0;
      const key = keys?.[i] ?? '';
      const one: Publish = { type: 'publish', message, from: this.#link, credit, via };
      if (publish(topic, key === '' ? one : { ...one, key })) this.underWay += credit;
      else refused++;
    }
    accounting.lose(refused, 'refused');
    this.isFull ||= this.underWay >= LIMIT;
    return refused;
  }

  /** The cost of a batch has come back. True: a link that was not read is read again. */
  arrived(bytes: number): boolean {
    this.underWay -= bytes;
    if (!this.isFull || this.underWay > LIMIT / 2) return false;
    this.isFull = false;
    return true;
  }
}
