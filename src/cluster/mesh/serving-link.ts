import { type ClaimsFrame, FORWARDED, parsePeerFrame } from '../../door/peer/codec.ts';
import { type Behaviour, keep, type Next, stop } from '../../otp/behaviour.ts';
import { isOrderly } from '../../otp/exit-reason.ts';
import { inform } from '../../otp/process.ts';
import { informNamed } from '../../otp/registry.ts';
import { now, sendAfter } from '../../otp/timer.ts';
import { Delivery } from '../../topic/delivery.ts';
import { reportAnswer } from './answers.ts';
import { forwarded, giveBack, isPaused } from './forwarded.ts';
import { LinkOutbox } from './link-outbox.ts';
import type { Serving } from './network.ts';
import { confirm, interest, join, joined, rejoin } from './peer-interest.ts';
import { Progress } from './progress.ts';
import { answer, beat, disconnected, flush, queue, sayOverflow, tell, written } from './serving.ts';
import type { ServingLinkArgs, ServingLinkMessage, State } from './serving-link-state.ts';

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
    const { node, incarnation } = hello.relay;
    // A link that was served by a process that crashed or was killed goes on with its counts.
    const before = network.serving.get(node);
    const last = hello.of === network.self.incarnation ? hello.last : 0;
    const stats =
      before?.incarnation === incarnation
        ? before.stats
        : { last: 0, overflow: 0, unlinked: 0, lost: 0, bytes: 0, taken: 0 };
    stats.last = Math.max(stats.last, last);
    const serving: Serving = {
      incarnation,
      pid: self,
      live: false,
      links: 0,
      stats,
      pending: () => state.outbox.bytes + (state.socket?.stream.writableLength ?? 0),
      lag: (time) => state.progress.lag(time),
    };
    network.serving.set(node, serving);
    const state: State = {
      ...args,
      self,
      serving,
      outbox: new LinkOutbox(stats.last),
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
      confirmed: 0,
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

  terminate(state, reason) {
    const { network, hello, serving } = state;
    disconnected(state, 'ended');
    for (const { topic } of state.wanted.values())
      if (topic?.server !== undefined) inform(topic.server, { type: 'leave', member: state.self });
    const { node } = hello.relay;
    // Where it is to go on, as after a restart of the processes around it, its counts are there for the next one.
    if (reason === 'normal' && network.serving.get(node) === serving) network.serving.delete(node);
  },

  salvage(state) {
    disconnected(state, 'killed');
  },

  /** What came in behind its end, such as that of a link to a relay that has been started anew. */
  undelivered(message, reason, state) {
    if (!(message instanceof Delivery)) return;
    message.accounting.dropped[isOrderly(reason) ? 'unlinked' : 'crash'] += message.count;
    if (state === undefined) return;
    const { outbox, serving } = state;
    outbox.skip(message.count);
    serving.stats.last = outbox.last;
    serving.stats.unlinked += message.count;
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
  state.confirmed = serving.stats.taken;
  tell(state, {
    type: 'welcome',
    mac,
    next: outbox.last + 1,
    epoch: state.epoch,
    taken: serving.stats.taken,
  });
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

export function claims(state: State, frame: ClaimsFrame): void {
  const { network, self, hello, socket } = state;
  if (frame.begin) state.claims = [];
  const { ref } = frame;
  if (state.claims !== undefined) {
    for (const claim of frame.claims) state.claims.push(claim);
    if (!frame.end) return;
  }
  const judge = (granted: boolean) => {
    if (state.socket === socket) answer(state, { type: 'verdict', ref, granted });
  };
  informNamed(self.system, network.ownership, {
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
  if (bytesRead !== state.bytesRead || isPaused(state)) state.heardAt = now(self);
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
  beat(state);
  state.timer?.cancel();
  state.timer = sendAfter(self, heartbeat, { type: 'tick' });
}
