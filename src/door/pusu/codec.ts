import { textFrame } from '../frame.ts';
import { parseObject } from '../json-frame.ts';

/** What a client says. `unknown`: anything that is not one of the protocol's frames, for whatever reason. */
export type ClientFrame =
  | { readonly type: 'authorize'; readonly authorization: string }
  | { readonly type: 'subscribe' | 'unsubscribe' | 'publish'; readonly channel: string }
  | typeof unknown;

const unknown = { type: 'unknown' } as const;

/** Reads one message, valid UTF-8. The length of a channel is not judged here; that it can be a name is. */
export function parseClientFrame(payload: Buffer): ClientFrame {
  const frame = parseObject(payload);
  if (frame === null) return unknown;
  const { type, channel, authorization } = frame;
  switch (type) {
    case 'publish':
    case 'subscribe':
    case 'unsubscribe':
      return isChannel(channel) ? { type, channel } : unknown;
    case 'authorize':
      return typeof authorization === 'string' ? { type, authorization } : unknown;
    default:
      return unknown;
  }
}

function isChannel(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.isWellFormed();
}

/** Frames of the relay, ready for the socket. The constant ones are shared by all connections: never write to them. */
export const hello = textFrame('{"type":"hello"}');
export const authorizationOk = textFrame('{"type":"authorization_ok"}');
export const authorizationFailed = textFrame('{"type":"authorization_failed"}');
export const permissionDenied = textFrame('{"type":"permission_denied"}');
export const unknownMessageReceived = textFrame('{"type":"unknown_message_received"}');

export function subscribeOk(channel: string): Buffer {
  return textFrame(`{"type":"subscribe_ok","channel":${JSON.stringify(channel)}}`);
}
