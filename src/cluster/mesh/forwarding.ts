import { forwardedFrame } from '../../door/peer/batch.ts';
import type { Relay } from '../../door/peer/codec.ts';
import { now } from '../../otp/timer.ts';
import { FORGET, type Forwarding, type Network } from './network.ts';
import type { State } from './peer-link-state.ts';

/**
 * What goes to another relay to be given its order there, and what becomes of it. This relay counts what it has handed
 * to the connection, and the other one what it has taken; it says so in each heartbeat, and when a link is made again.
 * Then nothing is under way, so the difference was lost with the connection before, to the message. Of a relay that does
 * not come back, or has been started anew, only what it has said can be gone by: what it took after that is counted
 * as lost, too.
 */

/** A link that does not get on loses what is more than may wait, as in the other direction. */
export function pass(state: State, bytes: Buffer, count: number, hops: number): void {
  const { network, socket, phase, dialled } = state;
  const { pending } = network.settings;
  const forwarding = dialled.node === null ? undefined : network.forwarding.get(dialled.node);
  if (phase === 'linked' && socket !== undefined && (pending === 0 || socket.bufferedAmount <= pending)) {
    socket.send(forwardedFrame(hops, [bytes]));
    if (forwarding !== undefined) forwarding.sent += count;
    return;
  }
  if (forwarding !== undefined) forwarding.unreachable += count;
  unreachable(network, count);
}

/** Counts messages that did not get to the relay that would have given them their order. */
export function unreachable(network: Network, count: number): void {
  const { accounting } = network.topics();
  accounting.messages += count;
  accounting.lost.unreachable += count;
}

/**
 * A link has been made, and the other relay has taken `taken` messages that this one has forwarded. Returns how many were
 * lost on the way to it. One that has said that it had more has forgotten, and counts from the beginning.
 */
export function linkedAgain(network: Network, { node, incarnation }: Relay, taken: number): number {
  const before = network.forwarding.get(node);
  let lost = 0;
  if (before !== undefined) {
    const remembers = before.incarnation === incarnation && taken >= before.taken;
    lost = Math.max(0, before.sent - (remembers ? taken : before.taken));
    unreachable(network, lost);
  }
  network.forwarding.set(node, {
    incarnation,
    sent: taken,
    taken,
    unreachable: (before?.unreachable ?? 0) + lost,
    partedAt: null,
  });
  return lost;
}

/** The other relay says how many it has taken. */
export function confirmed({ network, dialled }: State, taken: number): void {
  const forwarding = dialled.node === null ? undefined : network.forwarding.get(dialled.node);
  if (forwarding !== undefined) forwarding.taken = taken;
}

/** The link has ended. Returns of how many messages nobody can tell yet whether they have been taken. */
export function parted({ network, self }: State, node: string): number {
  const forwarding = network.forwarding.get(node);
  if (forwarding === undefined) return 0;
  forwarding.partedAt = now(self);
  return forwarding.sent - forwarding.taken;
}

/** A relay that has been away for so long has forgotten what it took. */
export function forgetIfLongGone({ network, self, dialled }: State): void {
  const partedAt = dialled.node === null ? null : (network.forwarding.get(dialled.node)?.partedAt ?? null);
  if (dialled.node !== null && partedAt !== null && now(self) - partedAt >= FORGET)
    settleForwarded(network, dialled.node);
}

/** The relay is not waited for any more: what it has not confirmed is lost. */
export function settleForwarded(network: Network, node: string): void {
  const forwarding = network.forwarding.get(node);
  if (forwarding === undefined) return;
  network.forwarding.delete(node);
  unreachable(network, unconfirmed(forwarding));
}

function unconfirmed({ sent, taken }: Forwarding): number {
  return sent - taken;
}
