import { peerFormat } from '../../door/peer/format.ts';
import type { Publish, Sequencer } from '../../topic/message.ts';
import type { Topic } from '../../topic/topic.ts';
import type { Ordering } from '../backplane.ts';
import { homeOf } from '../home.ts';
import { keyOf, type TopicKey } from '../topic-key.ts';
import type { Network } from './network.ts';

/** One order for all relays of a mesh: the home of a topic is found among the relays that are linked. */
export class MeshOrdering implements Ordering {
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  sequencer(topic: Topic): Sequencer | null {
    const { epochs } = this.#network;
    if (!isHome(this.#network, topic)) return null;
    const last = topic.sequencer;
    // Another relay, which could not reach this one for a while, has ordered messages that came here all the same.
    if (last !== null && last.epoch > epochs.sequencer.epoch) epochs.next();
    return epochs.sequencer;
  }

  forward(topic: Topic, publish: Publish): boolean {
    return forward(this.#network, topic, [publish.message], 0);
  }
}

/** Whether this relay sequences a topic, as far as it can see. */
export function isHome(network: Network, topic: TopicKey): boolean {
  return network.inbound.size === 0 || homeIn(network, topic) === network.self.node;
}

/** Sends messages on to their home. False: it cannot be reached. */
export function forward(
  network: Network,
  { realm, name }: TopicKey,
  messages: readonly Publish['message'][],
  hops: number,
): boolean {
  const home = homeIn(network, { realm, name });
  if (!network.inbound.has(home)) return false;
  const format = peerFormat(realm);
  const parts = messages
    .map((message) => format.render(message, name))
    .filter((part) => typeof part !== 'string');
  return network.inbound.forward(home, format.assemble(parts), parts.length, hops);
}

function homeIn({ self, inbound }: Network, topic: TopicKey): string {
  return homeOf(keyOf(topic), [self.node, ...inbound.nodes]) ?? self.node;
}
