import { inform, send } from '../otp/process.ts';
import type { Accounting } from './accounting.ts';
import { Delivery } from './delivery.ts';
import { countUndeliverable, giveBack } from './losses.ts';
import type { Message } from './message.ts';
import type { Publish, Topic } from './topic.ts';
import type { TopicServerState } from './topic-server-state.ts';

/** Bytes of messages in one delivery, so that members can say that they are behind before the next one. */
const DELIVERY_BYTES = 64 * 1024;

export function hasWaiting({ queue, next }: Topic): boolean {
  return next < queue.length;
}

/** There is something to fan out, and nobody to wait for. */
export function isReady(topic: Topic): boolean {
  return hasWaiting(topic) && topic.behind.size === 0;
}

/** Fans out what has been published, up to one delivery's worth. */
export function fanOut(state: TopicServerState): void {
  const { topic, accounting, self, elsewhere } = state;
  const { queue, members } = topic;
  const uplink = elsewhere?.uplink ?? null;
  const upward: Message[] | null = uplink === null ? null : [];
  const first = topic.next;
  let bytes = 0;
  let unheard = 0;
  let acceptedAt = 0;
  while (topic.next < queue.length && bytes < DELIVERY_BYTES) {
    const publish = queue[topic.next] as Publish;
    topic.rendering = publish;
    topic.next++;
    const { message } = publish;
    if (acceptedAt === 0 && publish.acceptedAt !== undefined) acceptedAt = publish.acceptedAt;
    bytes += message.payload.length;
    const { groups, remote } = members;
    const count = publish.via !== null ? groups.length : groups.length + remote.length;
    if (upward !== null && publish.via === null) upward.push(message);
    else if (count === 0) unheard++;
    for (let i = 0; i < count; i++) {
      const group = (i < groups.length ? groups[i] : remote[i - groups.length]) as (typeof groups)[number];
      const part = group.format.render(message, topic.name);
      if (part === 'nothing') continue;
      if (part === 'undeliverable') group.undeliverable++;
      else group.parts.push(part);
    }
  }
  topic.rendering = undefined;
  const end = topic.next;
  accounting.messages += end - first;
  accounting.lost.unheard += unheard;
  topic.messages += end - first;
  // First, since it cannot fail: were a delivery to crash, the messages would not be made again.
  if (uplink !== null && upward !== null && upward.length > 0) {
    state.used = true;
    uplink.publish(topic, upward, accounting);
  }
  for (const group of members.groups) deliver(group, topic, accounting, acceptedAt);
  for (const group of members.remote) deliver(group, topic, accounting, acceptedAt);
  for (let i = first; i < end; i++) {
    const publish = queue[i] as Publish;
    if (publish.credit > 0) giveBack(publish);
  }
  if (end === queue.length) {
    queue.length = 0;
    topic.next = 0;
    return;
  }
  // What is left waits for the members to have had their turn.
  queue.splice(0, end);
  topic.next = 0;
  inform(self, { type: 'continue' });
}

/** One delivery for all members of a group, of what has been rendered for it. */
function deliver(
  group: Topic['members']['groups'][number],
  topic: Topic,
  accounting: Accounting,
  acceptedAt: number,
): void {
  const { format, members, parts } = group;
  if (group.undeliverable > 0) countUndeliverable(group, accounting);
  if (parts.length === 0) return;
  const delivery = new Delivery(format.assemble(parts), parts.length, accounting, acceptedAt);
  if (acceptedAt !== 0) accounting.samples.fanOut.observe(members.size);
  parts.length = 0;
  const attempts = delivery.count * members.size;
  accounting.attempts += attempts;
  topic.attempts += attempts;
  for (const member of members.keys()) {
    if (!send(member, delivery)) accounting.dropped.gone += delivery.count;
  }
}
