import type { Pid } from '../otp/process.ts';
import type { Uplink } from './fan-out.ts';
import type { RemoteOwnership } from './lifetime.ts';
import type { Publish, Sequencer } from './message.ts';
import type { Claim, Topic } from './topic.ts';

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
  /** The first local member is coming. The topic's server is told `interested` once nothing elsewhere is missed. */
  wanted(topic: Topic, round: number): void;
  /** The last local member has left. */
  unwanted(topic: Topic): void;
  /** Whether a client of another relay owns the topic. */
  ownership(realm: string, name: string): RemoteOwnership;
  /** Somebody here wants to own the topic. The topic's server is told `judged`, with this claim. */
  claim(topic: Topic, claim: Claim): void;
  /** The owner, who was here, has gone. */
  released(topic: Topic): void;
  /** Whether a topic of that name has one order for all relays. */
  isOrdered(name: string): boolean;
  /** For such a topic: this relay as its sequencer, or null when that is another one. */
  sequencer(topic: Topic): Sequencer | null;
  /** Sends a message to the sequencer, and tells its publisher what has become of the message there. False: it cannot be reached. */
  forward(topic: Topic, publish: Publish): boolean;
  /** What was for a home of the topic that has gone, and is older than all that is published now; taken from there. */
  leftOver(topic: Topic): readonly Publish[];
  /** The relay that gives such a topic its order, if another one does; null: this one does. */
  home(topic: Topic): string | null;
  /** Whether the relay of that name is linked. */
  isLinked(relay: string): boolean;
  /** Whether the relay of that name is the one that this member is the link to. */
  isLinkTo(member: Pid<never>, relay: string): boolean;
  /** Whether no relay has been linked since this one had that epoch: one that was could have given topics their order meanwhile. */
  hasLed(since: number): boolean;
  /**
   * Asks what other relays keep of the topic behind `since` (`sinceOf`), of the relay of that name, or of all if it is null. The answers
   * come to the topic's server. Returns which relays were asked: those that are linked, and know how to answer.
   */
  recall(topic: Topic, since: string, relay: string | null): readonly string[];
  /** Whether messages of `next` may follow those of `last`: a sequencer that was replaced has no more to say. */
  mayFollow(topic: Topic, last: Sequencer, next: Sequencer): boolean;
}
