import { batchAt, batchPart, type Messages, messagesHeader, topicOfBatch } from '../../door/peer/batch.ts';
import type {
  Answer,
  Behind,
  InterestFrame,
  Relay,
  TopicKey,
  Version,
  VitalsFrame,
} from '../../door/peer/codec.ts';
import type { DialledCommand } from '../../door/peer/dialled-session.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../../otp/behaviour.ts';
import { isOrderly } from '../../otp/exit-reason.ts';
import { inform, type Self } from '../../otp/process.ts';
import { now, sendAfter, type Timer } from '../../otp/timer.ts';
import type { Place } from '../../topic/follower.ts';
import { costOf, Delivery, type Message } from '../../topic/message.ts';
import type { MemberMessage, Recall } from '../../topic/topic.ts';
import { answerNothing, leave } from '../../topic/topic-requests.ts';
import { PROBE_REALM } from '../../topic/topic-router.ts';
import { linksChanged } from '../first-links-server.ts';
import * as interest from '../interest-server.ts';
import { Overflow } from '../overflow.ts';
import * as ownership from '../ownership-server.ts';
import { Publication, type Published } from '../publication.ts';
import * as vitals from '../vitals-server.ts';
import { FORGET, type Relayed } from './forwarded-counts.ts';
import { beingMade } from './links-being-made.ts';
import type { Network } from './network.ts';
import { answerProbe, forward, forwardAnew, isHome } from './ordering.ts';
import type { Connection, OutboundRequest, Served } from './outbound-links.ts';
import { PeerInterest } from './peer-interest.ts';
import type { PeerSocketMessage } from './peer-socket.ts';

/** What an outbound link starts with. */
export interface OutboundLinkArgs {
  readonly network: Network;
  readonly peer: Relay;
  /** Of the protocol: two starts of relays speak one. */
  readonly version: Version;
}

export type OutboundLinkMessage =
  | OutboundRequest
  | VitalsFrame
  | Relayed
  | MemberMessage
  | PeerSocketMessage
  | Exit
  | { readonly type: 'written' | 'tick'; readonly connection: Connection }
  | { readonly type: 'forget' | 'leave' | 'early' }
  | { readonly type: 'not-come'; readonly connection: Connection };

interface Early {
  readonly batch: Published;
  readonly first: number;
  readonly hops: number;
}

interface State extends OutboundLinkArgs {
  readonly self: Self<OutboundLinkMessage>;
  readonly served: Served;
  readonly interest: PeerInterest;
  /** What the peer forwards. */
  readonly publication: Publication;
  readonly overflow: Overflow;
  /** A write is under way; nothing more is written until it is done. */
  writing: boolean;
  /** What the peer has forwarded before this relay has made its own link to the peer, and until when that is waited for, in milliseconds. */
  readonly early: Early[];
  earlyCost: number;
  earlyUntil: number;
  /** When it is to end at the latest, in milliseconds of the system's time: it takes nothing more, and ends once what all links have taken is sent on. */
  leavesBy: number | null;
  timer: Timer | undefined;
}

const WRITE_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);
/** Milliseconds for what was taken to be sent on, as the relay ends, and from one look to the next. */
const LEAVING = 500;
const LOOK = 10;
/** Bytes of messages that wait for this relay's own link to the peer. */
const MOST_EARLY = 16 * 1024 * 1024;

/**
 * The link to one other relay that brings it messages: a member, on the peer's behalf, of the topics that the peer wants.
 * It outlives its connection for a while: messages that come meanwhile are numbered and dropped, so that both sides know
 * how many were missed. What is said on a connection is the session's (`door/peer/dialled-session.ts`); this process
 * performs it.
 *
 * It is never in the way of its topics: what it cannot write waits within `network.pending`, and is dropped beyond it.
 */
export const outboundLink: Behaviour<OutboundLinkArgs, State, OutboundLinkMessage> = {
  name: 'outbound-link',
  trapExit: true,
  about: ({ peer }) => `to ${peer.node}`,

  init: (self, args) => ({
    ...args,
    self,
    served: args.network.outbound.begin(args.peer, self),
    interest: new PeerInterest(),
    publication: new Publication(args.network.topics, self),
    overflow: new Overflow(),
    writing: false,
    early: [],
    earlyCost: 0,
    earlyUntil: 0,
    leavesBy: null,
    timer: undefined,
  }),

  handle(state, message): Next<State> {
    if (message instanceof Delivery) {
      queue(state, message);
      return keep;
    }
    if (state.served.pid !== state.self) return yieldTo(message);
    const { connection } = state.served;
    switch (message.type) {
      case 'frame':
        if (message.socket === connection?.socket && !state.network.outbound.isLeaving)
          perform(state, connection, connection.session.received(message.payload, now(state.self)));
        return keep;
      case 'joined':
        if (!state.interest.joined(message.topic)) leave(message.topic, state.self);
        return keep;
      case 'credit':
        arrived(state, message.bytes);
        return keep;
      case 'published':
        state.served.fates.settle(Number(message.receipt), true);
        return keep;
      case 'settled':
        state.served.fates.settle(message.number, message.isDone);
        return keep;
      case 'anew':
        orderAnew(state, message);
        return keep;
      case 'lost':
        if (state.interest.lost(message.topic)) join(state, message.topic);
        return keep;
      case 'written':
        if (message.connection === connection) written(state);
        return keep;
      case 'tick':
        if (message.connection === connection) tick(state, connection);
        return keep;
      case 'take':
        take(state, message.connection);
        return keep;
      case 'vitals':
        tellVitals(state, message);
        return keep;
      case 'closed':
        if (message.socket === connection?.socket) disconnect(state, message.why);
        return keep;
      case 'forget':
        return connection === undefined ? stop('normal') : keep;
      case 'replaced':
        return stop('normal');
      case 'exit':
        return leaveOff(state);
      case 'leave':
        return leaveOff(state);
      case 'early':
        early(state);
        return keep;
      case 'not-come':
        if (message.connection === connection) giveUp(state);
        return keep;
      case 'refused':
        if (message.receipt !== undefined) state.served.fates.settle(Number(message.receipt), false);
        return keep;
      case 'claimed':
      case 'ended':
      case 'too-slow':
      case 'portion':
        // What was not joined is asked for again with the next tick.
        return keep;
    }
  },

  settle(state) {
    state.served.connection?.session.numbered(now(state.self));
    flush(state);
    tellFates(state);
    const version = state.interest.confirm();
    if (version !== undefined) {
      told(state, 'interest');
      answer(state, { type: 'confirm', version });
    }
    return keep;
  },

  terminate(state, reason) {
    const { network, peer, served, self } = state;
    refuseEarly(state);
    if (served.pid !== self) return;
    disconnect(state, 'ended');
    sayWhileAway(state);
    for (const topic of state.interest.topics) leave(topic, state.self);
    // Where it is to go on, as after a restart of the processes around it, its counts are there for the next one.
    if (reason === 'normal') network.outbound.forget(peer.node, served);
  },

  salvage(state) {
    refuseEarly(state);
    if (state.served.pid === state.self) disconnect(state, 'killed');
  },

  /** What came in behind its end, such as that of a link to a relay that has been started anew. */
  undelivered(message, reason, state) {
    if (!(message instanceof Delivery)) {
      if (message.type === 'anew') state?.network.topics().accounting.lose(1, 'unreachable');
      return;
    }
    message.accounting.drop(message.count, isOrderly(reason) ? 'unlinked' : 'crash');
    state?.served.outbox.drop(message.count, 'unlinked');
  },
};

/** The relay ends. What its peers have forwarded goes out first, to all of them. */
function leaveOff(state: State): Next<State> {
  const { network, self, served, writing } = state;
  network.outbound.leave();
  refuseEarly(state);
  flush(state);
  const time = now(self);
  state.leavesBy ??= time + LEAVING;
  const isDone = served.connection === undefined || (served.outbox.bytes === 0 && !writing);
  if (time < state.leavesBy && (network.outbound.areOpen || !isDone)) {
    sendAfter(self, LOOK, { type: 'leave' });
    return keep;
  }
  tellFates(state);
  return stop('shutdown');
}

/** This relay could not dial the peer: it does not count among those that give topics their order. */
function giveUp({ network, peer, self }: State): void {
  if (!network.inbound.isLinked(peer.incarnation))
    forwardAnew(network, self.system, network.coming.end(peer.node, 'dialled'));
}

/** Another process was started for the relay at the same time: this connection is one too many. */
function yieldTo(message: OutboundLinkMessage): Next<State> {
  if ('type' in message && message.type === 'take') message.connection.socket.stream.destroy();
  return stop('normal');
}

function take(state: State, connection: Connection): void {
  const { network, self, served, peer } = state;
  const { socket, session } = connection;
  disconnect(state, 'linked anew');
  socket.attach(self);
  const welcome = session.welcome(
    served.outbox,
    served.fates.taken,
    network.epochs.sequencer.epoch,
    now(self),
  );
  sayWhileAway(state);
  served.connected(connection);
  const { timeout } = network.settings;
  state.earlyUntil = now(self) + timeout;
  network.firstUntil ??= state.earlyUntil;
  if (!network.inbound.isLinked(peer.incarnation)) {
    network.coming.begin(peer.node, 'dialled');
    sendAfter(self, timeout, { type: 'not-come', connection });
  }
  connection.socket.say(welcome);
  network.log.note('serving', {
    peer: peer.node,
    address: socket.stream.remoteAddress,
    lost: served.outbox.lost,
  });
  tick(state, connection);
  vitals.linked(self.system, self);
}

function perform(state: State, connection: Connection, command: DialledCommand | null): void {
  const { self, peer } = state;
  switch (command?.type) {
    case 'messages':
      publish(state, connection, command);
      return;
    case 'interest':
      changeInterest(state, command);
      return;
    case 'claims': {
      const { ref, all, claims } = command;
      const judge = (granted: boolean) => {
        if (state.served.connection === connection) answer(state, { type: 'verdict', ref, granted });
      };
      ownership.announced(self.system, peer.node, { all, claims }, ref === 0 ? null : judge);
      if (all) told(state, 'claims');
      return;
    }
    case 'confirm':
    case 'verdict':
      answered(state, command);
      return;
    case 'resume':
      for (const behind of command.topics) recall(state, behind);
      return;
    case 'vitals':
      vitals.heard(self.system, peer.node, command.text);
      return;
    case 'hang-up':
      disconnect(state, command.why);
      return;
    case undefined:
      return;
  }
}

/** The peer has told all of it. */
function told({ self, served }: State, what: 'interest' | 'claims'): void {
  if (served.serves) return;
  served.told(what);
  linksChanged(self.system);
}

/** To what the peer was told over the connection that this relay has made to it. */
function answered({ network, self, peer }: State, answer: Answer): void {
  const link = network.inbound.to(peer.incarnation);
  if (link === undefined) return;
  if (answer.type === 'confirm') interest.confirmed(self.system, link, answer.version);
  else ownership.verdict(self.system, link, answer);
}

function tick(state: State, connection: Connection): void {
  const { network, self, publication } = state;
  const { session, socket } = connection;
  if (!session.tick(socket.stream.bytesRead, !publication.isFull, now(self))) {
    disconnect(state, 'silent');
    return;
  }
  // Should an answer not come (a partition of topics that is being restarted), it is asked for again.
  for (const topic of state.interest.missing) join(state, topic);
  sayOverflow(state);
  beat(state, connection);
  later(state, network.settings.heartbeat, { type: 'tick', connection });
}

/** In place of what was to happen later. */
function later(state: State, delay: number, message: OutboundLinkMessage): void {
  state.timer?.cancel();
  state.timer = sendAfter(state.self, delay, message);
}

function changeInterest(state: State, frame: InterestFrame): void {
  const changes = state.interest.named(frame);
  for (const topic of changes.join) join(state, topic);
  for (const topic of changes.leave) leave(topic, state.self);
}

function join({ network, self, version }: State, { realm, name }: TopicKey): void {
  const format = network.formats.of(realm, version);
  const request = { type: 'join', name, member: self, format, while: 'wanted' } as const;
  network.topics().route(self.system, realm, request);
}

/** The peer wants what is kept of a topic: it is sent over this link, behind what the topic has sent before. */
function recall({ network, self }: State, { realm, name, since }: Behind): void {
  const topics = network.topics();
  const answer = (messages: readonly Message[], place: Place | null, keys: readonly string[]) =>
    batchAt(
      { realm, name },
      messages.map((message, i) => batchPart(message, name, null, keys[i])),
      place,
      true,
    );
  const request: Recall = { type: 'recall', name, since, member: self, answer };
  if (realm === PROBE_REALM || !topics.recall(self.system, realm, request, isHome(network, { realm, name })))
    answerNothing(request, topics.accounting);
}

/** Gives the messages of a delivery their numbers, and has them wait for the next write. */
function queue({ network, served, writing, overflow }: State, delivery: Delivery): void {
  const { outbox, connection } = served;
  const { accounting } = network.topics();
  const { count, bytes } = delivery;
  const { pending } = network.settings;
  // A probe that goes over a link is a message like any other there, and is counted from here on.
  if (delivery.accounting !== accounting) {
    delivery.accounting.deliver(count);
    accounting.take(count);
    accounting.attempt(count);
  }
  if (connection === undefined) {
    outbox.drop(count, 'unlinked');
    accounting.drop(count, 'unlinked');
  } else if (pending > 0 && writing && served.pending + bytes.length > pending) {
    outbox.drop(count, 'overflow');
    accounting.drop(count, 'overflow');
    overflow.add(topicOfBatch(bytes), count);
  } else {
    outbox.push(bytes, count, network.epochs.sequencer.epoch);
  }
}

/** Writes what waits, one write under way at a time. One frame carries all that there is, up to a size. */
function flush(state: State): void {
  const { self, served } = state;
  const { outbox, connection } = served;
  if (connection === undefined || state.writing || outbox.bytes === 0) return;
  const { stream } = connection.socket;
  if (!stream.writable) return;
  while (outbox.bytes > 0) {
    const taken = outbox.take(WRITE_BYTES);
    const epoch = connection.session.epoch(taken[0]?.epoch ?? 0);
    if (epoch !== null) connection.socket.say(epoch);
    let length = 0;
    for (const { bytes } of taken) length += bytes.length;
    stream.cork();
    stream.write(messagesHeader(taken[0]?.first ?? 0, length));
    for (const { bytes } of taken) stream.write(bytes);
    stream.uncork();
    if (stream.writableLength > 0) {
      state.writing = true;
      stream.write(NOTHING, (error) => {
        if (error == null) inform(self, { type: 'written', connection });
      });
      return;
    }
    // A write that has failed at once: its connection has ended, and counts what was in flight.
    if (stream.errored !== null) return;
    written(state);
  }
}

function written(state: State): void {
  state.writing = false;
  state.network.topics().accounting.deliver(state.served.outbox.arrived());
}

/** Messages to be given their order here; or, if this is not their home either, one hop further. */
function publish(state: State, connection: Connection, { first: hops, batches }: Messages): void {
  const { served, publication } = state;
  for (const batch of batches) {
    const { messages } = batch;
    // From here on they are this relay's to account for.
    const first = served.fates.take(messages.length);
    if (batch.realm === PROBE_REALM) {
      const topic = state.interest.topicOf(batch);
      if (topic !== undefined) answerProbe(state.self, topic, messages);
      for (let i = 0; i < messages.length; i++) served.fates.settle(first + i, true);
    } else if (state.early.length > 0 || isToWait(state)) {
      holdEarly(state, { batch, first, hops });
    } else {
      order(state, batch, first, hops);
    }
  }
  if (publication.isFull) connection.socket.stream.pause();
}

/**
 * The peer may know of this relay before this relay knows of the peer, and of all others: it would give an order of its own
 * then, that nobody else goes by. The messages wait until it has linked the peer, too.
 */
function holdEarly(state: State, forwarded: Early): void {
  const { batch, first } = forwarded;
  const cost = costOf(batch.bytes, batch.messages.length);
  if (state.earlyCost + cost > MOST_EARLY) {
    refuse(state, batch, first);
    return;
  }
  if (state.early.length === 0) sendAfter(state.self, LOOK, { type: 'early' });
  state.earlyCost += cost;
  state.early.push(forwarded);
}

/** For the link to the peer; after a start for the links to all relays that can be reached. */
function isToWait({ network, peer, earlyUntil, self }: State): boolean {
  const time = now(self);
  if (!network.inbound.isLinked(peer.incarnation) && time < earlyUntil) return true;
  return time < (network.firstUntil ?? 0) && beingMade(network).length > 0;
}

function early(state: State): void {
  if (isToWait(state)) {
    sendAfter(state.self, LOOK, { type: 'early' });
    return;
  }
  state.earlyCost = 0;
  for (const { batch, first, hops } of state.early.splice(0)) order(state, batch, first, hops);
}

/** Gives messages their order here, or sends them to the relay that does. They have numbers from `first` on. */
function order(
  { network, publication, self, served }: State,
  batch: Published,
  first: number,
  hops: number,
): void {
  const { realm, name, messages, keys } = batch;
  if (isHome(network, batch)) {
    publication.publish(batch, null, { first, fates: served.fates });
    return;
  }
  for (const [i, message] of messages.entries()) {
    const number = first + i;
    const forwarded = { message, key: keys?.[i] ?? '' };
    const sender = { type: 'link', link: self, number } as const;
    if (hops === 0 && forward(network, { topic: { realm, name }, forwarded, sender, hops: 1 })) continue;
    network.topics().accounting.lose(1, 'unreachable');
    served.fates.settle(number, false);
  }
}

/** Nobody waits any longer for this relay's own link to the peer. */
function refuseEarly(state: State): void {
  state.earlyCost = 0;
  for (const { batch, first } of state.early.splice(0)) refuse(state, batch, first);
}

function refuse({ network, served }: State, { messages }: Published, first: number): void {
  network.topics().accounting.lose(messages.length, 'unreachable');
  for (let i = 0; i < messages.length; i++) served.fates.settle(first + i, false);
}

/** The relay that was to give a message its order has left without having taken the message. */
function orderAnew(state: State, { number, topic, forwarded }: Extract<Relayed, { type: 'anew' }>): void {
  const { message, key } = forwarded;
  const batch = { ...topic, messages: [message], keys: [key], bytes: message.payload.length };
  order(state, batch, number, 0);
}

/** Tells what has become of what the peer has forwarded, behind the messages themselves: its publishers wait for that. */
function tellFates({ served, writing }: State): void {
  const { connection, outbox, fates } = served;
  if (connection === undefined || writing || outbox.bytes > 0) return;
  if (connection.session.version === 1) {
    if (connection.session.isToTell(fates.taken)) connection.socket.say(connection.session.beat(fates.taken));
    return;
  }
  const fate = fates.tell();
  if (fate !== null) connection.socket.say({ type: 'fate', ...fate });
}

/** What a batch has cost comes back. */
function arrived({ publication, served, self }: State, bytes: number): void {
  if (!publication.arrived(bytes)) return;
  served.connection?.session.resumed(now(self));
  served.connection?.socket.stream.resume();
}

/** Tells how far this end is. Behind a write that does not get on it would be old before it is read. */
function beat({ served, writing }: State, connection: Connection): void {
  if (!writing) connection.socket.say(connection.session.beat(served.fates.taken));
}

/**
 * Says what clients of the peer wait for. Behind messages that a slow link has taken the answer would be late: it goes over
 * the connection that this relay has made to the peer, where no messages are, as long as there is such a connection.
 */
function answer({ network, peer, served }: State, frame: Answer): void {
  if (network.inbound.answer(peer.incarnation, frame)) return;
  if (served.connection !== undefined) served.connection.socket.say(frame);
}

/**
 * Over the connection that this relay has made to the peer they wait behind no message. Where there is none they go here,
 * but not behind a write that does not get on: the next numbers are newer.
 */
function tellVitals({ network, peer, served, writing }: State, frame: VitalsFrame): void {
  const { connection } = served;
  if (connection === undefined || writing || connection.session.version !== 2) return;
  if (!network.inbound.isLinked(peer.incarnation)) connection.socket.say(frame);
}

function disconnect(state: State, why: string): void {
  const { network, served, peer } = state;
  const { connection } = served;
  if (connection === undefined) return;
  const { stream } = connection.socket;
  served.disconnected();
  forwardAnew(network, state.self.system, network.coming.end(peer.node, 'dialled'));
  const dropped = served.outbox.clear();
  network.topics().accounting.drop(dropped, 'unlinked');
  state.writing = false;
  state.interest.disconnected();
  if (why === 'ended') {
    // Behind all else, and before the goodbye: what the peer has forwarded beyond that it may send to another relay.
    connection.socket.say(connection.session.beat(served.fates.taken));
    connection.socket.leave();
  } else {
    stream.destroy();
  }
  sayOverflow(state);
  network.log.note('not serving', { peer: peer.node, why, dropped });
  linksChanged(state.self.system);
  ownership.unheard(state.self.system, peer.node);
  later(state, FORGET, { type: 'forget' });
}

/** What was dropped between two connections, or since the last one: `not serving` has been said before that. */
function sayWhileAway({ network, peer, served }: State): void {
  const dropped = served.outbox.takeWhileAway();
  if (dropped > 0) network.log.note('while it was away', { peer: peer.node, dropped });
}

/** What has not been sent for want of room since it was said last, by topic. */
function sayOverflow({ network, peer, overflow }: State): void {
  const topics = overflow.take();
  if (topics !== null) network.log.warn('link overflow', { peer: peer.node, topics });
}
