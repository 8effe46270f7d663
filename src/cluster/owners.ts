import { keyOf, type PeerClaim, type TopicKey } from '../door/peer/codec.ts';
import type { Pid } from '../otp/process.ts';
import type { RemoteOwnership } from '../topic/lifetime.ts';
import type { Claim as Request, Topic } from '../topic/topic.ts';
import type { LinkMessage } from './backplane.ts';
import { type Claim, type Claims, mayClaim, wins } from './claims.ts';

export type Link = Pid<LinkMessage>;
/** Takes the verdict on a claim of another relay to that relay. */
export type Answer = (granted: boolean) => void;

export type OwnersEvent =
  /** The ownership server has started. */
  | { readonly type: 'begin' }
  /** A topic's owner-to-be, at a time in milliseconds since 1970. Its topic is sent a `judge` for it, once. */
  | { readonly type: 'claim'; readonly topic: Topic; readonly request: Request; readonly since: number }
  /** The owner, who was here, has gone. */
  | { readonly type: 'released'; readonly topic: TopicKey }
  /** `node`: the relay at the link's other end; null: all of them, and its verdicts say whose they are. */
  | { readonly type: 'attach'; readonly link: Link; readonly node: string | null }
  | { readonly type: 'detach'; readonly link: Link }
  /** `nodes`: the relays that have granted, over a link to all. */
  | {
      readonly type: 'verdict';
      readonly link: Link;
      readonly ref: number;
      readonly granted: boolean;
      readonly nodes?: readonly string[];
    }
  /** Another relay's claims; `all`: these and no others. `answer`: for a claim that asks. */
  | {
      readonly type: 'announced';
      readonly node: string;
      readonly all: boolean;
      readonly claims: readonly PeerClaim[];
      readonly answer: Answer | null;
    }
  /** The relay cannot be heard: its owners may come back elsewhere, within their grace. */
  | { readonly type: 'unheard'; readonly node: string }
  /**
   * There may be links from here on. `owners`: those who are here, and may have claimed before anybody could hear; asked:
   * the topic waits for a judgement.
   */
  | { readonly type: 'linking'; readonly owners: readonly PeerClaim[] }
  /** There is no other relay from here on. */
  | { readonly type: 'alone' }
  | Late;

/** Comes back after the delay of a `later`. */
export type Late =
  | { readonly type: 'asked-enough' | 'ask-again' | 'told-enough'; readonly ref: number }
  | { readonly type: 'expire'; readonly topic: TopicKey };

export type OwnersEffect =
  | { readonly type: 'tell'; readonly link: Link; readonly message: LinkMessage }
  | { readonly type: 'judge'; readonly topic: Topic; readonly request: Request; readonly granted: boolean }
  /** The topic is told what other relays say of its owner now. */
  | { readonly type: 'elsewhere'; readonly topic: TopicKey; readonly ownership: RemoteOwnership }
  | { readonly type: 'answer'; readonly answer: Answer; readonly granted: boolean }
  | { readonly type: 'later'; readonly delay: number; readonly event: Late };

/** Milliseconds that the linked relays have to judge a claim. One that cannot is soon no longer linked. */
const ASK_TIMEOUT = 2000;
/** Milliseconds that they have to say that they have heard of an owner. */
const TELL_TIMEOUT = 250;
/** Milliseconds until those are asked once more who may not have heard yet that an owner has left; how often. */
const REPEAT = 50;
const REPEATS = 5;

/** A claim of this relay that the others judge. */
interface Question {
  readonly topic: Topic;
  readonly request: Request;
  readonly since: number;
  readonly unanswered: Set<Link>;
  /** Relays that own the topic as far as is known here: they have to say that it is not so any more. */
  readonly owners: Set<string>;
  /** By a relay that does not own the topic. */
  refused: boolean;
  /** How often it may still be asked. */
  readonly repeats: number;
}

/** A claim that was granted, and that the others are being told of. */
type Announcement = Pick<Question, 'topic' | 'request' | 'unanswered'>;

/**
 * Who owns what, as one relay sees it: takes what happens, with the time, and says what is to be done. Pure.
 *
 * A claim goes three steps: the linked relays judge it, they hear that it was granted, and then its owner is let in, so
 * that subscribers are let in everywhere from then on. Where two claims stand against each other, every relay applies the
 * rule of `claims.ts`: the owner that loses is ended by its own relay.
 */
export class Owners {
  readonly #claims: Claims;
  /** Each with the relay at its other end; null: all of them. */
  readonly #links = new Map<Link, string | null>();
  readonly #questions = new Map<number, Question>();
  readonly #announcements = new Map<number, Announcement>();
  #lastRef = 0;
  #now = 0;
  #effects: OwnersEffect[] = [];

  /** `claims` may be those of an `Owners` before this one, whose questions are lost. */
  constructor(claims: Claims) {
    this.#claims = claims;
  }

  /** Times on this relay's own clock, in milliseconds. */
  step(event: OwnersEvent, now: number): readonly OwnersEffect[] {
    this.#now = now;
    this.#effects = [];
    this.#handle(event);
    return this.#effects;
  }

  #handle(event: OwnersEvent): void {
    switch (event.type) {
      case 'begin':
        this.#begin();
        return;
      case 'claim':
        this.#ask(event.topic, event.request, event.since);
        return;
      case 'released':
        this.#released(event.topic);
        return;
      case 'verdict':
        this.#verdict(event);
        return;
      case 'asked-enough':
        this.#decide(event.ref);
        return;
      case 'ask-again':
        this.#askAgain(event.ref);
        return;
      case 'told-enough':
        this.#admit(event.ref);
        return;
      case 'announced':
        this.#announced(event);
        return;
      case 'unheard':
        for (const topic of this.#claims.topics) this.#loseTouch(topic, event.node);
        return;
      case 'attach':
        this.#attach(event.link, event.node);
        return;
      case 'detach':
        this.#detach(event.link);
        return;
      case 'expire':
        this.#expire(event.topic);
        return;
      case 'linking':
        this.#adopt(event.owners);
        return;
      case 'alone':
        this.#alone();
        return;
    }
  }

  /** The timers of an earlier incarnation are gone, and so is who waited for its questions. */
  #begin(): void {
    const claims = this.#claims;
    for (const topic of claims.topics) {
      if (claims.own(topic)?.state === 'asked') claims.remove(topic, claims.node);
      for (const { state, until } of claims.of(topic)) if (state === 'grace') this.#expireAt(topic, until);
    }
  }

  #ask(topic: Topic, request: Request, since: number): void {
    const claims = this.#claims;
    // A topic that claims again has given up what it claimed before.
    this.#denyOwn(topic);
    const own = claims.own(topic);
    const asked = asking(claims.node, since, request);
    const owners = new Set<string>();
    for (const claim of claims.of(topic)) if (!mayClaim(asked, [claim])) owners.add(claim.node);
    const linked = new Set(this.#links.values());
    // An owner who has left may be faster than the news of it: the owner's relay is asked.
    const areHeard = linked.has(null) || [...owners].every((owner) => linked.has(owner));
    if (own === undefined ? !areHeard : owners.size > 0) {
      this.#judge({ topic, request }, false);
    } else if (own !== undefined) {
      // A relay whose client owns the topic, or did a moment ago, need not ask.
      this.#grant(topic, request, own.since);
    } else {
      claims.put(topic, asked);
      this.#question({ topic, request, since, owners, repeats: REPEATS });
    }
  }

  #question(of: Pick<Question, 'topic' | 'request' | 'since' | 'owners' | 'repeats'>): void {
    const ref = ++this.#lastRef;
    const unanswered = this.#linked();
    this.#questions.set(ref, { ...of, unanswered, refused: false });
    this.#tell(ref, of.topic, asking(this.#claims.node, of.since, of.request));
    if (unanswered.size === 0) this.#decide(ref);
    else this.#later(ASK_TIMEOUT, { type: 'asked-enough', ref });
  }

  #verdict({ link, ref, granted, nodes }: Extract<OwnersEvent, { readonly type: 'verdict' }>): void {
    this.#heard(ref, link);
    const question = this.#questions.get(ref);
    if (question === undefined) return;
    const { unanswered, owners, topic } = question;
    unanswered.delete(link);
    const linked = this.#links.get(link);
    if (granted) {
      for (const node of nodes ?? (linked == null ? [] : [linked]))
        if (owners.delete(node)) this.#loseTouch(topic, node);
    } else if (linked == null || owners.has(linked)) {
      this.#deny(ref);
      return;
    } else {
      // It may speak for the sake of an owner whose own relay says that the owner has left.
      question.refused = true;
    }
    if (unanswered.size === 0) this.#decide(ref);
  }

  /** All relays that could answer have answered. */
  #decide(ref: number): void {
    const question = this.#questions.get(ref);
    if (question === undefined) return;
    const { owners, refused, repeats, topic, request, since } = question;
    if (owners.size > 0 || (refused && repeats === 0)) {
      this.#deny(ref);
    } else if (refused) {
      this.#later(REPEAT, { type: 'ask-again', ref });
    } else {
      this.#questions.delete(ref);
      this.#grant(topic, request, since);
    }
  }

  /** The same claim once more, of all that are linked now. */
  #askAgain(ref: number): void {
    const question = this.#questions.get(ref);
    if (question?.refused !== true) return;
    this.#questions.delete(ref);
    this.#question({ ...question, repeats: question.repeats - 1 });
  }

  #grant(topic: Topic, request: Request, since: number): void {
    const claims = this.#claims;
    const claim: Claim = { node: claims.node, state: 'owned', since, grace: request.grace, until: 0 };
    claims.put(topic, claim);
    // The topic is told by the judgement itself.
    claims.isOwnedHere(topic);
    const ref = ++this.#lastRef;
    const unanswered = this.#linked();
    this.#announcements.set(ref, { topic, request, unanswered });
    this.#tell(ref, topic, claim);
    if (unanswered.size === 0) this.#admit(ref);
    else this.#later(TELL_TIMEOUT, { type: 'told-enough', ref });
  }

  #heard(ref: number, link: Link): void {
    const unanswered = this.#announcements.get(ref)?.unanswered;
    if (unanswered?.delete(link) === true && unanswered.size === 0) this.#admit(ref);
  }

  /** The other relays know of a claim that was granted, or have had their time. */
  #admit(ref: number): void {
    const granted = this.#announcements.get(ref);
    if (granted === undefined) return;
    this.#announcements.delete(ref);
    // Meanwhile it may have lost against another relay's.
    this.#judge(granted, this.#claims.own(granted.topic)?.state === 'owned');
  }

  #deny(ref: number): void {
    const question = this.#questions.get(ref);
    if (question === undefined) return;
    const { topic } = question;
    this.#questions.delete(ref);
    this.#claims.remove(topic, this.#claims.node);
    this.#judge(question, false);
    this.#settle(topic);
  }

  #denyOwn(topic: TopicKey): void {
    const key = keyOf(topic);
    for (const [ref, question] of this.#questions) if (keyOf(question.topic) === key) this.#deny(ref);
  }

  #judge({ topic, request }: Pick<Question, 'topic' | 'request'>, granted: boolean): void {
    this.#effects.push({ type: 'judge', topic, request, granted });
  }

  #released(topic: TopicKey): void {
    const own = this.#claims.own(topic);
    if (own?.state === 'owned') this.#left(topic, own, own.grace);
  }

  #left(topic: TopicKey, own: Claim, grace: number): void {
    this.#tell(0, topic, this.#inGrace(topic, own, grace));
  }

  #announced({ node, all, claims, answer }: Extract<OwnersEvent, { readonly type: 'announced' }>): void {
    const known = this.#claims;
    if (node === known.node) return;
    if (all) {
      // What it does not know any more was lost with its last start: the owner may be on its way back.
      const named = new Set(claims.map(keyOf));
      for (const topic of known.topics) if (!named.has(keyOf(topic))) this.#loseTouch(topic, node);
    }
    for (const { realm, name, state, since, grace } of claims) {
      const topic = { realm, name };
      const claim: Claim = { node, state, since, grace, until: 0 };
      switch (state) {
        case 'asked':
          this.#answer(answer, this.#mayHave(topic, claim));
          break;
        case 'owned':
          known.put(topic, claim);
          this.#settleConflict(topic);
          this.#answer(answer, true);
          break;
        case 'grace':
          // Of a claim that was taken over, the grace is over.
          if (known.isOwned(topic, node)) known.remove(topic, node);
          else this.#inGrace(topic, claim, grace);
          break;
        case 'gone':
          known.remove(topic, node);
          break;
      }
      this.#settle(topic);
    }
  }

  #answer(answer: Answer | null, granted: boolean): void {
    if (answer !== null) this.#effects.push({ type: 'answer', answer, granted });
  }

  #mayHave(topic: TopicKey, asked: Claim): boolean {
    if (!mayClaim(asked, this.#claims.of(topic))) return false;
    // Two claims at once, and this relay's loses.
    this.#denyOwn(topic);
    return true;
  }

  /** Another relay owns the topic: this relay's claim ends, unless it wins. */
  #settleConflict(topic: TopicKey): void {
    const claims = this.#claims;
    const own = claims.own(topic);
    if (own?.state === 'asked') this.#denyOwn(topic);
    if (own?.state !== 'owned') return;
    for (const other of claims.of(topic)) {
      if (other.node === own.node || other.state !== 'owned' || !wins(other, own)) continue;
      claims.remove(topic, own.node);
      this.#tell(0, topic, { ...own, state: 'gone' });
      return;
    }
  }

  #loseTouch(topic: TopicKey, node: string): void {
    const claim = this.#claims.get(topic, node);
    if (claim?.state !== 'owned') return;
    this.#inGrace(topic, claim, claim.grace);
    this.#settle(topic);
  }

  #inGrace(topic: TopicKey, claim: Claim, left: number): Claim {
    const graced: Claim = { ...claim, state: 'grace', until: this.#now + left };
    this.#claims.put(topic, graced);
    this.#expireAt(topic, graced.until);
    return graced;
  }

  #expireAt({ realm, name }: TopicKey, until: number): void {
    this.#later(Math.max(until - this.#now, 0), { type: 'expire', topic: { realm, name } });
  }

  #expire(topic: TopicKey): void {
    const claims = this.#claims;
    for (const { node, state, until } of claims.of(topic)) {
      if (state !== 'grace') continue;
      if (this.#now >= until) {
        claims.remove(topic, node);
        // A topic whose owner was never let in may still wait for the owner before.
        if (node === claims.node) claims.isUnsure(topic);
      }
      // Timers of Node may fire a fraction of a millisecond early.
      else this.#expireAt(topic, until);
    }
    this.#settle(topic);
  }

  #attach(link: Link, node: string | null): void {
    const own = this.#claims;
    this.#links.set(link, node);
    const claims: PeerClaim[] = [];
    for (const topic of own.topics) {
      const claim = own.own(topic);
      if (claim !== undefined && claim.state !== 'asked') claims.push(this.#claimed(topic, claim));
    }
    this.#effects.push({ type: 'tell', link, message: { type: 'claims', ref: 0, all: true, claims } });
  }

  #detach(link: Link): void {
    this.#links.delete(link);
    for (const ref of [...this.#announcements.keys()]) this.#heard(ref, link);
    for (const [ref, { unanswered }] of [...this.#questions])
      if (unanswered.delete(link) && unanswered.size === 0) this.#decide(ref);
  }

  #adopt(owners: readonly PeerClaim[]): void {
    const claims = this.#claims;
    const { node } = claims;
    const here = new Map(owners.map((owner) => [keyOf(owner), owner]));
    for (const topic of claims.topics) {
      const own = claims.own(topic);
      const owner = here.get(keyOf(topic));
      // Lost with an earlier incarnation: the word that the owner has left, or the judgement that was to let it in.
      if (own?.state === 'owned' && (owner === undefined || owner.state === 'grace'))
        this.#left(topic, own, owner?.grace ?? own.grace);
    }
    for (const { realm, name, state, since, grace } of owners) {
      const topic = { realm, name };
      if (state === 'asked') continue;
      // The owner may be known already, or have lost against another owner and not have heard of it yet.
      if (claims.own(topic) !== undefined || claims.isOwned(topic, node)) continue;
      const claim: Claim = { node, state, since, grace, until: 0 };
      if (state === 'owned') claims.put(topic, claim);
      else this.#inGrace(topic, claim, grace);
      claims.isOwnedHere(topic);
    }
  }

  /** The owners of the other relays may come back here, within their grace. No claim of this relay is known: topics alone know theirs. */
  #alone(): void {
    const claims = this.#claims;
    for (const link of [...this.#links.keys()]) this.#detach(link);
    for (const ref of [...this.#questions.keys()]) this.#askAgain(ref);
    for (const topic of claims.topics) {
      if (claims.own(topic) !== undefined) claims.forget(topic);
      else for (const { node } of claims.of(topic)) this.#loseTouch(topic, node);
    }
  }

  #linked(): Set<Link> {
    return new Set(this.#links.keys());
  }

  #tell(ref: number, topic: TopicKey, claim: Claim): void {
    const message = { type: 'claims', ref, all: false, claims: [this.#claimed(topic, claim)] } as const;
    for (const link of this.#links.keys()) this.#effects.push({ type: 'tell', link, message });
  }

  /** Of a grace that runs, what is left of it goes over the wire: clocks differ. */
  #claimed({ realm, name }: TopicKey, { state, since, grace, until }: Claim): PeerClaim {
    const left = state === 'grace' ? Math.max(0, Math.round(until - this.#now)) : grace;
    return { realm, name, state, since, grace: left };
  }

  /** The topic hears what is new to it. */
  #settle({ realm, name }: TopicKey): void {
    const ownership = this.#claims.news({ realm, name }, this.#now);
    if (ownership !== null) this.#effects.push({ type: 'elsewhere', topic: { realm, name }, ownership });
  }

  #later(delay: number, event: Late): void {
    this.#effects.push({ type: 'later', delay, event });
  }
}

function asking(node: string, since: number, { grace }: Request): Claim {
  return { node, state: 'asked', since, grace, until: 0 };
}
