import { keyOf, type TopicKey } from '../../door/peer/codec.ts';
import { inform, type Pid } from '../../otp/process.ts';
import type { System } from '../../otp/system.ts';
import { deny } from '../../topic/fan-out.ts';
import type { Message, Publish, PublisherMessage, Sequencer } from '../../topic/message.ts';
import type { Topic } from '../../topic/topic.ts';
import { hashKey } from '../../topic/topic-name.ts';
import { leftOver, publish } from '../../topic/topic-requests.ts';
import { PROBE_REALM } from '../../topic/topic-router.ts';
import type { LinkMessage, Ordering } from '../backplane.ts';
import type { Underway } from './forwarded-counts.ts';
import type { Forwarding } from './inbound-links.ts';
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
    const { message, key = '' } = publish;
    const { realm, name } = topic;
    const sender = { type: 'publisher', publish } as const;
    return forward(this.#network, { topic: { realm, name }, forwarded: { message, key }, sender, hops: 0 });
  }

  leftOver(topic: Topic): readonly Publish[] {
    return this.#network.leftovers.take(topic);
  }

  home(topic: Topic): string | null {
    const home = homeIn(this.#network, topic);
    return home === this.#network.self.node ? null : home;
  }

  hasLed(since: number): boolean {
    return this.#network.inbound.linkedAt <= since;
  }

  isLinked(relay: string): boolean {
    return this.#network.inbound.has(relay);
  }

  isLinkTo(member: Pid<never>, relay: string): boolean {
    const link: Pid<never> | undefined = this.#network.outbound.to(relay);
    return link === member;
  }

  recall({ realm, name }: Topic, since: string, relay: string | null): readonly string[] {
    const { inbound } = this.#network;
    const behind = { realm, name, since };
    return [...inbound.nodes].filter(
      (node) => (relay === null || relay === node) && inbound.recall(node, behind),
    );
  }

  mayFollow(topic: Topic, last: Sequencer, next: Sequencer): boolean {
    if (next.node === last.node) return next.epoch >= last.epoch;
    if (next.epoch !== last.epoch) return next.epoch > last.epoch;
    return outranks(next.node, last.node, keyOf(topic));
  }
}

/** Whether this relay sequences a topic, as far as it can see. */
export function isHome(network: Network, topic: TopicKey): boolean {
  const { inbound, coming, self } = network;
  return (inbound.size === 0 && coming.size === 0) || homeIn(network, topic) === self.node;
}

/** Sends a message on to its home, or has it wait until the home is linked. False: it cannot be reached. */
export function forward(network: Network, forwarding: Forwarding): boolean {
  const home = homeIn(network, forwarding.topic);
  return network.coming.hold(home, forwarding) || network.inbound.forward(home, forwarding);
}

/** What was sent to a relay that has left without having taken it, or that has not come, goes to the next home, before all that comes later. */
export function forwardAnew(network: Network, system: System, messages: readonly Underway[]): void {
  const topics = network.topics();
  const waking = new Map<string, TopicKey>();
  for (const message of messages) {
    const { topic, forwarded, sender } = message;
    if (sender.type === 'publisher') {
      network.leftovers.put(topic, { ...sender.publish, credit: 0 });
      waking.set(keyOf(topic), topic);
    } else if (
      sender.type === 'nobody' ||
      !inform(sender.link, { type: 'anew', number: sender.number, topic, forwarded })
    ) {
      network.forwarded.unreachable(null, [message]);
    }
  }
  for (const { realm, name } of waking.values()) {
    const topic = topics.find(realm, name);
    if (topic !== undefined && leftOver(topic)) continue;
    for (const publish of network.leftovers.take({ realm, name })) {
      if (topics.publish(system, realm, name, topic, publish)) continue;
      topics.accounting.lose(1, 'unreachable');
      deny(publish, name);
    }
  }
}

function homeIn({ self, inbound, coming }: Network, topic: TopicKey): string {
  return homeOf(keyOf(topic), [self.node, ...inbound.nodes, ...coming.nodes]) ?? self.node;
}

/**
 * Which relay gives a topic's messages their order, where all relays are to see one: the home, by rendezvous hashing
 * (Thaler and Ravishankar, 1998). Every relay finds the same one among the same live relays, and when one dies only its
 * own topics move.
 */
export function homeOf(key: string, nodes: Iterable<string>): string | undefined {
  let best: string | undefined;
  for (const node of nodes) if (best === undefined || outranks(node, best, key)) best = node;
  return best;
}

/** Whether `a` comes before `b` as the topic's home. */
export function outranks(a: string, b: string, key: string): boolean {
  const difference = score(a, key) - score(b, key);
  return difference === 0 ? a < b : difference > 0;
}

/** MurmurHash3's last mixing, without which names that differ in one letter would hardly differ in their scores. */
function score(node: string, key: string): number {
  let hash = hashKey(`${node}\0${key}`);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Proves that messages flow over a link: a probe goes to the other relay to be given its order there, in a topic that nobody
 * but this relay is in, and comes back as every message of that topic would. Both directions of the link are proved.
 */
export function probeTopic(asking: string, asked: string): TopicKey {
  return { realm: PROBE_REALM, name: `link ${asking} ${asked}` };
}

/** Of all that this relay wants of the relay of that name, the topic of its probes is a part. */
export function withProbes(
  { self }: Network,
  node: string,
  message: Extract<LinkMessage, { readonly type: 'interest' }>,
): typeof message {
  if (!message.all) return message;
  return { ...message, add: [...message.add, probeTopic(self.node, node)] };
}

/** Returns why it could not be sent. */
export function probe({ self, inbound }: Network, node: string, message: Message): string | null {
  if (!inbound.has(node)) return 'it is not linked any more';
  const probes = probeTopic(self.node, node);
  const sender = { type: 'nobody' } as const;
  return inbound.forward(node, { topic: probes, forwarded: { message, key: '' }, sender, hops: 0 })
    ? null
    : 'its link takes nothing';
}

/** The link `from` publishes probes of the other relay, which gets them back. They are for nobody else. */
export function answerProbe(from: Pid<PublisherMessage>, topic: Topic, messages: readonly Message[]): void {
  for (const message of messages) publish(topic, { type: 'publish', message, from, credit: 0, via: null });
}
