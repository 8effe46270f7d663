import type { IncomingMessage } from 'node:http';
import type { ConnectionArgs } from '../connection/connection.ts';
import { bearerToken } from '../door/subprotocol.ts';
import { targetOf } from '../http/request-target.ts';
import { valuesOf } from './door-request.ts';

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
 * What a client has asked for, for those who judge it. Headers that `Connection` names are left out too. `cookies`: the
 * request is of a page whose cookies may count. A token among the subprotocols stands where clients that are no browsers
 * put it.
 */
export function clientRequest(
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>,
  cookies: boolean,
): NonNullable<ConnectionArgs['request']> {
  const { method = 'GET', rawHeaders } = request;
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    pairs.push([rawHeaders[i] as string, rawHeaders[i + 1] as string]);
  const named = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()));
  const dropped = new Set(named);
  const headers = pairs.filter(([name]) => {
    const lower = name.toLowerCase();
    if (lower === 'cookie' && !cookies) return false;
    return !ABOUT_THE_CONNECTION.has(lower) && !lower.startsWith('sec-websocket-') && !dropped.has(lower);
  });
  const token = bearerToken(valuesOf(rawHeaders, 'sec-websocket-protocol'));
  if (token !== null && !headers.some(([name]) => name.toLowerCase() === 'authorization'))
    headers.push(['Authorization', `Bearer ${token}`]);
  return { method, target: targetOf(request).target, headers };
}
