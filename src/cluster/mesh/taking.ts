import { type Batch, forwardedFrame } from '../../door/peer/batch.ts';
import { send } from '../../otp/process.ts';
import { now } from '../../otp/timer.ts';
import { hangUp } from './dialling.ts';
import type { Network } from './network.ts';
import type { State } from './peer-link-state.ts';

/** What comes over a link, and what goes the other way to be given its order. */

/** Bytes on their way to this relay's topics before the link reads no more. */
const CREDIT_BYTES = 4 * 1024 * 1024;

const CREDIT_MESSAGE = 64;

/** Publishes what has come. The last message of a batch brings back the credit of all. */
export function messages(state: State, first: number, batches: readonly Batch[]): void {
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

export function giveBack(state: State, bytes: number): void {
  state.credit -= bytes;
  if (!state.paused || state.credit > CREDIT_BYTES / 2) return;
  state.paused = false;
  state.heardAt = now(state.self);
  state.socket?.resume();
}

/** A link that does not get on loses what is more than may wait, as in the other direction. */
export function pass({ network, socket, phase }: State, bytes: Buffer, count: number, hops: number): void {
  const { pending } = network.settings;
  if (phase === 'linked' && socket !== undefined && (pending === 0 || socket.bufferedAmount <= pending))
    socket.send(forwardedFrame(hops, [bytes]));
  else unreachable(network, count);
}

/** Counts messages that did not get to the relay that would have given them their order. */
export function unreachable(network: Network, count: number): void {
  const { accounting } = network.topics();
  accounting.messages += count;
  accounting.lost.unreachable += count;
}
