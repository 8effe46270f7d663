import { ending } from '../closed-session.ts';
import { type Event, nothing, type Session, type Step } from '../contract.ts';
import { joiningSession } from '../joining-session.ts';

/** A subscriber of a topic that somebody has started; it is disconnected when the topic ends. */
export function subscriberSession(topic: string, credential: string | null): Session {
  return joiningSession({ topic, while: 'owned', credential, member: subscribed });
}

const topicEnded = ending({ type: 'close', code: 1000, reason: 'topic ended' });

/** What a subscriber sends is ignored, so there is nothing to remember about it: one session serves them all. */
const subscribed: Session = {
  start: () => nothing,
  step: (event: Event): Step => (event.type === 'ended' ? topicEnded : still),
};

const still: Step = [subscribed, nothing];
