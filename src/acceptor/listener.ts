import { chmodSync } from 'node:fs';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { ConnectionArgs } from '../connection/connection.ts';
import type { DoorContext } from '../connection/door-context.ts';
import { ExchangeTransport } from '../connection/transport/exchange-transport.ts';
import { StreamTransport } from '../connection/transport/stream-transport.ts';
import { ignoreError, onceOver, sendReply, type Transport } from '../connection/transport/transport.ts';
import { WebSocketTransport } from '../connection/transport/websocket-transport.ts';
import type { HttpReply, Route } from '../door/contract.ts';
import { textReply } from '../door/replies.ts';
import { endWith, lingeringEnd, rawReply } from '../http/last-answer.ts';
import { Pipelines } from '../http/pipelines.ts';
import { describeFailure, openPort, type Place, type PortMessage } from '../http/port.ts';
import { asksForWebSocket, hasBody, hasGone, inviteBodies, malformedFault } from '../http/request.ts';
import { UnreadAnswers } from '../http/unread-answers.ts';
import { losesWhatFollows } from '../http/upgrades.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { call } from '../otp/call.ts';
import { inform, isAlive, type Self, send, started } from '../otp/process.ts';
import { informNamed, type ProcessName, whereis } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { now } from '../otp/timer.ts';
import { AddressList, isLoopback, plainAddress } from './addresses.ts';
import { clientRequest } from './client-request.ts';
import type { Gate } from './gate.ts';
import { HttpServers, KEEP_ALIVE, type Protocol } from './http-servers.ts';
import { ClientAddresses, readProxyHeader } from './proxies.ts';
import { type Refusal, refusalOf, TurnedAway, turnAway } from './refusals.ts';
import { type Edge, RequestChecks } from './request-checks.ts';

/**
 * One door's listener: accepts connections within the limits, speaks HTTP, and gives each request that the door lets in
 * to a handler of its own. It has started when it listens. Connections live on when it crashes; its port is taken again.
 */
export interface ListenerArgs {
  readonly context: DoorContext;
  readonly at: Place;
  /** Asked at the start, and whenever the door has changed. */
  readonly currentEdge: () => Edge;
  /** False: the port is open before it counts, and whoever comes is cut off as if it were closed. Default: true. */
  readonly letsIn?: () => boolean;
  /** Shared by all doors. */
  readonly gate: Gate;
  /** Hands a connection to a handler. False: there is none to take it. */
  readonly startHandler: (args: ConnectionArgs) => boolean;
  readonly log: ListenerLog;
}

export interface ListenerLog {
  listening(door: string, at: Place): void;
  notAdmitted(door: string, why: Refusal, address: string): void;
  note(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export type ListenerName = ProcessName<ListenerMessage>;

/** Milliseconds for a listener to take new settings. */
const PATIENCE = 5000;

/** Has a listener take its door's limits and edge anew, for the connections to come. Resolves when it has. */
export async function reconfigureListener(system: System, name: ListenerName): Promise<void> {
  const listener = whereis(system, name);
  if (listener === undefined) return;
  const taken = call<ListenerMessage, void>(listener, (done) => ({ type: 'reconfigure', done }), PATIENCE);
  // A listener that has crashed meanwhile starts anew with the new settings; a busy or suspended one takes them later.
  await taken.catch(() => informNamed(system, name, { type: 'reconfigure', done: () => undefined }));
}

/** Has a listener read certificate and key again, for the connections to come. */
export function rereadTls(system: System, name: ListenerName): void {
  informNamed(system, name, { type: 'reread-tls' });
}

/** Has a listener accept nothing more; what has been accepted goes on. */
export function stopAccepting(system: System, name: ListenerName): void {
  informNamed(system, name, { type: 'stop-accepting' });
}

/** A connection of which nothing has been read; `protocol`: what it is to speak. */
interface Accepted {
  readonly socket: Socket;
  readonly protocol: Protocol;
}

/** What has come on a connection, and is answered when what came before has been. */
type Arrival = { readonly socket: Socket } & (
  | { readonly type: 'request'; readonly request: IncomingMessage; readonly response: ServerResponse }
  /** Node has let go of the socket. `ignore`: goes on as if no upgrade had been asked for; null: that cannot be done. */
  | {
      readonly type: 'upgrade';
      readonly request: IncomingMessage;
      readonly head: Buffer;
      readonly ignore: (() => void) | null;
    }
  /** Not to be read as HTTP, or not in time; `code`: that of Node's error. */
  | { readonly type: 'malformed'; readonly code: string }
);

type Request = Extract<Arrival, { type: 'request' }>;
type Upgrade = Extract<Arrival, { type: 'upgrade' }>;

type SocketMessage =
  /** `served`: it speaks its protocol already; otherwise it may have to begin with a PROXY header. */
  | (Accepted & { readonly type: 'connection'; readonly served: boolean })
  /** A trusted proxy has named its client, or (null) itself. */
  | (Accepted & { readonly type: 'proxied'; readonly address: string | null })
  | Arrival
  /** What came before the arrival has been answered. */
  | { readonly type: 'turn'; readonly socket: Socket; readonly arrival: Arrival }
  /** No TLS came about, or an answer is not read: the connection is to end. */
  | { readonly type: 'unusable'; readonly socket: Socket; readonly why: 'tls' | 'write-stall' };

export type ListenerMessage =
  | Exit
  | PortMessage
  | SocketMessage
  /** A connection was closed at once, for want of descriptors; `address`: its client, where that is known. */
  | { readonly type: 'no-files'; readonly address: string }
  | { readonly type: 'reread-tls' | 'stop-accepting' }
  | { readonly type: 'reconfigure'; readonly done: () => void };

interface State extends ListenerArgs {
  readonly self: Self<ListenerMessage>;
  edge: Edge;
  checks: RequestChecks;
  /** The port, which stays open whatever is spoken behind it. */
  readonly server: Server;
  /** Null: not yet, or not any more. */
  listensAt: Place | null;
  readonly http: HttpServers;
  readonly clients: ClientAddresses;
  /** Listen for the end of every connection that was admitted; one function for all of them. */
  readonly onClose: (this: Socket) => void;
  readonly onProxyClose: () => void;
  readonly pipelines: Pipelines;
  readonly unread: UnreadAnswers;
  readonly turnedAway: TurnedAway;
}

export const listener: Behaviour<ListenerArgs, State, ListenerMessage> = {
  name: 'listener',
  trapExit: true,

  init(self, args) {
    const { context, gate, at } = args;
    const edge = args.currentEdge();
    const tls = edge.tls?.() ?? null;
    if (tls !== null && 'expected' in tls)
      return stop({ stop: `cannot speak TLS: ${tls.expected} is missing` });
    const { admission } = gate;
    const clients = new ClientAddresses(new AddressList(edge.trustedProxies), edge.proxyProtocol);
    const http = new HttpServers(context.limits, tls, (speaker, ignoreUpgrade) =>
      hear(self, context, speaker, ignoreUpgrade),
    );
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const state: State = {
      ...args,
      self,
      edge,
      checks: new RequestChecks(context, edge),
      server,
      listensAt: null,
      http,
      clients,
      // Node remembers the address of a socket that is closed, once it has been asked for.
      onClose() {
        admission.leave(plainAddress(this.remoteAddress), now(self));
      },
      onProxyClose: () => admission.leaveProxy(),
      pipelines: new Pipelines(),
      unread: new UnreadAnswers(
        () => context.limits.writeStall,
        (socket) => pass(self, { type: 'unusable', socket, why: 'write-stall' }),
      ),
      turnedAway: new TurnedAway(),
    };
    server.on('connection', (socket: Socket) => {
      if (args.letsIn?.() === false) {
        socket.resetAndDestroy();
        return;
      }
      // Not when the process has its turn: a burst would have used up all of them by then.
      if (gate.files.areShort(socket)) {
        inform(self, { type: 'no-files', address: plainAddress(socket.remoteAddress) });
        socket.destroy();
        return;
      }
      const { protocol } = http;
      const served = !state.edge.proxyProtocol;
      if (served) protocol.serve(socket);
      socket.on('error', ignoreError);
      pass(self, { type: 'connection', socket, protocol, served });
    });
    openPort(self, server, at, {
      close() {
        http.closeIdleConnections();
        http.close();
      },
      missed: () => inform(self, { type: 'no-files', address: '' }),
    });
    return starting(state);
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'connection':
        admit(state, message, message.served);
        return keep;
      case 'proxied':
        proxied(state, message, message.address);
        return keep;
      case 'request':
      case 'upgrade':
      case 'malformed':
        arrive(state, message);
        return keep;
      case 'turn':
        answer(state, message.arrival);
        return keep;
      case 'unusable': {
        const { socket, why } = message;
        // Of a client that has let go of the connection, nothing is known any more.
        const isKnown = socket.remoteAddress !== undefined;
        endFor(state, socket, why, isKnown ? state.clients.ofConnection(socket) : 'unknown');
        return keep;
      }
      case 'no-files':
        noFiles(state, message.address);
        return keep;
      case 'listening':
        listening(state, message.at);
        return keep;
      case 'failed':
        return stop({ stop: describeFailure(message.error, state.at) });
      case 'reread-tls':
        if (state.edge.tls !== null && useTls(state))
          state.log.note('certificate read', { door: state.context.door.name });
        return keep;
      case 'stop-accepting':
        state.server.close();
        state.listensAt = null;
        state.http.closeIdleConnections();
        return keep;
      case 'reconfigure':
        reconfigure(state);
        message.done();
        return keep;
      case 'exit':
        return stop(message.reason);
    }
  },

  undelivered(message) {
    if ('socket' in message) message.socket.destroy();
  },
};

/** Tells a listener of something on a socket; when the listener is gone, the socket goes too. */
function pass(self: Self<ListenerMessage>, message: SocketMessage): void {
  if (!isAlive(self) || !send(self, message)) message.socket.destroy();
}

/** Passes on what happens on the connections that this server has been given. It runs outside of the process. */
function hear(
  self: Self<ListenerMessage>,
  context: DoorContext,
  server: HttpServer,
  ignoreUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void,
): void {
  inviteBodies(server, () => context.limits.message);
  server.on('secureConnection', (socket: Socket) => socket.on('error', ignoreError));
  // Node's own makes it a fault of the request, and ends the connection.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (_error, socket: Socket) => {
    pass(self, { type: 'unusable', socket, why: 'tls' });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const ignore = () => ignoreUpgrade(request, socket, head);
    pass(self, { type: 'upgrade', request, socket, head, ignore });
  });
  // An upgrade of another kind; without a listener Node would end it without a word. Newer versions of Node hand over
  // a stream of their own where it has a body.
  server.on('connect', (request: IncomingMessage, _stream: unknown, head: Buffer) => {
    pass(self, { type: 'upgrade', request, socket: request.socket, head, ignore: null });
  });
  for (const event of ['request', 'checkExpectation'] as const)
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      response.on('error', ignoreError);
      pass(self, { type: 'request', request, response, socket: request.socket });
    });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    pass(self, { type: 'malformed', socket, code: error.code ?? '' });
  });
}

function listening(state: State, at: Place): void {
  // As pinghub: all that may reach the folder may connect.
  if ('socket' in at) chmodSync(at.socket, 0o777);
  state.log.listening(state.context.door.name, at);
  state.listensAt = at;
  warnOfOrigins(state);
  started(state.self);
}

function warnOfOrigins({ edge, context, log, listensAt: at }: State): void {
  if (!edge.open || edge.origin !== null || at === null || 'socket' in at || isLoopback(at.host)) return;
  log.warn('any web page may use this door, through the browser of whoever reads it: set an origin list', {
    door: context.door.name,
    host: at.host,
  });
}

/** What has changed counts for the connections to come. The port stays open, and those that are open notice nothing. */
function reconfigure(state: State): void {
  const { http, clients, context, edge: before } = state;
  const edge = state.currentEdge();
  state.edge = edge;
  state.checks = new RequestChecks(context, edge);
  http.configure(context.limits);
  clients.configure(new AddressList(edge.trustedProxies), edge.proxyProtocol);
  useTls(state);
  if (before.origin !== null || !before.open) warnOfOrigins(state);
}

/** Reads the certificate and the key. False: they are no good, and the door goes on with what it has. */
function useTls({ edge, http, context, log }: State): boolean {
  const tls = edge.tls?.() ?? null;
  if (tls !== null && 'expected' in tls) {
    log.warn('the certificate stays the old one', { door: context.door.name, expected: tls.expected });
    return false;
  }
  http.use(tls);
  return true;
}

function sayNotAdmitted({ log, context }: State, why: Refusal, address: string): void {
  log.notAdmitted(context.door.name, why, address);
}

/** `offered`: subprotocols, where those are why. */
function sayRefused({ context }: State, status: number, address: string, offered?: string): void {
  context.log.refused(context.door.name, status, address, offered);
}

function noFiles(state: State, address: string): void {
  const { gate, log, context, self } = state;
  gate.refuse('files');
  sayNotAdmitted(state, 'files', address);
  const closed = gate.files.closed(now(self));
  if (closed !== undefined)
    log.warn('connections are closed: the limit on open files is reached', {
      door: context.door.name,
      closed,
      openFiles: gate.files.limit,
    });
}

/** Ends a connection without a word, and counts it. */
function endFor(state: State, socket: Socket, why: Refusal, address: string): void {
  state.gate.refuse(why);
  sayNotAdmitted(state, why, address);
  socket.destroy();
}

/** Lets in a connection of which nothing has been read, or turns it away. */
function admit(state: State, { socket, protocol }: Accepted, served: boolean): void {
  const { gate, clients, context, self } = state;
  // Its close has been already, would not be heard, and the connection would count for ever.
  if (socket.destroyed) return;
  const address = plainAddress(socket.remoteAddress);
  const isProxy = clients.isProxy(address);
  const verdict = isProxy ? gate.enterProxy() : gate.enter(address, now(self));
  if (verdict === 'admitted') socket.on('close', isProxy ? state.onProxyClose : state.onClose);
  else if (!refuse(state, { socket, protocol }, verdict, address)) return;
  if (served) return;
  if (!isProxy) {
    protocol.serve(socket);
    return;
  }
  const done = (client: string | null) => pass(self, { type: 'proxied', socket, protocol, address: client });
  readProxyHeader(socket, context.limits.handshake, done, () => {
    gate.refuse('proxy-header');
    sayNotAdmitted(state, 'proxy-header', address);
  });
}

function proxied(state: State, { socket, protocol }: Accepted, address: string | null): void {
  const { gate, clients, self, turnedAway } = state;
  if (socket.destroyed) return;
  if (address !== null) {
    clients.name(socket, address);
    // One proxy behind another: its requests say more.
    if (!clients.isProxy(address) && turnedAway.why(socket) === undefined) {
      const verdict = gate.enterClient(address, now(self));
      if (verdict === 'admitted') socket.once('close', () => gate.admission.leaveClient(address, now(self)));
      else if (!refuse(state, { socket, protocol }, verdict, address)) return;
    }
  }
  protocol.serve(socket);
}

/**
 * Refuses a connection of which nothing has been read. True: its request is still to be answered. Before TLS there are
 * no words that the client would read; browsers take it for a fault of the network, and their streams come back.
 */
function refuse(state: State, { socket, protocol }: Accepted, why: Refusal, address: string): boolean {
  sayNotAdmitted(state, why, address);
  if (protocol.secure) socket.destroy();
  else state.turnedAway.add(socket, why);
  return !protocol.secure;
}

/** Answers now, or when what came before on the connection has been answered. */
function arrive(state: State, arrival: Arrival): void {
  const { self, pipelines, clients } = state;
  const { socket } = arrival;
  if (arrival.type === 'malformed' && endsUnanswered(state, socket, arrival.code)) return;
  const take = () => pass(self, { type: 'turn', socket, arrival });
  const place =
    arrival.type === 'request'
      ? pipelines.enter(socket, arrival.response, take)
      : arrival.type === 'upgrade'
        ? pipelines.leave(socket, take)
        : pipelines.break(socket, take);
  if (place === 'now') answer(state, arrival);
  // More than may wait, or behind an answer that does not end.
  else if (place === 'full') endFor(state, socket, 'pipeline', clients.ofConnection(socket));
}

function answer(state: State, arrival: Arrival): void {
  switch (arrival.type) {
    case 'request':
      answerRequest(state, arrival);
      break;
    case 'upgrade':
      answerUpgrade(state, arrival);
      break;
    case 'malformed':
      answerMalformed(state, arrival.socket, arrival.code);
  }
}

function answerRequest(state: State, { request, response, socket }: Request): void {
  const { context, clients, checks, pipelines, turnedAway } = state;
  const { rawHeaders } = request;
  if (isEnding(socket)) return;
  state.unread.watch(socket, response);
  if (losesWhatFollows(request)) response.shouldKeepAlive = false;
  // Here, for whatever answers later.
  for (const [name, value] of Object.entries(checks.headersFor(rawHeaders))) response.setHeader(name, value);
  keepForProxy(state, socket, response);
  const found = checks.request(request, () => pipelines.neverEnds(socket));
  if (found === 'origin') {
    state.gate.refuse(found);
    sayNotAdmitted(state, found, clients.ofRequest(socket, rawHeaders));
  }
  const route = found === 'origin' ? refusalOf(found) : found;
  const why = turnedAway.why(socket);
  if (why !== undefined) {
    const { headers, ...reply } = whenTurnedAway(why, request, route);
    request.resume();
    sendReply(response, { ...reply, headers: { ...headers, Connection: 'close' } });
    return;
  }
  if (route.type === 'reply') {
    if (route.status >= 400) sayRefused(state, route.status, clients.ofRequest(socket, rawHeaders));
    sendReply(response, route);
    return;
  }
  const transport =
    route.transport === 'stream'
      ? new StreamTransport(request, response, route)
      : new ExchangeTransport(request, response, context.limits.message, () =>
          sayRefused(state, 413, clients.ofConnection(socket)),
        );
  open(state, route, transport, request, response);
}

/**
 * What a client is told whose connection is refused. A page that asks for leave gets it: else it could not read why it is
 * refused what it asks for then.
 */
function whenTurnedAway(why: Refusal, { method }: IncomingMessage, route: Route): HttpReply {
  if (route.type === 'open' && route.transport === 'stream')
    return route.later(refusalOf(why), Math.random());
  const hasLeave = method === 'OPTIONS' && route.type === 'reply' && route.status === 204;
  return hasLeave ? route : refusalOf(why);
}

/** A proxy keeps its connections for its clients' next requests, and what it sends on a connection that the relay has ended is lost. */
function keepForProxy({ context, clients }: State, socket: Socket, response: ServerResponse): void {
  if (context.limits.keepAlive !== null || !clients.isProxy(plainAddress(socket.remoteAddress))) return;
  response.setHeader('Keep-Alive', `timeout=${KEEP_ALIVE.proxy / 1000}`);
  response.once('close', () => {
    // Node has just set its own, where no other request waits: a second more than is announced.
    if (socket.timeout) socket.setTimeout(KEEP_ALIVE.proxy + 1000);
  });
}

function answerUpgrade(state: State, { request, socket, head, ignore }: Upgrade): void {
  const { context, clients } = state;
  if (isEnding(socket)) return;
  if (ignore !== null && !asksForWebSocket(request)) {
    ignore();
    return;
  }
  const why = state.turnedAway.why(socket);
  if (why !== undefined) {
    turnAway(socket, why);
    return;
  }
  const { route, offered } = state.checks.upgrade(request);
  if (route.type === 'open') {
    const { webSockets } = context;
    open(state, route, new WebSocketTransport(webSockets, request, socket, head, route.ping), request);
    return;
  }
  sayRefused(state, route.status, clients.ofRequest(socket, request.rawHeaders), offered);
  const mayGoOn = request.method === 'CONNECT' || head.length > 0 || hasBody(request);
  (mayGoOn ? lingeringEnd : endWith)(socket, rawReply(route));
}

/** Of what cannot be read as HTTP, whether the connection ends without an answer of its own. */
function endsUnanswered({ turnedAway }: State, socket: Socket, code: string): boolean {
  if (hasGone(socket, code)) {
    socket.destroy();
    return true;
  }
  // It has been answered, and what comes still is not read.
  if (!socket.writable) return true;
  const why = turnedAway.why(socket);
  if (why !== undefined) turnAway(socket, why);
  return why !== undefined;
}

/** What Node would answer by itself, and count nowhere: requests that it cannot read, or that do not end. */
function answerMalformed(state: State, socket: Socket, code: string): void {
  if (!socket.writable) return;
  const { status, why } = malformedFault(code, `${state.context.limits.head} bytes (limits.head)`);
  sayRefused(state, status, state.clients.ofConnection(socket));
  state.pipelines.end(socket, rawReply(textReply(status, why)));
}

/** Hands a request that the door takes to a handler of its own, where the limits of its client allow it. */
function open(
  state: State,
  route: Extract<Route, { type: 'open' }>,
  transport: Transport,
  request: IncomingMessage,
  response?: ServerResponse,
): void {
  const { context, clients, checks, gate, self } = state;
  const { socket, rawHeaders } = request;
  const guard = context.guards[route.guard];
  const address = clients.ofRequest(socket, rawHeaders);
  const asked = {
    isOriginAllowed: checks.isOriginAllowed(rawHeaders),
    isPost: transport.kind === 'exchange',
    isForwarded: address !== clients.ofConnection(socket),
  };
  const verdict = gate.ask(address, asked, now(self));
  if (verdict !== 'admitted') {
    sayNotAdmitted(state, verdict, address);
    transport.reply(refusalOf(verdict));
    return;
  }
  if (asked.isForwarded) {
    const leave = () => gate.admission.leaveClient(address, now(self));
    if (response === undefined) socket.once('close', leave);
    else onceOver(response, leave);
  }
  const { session, format, about } = route;
  const taken = state.startHandler({
    context,
    guard,
    transport,
    session,
    format,
    address,
    ...(about === undefined ? {} : { about }),
    ...(guard.needs === undefined
      ? {}
      : { request: clientRequest(request, checks.mayBringCookies(rawHeaders)) }),
  });
  if (taken) return;
  sayRefused(state, 503, address);
  transport.reply(textReply(503, 'Error: try again later.', { 'Retry-After': '1' }));
}

/** A connection that is gone, or was not admitted when its request was on its way already. */
function isEnding(socket: Socket): boolean {
  return socket.writableEnded || socket.destroyed;
}
