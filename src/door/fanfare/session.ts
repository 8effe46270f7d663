import { isUtf8 } from 'node:buffer';
import { jsonMessage } from '../../topic/json-message.ts';
import { isTopicName } from '../../topic/topic-name.ts';
import {
  type Attempt,
  type Authorised,
  type Command,
  type Event,
  nothing,
  type Refused,
  type Session,
  type Step,
} from '../contract.ts';
import { textFrame } from '../frame.ts';
import { credentialSession, ending } from '../sessions.ts';
import {
  authorizationFailed,
  authorizationOk,
  type ClientFrame,
  type ErrorWord,
  error,
  type Greeting,
  gapJson,
  goodbye,
  hello,
  notJson,
  parseClientFrame,
  pong,
  publishError,
  publishOk,
  subscribeError,
  subscribeOk,
  unsubscribeOk,
} from './codec.ts';

/**
 * One client that speaks fanfare.1. The protocol has no state of its own (rights, memberships and positions are the
 * connection's), so one session serves every connection of a door. What goes wrong with one subscription or one message is
 * told with its channel, and the connection goes on; it ends where the two sides do not speak the same language.
 */
export function fanfareSession(greeting: Greeting): Session {
  const { limits } = greeting;
  const greeted = greet(hello(greeting));
  const session: Session = { start: () => greeted, step };
  const still: Step = [session, nothing];
  const says = (bytes: Buffer): Step => [session, [{ type: 'send', bytes }]];
  const does = (command: Command): Step => [session, [command]];
  const isChannel = (channel: string) => isTopicName(channel, limits.topicLength);
  const isAlive = does({ type: 'alive' });
  const ponged = says(pong);

  function step(event: Event): Step {
    switch (event.type) {
      case 'text':
        return received(event.payload, parseClientFrame(event.payload));
      case 'binary':
        // Read as text. Decoding would hide what is not UTF-8, and a published frame is passed on.
        return received(event.payload, isUtf8(event.payload) ? parseClientFrame(event.payload) : notJson);
      case 'authorised':
        return says(authorised(event));
      case 'unavailable':
      case 'faulty':
        return says(notJudged(event.attempt));
      case 'joined':
        return says(subscribeOk(event));
      case 'left':
        return says(unsubscribeOk({ channel: event.topic }));
      case 'published':
        return event.receipt === undefined ? still : says(publishOk(event.receipt, event.at));
      case 'refused':
        return says(failed(event, wordFor(event.why)));
      case 'gap':
        return says(textFrame(gapJson(event.topic, event)));
      case 'leaving':
        return says(goodbye(event.within));
      default:
        return still;
    }
  }

  function received(payload: Buffer, frame: ClientFrame): Step {
    switch (frame.type) {
      case 'publish': {
        const { channel, receipt, key } = frame;
        if (!isChannel(channel)) return says(publishError(receipt, channel, 'bad_channel'));
        return does({
          type: 'publish',
          topic: channel,
          message: jsonMessage(payload),
          ...(receipt === undefined ? {} : { receipt }),
          ...(key === undefined ? {} : { key }),
        });
      }
      case 'bad-publish':
        return says(publishError(frame.receipt, frame.channel, frame.why));
      case 'subscribe': {
        const { channel, since } = frame;
        if (!isChannel(channel)) return says(subscribeError({ channel }, 'bad_channel'));
        return does({ type: 'join', topic: channel, while: 'wanted', since });
      }
      case 'unsubscribe':
        return does({ type: 'leave', topic: frame.channel, isHeard: true });
      // Patterns have their frames, and nothing behind them yet.
      case 'subscribe-pattern':
        return says(subscribeError({ pattern: frame.pattern }, 'unsupported'));
      case 'unsubscribe-pattern':
        return says(unsubscribeOk({ pattern: frame.pattern }));
      case 'authorize':
        return does({ type: 'authorise', authorization: frame.authorization });
      case 'ping':
        return ponged;
      case 'pong':
        return isAlive;
      case 'unknown':
        return ending(
          { type: 'send', bytes: error(frame.why) },
          { type: 'close', code: 1008, reason: frame.why },
        );
    }
  }

  return session;
}

/**
 * A client whose request brings a credential: the upgrade is accepted when it has been found good, and the greeting says
 * for how long. `greeted`: how it goes on.
 */
export function introducedSession(credential: string, greeting: Greeting, greeted: Session): Session {
  return credentialSession(credential, (_known, terms) => [greeted, greet(hello(greeting, terms))]);
}

function greet(bytes: Buffer): readonly Command[] {
  return [{ type: 'accept' }, { type: 'send', bytes }];
}

/** A credential that nobody knows has failed, also where everybody has rights: they are there without it. */
function authorised(event: Authorised): Buffer {
  return event.granted && event.unrecognised !== true
    ? authorizationOk(event)
    : authorizationFailed('refused');
}

function notJudged(attempt: Attempt | undefined): Buffer {
  return attempt === undefined ? authorizationFailed('unavailable') : failed(attempt, 'unavailable');
}

function failed({ action, topic, receipt }: Attempt, why: ErrorWord): Buffer {
  return action === 'publish' ? publishError(receipt, topic, why) : subscribeError({ channel: topic }, why);
}

function wordFor(why: Refused['why']): ErrorWord {
  switch (why) {
    case 'forbidden':
    case 'denied':
      return 'permission_denied';
    case 'too-many':
      return 'too_many';
    case 'owned':
      return 'owned';
    case 'missing':
    case 'unavailable':
      return 'unavailable';
  }
}
