import { parseMessages } from '../../door/peer/batch.ts';
import { send } from '../../otp/process.ts';
import { now } from '../../otp/timer.ts';
import { PROBE_REALM } from '../../topic/topic-router.ts';
import { keyOf } from '../interest-server.ts';
import { unreachable } from './forwarding.ts';
import { forward, homeIn } from './ordering.ts';
import { answerProbe } from './probe.ts';
import { beat, disconnected } from './serving.ts';
import type { State } from './serving-link-state.ts';
import { CREDIT_BYTES, CREDIT_MESSAGE } from './taking.ts';

/** What the relay at the other end has forwarded: the other side of `forwarding.ts`. */

/** So many messages that were taken are told of at once, and fewer with the next heartbeat. */
const CONFIRM_EVERY = 64;

export function isPaused({ credit }: State): boolean {
  return credit >= CREDIT_BYTES;
}

/** Messages to be given their order here; or, if this is not their home either, one hop further. */
export function forwarded(state: State, payload: Buffer): void {
  const { network, self, serving } = state;
  const frame = parseMessages(payload);
  if (frame === null) {
    disconnected(state, 'not a frame of the protocol');
    return;
  }
  const { accounting } = network.topics();
  for (const batch of frame.batches) {
    const { realm, name, messages, bytes } = batch;
    // From here on they are this relay's to account for.
    serving.stats.taken += messages.length;
    if (realm === PROBE_REALM) {
      answerProbe(state, batch);
      continue;
    }
    const cost = bytes + CREDIT_MESSAGE * messages.length;
    if (homeIn(network, keyOf({ realm, name })) !== network.self.node) {
      if (frame.first > 0 || !forward(network, { realm, name }, messages, 1))
        unreachable(network, messages.length);
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
    accounting.lost[server === undefined ? 'unheard' : 'refused'] += messages.length - taken;
  }
  if (serving.stats.taken - state.confirmed >= CONFIRM_EVERY) beat(state);
  if (isPaused(state)) state.socket?.stream.pause();
}

export function giveBack(state: State, bytes: number): void {
  const wasPaused = isPaused(state);
  state.credit -= bytes;
  if (!wasPaused || isPaused(state)) return;
  state.heardAt = now(state.self);
  state.socket?.stream.resume();
}
