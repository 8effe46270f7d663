import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ExchangeTransport } from '../connection/transport/exchange-transport.ts';
import { StreamTransport } from '../connection/transport/stream-transport.ts';
import { onceOver, sendReply, type Transport } from '../connection/transport/transport.ts';
import { WebSocketTransport } from '../connection/transport/websocket-transport.ts';
import type { HttpReply, Route } from '../door/contract.ts';
import { messageTooLarge, textReply } from '../door/replies.ts';
import { shownProtocols } from '../door/subprotocol.ts';
import { saysTooLong } from '../http/expectation.ts';
import { endWith } from '../http/lingering.ts';
import { rawReply } from '../http/raw-reply.ts';
import { asksForWebSocket, losesWhatFollows } from '../http/upgrades.ts';
import { now } from '../otp/timer.ts';
import { plainAddress } from './address-list.ts';
import { notWaitedFor, pass, refusalOf, type Verdict } from './admitting.ts';
import { clientRequest } from './client-request.ts';
import { cookieMayCount, cookieValue } from './cookie.ts';
import { asDoorRequest } from './door-request.ts';
import { refuseHandshake, refuseProtocols } from './handshake.ts';
import { KEEP_ALIVE } from './http-server.ts';
import type { ListenerState } from './listener.ts';
import { refuseRequest } from './malformed.ts';
import { turnAway } from './turned-away.ts';

/** What a listener does with a request: asks the door what it is for, and gives it to a handler, or answers it. */

export function upgrade(state: ListenerState, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const turn = () => pass(state.self, { type: 'upgrade-turn', request, socket, head }, socket);
  const place = state.pipelines.leave(socket, turn);
  if (place === 'now') answerUpgrade(state, request, socket, head);
  else if (place === 'full') notWaitedFor(state, socket);
}

export function answerUpgrade(
  state: ListenerState,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  const { context } = state;
  if (isRefused(socket)) return;
  if (request.method !== 'CONNECT' && !asksForWebSocket(request)) {
    state.http.ignoreUpgrade(request, socket, head);
    return;
  }
  const why = state.turnedAway.why(socket);
  if (why !== undefined) {
    turnAway(socket, refusalOf(why));
    return;
  }
  const { name } = context.door;
  const offered = request.headers['sec-websocket-protocol'];
  const refusal = refuseHandshake(request);
  const otherProtocol = refusal === null ? refuseProtocols(offered, context.door) : null;
  const route =
    refusal ?? otherProtocol ?? context.door.route(asDoorRequest(request, true, cookieOf(state, request)));
  if (route.type === 'open' && route.transport === 'websocket') {
    open(state, route, new WebSocketTransport(context.webSockets, request, socket, head), request);
    return;
  }
  const answer = route.type === 'reply' ? route : textReply(400, 'Error: bad request. Not to be upgraded.');
  const address = state.clients.ofRequest(socket, request.rawHeaders);
  const shown = otherProtocol === null ? undefined : shownProtocols(offered ?? '');
  context.log.refused(name, answer.status, address, shown);
  endWith(socket, rawReply(answer));
}

export function request(state: ListenerState, message: IncomingMessage, response: ServerResponse): void {
  const { socket } = message;
  const turn = () => pass(state.self, { type: 'turn', request: message, response }, socket);
  const place = state.pipelines.enter(socket, response, turn);
  if (place === 'now') answer(state, message, response);
  else if (place === 'full') notWaitedFor(state, socket);
}

export function answer(state: ListenerState, message: IncomingMessage, response: ServerResponse): void {
  const { context, clients, crossOrigin, turnedAway } = state;
  const { rawHeaders } = message;
  if (isRefused(message.socket)) return;
  state.unread.watch(message.socket, response);
  if (losesWhatFollows(message)) response.shouldKeepAlive = false;
  // Here, for whatever answers later: a page of another origin may read refusals too.
  for (const [name, value] of Object.entries(crossOrigin?.headersFor(rawHeaders) ?? {}))
    response.setHeader(name, value);
  keepForProxy(state, message.socket, response);
  const route = routeOf(state, message);
  const why = turnedAway.why(message.socket);
  if (why !== undefined) {
    const refusal = refusalOf(why);
    const { headers, ...reply } =
      route.type === 'open' && route.transport === 'stream' ? route.later(refusal, Math.random()) : refusal;
    message.resume();
    sendReply(response, { ...reply, headers: { ...headers, Connection: 'close' } });
    return;
  }
  if (route.type === 'reply') {
    if (route.status >= 400) {
      const address = clients.ofRequest(message.socket, rawHeaders);
      context.log.refused(context.door.name, route.status, address);
    }
    sendReply(response, route);
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

/** Reads the cookie that holds credentials, when a door asks for it. */
function cookieOf(state: ListenerState, { rawHeaders }: IncomingMessage): () => string | undefined {
  const { cookie } = state.edge;
  return () =>
    cookie !== null && mayBringCookies(state, rawHeaders) ? cookieValue(cookie, rawHeaders) : undefined;
}

/** Where cookies are credentials, one that may not count is as good as not there. */
function mayBringCookies(
  { edge: { cookie, origin, tls } }: ListenerState,
  rawHeaders: readonly string[],
): boolean {
  return cookie === null || cookieMayCount(rawHeaders, { listed: origin !== null, tls: tls !== null });
}

/** A proxy keeps its connections for its clients' next requests, and what it sends on one that we have ended is lost. */
function keepForProxy({ context, clients }: ListenerState, socket: Socket, response: ServerResponse): void {
  if (context.limits.keepAlive !== null || !clients.isProxy(plainAddress(socket.remoteAddress))) return;
  response.setHeader('Keep-Alive', `timeout=${KEEP_ALIVE.proxy / 1000}`);
  response.once('close', () => {
    // Node has just set its own, where no other request waits: a second more than is announced.
    if (socket.timeout) socket.setTimeout(KEEP_ALIVE.proxy + 1000);
  });
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
    ...(guard.needs === undefined
      ? {}
      : { request: clientRequest(message, mayBringCookies(state, rawHeaders)) }),
  });
  if (taken) return;
  context.log.refused(context.door.name, 503, address);
  transport.reply(textReply(503, 'Error: try again later.', { 'Retry-After': '1' }));
}

/** A stream has no end, so that nothing behind it would ever be answered. */
const notTheLast = textReply(
  400,
  'Error: bad request. A stream must be the last request of its connection.',
  {
    Connection: 'close',
  },
);

function routeOf(state: ListenerState, message: IncomingMessage): Route {
  const { context, pipelines } = state;
  const route =
    refuseRequest(message) ??
    preflight(state, message) ??
    context.door.route(asDoorRequest(message, false, cookieOf(state, message)));
  if (route.type !== 'open') return route;
  if (route.transport === 'stream') return pipelines.neverEnds(message.socket) ? route : notTheLast;
  return saysTooLong(message, context.limits.message) ? messageTooLarge : route;
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
