import { type ServerOptions, WebSocketServer } from 'ws';
import type { Limits } from '../config/config.ts';
import { DoorWebSocket } from '../connection/websocket-transport.ts';

/** ws parses frames, answers pings and closes; it neither listens nor compresses, and keeps no list of clients. */
export function webSocketServer(limits: Limits): WebSocketServer {
  // Newer than the published types.
  const timing: ServerOptions & { readonly closeTimeout: number } = { closeTimeout: limits.close };
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
