import { peerFormat } from '../../door/peer/format.ts';
import { send } from '../../otp/process.ts';
import type { Sequencer } from '../../topic/elsewhere.ts';
import type { Publish, Topic } from '../../topic/topic.ts';
import type { Ordering } from '../backplane.ts';
import { homeOf } from '../home.ts';
import { keyOf } from '../interest-server.ts';
import type { Network } from './network.ts';

/** One order for all relays of a mesh: the home of a topic is found among the relays that are linked. */
export class MeshOrdering implements Ordering {
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  sequencer(topic: Topic): Sequencer | null {
    const { self, order, nodes } = this.#network;
    if (nodes.size > 0 && homeIn(this.#network, keyOf(topic)) !== self.node) return null;
    const last = topic.ordering?.sequencer ?? null;
    // Another relay, which could not reach this one for a while, has ordered messages that came here all the same.
    if (last !== null && last.epoch > order.epoch) newEpoch(this.#network);
    return order.self;
  }

  forward(topic: Topic, publish: Publish): boolean {
    return forward(this.#network, topic, [publish.message], 0);
  }
}

/** The relay that sequences a topic, as far as this one can see. */
export function homeIn({ self, nodes }: Network, key: string): string {
  return homeOf(key, [self.node, ...nodes.keys()]) ?? self.node;
}

/** Sends messages on to their home. False: it cannot be reached. */
export function forward(
  network: Network,
  { realm, name }: { readonly realm: string; readonly name: string },
  messages: readonly Publish['message'][],
  hops: number,
): boolean {
  const link = network.nodes.get(homeIn(network, keyOf({ realm, name })));
  if (link === undefined) return false;
  const format = peerFormat(realm);
  const parts = messages
    .map((message) => format.render(message, name))
    .filter((part) => typeof part !== 'string');
  return send(link, { type: 'forward', bytes: format.assemble(parts), count: parts.length, hops });
}

/** Other relays are live than before: whoever sequences from here on comes after all that was. */
export function newEpoch({ order, self }: Network): void {
  order.epoch = order.highest + 1;
  order.highest = order.epoch;
  order.self = { node: self.node, epoch: order.epoch };
}

/** Somebody has told of an epoch. */
export function heardOf({ order }: Network, epoch: number): void {
  order.highest = Math.max(order.highest, epoch);
}
