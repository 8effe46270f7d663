import type { MonitorRef } from '../otp/monitor.ts';
import type { Pid } from '../otp/process.ts';
import type { Delivery } from './delivery.ts';
import type { RemoteOwnership, Sequencer } from './elsewhere.ts';
import type { Format } from './format.ts';
import { type Lifetime, unowned } from './lifetime.ts';
import { Members } from './members.ts';
import type { Message } from './message.ts';

/**
 * All that is known of one live topic. The record belongs to the supervisor of the topic's server, which hands it to
 * each incarnation, so that members and waiting messages outlive a crash; the server alone changes it, but for
 * `forwarded` and `retired`, which are the router's.
 */
export class Topic {
  readonly realm: string;
  readonly name: string;
  /** Where to publish; undefined before the server has started, and after the topic has retired. */
  server: Pid<TopicMessage> | undefined = undefined;
  readonly members = new Members<Pid<MemberMessage>, MonitorRef>();
  lifetime: Lifetime<Pid<MemberMessage>> = unowned;
  /** When it was claimed here, in milliseconds of the relay's clock. */
  ownedSince = 0;
  /** Published and not yet fanned out, from `next` on. */
  readonly queue: Publish[] = [];
  next = 0;
  /** The message before `next`, while it is being rendered: if the server crashes, on this one. */
  rendering: Publish | undefined = undefined;
  /** Members that are behind and catching up: nothing is fanned out until they have. */
  readonly behind = new Set<Pid<MemberMessage>>();
  /** Joins and claims that the router has sent to the server, and how many of them the server has taken. */
  forwarded = 0;
  taken = 0;
  /** What waits for the server to start: the router's. */
  waiting: (Join | Claim | Publish)[] | undefined = undefined;
  retired = false;
  /** Whether the other relays know that there are local members, or would, if there were any. */
  interest: 'none' | 'asked' | 'held' = 'none';
  /** Tells one asking from the next. */
  round = 0;
  /** Local joins that wait for the other relays. */
  readonly joining: Join[] = [];
  /** Who gives its messages their order, where that is to be one for all relays; null: each relay its own. */
  ordering: { sequencer: Sequencer | null } | null = null;
  /** A local claim that the other relays judge. */
  claiming: Claim | undefined = undefined;
  /** Messages that were fanned out, and deliveries that were attempted for them. */
  messages = 0;
  attempts = 0;

  constructor(realm: string, name: string) {
    this.realm = realm;
    this.name = name;
  }

  /** Nobody is in it, nobody owns it, and nothing waits. */
  get isIdle(): boolean {
    const { lifetime, members } = this;
    if (lifetime.state === 'owned' || lifetime.state === 'grace' || this.queue.length > 0) return false;
    if (members.groups.length > 0 || members.remote.length > 0) return false;
    return this.joining.length === 0 && this.claiming === undefined;
  }

  toString(): string {
    return `topic:${this.realm}:${this.name}`;
  }
}

/** What a topic server understands. */
export type TopicMessage =
  | Publish
  | Join
  | Claim
  | { readonly type: 'leave'; readonly member: Pid<MemberMessage> }
  /** A member's pending bytes are many; nothing is sent until it is no longer in the way. */
  | { readonly type: 'behind' | 'not-behind'; readonly member: Pid<MemberMessage> }
  | { readonly type: 'down'; readonly pid: Pid<never> }
  /** The other relays send what is published there, as far as they can be reached. */
  | { readonly type: 'interested'; readonly round: number }
  /** The other relays have judged a claim. */
  | { readonly type: 'judged'; readonly claim: Claim; readonly verdict: 'granted' | 'owned' | 'unavailable' }
  /** Ownership at other relays has changed. */
  | { readonly type: 'elsewhere'; readonly ownership: RemoteOwnership }
  | { readonly type: 'continue' | 'grace-over' | 'retire' | 'lingered' };

export interface Publish {
  readonly type: 'publish';
  readonly message: Message;
  readonly from: Pid<MemberMessage>;
  /** Credit to give back once the message has been fanned out, in bytes; 0: none. */
  readonly credit: number;
  /** The relay that it came from, and then it goes to local members only; null: it was published here. */
  readonly via: Sequencer | null;
  /** When it was accepted, if it is timed; 0 or left out: it is not. */
  readonly acceptedAt?: number;
}

export interface Join {
  readonly type: 'join';
  /** The topic's. */
  readonly name: string;
  readonly member: Pid<MemberMessage>;
  readonly format: Format;
  readonly while: 'wanted' | 'owned';
  /** Set when a member of a topic that was lost comes back: an owner may follow, within this grace in milliseconds. */
  readonly again?: { readonly grace: number };
}

export interface Claim {
  readonly type: 'claim';
  /** The topic's. */
  readonly name: string;
  readonly member: Pid<MemberMessage>;
  /** Milliseconds that the topic outlives this owner. */
  readonly grace: number;
}

/** What a topic sends to its members, publishers and owner. */
export type MemberMessage =
  | Delivery
  | { readonly type: 'credit'; readonly bytes: number }
  | { readonly type: 'joined' | 'claimed'; readonly topic: Topic }
  | {
      readonly type: 'refused';
      readonly action: 'join' | 'claim' | 'publish';
      readonly name: string;
      readonly why: 'missing' | 'owned' | 'unavailable';
    }
  /** The owner is gone for good. */
  | { readonly type: 'ended'; readonly topic: Topic }
  /** The server is gone and its members with it, through no fault of theirs: join again. */
  | { readonly type: 'lost'; readonly topic: Topic };
