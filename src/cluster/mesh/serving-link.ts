import { websocketFrames } from '../../door/frame.ts';
import { messagesHeader, parseMessages, topicOfBatch } from '../../door/peer/batch.ts';
import {
  type ClaimsFrame,
  encodePeerFrame,
  FORWARDED,
  type Hello,
  type InterestFrame,
  type PeerClaim,
  type PeerFrame,
  type PeerTopic,
  parsePeerFrame,
} from '../../door/peer/codec.ts';
import { peerFormat } from '../../door/peer/format.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../../otp/behaviour.ts';
import { type Self, send } from '../../otp/process.ts';
import { sendNamed } from '../../otp/registry.ts';
import { now, sendAfter, type Timer } from '../../otp/timer.ts';
import { Delivery } from '../../topic/delivery.ts';
import type { MemberMessage, Topic } from '../../topic/topic.ts';
import { keyOf } from '../interest-server.ts';
import { LinkOutbox } from './link-outbox.ts';
import type { Network, Serving } from './network.ts';
import { forward, homeIn } from './ordering.ts';
import type { PeerSocket, PeerSocketMessage } from './peer-socket.ts';

/**
 * The other end of a peer's link: a member, on its behalf, of the topics that it wants. It outlives its connection for a
 * while: messages that come meanwhile are numbered and dropped, so that both sides know how many were missed.
 *
 * It is never in the way of its topics: what it cannot write waits within `network.pending`, and is dropped beyond it.
 */
export interface ServingLinkArgs {
  readonly network: Network;
  readonly hello: Hello;
}

export type ServingLinkMessage =
  | MemberMessage
  | PeerSocketMessage
  | Exit
  | {
      readonly type: 'take';
      readonly socket: PeerSocket;
      readonly hello: Hello;
      readonly mac: Buffer;
    }
  | { readonly type: 'written'; readonly socket: PeerSocket }
  | { readonly type: 'tick' | 'forget' | 'replaced' };

/** A topic that the peer wants. */
interface Wanted extends PeerTopic {
  /** Set when we are in it. */
  topic: Topic | undefined;
}

interface State extends ServingLinkArgs {
  readonly self: Self<ServingLinkMessage>;
  readonly serving: Serving;
  readonly outbox: LinkOutbox;
  socket: PeerSocket | undefined;
  writing: boolean;
  /** Messages of the write under way. */
  inFlight: number;
  readonly wanted: Map<string, Wanted>;
  /** Topics that are being joined, each with the number of the frame that asked for it: in order, so the first is lowest. */
  readonly joining: Map<string, number>;
  frames: number;
  /** Versions that wait for all topics of their frame and of those before it. */
  toConfirm: { readonly version: number; readonly frame: number }[];
  /** Names that came in a full list that is still coming; undefined: none is. */
  listing: Set<string> | undefined;
  claims: PeerClaim[] | undefined;
  /** What the peer was told last. */
  epoch: number;
  /** By topic, what was dropped since it was logged last. */
  readonly overflow: Map<string, number>;
  /** Bytes of forwarded messages that are on their way to topics. */
  credit: number;
  bytesRead: number;
  heardAt: number;
  timer: Timer | undefined;
}

/** How long the topics of a peer that cannot be reached are counted for it. */
const FORGET = 10 * 60_000;
const WRITE_BYTES = 256 * 1024;
/** Bytes of forwarded messages on their way to topics before the link reads no more. */
const CREDIT_BYTES = 4 * 1024 * 1024;
const CREDIT_MESSAGE = 64;
/** Topics that one log line names. */
const TOPICS_LOGGED = 100;
const NOTHING = Buffer.alloc(0);

export const servingLink: Behaviour<ServingLinkArgs, State, ServingLinkMessage> = {
  name: 'serving-link',
  trapExit: true,

  init(self, args) {
    const { network, hello } = args;
    // A link that was served by a process that crashed goes on with its numbers.
    const last = hello.of === network.self.incarnation ? hello.last : 0;
    const stats = { last, overflow: 0, unlinked: 0, lost: 0 };
    const serving: Serving = { incarnation: hello.relay.incarnation, pid: self, live: false, stats };
    network.serving.set(hello.relay.node, serving);
    return {
      ...args,
      self,
      serving,
      outbox: new LinkOutbox(last),
      socket: undefined,
      writing: false,
      inFlight: 0,
      wanted: new Map(),
      joining: new Map(),
      frames: 0,
      toConfirm: [],
      listing: undefined,
      claims: undefined,
      epoch: 0,
      overflow: new Map(),
      credit: 0,
      bytesRead: 0,
      heardAt: 0,
      timer: undefined,
    };
  },

  handle(state, message): Next<State> {
    if (message instanceof Delivery) {
      queue(state, message);
      return keep;
    }
    switch (message.type) {
      case 'frame':
        if (message.socket === state.socket) received(state, message.payload);
        return keep;
      case 'joined':
        joined(state, message.topic);
        return keep;
      case 'refused':
        return keep;
      case 'credit':
        giveBack(state, message.bytes);
        return keep;
      case 'lost':
        rejoin(state, message.topic);
        return keep;
      case 'written':
        if (message.socket === state.socket) written(state);
        return keep;
      case 'tick':
        if (state.socket !== undefined) tick(state);
        return keep;
      case 'take':
        take(state, message);
        return keep;
      case 'closed':
        if (message.socket === state.socket) disconnected(state, 'connection lost');
        return keep;
      case 'forget':
        return state.socket === undefined ? stop('normal') : keep;
      case 'replaced':
        return stop('normal');
      case 'exit':
        flush(state);
        return stop('shutdown');
      default:
        return keep;
    }
  },

  settle(state) {
    flush(state);
    confirm(state);
    return keep;
  },

  terminate(state) {
    const { network, hello, serving } = state;
    disconnected(state, 'ended');
    for (const { topic } of state.wanted.values())
      if (topic?.server !== undefined) send(topic.server, { type: 'leave', member: state.self });
    const { node } = hello.relay;
    if (network.serving.get(node) === serving) network.serving.delete(node);
  },
};

function take(state: State, message: Extract<ServingLinkMessage, { readonly type: 'take' }>): void {
  const { network, self, serving, outbox } = state;
  const { socket, hello, mac } = message;
  if (state.socket !== undefined) disconnected(state, 'linked anew');
  socket.attach(self);
  state.timer?.cancel();
  state.socket = socket;
  state.heardAt = now(self);
  state.bytesRead = 0;
  serving.live = true;
  state.epoch = network.order.epoch;
  tell(state, { type: 'welcome', mac, next: outbox.last + 1, epoch: state.epoch });
  if (hello.of === network.self.incarnation && hello.received <= outbox.last)
    serving.stats.lost = outbox.last - hello.received;
  network.log.note('serving', {
    peer: hello.relay.node,
    address: socket.stream.remoteAddress,
    lost: serving.stats.lost,
  });
  tick(state);
}

function queue(state: State, delivery: Delivery): void {
  const { outbox, socket, network, serving } = state;
  const { dropped } = network.topics().accounting;
  const { count, bytes } = delivery;
  const { pending } = network.settings;
  if (socket === undefined) {
    outbox.skip(count);
    dropped.unlinked += count;
    serving.stats.unlinked += count;
  } else if (
    pending > 0 &&
    state.writing &&
    outbox.bytes + socket.stream.writableLength + bytes.length > pending
  ) {
    outbox.skip(count);
    dropped.overflow += count;
    serving.stats.overflow += count;
    const { realm, name } = topicOfBatch(bytes);
    const key = state.overflow.size < TOPICS_LOGGED ? `${realm} ${name}` : 'others';
    state.overflow.set(key, (state.overflow.get(key) ?? 0) + count);
  } else {
    outbox.push(bytes, count, network.order.epoch);
  }
  serving.stats.last = outbox.last;
}

/** Writes what waits, one write under way at a time. One frame carries all that there is, up to a size. */
function flush(state: State): void {
  const { outbox, socket, self } = state;
  if (socket === undefined || state.writing || outbox.bytes === 0) return;
  const { stream } = socket;
  if (!stream.writable) return;
  while (outbox.bytes > 0) {
    const taken = outbox.take(WRITE_BYTES);
    const epoch = taken[0]?.epoch ?? 0;
    if (epoch !== state.epoch) {
      state.epoch = epoch;
      tell(state, { type: 'epoch', epoch });
    }
    let length = 0;
    let count = 0;
    for (const { bytes, count: messages } of taken) {
      length += bytes.length;
      count += messages;
    }
    stream.cork();
    stream.write(messagesHeader(taken[0]?.first ?? 0, length));
    for (const { bytes } of taken) stream.write(bytes);
    stream.uncork();
    if (stream.writableLength > 0) {
      state.writing = true;
      state.inFlight = count;
      stream.write(NOTHING, (error) => {
        if (error == null) send(self, { type: 'written', socket });
      });
      return;
    }
    state.network.topics().accounting.delivered += count;
  }
}

function written(state: State): void {
  state.writing = false;
  state.network.topics().accounting.delivered += state.inFlight;
  state.inFlight = 0;
}

function received(state: State, payload: Buffer): void {
  if (payload[0] === FORWARDED) {
    forwarded(state, payload);
    return;
  }
  const frame = parsePeerFrame(payload);
  switch (frame?.type) {
    case 'heartbeat':
      if (frame.last <= state.outbox.last) state.serving.stats.lost = frame.last - frame.received;
      return;
    case 'interest':
      interest(state, frame);
      return;
    case 'claims':
      claims(state, frame);
      return;
    default:
      disconnected(state, 'not a frame of the protocol');
  }
}

/** Messages to be given their order here; or, if this is not their home either, one hop further. */
function forwarded(state: State, payload: Buffer): void {
  const { network, self } = state;
  const frame = parseMessages(payload);
  if (frame === null) {
    disconnected(state, 'not a frame of the protocol');
    return;
  }
  const { accounting } = network.topics();
  for (const { realm, name, messages, bytes } of frame.batches) {
    const cost = bytes + CREDIT_MESSAGE * messages.length;
    if (homeIn(network, keyOf({ realm, name })) !== network.self.node) {
      if (frame.first > 0 || !forward(network, { realm, name }, messages, 1))
        accounting.lost.unreachable += messages.length;
      continue;
    }
    const server = network.topics().find(realm, name)?.server;
    let taken = 0;
    for (const message of messages) {
      const credit = taken === messages.length - 1 ? cost : 0;
      if (server !== undefined && send(server, { type: 'publish', message, from: self, credit, via: null }))
        taken++;
    }
    if (taken === messages.length) state.credit += cost;
    accounting.messages += messages.length - taken;
    accounting.lost.unheard += messages.length - taken;
  }
  if (state.credit >= CREDIT_BYTES) state.socket?.stream.pause();
}

function giveBack(state: State, bytes: number): void {
  const wasPaused = state.credit >= CREDIT_BYTES;
  state.credit -= bytes;
  if (!wasPaused || state.credit >= CREDIT_BYTES) return;
  state.heardAt = now(state.self);
  state.socket?.stream.resume();
}

function interest(state: State, frame: InterestFrame): void {
  state.frames++;
  if (frame.begin) state.listing = new Set();
  for (const topic of frame.add) {
    const key = keyOf(topic);
    state.listing?.add(key);
    if (state.wanted.has(key)) continue;
    state.wanted.set(key, { ...topic, topic: undefined });
    state.joining.set(key, state.frames);
    join(state, topic);
  }
  for (const topic of frame.drop) leave(state, keyOf(topic));
  if (frame.end && state.listing !== undefined) {
    for (const key of state.wanted.keys()) if (!state.listing.has(key)) leave(state, key);
    state.listing = undefined;
  }
  if (frame.version > 0 || frame.end) {
    state.toConfirm.push({ version: frame.version, frame: state.frames });
  }
}

/** Confirms the last version all of whose topics are joined. */
function confirm(state: State): void {
  if (state.toConfirm.length === 0) return;
  const [lowest = Number.POSITIVE_INFINITY] = state.joining.values();
  let version: number | undefined;
  while ((state.toConfirm[0]?.frame ?? lowest) < lowest) version = state.toConfirm.shift()?.version;
  if (version !== undefined) tell(state, { type: 'confirm', version });
}

/** Should the answer not come (a partition of topics that is being restarted), it is asked again with the next tick. */
function join({ network, self }: State, { realm, name }: PeerTopic): void {
  const request = { type: 'join', name, member: self, format: peerFormat(realm), while: 'wanted' } as const;
  network.topics().route(self.system, realm, request);
}

function joined(state: State, topic: Topic): void {
  const key = keyOf(topic);
  state.joining.delete(key);
  const wanted = state.wanted.get(key);
  if (wanted !== undefined) wanted.topic = topic;
  else if (topic.server !== undefined) send(topic.server, { type: 'leave', member: state.self });
}

function leave(state: State, key: string): void {
  const wanted = state.wanted.get(key);
  state.wanted.delete(key);
  state.joining.delete(key);
  const server = wanted?.topic?.server;
  if (server !== undefined) send(server, { type: 'leave', member: state.self });
}

function rejoin(state: State, topic: Topic): void {
  const wanted = state.wanted.get(keyOf(topic));
  if (wanted?.topic !== topic) return;
  wanted.topic = undefined;
  state.joining.set(keyOf(topic), state.frames);
  join(state, wanted);
}

function claims(state: State, frame: ClaimsFrame): void {
  const { network, self, hello, socket } = state;
  if (frame.begin) state.claims = [];
  const { ref } = frame;
  if (state.claims !== undefined) {
    state.claims.push(...frame.claims);
    if (!frame.end) return;
  }
  const answer = (granted: boolean) => {
    if (state.socket === socket) tell(state, { type: 'verdict', ref, granted });
  };
  sendNamed(self.system, network.ownership, {
    type: 'announced',
    node: hello.relay.node,
    all: frame.end,
    claims: state.claims ?? frame.claims,
    answer: ref === 0 ? null : answer,
  });
  state.claims = undefined;
}

function tick(state: State): void {
  const { network, self, socket, outbox, hello } = state;
  if (socket === undefined) return;
  const { heartbeat, timeout } = network.settings;
  const { bytesRead } = socket.stream;
  // While we do not read, nothing can be heard.
  if (bytesRead !== state.bytesRead || state.credit >= CREDIT_BYTES) state.heardAt = now(self);
  state.bytesRead = bytesRead;
  if (now(self) - state.heardAt >= timeout) {
    disconnected(state, 'silent');
    return;
  }
  for (const key of state.joining.keys()) {
    const wanted = state.wanted.get(key);
    if (wanted !== undefined) join(state, wanted);
  }
  if (state.overflow.size > 0) {
    network.log.warn('link overflow', { peer: hello.relay.node, topics: Object.fromEntries(state.overflow) });
    state.overflow.clear();
  }
  // Behind a write that does not get on, what is told is old before it is read.
  if (!state.writing) tell(state, { type: 'heartbeat', last: outbox.settled, received: 0 });
  state.timer?.cancel();
  state.timer = sendAfter(self, heartbeat, { type: 'tick' });
}

function tell({ socket }: State, frame: PeerFrame): void {
  if (socket?.stream.writable === true)
    socket.stream.write(websocketFrames([{ opcode: 2, payload: encodePeerFrame(frame) }]));
}

function disconnected(state: State, why: string): void {
  const { socket, network, self, serving, outbox, hello } = state;
  if (socket === undefined) return;
  const { dropped } = network.topics().accounting;
  state.socket = undefined;
  let count = state.inFlight;
  for (const left of outbox.clear()) count += left.count;
  dropped.unlinked += count;
  serving.stats.unlinked += count;
  serving.live = false;
  state.writing = false;
  state.inFlight = 0;
  state.toConfirm = [];
  state.listing = undefined;
  state.claims = undefined;
  state.timer?.cancel();
  // Ended in good order, what was written still goes out.
  if (why === 'ended') socket.stream.destroySoon();
  else socket.stream.destroy();
  network.log.note('not serving', { peer: hello.relay.node, why, dropped: count });
  sendNamed(self.system, network.ownership, { type: 'unheard', node: hello.relay.node });
  state.timer = sendAfter(self, FORGET, { type: 'forget' });
}
