import { keyOf, type PeerClaim, type TopicKey } from '../door/peer/codec.ts';
import type { RemoteOwnership } from '../topic/lifetime.ts';

/**
 * Who owns a topic, when every relay may have heard something else. Pure; time is an argument.
 *
 * - asked: a claim under way, which the others may refuse.
 * - owned: its owner is there.
 * - grace: its owner has gone, or its relay cannot be heard; another claim may take over.
 * - gone: over. Such a claim is only announced, never kept.
 *
 * The fixed rule, the same at every relay: an owned claim beats one that is asked; of two alike, the older one wins, and
 * of two as old the one whose relay's name comes first.
 */
export interface Claim {
  readonly node: string;
  readonly state: PeerClaim['state'];
  /** Milliseconds since 1970, by the clock of its relay. */
  readonly since: number;
  /** Milliseconds. */
  readonly grace: number;
  /** End of the grace, on this relay's own clock; 0 while there is none. */
  readonly until: number;
}

/** Whether claim `a` wins over claim `b`, both of them live. */
export function wins(a: Claim, b: Claim): boolean {
  if (a.state !== b.state) return a.state === 'owned';
  if (a.since !== b.since) return a.since < b.since;
  return a.node < b.node;
}

/** The claim that counts: the winner of those that are owned; without any, one whose grace runs. */
export function effective(claims: Iterable<Claim>, now: number): Claim | null {
  let best: Claim | null = null;
  for (const claim of claims) {
    if (claim.state === 'asked' || claim.state === 'gone') continue;
    if (claim.state === 'grace' && now >= claim.until) continue;
    if (best === null || claimRank(claim) < claimRank(best)) best = claim;
    else if (claimRank(claim) > claimRank(best)) continue;
    else if (claim.state === 'grace' ? claim.until > best.until : wins(claim, best)) best = claim;
  }
  return best;
}

function claimRank({ state }: Claim): number {
  return state === 'owned' ? 0 : 1;
}

/** Whether a claim that is asked for may be made, beside those that are known; its own relay's are no obstacle. */
export function mayClaim(asked: Claim, known: Iterable<Claim>): boolean {
  for (const claim of known) {
    if (claim.node === asked.node || claim.state === 'grace' || claim.state === 'gone') continue;
    if (wins(claim, asked)) return false;
  }
  return true;
}

interface Owned extends TopicKey {
  readonly claims: Map<string, Claim>;
  /** What the topic was told last of its ownership elsewhere; null: it is to be told again. */
  told: RemoteOwnership | null;
}

/** All claims that one relay knows, by topic; each relay has one at the most. Topics read them when they start. */
export class Claims {
  /** The relay that knows them. */
  readonly node: string;
  readonly #topics = new Map<string, Owned>();

  constructor(node: string) {
    this.node = node;
  }

  /** The topics that are claimed. */
  get topics(): Iterable<TopicKey> {
    return this.#topics.values();
  }

  /** The claims to one topic; it may be changed while they are read. */
  of(topic: TopicKey): Iterable<Claim> {
    return this.#find(topic)?.claims.values() ?? [];
  }

  get(topic: TopicKey, node: string): Claim | undefined {
    return this.#find(topic)?.claims.get(node);
  }

  /** This relay's own claim. */
  own(topic: TopicKey): Claim | undefined {
    return this.get(topic, this.node);
  }

  /** Whether a relay that is not `except` owns the topic. */
  isOwned(topic: TopicKey, except: string): boolean {
    for (const { node, state } of this.of(topic)) if (node !== except && state === 'owned') return true;
    return false;
  }

  /** What the other relays say of a topic, as far as is known here. */
  ownership(topic: TopicKey, now: number): RemoteOwnership {
    const best = this.#elsewhere(topic, now);
    if (best === null) return 'none';
    return best.state === 'owned' ? 'owned' : 'grace';
  }

  /** The other relay at which the topic has its owner, or had it until its grace began; null: there is none. */
  ownerOf(topic: TopicKey, now: number): string | null {
    return this.#elsewhere(topic, now)?.node ?? null;
  }

  /** The claim that counts, where another relay has made it. */
  #elsewhere(topic: TopicKey, now: number): Claim | null {
    if (this.#topics.size === 0) return null;
    const best = effective(this.of(topic), now);
    return best === null || best.node === this.node ? null : best;
  }

  /** In place of what its relay claimed before. An owner ends every grace that runs. */
  put({ realm, name }: TopicKey, claim: Claim): void {
    const key = keyOf({ realm, name });
    let owned = this.#topics.get(key);
    if (owned === undefined) {
      owned = { realm, name, claims: new Map(), told: 'none' };
      this.#topics.set(key, owned);
    }
    const { claims } = owned;
    if (claim.state === 'owned')
      for (const other of claims.values()) if (other.state === 'grace') claims.delete(other.node);
    claims.set(claim.node, claim);
  }

  remove(topic: TopicKey, node: string): void {
    this.#find(topic)?.claims.delete(node);
  }

  /** Forgets all claims to a topic, and what it was told. */
  forget(topic: TopicKey): void {
    this.#topics.delete(keyOf(topic));
  }

  /** The topic itself knows that it is owned here. */
  isOwnedHere(topic: TopicKey): void {
    this.#told(topic, 'none');
  }

  /** What the topic takes for true may be old. */
  isUnsure(topic: TopicKey): void {
    this.#told(topic, null);
  }

  /** What a topic is to be told because it is new, or null. A topic that nobody claims is forgotten with that. */
  news(topic: TopicKey, now: number): RemoteOwnership | null {
    const owned = this.#find(topic);
    if (owned === undefined) return null;
    if (owned.claims.size === 0) this.forget(topic);
    const ownership = this.ownership(topic, now);
    if (ownership === owned.told) return null;
    owned.told = ownership;
    return ownership;
  }

  #told(topic: TopicKey, ownership: RemoteOwnership | null): void {
    const owned = this.#find(topic);
    if (owned !== undefined) owned.told = ownership;
  }

  #find(topic: TopicKey): Owned | undefined {
    return this.#topics.get(keyOf(topic));
  }
}
