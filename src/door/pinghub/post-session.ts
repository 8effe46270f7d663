import { isUtf8 } from 'node:buffer';
import { ending } from '../closed-session.ts';
import { type Command, type Event, nothing, type Session, type Step } from '../contract.ts';
import { internalError, refusal, textReply, unauthorised, unavailable } from '../replies.ts';
import { badRequest } from './bad-request.ts';

/** A POST: its body is one message. It is answered when the topic has taken it; an empty one is judged like any other. */
export function postSession(topic: string, credential: string | null): Session {
  return new PostSession(topic, credential, false);
}

const ok = ending(textReply(200, 'OK'));
const invalidUtf8 = ending(badRequest('The body must be valid UTF-8.'));

class PostSession implements Session {
  readonly topic: string;
  /** A credential was given and found good. */
  readonly known: boolean;
  // Private by name, so that no inspection of a connection's state shows it.
  readonly #credential: string | null;

  constructor(topic: string, credential: string | null, known: boolean) {
    this.topic = topic;
    this.#credential = credential;
    this.known = known;
  }

  start(): readonly Command[] {
    return this.#credential === null ? nothing : [{ type: 'authorise', authorization: this.#credential }];
  }

  step(event: Event): Step {
    switch (event.type) {
      case 'authorised':
        if (!event.granted) return ending(unauthorised);
        return [new PostSession(this.topic, null, event.unrecognised !== true), nothing];
      case 'body':
        return this.#received(event.payload);
      case 'published':
        return ok;
      case 'refused':
        return ending(refusal(event.why, this.known));
      case 'unavailable':
        return ending(unavailable);
      case 'faulty':
        return ending(internalError);
      default:
        return [this, nothing];
    }
  }

  #received(payload: Buffer): Step {
    if (!isUtf8(payload)) return invalidUtf8;
    return [this, [{ type: 'publish', topic: this.topic, message: { kind: 'text', payload } }]];
  }
}
