import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ignoreUpgrades } from '../http/upgrades.ts';

/** A certificate and its key, in PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** What is spoken on a connection that was accepted: HTTP, with TLS below it or without. */
export interface Protocol {
  readonly secure: boolean;
  serve(socket: Socket): void;
}

/** What the limits of a door are for HTTP. */
export interface HttpLimits {
  /** Bytes of a request's head. */
  readonly head: number;
  /** Milliseconds for the head of a request, and for TLS before it; 0: no limit (TLS: two minutes). */
  readonly handshake: number;
  /** Milliseconds from an answer to the next request; 0: no limit. Null: `KEEP_ALIVE`. */
  readonly keepAlive: number | null;
}

/** Milliseconds that the next request is waited for: of a trusted proxy, and of anybody else. */
export const KEEP_ALIVE = { proxy: 75_000, other: 5_000 };
/** How long a body may take, as a multiple of the time for the head. */
const BODY_TIMES = 6;

/** A server that speaks HTTP, and what it does at an upgrade that is not ours. */
interface Speaker<S extends Server> {
  readonly server: S;
  readonly ignoreUpgrade: ReturnType<typeof ignoreUpgrades>;
}

/**
 * The HTTP servers behind one port, which is not theirs: with TLS and without. The port may change from one to the other
 * while it is open, and each of them goes on with the connections that it was given.
 */
export class HttpServers {
  readonly #wire: (server: Server) => void;
  #limits: HttpLimits;
  #plain: Speaker<Server> | undefined = undefined;
  #secure: (Speaker<TlsServer> & { readonly handshake: number }) | undefined = undefined;
  /** TLS servers of other limits, for the connections that they were given. */
  readonly #former: TlsServer[] = [];
  #protocol: Protocol;

  /** `wire` listens to a server before it is given connections. */
  constructor(limits: HttpLimits, tls: TlsPair | null, wire: (server: Server) => void) {
    this.#limits = limits;
    this.#wire = wire;
    this.#protocol = this.#protocolOf(tls);
  }

  /** For the connections to come. */
  get protocol(): Protocol {
    return this.#protocol;
  }

  /** Has the connections to come speak TLS with this pair, or plain HTTP. */
  use(tls: TlsPair | null): void {
    this.#protocol = this.#protocolOf(tls);
  }

  /** Other limits for the requests to come; that of a head is for the connections to come. */
  configure(limits: HttpLimits): void {
    this.#limits = limits;
    for (const server of this.#all) configure(server, limits);
  }

  /** Goes on with plain HTTP at an upgrade that is not ours. */
  ignoreUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    (socket instanceof TLSSocket ? this.#secure : this.#plain)?.ignoreUpgrade(request, socket, head);
  }

  closeIdleConnections(): void {
    for (const server of this.#all) server.closeIdleConnections();
  }

  /** Late requests are not looked for any more. */
  close(): void {
    for (const server of this.#all) server.close();
  }

  get #all(): Server[] {
    const current = [this.#plain, this.#secure].flatMap((speaker) =>
      speaker === undefined ? [] : [speaker.server],
    );
    return [...current, ...this.#former];
  }

  #protocolOf(tls: TlsPair | null): Protocol {
    if (tls === null) {
      this.#plain ??= this.#speaker(createServer(this.#options), false);
      const { server } = this.#plain;
      return { secure: false, serve: (socket) => void server.emit('connection', socket) };
    }
    const server = this.#secureServer(tls);
    return {
      secure: true,
      serve(socket) {
        // As a socket that a TLS server has accepted itself.
        socket.allowHalfOpen = false;
        server.emit('connection', socket);
      },
    };
  }

  /** A TLS server takes its limit of a handshake when it is made. */
  #secureServer(tls: TlsPair): TlsServer {
    const { handshake } = this.#limits;
    if (this.#secure?.handshake === handshake) {
      this.#secure.server.setSecureContext(tls);
      return this.#secure.server;
    }
    if (this.#secure !== undefined) this.#former.push(this.#secure.server);
    const server = createTlsServer({ ...this.#options, ...tls, handshakeTimeout: handshake });
    this.#secure = { ...this.#speaker(server, true), handshake };
    return server;
  }

  #speaker<S extends Server>(server: S, isTls: boolean): Speaker<S> {
    const ignoreUpgrade = ignoreUpgrades(server, isTls);
    configure(server, this.#limits);
    this.#wire(server);
    // Node looks for late requests from when a server says that it listens.
    server.emit('listening');
    return { server, ignoreUpgrade };
  }

  get #options(): ServerOptions {
    return {
      connectionsCheckingInterval: 1000,
      // Judged by us, who count what is refused.
      requireHostHeader: false,
    };
  }
}

/** A server's limit of a head is set by an option; Node reads it where it keeps that. */
interface Limited extends Server {
  maxHeaderSize?: number;
}

function configure(server: Limited, { head, handshake, keepAlive }: HttpLimits): void {
  server.maxHeaderSize = head;
  server.keepAliveTimeout = keepAlive ?? KEEP_ALIVE.other;
  server.headersTimeout = handshake;
  server.requestTimeout = handshake * BODY_TIMES;
}
