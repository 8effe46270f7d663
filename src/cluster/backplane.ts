import type { ChildSpec } from '../otp/child-spec.ts';
import type { Pid } from '../otp/process.ts';
import type { Elsewhere } from '../topic/elsewhere.ts';
import type { ClaimState } from './claims.ts';

/**
 * What carries messages between relays. A backplane is a subtree of processes; some of them are links, each the way to
 * one other relay or to all of them at once. In front of it stand two servers that are the same for every backplane:
 * the interest server, which knows the topics that have members here, and the ownership server, which knows who owns
 * what. A link attaches to both when it can be used, is told everything then and every change after it, and answers.
 *
 * Messages themselves pass through neither: a link publishes what it gets to the topic's server as `via` its relay, which
 * goes to local members only, and is (or asks to be, at the other side) a member of topics by a format that is `remote`;
 * or all that is published here goes to it, by way of the `uplink` of topics.
 */
export interface Backplane {
  readonly name: 'mesh' | 'nats';
  /** Its part of the supervision tree, as it is to be now. */
  readonly specs: readonly ChildSpec[];
}

/** One order for all relays, for those topics that are to have it. */
export type Ordering = Pick<Elsewhere, 'sequencer' | 'forward'>;

/** A topic as relays name it to each other. */
export interface TopicKey {
  readonly realm: string;
  readonly name: string;
}

/** A claim to own a topic, made at the relay that announces it. States and rules are those of `claims.ts`. */
export interface Claimed extends TopicKey {
  readonly state: ClaimState;
  /** When it was made, in milliseconds since 1970 by the claimant's clock. */
  readonly since: number;
  /** Milliseconds that the topic outlives its owner. */
  readonly grace: number;
}

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
      readonly claims: readonly Claimed[];
    };

/** What links tell the interest server. A link that ends is detached by its end. */
export type InterestReport =
  | { readonly type: 'attach' | 'detach'; readonly link: Pid<LinkMessage> }
  | { readonly type: 'confirmed'; readonly link: Pid<LinkMessage>; readonly version: number };

/** What links tell the ownership server; `node` is the relay that a claim comes from. */
export type OwnershipReport =
  /** `node`: the relay at its other end; null: all of them, and its verdicts say whose they are. */
  | { readonly type: 'attach'; readonly link: Pid<LinkMessage>; readonly node: string | null }
  | { readonly type: 'detach'; readonly link: Pid<LinkMessage> }
  | {
      readonly type: 'verdict';
      readonly link: Pid<LinkMessage>;
      readonly ref: number;
      readonly granted: boolean;
      /** The relays that have granted, over a link to all. */
      readonly nodes?: readonly string[];
    }
  | {
      readonly type: 'announced';
      readonly node: string;
      readonly all: boolean;
      readonly claims: readonly Claimed[];
      /** For a claim that asks: answers it. */
      readonly answer: ((granted: boolean) => void) | null;
    }
  /** The relay cannot be heard: its owners may come back elsewhere, within their grace. */
  | { readonly type: 'unheard'; readonly node: string };
