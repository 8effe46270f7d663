import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { ConnectionArgs } from '../connection/connection.ts';
import type { DoorContext } from '../connection/door-context.ts';
import { ExchangeTransport } from '../connection/exchange-transport.ts';
import { rawReply } from '../connection/http-reply.ts';
import { StreamTransport } from '../connection/stream-transport.ts';
import { ignoreError, type Transport } from '../connection/transport.ts';
import { WebSocketTransport } from '../connection/websocket-transport.ts';
import type { DoorRequest, HttpReply, Route } from '../door/contract.ts';
import { textReply } from '../door/replies.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { isAlive, type Pid, type Self, send, started } from '../otp/process.ts';
import { now } from '../otp/timer.ts';
import { type AdmissionControl, plainAddress } from './admission.ts';
import { refuseHandshake } from './handshake.ts';
import { describeFailure } from './listen-failure.ts';

/**
 * One door's listener: accepts connections within the limits, speaks HTTP, and gives each request that the door lets in
 * to a handler of its own. It has started when it listens. Connections live on when it crashes; its port is taken again.
 */
export interface ListenerArgs {
  readonly context: DoorContext;
  readonly at: { readonly host: string; readonly port: number } | { readonly socket: string };
  readonly admission: AdmissionControl;
  /** Hands a connection to a handler. False: nobody takes it. */
  readonly startHandler: (args: ConnectionArgs) => boolean;
  readonly log: ListenerLog;
}

export interface ListenerLog {
  listening(
    door: string,
    at: { readonly host: string; readonly port: number } | { readonly socket: string },
  ): void;
  notAdmitted(door: string, why: string, address: string): void;
}

export type ListenerMessage =
  | Exit
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'connection'; readonly socket: Socket }
  | {
      readonly type: 'upgrade';
      readonly request: IncomingMessage;
      readonly socket: Socket;
      readonly head: Buffer;
    }
  | { readonly type: 'request'; readonly request: IncomingMessage; readonly response: ServerResponse }
  /** Accepts nothing more; what has been accepted goes on. */
  | { readonly type: 'stop-accepting' }
  /** The limits of its door have changed. */
  | { readonly type: 'reconfigure' };

interface State extends ListenerArgs {
  readonly self: Self<ListenerMessage>;
  readonly server: Server;
  /** Listens for the end of every connection that was admitted; one function for all of them. */
  readonly onClose: (this: Socket) => void;
}

/** Bytes of a request's head. */
const HEAD_BYTES = 16 * 1024;
/** How long a body may take, as a multiple of the time for the head. */
const BODY_TIMES = 6;

export const listener: Behaviour<ListenerArgs, State, ListenerMessage> = {
  name: 'listener',
  trapExit: true,

  init(self, args) {
    const { handshake } = args.context.limits;
    const server = createServer({
      maxHeaderSize: HEAD_BYTES,
      headersTimeout: handshake,
      requestTimeout: handshake * BODY_TIMES,
      connectionsCheckingInterval: 1000,
      noDelay: true,
    });
    // These run outside of the processes: each only passes on what happened.
    server.on('listening', () => send(self, { type: 'listening' }));
    server.on('error', (error) => send(self, { type: 'failed', error }));
    server.on('connection', (socket: Socket) => {
      socket.on('error', ignoreError);
      pass(self, { type: 'connection', socket }, socket);
    });
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      pass(self, { type: 'upgrade', request, socket, head }, socket);
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      response.on('error', ignoreError);
      pass(self, { type: 'request', request, response }, request.socket);
    });
    listen(server, args.at);
    const { admission } = args;
    // Node remembers the address of a socket that is closed, once it has been asked for.
    const onClose = function (this: Socket) {
      admission.leave(plainAddress(this.remoteAddress), now(self));
    };
    return starting({ ...args, self, server, onClose });
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'connection':
        admit(state, message.socket);
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
      case 'stop-accepting':
        state.server.close();
        state.server.closeIdleConnections();
        return keep;
      case 'reconfigure': {
        const { handshake } = state.context.limits;
        state.server.headersTimeout = handshake;
        state.server.requestTimeout = handshake * BODY_TIMES;
        return keep;
      }
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
    else if (message.type === 'connection' || message.type === 'upgrade') message.socket.destroy();
  },
};

function pass(self: Pid<ListenerMessage>, message: ListenerMessage, socket: Socket): void {
  if (!isAlive(self) || !send(self, message)) socket.destroy();
}

/** A socket file that a killed relay has left is taken over; one that somebody answers at is not. */
function listen(server: Server, at: ListenerArgs['at']): void {
  if ('port' in at) {
    server.listen(at.port, at.host);
    return;
  }
  const path = at.socket;
  if (!isSocket(path)) {
    server.listen(path);
    return;
  }
  const probe = connect(path);
  probe.on('connect', () => {
    probe.destroy();
    server.emit('error', Object.assign(new Error(), { code: 'EADDRINUSE' }));
  });
  probe.on('error', () => {
    unlinkSync(path);
    server.listen(path);
  });
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

function listening(state: State): void {
  const { self, server, context, at, log } = state;
  const address = server.address();
  if (typeof address === 'object' && address !== null) {
    log.listening(context.door.name, { host: address.address, port: address.port });
  } else if ('socket' in at) {
    // As pinghub: whoever may reach the folder may connect.
    chmodSync(at.socket, 0o777);
    log.listening(context.door.name, at);
  }
  started(self);
}

function admit(state: State, socket: Socket): void {
  const { admission, context, log, self } = state;
  // Gone already: its close would not be heard, and it would count for ever.
  if (socket.destroyed) return;
  const address = plainAddress(socket.remoteAddress);
  const verdict = admission.enter(address, now(self));
  if (verdict === 'admitted') {
    socket.on('close', state.onClose);
    // Every exchange that a client has under way listens for the end of their connection.
    socket.setMaxListeners(0);
    return;
  }
  log.notAdmitted(context.door.name, verdict, address);
  const full = verdict === 'full';
  socket.end(
    rawReply(
      textReply(full ? 503 : 429, full ? 'Error: full.' : 'Error: too many connections.', {
        'Retry-After': '1',
      }),
    ),
  );
  socket.destroySoon();
}

function upgrade(state: State, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { context } = state;
  if (isRefused(socket)) return;
  const refusal = refuseHandshake(request);
  const route = refusal ?? context.door.route(asDoorRequest(request, true));
  if (route.type === 'open' && route.transport === 'websocket') {
    open(state, route, new WebSocketTransport(context.webSockets, request, socket, head), socket);
    return;
  }
  const answer = route.type === 'reply' ? route : textReply(400, 'Error: bad request. Not to be upgraded.');
  context.log.refused(context.door.name, answer.status, plainAddress(socket.remoteAddress));
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
  open(state, route, transport, message.socket);
}

function open(
  state: State,
  route: Extract<Route, { type: 'open' }>,
  transport: Transport,
  socket: Socket,
): void {
  const { context, startHandler } = state;
  const taken = startHandler({
    context,
    guard: context.guards[route.guard],
    transport,
    session: route.session,
    format: route.format,
    address: plainAddress(socket.remoteAddress),
  });
  if (!taken) transport.reply(textReply(503, 'Error: try again later.', { 'Retry-After': '1' }));
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

function asDoorRequest(request: IncomingMessage, isUpgrade: boolean): DoorRequest {
  const target = request.url ?? '/';
  const at = target.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: at === -1 ? target : target.slice(0, at),
    query: at === -1 ? '' : target.slice(at + 1),
    upgrade: isUpgrade,
    header: (name) => valuesOf(request.rawHeaders, name),
  };
}

/** Read from the raw headers, because Node keeps only the first of some that are repeated. */
function valuesOf(rawHeaders: readonly string[], name: string): string | undefined {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] as string;
    if (header.length === name.length && header.toLowerCase() === name) values.push(rawHeaders[i + 1] ?? '');
  }
  return values.length === 0 ? undefined : values.join(', ');
}
