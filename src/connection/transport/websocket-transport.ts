import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, type WebSocketServer } from 'ws';
import type { HttpReply } from '../../door/contract.ts';
import { pingFrame, pongFrame } from '../../door/frame.ts';
import { endWith, rawReply } from '../../http/last-answer.ts';
import { inform, type Pid } from '../../otp/process.ts';
import { costOf } from '../../topic/message.ts';
import { ABNORMAL, NO_STATUS, POLICY_VIOLATION, reasonOfFault, TOO_BIG } from '../end.ts';
import { CREDIT_BYTES } from '../intake.ts';
import { KEEP_ALIVE, type Transport, type TransportMessage } from './transport.ts';

/** What may wait for the handler before the socket is no longer read, at the cost that credit has for messages. */
const UNHANDLED_BYTES = CREDIT_BYTES;

/**
 * A WebSocket. ws parses what comes in and answers closes; what goes out are finished frames, written straight
 * to the socket. That is safe beside ws's own frames because compression is off and every write is whole frames.
 *
 * One turn of the event loop may read 2 MiB of a socket, which is 350,000 tiny frames, before the handler has its turn.
 * So the transport itself pauses the reading when much waits for the handler. What ws still brings then is the rest of
 * one read, 64 KiB.
 */
export class WebSocketTransport implements Transport {
  readonly socket: Socket;
  readonly #server: WebSocketServer;
  /** The finished frame that keeps the way open. */
  readonly #keepAlive: Buffer;
  /** The handshake, until it is answered. */
  #upgrade: { readonly request: IncomingMessage; readonly head: Buffer } | undefined;
  #webSocket: DoorWebSocket | undefined = undefined;
  #handler: Pid<TransportMessage> | undefined = undefined;
  /** The limit of a message, where the client has no right yet; 0: it is that of the server. */
  #restricted = 0;
  /** What the client's close is answered with, which is its like (RFC 6455, section 5.5.1), or its fault. */
  #answer: { readonly code: number | undefined; readonly reason: string } | undefined = undefined;
  /** The cost of what waits for the handler. */
  #unhandled = 0;
  /** So much waits for the handler that nothing more is read. */
  #full = false;
  /** The handler wants nothing more. */
  #paused = false;
  /** The payload of the last ping that has come while a pong is on its way to the kernel; null: none has. */
  #ping: Buffer | null | undefined = undefined;
  /** Listens for a client that goes before it is answered. */
  #onGone: (() => void) | undefined = undefined;

  /** `ping`: a finished frame in place of the ping of WebSockets. */
  constructor(
    server: WebSocketServer,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    ping: Buffer = PING,
  ) {
    this.socket = socket;
    this.#server = server;
    this.#keepAlive = ping;
    this.#upgrade = { request, head };
  }

  get kind(): 'websocket' {
    return 'websocket';
  }

  attach(handler: Pid<TransportMessage>): boolean {
    this.#handler = handler;
    // It may have gone before its handler was there to hear of it.
    if (!this.socket.writable) {
      this.closed(ABNORMAL);
      return false;
    }
    this.#onGone = () => this.closed(ABNORMAL);
    this.socket.on('close', this.#onGone);
    return true;
  }

  accept(): boolean {
    const upgrade = this.#upgrade;
    this.#upgrade = undefined;
    if (upgrade === undefined || !this.socket.writable) return false;
    // ws takes no list.
    upgrade.request.headers.upgrade = 'websocket';
    const onGone = this.#onGone;
    this.#onGone = undefined;
    // Before ws adds its own: a third listener would make the list of them grow to twenty places for good.
    if (onGone !== undefined) this.socket.off('close', onGone);
    this.#server.handleUpgrade(upgrade.request, this.socket, upgrade.head, (webSocket) => {
      this.#webSocket = webSocket as DoorWebSocket;
      this.#webSocket.transport = this;
    });
    if (this.#webSocket !== undefined) {
      // Not read while it waited behind other requests.
      if (this.socket.isPaused()) this.socket.resume();
      this.socket.setKeepAlive(true, KEEP_ALIVE);
      return true;
    }
    // Where ws does not complete the upgrade, the socket's close is all that follows.
    if (onGone !== undefined) this.socket.on('close', onGone);
    return false;
  }

  reply(reply: HttpReply): void {
    this.#upgrade = undefined;
    endWith(this.socket, rawReply(reply));
  }

  pause(): void {
    this.#paused = true;
    this.#webSocket?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#full) this.#webSocket?.resume();
  }

  handled(bytes: number): void {
    this.#unhandled -= costOf(bytes);
    if (!this.#full || this.#unhandled > 0) return;
    this.#full = false;
    if (!this.#paused) this.#webSocket?.resume();
  }

  /** ws has one limit for a server. Its receiver looks at this field with every frame, before it keeps anything of it. */
  restrict(bytes: number): void {
    if (bytes === this.#restricted) return;
    this.#restricted = bytes;
    const { _receiver: receiver } = this.#webSocket as unknown as {
      readonly _receiver?: { _maxPayload: number };
    };
    if (receiver !== undefined)
      receiver._maxPayload = bytes > 0 ? bytes : (this.#server.options.maxPayload ?? 0);
  }

  get restricted(): boolean {
    return this.#restricted > 0;
  }

  keepAlive(): void {
    this.socket.write(this.#keepAlive);
  }

  close(code: number, reason: string): void {
    const webSocket = this.#webSocket;
    // A paused socket would never see the client's answer.
    this.#full = false;
    this.resume();
    if (webSocket === undefined) this.socket.destroy();
    else if (this.#answer === undefined) webSocket.finish(code, reason);
    else webSocket.finish(this.#answer.code, this.#answer.reason);
  }

  destroy(): void {
    this.socket.destroy();
  }

  tell(message: TransportMessage): void {
    if (this.#handler !== undefined) inform(this.#handler, message);
  }

  /**
   * Answers a ping. ws ends a client without a word that it has to answer 60 times at once; here one pong is under way at a
   * time, and the next one answers the last of the pings that have come meanwhile (RFC 6455, section 5.5.3), so that a
   * client that reads none cannot pile them up.
   */
  pinged(payload: Buffer): void {
    this.hand(PINGED, 0);
    if (this.#ping === undefined) this.#pong(payload);
    else this.#ping = payload;
  }

  /** Hands the handler what came, which says of each that it is `handled`. */
  hand(message: TransportMessage, bytes: number): void {
    if (this.#handler === undefined || !inform(this.#handler, message)) return;
    this.#unhandled += costOf(bytes);
    if (this.#full || this.#unhandled < UNHANDLED_BYTES) return;
    this.#full = true;
    this.#webSocket?.pause();
  }

  /** The client has sent what it may not. */
  faulted(code: number): void {
    const reason = code === TOO_BIG && this.restricted ? 'authorize first' : reasonOfFault(code);
    // The other codes say it themselves.
    this.#answer = { code, reason: code === POLICY_VIOLATION || reason === 'authorize first' ? reason : '' };
    this.tell({ type: 'farewell', end: { type: 'fault', code, reason } });
  }

  /** The client has sent a close frame. */
  left(code: number | undefined, reason: string): void {
    this.#answer = { code, reason };
    this.tell({ type: 'farewell', end: { type: 'left', code: code ?? NO_STATUS } });
  }

  closed(code: number): void {
    this.tell({ type: 'closed', code });
    this.#handler = undefined;
  }

  #pong(payload: Buffer): void {
    if (this.#webSocket?.readyState !== WebSocket.OPEN) return;
    this.#ping = null;
    this.socket.write(pongFrame(payload), () => {
      const next = this.#ping;
      this.#ping = undefined;
      if (next != null) this.#pong(next);
    });
  }
}

/**
 * The class that the door's WebSocketServer makes. It takes its events where ws emits them: a table of listeners for
 * each connection would cost more than all the rest that we keep of it.
 */
export class DoorWebSocket extends WebSocket {
  transport: WebSocketTransport | undefined = undefined;

  /**
   * ws calls this to answer a close frame, and to end a client that has sent what it may not: then without a reason. The
   * handler does it when all that came before has been delivered.
   */
  override close(code?: number, reason?: string | Buffer): void {
    // The client's answer to our close: ws ends the connection now, and not when its time is over.
    if (this.readyState === WebSocket.CLOSING) super.close();
    else if (code !== undefined && reason === undefined) this.transport?.faulted(code);
    else this.transport?.left(code, String(reason ?? ''));
  }

  finish(code: number | undefined, reason: string): void {
    super.close(code, code === undefined ? undefined : reason);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const { transport } = this;
    if (transport === undefined) return false;
    switch (event) {
      case 'message': {
        const payload = args[0] as Buffer;
        transport.hand({ type: args[1] === true ? 'binary' : 'text', payload }, payload.length);
        return true;
      }
      case 'pong':
        transport.hand(PONG, 0);
        return true;
      case 'ping':
        transport.pinged(args[0] as Buffer);
        return true;
      case 'error':
        // Followed by a close of ours or of the socket.
        return true;
      case 'close':
        transport.closed(args[0] as number);
        return true;
      default:
        return false;
    }
  }
}

const PING = pingFrame();
const PONG: TransportMessage = { type: 'pong' };
const PINGED: TransportMessage = { type: 'ping' };
