import { type Behaviour, keep } from '../otp/behaviour.ts';
import { type DynamicSupervisorMessage, startDynamicChild } from '../otp/dynamic-supervisor.ts';
import { isGone, type Pid, type Self, send } from '../otp/process.ts';
import { type ProcessName, whereis } from '../otp/registry.ts';
import type { Accounting } from './accounting.ts';
import type { Elsewhere } from './elsewhere.ts';
import { type Claim, type Join, Topic, type TopicMessage } from './topic.ts';
import type { TopicServerArgs } from './topic-server.ts';

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
  readonly accounting: Accounting;
  readonly elsewhere: Elsewhere | null;
}

/** The live topics of one partition, by realm and name. */
export type TopicTable = Map<string, Map<string, Topic>>;

export type TopicSupervisorMessage = DynamicSupervisorMessage<TopicServerArgs, TopicMessage>;

export type TopicRouterMessage =
  | { readonly type: 'route'; readonly realm: string; readonly name: string; readonly request: Join | Claim }
  | { readonly type: 'started'; readonly topic: Topic; readonly pid: Pid<TopicMessage> | null }
  | { readonly type: 'idle'; readonly topic: Topic };

interface State extends TopicRouterArgs {
  readonly self: Self<TopicRouterMessage>;
  /** What waits for a topic's server to start. */
  readonly waiting: Map<Topic, (Join | Claim)[]>;
}

export const topicRouter: Behaviour<TopicRouterArgs, State, TopicRouterMessage> = {
  name: 'topic-router',

  init(self, args) {
    for (const topics of args.table.values()) {
      for (const topic of topics.values()) {
        // The table has outlived a router: what is dead goes, and who asked the last router to go may ask again.
        if (topic.server === undefined || isGone(topic.server)) forget(args.table, topic);
        else send(topic.server, { type: 'continue' });
      }
    }
    return { ...args, self, waiting: new Map() };
  },

  handle(state, message) {
    switch (message.type) {
      case 'route':
        route(state, message.realm, message.name, message.request);
        return keep;
      case 'started':
        started(state, message.topic, message.pid);
        return keep;
      case 'idle':
        retire(state, message.topic);
        return keep;
    }
  },

  undelivered(message) {
    if (message.type === 'route') refuse(message.request, message.name, 'unavailable');
  },
};

function route(state: State, realm: string, name: string, request: Join | Claim): void {
  const found = state.table.get(realm)?.get(name);
  if (found !== undefined) {
    const waiting = state.waiting.get(found);
    if (waiting !== undefined) {
      waiting.push(request);
      return;
    }
    // A join to a server that is gone for good must not vanish: the topic starts anew.
    if (found.server !== undefined && send(found.server, request)) {
      found.forwarded++;
      return;
    }
    forget(state.table, found);
  }
  if (request.type === 'join' && request.while === 'owned' && !mayBecomeOwned(state, realm, name, request)) {
    refuse(request, name, 'missing');
    return;
  }
  start(state, new Topic(realm, name), request);
}

/** A topic that nobody here has started may have been started at another relay, or come back after a crash. */
function mayBecomeOwned({ elsewhere }: State, realm: string, name: string, { again }: Join): boolean {
  return again !== undefined || (elsewhere !== null && elsewhere.ownership(realm, name) !== 'none');
}

function start(state: State, topic: Topic, request: Join | Claim): void {
  const { self, accounting, elsewhere } = state;
  const supervisor = whereis(self.system, state.servers);
  const args: TopicServerArgs = {
    topic,
    accounting,
    elsewhere,
    idle: (which) => send(self, { type: 'idle', topic: which }),
  };
  const asked =
    supervisor !== undefined &&
    startDynamicChild(supervisor, args, (result) => {
      send(self, { type: 'started', topic, pid: result.ok ? result.pid : null });
    });
  if (!asked) {
    refuse(request, topic.name, 'unavailable');
    return;
  }
  remember(state.table, topic);
  state.waiting.set(topic, [request]);
}

function started(state: State, topic: Topic, pid: Pid<TopicMessage> | null): void {
  const requests = state.waiting.get(topic) ?? [];
  state.waiting.delete(topic);
  if (pid === null) forget(state.table, topic);
  for (const request of requests) {
    if (pid === null) refuse(request, topic.name, 'unavailable');
    else route(state, topic.realm, topic.name, request);
  }
}

function retire(state: State, topic: Topic): void {
  if (topic.retired || topic.server === undefined || topic.forwarded !== topic.taken) return;
  const { server } = topic;
  forget(state.table, topic);
  send(server, { type: 'retire' });
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

function refuse({ type, member }: Join | Claim, name: string, why: 'missing' | 'unavailable'): void {
  send(member, { type: 'refused', action: type, name, why });
}
