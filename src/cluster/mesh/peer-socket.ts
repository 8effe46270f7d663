import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, type WebSocketServer } from 'ws';
import { closeFrame, websocketFrames } from '../../door/frame.ts';
import { encodePeerFrame, type PeerFrame, type Version } from '../../door/peer/codec.ts';
import { inform, type Pid } from '../../otp/process.ts';

/** What happens on a connection that another relay has made. The socket says which one: a later one may have taken over. */
export type PeerSocketMessage =
  | { readonly type: 'frame'; readonly socket: PeerSocket; readonly payload: Buffer }
  | { readonly type: 'closed'; readonly socket: PeerSocket; readonly why: string };

/** The close code with which a relay ends a link in good order. */
const GOING_AWAY = 1001;
const GOODBYE = 'goodbye';

/** Why a link has ended whose other end closed with that code. */
export const SAID_GOODBYE = 'it said goodbye';

/** `otherwise`: where the other end has closed without a word. */
export function whyClosed(code: number, otherwise = 'connection lost'): string {
  return code === GOING_AWAY ? SAID_GOODBYE : otherwise;
}

/** Ends a connection that this relay has dialled, in good order. */
export function sayGoodbye(socket: WebSocket): void {
  socket.close(GOING_AWAY, GOODBYE);
}

/** The served end of a link. ws parses what comes in; what goes out are finished frames, written straight to the stream. */
export class PeerSocket {
  readonly stream: Socket;
  /** Of the protocol, as it was agreed on with the other relay. */
  readonly version: Version;
  #reader: Pid<PeerSocketMessage> | undefined = undefined;

  /** `stream`: a socket whose upgrade has been judged. */
  constructor(stream: Socket, version: Version) {
    this.stream = stream;
    this.version = version;
  }

  /** Tells `reader` from here on. */
  attach(reader: Pid<PeerSocketMessage>): void {
    this.#reader = reader;
  }

  /** Completes the upgrade. False: the socket is gone, or ws has refused the upgrade, and no event of ws will follow. */
  accept(server: WebSocketServer, request: IncomingMessage, head: Buffer): boolean {
    if (this.stream.destroyed || !this.stream.writable) return false;
    let completed = false;
    server.handleUpgrade(request, this.stream, head, (webSocket) => {
      (webSocket as ServedWebSocket).peer = this;
      completed = true;
    });
    return completed;
  }

  say(frame: PeerFrame): void {
    if (this.stream.writable)
      this.stream.write(websocketFrames([{ opcode: 2, payload: encodePeerFrame(frame, this.version) }]));
  }

  /** Ends the connection in good order: what was written before goes out. */
  leave(): void {
    if (this.stream.writable) this.stream.write(closeFrame(GOING_AWAY, GOODBYE));
    this.stream.destroySoon();
  }

  tell(message: PeerSocketMessage): void {
    if (this.#reader !== undefined) inform(this.#reader, message);
  }
}

/** Takes its events where ws emits them. A text frame is not of the protocol: it ends the connection. */
export class ServedWebSocket extends WebSocket {
  peer: PeerSocket | undefined = undefined;

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const { peer } = this;
    if (peer === undefined) return false;
    if (event === 'message' && args[1] === true)
      peer.tell({ type: 'frame', socket: peer, payload: args[0] as Buffer });
    else if (event === 'message') peer.stream.destroy();
    else if (event === 'close')
      peer.tell({ type: 'closed', socket: peer, why: whyClosed(args[0] as number) });
    return true;
  }
}
