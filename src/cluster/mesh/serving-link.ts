import { parseMessages } from '../../door/peer/batch.ts';
import { type ClaimsFrame, FORWARDED, parsePeerFrame } from '../../door/peer/codec.ts';
import { type Behaviour, keep, type Next, stop } from '../../otp/behaviour.ts';
import { isOrderly } from '../../otp/exit-reason.ts';
import { send } from '../../otp/process.ts';
import { sendNamed } from '../../otp/registry.ts';
import { now, sendAfter } from '../../otp/timer.ts';
import { Delivery } from '../../topic/delivery.ts';
import { PROBE_REALM } from '../../topic/topic-router.ts';
import { keyOf } from '../interest-server.ts';
import { reportAnswer } from './answers.ts';
import { LinkOutbox } from './link-outbox.ts';
import type { Serving } from './network.ts';
import { forward, homeIn } from './ordering.ts';
import { confirm, interest, join, joined, rejoin } from './peer-interest.ts';
import { answerProbe } from './probe.ts';
import { Progress } from './progress.ts';
import { answer, disconnected, flush, queue, sayOverflow, tell, written } from './serving.ts';
import type { ServingLinkArgs, ServingLinkMessage, State } from './serving-link-state.ts';

/** Bytes of forwarded messages on their way to topics before the link reads no more. */
const CREDIT_BYTES = 4 * 1024 * 1024;

const CREDIT_MESSAGE = 64;

/**
 * The other end of a peer's link: a member, on its behalf, of the topics that it wants. It outlives its connection for a
 * while: messages that come meanwhile are numbered and dropped, so that both sides know how many were missed.
 *
 * It is never in the way of its topics: what it cannot write waits within `network.pending`, and is dropped beyond it.
 */
export const servingLink: Behaviour<ServingLinkArgs, State, ServingLinkMessage> = {
  name: 'serving-link',
  trapExit: true,

  init(self, args) {
    const { network, hello } = args;
    // A link that was served by a process that crashed goes on with its numbers.
    const last = hello.of === network.self.incarnation ? hello.last : 0;
    const stats = { last, overflow: 0, unlinked: 0, lost: 0, bytes: 0 };
    const serving: Serving = {
      incarnation: hello.relay.incarnation,
      pid: self,
      live: false,
      links: 0,
      stats,
      pending: () => state.outbox.bytes + (state.socket?.stream.writableLength ?? 0),
      lag: (time) => state.progress.lag(time),
    };
    network.serving.set(hello.relay.node, serving);
    const state: State = {
      ...args,
      self,
      serving,
      outbox: new LinkOutbox(last),
      progress: new Progress(),
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
    return state;
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

  /** What came in behind its end, such as that of a link to a relay that has been started anew. */
  undelivered(message, reason) {
    if (message instanceof Delivery)
      message.accounting.dropped[isOrderly(reason) ? 'unlinked' : 'crash'] += message.count;
  },
};

export function take(state: State, message: Extract<ServingLinkMessage, { readonly type: 'take' }>): void {
  const { network, self, serving, outbox } = state;
  const { socket, hello, mac } = message;
  if (state.socket !== undefined) disconnected(state, 'linked anew');
  socket.attach(self);
  state.timer?.cancel();
  state.socket = socket;
  state.heardAt = now(self);
  state.bytesRead = 0;
  serving.live = true;
  serving.links++;
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

function received(state: State, payload: Buffer): void {
  if (payload[0] === FORWARDED) {
    forwarded(state, payload);
    return;
  }
  const frame = parsePeerFrame(payload);
  switch (frame?.type) {
    case 'heartbeat':
      if (frame.last > state.outbox.last) return;
      state.serving.stats.lost = frame.last - frame.received;
      state.progress.confirmed(frame.last);
      return;
    case 'interest':
      interest(state, frame);
      return;
    case 'claims':
      claims(state, frame);
      return;
    case 'confirm':
    case 'verdict': {
      const { network, self, hello } = state;
      const link = network.linked.get(hello.relay.incarnation);
      if (link !== undefined) reportAnswer(self.system, network, link, frame);
      return;
    }
    default:
      disconnected(state, 'not a frame of the protocol');
  }
}

/** Messages to be given their order here; or, if this is not their home either, one hop further. */
export function forwarded(state: State, payload: Buffer): void {
  const { network, self } = state;
  const frame = parseMessages(payload);
  if (frame === null) {
    disconnected(state, 'not a frame of the protocol');
    return;
  }
  const { accounting } = network.topics();
  for (const batch of frame.batches) {
    const { realm, name, messages, bytes } = batch;
    if (realm === PROBE_REALM) {
      answerProbe(state, batch);
      continue;
    }
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

export function claims(state: State, frame: ClaimsFrame): void {
  const { network, self, hello, socket } = state;
  if (frame.begin) state.claims = [];
  const { ref } = frame;
  if (state.claims !== undefined) {
    state.claims.push(...frame.claims);
    if (!frame.end) return;
  }
  const judge = (granted: boolean) => {
    if (state.socket === socket) answer(state, { type: 'verdict', ref, granted });
  };
  sendNamed(self.system, network.ownership, {
    type: 'announced',
    node: hello.relay.node,
    all: frame.end,
    claims: state.claims ?? frame.claims,
    answer: ref === 0 ? null : judge,
  });
  state.claims = undefined;
}

export function tick(state: State): void {
  const { network, self, socket, outbox } = state;
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
  state.progress.sent(outbox.last, now(self));
  for (const key of state.joining.keys()) {
    const wanted = state.wanted.get(key);
    if (wanted !== undefined) join(state, wanted);
  }
  sayOverflow(state);
  // Behind a write that does not get on, what is told is old before it is read.
  if (!state.writing) tell(state, { type: 'heartbeat', last: outbox.settled, received: 0 });
  state.timer?.cancel();
  state.timer = sendAfter(self, heartbeat, { type: 'tick' });
}
