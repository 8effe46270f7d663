import { type Command, type Event, nothing, type Session, type Step } from '../contract.ts';
import { forbidden, refusal, textReply } from '../replies.ts';
import { becoming, closing, credentialSession, ending, joiningSession, question } from '../sessions.ts';

/** A subscriber of a topic that somebody has started; it is disconnected when the topic ends. */
export function subscriberSession(topic: string, credential: string | null): Session {
  return joiningSession({ topic, while: 'owned', credential, accepted: () => still });
}

const topicEnded = ending({ type: 'close', code: 1000, reason: 'topic ended' });

/** What a subscriber sends is ignored, so there is nothing to remember about it: one session serves them all. */
const subscribed: Session = {
  start: () => nothing,
  step: (event: Event): Step => (event.type === 'ended' ? topicEnded : still),
};

const still: Step = [subscribed, nothing];

/** The publisher of a topic: its key is judged, then it claims the topic, then the upgrade is accepted. */
export function ownerSession(key: string, topic: string): Session {
  return credentialSession(key, () => becoming(claimingSession(topic)), forbidden);
}

const conflict = textReply(409, 'Conflict: the topic has a publisher');

function claimingSession(topic: string): Session {
  return question({ type: 'claim', topic }, (event) => {
    switch (event.type) {
      case 'claimed':
        return [new OwnerSession(topic), [{ type: 'accept' }]];
      case 'refused':
        // Forbidden: the key is good, but for another domain.
        return ending(event.why === 'owned' ? conflict : refusal(event.why, true));
      default:
        return null;
    }
  });
}

class OwnerSession implements Session {
  readonly topic: string;

  constructor(topic: string) {
    this.topic = topic;
  }

  start(): readonly Command[] {
    return nothing;
  }

  step(event: Event): Step {
    switch (event.type) {
      case 'text':
      case 'binary': {
        const { type: kind, payload } = event;
        return [this, [{ type: 'publish', topic: this.topic, message: { kind, payload } }]];
      }
      case 'refused':
        // Of the publish or the renewed claim of an owner: after two claims at once the topic has another owner.
        return closing(event.why);
      default:
        return [this, nothing];
    }
  }
}
