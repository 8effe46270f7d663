import { ending } from './closed-session.ts';
import { type Command, type Event, nothing, type Session, type Step } from './contract.ts';
import { internalError, refusal, unauthorised, unavailable } from './replies.ts';

/** A connection that is about one topic, up to its `accept`. */
export interface Joining {
  readonly topic: string;
  readonly while: 'wanted' | 'owned';
  /** Judged before the join when there is one. */
  readonly credential: string | null;
  /** The session after the `accept`. */
  readonly member: Session;
}

/** Authorises when a credential is there, joins, then accepts; whatever goes wrong on the way is an HTTP reply. */
export function joiningSession({ topic, while: condition, credential, member }: Joining): Session {
  const join: Command = { type: 'join', topic, while: condition };
  return credential === null
    ? new JoiningSession(join, false, member)
    : new AuthorisingSession(credential, join, member);
}

const accepted: readonly Command[] = [{ type: 'accept' }];

class AuthorisingSession implements Session {
  readonly join: Command;
  readonly member: Session;
  // Private by name, so that no inspection of a connection's state shows it.
  readonly #credential: string;

  constructor(credential: string, join: Command, member: Session) {
    this.#credential = credential;
    this.join = join;
    this.member = member;
  }

  start(): readonly Command[] {
    return [{ type: 'authorise', authorization: this.#credential }];
  }

  step(event: Event): Step {
    switch (event.type) {
      case 'authorised':
        if (!event.granted) return ending(unauthorised);
        return [new JoiningSession(this.join, event.unrecognised !== true, this.member), [this.join]];
      case 'unavailable':
        return ending(unavailable);
      case 'faulty':
        return ending(internalError);
      default:
        return [this, nothing];
    }
  }
}

class JoiningSession implements Session {
  readonly join: Command;
  readonly known: boolean;
  readonly next: Session;

  constructor(join: Command, known: boolean, next: Session) {
    this.join = join;
    this.known = known;
    this.next = next;
  }

  start(): readonly Command[] {
    return [this.join];
  }

  step(event: Event): Step {
    switch (event.type) {
      case 'joined':
        return [this.next, accepted];
      case 'refused':
        return ending(refusal(event.why, this.known));
      case 'ended':
        return ending(refusal('missing', this.known));
      case 'unavailable':
        return ending(unavailable);
      case 'faulty':
        return ending(internalError);
      default:
        return [this, nothing];
    }
  }
}
