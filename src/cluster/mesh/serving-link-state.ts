import type { Hello, PeerClaim, PeerTopic } from '../../door/peer/codec.ts';
import type { Exit } from '../../otp/behaviour.ts';
import type { Self } from '../../otp/process.ts';
import type { Timer } from '../../otp/timer.ts';
import type { MemberMessage, Topic } from '../../topic/topic.ts';
import type { LinkOutbox } from './link-outbox.ts';
import type { Network, Serving } from './network.ts';
import type { PeerSocket, PeerSocketMessage } from './peer-socket.ts';
import type { Progress } from './progress.ts';

/** What a serving link starts with. */
export interface ServingLinkArgs {
  readonly network: Network;
  readonly hello: Hello;
}

export type ServingLinkMessage =
  | MemberMessage
  | PeerSocketMessage
  | Exit
  | {
      readonly type: 'take';
      readonly socket: PeerSocket;
      readonly hello: Hello;
      readonly mac: Buffer;
    }
  | { readonly type: 'written'; readonly socket: PeerSocket }
  | { readonly type: 'tick' | 'forget' | 'replaced' };

/** A topic that the peer wants. */
interface Wanted extends PeerTopic {
  /** Set when we are in it. */
  topic: Topic | undefined;
}

export interface State extends ServingLinkArgs {
  readonly self: Self<ServingLinkMessage>;
  readonly serving: Serving;
  readonly outbox: LinkOutbox;
  readonly progress: Progress;
  socket: PeerSocket | undefined;
  writing: boolean;
  /** Messages of the write under way. */
  inFlight: number;
  readonly wanted: Map<string, Wanted>;
  /** Topics that are being joined, each with the number of the frame that asked for it: in order, so the first is lowest. */
  readonly joining: Map<string, number>;
  frames: number;
  /** Versions that wait for all topics of their frame and of those before it. */
  toConfirm: { readonly version: number; readonly frame: number }[];
  /** Names that came in a full list that is still coming; undefined: none is. */
  listing: Set<string> | undefined;
  claims: PeerClaim[] | undefined;
  /** What the peer was told last. */
  epoch: number;
  /** By topic, what was dropped since it was logged last. */
  readonly overflow: Map<string, number>;
  /** Of the messages that the peer has forwarded, how many it was told last that were taken. */
  confirmed: number;
  /** Bytes of forwarded messages that are on their way to topics. */
  credit: number;
  bytesRead: number;
  heardAt: number;
  timer: Timer | undefined;
}
