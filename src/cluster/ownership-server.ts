import type { PeerClaim } from '../door/peer/codec.ts';
import { type Behaviour, type Down, keep, type Next } from '../otp/behaviour.ts';
import { demonitor, type MonitorRef, monitor } from '../otp/monitor.ts';
import { inform, type Self } from '../otp/process.ts';
import { informNamed, processName } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Claim as Request, Topic } from '../topic/topic.ts';
import { judged, ownedElsewhere } from '../topic/topic-requests.ts';
import type { LocalTopics } from './backplane.ts';
import type { Claims } from './claims.ts';
import { type Answer, type Link, Owners, type OwnersEffect, type OwnersEvent } from './owners.ts';

/**
 * Knows who owns which topic anywhere in the network: performs what `owners.ts` decides.
 *
 * Claims belong to the cluster, so that they outlive this process, and only `Owners` changes them; topics read them. Links,
 * questions and announcements are those of `Owners`, and end with this process: links attach again.
 */
export const ownershipName = processName<OwnershipMessage>('cluster.ownership');

/** Somebody here wants to own the topic. The topic's server is sent `judged`, with this claim. */
export function claim(system: System, topic: Topic, request: Request): void {
  informNamed(system, ownershipName, { type: 'claimed', topic, request });
}

/** The owner, who was here, has gone. */
export function released(system: System, topic: Topic): void {
  informNamed(system, ownershipName, { type: 'released', topic });
}

/** There may be links from here on: before the first one, the owners who are here are gathered for it. */
export function linking(system: System): void {
  informNamed(system, ownershipName, { type: 'linking' });
}

/** There is no other relay from here on. */
export function alone(system: System): void {
  informNamed(system, ownershipName, { type: 'alone' });
}

/**
 * A link can be used: it is told of all claims, and then of every change, until it is detached or ends. `node`: the relay
 * at its other end; null: all of them, and its verdicts say whose they are.
 */
export function attach(system: System, link: Link, node: string | null): void {
  informNamed(system, ownershipName, { type: 'attach', link, node });
}

export function detach(system: System, link: Link): void {
  informNamed(system, ownershipName, { type: 'detach', link });
}

/** What the relays at the other end of a link say of a claim. `nodes`: those that have granted, over a link to all. */
export function verdict(
  system: System,
  link: Link,
  {
    ref,
    granted,
    nodes,
  }: { readonly ref: number; readonly granted: boolean; readonly nodes?: readonly string[] },
): void {
  const whose = nodes === undefined ? {} : { nodes };
  informNamed(system, ownershipName, { type: 'verdict', link, ref, granted, ...whose });
}

/** What another relay claims; `all`: that and nothing else. `answer`: for a claim that asks. */
export function announced(
  system: System,
  node: string,
  { all, claims }: { readonly all: boolean; readonly claims: readonly PeerClaim[] },
  answer: Answer | null,
): void {
  informNamed(system, ownershipName, { type: 'announced', node, all, claims, answer });
}

/** A relay cannot be heard: its owners may come back elsewhere, within their grace. */
export function unheard(system: System, node: string): void {
  informNamed(system, ownershipName, { type: 'unheard', node });
}

export type OwnershipMessage =
  | Exclude<OwnersEvent, { readonly type: 'begin' | 'claim' | 'linking' }>
  | Down
  | { readonly type: 'claimed'; readonly topic: Topic; readonly request: Request }
  | { readonly type: 'linking' };

export interface OwnershipArgs {
  readonly topics: () => LocalTopics;
  /** There is nobody to ask, and topics neither ask nor tell. */
  readonly alone: () => boolean;
  readonly claims: Claims;
  readonly wallClock: () => number;
}

interface State extends OwnershipArgs {
  readonly self: Self<OwnershipMessage>;
  readonly owners: Owners;
  readonly monitors: Map<Link, MonitorRef>;
}

export const ownershipServer: Behaviour<OwnershipArgs, State, OwnershipMessage> = {
  name: 'ownership-server',

  init(self, args) {
    const state = { ...args, self, owners: new Owners(args.claims), monitors: new Map() };
    step(state, { type: 'begin' });
    if (!args.alone()) step(state, { type: 'linking', owners: ownersHere(state) });
    return state;
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'claimed': {
        const { topic, request } = message;
        step(state, { type: 'claim', topic, request, since: state.wallClock() });
        return keep;
      }
      case 'linking':
        step(state, { type: 'linking', owners: ownersHere(state) });
        return keep;
      case 'attach':
        if (!state.monitors.has(message.link))
          state.monitors.set(message.link, monitor(state.self, message.link));
        step(state, message);
        return keep;
      case 'detach':
        detached(state, message.link);
        return keep;
      case 'down':
        detached(state, message.pid as Link);
        return keep;
      case 'released':
      case 'verdict':
      case 'announced':
      case 'unheard':
      case 'alone':
      case 'asked-enough':
      case 'ask-again':
      case 'told-enough':
      case 'expire':
        step(state, message);
        return keep;
    }
  },
};

function detached(state: State, link: Link): void {
  demonitor(state.monitors.get(link) ?? null);
  state.monitors.delete(link);
  step(state, { type: 'detach', link });
}

function step(state: State, event: OwnersEvent): void {
  for (const effect of state.owners.step(event, now(state.self))) perform(state, effect);
}

function perform(state: State, effect: OwnersEffect): void {
  const { self, topics } = state;
  switch (effect.type) {
    case 'tell':
      inform(effect.link, effect.message);
      return;
    case 'judge': {
      const { topic, request, granted } = effect;
      const isTold = judged(topic, request, granted ? 'granted' : 'owned');
      // A topic that has ended meanwhile has no owner.
      if (granted && !isTold) step(state, { type: 'released', topic });
      return;
    }
    case 'elsewhere': {
      const topic = topics().find(effect.topic.realm, effect.topic.name);
      if (topic !== undefined) ownedElsewhere(topic, effect.ownership);
      return;
    }
    case 'answer':
      effect.answer(effect.granted);
      return;
    case 'later':
      sendAfter(self, effect.delay, effect.event);
      return;
  }
}

/** Owners who are here, those in their grace, with what is left of it, and those whose topic waits for a judgement. */
function ownersHere({ self, topics, wallClock }: State): PeerClaim[] {
  const time = now(self);
  const owners: PeerClaim[] = [];
  for (const { realm, name, lifetime, ownedSince, claiming } of topics().all()) {
    const since = Math.round(wallClock() - (time - ownedSince));
    if (lifetime.state === 'owned') {
      owners.push({ realm, name, state: 'owned', since, grace: lifetime.grace });
    } else if (claiming !== undefined) {
      owners.push({ realm, name, state: 'asked', since, grace: claiming.grace });
    } else if (lifetime.state === 'grace') {
      const grace = Math.max(0, Math.round(lifetime.until - time));
      owners.push({ realm, name, state: 'grace', since, grace });
    }
  }
  return owners;
}
