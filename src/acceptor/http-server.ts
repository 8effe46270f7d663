import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';

/** A certificate and its key, in PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** What a server does with a connection that was accepted: it speaks HTTP, behind TLS where there is any. */
export type Serve = (socket: Socket) => void;

/** Bytes of a request's head. */
const HEAD_BYTES = 16 * 1024;
/** How long a body may take, as a multiple of the time for the head. */
const BODY_TIMES = 6;

/** Other times for the requests to come. */
export function setTimes(server: Server, handshake: number): void {
  server.headersTimeout = handshake;
  server.requestTimeout = handshake * BODY_TIMES;
}

/** `handshake`: milliseconds for the head of a request, and for TLS before it; 0: no limit (TLS: two minutes). */
export function newServer(handshake: number, tls: TlsPair | null): Server {
  const options = {
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: handshake,
    requestTimeout: handshake * BODY_TIMES,
    connectionsCheckingInterval: 1000,
    noDelay: true,
    // Judged by us, who count what is refused.
    requireHostHeader: false,
  };
  return tls === null
    ? createServer(options)
    : createTlsServer({ ...options, ...tls, handshakeTimeout: handshake });
}

/** Takes new connections away from the server, for somebody who gives them back when they are ready. */
export function takeConnections(server: Server): Serve {
  const listeners = server.listeners('connection') as Serve[];
  server.removeAllListeners('connection');
  return (socket) => {
    for (const listener of listeners) listener.call(server, socket);
  };
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
