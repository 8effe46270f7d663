import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** What a request says by its head, be it well-formed or not, and what may come behind it. */

type Head = Pick<IncomingMessage, 'method' | 'httpVersion' | 'headers' | 'rawHeaders'>;

/** All values of a header, joined by `, `: Node keeps only the first of some that are repeated. `name` in lower case. */
export function valuesOf(rawHeaders: readonly string[], name: string): string | undefined {
  let values: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] as string;
    if (header.length !== name.length || header.toLowerCase() !== name) continue;
    const value = rawHeaders[i + 1] ?? '';
    values = values === undefined ? value : `${values}, ${value}`;
  }
  return values;
}

/** How often a header stands in a request: Node folds or drops repeated ones. `name` in lower case. */
export function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] as string;
    if (header.length === name.length && header.toLowerCase() === name) count++;
  }
  return count;
}

/** Whether a list of words has one, in any case. `token` in lower case. */
export function hasToken(header: string | undefined, token: string): boolean {
  const list = header?.toLowerCase();
  return list === token || tokensOf(list).includes(token);
}

/** The members of a list (RFC 9110, section 5.6.1). */
export function tokensOf(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

/** The scheme and authority of a target in absolute form, as proxies get it (RFC 9112, section 3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?#@]+)(?=[/?]|$)/i;

/** Where a request goes: its target in origin form, in two parts, and the host that the target or `Host` names. */
export function targetOf({ url = '/', headers }: Pick<IncomingMessage, 'url' | 'headers'>): {
  readonly path: string;
  /** What follows the first `?`, or the empty string. */
  readonly query: string;
  readonly target: string;
  readonly host: string | undefined;
} {
  const [start, authority] = ABSOLUTE.exec(url) ?? [];
  const rest = start === undefined ? url : url.slice(start.length);
  const target = start === undefined || rest.startsWith('/') ? rest : `/${rest}`;
  const at = target.indexOf('?');
  return {
    path: at === -1 ? target : target.slice(0, at),
    query: at === -1 ? '' : target.slice(at + 1),
    target,
    host: start === undefined ? headers.host : authority,
  };
}

/** Whether a request asks for a WebSocket, be it among other protocols. */
export function asksForWebSocket({ method, headers }: Pick<Head, 'method' | 'headers'>): boolean {
  return (
    method === 'GET' && hasToken(headers.upgrade, 'websocket') && hasToken(headers.connection, 'upgrade')
  );
}

/** 16 bytes are 22 characters of base64 and two of padding. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/**
 * What is wrong with a request to upgrade by RFC 6455, section 4.2.1; null: nothing. Node takes more than that for an
 * upgrade: with a body, in HTTP/1.0, with two `Host` headers or none, to another protocol. `version`: the client is to
 * be told which version is spoken.
 */
export function handshakeFault(request: Head): string | null | { readonly version: string } {
  const { headers, rawHeaders } = request;
  if (request.httpVersion !== '1.1') return 'HTTP/1.1 is required';
  if (request.method !== 'GET') return 'An upgrade must be a GET request';
  if (countOf(rawHeaders, 'host') !== 1) return 'Exactly one Host header is required';
  if (!hasToken(headers.upgrade, 'websocket')) return 'The only upgrade is to websocket';
  if (!hasToken(headers.connection, 'upgrade')) return 'Connection must name upgrade';
  if (hasBody(request)) return 'An upgrade must not have a body';
  const isVersion = countOf(rawHeaders, 'sec-websocket-version') === 1;
  if (!isVersion || headers['sec-websocket-version'] !== WEBSOCKET_VERSION)
    return { version: WEBSOCKET_VERSION };
  const isKey = countOf(rawHeaders, 'sec-websocket-key') === 1;
  if (!isKey || !KEY.test(headers['sec-websocket-key'] ?? ''))
    return 'Sec-WebSocket-Key must be 16 bytes in base64';
  return null;
}

const WEBSOCKET_VERSION = '13';

/** Why a request cannot be served, in words for its client; its connection has to end. */
export interface Fault {
  readonly status: number;
  readonly why: string;
}

/** What is wrong with a request that is no upgrade by RFC 9112 and 9110; null: nothing. Node takes more than they allow. */
export function requestFault({ httpVersion, headers, rawHeaders }: Omit<Head, 'method'>): Fault | null {
  const { expect, 'transfer-encoding': transfer } = headers;
  const is11 = httpVersion === '1.1';
  if (!is11 && httpVersion !== '1.0')
    return { status: 505, why: 'Error: only HTTP/1.1 and HTTP/1.0 are spoken here.' };
  const hosts = countOf(rawHeaders, 'host');
  // RFC 9112, section 3.2.
  if (hosts > 1 || (is11 && hosts === 0))
    return { status: 400, why: 'Error: bad request. Exactly one Host header is required.' };
  // RFC 9112, section 6.1: whatever came before us has understood the body otherwise.
  if (!is11 && transfer !== undefined)
    return { status: 400, why: 'Error: bad request. HTTP/1.0 has no Transfer-Encoding.' };
  // RFC 9110, section 10.1.1: there is nothing else that could be expected of us.
  if (is11 && expect !== undefined && expect.toLowerCase() !== '100-continue')
    return { status: 417, why: 'Error: expectation failed.' };
  // RFC 9112, section 6.1: a body in any other coding would be taken as it is.
  if (transfer !== undefined && transfer.trim().toLowerCase() !== 'chunked')
    return { status: 501, why: 'Error: the only transfer coding is chunked.' };
  return null;
}

export function hasBody({ headers }: Pick<Head, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || !/^0*$/.test(headers['content-length'] ?? '');
}

/** Whether a body has more bytes by the head of its request than there may be; 0: there is no limit. */
export function saysTooLong({ headers }: Pick<Head, 'headers'>, limit: number): boolean {
  return limit > 0 && Number(headers['content-length'] ?? 0) > limit;
}

/**
 * Asks for a body that waits to be asked for (RFC 9110, section 10.1.1), unless its Content-Length is beyond the limit. The
 * request is emitted as requests without an `Expect` are, and the process that takes it refuses the long body. `limit`: in bytes, 0: none.
 */
export function inviteBodies(server: Server, limit: () => number): void {
  server.on('checkContinue', (request, response) => {
    if (!saysTooLong(request, limit())) response.writeContinue();
    server.emit('request', request, response);
  });
}

/**
 * Has Node hand over all lines of a head. By itself it leaves out those past a thousand without a word, or in newer
 * versions refuses the request; but what is judged by its headers must be judged by all of them. How many bytes they may
 * have is bounded.
 */
export function keepAllLines(parsing: { maxHeadersCount: number | null }): void {
  parsing.maxHeadersCount = 0;
}

/** Node's errors of a client that goes before its request is whole: it has asked for nothing. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']);

const TOO_LATE = 'ERR_HTTP_REQUEST_TIMEOUT';

/** Whether the client of a request that cannot be read is not there any more to be answered. `code`: that of Node's error. */
export function hasGone(socket: Socket, code: string): boolean {
  return GONE.has(code) || (!socket.writable && code === TOO_LATE);
}

/** What is wrong with a request that cannot be read, or does not end. `code`: that of Node's error. `head`: how much a head may have, in words. */
export function malformedFault(code: string, head: string): Fault {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, why: `Error: the head of the request has more than ${head}.` };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, why: 'Error: message too large.' };
    case TOO_LATE:
      return { status: 408, why: 'Error: the request took too long.' };
    default:
      return { status: 400, why: 'Error: bad request. This is no HTTP.' };
  }
}
