import type { PeerClaim, TopicKey, VitalsFrame } from '../door/peer/codec.ts';
import type { ChildSpec } from '../otp/child-spec.ts';
import type { System } from '../otp/system.ts';
import type { Accounting } from '../topic/accounting.ts';
import type { Elsewhere } from '../topic/elsewhere.ts';
import type { GapReason } from '../topic/gap.ts';
import type { Publish } from '../topic/message.ts';
import type { Claim, Incoming, Join, Recall, Topic } from '../topic/topic.ts';

/**
 * What carries messages between relays. A backplane is a subtree of processes; some of them are links, each the way to
 * one other relay or to all of them at once. In front of it stand two servers that are the same for every backplane:
 * the interest server, which knows the topics that have members here, and the ownership server, which knows who owns
 * what. A link attaches to both when it can be used, is told everything then and every change after it, and answers.
 *
 * Beside them the vitals server tells the other relays this one's numbers, by `tellVitals`. A link that has been made says so
 * to it, takes `vitals` to the relay at its other end, behind no message if that can be, and hands on what that one tells of
 * itself, and that it says goodbye.
 *
 * Messages themselves pass through neither: a link publishes what it gets to the topic's server as `via` its relay, which
 * goes to local members only, and is (or asks to be, at the other side) a member of topics by a format that is `remote`;
 * or all that is published here goes to it, by way of the `uplink` of topics.
 */
export interface Backplane {
  readonly name: 'mesh' | 'nats';
  /** Its part of the supervision tree, as it is to be now. */
  readonly specs: readonly ChildSpec[];
  /** Links that are still being made, in words for an operator: what can be reached is not linked both ways yet. */
  beingMade(): readonly string[];
  /** Tells every relay that is linked the numbers of this one. */
  tellVitals(text: string): void;
}

/** This relay's topics, as those see them that link it to other relays. */
export interface LocalTopics {
  readonly accounting: Accounting;
  find(realm: string, name: string): Topic | undefined;
  all(): Iterable<Topic>;
  route(system: System, realm: string, request: Join | Claim): boolean;
  /**
   * Sends a message to its topic, as `find` has found it, or a batch that has positions; a topic whose messages are kept is
   * started for it. False: nobody takes it, and it is not counted.
   */
  publish(
    system: System,
    realm: string,
    name: string,
    topic: Topic | undefined,
    message: Publish | Incoming,
  ): boolean;
  /** Whether messages of a topic are kept, which is live, or not. */
  keeps(name: string, topic: Topic | undefined): boolean;
  /** Another relay asks for what is kept. False: nothing is. `isHome`: this relay is to answer even then. */
  recall(system: System, realm: string, request: Recall, isHome: boolean): boolean;
  /** Nobody knows how many messages have been missed of the topics whose order is this relay's own. */
  tearOff(why: GapReason, now: number): void;
}

/** What a link says of itself to the log. */
export interface LinkLog {
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** One order for all relays, for those topics that are to have it. */
export type Ordering = Pick<
  Elsewhere,
  'sequencer' | 'forward' | 'leftOver' | 'mayFollow' | 'home' | 'hasLed' | 'isLinked' | 'isLinkTo' | 'recall'
>;

/** What a link is told. */
export type LinkMessage =
  /** `all`: these topics and no others. Answered with `confirmed` once nothing published there is missed any more. */
  | {
      readonly type: 'interest';
      readonly version: number;
      readonly all: boolean;
      readonly add: readonly TopicKey[];
      readonly drop: readonly TopicKey[];
    }
  /** `all`: these claims and no others. A claim with a `ref` that is not 0 is answered with `verdict`. */
  | {
      readonly type: 'claims';
      readonly ref: number;
      readonly all: boolean;
      readonly claims: readonly PeerClaim[];
    }
  | VitalsFrame;
