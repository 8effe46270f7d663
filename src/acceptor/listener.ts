import { chmodSync } from 'node:fs';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { ConnectionArgs } from '../connection/connection.ts';
import type { DoorContext } from '../connection/door-context.ts';
import { ignoreError } from '../connection/transport/transport.ts';
import { inviteBodies } from '../http/expectation.ts';
import { describeFailure, isAcceptFailure } from '../http/listen-failure.ts';
import { Pipelines } from '../http/pipelines.ts';
import { UnreadAnswers } from '../http/unread-answers.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { watch } from '../otp/monitor.ts';
import { inform, type Self, send, started } from '../otp/process.ts';
import { now } from '../otp/timer.ts';
import { AddressList, plainAddress } from './address-list.ts';
import { admit, countTurnedAway, pass, proxied, type TurnedAwayFor } from './admitting.ts';
import { ClientAddresses } from './client-addresses.ts';
import { type CrossOrigin, crossOrigin } from './cross-origin.ts';
import type { Gate } from './gate.ts';
import { HttpServers, isLoopback, type Protocol, type TlsPair } from './http-server.ts';
import { listen, type Place } from './listen.ts';
import { malformed, refuseMalformed } from './malformed.ts';
import { type OriginRule, originRule } from './origin.ts';
import type { Refusals } from './refusals.ts';
import { answer, answerUpgrade, request, upgrade } from './requests.ts';
import { TurnedAway } from './turned-away.ts';

/**
 * One door's listener: accepts connections within the limits, speaks HTTP, and gives each request that the door lets in
 * to a handler of its own. It has started when it listens. Connections live on when it crashes; its port is taken again.
 */
export interface ListenerArgs {
  readonly context: DoorContext;
  readonly at: Place;
  /** Asked at the start, and whenever the door has changed. */
  readonly edge: () => Edge;
  /** Shared by all doors. */
  readonly gate: Gate;
  /** Hands a connection to a handler. False: nobody takes it. */
  readonly startHandler: (args: ConnectionArgs) => boolean;
  readonly log: ListenerLog;
}

/** What a door asks of those who come to it, before its protocol. Another one counts for the connections to come. */
export interface Edge {
  /** See `originRule`. */
  readonly origin: readonly string[] | null;
  /** The name of the cookie that holds credentials; null: none does. */
  readonly cookie: string | null;
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
  /** `served`: it speaks its protocol already; otherwise it may have to begin with a PROXY header. */
  | {
      readonly type: 'connection';
      readonly socket: Socket;
      readonly protocol: Protocol;
      readonly served: boolean;
    }
  /** A trusted proxy has named its client, or (null) itself. */
  | {
      readonly type: 'proxied';
      readonly socket: Socket;
      readonly protocol: Protocol;
      readonly address: string | null;
    }
  | {
      /** `upgrade-turn`: one again, when it has waited for the requests before it. */
      readonly type: 'upgrade' | 'upgrade-turn';
      readonly request: IncomingMessage;
      readonly socket: Socket;
      readonly head: Buffer;
    }
  | {
      /** `turn`: a request again, when it has waited for those before it. */
      readonly type: 'request' | 'turn';
      readonly request: IncomingMessage;
      readonly response: ServerResponse;
    }
  /** A connection was closed at once, for want of descriptors; `address`: its client, where that is known. */
  | { readonly type: 'no-files'; readonly address: string }
  /** Not to be read as HTTP, or not in time; `code`: that of Node's error. */
  | { readonly type: 'malformed' | 'malformed-turn'; readonly socket: Socket; readonly code: string }
  | { readonly type: 'turned-away'; readonly socket: Socket; readonly why: TurnedAwayFor }
  /** Reads certificate and key again, for the connections to come. */
  | { readonly type: 'reread-tls' }
  /** Accepts nothing more; what has been accepted goes on. */
  | { readonly type: 'stop-accepting' }
  /** The limits of its door have changed, or what it asks of those who come. */
  | { readonly type: 'reconfigure'; readonly done: () => void };

export interface ListenerState extends Omit<ListenerArgs, 'edge'> {
  readonly self: Self<ListenerMessage>;
  readonly currentEdge: ListenerArgs['edge'];
  edge: Edge;
  /** The port, which stays open whatever is spoken behind it. */
  readonly server: Server;
  readonly http: HttpServers;
  readonly clients: ClientAddresses;
  isOriginAllowed: OriginRule;
  /** Null where pages of other origins have nothing to ask for over HTTP. */
  crossOrigin: CrossOrigin | null;
  /** Listen for the end of every connection that was admitted; one function for all of them. */
  readonly onClose: (this: Socket) => void;
  readonly onProxyClose: () => void;
  readonly pipelines: Pipelines;
  readonly unread: UnreadAnswers;
  readonly turnedAway: TurnedAway;
}

export const listener: Behaviour<ListenerArgs, ListenerState, ListenerMessage> = {
  name: 'listener',
  trapExit: true,

  init(self, args) {
    const { context, gate } = args;
    const edge = args.edge();
    const tls = edge.tls?.() ?? null;
    if (tls !== null && 'expected' in tls)
      return stop({ stop: `cannot speak TLS: ${tls.expected} is missing` });
    const { admission } = gate;
    const clients = new ClientAddresses(new AddressList(edge.trustedProxies), edge.proxyProtocol);
    const state: ListenerState = {
      ...args,
      self,
      currentEdge: args.edge,
      edge,
      server: createServer({ allowHalfOpen: true, noDelay: true }),
      http: new HttpServers(context.limits, tls, (server) => hear(self, clients, context, server)),
      clients,
      isOriginAllowed: originRule(edge.origin),
      crossOrigin: crossOriginOf(context, edge),
      // Node remembers the address of a socket that is closed, once it has been asked for.
      onClose() {
        admission.leave(plainAddress(this.remoteAddress), now(self));
      },
      onProxyClose: () => admission.leaveProxy(),
      pipelines: new Pipelines(),
      unread: new UnreadAnswers(
        () => context.limits.writeStall,
        (socket) => pass(self, { type: 'turned-away', socket, why: 'write-stall' }, socket),
      ),
      turnedAway: new TurnedAway(),
    };
    const { server, http } = state;
    // These run outside of the process: each only passes on what happened.
    server.on('listening', () => send(self, { type: 'listening' }));
    server.on('error', (error) => {
      if (isAcceptFailure(error)) inform(self, { type: 'no-files', address: '' });
      else send(self, { type: 'failed', error });
    });
    server.on('connection', (socket: Socket) => {
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
      pass(self, { type: 'connection', socket, protocol, served }, socket);
    });
    // However the process ends, killed included: its successor needs the address.
    watch(self, () => {
      server.close();
      http.closeIdleConnections();
      http.close();
    });
    listen(server, args.at);
    return starting(state);
  },

  handle(state, message): Next<ListenerState> {
    switch (message.type) {
      case 'connection':
        admit(state, message.socket, message.protocol, message.served);
        return keep;
      case 'proxied':
        proxied(state, message.socket, message.protocol, message.address);
        return keep;
      case 'upgrade':
        upgrade(state, message.request, message.socket, message.head);
        return keep;
      case 'upgrade-turn':
        answerUpgrade(state, message.request, message.socket, message.head);
        return keep;
      case 'request':
        request(state, message.request, message.response);
        return keep;
      case 'turn':
        answer(state, message.request, message.response);
        return keep;
      case 'malformed':
        malformed(state, message.socket, message.code);
        return keep;
      case 'malformed-turn':
        refuseMalformed(state, message.socket, message.code);
        return keep;
      case 'no-files':
        noFiles(state, message.address);
        return keep;
      case 'turned-away':
        countTurnedAway(state, message.socket, message.why);
        return keep;
      case 'listening':
        listening(state);
        return keep;
      case 'failed':
        return stop({ stop: describeFailure(message.error, state.at) });
      case 'reread-tls':
        rereadTls(state);
        return keep;
      case 'stop-accepting':
        state.server.close();
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
    if (message.type === 'request' || message.type === 'turn') message.request.socket.destroy();
    else if ('socket' in message) message.socket.destroy();
  },
};

/** Passes on what happens on the connections that this server has been given. */
function hear(
  self: Self<ListenerMessage>,
  clients: ClientAddresses,
  context: DoorContext,
  server: HttpServer,
): void {
  inviteBodies(server, () => context.limits.message);
  server.on('secureConnection', (socket: Socket) => {
    socket.on('error', ignoreError);
    clients.wrapped(socket);
  });
  // Node's own makes it a fault of the request, and ends the connection.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (_error, socket: Socket) => {
    pass(self, { type: 'turned-away', socket, why: 'tls' }, socket);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    pass(self, { type: 'upgrade', request, socket, head }, socket);
  });
  // An upgrade of another kind; without a listener Node would end it without a word. Newer versions of Node hand over
  // a stream of their own where it has a body.
  server.on('connect', (request: IncomingMessage, _stream: unknown, head: Buffer) => {
    const { socket } = request;
    pass(self, { type: 'upgrade', request, socket, head }, socket);
  });
  for (const event of ['request', 'checkExpectation'] as const)
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      response.on('error', ignoreError);
      pass(self, { type: 'request', request, response }, request.socket);
    });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    pass(self, { type: 'malformed', socket, code: error.code ?? '' }, socket);
  });
}

function listening(state: ListenerState): void {
  const { self, server, context, at, log } = state;
  const address = server.address();
  if (typeof address === 'object' && address !== null) {
    const { address: host, port } = address;
    log.listening(context.door.name, { host, port });
    warnOfOrigins(state, host);
  } else if ('socket' in at) {
    // As pinghub: whoever may reach the folder may connect.
    chmodSync(at.socket, 0o777);
    log.listening(context.door.name, at);
  }
  started(self);
}

function noFiles({ gate, log, context, self }: ListenerState, address: string): void {
  const door = context.door.name;
  gate.refusals.files++;
  log.notAdmitted(door, 'files', address);
  const closed = gate.files.closed(now(self));
  if (closed !== undefined)
    log.warn('connections are closed: the limit on open files is reached', {
      door,
      closed,
      openFiles: gate.files.limit,
    });
}

function warnOfOrigins({ edge, context, log }: ListenerState, host: string): void {
  if (!edge.open || edge.origin !== null || isLoopback(host)) return;
  log.warn('any web page may use this door, through the browser of whoever reads it: set an origin list', {
    door: context.door.name,
    host,
  });
}

function crossOriginOf({ door }: DoorContext, { origin, cookie }: Edge): CrossOrigin | null {
  const offer = door.crossOrigin;
  return offer === undefined ? null : crossOrigin({ allowed: origin, offer, credentials: cookie !== null });
}

/** What has changed counts for the connections to come. The port stays open, and nobody who is in notices. */
function reconfigure(state: ListenerState): void {
  const { http, clients, context, server, edge: before } = state;
  const edge = state.currentEdge();
  state.edge = edge;
  http.configure(context.limits);
  clients.configure(new AddressList(edge.trustedProxies), edge.proxyProtocol);
  state.isOriginAllowed = originRule(edge.origin);
  state.crossOrigin = crossOriginOf(context, edge);
  useTls(state);
  const address = server.address();
  const isNews = before.origin !== null || !before.open;
  if (isNews && typeof address === 'object' && address !== null) warnOfOrigins(state, address.address);
}

function rereadTls(state: ListenerState): void {
  const { edge, context, log } = state;
  if (edge.tls !== null && useTls(state)) log.note('certificate read', { door: context.door.name });
}

/** Reads the certificate and the key. False: they are no good, and the door goes on with what it has. */
function useTls({ edge, http, context, log }: ListenerState): boolean {
  const tls = edge.tls?.() ?? null;
  if (tls !== null && 'expected' in tls) {
    log.warn('the certificate stays the old one', { door: context.door.name, expected: tls.expected });
    return false;
  }
  http.use(tls);
  return true;
}
