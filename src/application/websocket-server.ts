import { type ServerOptions, WebSocketServer } from 'ws';
import type { Limits } from '../config/config.ts';
import { DoorWebSocket } from '../connection/transport/websocket-transport.ts';
import type { Door } from '../door/contract.ts';
import { chosenProtocol } from '../door/subprotocol.ts';

/** A timer of Node's fires at once when its delay does not fit 31 bits. */
const NEVER = 2 ** 31 - 1;

/** ws parses frames, answers pings and closes; it neither listens nor compresses, and keeps no list of clients. */
export function webSocketServer(limits: Limits, { protocols }: Door): WebSocketServer {
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
    // Of the same list the handshake was judged by: there is one.
    handleProtocols: (offered) => chosenProtocol([...offered].join(), protocols) ?? false,
  });
}
