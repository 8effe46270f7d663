import type { Mesh } from '../cluster/mesh/mesh.ts';
import { probe, probeTopic } from '../cluster/mesh/probe.ts';
import type { Nats } from '../cluster/nats/nats.ts';
import type { Way } from '../view/relay-view.ts';

/** The ways to the relays of a mesh. One that is down is missed only where `needed`: the others are to go on. */
export function meshWays({ network }: Mesh, needed: boolean): Way[] {
  const ways = new Map<string, Way>();
  for (const { address, node, state, why } of network.inbound.ways()) {
    const peer = node ?? address;
    ways.set(peer, {
      name: `peer ${peer}`,
      topic: probeTopic(network.self.node, peer).name,
      down: state === 'up' ? null : (why ?? 'not linked yet'),
      needed: needed || state === 'up',
      publish: (message) => probe(network, peer, message),
    });
  }
  return [...ways.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A relay without the network that was chosen for its messages is cut off from all others: it is not ready. */
export function natsWays({ network, probe: around }: Nats): Way[] {
  const { connected, why } = network.stats;
  return [
    {
      name: 'backplane nats',
      topic: around.topic,
      down: connected ? null : (why ?? 'not connected yet'),
      needed: true,
      publish: around.publish,
    },
  ];
}
