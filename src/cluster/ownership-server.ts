import { type Behaviour, keep, type Next } from '../otp/behaviour.ts';
import { monitor } from '../otp/monitor.ts';
import { inform, type Pid } from '../otp/process.ts';
import { now } from '../otp/timer.ts';
import type { Topic } from '../topic/topic.ts';
import type { Claimed, LinkMessage, OwnershipReport } from './backplane.ts';
import { admit, ask, askAgain, decide, denyOwn, heard, judgeAsked, verdict } from './claiming.ts';
import { wins } from './claims.ts';
import { keyOf } from './interest-server.ts';
import { adoptOwners, disown } from './ownership-alone.ts';
import {
  asClaimed,
  expireLater,
  forgetIfEmpty,
  inGrace,
  isOwned,
  loseTouch,
  type Owned,
  type OwnershipArgs,
  type OwnershipMessage,
  ownedOf,
  type State,
  setOwned,
  tellLinks,
  tellTopic,
} from './ownership-state.ts';

/**
 * Knows who owns which topic anywhere in the network. A claim made here is first asked of every relay that is linked,
 * which may refuse it; then it is announced. What other relays announce is kept, and where two claims stand against each
 * other, every relay applies the same rule (`claims.ts`): the owner that loses is ended by its own relay.
 */
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
    if (!args.alone()) adoptOwners(state);
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
      case 'ask-again':
        askAgain(state, message.ref);
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
      case 'linking':
        adoptOwners(state);
        return keep;
      case 'alone':
        for (const link of [...state.links.keys()]) detach(state, link);
        for (const ref of [...state.asking.keys()]) askAgain(state, ref);
        disown(state);
        return keep;
    }
  },
};

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
  inform(link, { type: 'claims', ref: 0, all: true, claims });
}

function detach(state: State, link: Pid<LinkMessage>): void {
  state.links.delete(link);
  for (const ref of [...state.telling.keys()]) heard(state, ref, link);
  for (const ref of [...state.asking.keys()]) {
    const asking = state.asking.get(ref);
    if (asking?.unanswered.delete(link) === true && asking.unanswered.size === 0) decide(state, ref);
  }
}
