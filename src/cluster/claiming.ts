import { inform, type Pid } from '../otp/process.ts';
import { sendAfter } from '../otp/timer.ts';
import type { Claim as ClaimRequest, Topic } from '../topic/topic.ts';
import type { LinkMessage, OwnershipReport } from './backplane.ts';
import { type Claim, mayClaim } from './claims.ts';
import { keyOf } from './interest-server.ts';
import {
  asClaimed,
  forgetIfEmpty,
  loseTouch,
  type Owned,
  ownedOf,
  type State,
  setOwned,
  tellLinks,
} from './ownership-state.ts';

/** A claim on its way: the other relays judge it, then they hear of it, and then its owner is let in. */

/** Milliseconds that the linked relays have to judge a claim. One that cannot is soon no longer linked. */
const ASK_TIMEOUT = 2000;
/** Milliseconds that they have to say that they have heard of an owner. */
const TELL_TIMEOUT = 250;
/** Milliseconds until those are asked once more who may not have heard yet that an owner has left; how often. */
const REPEAT = 50;
const REPEATS = 5;

export function ask(state: State, topic: Topic, request: ClaimRequest): void {
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
  const unanswered = new Set(links.keys());
  state.asking.set(ref, { owned, topic, request, unanswered, owners, refused: false, repeats: REPEATS });
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

export function verdict(state: State, message: Extract<OwnershipReport, { readonly type: 'verdict' }>): void {
  const { link, ref, granted } = message;
  heard(state, ref, link);
  const asking = state.asking.get(ref);
  if (asking === undefined) return;
  asking.unanswered.delete(link);
  const linked = state.links.get(link);
  if (!granted && (linked == null || asking.owners.has(linked))) {
    deny(state, ref);
    return;
  }
  if (!granted) {
    // It may speak for another one's sake, who says itself that it is not the owner any more.
    asking.refused = true;
    if (asking.unanswered.size === 0) decide(state, ref);
    return;
  }
  const nodes = message.nodes ?? (linked == null ? [] : [linked]);
  for (const node of nodes) if (asking.owners.delete(node)) loseTouch(state, asking.owned, node);
  if (asking.unanswered.size === 0) decide(state, ref);
}

/** Who could answer has answered. */
export function decide(state: State, ref: number): void {
  const asking = state.asking.get(ref);
  if (asking === undefined) return;
  if (asking.owners.size > 0) deny(state, ref);
  else if (!asking.refused) grant(state, ref);
  else if (asking.repeats === 0) deny(state, ref);
  else sendAfter(state.self, REPEAT, { type: 'ask-again', ref });
}

/** The same claim once more, of all that are linked now. */
export function askAgain(state: State, ref: number): void {
  const asking = state.asking.get(ref);
  const asked = asking?.owned.claims.get(state.node);
  if (asking === undefined || asked === undefined || !asking.refused) return;
  state.asking.delete(ref);
  const again = ++state.lastRef;
  const unanswered = new Set(state.links.keys());
  state.asking.set(again, { ...asking, unanswered, refused: false, repeats: asking.repeats - 1 });
  tellLinks(state, again, [asClaimed(state, asking.owned, asked)]);
  if (unanswered.size === 0) decide(state, again);
  else sendAfter(state.self, ASK_TIMEOUT, { type: 'asked-enough', ref: again });
}

export function grant(state: State, ref: number): void {
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
export function admit(state: State, ref: number): void {
  const telling = state.telling.get(ref);
  if (telling === undefined) return;
  state.telling.delete(ref);
  // Meanwhile it may have lost against another one.
  const own = state.table.get(keyOf(telling.topic))?.claims.get(state.node);
  judge(telling.topic, telling.request, own?.state === 'owned' ? 'granted' : 'owned');
}

export function heard(state: State, ref: number, link: Pid<LinkMessage>): void {
  const telling = state.telling.get(ref);
  if (telling?.unanswered.delete(link) === true && telling.unanswered.size === 0) admit(state, ref);
}

export function deny(state: State, ref: number): void {
  const asking = state.asking.get(ref);
  if (asking === undefined) return;
  state.asking.delete(ref);
  asking.owned.claims.delete(state.node);
  judge(asking.topic, asking.request, 'owned');
  forgetIfEmpty(state, asking.owned);
}

export function judge(topic: Topic, claim: ClaimRequest, judgement: 'granted' | 'owned'): void {
  if (topic.server !== undefined) inform(topic.server, { type: 'judged', claim, verdict: judgement });
}

export function judgeAsked(state: State, owned: Owned, asked: Claim): boolean {
  if (!mayClaim(asked, owned.claims.values())) return false;
  // Two claims at once, and ours is the one that loses.
  denyOwn(state, owned);
  return true;
}

export function denyOwn(state: State, owned: Owned): void {
  for (const [ref, asking] of state.asking) if (asking.owned === owned) deny(state, ref);
}
