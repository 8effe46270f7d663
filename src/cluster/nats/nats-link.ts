import { type Msg, type MsgHdrs, type NatsConnection, headers as newHeaders } from '@nats-io/transport-node';
import { type Behaviour, type Exit, keep, type Next, stop } from '../../otp/behaviour.ts';
import { type Self, send } from '../../otp/process.ts';
import { sendNamed } from '../../otp/registry.ts';
import { now, sendAfter, type Timer } from '../../otp/timer.ts';
import type { Message } from '../../topic/message.ts';
import type { MemberMessage } from '../../topic/topic.ts';
import type { LinkMessage, TopicKey } from '../backplane.ts';
import {
  type AskedEnough,
  askedEnough,
  beat,
  endConversation,
  HEADER,
  headerOf,
  openConversation,
  senderOf,
  takeControl,
  tellClaims,
} from './conversation.ts';
import { dialAny } from './dial.ts';
import { withProbes } from './echo.ts';
import { arrived, type Intake } from './intake.ts';
import { afterAll, answered, askServer, interest, type Linked, subscribe } from './linked.ts';
import type { NatsNetwork } from './network.ts';
import { handOver } from './outlet.ts';
import { type Subjects, subjects } from './subject.ts';
import { Window } from './window.ts';

/**
 * The link to the NATS network: connects to one of its servers, and again for as long as it lives, a little later each
 * time; the client's own reconnecting is off. It subscribes to the topics that have members here, publishes what is
 * published here, and takes part in the conversation of the relays.
 *
 * What happens on a connection comes as a message that names the connection: what an earlier one still says is nothing
 * to us.
 */
export interface NatsLinkArgs {
  readonly network: NatsNetwork;
  /** As `host:port`. */
  readonly servers: readonly string[];
}

export type NatsLinkMessage =
  | LinkMessage
  | MemberMessage
  | AskedEnough
  | Exit
  | { readonly type: 'published'; readonly topic: TopicKey; readonly messages: readonly Message[] }
  | { readonly type: 'opened'; readonly attempt: number; readonly connection: NatsConnection }
  | { readonly type: 'failed'; readonly attempt: number; readonly why: string }
  | { readonly type: 'closed'; readonly connection: NatsConnection; readonly why: string }
  | { readonly type: 'trouble'; readonly connection: NatsConnection; readonly why: string }
  | {
      readonly type: 'arrived';
      readonly connection: NatsConnection;
      readonly topic: TopicKey | null;
      readonly message: Msg;
    }
  /** The server has taken all that was handed over before it was asked. */
  | { readonly type: 'answered'; readonly connection: NatsConnection }
  | { readonly type: 'subscribed'; readonly connection: NatsConnection; readonly version: number }
  | { readonly type: 'reload'; readonly servers: readonly string[] }
  | { readonly type: 'dial' | 'tick' | 'end' };

interface State extends Intake {
  readonly self: Self<NatsLinkMessage>;
  readonly subjects: Subjects;
  readonly headers: MsgHdrs;
  servers: readonly string[];
  linked: Linked | undefined;
  /** Tells one attempt to connect from the next. */
  attempt: number;
  dialling: boolean;
  ending: boolean;
  retry: number;
  timer: Timer | undefined;
  /** What was said of a failure, which is not said again until there was another. */
  said: string;
}

const RETRY_FIRST = 500;
const RETRY_MOST = 4000;
/** What is left to say at the end may take this long. */
const LAST_WORDS = 1000;

const linkBehaviour: Behaviour<NatsLinkArgs, State, NatsLinkMessage> = {
  name: 'nats-link',
  trapExit: true,

  init(self, { network, servers }) {
    send(self, { type: 'dial' });
    clearUp(network);
    const headers = newHeaders();
    headers.set(HEADER, headerOf(network.self));
    return {
      network,
      servers,
      self,
      headers,
      subjects: subjects(network.settings.prefix),
      linked: undefined,
      attempt: 0,
      dialling: false,
      ending: false,
      retry: RETRY_FIRST,
      timer: undefined,
      said: '',
      credit: 0,
    };
  },

  handle(state, message): Next<State> {
    const { linked } = state;
    if (!('type' in message)) return keep;
    if ('connection' in message && message.type !== 'opened' && message.connection !== linked?.connection)
      return keep;
    switch (message.type) {
      case 'published':
        handOver(state.network, linked, message.topic, message.messages);
        return keep;
      case 'arrived':
        take(state, message.topic, message.message);
        return keep;
      case 'credit':
        state.credit -= message.bytes;
        return keep;
      case 'answered':
        if (linked !== undefined) answered(state, linked);
        return keep;
      case 'interest':
        if (linked !== undefined) interest(state, linked, withProbes(state.network, message));
        return keep;
      case 'subscribed':
        confirm(state, message.version);
        return keep;
      case 'claims':
        if (linked !== undefined) tellClaims(linked.talk, message);
        return keep;
      case 'asked-enough':
        if (linked !== undefined) askedEnough(linked.talk, message.ref);
        return keep;
      case 'tick':
        tick(state);
        return keep;
      case 'dial':
        dial(state);
        return keep;
      case 'opened':
        if (message.attempt === state.attempt) opened(state, message.connection);
        else void message.connection.close();
        return keep;
      case 'failed':
        if (message.attempt === state.attempt) hangUp(state, message.why);
        return keep;
      case 'closed':
        hangUp(state, message.why);
        return keep;
      case 'trouble':
        state.network.log.warn('nats trouble', { why: message.why });
        return keep;
      case 'reload':
        reload(state, message.servers);
        return keep;
      case 'exit':
        return lastWords(state);
      case 'end':
        return state.ending ? stop('shutdown') : keep;
      default:
        return keep;
    }
  },

  settle(state) {
    if (state.linked !== undefined) askServer(state, state.linked);
    return keep;
  },

  terminate(state) {
    disconnect(state);
    state.attempt = -1;
  },
};

/** The behaviour of the link: the messages that it leaves in its mailbox are counted. */
export function natsLink({ topics, stats }: NatsNetwork): Behaviour<NatsLinkArgs, State, NatsLinkMessage> {
  return {
    ...linkBehaviour,
    undelivered(message, reason) {
      if (!('type' in message) || message.type !== 'published') return;
      const { length } = message.messages;
      stats.unlinked += length;
      topics().accounting.dropped[reason === 'shutdown' ? 'unlinked' : 'crash'] += length;
    },
  };
}

/** A link that was killed has left its connection. */
function clearUp(network: NatsNetwork): void {
  const { open, stats } = network;
  if (open === undefined) return;
  const count = open.window.clear();
  network.open = undefined;
  stats.unlinked += count;
  stats.connected = false;
  network.topics().accounting.dropped.crash += count;
  void open.connection.close();
}

function dial(state: State): void {
  const { network, self, servers } = state;
  if (state.linked !== undefined || state.dialling || state.ending) return;
  const attempt = ++state.attempt;
  state.dialling = true;
  dialAny(network.settings, servers).then(
    (connection) => {
      // A link that has ended meanwhile has no use for it.
      if (!send(self, { type: 'opened', attempt, connection })) void connection.close();
    },
    (error) => send(self, { type: 'failed', attempt, why: textOf(error) }),
  );
}

function opened(state: State, connection: NatsConnection): void {
  const { network, self, subjects: names, headers } = state;
  const { info } = connection;
  state.dialling = false;
  if (connection.isClosed() || info?.headers !== true) {
    void connection.close();
    hangUp(state, connection.isClosed() ? 'connection lost' : 'the server knows no headers');
    return;
  }
  void connection.closed().then((error) => {
    send(self, { type: 'closed', connection, why: error === undefined ? 'connection lost' : textOf(error) });
  });
  void watch(self, connection);
  for (const subject of [names.relays, names.hello, names.relay(network.self.incarnation)])
    subscribe(state, connection, subject, null);
  const talk = openConversation({ network, self, connection, subjects: names, headers });
  const { pending } = network.settings;
  state.linked = {
    connection,
    headers,
    subjects: names,
    talk,
    window: new Window(pending),
    overflow: new Map(),
    maxPayload: info.max_payload,
    askedAt: null,
    subscriptions: new Map(),
  };
  network.open = state.linked;
  state.retry = RETRY_FIRST;
  state.said = '';
  network.stats.connected = true;
  network.stats.connects++;
  network.stats.server = connection.getServer();
  network.stats.why = null;
  network.log.note('nats connected', { server: connection.getServer() });
  sendNamed(self.system, network.interest, { type: 'attach', link: self });
  sendNamed(self.system, network.ownership, { type: 'attach', link: self, node: null });
  tick(state);
}

/** Passes on what the server complains of, such as a subject that this relay may not use. */
async function watch(self: Self<NatsLinkMessage>, connection: NatsConnection): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'error') send(self, { type: 'trouble', connection, why: textOf(status.error) });
  }
}

function take(state: State, topic: TopicKey | null, message: Msg): void {
  const { linked, network, self } = state;
  const from = senderOf(message);
  if (linked === undefined) return;
  // The server echoes nothing; but a connection that has just been lost may still be dying at another server.
  if (from?.incarnation === network.self.incarnation) return;
  if (from === null) network.stats.foreign++;
  else if (topic !== null) arrived(state, self, topic, { from, data: message.data });
  else if (!takeControl(linked.talk, from, message)) network.stats.foreign++;
}

function confirm({ network, self }: State, version: number): void {
  sendNamed(self.system, network.interest, { type: 'confirmed', link: self, version });
}

/** Says that this relay is there, and looks whether the server is. */
function tick(state: State): void {
  const { network, self, linked } = state;
  if (linked === undefined) return;
  const { heartbeat, timeout } = network.settings;
  if (linked.askedAt !== null && now(self) - linked.askedAt >= timeout) {
    hangUp(state, 'silent');
    return;
  }
  sayOverflow(state);
  beat(linked.talk);
  askServer(state, linked, true);
  state.timer?.cancel();
  state.timer = sendAfter(self, heartbeat, { type: 'tick' });
}

function reload(state: State, servers: readonly string[]): void {
  if (servers.join() === state.servers.join()) return;
  state.servers = servers;
  state.retry = RETRY_FIRST;
  if (state.linked !== undefined) hangUp(state, 'the list of servers has changed');
}

/** Ends the connection, if there is one, and dials again later. */
function hangUp(state: State, why: string): void {
  const { network, self } = state;
  const connected = state.linked !== undefined;
  const unconfirmed = disconnect(state);
  state.dialling = false;
  if (connected) network.log.warn('nats disconnected', { why, unconfirmed });
  else if (why !== state.said) network.log.warn('nats not connected', { why });
  state.said = why;
  network.stats.why = why;
  // Relays that lost a server at once do not come back at once.
  const wait = state.retry * (0.5 + Math.random() / 2);
  state.retry = Math.min(state.retry * 2, RETRY_MOST);
  state.timer?.cancel();
  state.timer = state.ending ? undefined : sendAfter(self, wait, { type: 'dial' });
  if (state.ending) send(self, { type: 'end' });
}

/** What has not been sent for want of room since it was said last, by topic. */
function sayOverflow({ network, linked }: State): void {
  if (linked === undefined || linked.overflow.size === 0) return;
  network.log.warn('link overflow', { over: 'nats', topics: Object.fromEntries(linked.overflow) });
  linked.overflow.clear();
}

/** Returns how many messages the server has not confirmed. */
function disconnect(state: State): number {
  const { network, self, linked } = state;
  if (linked === undefined) return 0;
  sayOverflow(state);
  state.linked = undefined;
  network.open = undefined;
  const count = linked.window.clear();
  network.topics().accounting.dropped.unlinked += count;
  network.stats.unlinked += count;
  network.stats.connected = false;
  network.stats.roundTrip = null;
  sendNamed(self.system, network.interest, { type: 'detach', link: self });
  sendNamed(self.system, network.ownership, { type: 'detach', link: self });
  endConversation(linked.talk);
  void linked.connection.close();
  return count;
}

/** What was handed over is still to reach the server. */
function lastWords(state: State): Next<State> {
  const { linked, self } = state;
  if (linked === undefined) return stop('shutdown');
  state.ending = true;
  const { connection } = linked;
  askServer(state, linked);
  afterAll(connection, () => send(self, { type: 'end' }));
  sendAfter(self, LAST_WORDS, { type: 'end' });
  return keep;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
