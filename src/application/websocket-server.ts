import { type ServerOptions, WebSocketServer } from 'ws';
import type { Limits } from '../config/config.ts';
import { DoorWebSocket } from '../connection/websocket-transport.ts';

/** A timer of Node's fires at once when its delay does not fit 31 bits. */
const NEVER = 2 ** 31 - 1;

/** ws parses frames, answers pings and closes; it neither listens nor compresses, and keeps no list of clients. */
export function webSocketServer(limits: Limits): WebSocketServer {
  // Newer than the published types.
  const timing: ServerOptions & { readonly closeTimeout: number } = {
    closeTimeout: limits.close === 0 ? NEVER : limits.close,
  };
  return new WebSocketServer({
    ...timing,
    noServer: true,
    WebSocket: DoorWebSocket,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.message,
    maxFragments: limits.fragments,
    // A client's wishes are not refused: pypusu asks for `http-only`, and expects it.
    handleProtocols: (protocols) => protocols.values().next().value ?? false,
  });
}
