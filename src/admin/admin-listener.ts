import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { lingerAtEnd, rawReply } from '../http/last-answer.ts';
import { answerHalfClosed, Pipelines, type PlaceInLine } from '../http/pipelines.ts';
import { describeFailure, openPort, type Place, type Port, type PortMessage } from '../http/port.ts';
import {
  type Fault,
  hasGone,
  inviteBodies,
  keepAllLines,
  malformedFault,
  requestFault,
  saysTooLong,
  targetOf,
} from '../http/request.ts';
import { UnreadAnswers } from '../http/unread-answers.ts';
import { ignoreUpgrades } from '../http/upgrades.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { type Self, send, started } from '../otp/process.ts';
import {
  type AdminAnswer,
  type AdminRoutes,
  credentialIn,
  failed,
  plain,
  refusalOf,
  routeAdmin,
} from './admin-routes.ts';

/** The admin port: health, metrics and the observer page over HTTP. It has started when it listens. */
export interface AdminListenerArgs extends AdminRoutes, Port {
  /** See `limits.write_stall`. */
  readonly writeStall: () => number;
  readonly log: AdminLog;
}

export interface AdminLog {
  listening(door: string, at: Place): void;
}

export type AdminListenerMessage =
  | Exit
  | PortMessage
  | {
      readonly type: 'request';
      readonly request: IncomingMessage;
      readonly response: ServerResponse;
      readonly body: string;
    };

interface State extends AdminListenerArgs {
  readonly self: Self<AdminListenerMessage>;
  readonly pipelines: Pipelines;
}

/** Open at one time: a scraper, some probes, some pages. */
const CONNECTIONS = 128;
const HEAD_TIMEOUT = 5000;
/** Cookies are shared by all ports of a host, those of logins elsewhere too. */
const HEAD_BYTES = 64 * 1024;
const BODY_BYTES = 4 * 1024;

export const adminListener: Behaviour<AdminListenerArgs, State, AdminListenerMessage> = {
  name: 'admin-listener',
  trapExit: true,

  init(self, args) {
    const server = createServer({
      maxHeaderSize: HEAD_BYTES,
      headersTimeout: HEAD_TIMEOUT,
      requestTimeout: HEAD_TIMEOUT,
      // Node looks for late requests every 30 s by default: so long a few of them would keep the probes out.
      connectionsCheckingInterval: 1000,
      noDelay: true,
      // See `requestFault`.
      requireHostHeader: false,
    });
    keepAllLines(server);
    answerHalfClosed(server);
    const ignoreUpgrade = ignoreUpgrades(server);
    const pipelines = new Pipelines();
    const unread = new UnreadAnswers(args.writeStall, (socket) => socket.destroy());
    server.maxConnections = CONNECTIONS;
    // These run outside of the processes: each only passes on what happened.
    const hear = (request: IncomingMessage, response: ServerResponse) => {
      // Its close follows, and says enough.
      response.on('error', () => undefined);
      const take = () => {
        unread.watch(request.socket, response, true);
        const fault = requestFault(request);
        if (fault !== null) refuse(request, response, fault);
        else
          readBody(request, response, (body) => {
            if (!send(self, { type: 'request', request, response, body })) response.destroy();
          });
      };
      inTurn(request.socket, pipelines.enter(request.socket, response, take), take);
    };
    server.on('request', hear);
    server.on('checkExpectation', hear);
    inviteBodies(server, () => BODY_BYTES);
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      malformed(pipelines, socket, error.code ?? ''),
    );
    // Without a listener Node would end it without a word.
    server.on('connect', (request: IncomingMessage) => noTunnel(pipelines, request.socket));
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const take = () => ignoreUpgrade(request, socket, head);
      inTurn(socket, pipelines.leave(socket, take), take);
    });
    openPort(self, server, args, { close: () => server.closeAllConnections() });
    return starting({ ...args, self, pipelines });
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'listening':
        state.log.listening('admin', message.at);
        started(state.self);
        return keep;
      case 'request':
        answer(state, message.request, message.response, message.body);
        return keep;
      case 'failed':
        return stop({ stop: describeFailure(message.error, state) });
      case 'exit':
        return stop(message.reason);
    }
  },

  undelivered(message) {
    if (message.type === 'request') message.response.destroy();
  },
};

/** Takes what has its turn now. A connection that has sent more than may wait ends. */
function inTurn(socket: Socket, place: PlaceInLine, take: () => void): void {
  if (place === 'now') take();
  else if (place === 'full') socket.destroy();
}

/** What Node would answer by itself, without a word of what is wrong. `code`: that of Node's error. */
function malformed(pipelines: Pipelines, socket: Socket, code: string): void {
  if (hasGone(socket, code)) {
    socket.destroy();
    return;
  }
  // It has been answered, and what comes still is not read.
  if (!socket.writable) return;
  const take = () => endWithFault(pipelines, socket, malformedFault(code, `${HEAD_BYTES} bytes`));
  inTurn(socket, pipelines.break(socket, take), take);
}

function noTunnel(pipelines: Pipelines, socket: Socket): void {
  const why = 'Error: bad request. An upgrade must be a GET request.';
  const take = () => endWithFault(pipelines, socket, { status: 400, why });
  inTurn(socket, pipelines.leave(socket, take), take);
}

function endWithFault(pipelines: Pipelines, socket: Socket, { status, why }: Fault): void {
  if (!socket.writable) return;
  const { type, text } = plain(status, why);
  pipelines.end(socket, rawReply({ status, headers: { 'Content-Type': type }, body: text }));
}

/** Answers at once; what is left of the body is not waited for. */
function refuse(request: IncomingMessage, response: ServerResponse, { status, why }: Fault): void {
  const { type, text } = plain(status, why);
  if (!request.complete) lingerAtEnd(request.socket);
  request.resume();
  const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), Connection: 'close' };
  response.writeHead(status, headers).end(text);
}

function readBody(request: IncomingMessage, response: ServerResponse, done: (body: string) => void): void {
  const tooLarge = () => refuse(request, response, { status: 413, why: 'Error: the body is too large.' });
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    if (response.headersSent) return;
    body += chunk;
    if (body.length <= BODY_BYTES) return;
    body = '';
    tooLarge();
  });
  request.on('end', () => {
    if (!response.headersSent) done(body);
  });
  request.on('error', () => undefined);
  if (saysTooLong(request, BODY_BYTES)) tooLarge();
}

function answer(state: State, request: IncomingMessage, response: ServerResponse, body: string): void {
  const { method = 'GET', socket } = request;
  const { path, query, host } = targetOf(request);
  // Nobody is there any more, or will be in a moment: what is begun now would never hear of the end.
  if (response.socket?.writable !== true) return;
  const reply = ({ status, type, text, more = {} }: AdminAnswer): void => {
    if (response.headersSent || response.destroyed) return;
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(text),
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      ...more,
    });
    response.end(method === 'HEAD' ? undefined : text);
  };
  const refusal = refusalOf(request, { host, path }, state.settings.names);
  const neverEnds = () => state.pipelines.neverEnds(socket);
  const answered =
    refusal ??
    routeAdmin(state, {
      method,
      path,
      query,
      body,
      from: sourceOf(request),
      address: addressOf(request),
      credential: credentialIn(request.headers.authorization),
      response,
      neverEnds,
    });
  if (answered instanceof Promise) void answered.catch(failed).then(reply);
  else if (answered !== null) reply(answered);
}

/** `X-Forwarded-For` is the proxy's word, or a stranger's: it is only ever written down. */
function sourceOf(request: IncomingMessage): string {
  const forwarded = request.headers['x-forwarded-for'];
  const address = addressOf(request);
  return forwarded === undefined ? address : `${address} for ${forwarded}`;
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? 'unknown';
}
