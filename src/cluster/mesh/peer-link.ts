import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { type Batch, forwardedFrame, parseMessages } from '../../door/peer/batch.ts';
import {
  encodePeerFrame,
  MESSAGES,
  type PeerFrame,
  parsePeerFrame,
  type Relay,
} from '../../door/peer/codec.ts';
import { isProved, NONCE_BYTES, prove } from '../../door/peer/proof.ts';
import { offer, VERSIONS } from '../../door/peer/versions.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../../otp/behaviour.ts';
import { type Self, send } from '../../otp/process.ts';
import { sendNamed } from '../../otp/registry.ts';
import { now, sendAfter, type Timer } from '../../otp/timer.ts';
import { Delivery } from '../../topic/delivery.ts';
import type { Sequencer } from '../../topic/elsewhere.ts';
import type { MemberMessage } from '../../topic/topic.ts';
import type { LinkMessage } from '../backplane.ts';
import { claimsFrames, interestFrames } from './chunks.ts';
import type { Network, TakingStats } from './network.ts';
import { heardOf, newEpoch } from './ordering.ts';

/**
 * The link to one other relay: dials it, proves to be of the network, says which topics have members here, and
 * publishes here what comes. It dials again for as long as it lives, a little later each time.
 *
 * What happens on a socket comes as a message that names the socket: what an earlier one still says is nothing to us.
 */
export interface PeerLinkArgs {
  readonly network: Network;
  /** An IP address, and a port. */
  readonly host: string;
  readonly port: number;
}

export type PeerLinkMessage =
  | LinkMessage
  | MemberMessage
  | Exit
  | { readonly type: 'frame'; readonly socket: WebSocket; readonly payload: Buffer }
  | { readonly type: 'closed'; readonly socket: WebSocket; readonly why: string }
  | { readonly type: 'dial' | 'tick' | 'answer-late' | 'end' }
  /** For the relay at the other end to give an order. */
  | { readonly type: 'forward'; readonly bytes: Buffer; readonly count: number; readonly hops: number }
  /** That relay has just dialled us: it can be reached. */
  | { readonly type: 'seen'; readonly node: string };

interface State extends PeerLinkArgs {
  readonly self: Self<PeerLinkMessage>;
  socket: WebSocket | undefined;
  phase: 'waiting' | 'dialling' | 'challenged' | 'linked';
  nonce: Buffer;
  peer: Relay | undefined;
  /** The relay's other nonce, for its proof. */
  theirNonce: Buffer;
  stats: TakingStats | undefined;
  retry: number;
  timer: Timer | undefined;
  /** Who orders what comes: the relay at the other end, in its epoch. */
  via: Sequencer;
  /** Bytes that are on their way to topics. */
  credit: number;
  paused: boolean;
  /** What the socket had read when it was looked at last, and when it had read more than before. */
  bytesRead: number;
  heardAt: number;
}

const RETRY_FIRST = 500;
const RETRY_MOST = 4000;
/** When an address turned out to be this relay itself or one that is linked already: how long until it is tried again. */
const RETRY_NEEDLESS = 10_000;
/** Together with the longest wait this is less than the 5 s within which a link is to be back. */
const UPGRADE_TIMEOUT = 1800;
const ANSWER_TIMEOUT = 5000;
const REASON_LENGTH = 200;
/** Bytes on their way to this relay's topics before the link reads no more. */
const CREDIT_BYTES = 4 * 1024 * 1024;
const CREDIT_MESSAGE = 64;
/** Beside one message: what a turn of a topic may have gathered before it. */
const FRAME_BYTES = 2 * 1024 * 1024;

export const peerLink: Behaviour<PeerLinkArgs, State, PeerLinkMessage> = {
  name: 'peer-link',
  trapExit: true,

  init(self, args) {
    args.network.dialling.set(addressOf(args), self);
    send(self, { type: 'dial' });
    return {
      ...args,
      self,
      socket: undefined,
      phase: 'waiting',
      nonce: Buffer.alloc(0),
      peer: undefined,
      theirNonce: Buffer.alloc(0),
      stats: undefined,
      retry: RETRY_FIRST,
      timer: undefined,
      via: { node: '', epoch: 0 },
      credit: 0,
      paused: false,
      bytesRead: 0,
      heardAt: 0,
    };
  },

  handle(state, message): Next<State> {
    // It is a member of nothing here.
    if (message instanceof Delivery) return keep;
    switch (message.type) {
      case 'frame':
        if (message.socket === state.socket) received(state, message.payload);
        return keep;
      case 'credit':
        giveBack(state, message.bytes);
        return keep;
      case 'interest':
        if (state.phase === 'linked') for (const frame of interestFrames(message)) tell(state, frame);
        return keep;
      case 'claims':
        if (state.phase === 'linked') for (const frame of claimsFrames(message)) tell(state, frame);
        return keep;
      case 'dial':
        dial(state);
        return keep;
      case 'forward':
        pass(state, message.bytes, message.count, message.hops);
        return keep;
      case 'seen':
        if (message.node === state.peer?.node) seen(state);
        return keep;
      case 'tick':
        if (state.phase === 'linked') tick(state);
        return keep;
      case 'answer-late':
        if (state.phase !== 'linked') hangUp(state, 'no answer in time');
        return keep;
      case 'closed':
        if (message.socket === state.socket) hangUp(state, message.why);
        return keep;
      case 'end':
      case 'exit':
        return stop('shutdown');
      default:
        return keep;
    }
  },

  terminate(state) {
    const { network, self } = state;
    disconnect(state);
    const address = addressOf(state);
    if (network.dialling.get(address) === self) network.dialling.delete(address);
  },
};

export function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function dial(state: State): void {
  const { network, self } = state;
  if (state.socket !== undefined) return;
  const { tls, message } = network.settings;
  const socket = new WebSocket(`${tls === null ? 'ws' : 'wss'}://${addressOf(state)}/`, offer(VERSIONS), {
    perMessageDeflate: false,
    handshakeTimeout: UPGRADE_TIMEOUT,
    maxPayload: message === 0 ? 0 : message + FRAME_BYTES,
    // Who is at the other end is proved by its certificate of the network's own authority, whatever its name.
    ...(tls === null ? {} : { ...tls, checkServerIdentity: anyName }),
  });
  socket.on('message', (payload: Buffer) => send(self, { type: 'frame', socket, payload }));
  let why = 'connection lost';
  socket.on('unexpected-response', (_request, response) => {
    why = `refused: ${response.statusMessage}`;
    // Who speaks other versions says so.
    response.on('data', (text: Buffer) => {
      why = text.toString().trim().slice(0, REASON_LENGTH);
    });
    response.on('end', () => socket.terminate());
  });
  socket.on('error', (error) => {
    why = error.message;
  });
  socket.on('close', () => send(self, { type: 'closed', socket, why }));
  state.socket = socket;
  state.phase = 'dialling';
  state.nonce = randomBytes(NONCE_BYTES);
  const { stats } = state;
  const hello = encodePeerFrame({
    type: 'hello',
    relay: network.self,
    nonce: state.nonce,
    of: stats?.incarnation ?? '',
    last: stats?.last ?? 0,
    received: stats?.received ?? 0,
    epoch: network.order.highest,
  });
  socket.on('open', () => socket.send(hello));
  state.timer = sendAfter(self, ANSWER_TIMEOUT, { type: 'answer-late' });
}

/** A link that does not get on loses what is more than may wait, as in the other direction. */
function pass({ network, socket, phase }: State, bytes: Buffer, count: number, hops: number): void {
  const { pending } = network.settings;
  const { accounting } = network.topics();
  if (phase === 'linked' && socket !== undefined && (pending === 0 || socket.bufferedAmount <= pending)) {
    socket.send(forwardedFrame(hops, [bytes]));
    return;
  }
  accounting.messages += count;
  accounting.lost.unreachable += count;
}

/** There is no need to wait any longer. */
function seen(state: State): void {
  if (state.phase !== 'waiting' && state.phase !== 'dialling') return;
  disconnect(state);
  state.timer?.cancel();
  state.retry = RETRY_FIRST;
  dial(state);
}

function received(state: State, payload: Buffer): void {
  if (state.phase === 'linked' && payload[0] === MESSAGES) {
    const frame = parseMessages(payload);
    if (frame === null) hangUp(state, 'not a frame of the protocol');
    else messages(state, frame.first, frame.batches);
    return;
  }
  const frame = parsePeerFrame(payload);
  if (frame === null || !take(state, frame)) hangUp(state, 'not a frame of the protocol');
}

/** False: the frame has no place here. */
function take(state: State, frame: PeerFrame): boolean {
  const { network, self } = state;
  switch (frame.type) {
    case 'challenge':
      return state.phase === 'dialling' && challenged(state, frame.relay, frame.nonce);
    case 'welcome':
      return state.phase === 'challenged' && welcomed(state, frame.mac, frame.next, frame.epoch);
    case 'epoch':
      heardOf(network, frame.epoch);
      state.via = { node: state.via.node, epoch: frame.epoch };
      return state.phase === 'linked';
    case 'refuse':
      refused(state, frame.why, frame.text);
      return true;
    case 'heartbeat':
      if (state.stats !== undefined && frame.last > state.stats.last) state.stats.last = frame.last;
      return state.phase === 'linked';
    case 'confirm':
      sendNamed(self.system, network.interest, { type: 'confirmed', link: self, version: frame.version });
      return state.phase === 'linked';
    case 'verdict':
      sendNamed(self.system, network.ownership, {
        type: 'verdict',
        link: self,
        ref: frame.ref,
        granted: frame.granted,
      });
      return state.phase === 'linked';
    default:
      return false;
  }
}

function challenged(state: State, peer: Relay, nonce: Buffer): boolean {
  const { network } = state;
  if (peer.incarnation === network.self.incarnation) {
    needless(state, `${addressOf(state)} is this relay itself`);
    return true;
  }
  const other = network.linked.get(peer.incarnation);
  if (other !== undefined && other !== state.self) {
    needless(state, `${addressOf(state)} is another address of ${peer.node}`);
    return true;
  }
  if (nonce.length !== NONCE_BYTES) return false;
  state.peer = peer;
  state.theirNonce = nonce;
  state.phase = 'challenged';
  tell(state, { type: 'proof', mac: prove(network.settings.secret, 'dialling', handshake(state, peer)) });
  return true;
}

function handshake(state: State, peer: Relay): Parameters<typeof prove>[2] {
  return {
    dialling: state.network.self,
    dialled: peer,
    diallingNonce: state.nonce,
    dialledNonce: state.theirNonce,
  };
}

function welcomed(state: State, mac: Buffer, next: number, epoch: number): boolean {
  const { network, self, peer } = state;
  if (peer === undefined) return false;
  if (!isProved(mac, network.settings.secret, 'dialled', handshake(state, peer))) {
    complain(state, `${addressOf(state)} does not know the secret of the network`);
    hangUp(state, 'no proof');
    return true;
  }
  // Another address of the same relay may have been faster.
  const other = network.linked.get(peer.incarnation);
  if (other !== undefined && other !== self) {
    needless(state, `${addressOf(state)} is another address of ${peer.node}`);
    return true;
  }
  state.timer?.cancel();
  const before = state.stats?.incarnation === peer.incarnation ? state.stats : undefined;
  const lostBefore = before === undefined ? 0 : before.last - before.received;
  // A link that was served afresh counts from the beginning.
  const stats =
    before !== undefined && next > before.last
      ? before
      : { incarnation: peer.incarnation, last: next - 1, received: next - 1, unheard: 0, linked: true };
  stats.last = next - 1;
  stats.linked = true;
  state.stats = stats;
  state.phase = 'linked';
  state.retry = RETRY_FIRST;
  state.heardAt = now(self);
  network.linked.set(peer.incarnation, self);
  network.nodes.set(peer.node, self);
  state.via = { node: peer.node, epoch };
  heardOf(network, epoch);
  newEpoch(network);
  network.taking.set(peer.node, stats);
  network.said.delete(addressOf(state));
  network.log.note('linked', {
    peer: peer.node,
    address: addressOf(state),
    missed: stats.last - stats.received - lostBefore,
    lost: stats.last - stats.received,
  });
  sendNamed(self.system, network.interest, { type: 'attach', link: self });
  sendNamed(self.system, network.ownership, { type: 'attach', link: self, node: peer.node });
  tick(state);
  return true;
}

function refused(state: State, why: string, text: string): void {
  if (why === 'self') {
    needless(state, text);
    return;
  }
  complain(state, `${addressOf(state)} refuses the link: ${text}`);
  hangUp(state, text);
}

/** Publishes what has come. The last message of a batch brings back the credit of all. */
function messages(state: State, first: number, batches: readonly Batch[]): void {
  const { network, self, stats, via } = state;
  if (stats === undefined || first <= stats.last) {
    // A number that was there before would be a message delivered twice.
    hangUp(state, 'a number came twice');
    return;
  }
  let last = first - 1;
  for (const { realm, name, messages: list, bytes } of batches) {
    last += list.length;
    const server = network.topics().find(realm, name)?.server;
    const cost = bytes + CREDIT_MESSAGE * list.length;
    let taken = server !== undefined;
    for (let i = 0; i < list.length && server !== undefined; i++) {
      const message = list[i] as (typeof list)[number];
      const credit = i === list.length - 1 ? cost : 0;
      taken = send(server, { type: 'publish', message, from: self, credit, via });
      if (!taken) stats.unheard++;
    }
    if (taken) state.credit += cost;
    else if (server === undefined) stats.unheard += list.length;
  }
  stats.received += last - first + 1;
  stats.last = last;
  if (!state.paused && state.credit >= CREDIT_BYTES) {
    state.paused = true;
    state.socket?.pause();
  }
}

function giveBack(state: State, bytes: number): void {
  state.credit -= bytes;
  if (!state.paused || state.credit > CREDIT_BYTES / 2) return;
  state.paused = false;
  state.heardAt = now(state.self);
  state.socket?.resume();
}

/** Tells what has come, and looks whether anything has. */
function tick(state: State): void {
  const { network, self, stats } = state;
  const { heartbeat, timeout } = network.settings;
  if (stats === undefined) return;
  const { bytesRead } = socketOf(state) ?? { bytesRead: 0 };
  // While we do not read, nothing can be heard.
  if (bytesRead !== state.bytesRead || state.paused) state.heardAt = now(self);
  state.bytesRead = bytesRead;
  if (now(self) - state.heardAt >= timeout) {
    hangUp(state, 'silent');
    return;
  }
  tell(state, { type: 'heartbeat', last: stats.last, received: stats.received });
  state.timer?.cancel();
  state.timer = sendAfter(self, heartbeat, { type: 'tick' });
}

/** The type of ws is not that of Node, which it calls: no error is a name that will do. */
const anyName = (() => undefined) as unknown as () => boolean;

function socketOf({ socket }: State): { readonly bytesRead: number } | undefined {
  return (socket as (WebSocket & { readonly _socket?: { readonly bytesRead: number } }) | undefined)?._socket;
}

function tell({ socket }: State, frame: PeerFrame): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(encodePeerFrame(frame));
}

/** There is no use in this link as long as things are as they are. */
function needless(state: State, text: string): void {
  const { network } = state;
  if (!network.said.has(text)) {
    network.said.add(text);
    network.log.note('link not needed', { why: text });
  }
  hangUp(state, text, RETRY_NEEDLESS);
}

/** Says what is wrong, once until it has changed. */
function complain(state: State, text: string): void {
  const { said, log } = state.network;
  if (said.has(text)) return;
  said.add(text);
  log.warn('link refused', { why: text, address: addressOf(state) });
}

/** Ends the connection, if there is one, and dials again later. */
function hangUp(state: State, why: string, delay?: number): void {
  const { network, self, peer } = state;
  if (state.phase === 'linked') {
    network.log.warn('unlinked', { peer: peer?.node, address: addressOf(state), why });
  } else if (delay === undefined && !network.said.has(addressOf(state))) {
    network.said.add(addressOf(state));
    network.log.warn('not linked', { address: addressOf(state), why });
  }
  disconnect(state);
  // Relays that lost each other at once do not come back at once.
  const wait = delay ?? state.retry * (0.5 + Math.random() / 2);
  if (delay === undefined) state.retry = Math.min(state.retry * 2, RETRY_MOST);
  state.timer?.cancel();
  state.timer = sendAfter(self, wait, { type: 'dial' });
}

function disconnect(state: State): void {
  const { network, self, socket, peer } = state;
  if (state.phase === 'linked') {
    sendNamed(self.system, network.interest, { type: 'detach', link: self });
    sendNamed(self.system, network.ownership, { type: 'detach', link: self });
    if (peer !== undefined && network.linked.get(peer.incarnation) === self)
      network.linked.delete(peer.incarnation);
    if (peer !== undefined && network.nodes.get(peer.node) === self) network.nodes.delete(peer.node);
    newEpoch(network);
    if (state.stats !== undefined) state.stats.linked = false;
  }
  state.phase = 'waiting';
  state.socket = undefined;
  state.paused = false;
  state.bytesRead = 0;
  socket?.terminate();
}
