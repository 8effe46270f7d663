import type { Gap } from '../../topic/gap.ts';
import { formatPosition, NOWHERE, type Position, parsePosition, type Since } from '../../topic/position.ts';
import type { Authorised, Joined } from '../contract.ts';
import { textFrame } from '../frame.ts';
import { type Fields, parseObject } from '../json-frame.ts';
import { SPOKEN } from '../subprotocol.ts';

/** The name of the protocol, as a subprotocol and in `hello`. */
export const [PROTOCOL] = SPOKEN.fanfare;

/** Characters of an `id`, as JSON text. */
const ID_LENGTH = 64;
/** UTF-16 units of a `key`. */
const KEY_LENGTH = 128;

/** What a client says. That a channel can be a name is not judged here. */
export type ClientFrame =
  | { readonly type: 'authorize'; readonly authorization: string }
  | { readonly type: 'subscribe'; readonly channel: string; readonly since: Since }
  | { readonly type: 'unsubscribe'; readonly channel: string }
  | { readonly type: 'subscribe-pattern' | 'unsubscribe-pattern'; readonly pattern: string }
  /** `receipt`: the `id` as JSON text. Undefined: there is none. */
  | {
      readonly type: 'publish';
      readonly channel: string;
      readonly receipt: string | undefined;
      readonly key: string | undefined;
    }
  /** A publish that cannot be taken, of which the connection need not end. */
  | {
      readonly type: 'bad-publish';
      readonly channel: string;
      readonly receipt: string | undefined;
      readonly why: 'bad_id' | 'bad_key';
    }
  | { readonly type: 'ping' | 'pong' }
  | Unknown;

/** Not one of the protocol's frames: the two sides do not speak the same language. */
interface Unknown {
  readonly type: 'unknown';
  readonly why: 'not_json' | 'unknown_type' | 'bad_frame';
}

export const notJson: Unknown = { type: 'unknown', why: 'not_json' };
const unknownType: Unknown = { type: 'unknown', why: 'unknown_type' };
const badFrame: Unknown = { type: 'unknown', why: 'bad_frame' };

/** Reads one message, valid UTF-8. */
export function parseClientFrame(payload: Buffer): ClientFrame {
  const fields = parseObject(payload);
  if (fields === null) return notJson;
  const { type, authorization } = fields;
  switch (type) {
    case 'publish':
      return publishOf(fields);
    case 'subscribe':
    case 'unsubscribe':
      return subscriptionOf(type, fields);
    case 'authorize':
      return typeof authorization === 'string' ? { type, authorization } : badFrame;
    case 'ping':
    case 'pong':
      return { type };
    default:
      return unknownType;
  }
}

function subscriptionOf(type: 'subscribe' | 'unsubscribe', { channel, pattern, since }: Fields): ClientFrame {
  if (typeof channel === 'string' && pattern === undefined)
    return type === 'subscribe' ? { type, channel, since: sinceOf(since) } : { type, channel };
  return typeof pattern === 'string' && channel === undefined
    ? { type: `${type}-pattern`, pattern }
    : badFrame;
}

/** What cannot be read may have been a position once: the client is told that nobody knows what it has missed. */
function sinceOf(since: unknown): Since {
  if (since === undefined || since === null) return 'now';
  if (since === 'now' || since === 'all' || since === 'last') return since;
  return (typeof since === 'string' ? parsePosition(since) : null) ?? NOWHERE;
}

function publishOf({ channel, id, key }: Fields): ClientFrame {
  if (typeof channel !== 'string') return badFrame;
  const receipt = receiptOf(id);
  if (receipt === null) return { type: 'bad-publish', channel, receipt: undefined, why: 'bad_id' };
  if (key === undefined || key === null) return { type: 'publish', channel, receipt, key: undefined };
  return isKey(key)
    ? { type: 'publish', channel, receipt, key }
    : { type: 'bad-publish', channel, receipt, why: 'bad_key' };
}

/** Null: it is none that could be given back as it is. */
function receiptOf(id: unknown): string | undefined | null {
  if (id === undefined || id === null) return undefined;
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return null;
  if (typeof id === 'string' && id.length > ID_LENGTH) return null;
  const text = JSON.stringify(id);
  return text.length > ID_LENGTH ? null : text;
}

function isKey(key: unknown): key is string {
  return typeof key === 'string' && key !== '' && key.length <= KEY_LENGTH && key.isWellFormed();
}

/** What a relay says of itself. */
export interface Greeting {
  /** The name of the relay. */
  readonly relay: string;
  /** Seconds from ping to ping; 0: there are none. */
  readonly ping: number;
  readonly limits: {
    /** Bytes of a message. */
    readonly message: number;
    /** Characters of a channel; 0: no limit. */
    readonly topicLength: number;
    /** Channels that one connection may be subscribed to; 0: no limit. */
    readonly topics: number;
  };
}

/** Frames of the relay, ready for the socket. The constant ones are shared by all connections: never write to them. */
export const ping = textFrame('{"type":"ping"}');
export const pong = textFrame('{"type":"pong"}');

/** `terms`: of the credential that came with the request, if one did. */
export function hello({ relay, ping: period, limits }: Greeting, terms?: Terms): Buffer {
  const { message, topicLength, topics } = limits;
  return frame('hello', {
    protocol: PROTOCOL,
    relay,
    ping: period,
    limits: { message, topic_length: topicLength, topics },
    ...termsOf(terms),
  });
}

type Terms = Pick<Authorised, 'subject' | 'expiresIn'>;

export function authorizationOk(terms: Terms): Buffer {
  return frame('authorization_ok', termsOf(terms));
}

export function authorizationFailed(why: 'refused' | 'unavailable'): Buffer {
  return frame('authorization_failed', { why });
}

/**
 * `at`: where the client stands before it has got anything of what follows, since it may be cut off in the middle of it.
 * `until`: up to where what follows is of the past, if anything is.
 */
export function subscribeOk({ topic: channel, from, at: end, recovered, missed, why }: Joined): Buffer {
  const at = textOf(from);
  const until = textOf(end);
  return frame('subscribe_ok', {
    channel,
    at,
    ...(until === at ? {} : { until }),
    recovered,
    missed,
    why,
  });
}

/** What is wrong with one subscription or message, while the connection goes on. */
export type ErrorWord =
  | 'permission_denied'
  | 'too_many'
  | 'bad_channel'
  | 'unsupported'
  | 'bad_id'
  | 'bad_key'
  | 'owned'
  | 'unavailable';

export function subscribeError(
  of: { readonly channel: string } | { readonly pattern: string },
  why: ErrorWord,
): Buffer {
  return frame('subscribe_error', { ...of, why });
}

export function unsubscribeOk(of: { readonly channel: string } | { readonly pattern: string }): Buffer {
  return frame('unsubscribe_ok', of);
}

/** `receipt`: the `id`, as JSON text. */
export function publishOk(receipt: string, at: Position | undefined): Buffer {
  const position = at === undefined ? '' : `,"at":"${formatPosition(at)}"`;
  return textFrame(`{"type":"publish_ok","id":${receipt}${position}}`);
}

export function publishError(receipt: string | undefined, channel: string, why: ErrorWord): Buffer {
  const id = receipt === undefined ? '' : `"id":${receipt},`;
  return textFrame(`{"type":"publish_error",${id}"channel":${JSON.stringify(channel)},"why":"${why}"}`);
}

/** Text, not yet framed. */
export function gapJson(channel: string, { from, to, missed, why }: Gap): string {
  return json('gap', { channel, from: textOf(from), to: textOf(to), missed, why });
}

/** `within`: seconds. */
export function goodbye(within: number): Buffer {
  return frame('goodbye', { within });
}

export function error(why: Unknown['why']): Buffer {
  return frame('error', { why });
}

function frame(type: string, fields: object): Buffer {
  return textFrame(json(type, fields));
}

/** Fields that are undefined are left out. */
function json(type: string, fields: object): string {
  return JSON.stringify({ type, ...fields });
}

function termsOf({ expiresIn, subject }: Terms = {}): object {
  return { expires_in: expiresIn, subject };
}

function textOf<Absent extends null | undefined>(at: Position | Absent): string | Absent {
  return at == null ? at : formatPosition(at);
}
