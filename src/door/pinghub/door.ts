import type { Format } from '../../topic/message.ts';
import { isWithin } from '../../topic/topic-name.ts';
import type { Door, DoorRequest, Route, Session } from '../contract.ts';
import { credentialOf } from '../credential.ts';
import { methodNotAllowed, textReply } from '../replies.ts';
import { decodeOnce, queryText } from '../request-path.ts';
import { chosenProtocol, SPOKEN } from '../subprotocol.ts';
import { EVENTS, eventFramesFormat } from './event-frames.ts';
import {
  acceptsEventStream,
  comeBackLater,
  eventStreamFormat,
  eventStreamHeaders,
  eventStreamKeepalive,
  eventStreamOpening,
} from './event-stream.ts';
import { pinghubFormat, type ResumableFormat } from './format.ts';
import { pageReply } from './page.ts';
import { badRequest, pinghubSession, postSession, resumableSession } from './sessions.ts';

export interface PinghubOptions {
  /** The longest path with its leading `/`, in characters; 0: no limit. */
  readonly topicLength: number;
}

const wrongMethod = methodNotAllowed('GET, HEAD, POST, OPTIONS');
const crossOrigin = {
  methods: 'GET, POST',
  headers: 'Authorization, Content-Type, Last-Event-ID, Cache-Control',
};
/** RFC 9110, section 15.5.16. */
const encoded = textReply(415, 'Error: the body must not be compressed.', { 'Accept-Encoding': 'identity' });
const notAPath = badRequest('The path must begin with a slash.');
const invalidPath = badRequest('The path must be percent-encoded, valid UTF-8.');

/** pinghub: every path is a channel, to listen and talk at by WebSocket, to talk to by POST. */
export function pinghubDoor({ topicLength }: PinghubOptions): Door {
  const longPath = badRequest(`The path must have 1-${topicLength} Unicode characters.`);

  function topicAt(target: string): string | null {
    const path = target.startsWith('/') ? decodeOnce(target) : null;
    return path !== null && isWithin(path, topicLength) ? topicOf(path) : null;
  }

  const talking = { read: true, write: true, topicAt } as const;
  const listening = { ...talking, write: false } as const;
  const posting = { ...talking, read: false } as const;

  function webSocket(format: Format, session: Session): Route {
    return { type: 'open', transport: 'websocket', format, session, guard: 'authenticator', about: talking };
  }

  return {
    name: 'pinghub',
    protocols: SPOKEN.pinghub,
    crossOrigin,
    route(request: DoorRequest): Route {
      if (!request.path.startsWith('/')) return notAPath;
      const path = decodeOnce(request.path);
      if (path === null) return invalidPath;
      if (!isWithin(path, topicLength)) return longPath;
      const wish = wishOf(request);
      if (wish === 'other') return wrongMethod;
      if (wish === 'page') return pageReply(path);
      if (wish === 'exchange' && !isPlain(request.header('content-encoding'))) return encoded;

      const topic = topicOf(path);
      const credential = credentialOf(request);
      const resumable = (format: ResumableFormat) =>
        resumableSession(topic, credential, lastEventOf(request), format);
      switch (wish) {
        case 'websocket':
          return speaksEvents(request)
            ? webSocket(eventFramesFormat, resumable(eventFramesFormat))
            : webSocket(pinghubFormat, pinghubSession(topic, credential));
        case 'stream':
          return {
            type: 'open',
            transport: 'stream',
            headers: eventStreamHeaders,
            keepAlive: eventStreamKeepalive,
            opening: eventStreamOpening,
            later: comeBackLater,
            format: eventStreamFormat,
            session: resumable(eventStreamFormat),
            guard: 'authenticator',
            about: listening,
          };
        case 'exchange':
          return {
            type: 'open',
            transport: 'exchange',
            format: null,
            session: postSession(topic, credential),
            guard: 'authenticator',
            about: posting,
          };
      }
    },
  };
}

/** The topic of `/` is the empty text: no other door can name it, and `//` keeps a topic of its own. */
function topicOf(path: string): string {
  return path.slice(1);
}

/** Nobody would undo what was done to the body; as the message it would be noise. */
function isPlain(encoding: string | undefined): boolean {
  return encoding === undefined || /^[\s,]*(identity[\s,]*)*$/i.test(encoding);
}

/**
 * The position that a client has seen last, as it has written it, be it one or not; null: none. Browsers set the header when
 * they come back by themselves; a page that opens a stream anew can set nothing but the query, which is older then.
 */
function lastEventOf({ header, query }: DoorRequest): string | null {
  return header('last-event-id') || queryText(query, 'last_event_id') || null;
}

function speaksEvents({ header }: DoorRequest): boolean {
  return chosenProtocol(header('sec-websocket-protocol') ?? '', SPOKEN.pinghub) === EVENTS;
}

function wishOf(request: DoorRequest): 'websocket' | 'stream' | 'exchange' | 'page' | 'other' {
  switch (request.method) {
    case 'GET':
      if (request.upgrade) return 'websocket';
      return acceptsEventStream(request.header('accept')) ? 'stream' : 'page';
    case 'HEAD':
      return 'page';
    case 'POST':
      return 'exchange';
    default:
      return 'other';
  }
}
