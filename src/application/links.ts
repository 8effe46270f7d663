import type { Mesh } from '../cluster/mesh/mesh.ts';
import type { Nats } from '../cluster/nats/nats.ts';
import type { LinkView } from '../console/link-view.ts';
import type { System } from '../otp/system.ts';

/** The links of a mesh, two for each relay in the list: one that takes, which this relay has dialled, and one that serves. */
export function meshLinks({ network }: Mesh, { clock }: System): LinkView[] {
  const links: LinkView[] = [];
  const named = new Set<string>();
  for (const [address, { node, state, why, links: made, roundTrip }] of network.dialled) {
    // The list names this relay as well; and a name of one that is linked may have more addresses than one.
    if (state === 'needless' || (node !== null && state !== 'up' && network.nodes.has(node))) continue;
    const taking = node === null ? undefined : network.taking.get(node);
    if (node !== null) named.add(node);
    links.push({
      peer: node ?? address,
      direction: 'in',
      state: state === 'up' ? 'up' : 'down',
      address,
      why,
      roundTrip: roundTrip === null ? null : roundTrip / 1000,
      lag: null,
      messages: taking?.received ?? 0,
      bytes: taking?.bytes ?? 0,
      lost: taking === undefined ? 0 : taking.last - taking.received,
      pending: 0,
      reconnects: Math.max(0, made - 1),
    });
  }
  const now = clock.now();
  for (const [node, { live, stats, links: made, pending, lag }] of network.serving) {
    // One that has left the list, or its name, is forgotten as soon as it is gone.
    if (!live && !named.has(node)) continue;
    const lost = stats.overflow + stats.unlinked;
    // What goes there to be given its order goes over the connection of the other direction.
    const unreachable = network.forwarding.get(node)?.unreachable ?? 0;
    links.push({
      peer: node,
      direction: 'out',
      state: live ? 'up' : 'down',
      address: null,
      why: live ? null : 'it has not come back',
      roundTrip: null,
      lag: live ? lag(now) / 1000 : null,
      messages: stats.last - lost,
      bytes: stats.bytes,
      lost: lost + unreachable,
      pending: pending(),
      reconnects: Math.max(0, made - 1),
    });
  }
  return links.sort((a, b) => (a.peer === b.peer ? 0 : a.peer < b.peer ? -1 : 1));
}

/** What links a relay to a NATS network, and to the other relays that are heard of there. */
export function natsLinks({ network: { stats, open } }: Nats): LinkView[] {
  const { connected, connects, server, why, roundTrip } = stats;
  const link = {
    peer: 'nats',
    state: connected ? 'up' : 'down',
    address: server,
    why,
    roundTrip: roundTrip === null ? null : roundTrip / 1000,
    lag: null,
    reconnects: Math.max(0, connects - 1),
  } as const;
  const { sent, overflow, unlinked, tooLarge, received, refused } = stats;
  return [
    { ...link, direction: 'in', messages: received, bytes: stats.bytesIn, lost: refused, pending: 0 },
    {
      ...link,
      direction: 'out',
      messages: sent,
      bytes: stats.bytesOut,
      lost: overflow + unlinked + tooLarge,
      pending: open?.window.bytes ?? 0,
    },
    ...stats.peers.toSorted().map(
      (peer): LinkView => ({
        peer,
        direction: 'in',
        state: 'up',
        address: 'heard over nats',
        why: null,
        roundTrip: null,
        lag: null,
        messages: null,
        bytes: null,
        lost: 0,
        pending: 0,
        reconnects: 0,
      }),
    ),
  ];
}
