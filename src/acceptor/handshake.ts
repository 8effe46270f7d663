import type { IncomingMessage } from 'node:http';
import type { Door, HttpReply } from '../door/contract.ts';
import { textReply } from '../door/replies.ts';
import { chosenProtocol } from '../door/subprotocol.ts';
import { asksForWebSocket, countOf, handshakeFault } from '../http/request.ts';

/** Judges a request to upgrade, before its door does. Null: it is a good one. */
export function refuseHandshake(
  request: Pick<IncomingMessage, 'method' | 'httpVersion' | 'headers' | 'rawHeaders'>,
): HttpReply | null {
  const fault = handshakeFault(request);
  if (typeof fault === 'string') return bad(fault);
  if (fault !== null)
    return textReply(426, `Error: bad request. Sec-WebSocket-Version must be ${fault.version}.`, {
      'Sec-WebSocket-Version': fault.version,
      Upgrade: 'websocket',
    });
  const protocols = request.headers['sec-websocket-protocol'];
  return protocols === undefined || areProtocols(protocols.split(','))
    ? null
    : bad('Sec-WebSocket-Protocol must be a list of different tokens');
}

/** Judges a request that is no upgrade, before its door does. Null: it is a good one. */
export function refuseRequest(message: IncomingMessage): HttpReply | null {
  // A handshake with a body, which Node has taken for no upgrade.
  if (asksForWebSocket(message)) return refuseHandshake(message);
  const {
    httpVersion,
    headers: { expect, 'transfer-encoding': transfer },
    rawHeaders,
  } = message;
  if (httpVersion !== '1.1') return null;
  // RFC 9110, section 10.1.1: there is nothing else that could be expected of us.
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return textReply(417, 'Error: expectation failed.', { Connection: 'close' });
  }
  // RFC 9112, section 6.1: a body in any other coding would be taken as it is.
  if (transfer !== undefined && transfer.trim().toLowerCase() !== 'chunked') {
    return textReply(501, 'Error: the only transfer coding is chunked.', { Connection: 'close' });
  }
  // RFC 9112, section 3.2.
  return countOf(rawHeaders, 'host') === 1
    ? null
    : textReply(400, 'Error: bad request. Exactly one Host header is required.', { Connection: 'close' });
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

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function areProtocols(list: readonly string[]): boolean {
  const names = list.map((name) => name.trim());
  return names.every((name) => TOKEN.test(name)) && new Set(names).size === names.length;
}

function bad(why: string): HttpReply {
  return textReply(400, `Error: bad request. ${why}.`);
}
