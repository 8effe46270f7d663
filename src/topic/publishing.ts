import { inform } from '../otp/process.ts';
import type { Accounting } from './accounting.ts';
import type { Elsewhere } from './elsewhere.ts';
import { mayPublish } from './lifetime.ts';
import { giveBack, lose } from './losses.ts';
import type { Publish, Topic } from './topic.ts';
import type { TopicServerState } from './topic-server-state.ts';

/** Puts what is published into the topic's order, where the publisher may and where this relay makes the order. */
export function publish({ topic, accounting, elsewhere }: TopicServerState, message: Publish): void {
  if (message.via === null && !mayPublish(topic.lifetime, message.from)) {
    inform(message.from, { type: 'refused', action: 'publish', name: topic.name, why: 'owned' });
    lose(accounting, message, 'refused');
    return;
  }
  if (topic.ordering !== null && elsewhere !== null)
    sequence(topic, topic.ordering, elsewhere, accounting, message);
  else topic.queue.push(message);
}

/** One order for all relays: what is published goes to the relay that makes it, and comes back from there. */
function sequence(
  topic: Topic,
  ordering: NonNullable<Topic['ordering']>,
  elsewhere: Elsewhere,
  accounting: Accounting,
  message: Publish,
): void {
  const sequencer = message.via ?? elsewhere.sequencer(topic);
  if (sequencer === null) {
    if (elsewhere.forward(topic, message)) giveBack(message);
    else lose(accounting, message, 'unreachable');
    return;
  }
  const last = ordering.sequencer;
  if (last !== null && last !== sequencer && !elsewhere.mayFollow(topic, last, sequencer)) {
    lose(accounting, message, 'stale');
    return;
  }
  ordering.sequencer = sequencer;
  topic.queue.push(message);
}
