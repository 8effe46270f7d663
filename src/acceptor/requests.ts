import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ExchangeTransport } from '../connection/exchange-transport.ts';
import { rawReply } from '../connection/http-reply.ts';
import { StreamTransport } from '../connection/stream-transport.ts';
import { onceOver, type Transport } from '../connection/transport.ts';
import { WebSocketTransport } from '../connection/websocket-transport.ts';
import type { HttpReply, Route } from '../door/contract.ts';
import { textReply } from '../door/replies.ts';
import { now } from '../otp/timer.ts';
import { pass, refusalOf, type Verdict } from './admitting.ts';
import { clientRequest } from './client-request.ts';
import { asDoorRequest } from './door-request.ts';
import { refuseHandshake } from './handshake.ts';
import type { ListenerState } from './listener.ts';
import { refuseRequest } from './malformed.ts';
import { turnAway } from './turned-away.ts';

/** What a listener does with a request: asks the door what it is for, and gives it to a handler, or answers it. */

export function upgrade(state: ListenerState, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { context, pipelines, turnedAway } = state;
  if (isRefused(socket)) return;
  const why = turnedAway.why(socket);
  if (why !== undefined) {
    turnAway(socket, refusalOf(why));
    return;
  }
  if (pipelines.isBusy(socket)) {
    // The answer to an earlier request would come amidst the frames.
    notWaitedFor(state, socket);
    return;
  }
  const refusal = refuseHandshake(request);
  const route = refusal ?? context.door.route(asDoorRequest(request, true));
  if (route.type === 'open' && route.transport === 'websocket') {
    open(state, route, new WebSocketTransport(context.webSockets, request, socket, head), request);
    return;
  }
  const answer = route.type === 'reply' ? route : textReply(400, 'Error: bad request. Not to be upgraded.');
  context.log.refused(context.door.name, answer.status, state.clients.ofRequest(socket, request.rawHeaders));
  socket.end(rawReply(answer));
  socket.destroySoon();
}

export function request(state: ListenerState, message: IncomingMessage, response: ServerResponse): void {
  const { socket } = message;
  const turn = () => pass(state.self, { type: 'turn', request: message, response }, socket);
  const place = state.pipelines.enter(socket, response, turn);
  if (place === 'now') answer(state, message, response);
  else if (place === 'full') notWaitedFor(state, socket);
}

/** A connection that asks for more than one after the other. */
function notWaitedFor({ gate, log, context, clients }: ListenerState, socket: Socket): void {
  gate.refusals.pipeline++;
  log.notAdmitted(context.door.name, 'pipeline', clients.ofConnection(socket));
  socket.destroy();
}

export function answer(state: ListenerState, message: IncomingMessage, response: ServerResponse): void {
  const { context, clients, crossOrigin, turnedAway } = state;
  const { rawHeaders } = message;
  if (isRefused(message.socket)) return;
  // Here, for whatever answers later: a page of another origin may read refusals too.
  for (const [name, value] of Object.entries(crossOrigin?.headersFor(rawHeaders) ?? {}))
    response.setHeader(name, value);
  const route =
    refuseRequest(message) ?? preflight(state, message) ?? context.door.route(asDoorRequest(message, false));
  const why = turnedAway.why(message.socket);
  if (why !== undefined) {
    const refusal = refusalOf(why);
    const { headers, ...reply } =
      route.type === 'open' && route.transport === 'stream' ? route.later(refusal, Math.random()) : refusal;
    message.resume();
    replyTo(response, { ...reply, headers: { ...headers, Connection: 'close' } });
    return;
  }
  if (route.type === 'reply') {
    if (route.status >= 400) {
      const address = clients.ofRequest(message.socket, rawHeaders);
      context.log.refused(context.door.name, route.status, address);
    }
    replyTo(response, route);
    return;
  }
  const transport =
    route.transport === 'stream'
      ? new StreamTransport(message, response, route)
      : new ExchangeTransport(message, response, context.limits.message, () =>
          pass(state.self, { type: 'turned-away', socket: message.socket, why: 413 }, message.socket),
        );
  open(state, route, transport, message, response);
}

/** Null: the request is none, or the door has nothing for other origins. */
function preflight(state: ListenerState, { method, socket, rawHeaders }: IncomingMessage): HttpReply | null {
  const { crossOrigin, isOriginAllowed, gate, log, context, clients } = state;
  if (method !== 'OPTIONS' || crossOrigin === null) return null;
  if (isOriginAllowed(rawHeaders)) return crossOrigin.preflight(rawHeaders);
  gate.refusals.origin++;
  log.notAdmitted(context.door.name, 'origin', clients.ofRequest(socket, rawHeaders));
  return refusalOf('origin');
}

function open(
  state: ListenerState,
  route: Extract<Route, { type: 'open' }>,
  transport: Transport,
  message: IncomingMessage,
  response?: ServerResponse,
): void {
  const { context, clients, startHandler, gate, log, self } = state;
  const { socket, rawHeaders } = message;
  const guard = context.guards[route.guard];
  const peer = clients.ofConnection(socket);
  const address = clients.ofRequest(socket, rawHeaders);
  const verdict = judge(state, transport, address, rawHeaders, address !== peer);
  if (verdict !== 'admitted') {
    log.notAdmitted(context.door.name, verdict, address);
    transport.reply(refusalOf(verdict));
    return;
  }
  if (address !== peer) {
    const leave = () => gate.admission.leaveClient(address, now(self));
    if (response === undefined) socket.once('close', leave);
    else onceOver(response, leave);
  }
  const taken = startHandler({
    context,
    guard,
    transport,
    session: route.session,
    format: route.format,
    address,
    ...(route.about === undefined ? {} : { about: route.about }),
    ...(guard.needs === undefined ? {} : { request: clientRequest(message) }),
  });
  if (taken) return;
  context.log.refused(context.door.name, 503, address);
  transport.reply(textReply(503, 'Error: try again later.', { 'Retry-After': '1' }));
}

/** `forwarded`: of the client only its request is known, and that counts as its connection. */
function judge(
  state: ListenerState,
  { kind }: Transport,
  address: string,
  rawHeaders: readonly string[],
  forwarded: boolean,
): Verdict {
  const { gate, isOriginAllowed, self } = state;
  const time = now(self);
  if (gate.attempts.refuses(address, time)) return 'failed-authorisations';
  if (!isOriginAllowed(rawHeaders)) {
    gate.refusals.origin++;
    return 'origin';
  }
  if (kind === 'exchange' && !gate.posts.take(address, time)) {
    gate.refusals['publish-rate']++;
    return 'publish-rate';
  }
  return forwarded ? gate.admission.enterClient(address, time) : 'admitted';
}

/** A connection that is gone, or was not admitted when its request was on its way already. */
function isRefused(socket: Socket): boolean {
  return socket.writableEnded || socket.destroyed;
}

/** Of an answer to HEAD Node sends the head alone, with the length that the body would have. */
function replyTo(response: ServerResponse, { status, headers, body }: HttpReply): void {
  const length: Record<string, string> =
    status === 204 ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const all: Record<string, string> = { ...length, ...headers };
  // With a `Connection` of ours Node forgets that the client wants it closed.
  if (all['Connection'] === 'Upgrade' && !response.shouldKeepAlive) all['Connection'] += ', close';
  response.writeHead(status, all);
  response.end(body);
}
