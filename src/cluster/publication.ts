import type { Batch } from '../door/peer/batch.ts';
import type { Fates } from '../door/peer/fates.ts';
import type { Self } from '../otp/process.ts';
import {
  costOf,
  keyedBy,
  type Message,
  type Publish,
  type PublisherMessage,
  type Sequencer,
} from '../topic/message.ts';
import type { Incoming } from '../topic/topic.ts';
import { publish } from '../topic/topic-requests.ts';
import type { LocalTopics } from './backplane.ts';

/** Bytes on their way to this relay's topics before a link is not read any more; with half of them it is read again. */
const LIMIT = 4 * 1024 * 1024;

/** Messages that have numbers, from `first` on, by which it is known what has become of them. */
export interface ByNumber {
  readonly first: number;
  readonly fates: Pick<Fates, 'settle'>;
}

/** Messages of one topic. `bytes`: as they came. `keys`: of each, '' for none; null: there are none. */
export type Published = Pick<Batch, 'realm' | 'name' | 'messages' | 'bytes' | 'keys'>;

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
  readonly #link: Self<PublisherMessage>;

  constructor(topics: () => LocalTopics, link: Self<PublisherMessage>) {
    this.#topics = topics;
    this.#link = link;
  }

  /**
   * Messages of one topic, of so many bytes. `via`: the relay that has given them their order; null: they get it here.
   * What is lost is counted. Returns how many of them the topic has refused. `byNumber`: the link is told of each by its number what
   * has become of it (`published`, `refused`), or is so at once.
   */
  publish(
    { realm, name, messages, bytes, keys }: Published,
    via: Sequencer | null,
    byNumber: ByNumber | null = null,
  ): number {
    const topics = this.#topics();
    const { accounting } = topics;
    const { system } = this.#link;
    const { length } = messages;
    accounting.arrive(length);
    const topic = topics.find(realm, name);
    const isKept = topics.keeps(name, topic);
    if (topic?.server === undefined && !isKept) {
      // Nobody is in the topic any more, or it is just being lost.
      accounting.lose(length, 'unheard');
      for (let i = 0; i < length; i++) byNumber?.fates.settle(byNumber.first + i, true);
      return 0;
    }
    const cost = costOf(bytes, length);
    let refused = 0;
    for (let i = 0; i < length; i++) {
      const message = messages[i] as Message;
      const credit = i === length - 1 ? cost : 0;
      const plain: Publish = { type: 'publish', message, from: this.#link, credit, via };
      const told: Publish =
        byNumber === null ? plain : { ...plain, isForwarded: true, receipt: `${byNumber.first + i}` };
      const one = keyedBy(keys, i, told);
      const isTaken =
        isKept || topic === undefined ? topics.publish(system, realm, name, topic, one) : publish(topic, one);
      if (isTaken) this.underWay += credit;
      else {
        refused++;
        byNumber?.fates.settle(byNumber.first + i, false);
      }
    }
    accounting.lose(refused, 'refused');
    this.isFull ||= this.underWay >= LIMIT;
    return refused;
  }

  /** A batch that tells where its messages stand, or an answer to what the other relay was asked. */
  deliver(batch: Batch, via: Sequencer): void {
    const topics = this.#topics();
    const { realm, name, place, messages, keys, isAnswer, bytes } = batch;
    const { length } = messages;
    const topic = topics.find(realm, name);
    const credit = costOf(bytes, length);
    // What answers a question has come before, or would have.
    if (!isAnswer) topics.accounting.arrive(length);
    const incoming: Incoming = {
      type: 'incoming',
      place,
      count: length,
      isAnswer,
      from: via.node,
      messages,
      keys,
      via,
      link: this.#link,
      credit,
    };
    if (topics.publish(this.#link.system, realm, name, topic, incoming)) {
      this.underWay += credit;
      this.isFull ||= this.underWay >= LIMIT;
    } else if (!isAnswer) {
      topics.accounting.lose(length, topic?.server === undefined ? 'unheard' : 'refused');
    }
  }

  /** The cost of a batch has come back. True: a link that was not read is read again. */
  arrived(bytes: number): boolean {
    this.underWay -= bytes;
    if (!this.isFull || this.underWay > LIMIT / 2) return false;
    this.isFull = false;
    return true;
  }
}
