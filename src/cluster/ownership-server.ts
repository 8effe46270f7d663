import { type Behaviour, type Down, keep, type Next } from '../otp/behaviour.ts';
import { monitor } from '../otp/monitor.ts';
import { type Pid, type Self, send } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { RemoteOwnership } from '../topic/elsewhere.ts';
import type { Claim as ClaimRequest, Topic } from '../topic/topic.ts';
import type { Topics } from '../topic/topics.ts';
import type { Claimed, LinkMessage, OwnershipReport, TopicKey } from './backplane.ts';
import { type Claim, effective, mayClaim, wins } from './claims.ts';
import { keyOf } from './interest-server.ts';

/**
 * Knows who owns which topic anywhere in the network. A claim made here is first asked of every relay that is linked,
 * which may refuse it; then it is announced. What other relays announce is kept, and where two claims stand against each
 * other, every relay applies the same rule (`claims.ts`): the owner that loses is ended by its own relay.
 */
export interface OwnershipArgs {
  readonly node: string;
  readonly topics: () => Topics;
  /** Read by the topics, changed by this process alone, and outlives it. */
  readonly table: ClaimTable;
  readonly wallClock: () => number;
}

/** All claims by topic; each node has one of them at the most. */
export type ClaimTable = Map<string, Owned>;
interface Owned extends TopicKey {
  readonly claims: Map<string, Claim>;
  /** What the topic was told last. */
  told: RemoteOwnership;
}

export type OwnershipMessage =
  | OwnershipReport
  | Down
  | { readonly type: 'claim'; readonly topic: Topic; readonly claim: ClaimRequest }
  | { readonly type: 'released'; readonly topic: Topic }
  | { readonly type: 'asked-enough' | 'told-enough'; readonly ref: number }
  | { readonly type: 'expire'; readonly key: string };

interface Asking {
  readonly owned: Owned;
  readonly topic: Topic;
  readonly request: ClaimRequest;
  readonly unanswered: Set<Pid<LinkMessage>>;
  /** Relays that own the topic as far as is known here: they have to say that it is not so any more. */
  readonly owners: Set<string>;
}

interface State extends OwnershipArgs {
  readonly self: Self<OwnershipMessage>;
  /** Each with the relay at its other end; null: all of them. */
  readonly links: Map<Pid<LinkMessage>, string | null>;
  readonly asking: Map<number, Asking>;
  /** Claims that were granted, and that the others are being told of. */
  readonly telling: Map<number, Omit<Asking, 'owned' | 'owners'>>;
  lastRef: number;
}

/** Milliseconds that the linked relays have to judge a claim. One that cannot is soon no longer linked. */
const ASK_TIMEOUT = 2000;
/** Milliseconds that they have to say that they have heard of an owner. */
const TELL_TIMEOUT = 250;

export const ownershipServer: Behaviour<OwnershipArgs, State, OwnershipMessage> = {
  name: 'ownership-server',

  init(self, args) {
    const state: State = {
      ...args,
      self,
      links: new Map(),
      asking: new Map(),
      telling: new Map(),
      lastRef: 0,
    };
    // An earlier incarnation has left these; its timers are gone, and so is who waited for it.
    for (const [key, owned] of args.table) {
      if (owned.claims.get(args.node)?.state === 'asked') owned.claims.delete(args.node);
      for (const claim of owned.claims.values())
        if (claim.state === 'grace') expireLater(state, key, Math.max(claim.until - now(self), 0));
    }
    return state;
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'claim':
        ask(state, message.topic, message.claim);
        return keep;
      case 'released':
        released(state, message.topic);
        return keep;
      case 'verdict':
        verdict(state, message);
        return keep;
      case 'asked-enough':
        decide(state, message.ref);
        return keep;
      case 'told-enough':
        admit(state, message.ref);
        return keep;
      case 'announced':
        announced(state, message);
        return keep;
      case 'unheard':
        for (const owned of state.table.values()) loseTouch(state, owned, message.node);
        return keep;
      case 'attach':
        attach(state, message.link, message.node);
        return keep;
      case 'detach':
        detach(state, message.link);
        return keep;
      case 'down':
        detach(state, message.pid as Pid<LinkMessage>);
        return keep;
      case 'expire':
        expire(state, message.key);
        return keep;
    }
  },
};

/** What the other relays say of a topic. */
export function remoteOwnership(table: ClaimTable, key: string, node: string, time: number): RemoteOwnership {
  const owned = table.get(key);
  if (owned === undefined) return 'none';
  const best = effective(owned.claims.values(), time);
  if (best === null || best.node === node) return 'none';
  return best.state === 'owned' ? 'owned' : 'grace';
}

function ask(state: State, topic: Topic, request: ClaimRequest): void {
  const { node, links, self } = state;
  const owned = ownedOf(state, topic);
  const own = owned.claims.get(node);
  const asked: Claim = { node, state: 'asked', since: state.wallClock(), grace: request.grace, until: 0 };
  const owners = new Set<string>();
  if (own === undefined) {
    for (const claim of owned.claims.values()) if (!mayClaim(asked, [claim])) owners.add(claim.node);
  }
  const linked = new Set(links.values());
  // An owner who has left may be faster than the news of it: who would know is asked.
  if (
    (!linked.has(null) && [...owners].some((other) => !linked.has(other))) ||
    (own !== undefined && !mayClaim(asked, owned.claims.values()))
  ) {
    judge(topic, request, 'owned');
    forgetIfEmpty(state, owned);
    return;
  }
  const ref = ++state.lastRef;
  state.asking.set(ref, { owned, topic, request, unanswered: new Set(links.keys()), owners });
  // Who owns it already, or did a moment ago, need not ask.
  if (own === undefined) {
    owned.claims.set(node, asked);
    tellLinks(state, ref, [asClaimed(state, owned, asked)]);
    if (links.size > 0) {
      sendAfter(self, ASK_TIMEOUT, { type: 'asked-enough', ref });
      return;
    }
  }
  grant(state, ref);
}

function verdict(state: State, message: Extract<OwnershipReport, { readonly type: 'verdict' }>): void {
  const { link, ref, granted } = message;
  heard(state, ref, link);
  const asking = state.asking.get(ref);
  if (asking === undefined) return;
  asking.unanswered.delete(link);
  if (!granted) {
    deny(state, ref);
    return;
  }
  const linked = state.links.get(link);
  const nodes = message.nodes ?? (linked == null ? [] : [linked]);
  for (const node of nodes) if (asking.owners.delete(node)) loseTouch(state, asking.owned, node);
  if (asking.unanswered.size === 0) decide(state, ref);
}

/** Who could answer has answered. */
function decide(state: State, ref: number): void {
  if ((state.asking.get(ref)?.owners.size ?? 0) === 0) grant(state, ref);
  else deny(state, ref);
}

function grant(state: State, ref: number): void {
  const asking = state.asking.get(ref);
  if (asking === undefined) return;
  state.asking.delete(ref);
  const { owned, topic, request } = asking;
  const { node } = state;
  const since = owned.claims.get(node)?.since ?? state.wallClock();
  const claim: Claim = { node, state: 'owned', since, grace: request.grace, until: 0 };
  setOwned(owned, claim);
  // The topic is told by the judgement itself.
  owned.told = 'none';
  // Once its owner is let in, a topic's subscribers are let in everywhere: the others hear of it first.
  const told = ++state.lastRef;
  tellLinks(state, told, [asClaimed(state, owned, claim)]);
  state.telling.set(told, { topic, request, unanswered: new Set(state.links.keys()) });
  if (state.links.size > 0) sendAfter(state.self, TELL_TIMEOUT, { type: 'told-enough', ref: told });
  else admit(state, told);
}

/** The other relays know of a claim that was granted, or have had their time. */
function admit(state: State, ref: number): void {
  const telling = state.telling.get(ref);
  if (telling === undefined) return;
  state.telling.delete(ref);
  // Meanwhile it may have lost against another one.
  const own = state.table.get(keyOf(telling.topic))?.claims.get(state.node);
  judge(telling.topic, telling.request, own?.state === 'owned' ? 'granted' : 'owned');
}

function heard(state: State, ref: number, link: Pid<LinkMessage>): void {
  const telling = state.telling.get(ref);
  if (telling?.unanswered.delete(link) === true && telling.unanswered.size === 0) admit(state, ref);
}

function deny(state: State, ref: number): void {
  const asking = state.asking.get(ref);
  if (asking === undefined) return;
  state.asking.delete(ref);
  asking.owned.claims.delete(state.node);
  judge(asking.topic, asking.request, 'owned');
  forgetIfEmpty(state, asking.owned);
}

function judge(topic: Topic, claim: ClaimRequest, judgement: 'granted' | 'owned'): void {
  if (topic.server !== undefined) send(topic.server, { type: 'judged', claim, verdict: judgement });
}

function released(state: State, topic: Topic): void {
  const owned = state.table.get(keyOf(topic));
  const own = owned?.claims.get(state.node);
  if (owned === undefined || own?.state !== 'owned') return;
  const claim = inGrace(state, owned, own, own.grace);
  tellLinks(state, 0, [asClaimed(state, owned, claim)]);
}

function announced(state: State, message: Extract<OwnershipReport, { readonly type: 'announced' }>): void {
  const { node, all, claims, answer } = message;
  if (node === state.node) return;
  if (all) {
    // What it does not know any more was lost with its last start: the owner may be on its way back.
    const named = new Set(claims.map(keyOf));
    for (const [key, owned] of state.table) if (!named.has(key)) loseTouch(state, owned, node);
  }
  for (const claimed of claims) {
    const owned = ownedOf(state, claimed);
    const { since, grace } = claimed;
    switch (claimed.state) {
      case 'asked':
        answer?.(judgeAsked(state, owned, { node, state: 'asked', since, grace, until: 0 }));
        break;
      case 'owned':
        setOwned(owned, { node, state: 'owned', since, grace, until: 0 });
        settleConflict(state, owned);
        answer?.(true);
        break;
      case 'grace':
        // Of a claim that was taken over, the grace is over.
        if (isOwned(owned, node)) owned.claims.delete(node);
        else inGrace(state, owned, { node, state: 'grace', since, grace, until: 0 }, grace);
        break;
      case 'gone':
        owned.claims.delete(node);
        break;
    }
    tellTopic(state, owned);
    forgetIfEmpty(state, owned);
  }
}

function judgeAsked(state: State, owned: Owned, asked: Claim): boolean {
  if (!mayClaim(asked, owned.claims.values())) return false;
  // Two claims at once, and ours is the one that loses.
  denyOwn(state, owned);
  return true;
}

function denyOwn(state: State, owned: Owned): void {
  for (const [ref, asking] of state.asking) if (asking.owned === owned) deny(state, ref);
}

/** Another relay owns the topic: a claim of ours ends, unless it is the one that wins. */
function settleConflict(state: State, owned: Owned): void {
  const own = owned.claims.get(state.node);
  if (own === undefined) return;
  if (own.state === 'asked') {
    denyOwn(state, owned);
    return;
  }
  for (const other of owned.claims.values()) {
    if (other.node === state.node || other.state !== 'owned' || !wins(other, own)) continue;
    owned.claims.delete(state.node);
    tellLinks(state, 0, [{ ...asClaimed(state, owned, own), state: 'gone' }]);
    return;
  }
}

/** An owner ends every grace that runs. */
function setOwned(owned: Owned, claim: Claim): void {
  for (const other of owned.claims.values()) if (other.state === 'grace') owned.claims.delete(other.node);
  owned.claims.set(claim.node, claim);
}

function isOwned({ claims }: Owned, except: string): boolean {
  for (const claim of claims.values()) if (claim.node !== except && claim.state === 'owned') return true;
  return false;
}

function loseTouch(state: State, owned: Owned, node: string): void {
  const claim = owned.claims.get(node);
  if (claim?.state !== 'owned') return;
  inGrace(state, owned, claim, claim.grace);
  tellTopic(state, owned);
}

function inGrace(state: State, owned: Owned, claim: Claim, left: number): Claim {
  const graced: Claim = { ...claim, state: 'grace', until: now(state.self) + left };
  owned.claims.set(claim.node, graced);
  expireLater(state, keyOf(owned), left);
  return graced;
}

function expireLater(state: State, key: string, left: number): void {
  sendAfter(state.self, left, { type: 'expire', key });
}

function expire(state: State, key: string): void {
  const owned = state.table.get(key);
  if (owned === undefined) return;
  const time = now(state.self);
  for (const claim of owned.claims.values()) {
    if (claim.state !== 'grace') continue;
    if (time >= claim.until) owned.claims.delete(claim.node);
    // Timers of Node may fire a fraction of a millisecond early.
    else expireLater(state, key, claim.until - time);
  }
  tellTopic(state, owned);
  forgetIfEmpty(state, owned);
}

function attach(state: State, link: Pid<LinkMessage>, node: string | null): void {
  if (!state.links.has(link)) monitor(state.self, link);
  state.links.set(link, node);
  const claims: Claimed[] = [];
  for (const owned of state.table.values()) {
    const own = owned.claims.get(state.node);
    if (own !== undefined && own.state !== 'asked') claims.push(asClaimed(state, owned, own));
  }
  send(link, { type: 'claims', ref: 0, all: true, claims });
}

function detach(state: State, link: Pid<LinkMessage>): void {
  state.links.delete(link);
  for (const ref of [...state.telling.keys()]) heard(state, ref, link);
  for (const ref of [...state.asking.keys()]) {
    const asking = state.asking.get(ref);
    if (asking?.unanswered.delete(link) === true && asking.unanswered.size === 0) decide(state, ref);
  }
}

function tellLinks({ links }: State, ref: number, claims: readonly Claimed[]): void {
  for (const link of links.keys()) send(link, { type: 'claims', ref, all: false, claims });
}

/** Of a grace that runs, what is left of it goes over the wire: clocks differ. */
function asClaimed(state: State, { realm, name }: Owned, claim: Claim): Claimed {
  const grace =
    claim.state === 'grace' ? Math.max(0, Math.round(claim.until - now(state.self))) : claim.grace;
  return { realm, name, state: claim.state, since: claim.since, grace };
}

function tellTopic(state: State, owned: Owned): void {
  const ownership = remoteOwnership(state.table, keyOf(owned), state.node, now(state.self));
  if (ownership === owned.told) return;
  owned.told = ownership;
  const server = state.topics().find(owned.realm, owned.name)?.server;
  if (server !== undefined) send(server, { type: 'elsewhere', ownership });
}

function ownedOf({ table }: State, { realm, name }: TopicKey): Owned {
  const key = keyOf({ realm, name });
  let owned = table.get(key);
  if (owned === undefined) {
    owned = { realm, name, claims: new Map(), told: 'none' };
    table.set(key, owned);
  }
  return owned;
}

function forgetIfEmpty({ table }: State, owned: Owned): void {
  if (owned.claims.size === 0) table.delete(keyOf(owned));
}
