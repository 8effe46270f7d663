import type { Down } from '../otp/behaviour.ts';
import { inform, type Pid, type Self } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { RemoteOwnership } from '../topic/elsewhere.ts';
import type { Claim as ClaimRequest, Topic } from '../topic/topic.ts';
import type { Topics } from '../topic/topics.ts';
import type { Claimed, LinkMessage, OwnershipReport, TopicKey } from './backplane.ts';
import { type Claim, effective } from './claims.ts';
import { keyOf } from './interest-server.ts';

/** What the ownership server knows, and how that changes. */

export interface OwnershipArgs {
  readonly node: string;
  readonly topics: () => Topics;
  /** There is nobody to ask, and topics neither ask nor tell. */
  readonly alone: () => boolean;
  /** Read by the topics, changed by this process alone, and outlives it. */
  readonly table: ClaimTable;
  readonly wallClock: () => number;
}

/** All claims by topic; each node has one of them at the most. */
export type ClaimTable = Map<string, Owned>;
export interface Owned extends TopicKey {
  readonly claims: Map<string, Claim>;
  /** What the topic was told last. */
  told: RemoteOwnership;
}

export type OwnershipMessage =
  | OwnershipReport
  | Down
  | { readonly type: 'claim'; readonly topic: Topic; readonly claim: ClaimRequest }
  | { readonly type: 'released'; readonly topic: Topic }
  | { readonly type: 'asked-enough' | 'ask-again' | 'told-enough'; readonly ref: number }
  | { readonly type: 'linking' | 'alone' }
  | { readonly type: 'expire'; readonly key: string };

export interface Asking {
  readonly owned: Owned;
  readonly topic: Topic;
  readonly request: ClaimRequest;
  readonly unanswered: Set<Pid<LinkMessage>>;
  /** Relays that own the topic as far as is known here: they have to say that it is not so any more. */
  readonly owners: Set<string>;
  /** By one that does not own it. */
  refused: boolean;
  /** How often it may still be asked once more. */
  readonly repeats: number;
}

export interface State extends OwnershipArgs {
  readonly self: Self<OwnershipMessage>;
  /** Each with the relay at its other end; null: all of them. */
  readonly links: Map<Pid<LinkMessage>, string | null>;
  readonly asking: Map<number, Asking>;
  /** Claims that were granted, and that the others are being told of. */
  readonly telling: Map<number, Pick<Asking, 'topic' | 'request' | 'unanswered'>>;
  lastRef: number;
}

/** What the other relays say of a topic. */
export function remoteOwnership(table: ClaimTable, key: string, node: string, time: number): RemoteOwnership {
  const owned = table.get(key);
  if (owned === undefined) return 'none';
  const best = effective(owned.claims.values(), time);
  if (best === null || best.node === node) return 'none';
  return best.state === 'owned' ? 'owned' : 'grace';
}

/** An owner ends every grace that runs. */
export function setOwned(owned: Owned, claim: Claim): void {
  for (const other of owned.claims.values()) if (other.state === 'grace') owned.claims.delete(other.node);
  owned.claims.set(claim.node, claim);
}

export function isOwned({ claims }: Owned, except: string): boolean {
  for (const claim of claims.values()) if (claim.node !== except && claim.state === 'owned') return true;
  return false;
}

export function loseTouch(state: State, owned: Owned, node: string): void {
  const claim = owned.claims.get(node);
  if (claim?.state !== 'owned') return;
  inGrace(state, owned, claim, claim.grace);
  tellTopic(state, owned);
}

export function inGrace(state: State, owned: Owned, claim: Claim, left: number): Claim {
  const graced: Claim = { ...claim, state: 'grace', until: now(state.self) + left };
  owned.claims.set(claim.node, graced);
  expireLater(state, keyOf(owned), left);
  return graced;
}

export function expireLater(state: State, key: string, left: number): void {
  sendAfter(state.self, left, { type: 'expire', key });
}

export function tellLinks({ links }: State, ref: number, claims: readonly Claimed[]): void {
  for (const link of links.keys()) inform(link, { type: 'claims', ref, all: false, claims });
}

/** Of a grace that runs, what is left of it goes over the wire: clocks differ. */
export function asClaimed(state: State, { realm, name }: Owned, claim: Claim): Claimed {
  const grace =
    claim.state === 'grace' ? Math.max(0, Math.round(claim.until - now(state.self))) : claim.grace;
  return { realm, name, state: claim.state, since: claim.since, grace };
}

export function tellTopic(state: State, owned: Owned): void {
  const ownership = remoteOwnership(state.table, keyOf(owned), state.node, now(state.self));
  if (ownership === owned.told) return;
  owned.told = ownership;
  const server = state.topics().find(owned.realm, owned.name)?.server;
  if (server !== undefined) inform(server, { type: 'elsewhere', ownership });
}

export function ownedOf({ table }: State, { realm, name }: TopicKey): Owned {
  const key = keyOf({ realm, name });
  let owned = table.get(key);
  if (owned === undefined) {
    owned = { realm, name, claims: new Map(), told: 'none' };
    table.set(key, owned);
  }
  return owned;
}

export function forgetIfEmpty({ table }: State, owned: Owned): void {
  if (owned.claims.size === 0) table.delete(keyOf(owned));
}
