import { chmodSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { ConnectionArgs } from '../connection/connection.ts';
import type { DoorContext } from '../connection/door-context.ts';
import { ExchangeTransport } from '../connection/exchange-transport.ts';
import { rawReply } from '../connection/http-reply.ts';
import { StreamTransport } from '../connection/stream-transport.ts';
import { ignoreError, onceOver, type Transport } from '../connection/transport.ts';
import { WebSocketTransport } from '../connection/websocket-transport.ts';
import type { HttpReply, Route } from '../door/contract.ts';
import { forbidden, textReply, tooManyAttempts, tooManyRequests } from '../door/replies.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { isAlive, type Pid, type Self, send, started } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { AddressList, plainAddress } from './address-list.ts';
import { ClientAddresses } from './client-addresses.ts';
import { asDoorRequest } from './door-request.ts';
import { type Gate, SWEEP_PERIOD } from './gate.ts';
import { refuseHandshake } from './handshake.ts';
import { describeFailure } from './listen-failure.ts';
import {
  isLoopback,
  listen,
  newServer,
  type Place,
  type Serve,
  type TlsPair,
  takeConnections,
} from './listening.ts';
import { type OriginRule, originRule } from './origin.ts';
import { readProxyHeader } from './proxied-socket.ts';
import type { Refusals } from './refusals.ts';

/**
 * One door's listener: accepts connections within the limits, speaks HTTP, and gives each request that the door lets in
 * to a handler of its own. It has started when it listens. Connections live on when it crashes; its port is taken again.
 */
export interface ListenerArgs {
  readonly context: DoorContext;
  readonly at: Place;
  readonly edge: Edge;
  /** Shared by all doors. */
  readonly gate: Gate;
  /** Hands a connection to a handler. False: nobody takes it. */
  readonly startHandler: (args: ConnectionArgs) => boolean;
  readonly log: ListenerLog;
}

/** What a door asks of those who come to it, before its protocol. */
export interface Edge {
  /** See `originRule`. */
  readonly origin: readonly string[] | null;
  /** Reads the certificate and the key, or says what it expected of them. Null: no TLS. */
  readonly tls: (() => TlsPair | { readonly expected: string }) | null;
  /** Addresses, CIDR blocks and `unix:`. */
  readonly trustedProxies: readonly string[];
  readonly proxyProtocol: boolean;
  /** Whoever comes has rights, without any credential. */
  readonly open: boolean;
}

export interface ListenerLog {
  listening(door: string, at: Place): void;
  notAdmitted(door: string, why: keyof Refusals, address: string): void;
  note(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export type ListenerMessage =
  | Exit
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'connection'; readonly socket: Socket }
  /** A trusted proxy has named its client, or (null) itself. */
  | { readonly type: 'proxied'; readonly socket: Socket; readonly address: string | null }
  | {
      readonly type: 'upgrade';
      readonly request: IncomingMessage;
      readonly socket: Socket;
      readonly head: Buffer;
    }
  | { readonly type: 'request'; readonly request: IncomingMessage; readonly response: ServerResponse }
  /** Reads certificate and key again, for the connections to come. */
  | { readonly type: 'reread-tls' }
  | { readonly type: 'sweep' }
  /** Accepts nothing more; what has been accepted goes on. */
  | { readonly type: 'stop-accepting' };

interface State extends ListenerArgs {
  readonly self: Self<ListenerMessage>;
  readonly server: Server;
  readonly clients: ClientAddresses;
  readonly isOriginAllowed: OriginRule;
  /** Null where the server takes connections by itself: only PROXY headers are read before it. */
  readonly serve: Serve | null;
  /** Listen for the end of every connection that was admitted; one function for all of them. */
  readonly onClose: (this: Socket) => void;
  readonly onProxyClose: () => void;
}

export const listener: Behaviour<ListenerArgs, State, ListenerMessage> = {
  name: 'listener',
  trapExit: true,

  init(self, args) {
    const { context, edge, gate } = args;
    const tls = edge.tls?.() ?? null;
    if (tls !== null && 'expected' in tls)
      return stop({ stop: `cannot speak TLS: ${tls.expected} is missing` });
    const server = newServer(context.limits.handshake, tls);
    const clients = new ClientAddresses(new AddressList(edge.trustedProxies), edge.proxyProtocol);
    const serve = edge.proxyProtocol ? takeConnections(server) : null;
    // These run outside of the processes: each only passes on what happened.
    server.on('listening', () => send(self, { type: 'listening' }));
    server.on('error', (error) => send(self, { type: 'failed', error }));
    server.on('connection', (socket: Socket) => {
      socket.on('error', ignoreError);
      pass(self, { type: 'connection', socket }, socket);
    });
    if (tls !== null) {
      server.on('secureConnection', (socket: Socket) => {
        socket.on('error', ignoreError);
        // Every exchange that a client has under way listens for the end of their connection.
        socket.setMaxListeners(0);
        if (edge.proxyProtocol) clients.wrapped(socket);
      });
      server.on('tlsClientError', () => {
        gate.refusals.tls++;
      });
    }
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      pass(self, { type: 'upgrade', request, socket, head }, socket);
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      response.on('error', ignoreError);
      pass(self, { type: 'request', request, response }, request.socket);
    });
    listen(server, args.at);
    sendAfter(self, SWEEP_PERIOD, { type: 'sweep' });
    const { admission } = gate;
    // Node remembers the address of a socket that is closed, once it has been asked for.
    const onClose = function (this: Socket) {
      admission.leave(plainAddress(this.remoteAddress), now(self));
    };
    const onProxyClose = () => admission.leaveProxy();
    const isOriginAllowed = originRule(edge.origin);
    return starting({ ...args, self, server, clients, isOriginAllowed, serve, onClose, onProxyClose });
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'connection':
        admit(state, message.socket);
        return keep;
      case 'proxied':
        proxied(state, message.socket, message.address);
        return keep;
      case 'upgrade':
        upgrade(state, message.request, message.socket, message.head);
        return keep;
      case 'request':
        request(state, message.request, message.response);
        return keep;
      case 'listening':
        listening(state);
        return keep;
      case 'failed':
        return stop({ stop: describeFailure(message.error, state.at) });
      case 'reread-tls':
        rereadTls(state);
        return keep;
      case 'sweep':
        sendAfter(state.self, SWEEP_PERIOD, { type: 'sweep' });
        state.gate.sweep(now(state.self));
        return keep;
      case 'stop-accepting':
        state.server.close();
        state.server.closeIdleConnections();
        return keep;
      case 'exit':
        return stop(message.reason);
    }
  },

  terminate({ server }) {
    server.close();
    server.closeIdleConnections();
  },

  undelivered(message) {
    if (message.type === 'request') message.request.socket.destroy();
    else if ('socket' in message) message.socket.destroy();
  },
};

function pass(self: Pid<ListenerMessage>, message: ListenerMessage, socket: Socket): void {
  if (!isAlive(self) || !send(self, message)) socket.destroy();
}

function listening(state: State): void {
  const { self, server, context, at, edge, log } = state;
  const address = server.address();
  if (typeof address === 'object' && address !== null) {
    const { address: host, port } = address;
    log.listening(context.door.name, { host, port });
    if (edge.open && edge.origin === null && !isLoopback(host)) {
      log.warn(
        'any web page may use this door, through the browser of whoever reads it: set an origin list',
        {
          door: context.door.name,
          host,
        },
      );
    }
  } else if ('socket' in at) {
    // As pinghub: whoever may reach the folder may connect.
    chmodSync(at.socket, 0o777);
    log.listening(context.door.name, at);
  }
  started(self);
}

/** The server goes on with the certificate that it has when the new one is no good. */
function rereadTls({ edge, server, context, log }: State): void {
  const tls = edge.tls?.() ?? null;
  const door = context.door.name;
  if (tls === null) return;
  if ('expected' in tls) {
    log.warn('the certificate stays the old one', { door, expected: tls.expected });
    return;
  }
  (server as TlsServer).setSecureContext(tls);
  log.note('certificate read', { door });
}

function admit(state: State, socket: Socket): void {
  const { gate, clients, context, self, serve } = state;
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
  if (verdict !== 'admitted') {
    turnAway(state, socket, verdict, address);
    return;
  }
  socket.on('close', isProxy ? state.onProxyClose : state.onClose);
  // Every exchange that a client has under way listens for the end of their connection.
  socket.setMaxListeners(0);
  if (serve === null) return;
  if (!isProxy) {
    serve(socket);
    return;
  }
  const done = (client: string | null) => pass(self, { type: 'proxied', socket, address: client }, socket);
  readProxyHeader(socket, context.limits.handshake, done, () => {
    gate.refusals['proxy-header']++;
  });
}

function proxied(state: State, socket: Socket, address: string | null): void {
  const { gate, clients, self, serve } = state;
  if (socket.destroyed) return;
  if (address !== null) {
    clients.name(socket, address);
    // One proxy behind another: its requests say more.
    if (!clients.isProxy(address)) {
      const verdict = enterClient(state, address);
      if (verdict !== 'admitted') {
        turnAway(state, socket, verdict, address);
        return;
      }
      socket.once('close', () => gate.admission.leaveClient(address, now(self)));
    }
  }
  serve?.(socket);
}

function enterClient({ gate, self }: State, address: string): Verdict {
  const time = now(self);
  return gate.attempts.refuses(address, time)
    ? 'failed-authorisations'
    : gate.admission.enterClient(address, time);
}

type Verdict = 'admitted' | keyof Refusals;

/** Refuses a connection of which nothing has been read. Before TLS there are no words that the client would read. */
function turnAway({ log, context, edge }: State, socket: Socket, why: keyof Refusals, address: string): void {
  log.notAdmitted(context.door.name, why, address);
  if (edge.tls !== null) {
    socket.destroy();
    return;
  }
  socket.end(rawReply(refusalOf(why)));
  socket.destroySoon();
}

function refusalOf(why: keyof Refusals): HttpReply {
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

function upgrade(state: State, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { context } = state;
  if (isRefused(socket)) return;
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

function request(state: State, message: IncomingMessage, response: ServerResponse): void {
  const { context } = state;
  if (isRefused(message.socket)) return;
  const route = context.door.route(asDoorRequest(message, false));
  if (route.type === 'reply') {
    replyTo(response, route);
    return;
  }
  const transport =
    route.transport === 'stream'
      ? new StreamTransport(message, response)
      : new ExchangeTransport(message, response, context.limits.message);
  open(state, route, transport, message, response);
}

function open(
  state: State,
  route: Extract<Route, { type: 'open' }>,
  transport: Transport,
  { socket, rawHeaders }: IncomingMessage,
  response?: ServerResponse,
): void {
  const { context, clients, startHandler, gate, log, self } = state;
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
    else onceOver(response, socket, leave);
  }
  const taken = startHandler({
    context,
    guard: context.guards[route.guard],
    transport,
    session: route.session,
    format: route.format,
    address,
  });
  if (!taken) transport.reply(textReply(503, 'Error: try again later.', { 'Retry-After': '1' }));
}

/** `forwarded`: of the client only its request is known, and that counts as its connection. */
function judge(
  state: State,
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

/** A connection that was not admitted, whose request was on its way already. */
function isRefused(socket: Socket): boolean {
  return socket.writableEnded;
}

/** Of an answer to HEAD Node sends the head alone, with the length that the body would have. */
function replyTo(response: ServerResponse, { status, headers, body }: HttpReply): void {
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
  response.end(body);
}
