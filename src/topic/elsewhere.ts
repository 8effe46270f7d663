import type { Accounting } from './accounting.ts';
import type { Message } from './message.ts';
import type { Claim, Publish, Topic } from './topic.ts';

/**
 * What topics ask of the other relays of the network, and all that they know of them. Implementations only send
 * messages and read tables: they are called in the middle of a topic server's turn.
 */
export interface Elsewhere {
  /**
   * There is no other relay now. Nobody is asked then, and nobody told; whoever changes it looks through all topics for
   * the members and owners that have come meanwhile.
   */
  readonly alone: boolean;
  /** Null: other relays join the topics that they want, as members of a format that is `remote`. */
  readonly uplink: Uplink | null;
  /** The first local member is coming. The topic's server is sent `interested` once nothing elsewhere is missed. */
  wanted(topic: Topic, round: number): void;
  /** The last local member has left. */
  unwanted(topic: Topic): void;
  /** Whether a client of another relay owns the topic. `grace`: it did, and another one may take over. */
  ownership(realm: string, name: string): RemoteOwnership;
  /** Somebody here wants to own the topic. The topic's server is sent `judged`, with this claim. */
  claim(topic: Topic, claim: Claim): void;
  /** The owner, who was here, has gone. */
  released(topic: Topic): void;
  /** Whether a topic of that name has one order for all relays. */
  isOrdered(name: string): boolean;
  /** For such a topic: this relay as its sequencer, or null when that is another one. */
  sequencer(topic: Topic): Sequencer | null;
  /** Sends a message to the sequencer. False: it cannot be reached. */
  forward(topic: Topic, publish: Publish): boolean;
  /** Whether messages of `next` may follow those of `last`: a sequencer that was replaced has no more to say. */
  mayFollow(topic: Topic, last: Sequencer, next: Sequencer): boolean;
}

/** A relay that gives messages their order. Whoever takes over from another one has a higher epoch. */
export interface Sequencer {
  readonly node: string;
  readonly epoch: number;
}

export type RemoteOwnership = 'none' | 'owned' | 'grace';

/**
 * Where everything goes that is published here, because nobody here knows who else wants it. A topic that is published to
 * is live then, members or not.
 */
export interface Uplink {
  /** Takes the messages of one turn, in their order, and counts one attempt for each of them. Does not throw. */
  publish(topic: Topic, messages: readonly Message[], accounting: Accounting): void;
}
