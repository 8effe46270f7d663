import type { IncomingMessage } from 'node:http';
import type { DoorRequest } from '../door/contract.ts';
import { decodeOnce } from '../door/request-path.ts';
import { bearerToken } from '../door/subprotocol.ts';
import { targetOf, tokensOf, valuesOf } from '../http/request.ts';

/** A request of Node's as doors see it. */
export function asDoorRequest(
  request: IncomingMessage,
  isUpgrade: boolean,
  cookie: DoorRequest['cookie'],
): DoorRequest {
  const { path, query } = targetOf(request);
  return {
    method: request.method ?? 'GET',
    path,
    query,
    upgrade: isUpgrade,
    header: (name) => valuesOf(request.rawHeaders, name),
    cookie,
  };
}

/** The value of a cookie (RFC 6265, section 4.2), percent-decoded; of several with the name that of the longest path. */
export function cookieValue(name: string, rawHeaders: readonly string[]): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'cookie') continue;
    for (const pair of (rawHeaders[i + 1] ?? '').split(';')) {
      const equals = pair.indexOf('=');
      if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
      const [, bare = ''] = /^"?(.*?)"?$/.exec(pair.slice(equals + 1).trim()) ?? [];
      return decodeOnce(bare) || undefined;
    }
  }
  return undefined;
}

/**
 * Headers about this connection, and not about the request (RFC 9110, section 7.6.1; RFC 6455, section 4.2.1); with
 * them, those that frame a body that is not passed on.
 */
const ABOUT_THE_CONNECTION = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * What a header can carry, but for bytes whose meaning nobody knows (RFC 9110, section 5.5): a token that was decoded may
 * have line ends and more.
 */
const IN_A_HEADER = /^[\t\x20-\x7e]*$/;

/**
 * What a client has asked for, as authenticators that judge requests see it. Headers that `Connection` names are left out too. `cookies`: the
 * request is of a page whose cookies may count. A token among the subprotocols stands where clients that are no browsers
 * put it.
 */
export function clientRequest(
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>,
  cookies: boolean,
) {
  const { method = 'GET', rawHeaders } = request;
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    pairs.push([rawHeaders[i] as string, rawHeaders[i + 1] as string]);
  const named = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => tokensOf(value).map((token) => token.toLowerCase()));
  const dropped = new Set(named);
  const headers = pairs.filter(([name]) => {
    const lower = name.toLowerCase();
    if (lower === 'cookie' && !cookies) return false;
    return !ABOUT_THE_CONNECTION.has(lower) && !lower.startsWith('sec-websocket-') && !dropped.has(lower);
  });
  const token = bearerToken(valuesOf(rawHeaders, 'sec-websocket-protocol'));
  if (
    token !== null &&
    IN_A_HEADER.test(token) &&
    !headers.some(([name]) => name.toLowerCase() === 'authorization')
  )
    headers.push(['Authorization', `Bearer ${token}`]);
  return { method, target: targetOf(request).target, headers };
}
