import { websocketFrames } from '../../door/frame.ts';
import { messagesHeader, topicOfBatch } from '../../door/peer/batch.ts';
import { type Answer, encodePeerFrame, type PeerFrame } from '../../door/peer/codec.ts';
import { inform, send } from '../../otp/process.ts';
import { informNamed } from '../../otp/registry.ts';
import { sendAfter } from '../../otp/timer.ts';
import type { Delivery } from '../../topic/delivery.ts';
import { FORGET } from './network.ts';
import type { State } from './serving-link-state.ts';

/** How messages get to the relay at the other end, and what becomes of those that do not. */

const WRITE_BYTES = 256 * 1024;

/** Topics that one log line names. */
const TOPICS_LOGGED = 100;

const NOTHING = Buffer.alloc(0);

export function queue(state: State, delivery: Delivery): void {
  const { outbox, socket, network, serving } = state;
  const { accounting } = network.topics();
  const { dropped } = accounting;
  const { count, bytes } = delivery;
  const { pending } = network.settings;
  // A probe that goes over a link is a message like any other there, and is counted from here on.
  if (delivery.accounting !== accounting) {
    delivery.accounting.delivered += count;
    accounting.messages += count;
    accounting.attempts += count;
  }
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
export function flush(state: State): void {
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
    state.serving.stats.bytes += length;
    state.inFlight = count;
    stream.cork();
    stream.write(messagesHeader(taken[0]?.first ?? 0, length));
    for (const { bytes } of taken) stream.write(bytes);
    stream.uncork();
    if (stream.writableLength > 0) {
      state.writing = true;
      stream.write(NOTHING, (error) => {
        if (error == null) inform(self, { type: 'written', socket });
      });
      return;
    }
    // A write that has failed at once: its connection has ended, and counts what was in flight.
    if (stream.errored !== null) return;
    written(state);
  }
}

export function written(state: State): void {
  state.writing = false;
  state.network.topics().accounting.delivered += state.inFlight;
  state.inFlight = 0;
}

/** Tells how far this end is. Behind a write that does not get on it would be old before it is read. */
export function beat(state: State): void {
  const { outbox, serving, writing } = state;
  if (writing) return;
  state.confirmed = serving.stats.taken;
  tell(state, { type: 'heartbeat', last: outbox.settled, received: state.confirmed });
}

export function tell({ socket }: State, frame: PeerFrame): void {
  if (socket?.stream.writable === true)
    socket.stream.write(websocketFrames([{ opcode: 2, payload: encodePeerFrame(frame) }]));
}

/**
 * Says what somebody over there waits for. Behind messages that a slow link has taken it would be late: it goes over the
 * connection that this relay has made to the same one, where no messages are, as long as there is one.
 */
export function answer(state: State, frame: Answer): void {
  const { network, hello } = state;
  const link = network.linked.get(hello.relay.incarnation);
  if (link === undefined || !send(link, { type: 'answer', frame })) tell(state, frame);
}

export function disconnected(state: State, why: string): void {
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
  state.progress.clear();
  state.timer?.cancel();
  // Ended in good order, what was written still goes out.
  if (why === 'ended') socket.stream.destroySoon();
  else socket.stream.destroy();
  sayOverflow(state);
  network.log.note('not serving', { peer: hello.relay.node, why, dropped: count });
  informNamed(self.system, network.ownership, { type: 'unheard', node: hello.relay.node });
  state.timer = sendAfter(self, FORGET, { type: 'forget' });
}

/** What has not been sent for want of room since it was said last, by topic. */
export function sayOverflow({ network, hello, overflow }: State): void {
  if (overflow.size === 0) return;
  network.log.warn('link overflow', { peer: hello.relay.node, topics: Object.fromEntries(overflow) });
  overflow.clear();
}
