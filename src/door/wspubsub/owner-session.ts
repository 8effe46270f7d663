import { ending } from '../closed-session.ts';
import { type Command, type Event, nothing, type Refused, type Session, type Step } from '../contract.ts';
import { forbidden, internalError, refusal, textReply, unavailable } from '../replies.ts';

/** The publisher of a topic: its key is judged, then it claims the topic, then the upgrade is accepted. */
export function ownerSession(key: string, topic: string): Session {
  return new KeyedSession(key, topic);
}

const accepted: readonly Command[] = [{ type: 'accept' }];
const conflict = textReply(409, 'Conflict: the topic has a publisher');

class KeyedSession implements Session {
  readonly topic: string;
  // Private by name, so that no inspection of a connection's state shows it.
  readonly #key: string;

  constructor(key: string, topic: string) {
    this.#key = key;
    this.topic = topic;
  }

  start(): readonly Command[] {
    return [{ type: 'authorise', authorization: this.#key }];
  }

  step(event: Event): Step {
    switch (event.type) {
      case 'authorised': {
        if (!event.granted) return ending(forbidden);
        const claiming = new ClaimingSession(this.topic);
        return [claiming, claiming.start()];
      }
      case 'unavailable':
        return ending(unavailable);
      case 'faulty':
        return ending(internalError);
      default:
        return [this, nothing];
    }
  }
}

class ClaimingSession implements Session {
  readonly topic: string;

  constructor(topic: string) {
    this.topic = topic;
  }

  start(): readonly Command[] {
    return [{ type: 'claim', topic: this.topic }];
  }

  step(event: Event): Step {
    switch (event.type) {
      case 'claimed':
        return [new OwnerSession(this.topic), accepted];
      case 'refused':
        // Forbidden: the key is good, but for another domain.
        return ending(event.why === 'owned' ? conflict : refusal(event.why, true));
      case 'unavailable':
        return ending(unavailable);
      case 'faulty':
        return ending(internalError);
      default:
        return [this, nothing];
    }
  }
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
      case 'binary':
        return [
          this,
          [
            {
              type: 'publish',
              topic: this.topic,
              message: { kind: event.type, payload: event.payload },
            },
          ],
        ];
      case 'refused':
        return ending(closing(event.why));
      default:
        return [this, nothing];
    }
  }
}

/** An owner's publish, or its renewed claim, is refused when the topic went to another one (two claims at once). */
function closing(why: Refused['why']): Command {
  return why === 'unavailable'
    ? { type: 'close', code: 1013, reason: 'try again later' }
    : { type: 'close', code: 1008, reason: 'owned elsewhere' };
}
