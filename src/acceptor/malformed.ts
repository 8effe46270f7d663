import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { rawReply } from '../connection/transport/http-reply.ts';
import type { HttpReply } from '../door/contract.ts';
import { textReply } from '../door/replies.ts';
import { lingeringEnd } from '../http/lingering.ts';
import { asksForWebSocket } from '../http/upgrades.ts';
import { notWaitedFor, pass, refusalOf } from './admitting.ts';
import { refuseHandshake } from './handshake.ts';
import type { ListenerState } from './listener.ts';
import { turnAway } from './turned-away.ts';

/** What Node would answer by itself, and count nowhere: requests that it cannot read, or that do not end. */

/** A client that goes before its request is whole has asked for nothing. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']);

const TOO_LATE = 'ERR_HTTP_REQUEST_TIMEOUT';

/** `code`: that of Node's error. */
export function malformed(state: ListenerState, socket: Socket, code: string): void {
  if (GONE.has(code) || (!socket.writable && code === TOO_LATE)) {
    socket.destroy();
    return;
  }
  // It has been answered, and what comes still is not read.
  if (!socket.writable) return;
  const why = state.turnedAway.why(socket);
  if (why !== undefined) {
    turnAway(socket, refusalOf(why));
    return;
  }
  const turn = () => pass(state.self, { type: 'malformed-turn', socket, code }, socket);
  const place = state.pipelines.break(socket, turn);
  if (place === 'now') refuseMalformed(state, socket, code);
  else if (place === 'full') notWaitedFor(state, socket);
}

export function refuseMalformed(state: ListenerState, socket: Socket, code: string): void {
  if (!socket.writable) return;
  const answer = answerTo(code, state.context.limits.head);
  state.context.log.refused(state.context.door.name, answer.status, state.clients.ofConnection(socket));
  // Amidst an answer that is under way, no other would be understood.
  if (state.pipelines.isAmidst(socket)) socket.destroySoon();
  else lingeringEnd(socket, rawReply(answer));
}

/** Judges a request that is no upgrade, before its door does. Null: it is a good one. */
export function refuseRequest(message: IncomingMessage): HttpReply | null {
  // One with a body, which Node has taken for no upgrade.
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
  // RFC 9112, section 6.1: what else was done to the body nobody would undo.
  if (transfer !== undefined && transfer.trim().toLowerCase() !== 'chunked') {
    return textReply(501, 'Error: the only transfer coding is chunked.', { Connection: 'close' });
  }
  // RFC 9112, section 3.2.
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') hosts++;
  return hosts === 1
    ? null
    : textReply(400, 'Error: bad request. Exactly one Host header is required.', { Connection: 'close' });
}

function answerTo(code: string, head: number): HttpReply {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return textReply(431, `Error: the head of the request has more than ${head} bytes (limits.head).`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return textReply(413, 'Error: message too large.');
    case TOO_LATE:
      return textReply(408, 'Error: the request took too long.');
    default:
      return textReply(400, 'Error: bad request. This is no HTTP.');
  }
}
