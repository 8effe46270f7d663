import type { IncomingMessage } from 'node:http';
import type { Door, HttpReply } from '../door/contract.ts';
import { textReply } from '../door/replies.ts';
import { chosenProtocol } from '../door/subprotocol.ts';
import { asksForWebSocket, handshakeFault, requestFault } from '../http/request.ts';

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
  const fault = requestFault(message);
  return fault === null ? null : textReply(fault.status, fault.why, { Connection: 'close' });
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
