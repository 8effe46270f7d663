import { inform } from '../otp/process.ts';
import type { Accounting, LossReason } from './accounting.ts';
import type { Claim, Join, Publish, Topic } from './topic.ts';

/**
 * What becomes of a topic whose server crashes, retires, or is not coming back: each message that is not fanned out is
 * counted once, its publisher's credit comes back, and nobody waits for an answer that will not come.
 */

/** For a topic whose server is not coming back: what waits is lost, and the members must find their way to the next one. */
export function abandonTopic(topic: Topic, accounting: Accounting): void {
  resumeAfterCrash(topic, accounting);
  release(topic, accounting, 'crash');
  topic.server = undefined;
  topic.retired = true;
  for (const member of topic.members.all()) inform(member, { type: 'lost', topic });
  if (topic.lifetime.state === 'owned') inform(topic.lifetime.owner, { type: 'lost', topic });
  for (const request of topic.joining.splice(0)) cannot(request);
  if (topic.claiming !== undefined) cannot(topic.claiming);
}

/**
 * The last incarnation may have crashed while it made a delivery. On a message: that one is lost, and those rendered
 * before it are rendered again. Later, on the bytes of one format: its members lose that delivery, whose messages have
 * been counted.
 */
export function resumeAfterCrash(topic: Topic, accounting: Accounting): void {
  const { queue, members, rendering } = topic;
  if (topic.next === 0) return;
  if (rendering !== undefined) {
    queue.splice(topic.next - 1, 1);
    lose(accounting, rendering, 'crash');
  } else {
    for (const message of queue.splice(0, topic.next)) giveBack(message);
  }
  for (const group of [...members.groups, ...members.remote]) {
    if (rendering === undefined) {
      countUndeliverable(group, accounting);
      accounting.attempts += group.parts.length * group.members.size;
      accounting.dropped.crash += group.parts.length * group.members.size;
    }
    group.parts.length = 0;
    group.undeliverable = 0;
  }
  topic.next = 0;
  topic.rendering = undefined;
}

export function countUndeliverable(group: Topic['members']['groups'][number], accounting: Accounting): void {
  accounting.attempts += group.undeliverable * group.members.size;
  accounting.dropped.undeliverable += group.undeliverable * group.members.size;
  group.undeliverable = 0;
}

/** Nobody will fan out what waits. */
export function release(topic: Topic, accounting: Accounting, why: LossReason): void {
  for (const message of topic.queue.splice(0)) lose(accounting, message, why);
  topic.next = 0;
}

export function lose(accounting: Accounting, message: Publish, why: LossReason): void {
  accounting.messages++;
  accounting.lost[why]++;
  giveBack(message);
}

/** Nobody is left to take the request, and whoever made it waits for an answer. */
export function cannot({ type, member, name }: Join | Claim): void {
  inform(member, { type: 'refused', action: type, name, why: 'unavailable' });
}

/** A publisher whose credit does not come back would wait for ever: it comes back for a message that is lost, too. */
export function giveBack({ from, credit }: Publish): void {
  if (credit > 0) inform(from, { type: 'credit', bytes: credit });
}
