import { isUtf8 } from 'node:buffer';
import { ending } from '../closed-session.ts';
import { type Command, type Event, nothing, type Refused, type Session, type Step } from '../contract.ts';
import { textFrame } from '../frame.ts';
import { joiningSession } from '../joining-session.ts';

/** A WebSocket (or a stream, which sends nothing) on a path: it subscribes, and what it sends is published there. */
export function pinghubSession(topic: string, credential: string | null): Session {
  return joiningSession({ topic, while: 'wanted', credential, member: new PinghubSession(topic) });
}

const echo: readonly Command[] = [{ type: 'send', bytes: textFrame('') }];
const invalidUtf8 = ending({ type: 'close', code: 1007, reason: 'invalid UTF-8' });

class PinghubSession implements Session {
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
        return this.#received(event.payload);
      case 'binary':
        return isUtf8(event.payload) ? this.#received(event.payload) : invalidUtf8;
      case 'refused':
        return ending(closing(event.why));
      case 'unavailable':
      case 'faulty':
        return ending(closing('unavailable'));
      default:
        return [this, nothing];
    }
  }

  #received(payload: Buffer): Step {
    // An empty message is a keepalive: its sender alone hears of it.
    if (payload.length === 0) return [this, echo];
    return [this, [{ type: 'publish', topic: this.topic, message: { kind: 'text', payload } }]];
  }
}

function closing(why: Refused['why']): Command {
  switch (why) {
    case 'unavailable':
      return { type: 'close', code: 1013, reason: 'try again later' };
    case 'owned':
      return { type: 'close', code: 1008, reason: 'owned elsewhere' };
    default:
      return { type: 'close', code: 1008, reason: 'forbidden' };
  }
}
