import type { Mesh } from '../cluster/mesh/mesh.ts';
import type { Nats } from '../cluster/nats/nats.ts';
import type { System } from '../otp/system.ts';
import type { LinkView } from '../view/link-view.ts';

/** The links of a mesh, two for each relay in the list: an inbound one, which this relay has dialled, and an outbound one. */
export function meshLinks({ network }: Mesh, { clock }: System): LinkView[] {
  const links: LinkView[] = [];
  const named = new Set<string>();
  for (const { address, node, state, why, links: made, roundTrip } of network.inbound.ways()) {
    const counts = node === null ? undefined : network.inbound.countsOf(node);
    if (node !== null) named.add(node);
    links.push({
      peer: node ?? address,
      direction: 'in',
      state: state === 'up' ? 'up' : 'down',
      address,
      why,
      roundTrip: roundTrip === null ? null : roundTrip / 1000,
      lag: null,
      messages: counts?.received ?? 0,
      bytes: counts?.bytes ?? 0,
      lost: counts?.lost ?? 0,
      pending: 0,
      reconnects: Math.max(0, made - 1),
    });
  }
  const now = clock.now();
  for (const [node, served] of network.outbound.all()) {
    const { connection, outbox, links: made, pending } = served;
    const live = connection !== undefined;
    // One that has left the list, or its name, is forgotten as soon as it is gone.
    if (!live && !named.has(node)) continue;
    const lost = outbox.dropped.overflow + outbox.dropped.unlinked;
    // What goes there to be given its order goes over the connection of the other direction.
    const unreachable = network.forwarded.of(node)?.unreachable ?? 0;
    links.push({
      peer: node,
      direction: 'out',
      state: live ? 'up' : 'down',
      address: null,
      why: live ? null : 'it has not come back',
      roundTrip: null,
      lag: live ? served.lag(now) / 1000 : null,
      messages: outbox.last - lost,
      bytes: outbox.written,
      lost: lost + unreachable,
      pending,
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
