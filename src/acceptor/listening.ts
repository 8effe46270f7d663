import { lstatSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';

/** Where a door listens. */
export type Place = { readonly host: string; readonly port: number } | { readonly socket: string };

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

/** `handshake`: milliseconds for the head of a request, and for TLS before it; 0: no limit (TLS: two minutes). */
export function newServer(handshake: number, tls: TlsPair | null): Server {
  const options = {
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: handshake,
    requestTimeout: handshake * BODY_TIMES,
    connectionsCheckingInterval: 1000,
    noDelay: true,
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

/** A socket file that a killed relay has left is taken over; one that somebody answers at is not. */
export function listen(server: Server, at: Place): void {
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

/** Whether only this machine can reach what listens there. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
