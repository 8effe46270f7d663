import type { Since } from '../topic/position.ts';
import {
  type Authorised,
  type Command,
  type Event,
  type Joined,
  nothing,
  type Refused,
  type Session,
  type Step,
} from './contract.ts';
import { internalError, refusal, unauthorised, unavailable } from './replies.ts';

/** What the sessions of the doors have in common: how they end, and how they come to their `accept`. */

/** Where every session ends: nothing that happens to it has an effect. */
const closed: Session = {
  start: () => nothing,
  step: () => silence,
};

const silence: Step = [closed, nothing];

/** The last step of a session: these commands (a `reply`, or a `close` as the last of them), and nothing after. */
export function ending(...commands: readonly Command[]): Step {
  return [closed, commands];
}

/** The end of a WebSocket for what the relay cannot do at the moment. */
export const later = ending({ type: 'close', code: 1013, reason: 'try again later' });
const ownedElsewhere = ending({ type: 'close', code: 1008, reason: 'owned elsewhere' });
const notAllowed = ending({ type: 'close', code: 1008, reason: 'forbidden' });

/** The end of a WebSocket whose publish has been refused, or the claim by which it published. */
export function closing(why: Refused['why']): Step {
  if (why === 'unavailable') return later;
  return why === 'owned' ? ownedElsewhere : notAllowed;
}

/** The step that goes on with another session, from its start. */
export function becoming(session: Session): Step {
  return [session, session.start()];
}

/** Asks, and goes on with the answer; a relay that cannot answer is an HTTP reply. */
class Question implements Session {
  // Private by name, so that no inspection of a connection's state shows a credential.
  readonly #question: Command;
  readonly #answered: (answer: Event) => Step | null;

  constructor(question: Command, answered: (answer: Event) => Step | null) {
    this.#question = question;
    this.#answered = answered;
  }

  start(): readonly Command[] {
    return [this.#question];
  }

  step(event: Event): Step {
    return this.#answered(event) ?? withoutAnswer(event) ?? [this, nothing];
  }
}

/** `answered`: the step that an event makes; null: the event is no answer. */
export function question(asked: Command, answered: (answer: Event) => Step | null): Session {
  return new Question(asked, answered);
}

/** The end of a session that was not answered; null: the event says nothing of the kind. */
export function withoutAnswer({ type }: Event): Step | null {
  if (type === 'unavailable') return ending(unavailable);
  return type === 'faulty' ? ending(internalError) : null;
}

/**
 * Has a credential judged. `granted`: goes on when it is good for some right; `known`: not only for those that
 * everybody has. `terms`: what else the answer says. `refused`: the reply to any other credential.
 */
export function credentialSession(
  credential: string,
  granted: (known: boolean, terms: Authorised) => Step,
  refused: Command = unauthorised,
): Session {
  return question({ type: 'authorise', authorization: credential }, (event) => {
    if (event.type !== 'authorised') return null;
    return event.granted ? granted(event.unrecognised !== true, event) : ending(refused);
  });
}

/** A connection that is about one topic, up to its `accept`. */
export interface Joining {
  readonly topic: string;
  readonly while: 'wanted' | 'owned';
  /** Judged before the join when there is one. */
  readonly credential: string | null;
  /** What of the past it asks for. */
  readonly since?: Since;
  /** The session after the `accept`, and what comes behind it. */
  readonly accepted: (joined: Joined) => Step;
}

/** Authorises when a credential is there, joins, then accepts; whatever goes wrong on the way is an HTTP reply. */
export function joiningSession(wish: Joining): Session {
  const { topic, while: condition, credential, since, accepted } = wish;
  const join: Command = { type: 'join', topic, while: condition, ...(since === undefined ? {} : { since }) };
  const joining = (known: boolean) =>
    question(join, (event) => {
      switch (event.type) {
        case 'joined': {
          const [member, greeting] = accepted(event);
          return [member, [{ type: 'accept' }, ...greeting]];
        }
        case 'refused':
          return ending(refusal(event.why, known));
        case 'ended':
          return ending(refusal('missing', known));
        default:
          return null;
      }
    });
  return credential === null
    ? joining(false)
    : credentialSession(credential, (known) => becoming(joining(known)));
}
