import { isUtf8 } from 'node:buffer';
import { jsonMessage } from '../../topic/json-message.ts';
import { isWithin } from '../../topic/topic-name.ts';
import { type Command, type Event, nothing, type Refused, type Session, type Step } from '../contract.ts';
import { becoming, credentialSession, ending, later } from '../sessions.ts';
import {
  authorizationFailed,
  authorizationOk,
  hello,
  parseClientFrame,
  permissionDenied,
  subscribeOk,
  unknownMessageReceived,
} from './codec.ts';

/**
 * One PuSu client. The protocol has no state of its own (rights and memberships are the connection's), so one session
 * serves every connection of a door. `topicLength`: characters, 0 for no limit.
 */
export function pusuSession(topicLength: number): Session {
  const session: Session = { start: () => greeting, step };
  const still: Step = [session, nothing];
  const authorised: Step = [session, [{ type: 'send', bytes: authorizationOk }]];

  function step(event: Event): Step {
    switch (event.type) {
      case 'text':
        return received(event.payload);
      case 'binary':
        // Read as text. Decoding would hide what is not UTF-8, and a published frame is passed on as it is.
        return isUtf8(event.payload) ? received(event.payload) : unknown;
      case 'authorised':
        return event.granted ? authorised : notAuthorised;
      case 'unavailable':
      case 'faulty':
        return notAuthorised;
      case 'joined':
        return [session, [{ type: 'send', bytes: subscribeOk(event.topic) }]];
      case 'refused':
        return refused(event);
      default:
        return still;
    }
  }

  function received(payload: Buffer): Step {
    const frame = parseClientFrame(payload);
    switch (frame.type) {
      case 'publish':
        if (!isWithin(frame.channel, topicLength)) return denied;
        return [session, [{ type: 'publish', topic: frame.channel, message: jsonMessage(payload) }]];
      case 'subscribe':
        if (!isWithin(frame.channel, topicLength)) return denied;
        return [session, [{ type: 'join', topic: frame.channel, while: 'wanted' }]];
      case 'unsubscribe':
        return [session, [{ type: 'leave', topic: frame.channel }]];
      case 'authorize':
        return [session, [{ type: 'authorise', authorization: frame.authorization }]];
      case 'unknown':
        return unknown;
    }
  }

  return session;
}

/** A client whose request brings a credential: the upgrade is accepted when it has been found good. */
export function introducedSession(credential: string, greeted: Session): Session {
  return credentialSession(credential, () => becoming(greeted));
}

const greeting: readonly Command[] = [{ type: 'accept' }, { type: 'send', bytes: hello }];

const denied = failure(permissionDenied, 'permission_denied');
const notAuthorised = failure(authorizationFailed, 'authorization_failed');
const unknown = failure(unknownMessageReceived, 'unknown_message_received');

function refused({ why }: Refused): Step {
  return why === 'unavailable' ? later : denied;
}

/** The frame that names the error goes out before the close frame: a client must be able to read it. */
function failure(bytes: Buffer, reason: string): Step {
  return ending({ type: 'send', bytes }, { type: 'close', code: 1008, reason });
}
