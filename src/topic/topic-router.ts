import { type Behaviour, keep } from '../otp/behaviour.ts';
import { type DynamicSupervisorMessage, startDynamicChild } from '../otp/dynamic-supervisor.ts';
import type { Pid, Self } from '../otp/process.ts';
import { informNamed, type ProcessName, sendNamed, whereis } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import type { Accounting } from './accounting.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { Histories } from './history/histories.ts';
import { Line } from './history/line.ts';
import type { Keys } from './keys.ts';
import type { Publish } from './message.ts';
import { type Claim, type Incoming, type Join, type Recall, type Request, Topic } from './topic.ts';
import { forward, isServed, refuse, retire, type TopicMessage, turnAway, wake } from './topic-requests.ts';
import type { TopicServerArgs } from './topic-state.ts';

/**
 * Finds the server of a topic for those who join or claim it, starts one when there is none, and decides when one may
 * go. Publishing passes it by: the table that it keeps may be read by anybody, as an ETS table.
 *
 * The race it is here for: a topic empties while a join is on its way. The router counts joins as it sends them, and the
 * server as it takes them. An empty topic asks before it dies, and is let go only when none is under way.
 */
export interface TopicRouterArgs {
  readonly table: TopicTable;
  readonly servers: ProcessName<TopicSupervisorMessage>;
  /** The router's own name: servers and their starts outlive a router, and must find the next one. */
  readonly router: ProcessName<TopicRouterMessage>;
  readonly accounting: Accounting;
  /** Of the topics of probes. */
  readonly probeAccounting: Accounting;
  readonly elsewhere: Elsewhere | null;
  readonly histories: Histories;
  readonly keys: Keys;
}

/**
 * The realm of probes, whose traffic is counted apart. No door can have it: it is no name that the configuration takes.
 */
export const PROBE_REALM = '@probe';

/** The live topics of one partition, by realm and name. Its router alone changes it. */
export class TopicTable {
  readonly #realms = new Map<string, Map<string, Topic>>();
  #publishes = 0;

  find(realm: string, name: string): Topic | undefined {
    return this.#realms.get(realm)?.get(name);
  }

  *all(): Iterable<Topic> {
    for (const topics of this.#realms.values()) yield* topics.values();
  }

  remember(topic: Topic): void {
    const { realm, name } = topic;
    if (!this.#realms.has(realm)) this.#realms.set(realm, new Map());
    this.#realms.get(realm)?.set(name, topic);
  }

  /** From here on nobody finds the topic, and who holds on to it sees that it has retired. */
  forget(topic: Topic): void {
    topic.retire();
    const topics = this.#realms.get(topic.realm);
    if (topics?.get(topic.name) !== topic) return;
    topics.delete(topic.name);
    if (topics.size === 0) this.#realms.delete(topic.realm);
  }

  /** Messages in the router's mailbox. */
  get publishes(): number {
    return this.#publishes;
  }

  sent(): void {
    this.#publishes++;
  }

  arrived(): void {
    this.#publishes--;
  }
}

export type TopicSupervisorMessage = DynamicSupervisorMessage<TopicServerArgs, TopicMessage>;

export type TopicRouterMessage =
  | { readonly type: 'route'; readonly realm: string; readonly request: Join | Claim | Recall }
  /** To a topic that is not live yet, as far as the publisher can see. */
  | {
      readonly type: 'publish';
      readonly realm: string;
      readonly name: string;
      readonly publish: Publish | Incoming;
    }
  | { readonly type: 'started'; readonly topic: Topic; readonly pid: Pid<TopicMessage> | null }
  | { readonly type: 'idle'; readonly topic: Topic };

/** Asks for membership or ownership. The answer comes to the one who asks, as a `MemberMessage`. False: nobody can. */
export function route(
  system: System,
  router: ProcessName<TopicRouterMessage>,
  realm: string,
  request: Join | Claim | Recall,
): boolean {
  return sendNamed(system, router, { type: 'route', realm, request });
}

/** Publishes to a topic that may have to be started for the message. False: nobody can take it. */
export function publishRouted(
  system: System,
  { router, table }: Pick<TopicRouterArgs, 'router' | 'table'>,
  realm: string,
  name: string,
  publish: Publish | Incoming,
): boolean {
  const taken = sendNamed(system, router, { type: 'publish', realm, name, publish });
  if (taken) table.sent();
  return taken;
}

interface State extends TopicRouterArgs {
  readonly self: Self<TopicRouterMessage>;
}

const routerBehaviour: Behaviour<TopicRouterArgs, State, TopicRouterMessage> = {
  name: 'topic-router',

  init(self, args) {
    const state = { ...args, self };
    for (const topic of args.table.all()) {
      // The table has outlived a router: what is dead goes, and who asked the last router to go may ask again.
      if (isServed(topic)) {
        wake(topic);
        forwardWaiting(state, topic);
      } else {
        giveUp(state, topic);
      }
    }
    return state;
  },

  handle(state, message) {
    switch (message.type) {
      case 'route':
        find(state, message.realm, message.request.name, message.request);
        return keep;
      case 'publish':
        find(state, message.realm, message.name, message.publish);
        state.table.arrived();
        return keep;
      case 'started':
        started(state, message.topic, message.pid);
        return keep;
      case 'idle':
        mayRetire(state, message.topic);
        return keep;
    }
  },
};

/** The behaviour of the routers of one relay: what they leave in their mailboxes is accounted for. */
export function topicRouter(
  accounting: Accounting,
  table: TopicTable,
): Behaviour<TopicRouterArgs, State, TopicRouterMessage> {
  return {
    ...routerBehaviour,
    undelivered(message) {
      if (message.type === 'route') {
        turnAway(message.request, message.request.name, accounting);
      } else if (message.type === 'publish') {
        table.arrived();
        turnAway(message.publish, message.name, accounting);
      }
    },
  };
}

function find(state: State, realm: string, name: string, request: Request): void {
  const found = state.table.find(realm, name);
  if (found !== undefined) {
    if (found.isStarting) {
      found.holdBack(request);
      return;
    }
    if (isServed(found)) {
      if (!forward(found, request)) turnAway(request, name, state.accounting);
      return;
    }
    // A join to a server that is gone for good must not vanish: the topic starts anew.
    state.table.forget(found);
  }
  if (request.type === 'join' && request.while === 'owned' && !mayBecomeOwned(state, realm, request))
    refuse(request, 'missing');
  else start(state, realm, name, request);
}

/** A topic that nobody here has started may have been started at another relay, or come back after a crash. */
function mayBecomeOwned({ elsewhere }: State, realm: string, { again, name }: Join): boolean {
  return again !== undefined || (elsewhere !== null && elsewhere.ownership(realm, name) !== 'none');
}

function start(state: State, realm: string, name: string, request: Request): void {
  const { router } = state;
  const { system } = state.self;
  const supervisor = whereis(system, state.servers);
  const accounting = realm === PROBE_REALM ? state.probeAccounting : state.accounting;
  const elsewhere = realm === PROBE_REALM ? null : state.elsewhere;
  const topic = realm === PROBE_REALM ? new Topic(realm, name) : topicOf(state, realm, name);
  const args: TopicServerArgs = {
    topic,
    accounting,
    elsewhere,
    histories: state.histories,
    keys: state.keys,
    now: () => system.clock.now(),
    idle: (which) => informNamed(system, router, { type: 'idle', topic: which }),
  };
  const asked =
    supervisor !== undefined &&
    startDynamicChild(supervisor, args, (result) => {
      informNamed(system, router, { type: 'started', topic, pid: result.ok ? result.pid : null });
    });
  if (!asked) {
    topic.retire();
    turnAway(request, name, state.accounting);
    return;
  }
  topic.holdBack(request);
  state.table.remember(topic);
}

/** A topic whose messages are kept, or have one order for all relays, has numbers for them. */
function topicOf({ elsewhere, histories }: State, realm: string, name: string): Topic {
  const isOrdered = elsewhere?.isOrdered(name) ?? false;
  const line = histories.open({ realm, name }) ?? (isOrdered ? new Line({ realm, name }) : null);
  return new Topic(realm, name, isOrdered, line);
}

function started(state: State, topic: Topic, pid: Pid<TopicMessage> | null): void {
  if (pid === null) giveUp(state, topic);
  else forwardWaiting(state, topic);
}

function forwardWaiting(state: State, topic: Topic): void {
  for (const request of topic.letGo()) find(state, topic.realm, topic.name, request);
}

/** The topic's server is not there, and whoever waited for it must know. */
function giveUp(state: State, topic: Topic): void {
  state.table.forget(topic);
  for (const request of topic.letGo()) turnAway(request, topic.name, state.accounting);
}

/** A server that asks twice is let go once; one whose topic was given up while it started goes too. */
function mayRetire(state: State, topic: Topic): void {
  // All joins come this way: with none under way, an idle topic stays idle. It may have asked before the last one came.
  if (topic.server === undefined || topic.underWay !== 0 || !topic.isIdle) return;
  retire(topic);
  state.table.forget(topic);
}
