import type { IncomingMessage } from 'node:http';
import type { Door, HttpReply } from '../door/contract.ts';
import { textReply } from '../door/replies.ts';
import { chosenProtocol } from '../door/subprotocol.ts';
import { hasBody, hasToken } from '../http/upgrades.ts';

/**
 * Judges a request to upgrade by RFC 6455, section 4.2.1. Node takes more than that for an upgrade: with a body, in
 * HTTP/1.0, with two `Host` headers or none, to another protocol. Null: it is a good one.
 */
export function refuseHandshake(
  request: Pick<IncomingMessage, 'method' | 'httpVersion' | 'headers' | 'rawHeaders'>,
): HttpReply | null {
  const { headers } = request;
  if (request.httpVersion !== '1.1') return bad('HTTP/1.1 is required');
  if (request.method !== 'GET') return bad('an upgrade must be a GET request');
  const counts = countHeaders(request.rawHeaders);
  if (counts.host !== 1) return bad('exactly one Host header is required');
  if (!hasToken(headers.upgrade, 'websocket')) return bad('the only upgrade is to websocket');
  if (!hasToken(headers.connection, 'upgrade')) return bad('Connection must name upgrade');
  if (hasBody(request)) return bad('an upgrade must not have a body');
  if (counts.version !== 1 || headers['sec-websocket-version'] !== '13') {
    return textReply(426, 'Error: bad request. Sec-WebSocket-Version must be 13.', {
      'Sec-WebSocket-Version': '13',
      Upgrade: 'websocket',
    });
  }
  const key = headers['sec-websocket-key'];
  if (counts.key !== 1 || key === undefined || !KEY.test(key)) {
    return bad('Sec-WebSocket-Key must be 16 bytes in base64');
  }
  const protocols = headers['sec-websocket-protocol'];
  if (protocols !== undefined && !areProtocols(protocols.split(','))) {
    return bad('Sec-WebSocket-Protocol must be a list of different tokens');
  }
  return null;
}

/** Judges what subprotocols a handshake offers: a client that speaks something else would wait for ever. Null: well. */
export function refuseProtocols(
  header: string | undefined,
  { name, protocols }: Pick<Door, 'name' | 'protocols'>,
): HttpReply | null {
  if (header === undefined || chosenProtocol(header, protocols) !== null) return null;
  return bad(
    `The ${name} door speaks no subprotocol that was offered, but ${protocols.join(', ')}, or none; a token stands behind bearer`,
  );
}

/** 16 bytes are 22 characters of base64 and two of padding. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function areProtocols(list: readonly string[]): boolean {
  const names = list.map((name) => name.trim());
  return names.every((name) => TOKEN.test(name)) && new Set(names).size === names.length;
}

/** How often the headers stand in the request that must be there once: Node folds or drops repeated ones. */
function countHeaders(rawHeaders: readonly string[]): { host: number; version: number; key: number } {
  const counts = { host: 0, version: 0, key: 0 };
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] as string;
    if (header.length === HOST.length && header.toLowerCase() === HOST) counts.host++;
    else if (header.length === VERSION.length && header.toLowerCase() === VERSION) counts.version++;
    else if (header.length === WEBSOCKET_KEY.length && header.toLowerCase() === WEBSOCKET_KEY) counts.key++;
  }
  return counts;
}

const HOST = 'host';
const VERSION = 'sec-websocket-version';
const WEBSOCKET_KEY = 'sec-websocket-key';

function bad(why: string): HttpReply {
  return textReply(400, `Error: bad request. ${why}.`);
}
