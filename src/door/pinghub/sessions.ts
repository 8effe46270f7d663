import { isUtf8 } from 'node:buffer';
import type { Part } from '../../topic/message.ts';
import { NOWHERE, parsePosition, type Since } from '../../topic/position.ts';
import {
  type Command,
  type Event,
  type HttpReply,
  type Joined,
  nothing,
  type Session,
  type Step,
} from '../contract.ts';
import { textFrame } from '../frame.ts';
import { refusal, textReply } from '../replies.ts';
import {
  becoming,
  closing,
  credentialSession,
  ending,
  joiningSession,
  later,
  withoutAnswer,
} from '../sessions.ts';
import type { ResumableFormat } from './format.ts';

/** A WebSocket on a path: it subscribes, and what it sends is published there. */
export function pinghubSession(topic: string, credential: string | null): Session {
  const accepted = (): Step => [new PinghubSession(topic, null), nothing];
  return joiningSession({ topic, while: 'wanted', credential, accepted });
}

/**
 * The same for a client that comes back with the last position that it has seen, and for a stream, which sends nothing.
 * `last`: as the client has written it; null: it has seen none. Where nothing is kept, nothing is said of that.
 */
export function resumableSession(
  topic: string,
  credential: string | null,
  last: string | null,
  format: ResumableFormat,
): Session {
  const accepted = ({ from, recovered, missed = null }: Joined): Step => {
    if (from === undefined) return [new PinghubSession(topic, null), nothing];
    // With the position, in one event: a client that got the position alone would come back as if nothing were missing.
    const place = recovered === false ? format.gap(topic, { to: from, missed }) : format.place(from);
    return [new PinghubSession(topic, format), tell(format, place)];
  };
  return joiningSession({ topic, while: 'wanted', credential, since: sinceOf(last), accepted });
}

function sinceOf(last: string | null): Since {
  if (last === null) return 'now';
  return last === 'all' || last === 'last' ? last : (parsePosition(last) ?? NOWHERE);
}

function tell(format: ResumableFormat, part: Part): readonly Command[] {
  return [{ type: 'send', bytes: format.assemble([part]) }];
}

const echo: readonly Command[] = [{ type: 'send', bytes: textFrame('') }];
const invalidUtf8 = ending({ type: 'close', code: 1007, reason: 'invalid UTF-8' });

class PinghubSession implements Session {
  readonly topic: string;
  /** Null: there are no words for what is missing. */
  readonly format: ResumableFormat | null;

  constructor(topic: string, format: ResumableFormat | null) {
    this.topic = topic;
    this.format = format;
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
      case 'gap':
        return [this, this.format === null ? nothing : tell(this.format, this.format.gap(this.topic, event))];
      case 'refused':
        return closing(event.why);
      case 'unavailable':
      case 'faulty':
        return later;
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

/** A POST: its body is one message. It is answered when the topic has taken it; an empty one needs the same right, and goes nowhere. */
export function postSession(topic: string, credential: string | null): Session {
  if (credential === null) return new PostSession(topic, false);
  return credentialSession(credential, (known) => becoming(new PostSession(topic, known)));
}

/** pinghub's words for a 400. `why`: a sentence. */
export function badRequest(why: string): HttpReply {
  return textReply(400, `Error: bad request. ${why}`);
}

const ok = ending(textReply(200, 'OK'));
const invalidBody = ending(badRequest('The body must be valid UTF-8.'));

class PostSession implements Session {
  readonly topic: string;
  /** A credential was given and found good. */
  readonly known: boolean;

  constructor(topic: string, known: boolean) {
    this.topic = topic;
    this.known = known;
  }

  start(): readonly Command[] {
    return nothing;
  }

  step(event: Event): Step {
    switch (event.type) {
      case 'body': {
        const { payload } = event;
        if (!isUtf8(payload)) return invalidBody;
        return [this, [{ type: 'publish', topic: this.topic, message: { kind: 'text', payload } }]];
      }
      case 'published':
        return ok;
      case 'refused':
        return ending(refusal(event.why, this.known));
      default:
        return withoutAnswer(event) ?? [this, nothing];
    }
  }
}
