import type { Batch } from '../../door/peer/batch.ts';
import { send } from '../../otp/process.ts';
import { now } from '../../otp/timer.ts';
import { hangUp } from './dialling.ts';
import type { State } from './peer-link-state.ts';

/** What comes over a link. */

/** Bytes on their way to this relay's topics before a link reads no more, in either direction. */
export const CREDIT_BYTES = 4 * 1024 * 1024;
/** What a message costs beside its own bytes. */
export const CREDIT_MESSAGE = 64;

/** Publishes what has come. The last message of a batch brings back the credit of all. */
export function messages(state: State, first: number, batches: readonly Batch[]): void {
  const { network, self, stats, via } = state;
  if (stats === undefined || first <= stats.last) {
    // A number that was there before would be a message delivered twice.
    hangUp(state, 'a number came twice');
    return;
  }
  const { accounting } = network.topics();
  stats.last = first - 1;
  for (const { realm, name, messages: list, bytes } of batches) {
    const { length } = list;
    // Before they are handed on: after a crash in between they have come, and have not been missed.
    stats.last += length;
    stats.received += length;
    const server = network.topics().find(realm, name)?.server;
    if (server === undefined) {
      // Nobody is in the topic any more, or it is just being lost.
      accounting.messages += length;
      accounting.lost.unheard += length;
      continue;
    }
    const cost = bytes + CREDIT_MESSAGE * length;
    let refused = 0;
    for (let i = 0; i < length; i++) {
      const message = list[i] as (typeof list)[number];
      const credit = i === length - 1 ? cost : 0;
      if (send(server, { type: 'publish', message, from: self, credit, via })) state.credit += credit;
      else refused++;
    }
    accounting.messages += refused;
    accounting.lost.refused += refused;
  }
  if (!state.paused && state.credit >= CREDIT_BYTES) {
    state.paused = true;
    state.socket?.pause();
  }
}

export function giveBack(state: State, bytes: number): void {
  state.credit -= bytes;
  if (!state.paused || state.credit > CREDIT_BYTES / 2) return;
  state.paused = false;
  state.heardAt = now(state.self);
  state.socket?.resume();
}
