import type { Msg, MsgHdrs, NatsConnection, Subscription } from '@nats-io/transport-node';
import {
  claimsFrames,
  encodePeerFrame,
  keyOf,
  type PeerFrame,
  parsePeerFrame,
  type TopicKey,
} from '../../door/peer/codec.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../../otp/behaviour.ts';
import { inform, type Self, send } from '../../otp/process.ts';
import { now, sendAfter, type Timer } from '../../otp/timer.ts';
import type { Message, PublisherMessage } from '../../topic/message.ts';
import type { LinkMessage } from '../backplane.ts';
import { linksChanged } from '../first-links-server.ts';
import * as interest from '../interest-server.ts';
import * as ownership from '../ownership-server.ts';
import { Publication } from '../publication.ts';
import * as vitals from '../vitals-server.ts';
import { Conversation, type ConversationEffect } from './conversation.ts';
import { dialAny } from './dial.ts';
import { withProbes } from './echo-link.ts';
import { type Arrived, arrival, headersOf, senderOf } from './intake.ts';
import type { NatsNetwork } from './network.ts';
import { Outlet } from './outlet.ts';
import { type Subjects, subjects } from './subject.ts';
import { Window } from './window.ts';

/**
 * The link to the NATS network: connects to one of its servers, and again for as long as it lives, a little later each
 * time; the client's own reconnecting is off. It subscribes to the topics that have members here, publishes what is
 * published here, and takes part in the conversation of the relays.
 *
 * What is thought about is pure: what comes in (`intake.ts`), what goes out (`outlet.ts`), what is not confirmed, and
 * whether the server is silent (`window.ts`), what the relays say to each other (`conversation.ts`). The last three are of
 * one connection, and end with it. This process performs, counts and logs; it alone writes the network's `stats` and `open`.
 */
export interface NatsLinkArgs {
  readonly network: NatsNetwork;
  /** Those of now, as `host:port`: a link that is restarted asks again. */
  readonly servers: () => readonly string[];
}

export type NatsLinkMessage =
  | LinkMessage
  | PublisherMessage
  | OfConnection
  | Exit
  | Outgoing
  | { readonly type: 'opened'; readonly connection: NatsConnection }
  | { readonly type: 'failed'; readonly why: string }
  /** Messages of a topic, be it of a connection that has ended meanwhile. */
  | { readonly type: 'arrived'; readonly topic: TopicKey; readonly message: Msg }
  | { readonly type: 'asked-enough'; readonly ref: number }
  | { readonly type: 'reload'; readonly servers: readonly string[] }
  | { readonly type: 'dial' | 'tick' | 'end' };

/** What one turn of a topic has brought. */
export interface Outgoing {
  readonly type: 'outgoing';
  readonly topic: TopicKey;
  readonly messages: readonly Message[];
  /** They are counted: should the link crash on them, they are not counted once more. */
  isCounted: boolean;
}

/** What happens on a connection. What an earlier connection still says is nothing to the link. */
type OfConnection = { readonly connection: NatsConnection } & (
  | { readonly type: 'closed' | 'trouble'; readonly why: string }
  /** What relays say to each other beside messages; and what they tell of themselves. */
  | { readonly type: 'heard' | 'heard-vitals'; readonly message: Msg }
  /** The server has taken all that was handed over before it was asked. */
  | { readonly type: 'answered' }
  | { readonly type: 'subscribed'; readonly version: number }
);

/** A connection in use, and what belongs to it alone. */
interface Linked {
  readonly connection: NatsConnection;
  readonly window: Window;
  readonly outlet: Outlet;
  readonly conversation: Conversation;
  readonly subscriptions: Map<string, Subscription>;
}

interface State {
  readonly network: NatsNetwork;
  readonly self: Self<NatsLinkMessage>;
  readonly subjects: Subjects;
  readonly headers: MsgHdrs;
  readonly publication: Publication;
  servers: readonly string[];
  linked: Linked | undefined;
  /** It is to end, once what was handed over has reached the server. */
  isEnding: boolean;
  /** Milliseconds. */
  retry: number;
  timer: Timer | undefined;
  /** What was said of a failure, which is not said again until there was another. */
  said: string;
}

/** Milliseconds until the next attempt to connect. */
const RETRY_FIRST = 500;
const RETRY_MOST = 4000;
/** Milliseconds that a claim waits for the verdicts of the other relays. */
const ASK_TIMEOUT = 250;
/** What is left to say at the end may take this long, in milliseconds. */
const LAST_WORDS = 1000;

/** The messages that the link leaves in its mailbox are counted for the network. */
export function natsLink(network: NatsNetwork): Behaviour<NatsLinkArgs, State, NatsLinkMessage> {
  return {
    ...behaviour,
    undelivered(message, reason) {
      switch (message.type) {
        case 'outgoing':
          if (!message.isCounted)
            dropUnlinked(network, message, reason === 'shutdown' ? 'unlinked' : 'crash');
          return;
        case 'arrived':
          notTaken(network, message.message, 'crash');
          return;
        case 'opened':
          void message.connection.close();
          return;
      }
    },
  };
}

const behaviour: Behaviour<NatsLinkArgs, State, NatsLinkMessage> = {
  name: 'nats-link',
  trapExit: true,

  init(self, { network, servers }) {
    inform(self, { type: 'dial' });
    return {
      network,
      servers: servers(),
      self,
      headers: headersOf(network.self),
      subjects: subjects(network.settings.prefix),
      publication: new Publication(network.topics, self),
      linked: undefined,
      isEnding: false,
      retry: RETRY_FIRST,
      timer: undefined,
      said: '',
    };
  },

  handle(state, message): Next<State> {
    const { linked } = state;
    switch (message.type) {
      case 'outgoing':
        handOver(state, message);
        return keep;
      case 'arrived':
        arrived(state, message.topic, message.message);
        return keep;
      case 'credit':
        state.publication.arrived(message.bytes);
        return keep;
      case 'interest':
        if (linked !== undefined) changeInterest(state, linked, withProbes(state.network, message));
        return keep;
      case 'claims':
        if (linked !== undefined) tellClaims(state, linked, message);
        return keep;
      case 'vitals':
        if (linked !== undefined) tell(state, linked, message, state.subjects.vitals);
        return keep;
      case 'asked-enough':
        if (linked !== undefined) perform(state, linked, linked.conversation.askedEnough(message.ref));
        return keep;
      case 'tick':
        if (linked !== undefined) tick(state, linked);
        return keep;
      case 'dial':
        dial(state);
        return keep;
      case 'opened':
        opened(state, message.connection);
        return keep;
      case 'failed':
        hangUp(state, message.why);
        return keep;
      case 'closed':
      case 'trouble':
      case 'heard':
      case 'heard-vitals':
      case 'answered':
      case 'subscribed':
        if (message.connection === linked?.connection) happened(state, linked, message);
        return keep;
      case 'reload':
        reload(state, message.servers);
        return keep;
      case 'exit':
        return lastWords(state);
      case 'end':
        return state.isEnding ? stop('shutdown') : keep;
      case 'refused':
      case 'published':
        // Messages that a topic has refused are counted as they are published, and nobody asks for a receipt.
        return keep;
    }
  },

  settle(state) {
    if (state.linked !== undefined) askServer(state, state.linked, false);
    return keep;
  },

  terminate: disconnect,
  salvage: disconnect,
};

function dial({ network, self, servers }: State): void {
  dialAny(network.settings, servers).then(
    (connection) => {
      // A link that has ended meanwhile has no use for it.
      if (!send(self, { type: 'opened', connection })) void connection.close();
    },
    (error) => inform(self, { type: 'failed', why: textOf(error) }),
  );
}

function opened(state: State, connection: NatsConnection): void {
  const { network, self, subjects: names } = state;
  const { settings, stats } = network;
  const { info } = connection;
  if (connection.isClosed() || info?.headers !== true) {
    void connection.close();
    hangUp(state, connection.isClosed() ? 'connection lost' : 'the server knows no headers');
    return;
  }
  void connection.closed().then((error) => {
    const why = error === undefined ? 'connection lost' : textOf(error);
    inform(self, { type: 'closed', connection, why });
  });
  void watch(self, connection);
  const listen = (subject: string, type: 'heard' | 'heard-vitals') =>
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) inform(self, { type, connection, message });
      },
    });
  for (const subject of [names.relays, names.hello, names.relay(network.self.incarnation)])
    listen(subject, 'heard');
  listen(names.vitals, 'heard-vitals');
  const conversation = new Conversation(network.self, network.namesakes, now(self));
  const window = new Window(settings.pending, now(self));
  const outlet = new Outlet(window, info.max_payload);
  const linked = { connection, window, outlet, conversation, subscriptions: new Map() };
  sayNothing(state, linked, names.hello);
  state.linked = linked;
  network.open = linked;
  state.retry = RETRY_FIRST;
  state.said = '';
  stats.connected = true;
  stats.connects++;
  stats.server = connection.getServer();
  stats.why = null;
  linksChanged(self.system);
  network.log.note('nats connected', { server: stats.server });
  interest.attach(self.system, self);
  ownership.attach(self.system, self, null);
  vitals.linked(self.system, self);
  tick(state, linked);
}

/** Passes on what the server complains of, such as a subject that this relay may not use. */
async function watch(self: Self<NatsLinkMessage>, connection: NatsConnection): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'error') inform(self, { type: 'trouble', connection, why: textOf(status.error) });
  }
}

function happened(state: State, linked: Linked, message: OfConnection): void {
  const { network, self } = state;
  switch (message.type) {
    case 'closed':
      hangUp(state, message.why);
      return;
    case 'trouble':
      network.log.warn('nats trouble', { why: message.why });
      return;
    case 'heard':
      heard(state, linked, message.message);
      return;
    case 'heard-vitals':
      heardVitals(state, linked, message.message);
      return;
    case 'answered': {
      const { count, roundTrip } = linked.window.answered(now(self));
      network.stats.roundTrip = roundTrip;
      network.stats.sent += count;
      network.topics().accounting.deliver(count);
      return;
    }
    case 'subscribed':
      interest.confirmed(self.system, self, message.version);
      return;
  }
}

/** Says that this relay is there, and looks whether the server and the other relays are. */
function tick(state: State, linked: Linked): void {
  const { network, self, subjects: names } = state;
  const { connection, window, conversation } = linked;
  const { heartbeat, timeout } = network.settings;
  const wait = window.unanswered(now(self));
  if (wait !== null) network.stats.roundTrip = Math.max(network.stats.roundTrip ?? 0, wait);
  if (window.isSilent(now(self), connection.stats().inBytes, timeout)) {
    hangUp(state, 'silent');
    return;
  }
  sayOverflow(network, linked);
  tell(state, linked, { type: 'heartbeat', last: 0, received: 0 }, names.relays);
  perform(state, linked, conversation.silent(now(self), timeout));
  askServer(state, linked, true);
  later(state, heartbeat, { type: 'tick' });
}

/** Asks the server whether it has taken what was handed over; `always`: whether it is there. */
function askServer({ self }: State, { connection, window }: Linked, always: boolean): void {
  if (window.ask(now(self), always))
    afterAll(connection, () => inform(self, { type: 'answered', connection }));
}

/** Calls back when the server has taken all that it was told so far; never, if the connection ends before. */
function afterAll(connection: NatsConnection, then: () => void): void {
  if (connection.isClosed()) return;
  connection.flush().then(then, () => undefined);
}

/** Publishes what one turn of a topic has brought, and counts what cannot be. Never waits. */
function handOver({ network, linked, headers, subjects: names }: State, outgoing: Outgoing): void {
  const { topic, messages } = outgoing;
  if (linked === undefined || linked.connection.isClosed()) {
    outgoing.isCounted = true;
    dropUnlinked(network, outgoing, 'unlinked');
    return;
  }
  const { stats } = network;
  const { accounting } = network.topics();
  const { payloads, tooLarge, overflow } = linked.outlet.take(topic, messages);
  // From here on the window counts the others, however this process ends.
  outgoing.isCounted = true;
  accounting.drop(tooLarge, 'undeliverable');
  accounting.drop(overflow, 'overflow');
  stats.tooLarge += tooLarge;
  stats.overflow += overflow;
  if (payloads.length === 0) return;
  const subject = names.topic(topic);
  for (const bytes of payloads) {
    linked.connection.publish(subject, bytes, { headers });
    stats.bytesOut += bytes.length;
  }
}

function dropUnlinked(network: NatsNetwork, { messages }: Outgoing, why: 'unlinked' | 'crash'): void {
  network.topics().accounting.drop(messages.length, why);
  network.stats.unlinked += messages.length;
}

/** Subscribes as the interest server says, and confirms it when the server knows. */
function changeInterest(
  { self, network, subjects: names }: State,
  { connection, subscriptions }: Linked,
  { version, all, add, drop }: Extract<LinkMessage, { readonly type: 'interest' }>,
): void {
  if (connection.isClosed()) return;
  const unsubscribe = (key: string) => {
    subscriptions.get(key)?.unsubscribe();
    subscriptions.delete(key);
  };
  if (all) {
    const named = new Set(add.map(keyOf));
    for (const key of subscriptions.keys()) if (!named.has(key)) unsubscribe(key);
  }
  for (const topic of drop) unsubscribe(keyOf(topic));
  for (const topic of add) {
    const key = keyOf(topic);
    if (subscriptions.has(key)) continue;
    const subscription = connection.subscribe(names.topic(topic), {
      callback: (error, message) => {
        if (error === null && !send(self, { type: 'arrived', topic, message }))
          notTaken(network, message, 'refused');
      },
    });
    subscriptions.set(key, subscription);
  }
  afterAll(connection, () => inform(self, { type: 'subscribed', connection, version }));
}

/**
 * Publishes here what another relay has sent. The server cannot be made to wait for one of its subscribers: what comes
 * faster than topics here take it is dropped, and counted.
 */
function arrived({ network, publication }: State, topic: TopicKey, message: Msg): void {
  const { stats, settings, topics } = network;
  const what = arrival(message, network.self.incarnation);
  if (what === 'own') return;
  if (what === 'foreign') {
    stats.foreign++;
    return;
  }
  const isFull = settings.pending > 0 && publication.underWay >= settings.pending;
  if (isFull && topics().find(topic.realm, topic.name)?.server !== undefined) {
    refuse(network, what, 'refused');
    return;
  }
  const { node, messages, bytes } = what;
  stats.received += messages.length;
  stats.bytesIn += bytes;
  stats.refused += publication.publish({ ...topic, messages, bytes, keys: null }, { node, epoch: 0 });
}

/** Counts what has come for a topic and was not handled. `why`: the link takes no more, or has ended. */
function notTaken(network: NatsNetwork, message: Msg, why: 'refused' | 'crash'): void {
  const what = arrival(message, network.self.incarnation);
  if (what !== 'own' && what !== 'foreign') refuse(network, what, why);
}

function refuse(
  { stats, topics }: NatsNetwork,
  { messages, bytes }: Arrived,
  why: 'refused' | 'crash',
): void {
  stats.received += messages.length;
  stats.bytesIn += bytes;
  stats.refused += messages.length;
  const { accounting } = topics();
  accounting.arrive(messages.length);
  accounting.lose(messages.length, why);
}

function heard(state: State, linked: Linked, message: Msg): void {
  const { network, self } = state;
  const from = senderOf(message);
  if (from?.incarnation === network.self.incarnation) return;
  if (from === null) {
    network.stats.foreign++;
    return;
  }
  // A hello is a message without a frame.
  const data = message.data.length === 0 ? null : message.data;
  perform(state, linked, linked.conversation.heard(from, data, now(self)));
}

/** A relay that is not heard otherwise, or has the name of this one, tells nothing either. */
function heardVitals({ network, self }: State, { conversation }: Linked, message: Msg): void {
  const from = senderOf(message);
  if (from?.incarnation === network.self.incarnation) return;
  if (from === null) {
    network.stats.foreign++;
    return;
  }
  if (!conversation.hears(from)) return;
  if (message.data.length === 0) {
    vitals.left(self.system, from.node);
    return;
  }
  const frame = parsePeerFrame(Buffer.from(message.data), 2);
  if (frame?.type === 'vitals') vitals.heard(self.system, from.node, frame.text);
  else network.stats.foreign++;
}

/** Tells the other relays of claims made here. */
function tellClaims(
  state: State,
  linked: Linked,
  message: Extract<LinkMessage, { readonly type: 'claims' }>,
): void {
  const { self, subjects: names } = state;
  const { ref } = message;
  for (const frame of claimsFrames(message)) tell(state, linked, frame, names.relays);
  if (ref === 0) return;
  perform(state, linked, linked.conversation.ask(ref, now(self)));
  sendAfter(self, ASK_TIMEOUT, { type: 'asked-enough', ref });
}

function tell({ headers }: State, { connection }: Linked, frame: PeerFrame, subject: string): void {
  // The frames of version 1 are the same in both, as far as they are said here.
  if (!connection.isClosed()) connection.publish(subject, encodePeerFrame(frame, 2), { headers });
}

/** Says no more than that it is said: hello, which who hears it answers by all claims, or goodbye. */
function sayNothing({ headers }: State, { connection }: Linked, subject: string): void {
  if (!connection.isClosed()) connection.publish(subject, undefined, { headers });
}

function perform(state: State, linked: Linked, effects: readonly ConversationEffect[]): void {
  const { network, self, subjects: names } = state;
  const { stats, log } = network;
  for (const effect of effects) {
    switch (effect.type) {
      case 'linked':
        log.note('linked', { peer: effect.node, over: 'nats' });
        stats.peers = linked.conversation.nodes;
        break;
      case 'unlinked':
        log.warn('unlinked', { peer: effect.node, over: 'nats' });
        stats.peers = linked.conversation.nodes;
        ownership.unheard(self.system, effect.node);
        break;
      case 'tell-all':
        // Attaching anew brings all claims, which are for everybody.
        ownership.attach(self.system, self, null);
        break;
      case 'ask-all':
        sayNothing(state, linked, names.relay(effect.incarnation));
        break;
      case 'announced': {
        const { node, all, claims, ask } = effect;
        const answer = (granted: boolean) => {
          if (ask === null) return;
          tell(state, linked, { type: 'verdict', ref: ask.ref, granted }, names.relay(ask.incarnation));
        };
        ownership.announced(self.system, node, { all, claims }, ask === null ? null : answer);
        break;
      }
      case 'judged':
        ownership.verdict(self.system, self, effect);
        break;
      case 'name-taken': {
        const why = `another relay is called ${effect.node}: give each a name of its own`;
        log.warn('name taken', { why });
        break;
      }
      case 'foreign':
        stats.foreign++;
        break;
    }
  }
}

function reload(state: State, servers: readonly string[]): void {
  if (servers.join() === state.servers.join()) return;
  state.servers = servers;
  state.retry = RETRY_FIRST;
  if (state.linked !== undefined) hangUp(state, 'the list of servers has changed');
}

/** Ends the connection, if there is one, and dials again later. */
function hangUp(state: State, why: string): void {
  const { network, self, linked, said } = state;
  const unconfirmed = disconnect(state);
  if (linked !== undefined) network.log.warn('nats disconnected', { why, unconfirmed });
  else if (why !== said) network.log.warn('nats not connected', { why });
  state.said = why;
  network.stats.why = why;
  linksChanged(self.system);
  if (state.isEnding) {
    state.timer?.cancel();
    inform(self, { type: 'end' });
    return;
  }
  // Relays that lost a server at once do not come back at once.
  later(state, state.retry * (0.5 + Math.random() / 2), { type: 'dial' });
  state.retry = Math.min(state.retry * 2, RETRY_MOST);
}

/** Returns how many messages the server has not confirmed. */
function disconnect(state: State): number {
  const { network, self, linked } = state;
  if (linked === undefined) return 0;
  sayOverflow(network, linked);
  state.linked = undefined;
  network.open = undefined;
  const count = linked.window.clear();
  network.topics().accounting.drop(count, 'unlinked');
  network.stats.unlinked += count;
  network.stats.connected = false;
  network.stats.roundTrip = null;
  interest.detach(self.system, self);
  ownership.detach(self.system, self);
  perform(state, linked, linked.conversation.end());
  void linked.connection.close();
  return count;
}

/** What has not been sent for want of room since it was said last, by topic. */
function sayOverflow({ log }: NatsNetwork, { outlet }: Linked): void {
  const topics = outlet.overflowed();
  if (topics !== null) log.warn('link overflow', { over: 'nats', topics });
}

/** What was handed over is still to reach the server. */
function lastWords(state: State): Next<State> {
  const { linked, self } = state;
  if (linked === undefined) return stop('shutdown');
  state.isEnding = true;
  sayNothing(state, linked, state.subjects.vitals);
  askServer(state, linked, false);
  afterAll(linked.connection, () => inform(self, { type: 'end' }));
  sendAfter(self, LAST_WORDS, { type: 'end' });
  return keep;
}

/** In place of what was to happen later. */
function later(state: State, delay: number, message: NatsLinkMessage): void {
  state.timer?.cancel();
  state.timer = sendAfter(state.self, delay, message);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
