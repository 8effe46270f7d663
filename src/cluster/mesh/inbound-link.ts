import { randomBytes } from 'node:crypto';
import { type ClientOptions, WebSocket } from 'ws';
import { type Batch, forwardedBatch, forwardedFrame } from '../../door/peer/batch.ts';
import { claimsFrames, encodePeerFrame, interestFrames, type PeerFrame } from '../../door/peer/codec.ts';
import { type DiallingCommand, DiallingSession, type Linked } from '../../door/peer/dialling-session.ts';
import { NONCE_BYTES, offer, spoken, VERSIONS } from '../../door/peer/session.ts';
import { keepAllLines } from '../../http/request.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../../otp/behaviour.ts';
import { inform, type Self } from '../../otp/process.ts';
import { now, sendAfter, type Timer } from '../../otp/timer.ts';
import { Delivery } from '../../topic/message.ts';
import type { MemberMessage } from '../../topic/topic.ts';
import { resync, unlinked } from '../../topic/topic-requests.ts';
import type { LinkMessage } from '../backplane.ts';
import { linksChanged } from '../first-links-server.ts';
import * as interest from '../interest-server.ts';
import * as ownership from '../ownership-server.ts';
import { Publication } from '../publication.ts';
import * as vitals from '../vitals-server.ts';
import type { Underway } from './forwarded-counts.ts';
import {
  type Address,
  addressOf,
  type DialledAddress,
  type Forwarding,
  type InboundRequest,
} from './inbound-links.ts';
import type { Network } from './network.ts';
import { forwardAnew, withProbes } from './ordering.ts';
import { SAID_GOODBYE, sayGoodbye, whyClosed } from './peer-socket.ts';

/** What an inbound link starts with. */
export interface InboundLinkArgs extends Address {
  readonly network: Network;
}

export type InboundLinkMessage =
  | LinkMessage
  | MemberMessage
  | Exit
  | InboundRequest
  | { readonly type: 'dial' }
  | { readonly type: 'frame'; readonly connection: Connection; readonly payload: Buffer }
  /** `isUnreachable`: nobody took the connection. */
  | {
      readonly type: 'closed';
      readonly connection: Connection;
      readonly why: string;
      readonly isUnreachable: boolean;
    }
  | { readonly type: 'pong' | 'tick' | 'late'; readonly connection: Connection }
  | GraceOver;

interface GraceOver {
  readonly type: 'grace-over';
  readonly node: string;
  readonly reason: 'lost' | 'left';
}

interface Connection {
  readonly socket: WebSocket;
  readonly session: DiallingSession;
}

interface State extends InboundLinkArgs {
  readonly self: Self<InboundLinkMessage>;
  readonly dialled: DialledAddress;
  readonly publication: Publication;
  connection: Connection | undefined;
  /** The relay that has named itself there last. */
  peer: string | null;
  /** Milliseconds until it is dialled again. */
  retry: number;
  /** The relay there has said goodbye: that nobody is there is what is to be expected. */
  hasLeft: boolean;
  /** The start of a relay that was found here, and linked already; it is dialled again much later. */
  spareOf: string | null;
  /** Its link has broken, and the relay may be back until this comes; null: it is linked, or is not waited for. */
  lost: GraceOver | null;
  timer: Timer | undefined;
}

const RETRY_FIRST = 500;
/** Before the first one, where a link has broken: it may have been cut for a moment. */
const RETRY_AT_ONCE = 50;
/** For how long the relay of a link that has broken is taken to be there, unless nobody takes the connection. */
const GRACE = 1000;
const RETRY_MOST = 4000;
/** When an address turned out to be this relay itself or one that is linked already: how long until it is tried again. */
const RETRY_NEEDLESS = 10_000;
/** Together with the longest wait this is less than the 5 s within which a link is to be back. */
const UPGRADE_TIMEOUT = 1800;
const ANSWER_TIMEOUT = 5000;
const REASON_LENGTH = 200;
/** Beside one message: what a turn of a topic may have gathered before it. */
const FRAME_BYTES = 2 * 1024 * 1024;

/**
 * The link to one other relay that takes messages from it: dials it, says which topics have members here, and publishes
 * here what comes. It dials again for as long as it lives, a little later each time. What is said on a connection is the
 * session's (`door/peer/dialling-session.ts`); this process performs it.
 *
 * What happens on a connection comes as a message that names the connection: what an earlier connection still says is
 * nothing to the link.
 */
const linkBehaviour: Behaviour<InboundLinkArgs, State, InboundLinkMessage> = {
  name: 'inbound-link',
  trapExit: true,
  about: (link) => `from ${addressOf(link)}`,

  init(self, args) {
    const dialled = args.network.inbound.begin(addressOf(args), self);
    inform(self, { type: 'dial' });
    return {
      ...args,
      self,
      dialled,
      publication: new Publication(args.network.topics, self),
      connection: undefined,
      peer: dialled.node,
      retry: RETRY_FIRST,
      hasLeft: false,
      lost: null,
      spareOf: null,
      timer: undefined,
    };
  },

  handle(state, message): Next<State> {
    if (message instanceof Delivery) return keep;
    const { connection } = state;
    switch (message.type) {
      case 'frame':
        if (message.connection === connection) received(state, connection, message.payload);
        return keep;
      case 'credit':
        arrived(state, message.bytes);
        return keep;
      case 'interest':
        if (connection !== undefined)
          tell(state, interestFrames(withProbes(state.network, connection.session.via.node, message)));
        return keep;
      case 'claims':
        tell(state, claimsFrames(message));
        return keep;
      case 'vitals':
        if (connection?.session.version === 2) tell(state, [message]);
        return keep;
      case 'answer':
        tell(state, [message.frame]);
        return keep;
      case 'forward':
        forward(state, message);
        return keep;
      case 'recall':
        if (connection?.session.version === 2) tell(state, [{ type: 'resume', topics: [message.behind] }]);
        return keep;
      case 'pong':
        if (message.connection === connection) {
          const roundTrip = connection.session.ponged(now(state.self));
          if (roundTrip !== null) state.dialled.answered(roundTrip);
        }
        return keep;
      case 'tick':
        if (message.connection === connection) tick(state, connection);
        return keep;
      case 'dial':
        dial(state);
        return keep;
      case 'needed':
        if (message.incarnation === state.spareOf) dial(state);
        return keep;
      case 'seen':
        if (message.node === state.peer) seen(state);
        // It may be that relay's address that nobody could be reached at so far.
        else if (state.peer === null) dial(state);
        return keep;
      case 'late':
        if (message.connection === connection && connection.session.phase !== 'linked')
          hangUp(state, 'no answer in time');
        return keep;
      case 'closed':
        if (message.connection === connection) hangUp(state, message.why, message.isUnreachable);
        return keep;
      case 'grace-over':
        if (state.lost === message) giveUp(state);
        return keep;
      case 'end':
        leaveList(state);
        return stop('shutdown');
      case 'exit':
        return stop('shutdown');
      case 'joined':
      case 'claimed':
      case 'refused':
      case 'ended':
      case 'lost':
      case 'too-slow':
      case 'portion':
      case 'published':
        // It is a member of nothing here.
        return keep;
    }
  },

  terminate(state, reason) {
    disconnect(state, 'ended');
    giveUp(state);
    state.network.inbound.end(state.dialled, state.self, reason === 'shutdown');
  },

  salvage(state) {
    disconnect(state, 'killed');
    giveUp(state);
    state.network.inbound.end(state.dialled, state.self, false);
  },
};

/** The behaviour of the inbound links of one network: the messages that a link leaves in its mailbox are counted. */
export function inboundLink(network: Network): Behaviour<InboundLinkArgs, State, InboundLinkMessage> {
  return {
    ...linkBehaviour,
    undelivered(message) {
      if ('type' in message && message.type === 'forward')
        network.forwarded.unreachable(null, [underWay(message)]);
    },
  };
}

function dial(state: State): void {
  const { network, self, dialled } = state;
  if (state.connection !== undefined) return;
  const { tls, message, timeout } = network.settings;
  const { address } = dialled;
  const socket = new WebSocket(`${tls === null ? 'ws' : 'wss'}://${address}/`, offer(VERSIONS), {
    perMessageDeflate: false,
    handshakeTimeout: UPGRADE_TIMEOUT,
    ...closing,
    maxPayload: message === 0 ? 0 : message + FRAME_BYTES,
    finishRequest(request) {
      keepAllLines(request);
      request.end();
    },
    // The other end proves by a certificate of the network's own authority that it belongs there, whatever its name.
    ...(tls === null ? {} : { ...tls.reveal(), checkServerIdentity: anyName }),
  });
  const nonce = randomBytes(NONCE_BYTES);
  const { self: relay, inbound: known, key } = network;
  const session = new DiallingSession({ self: relay, known, address, nonce, key, timeout });
  const connection = { socket, session };
  socket.on('message', (payload: Buffer) => inform(self, { type: 'frame', connection, payload }));
  let why = 'connection lost';
  let isRefused = false;
  let isUnreachable = true;
  socket.on('unexpected-response', (_request, response) => {
    isRefused = true;
    why = `refused: ${response.statusMessage}`;
    // Who speaks other versions says so.
    response.on('data', (text: Buffer) => {
      why = text.toString().trim().slice(0, REASON_LENGTH);
    });
    response.on('end', () => socket.terminate());
  });
  socket.on('error', (error) => {
    // Of a refusal, the error only says that the connection was ended.
    if (!isRefused) why = error.message;
  });
  socket.on('pong', () => inform(self, { type: 'pong', connection }));
  socket.on('close', (code) =>
    inform(self, { type: 'closed', connection, why: whyClosed(code, why), isUnreachable }),
  );
  const { highest } = network.epochs;
  socket.on('open', () => {
    isUnreachable = false;
    say(connection, session.hello(dialled.node, highest, spoken(socket.protocol)));
  });
  state.connection = connection;
  state.spareOf = null;
  later(state, ANSWER_TIMEOUT, { type: 'late', connection });
}

/** Newer than the published types: milliseconds for the other end to take a goodbye. */
const closing: ClientOptions & { readonly closeTimeout: number } = { closeTimeout: 1000 };

/** The type of ws is not that of Node, which it calls: no error is a name that will do. */
const anyName = (() => undefined) as unknown as () => boolean;

/** In place of what was to happen later. */
function later(state: State, delay: number, message: InboundLinkMessage): void {
  state.timer?.cancel();
  state.timer = sendAfter(state.self, delay, message);
}

/** A frame has come. What it says of messages that were lost counts before what it brings. */
function received(state: State, connection: Connection, payload: Buffer): void {
  const { session } = connection;
  const { lost } = session;
  const command = session.received(payload, now(state.self));
  if (session.phase === 'linked' && lost !== null && (session.lost ?? 0) > lost)
    missed(state, session.via.node);
  perform(state, connection, command);
}

/** Messages of that relay were lost. Of topics with one order they can be asked for, of others nobody can tell which they were. */
function missed({ network, self }: State, node: string): void {
  network.topics().tearOff('link', now(self));
  resyncAll(network, node);
}

/** Live topics to which that relay gives their order ask it for what they have missed. */
function resyncAll(network: Network, node: string): void {
  for (const topic of network.topics().all()) if (topic.isOrdered) resync(topic, node);
}

function perform(state: State, connection: Connection, command: DiallingCommand | null): void {
  const { network, self, dialled } = state;
  switch (command?.type) {
    case 'messages':
      publish(state, connection, command.batches);
      return;
    case 'taken':
      if (dialled.node === null) return;
      network.forwarded.confirmed(dialled.node, command.count);
      // It says no more than that.
      if (connection.session.version === 1)
        network.forwarded.settled(dialled.node, { count: command.count, failed: [] });
      return;
    case 'fate':
      if (dialled.node !== null) network.forwarded.settled(dialled.node, command);
      return;
    case 'confirm':
      interest.confirmed(self.system, self, command.version);
      return;
    case 'verdict':
      ownership.verdict(self.system, self, command);
      return;
    case 'vitals':
      vitals.heard(self.system, connection.session.via.node, command.text);
      return;
    case 'epoch':
      network.epochs.heard(command.epoch);
      return;
    case 'say':
      say(connection, command.frame);
      return;
    case 'beat':
      say(connection, command.frame);
      if (command.ping && connection.socket.readyState === WebSocket.OPEN) connection.socket.ping();
      return;
    case 'linked':
      linked(state, connection, command);
      return;
    case 'needless':
      needless(state, command.why, command.spareOf);
      return;
    case 'hang-up':
      hangUp(state, command.why);
      return;
    case undefined:
      return;
  }
}

/** Nobody is told before the link is made: then it is attached, and told everything. */
function tell({ connection }: State, frames: readonly PeerFrame[]): void {
  if (connection?.session.phase === 'linked') for (const frame of frames) say(connection, frame);
}

function say({ socket, session }: Connection, frame: PeerFrame): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(encodePeerFrame(frame, session.version));
}

function linked(state: State, connection: Connection, command: Linked): void {
  const { peer, counts, taken, epoch } = command;
  const { network, self, dialled } = state;
  const { address, node } = dialled;
  // Another relay is at this address by now.
  if (node !== null && node !== peer.node && !network.inbound.has(node)) network.forwarded.settle(node);
  dialled.linked(peer.node);
  state.retry = RETRY_FIRST;
  state.hasLeft = false;
  network.epochs.heard(epoch);
  network.epochs.next();
  const { version } = connection.session;
  network.inbound.linked(peer, self, counts, { version, epoch: network.epochs.sequencer.epoch });
  const waiting = network.coming.linked(peer.node);
  state.lost = null;
  network.news.forget(address);
  network.news.forget(`needless ${address}`);
  const unreachable = network.forwarded.linked(peer, taken);
  // Before all that is sent over the link from now on.
  for (const forwarding of waiting) forward(state, forwarding);
  network.log.note('linked', {
    peer: peer.node,
    address,
    missed: command.missed,
    lost: counts.lost,
    ...(unreachable > 0 ? { unreachable } : {}),
  });
  interest.attach(self.system, self);
  ownership.attach(self.system, self, peer.node);
  vitals.linked(self.system, self);
  // What was published while there was no link is asked for, whether or not it was for this relay.
  if (command.missed > 0 || command.isForgotten) missed(state, peer.node);
  else resyncAll(network, peer.node);
  linksChanged(self.system);
  tick(state, connection);
}

/** Tells what has come, and looks whether anything has. */
function tick(state: State, connection: Connection): void {
  const { self, publication, dialled } = state;
  const wait = connection.session.unanswered(now(self));
  if (wait !== null) dialled.unanswered(wait);
  perform(state, connection, connection.session.tick(bytesRead(connection), !publication.isFull, now(self)));
  if (state.connection === connection)
    later(state, state.network.settings.heartbeat, { type: 'tick', connection });
}

function bytesRead({ socket }: Connection): number {
  return (
    (socket as WebSocket & { readonly _socket?: { readonly bytesRead: number } })._socket?.bytesRead ?? 0
  );
}

function publish({ publication }: State, { session, socket }: Connection, batches: readonly Batch[]): void {
  for (const batch of batches) {
    // Before they are handed on: after a crash in between they have come, and have not been missed.
    session.take(batch.messages.length);
    if (batch.place !== null || batch.isAnswer) publication.deliver(batch, session.via);
    else publication.publish(batch, session.via);
  }
  if (publication.isFull) socket.pause();
}

/** What a batch has cost comes back. */
function arrived({ publication, connection, self }: State, bytes: number): void {
  if (!publication.arrived(bytes)) return;
  connection?.session.resumed(now(self));
  connection?.socket.resume();
}

/** A link that does not get on loses what is more than may wait, as in the other direction. */
function forward(state: State, request: Forwarding): void {
  const { network, connection, dialled, lost } = state;
  const { topic, forwarded, sender, hops } = request;
  const { pending } = network.settings;
  const { node } = dialled;
  if (
    connection?.session.phase === 'linked' &&
    node !== null &&
    (pending === 0 || connection.socket.bufferedAmount <= pending)
  ) {
    const batch = forwardedBatch(topic, [forwarded], connection.session.version);
    connection.socket.send(forwardedFrame(hops, [batch]));
    network.forwarded.sent(node, [underWay(request)]);
  } else if (lost === null || !network.coming.holdFirst(lost.node, { topic, forwarded, sender, hops })) {
    network.forwarded.unreachable(node, [underWay(request)]);
  }
}

function underWay({ topic, forwarded, sender }: Forwarding): Underway {
  return { topic, forwarded, sender };
}

/** The relay has just dialled this one: there is no need to wait any longer. */
function seen(state: State): void {
  if (state.connection !== undefined && state.connection.session.phase !== 'dialling') return;
  disconnect(state, 'dialled anew');
  state.retry = RETRY_FIRST;
  dial(state);
}

/** There is no use in this link as long as things are as they are. */
function needless(state: State, why: string, spareOf: string | null): void {
  const { network, dialled } = state;
  if (network.news.is(`needless ${dialled.address}`, why)) network.log.note('link not needed', { why });
  disconnect(state, why);
  again(state, RETRY_NEEDLESS);
  dialled.notLinked('needless', why);
  linksChanged(state.self.system);
  state.spareOf = spareOf;
}

/** Ends the connection, if there is one, and dials again later. */
function hangUp(state: State, why: string, isUnreachable = false): void {
  const { network, dialled } = state;
  const { address } = dialled;
  if (why === SAID_GOODBYE) state.hasLeft = true;
  if (state.connection?.session.phase !== 'linked' && network.news.is(address, why)) {
    const say = state.hasLeft ? network.log.note : network.log.warn;
    say('not linked', { address, why });
  }
  disconnect(state, why);
  if (isUnreachable) giveUp(state);
  // Relays that lost each other at once do not come back at once.
  const wait = state.lost !== null && state.retry === RETRY_FIRST ? RETRY_AT_ONCE : state.retry;
  again(state, wait * (0.5 + Math.random() / 2));
  if (wait === state.retry) state.retry = Math.min(state.retry * 2, RETRY_MOST);
  dialled.notLinked('connecting', why, isUnreachable);
  linksChanged(state.self.system);
}

function again(state: State, wait: number): void {
  const { network, self, dialled } = state;
  if (dialled.node !== null) network.forwarded.forgetIfLongGone(dialled.node, now(self));
  later(state, wait, { type: 'dial' });
}

function disconnect(state: State, why: string): void {
  const { network, self, connection, dialled } = state;
  if (connection === undefined) return;
  const { session, socket } = connection;
  const { peer } = session;
  state.connection = undefined;
  state.peer = peer?.node ?? state.peer;
  if (session.phase === 'linked' && peer !== undefined) {
    const untaken = why === SAID_GOODBYE ? network.forwarded.leaves(peer.node) : [];
    const unconfirmed = network.forwarded.parted(peer.node, now(self));
    const fields = {
      peer: peer.node,
      address: dialled.address,
      why,
      ...(unconfirmed > 0 ? { unconfirmed } : {}),
    };
    if (why === SAID_GOODBYE) vitals.left(self.system, peer.node);
    if (why === 'ended' || why === SAID_GOODBYE) network.log.note('unlinked', fields);
    else network.log.warn('unlinked', fields);
    interest.detach(self.system, self);
    ownership.detach(self.system, self);
    network.inbound.unlinked(peer, self);
    network.epochs.next();
    if (why === SAID_GOODBYE) passOn(state, peer.node, untaken);
    else if (!GONE.includes(why) && !network.inbound.has(peer.node)) awaitReturn(state, peer.node);
  }
  if (why === 'ended' && socket.readyState === WebSocket.OPEN) sayGoodbye(socket);
  else socket.terminate();
}

/** A link ends for these reasons where its relay, or this one, does not come back. */
const GONE: readonly string[] = ['ended', 'killed'];

/** The link has broken. Its relay goes on, as far as is known, and gives topics their order. */
function awaitReturn(state: State, node: string): void {
  state.network.coming.begin(node, 'lost');
  state.lost = { type: 'grace-over', node, reason: 'lost' };
  sendAfter(state.self, GRACE, state.lost);
}

/** The relay has left. What it has not taken goes to the next home, and so does what this link comes to behind that. */
function passOn(state: State, node: string, untaken: readonly Underway[]): void {
  state.network.coming.begin(node, 'left');
  state.lost = { type: 'grace-over', node, reason: 'left' };
  for (const { topic, forwarded, sender } of untaken)
    state.network.coming.holdFirst(node, { topic, forwarded, sender, hops: 0 });
  inform(state.self, state.lost);
}

function giveUp(state: State): void {
  const { network, self, lost } = state;
  state.lost = null;
  if (lost === null) return;
  forwardAnew(network, self.system, network.coming.end(lost.node, lost.reason));
  for (const topic of network.topics().all()) if (topic.isOrdered) unlinked(topic);
}

/** Its address has left the list: the relay there is not waited for, unless it is linked at another address. */
function leaveList(state: State): void {
  const { network, dialled } = state;
  disconnect(state, 'ended');
  if (dialled.node !== null && !network.inbound.has(dialled.node)) network.forwarded.settle(dialled.node);
}
