import type { Socket } from 'node:net';
import type { HttpReply } from '../door/contract.ts';
import { forbidden, textReply, tooManyAttempts, tooManyRequests } from '../door/replies.ts';
import { isAlive, type Pid, send } from '../otp/process.ts';
import { now } from '../otp/timer.ts';
import { plainAddress } from './address-list.ts';
import type { Protocol } from './http-server.ts';
import type { ListenerMessage, ListenerState } from './listener.ts';
import { readProxyHeader } from './proxied-socket.ts';
import type { Refusals } from './refusals.ts';

/** What a listener does with a connection of which nothing has been read: lets it in, or turns it away. */

/** `protocol`: what it is to speak; `served`: and speaks already. */
export function admit(state: ListenerState, socket: Socket, protocol: Protocol, served: boolean): void {
  const { gate, clients, context, self, log } = state;
  // Gone already: its close would not be heard, and it would count for ever.
  if (socket.destroyed) return;
  const address = plainAddress(socket.remoteAddress);
  const isProxy = clients.isProxy(address);
  const time = now(self);
  const verdict = isProxy
    ? gate.admission.enterProxy()
    : gate.attempts.refuses(address, time)
      ? 'failed-authorisations'
      : gate.admission.enter(address, time);
  if (verdict === 'admitted') socket.on('close', isProxy ? state.onProxyClose : state.onClose);
  else if (!refuse(state, socket, protocol, verdict, address)) return;
  if (served) return;
  if (!isProxy) {
    protocol.serve(socket);
    return;
  }
  const done = (client: string | null) =>
    pass(self, { type: 'proxied', socket, protocol, address: client }, socket);
  readProxyHeader(socket, context.limits.handshake, done, () => {
    gate.refusals['proxy-header']++;
    log.notAdmitted(context.door.name, 'proxy-header', address);
  });
}

export function proxied(
  state: ListenerState,
  socket: Socket,
  protocol: Protocol,
  address: string | null,
): void {
  const { gate, clients, self, turnedAway } = state;
  if (socket.destroyed) return;
  if (address !== null) {
    clients.name(socket, address);
    // One proxy behind another: its requests say more.
    if (!clients.isProxy(address) && turnedAway.why(socket) === undefined) {
      const verdict = enterClient(state, address);
      if (verdict === 'admitted') socket.once('close', () => gate.admission.leaveClient(address, now(self)));
      else if (!refuse(state, socket, protocol, verdict, address)) return;
    }
  }
  protocol.serve(socket);
}

export function enterClient({ gate, self }: ListenerState, address: string): Verdict {
  const time = now(self);
  return gate.attempts.refuses(address, time)
    ? 'failed-authorisations'
    : gate.admission.enterClient(address, time);
}

/** No TLS came about, an answer is not read, or the status of an answer that was given already. */
export type TurnedAwayFor = 'tls' | 'write-stall' | number;

export type Verdict = 'admitted' | keyof Refusals;

/**
 * Refuses a connection of which nothing has been read. True: its request is still to be answered. Before TLS there are
 * no words that the client would read; browsers take it for a fault of the network, and their streams come back.
 */
function refuse(
  { log, context, turnedAway }: ListenerState,
  socket: Socket,
  { secure }: Protocol,
  why: keyof Refusals,
  address: string,
): boolean {
  log.notAdmitted(context.door.name, why, address);
  if (!secure) return turnedAway.add(socket, why, refusalOf(why));
  socket.destroy();
  return false;
}

/** Counts what has been refused where no process was asked; of `tls` and `write-stall` the connection ends. */
export function countTurnedAway(
  { gate, log, context, clients }: ListenerState,
  socket: Socket,
  why: TurnedAwayFor,
): void {
  const { name } = context.door;
  if (typeof why === 'number') {
    context.log.refused(name, why, clients.ofConnection(socket));
    return;
  }
  gate.refusals[why]++;
  // Of one that the client has let go of, nothing is known any more.
  const isKnown = socket.remoteAddress !== undefined;
  log.notAdmitted(name, why, isKnown ? clients.ofConnection(socket) : 'unknown');
  socket.destroy();
}

/** A connection that asks for more than may wait, or behind an answer that does not end. */
export function notWaitedFor({ gate, log, context, clients }: ListenerState, socket: Socket): void {
  gate.refusals.pipeline++;
  log.notAdmitted(context.door.name, 'pipeline', clients.ofConnection(socket));
  socket.destroy();
}

export function refusalOf(why: keyof Refusals): HttpReply {
  switch (why) {
    case 'full':
      return textReply(503, 'Error: full.', { 'Retry-After': '1' });
    case 'failed-authorisations':
      return tooManyAttempts;
    case 'origin':
      return forbidden;
    case 'publish-rate':
      return tooManyRequests('messages');
    default:
      return tooManyRequests('connections');
  }
}

/** Tells a listener of something on a socket; when it is gone, so is the socket. */
export function pass(self: Pid<ListenerMessage>, message: ListenerMessage, socket: Socket): void {
  if (!isAlive(self) || !send(self, message)) socket.destroy();
}
