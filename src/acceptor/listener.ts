import { chmodSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { ConnectionArgs } from '../connection/connection.ts';
import type { DoorContext } from '../connection/door-context.ts';
import { ignoreError } from '../connection/transport.ts';
import { Pipelines } from '../http/pipelines.ts';
import { ignoreUpgrades } from '../http/upgrades.ts';
import { describeFailure } from '../listen-failure.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { watch } from '../otp/monitor.ts';
import { type Self, send, started } from '../otp/process.ts';
import { now } from '../otp/timer.ts';
import { AddressList, plainAddress } from './address-list.ts';
import { admit, countTurnedAway, pass, proxied } from './admitting.ts';
import { ClientAddresses } from './client-addresses.ts';
import { type CrossOrigin, crossOrigin } from './cross-origin.ts';
import type { Gate } from './gate.ts';
import { isLoopback, newServer, type Serve, setTimes, type TlsPair, takeConnections } from './http-server.ts';
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
  /** Not to be read as HTTP, or not in time; `code`: that of Node's error. */
  | { readonly type: 'malformed' | 'malformed-turn'; readonly socket: Socket; readonly code: string }
  /** No TLS came about, or a body was too large: it has been answered, as far as it could be. */
  | { readonly type: 'turned-away'; readonly socket: Socket; readonly why: 'tls' | number }
  /** Reads certificate and key again, for the connections to come. */
  | { readonly type: 'reread-tls' }
  /** Accepts nothing more; what has been accepted goes on. */
  | { readonly type: 'stop-accepting' }
  /** The limits of its door have changed. */
  | { readonly type: 'reconfigure' };

export interface ListenerState extends ListenerArgs {
  readonly self: Self<ListenerMessage>;
  readonly server: Server;
  readonly clients: ClientAddresses;
  readonly isOriginAllowed: OriginRule;
  /** Null where pages of other origins have nothing to ask for over HTTP. */
  readonly crossOrigin: CrossOrigin | null;
  /** Null where the server takes connections by itself: only PROXY headers are read before it. */
  readonly serve: Serve | null;
  /** Listen for the end of every connection that was admitted; one function for all of them. */
  readonly onClose: (this: Socket) => void;
  readonly onProxyClose: () => void;
  readonly pipelines: Pipelines;
  readonly turnedAway: TurnedAway;
  /** Goes on with HTTP at an upgrade that is not ours. */
  readonly ignoreUpgrade: ReturnType<typeof ignoreUpgrades>;
}

export const listener: Behaviour<ListenerArgs, ListenerState, ListenerMessage> = {
  name: 'listener',
  trapExit: true,

  init(self, args) {
    const { context, edge, gate } = args;
    const tls = edge.tls?.() ?? null;
    if (tls !== null && 'expected' in tls)
      return stop({ stop: `cannot speak TLS: ${tls.expected} is missing` });
    const server = newServer(context.limits.handshake, tls);
    const ignoreUpgrade = ignoreUpgrades(server, tls !== null);
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
        if (edge.proxyProtocol) clients.wrapped(socket);
      });
      // Node's own makes it a fault of the request, and ends the connection.
      server.removeAllListeners('tlsClientError');
      server.on('tlsClientError', (_error, socket: Socket) => {
        pass(self, { type: 'turned-away', socket, why: 'tls' }, socket);
      });
    }
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
    // However the process ends, killed included: its successor needs the address.
    watch(self, () => {
      server.close();
      server.closeIdleConnections();
    });
    listen(server, args.at);
    const { admission } = gate;
    // Node remembers the address of a socket that is closed, once it has been asked for.
    const onClose = function (this: Socket) {
      admission.leave(plainAddress(this.remoteAddress), now(self));
    };
    const onProxyClose = () => admission.leaveProxy();
    const isOriginAllowed = originRule(edge.origin);
    const offer = context.door.crossOrigin;
    return starting({
      ...args,
      self,
      server,
      clients,
      isOriginAllowed,
      crossOrigin:
        offer === undefined ? null : crossOrigin({ allowed: edge.origin, offer, credentials: false }),
      serve,
      onClose,
      onProxyClose,
      pipelines: new Pipelines(),
      turnedAway: new TurnedAway(),
      ignoreUpgrade,
    });
  },

  handle(state, message): Next<ListenerState> {
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
        state.server.closeIdleConnections();
        return keep;
      case 'reconfigure':
        setTimes(state.server, state.context.limits.handshake);
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

function listening(state: ListenerState): void {
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
function rereadTls({ edge, server, context, log }: ListenerState): void {
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
