import type { Batch } from '../../door/peer/batch.ts';
import { peerFormat } from '../../door/peer/format.ts';
import { send } from '../../otp/process.ts';
import type { Message } from '../../topic/message.ts';
import { PROBE_REALM } from '../../topic/topic-router.ts';
import type { LinkMessage, TopicKey } from '../backplane.ts';
import { keyOf } from '../interest-server.ts';
import type { Network } from './network.ts';
import type { State as PeerLinkState } from './peer-link-state.ts';
import type { State as ServingLinkState } from './serving-link-state.ts';

/**
 * Proves that messages flow over a link: one goes to the other relay to be given its order there, in a topic that nobody
 * but this relay is in, and comes back as every message of that topic would. Both directions of the link are proved.
 */
export function probeTopic(asking: string, asked: string): TopicKey {
  return { realm: PROBE_REALM, name: `link ${asking} ${asked}` };
}

/** Of all that this relay wants of the other one, the topic of its probes is a part. */
export function withProbes(
  { network, via }: PeerLinkState,
  message: Extract<LinkMessage, { readonly type: 'interest' }>,
): typeof message {
  if (!message.all) return message;
  return { ...message, add: [...message.add, probeTopic(network.self.node, via.node)] };
}

/** Returns why it could not be sent. */
export function probe({ self, nodes }: Network, node: string, message: Message): string | null {
  const link = nodes.get(node);
  if (link === undefined) return 'it is not linked any more';
  const { realm, name } = probeTopic(self.node, node);
  const format = peerFormat(realm);
  const part = format.render(message, name);
  if (typeof part === 'string') return part;
  return send(link, { type: 'forward', bytes: format.assemble([part]), count: 1, hops: 0 })
    ? null
    : 'its link takes nothing';
}

/** What the other relay has sent to have it back. It is for nobody else. */
export function answerProbe({ self, wanted }: ServingLinkState, { realm, name, messages }: Batch): void {
  const topic = wanted.get(keyOf({ realm, name }))?.topic;
  if (topic?.server === undefined) return;
  for (const message of messages)
    send(topic.server, { type: 'publish', message, from: self, credit: 0, via: null });
}
