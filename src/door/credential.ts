import type { DoorRequest } from './contract.ts';
import { queryValue } from './request-path.ts';
import { bearerToken } from './subprotocol.ts';

/**
 * The credential that an HTTP request brings, for doors whose protocol has no frame for it: the token of
 * `Authorization: Bearer`, the password of `Authorization: Basic`, and for browsers, which cannot set a header on a
 * WebSocket, those of `browserCredentialOf` and `access_token` in the query (RFC 6750, section 2.3). In this order, but
 * for the cookie, which goes last: pages do not choose to send it. Null: none that can be read, so a malformed one opens
 * what an absent one does.
 */
export function credentialOf(request: DoorRequest): string | null {
  const authorization = request.header('authorization');
  return (
    (authorization === undefined ? null : ofHeader(authorization)) ??
    ofProtocols(request) ??
    (queryValue(request.query, 'access_token') || null) ??
    ofCookie(request)
  );
}

/** What a browser can bring to any door: a token among the subprotocols of a WebSocket, or the cookie of the door. */
export function browserCredentialOf(request: DoorRequest): string | null {
  return ofProtocols(request) ?? ofCookie(request);
}

function ofProtocols({ upgrade, header }: DoorRequest): string | null {
  return upgrade ? bearerToken(header('sec-websocket-protocol')) || null : null;
}

function ofCookie({ cookie }: DoorRequest): string | null {
  return cookie() ?? null;
}

function ofHeader(authorization: string): string | null {
  // A repeated header is joined by `, `: neither pattern takes that.
  const [, scheme, value] = /^(bearer|basic) +(\S+) *$/i.exec(authorization) ?? [];
  if (scheme === undefined || value === undefined) return null;
  return scheme.toLowerCase() === 'bearer' ? value : passwordOf(value);
}

/** RFC 7617: base64 of `user:password`, in UTF-8; the user is not asked for and not judged. */
function passwordOf(encoded: string): string | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return null;
  const pair = Buffer.from(encoded, 'base64').toString();
  const colon = pair.indexOf(':');
  return colon === -1 ? null : pair.slice(colon + 1);
}
