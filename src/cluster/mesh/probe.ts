import { peerFormat } from '../../door/peer/format.ts';
import type { Pid } from '../../otp/process.ts';
import type { Message } from '../../topic/message.ts';
import type { MemberMessage, Topic } from '../../topic/topic.ts';
import { PROBE_REALM } from '../../topic/topic-router.ts';
import { publish } from '../../topic/topic-server.ts';
import type { LinkMessage } from '../backplane.ts';
import type { TopicKey } from '../topic-key.ts';
import type { Network } from './network.ts';

/**
 * Proves that messages flow over a link: one goes to the other relay to be given its order there, in a topic that nobody
 * but this relay is in, and comes back as every message of that topic would. Both directions of the link are proved.
 */
export function probeTopic(asking: string, asked: string): TopicKey {
  return { realm: PROBE_REALM, name: `link ${asking} ${asked}` };
}

/** Of all that this relay wants of the other one, of that name, the topic of its probes is a part. */
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
  const { realm, name } = probeTopic(self.node, node);
  const format = peerFormat(realm);
  const part = format.render(message, name);
  if (typeof part === 'string') return part;
  return inbound.forward(node, format.assemble([part]), 1, 0) ? null : 'its link takes nothing';
}

/** `from` publishes what the other relay has sent to have it back. It is for nobody else. */
export function answerProbe(from: Pid<MemberMessage>, topic: Topic, messages: readonly Message[]): void {
  for (const message of messages) publish(topic, { type: 'publish', message, from, credit: 0, via: null });
}
