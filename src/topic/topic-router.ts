import { type Behaviour, keep } from '../otp/behaviour.ts';
import { type DynamicSupervisorMessage, startDynamicChild } from '../otp/dynamic-supervisor.ts';
import { inform, isGone, type Pid, type Self, send } from '../otp/process.ts';
import { informNamed, type ProcessName, whereis } from '../otp/registry.ts';
import type { Accounting } from './accounting.ts';
import type { Elsewhere } from './elsewhere.ts';
import { lose } from './losses.ts';
import { type Claim, type Join, type Publish, Topic, type TopicMessage } from './topic.ts';
import type { TopicServerArgs } from './topic-server-state.ts';

/**
 * Finds the server of a topic for those who join or claim it, starts one when there is none, and decides when one may
 * go. Publishing passes it by: the table that it keeps may be read by anybody, as an ETS table.
 *
 * The race it is here for: a topic empties while a join is on its way. An empty topic asks before it dies and says how
 * many joins it has taken; the router has counted those it sent, and lets the topic go only when none is under way.
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
  readonly routed: RoutedPublishes;
}

/** Messages in the mailboxes of all routers of the relay. */
export interface RoutedPublishes {
  underWay: number;
}

/**
 * The realm of probes, whose traffic is counted apart. No door can have it: it is no name that the configuration takes.
 */
export const PROBE_REALM = '@probe';

/** The live topics of one partition, by realm and name. */
export type TopicTable = Map<string, Map<string, Topic>>;

export type TopicSupervisorMessage = DynamicSupervisorMessage<TopicServerArgs, TopicMessage>;

export type TopicRouterMessage =
  | { readonly type: 'route'; readonly realm: string; readonly request: Join | Claim }
  /** To a topic that is not live yet, as far as the publisher can see. */
  | { readonly type: 'publish'; readonly realm: string; readonly name: string; readonly publish: Publish }
  | { readonly type: 'started'; readonly topic: Topic; readonly pid: Pid<TopicMessage> | null }
  | { readonly type: 'idle'; readonly topic: Topic };

interface State extends TopicRouterArgs {
  readonly self: Self<TopicRouterMessage>;
}

const routerBehaviour: Behaviour<TopicRouterArgs, State, TopicRouterMessage> = {
  name: 'topic-router',

  init(self, args) {
    const state = { ...args, self };
    for (const topics of args.table.values()) {
      for (const topic of topics.values()) {
        // The table has outlived a router: what is dead goes, and who asked the last router to go may ask again.
        if (topic.server === undefined || isGone(topic.server)) {
          giveUp(state, topic);
        } else {
          inform(topic.server, { type: 'continue' });
          forwardWaiting(state, topic);
        }
      }
    }
    return state;
  },

  handle(state, message) {
    switch (message.type) {
      case 'route':
        route(state, message.realm, message.request.name, message.request);
        return keep;
      case 'publish':
        route(state, message.realm, message.name, message.publish);
        state.routed.underWay--;
        return keep;
      case 'started':
        started(state, message.topic, message.pid);
        return keep;
      case 'idle':
        retire(state, message.topic);
        return keep;
    }
  },
};

/** The behaviour of the routers of one relay: what they leave in their mailboxes is accounted for. */
export function topicRouter(
  accounting: Accounting,
  routed: RoutedPublishes,
): Behaviour<TopicRouterArgs, State, TopicRouterMessage> {
  return {
    ...routerBehaviour,
    undelivered(message) {
      if (message.type === 'route') {
        refuse(message.request, accounting);
      } else if (message.type === 'publish') {
        routed.underWay--;
        refuse(message.publish, accounting);
      }
    },
  };
}

type Routed = Join | Claim | Publish;

function route(state: State, realm: string, name: string, request: Routed): void {
  const { accounting } = state;
  const found = state.table.get(realm)?.get(name);
  if (found !== undefined) {
    if (found.waiting !== undefined) {
      found.waiting.push(request);
      return;
    }
    if (found.server !== undefined && !isGone(found.server)) {
      if (!send(found.server, request)) refuse(request, accounting);
      else if (request.type !== 'publish') found.forwarded++;
      return;
    }
    // A join to a server that is gone for good must not vanish: the topic starts anew.
    forget(state.table, found);
  }
  if (request.type === 'join' && request.while === 'owned' && !mayBecomeOwned(state, realm, request)) {
    refuse(request, accounting, 'missing');
    return;
  }
  start(state, new Topic(realm, name), request);
}

/** A topic that nobody here has started may have been started at another relay, or come back after a crash. */
function mayBecomeOwned({ elsewhere }: State, realm: string, { again, name }: Join): boolean {
  return again !== undefined || (elsewhere !== null && elsewhere.ownership(realm, name) !== 'none');
}

function start(state: State, topic: Topic, request: Routed): void {
  const { self, accounting, elsewhere, router } = state;
  const { system } = self;
  const supervisor = whereis(system, state.servers);
  const args: TopicServerArgs = {
    topic,
    accounting: topic.realm === PROBE_REALM ? state.probeAccounting : accounting,
    elsewhere: topic.realm === PROBE_REALM ? null : elsewhere,
    idle: (which) => informNamed(system, router, { type: 'idle', topic: which }),
  };
  const asked =
    supervisor !== undefined &&
    startDynamicChild(supervisor, args, (result) => {
      informNamed(system, router, { type: 'started', topic, pid: result.ok ? result.pid : null });
    });
  if (!asked) {
    refuse(request, accounting);
    return;
  }
  if (topic.realm !== PROBE_REALM && elsewhere?.isOrdered(topic.name) === true)
    topic.ordering = { sequencer: null };
  topic.waiting = [request];
  remember(state.table, topic);
}

function started(state: State, topic: Topic, pid: Pid<TopicMessage> | null): void {
  if (pid === null) giveUp(state, topic);
  else forwardWaiting(state, topic);
}

function forwardWaiting(state: State, topic: Topic): void {
  const requests = topic.waiting ?? [];
  topic.waiting = undefined;
  for (const request of requests) route(state, topic.realm, topic.name, request);
}

/** The topic's server is not there, and whoever waited for it must know. */
function giveUp({ table, accounting }: State, topic: Topic): void {
  forget(table, topic);
  for (const request of topic.waiting ?? []) refuse(request, accounting);
  topic.waiting = undefined;
}

/** A server that asks twice is let go once; one whose topic was given up while it started goes too. */
function retire(state: State, topic: Topic): void {
  const { server } = topic;
  // All joins come this way: with none under way, an idle topic stays idle. It may have asked before the last one came.
  if (server === undefined || topic.forwarded !== topic.taken || !topic.isIdle) return;
  forget(state.table, topic);
  inform(server, { type: 'retire' });
}

function remember(table: TopicTable, topic: Topic): void {
  let topics = table.get(topic.realm);
  if (topics === undefined) {
    topics = new Map();
    table.set(topic.realm, topics);
  }
  topics.set(topic.name, topic);
}

/** From here on nobody finds the topic, and who holds on to it sees that it has retired. */
function forget(table: TopicTable, topic: Topic): void {
  topic.retired = true;
  topic.server = undefined;
  const topics = table.get(topic.realm);
  if (topics?.get(topic.name) !== topic) return;
  topics.delete(topic.name);
  if (topics.size === 0) table.delete(topic.realm);
}

/** Nobody takes the request. Whoever made it is told; of a message, it gets its credit back. */
function refuse(
  request: Routed,
  accounting: Accounting,
  why: 'missing' | 'unavailable' = 'unavailable',
): void {
  if (request.type === 'publish') lose(accounting, request, 'refused');
  else inform(request.member, { type: 'refused', action: request.type, name: request.name, why });
}
