import type { HttpReply, Refused } from './contract.ts';

/** The HTTP answers that doors have in common. */

/**
 * For proxies: neither to keep an answer, nor to compress it, for which they would collect it first (RFC 9111, section
 * 5.2.2.6); the second one is nginx's.
 */
export const passedOn: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
};

export function textReply(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    type: 'reply',
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', ...passedOn, ...headers },
    body: `${body}\n`,
  };
}

export const unauthorised = textReply(401, 'Unauthorized', { 'WWW-Authenticate': 'Bearer' });
export const forbidden = textReply(403, 'Forbidden');
export const notFound = textReply(404, 'Not Found');
/** RFC 9110, section 7.8: whoever sends `Upgrade` names it in `Connection`. */
export const upgradeRequired = textReply(426, 'Upgrade Required: this is a WebSocket', {
  Upgrade: 'websocket',
  Connection: 'Upgrade',
});
export const messageTooLarge = textReply(413, 'Error: message too large.', { Connection: 'close' });
export const unavailable = textReply(503, 'Service Unavailable', { 'Retry-After': '1' });

export const internalError = textReply(500, 'Internal Server Error');

/** After too many wrong credentials from one address: there is no next try for a minute. */
export const tooManyAttempts = textReply(429, 'Error: too many failed authorisations.', {
  'Retry-After': '60',
});

export function tooManyRequests(what: 'connections' | 'messages'): HttpReply {
  return textReply(429, `Error: too many ${what}.`, { 'Retry-After': '1' });
}

/** `allow`: the methods that would do, joined by `, `. */
export function methodNotAllowed(allow: string): HttpReply {
  return textReply(405, 'Method Not Allowed', { Allow: allow });
}

/** What a refusal is in HTTP. `known`: a credential was given and found good, so another one is not the way out. */
export function refusal(why: Refused['why'], known: boolean): HttpReply {
  switch (why) {
    case 'forbidden':
      return known ? forbidden : unauthorised;
    case 'missing':
      return notFound;
    case 'denied':
    case 'owned':
    case 'too-many':
      return forbidden;
    case 'unavailable':
      return unavailable;
  }
}
