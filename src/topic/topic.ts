import type { MonitorRef } from '../otp/monitor.ts';
import type { Pid } from '../otp/process.ts';
import { FanOut } from './fan-out.ts';
import { Follower, type Place, type Placed } from './follower.ts';
import type { Resumption } from './gap.ts';
import type { Line } from './history/line.ts';
import { type Lifetime, unowned } from './lifetime.ts';
import { Members } from './members.ts';
import type { Delivery, Format, Message, Publish, PublisherMessage, Sequencer } from './message.ts';
import type { Position, Since } from './position.ts';

export interface Join {
  readonly type: 'join';
  /** The topic's. */
  readonly name: string;
  readonly member: Pid<MemberMessage>;
  readonly format: Format;
  readonly while: 'wanted' | 'owned';
  /** Set when a member of a topic that was lost comes back: an owner may follow, within this grace in milliseconds. */
  readonly again?: { readonly grace: number };
  /** What of the past it asks for; left out: nothing, and nothing is said of it. */
  readonly since?: Since;
}

export interface Claim {
  readonly type: 'claim';
  /** The topic's. */
  readonly name: string;
  readonly member: Pid<MemberMessage>;
  /** Milliseconds that the topic outlives this owner. */
  readonly grace: number;
}

/** What a topic sends to its members and owner. */
export type MemberMessage =
  | Delivery
  | PublisherMessage
  | Joined
  | { readonly type: 'claimed'; readonly topic: Topic }
  /** The owner is gone for good. */
  | { readonly type: 'ended'; readonly topic: Topic }
  | Lost
  | Portion
  /** It takes what it has asked for more slowly than the topic goes on, and is a member no longer. */
  | { readonly type: 'too-slow'; readonly topic: Topic };

/** The server is gone and its members with it, through no fault of theirs: join again. */
export interface Lost {
  readonly type: 'lost';
  readonly topic: Topic;
  /** Where the member stands: a join with this `since` misses nothing. Null: the topic has no line. */
  readonly at: Position | null;
}

/** Answers a leave that is to be heard: the topic sends no more. */
export interface Left {
  readonly type: 'left';
  /** The topic's. */
  readonly name: string;
}

/** The next part of what a member has asked for, which is being resumed. Asked for by `portion`. */
export interface Portion {
  readonly type: 'portion';
  readonly topic: Topic;
  /** They have been counted as attempts. */
  readonly deliveries: readonly Delivery[];
  /** There is more to ask for; absent: live messages come from here on. */
  readonly more?: true;
}

/** Answers a join: the member gets every message from here on, behind what it has asked for. */
export interface Joined {
  readonly type: 'joined';
  readonly topic: Topic;
  /** The join was that of a member that comes back. */
  readonly again?: true;
  /** Only where the join had a `since`, and the topic has a line. */
  readonly resumption?: Resumption;
  /** What it has asked for, or as much of it as fits one portion; they have been counted as attempts. */
  readonly deliveries?: readonly Delivery[];
  /** Further portions come, each when the member asks for it by `portion`. Live messages come behind the last. */
  readonly more?: true;
}

/**
 * Messages of one batch that came over a link, with their positions; or an answer to what another relay was asked.
 */
export interface Incoming extends Placed {
  readonly type: 'incoming';
  readonly messages: readonly Message[];
  /** Of each message its idempotency key, '' for none; null: there are none. */
  readonly keys: readonly string[] | null;
  readonly via: Sequencer;
  /** The link, which gets its credit back, in bytes. */
  readonly link: Pid<PublisherMessage>;
  readonly credit: number;
}

/** Another relay asks for what is kept here behind where it stands. */
export interface Recall {
  readonly type: 'recall';
  /** The topic's. */
  readonly name: string;
  /** Positions, as `sinceOf` has put them together. */
  readonly since: string;
  /** Its link, which is sent the answer as deliveries; the last of them has no messages. */
  readonly member: Pid<MemberMessage>;
  /** The bytes of a part of the answer. `place`: null where the topic has no line. `keys`: of each message, '' for none; or none at all. */
  readonly answer: (messages: readonly Message[], place: Place | null, keys: readonly string[]) => Buffer;
}

/** What the router sends on to a topic's server, once that has started. */
export type Request = Join | Claim | Publish | Incoming | Recall;

/**
 * All that is known of one live topic. It belongs to the supervisor of the topic's server, which hands it to each
 * incarnation, so that members and waiting messages outlive a crash. The server alone changes it, but for the part that is
 * the router's.
 */
export class Topic {
  readonly realm: string;
  readonly name: string;
  /** Messages have one order for all relays. */
  readonly isOrdered: boolean;
  /** The numbers of its messages; null: they have none, and cost nothing. */
  readonly line: Line | null;
  readonly members = new Members<Pid<MemberMessage>, MonitorRef>();
  readonly fanOut: FanOut<Pid<MemberMessage>>;
  /** Decides what becomes of what other relays send; null: the topic has no order that is one for all. */
  readonly follower: Follower<Incoming> | null;
  #server: Pid<never> | undefined = undefined;
  #retired = false;
  #waiting: Request[] | undefined = undefined;
  #underWay = 0;
  #lifetime: Lifetime<Pid<MemberMessage>> = unowned;
  #ownedSince = 0;
  #claiming: Claim | undefined = undefined;
  #interest: 'none' | 'asked' | 'held' = 'none';
  #round = 0;
  /** Local joins that wait for the other relays. */
  readonly #joining: Join[] = [];
  /** What waits until it is known how far the other relays are. */
  readonly #held: (Publish | Join | Recall)[] = [];
  #sequencer: Sequencer | null = null;

  constructor(realm: string, name: string, isOrdered = false, line: Line | null = null) {
    this.realm = realm;
    this.name = name;
    this.isOrdered = isOrdered;
    this.line = line;
    this.fanOut = new FanOut(this, line, this.members);
    this.follower =
      isOrdered && line !== null ? new Follower(() => line, line.ledIn !== null, line.ring !== null) : null;
    line?.serve(this);
  }

  toString(): string {
    return `topic:${this.realm}:${this.name}`;
  }

  /** Nobody is in it, nobody owns it, and nothing waits. */
  get isIdle(): boolean {
    const { groups, remote, coming } = this.members;
    const { state } = this.#lifetime;
    if (state === 'owned' || state === 'grace') return false;
    if (groups.length > 0 || remote.length > 0 || coming.size > 0) return false;
    const isQuiet = this.fanOut.queue.length === 0 && this.#held.length === 0;
    return isQuiet && this.#joining.length === 0 && this.#claiming === undefined;
  }

  /** Undefined before the server has started, and after the topic has retired. `topic-requests.ts` alone sends to it. */
  get server(): Pid<never> | undefined {
    return this.#server;
  }

  serve(server: Pid<never>): void {
    this.#server = server;
  }

  /** Nobody finds the topic any more. */
  get retired(): boolean {
    return this.#retired;
  }

  /** The router's, and the server's where its supervisor ends with it. */
  retire(): void {
    this.#server = undefined;
    this.#retired = true;
    this.line?.rest(this);
  }

  /** The router holds requests back until the server has started. */
  get isStarting(): boolean {
    return this.#waiting !== undefined;
  }

  /** The router's. */
  holdBack(request: Request): void {
    this.#waiting ??= [];
    this.#waiting.push(request);
  }

  /** The router's: what was held back, which it holds back no longer. */
  letGo(): readonly Request[] {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    return waiting;
  }

  /** Joins and claims on their way from the router to the server. */
  get underWay(): number {
    return this.#underWay;
  }

  /** The router's: a join or claim has been sent. */
  sent(): void {
    this.#underWay++;
  }

  arrived(): void {
    this.#underWay--;
  }

  /** The relay that has given the last message its order, where that is to be one for all relays. */
  get sequencer(): Sequencer | null {
    return this.#sequencer;
  }

  follow(sequencer: Sequencer): void {
    this.#sequencer = sequencer;
  }

  get lifetime(): Lifetime<Pid<MemberMessage>> {
    return this.#lifetime;
  }

  /** When the topic was claimed here, in milliseconds of the relay's clock. */
  get ownedSince(): number {
    return this.#ownedSince;
  }

  /** The topic goes on with another lifetime, `now` in milliseconds. */
  become(lifetime: Lifetime<Pid<MemberMessage>>, now: number): void {
    const { state } = this.#lifetime;
    // An owner that comes within the grace goes on with the claim that was.
    if (lifetime.state === 'owned' && state !== 'owned' && state !== 'grace') this.#ownedSince = now;
    this.#lifetime = lifetime;
  }

  /** A local claim that the other relays judge. */
  get claiming(): Claim | undefined {
    return this.#claiming;
  }

  ask(claim: Claim): void {
    this.#claiming = claim;
  }

  /** False: it is not this claim that waits. */
  judged(claim: Claim): boolean {
    if (this.#claiming !== claim) return false;
    this.#claiming = undefined;
    return true;
  }

  /** Whether the other relays know that there are local members, or would, if there were any. */
  get interest(): 'none' | 'asked' | 'held' {
    return this.#interest;
  }

  /** Tells one asking of the other relays from the next. */
  get round(): number {
    return this.#round;
  }

  /** A local join waits for the other relays. Returns the round to ask them in; null: they have been asked. */
  await(join: Join): number | null {
    this.#joining.push(join);
    if (this.#interest === 'asked') return null;
    this.#interest = 'asked';
    return ++this.#round;
  }

  hold(request: Publish | Join | Recall): void {
    this.#held.push(request);
  }

  /** What is held is to be handled now: each that is taken out is held no longer. */
  get held(): number {
    return this.#held.length;
  }

  /** Something that is held is to be published. */
  get holdsMessages(): boolean {
    return this.#held.some(({ type }) => type === 'publish');
  }

  nextHeld(): Publish | Join | Recall | undefined {
    return this.#held.shift();
  }

  nextJoin(): Join | undefined {
    return this.#joining.shift();
  }

  holdInterest(): void {
    this.#interest = 'held';
  }

  /** False: there are local members, or some are coming, or nobody has heard of any. */
  loseInterest(): boolean {
    const { groups, coming } = this.members;
    if (this.#interest === 'none' || groups.length > 0 || coming.size > 0) return false;
    if (this.#joining.length > 0 || this.#held.length > 0) return false;
    this.#interest = 'none';
    return true;
  }
}
