import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpReply } from '../door/contract.ts';
import { textReply } from '../door/replies.ts';
import { lingeringEnd } from '../http/lingering.ts';
import { hasGone, malformedFault } from '../http/malformed-request.ts';
import { rawReply } from '../http/raw-reply.ts';
import { asksForWebSocket } from '../http/upgrades.ts';
import { notWaitedFor, pass, refusalOf } from './admitting.ts';
import { refuseHandshake } from './handshake.ts';
import type { ListenerState } from './listener.ts';
import { turnAway } from './turned-away.ts';

/** What Node would answer by itself, and count nowhere: requests that it cannot read, or that do not end. */

/** `code`: that of Node's error. */
export function malformed(state: ListenerState, socket: Socket, code: string): void {
  if (hasGone(socket, code)) {
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
  const { status, why } = malformedFault(code, `${state.context.limits.head} bytes (limits.head)`);
  const answer = textReply(status, why);
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
