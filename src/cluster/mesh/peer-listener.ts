import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { mismatch, negotiate, offered, VERSIONS } from '../../door/peer/session.ts';
import { describeFailure, openPort, type Place, type PortMessage } from '../../http/port.ts';
import { handshakeFault, keepAllLines } from '../../http/request.ts';
import { tcpSocketOf } from '../../http/socket-bytes.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../../otp/behaviour.ts';
import type { ClockTimer } from '../../otp/clock.ts';
import { type Self, send, started } from '../../otp/process.ts';
import type { Network } from './network.ts';
import type { Caller } from './peer-greeting.ts';
import { PeerSocket } from './peer-socket.ts';

/**
 * The network port. It answers nobody who does not speak the protocol between relays: what is no upgrade to it is
 * closed without a byte, and a connection that has not proved to be a relay's in time is closed, too.
 */
export interface PeerListenerArgs {
  readonly network: Network;
  /** Has a connection greeted, and tells later whether that has begun. False: it cannot be done now. */
  readonly greet: (caller: Caller, begun: (ok: boolean) => void) => boolean;
  readonly listening: (at: Place) => void;
}

export type PeerListenerMessage =
  | Exit
  | PortMessage
  | {
      readonly type: 'upgrade';
      readonly request: IncomingMessage;
      readonly socket: Socket;
      readonly head: Buffer;
    };

interface State extends PeerListenerArgs {
  readonly self: Self<PeerListenerMessage>;
  /** Those who have not proved anything yet, each with its timer. */
  readonly strangers: Map<Socket, ClockTimer>;
}

/** Strangers at a time; one more is turned away. */
const STRANGERS = 256;
const HEAD_BYTES = 8 * 1024;

export const peerListener: Behaviour<PeerListenerArgs, State, PeerListenerMessage> = {
  name: 'peer-listener',
  trapExit: true,

  init(self, args) {
    const { settings } = args.network;
    const options = { maxHeaderSize: HEAD_BYTES, noDelay: true };
    const { tls } = settings;
    const server: Server =
      tls === null
        ? createServer(options)
        : createTlsServer({ ...options, ...tls.reveal(), requestCert: true, rejectUnauthorized: true });
    keepAllLines(server);
    const strangers = new Map<Socket, ClockTimer>();
    // Bound from the first byte, be it one of TLS or of nothing at all.
    server.on('connection', (socket: Socket) => {
      socket.on('error', ignoreError);
      if (strangers.size >= STRANGERS) {
        socket.destroy();
        return;
      }
      strangers.set(
        socket,
        self.system.clock.after(settings.handshake, () => socket.destroy()),
      );
      socket.on('close', () => acquaint(strangers, socket));
    });
    server.on('secureConnection', (socket: Socket) => socket.on('error', ignoreError));
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    for (const event of ['request', 'checkContinue', 'checkExpectation'])
      server.on(event, (request: IncomingMessage) => request.socket.destroy());
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (!send(self, { type: 'upgrade', request, socket, head })) socket.destroy();
    });
    openPort(self, server, settings, {
      close() {
        for (const socket of strangers.keys()) socket.destroy();
      },
    });
    return starting({ ...args, self, strangers });
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'upgrade':
        upgrade(state, message.request, message.socket, message.head);
        return keep;
      case 'listening':
        state.listening(message.at);
        started(state.self);
        return keep;
      case 'failed':
        return stop({ stop: describeFailure(message.error, state.network.settings) });
      case 'exit':
        return stop('shutdown');
    }
  },
};

function acquaint(strangers: Map<Socket, ClockTimer>, socket: Socket): void {
  strangers.get(socket)?.cancel();
  strangers.delete(socket);
}

function upgrade(state: State, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { network, strangers, greet } = state;
  const versions = offered(request.headers['sec-websocket-protocol']);
  if (versions === null || !isHandshake(request)) {
    socket.destroy();
    return;
  }
  const version = negotiate(versions, VERSIONS);
  if (version === null) {
    const why = mismatch(versions, VERSIONS);
    const address = socket.remoteAddress;
    if (network.news.is(`versions ${address}`, why)) network.log.warn('relay refused', { address, why });
    socket.end(
      `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: ${why.length}\r\n\r\n${why}`,
    );
    socket.destroySoon();
    return;
  }
  // Under TLS the socket that was timed is the one below.
  const known = () => acquaint(strangers, tcpSocketOf(socket));
  const begun = (ok: boolean) => {
    if (!ok) socket.destroy();
  };
  if (!greet({ socket: new PeerSocket(socket, version), request, head, known }, begun)) socket.destroy();
}

/** What ws would answer with a page is not answered at all (RFC 6455, section 4.2.1). */
function isHandshake(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket' && handshakeFault(request) === null;
}

function ignoreError(): void {
  // A socket's error is followed by its close, which says all we need.
}
