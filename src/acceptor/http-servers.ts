import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { answerHalfClosed } from '../http/pipelines.ts';
import { keepAllLines } from '../http/request.ts';
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

type IgnoreUpgrade = ReturnType<typeof ignoreUpgrades>;

const OPTIONS: ServerOptions = {
  connectionsCheckingInterval: 1000,
  // The listener judges it, and counts what is refused.
  requireHostHeader: false,
};

/**
 * The HTTP servers behind one port, which is not theirs: with TLS and without. The port may change from one to the other
 * while it is open, and each of them goes on with the connections that it was given.
 */
export class HttpServers {
  readonly #wire: (server: Server, ignoreUpgrade: IgnoreUpgrade) => void;
  #limits: HttpLimits;
  /** All of them; TLS servers of a former limit have the connections that they were given. */
  readonly #servers: Server[] = [];
  #plain: Server | undefined = undefined;
  #secure: TlsServer | undefined = undefined;
  /** That of `#secure`. */
  #handshake = 0;
  #protocol: Protocol;

  /** `wire` listens to a server before it is given connections; `ignoreUpgrade`: see `ignoreUpgrades`. */
  constructor(
    limits: HttpLimits,
    tls: TlsPair | null,
    wire: (server: Server, ignoreUpgrade: IgnoreUpgrade) => void,
  ) {
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
    for (const server of this.#servers) configure(server, limits);
  }

  closeIdleConnections(): void {
    for (const server of this.#servers) server.closeIdleConnections();
  }

  /** Late requests are not looked for any more. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  #protocolOf(tls: TlsPair | null): Protocol {
    if (tls === null) {
      this.#plain ??= this.#wired(createServer(OPTIONS));
      const plain = this.#plain;
      return { secure: false, serve: (socket) => void plain.emit('connection', socket) };
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
    if (this.#secure !== undefined && this.#handshake === handshake) {
      this.#secure.setSecureContext(tls);
      return this.#secure;
    }
    this.#handshake = handshake;
    this.#secure = this.#wired(createTlsServer({ ...OPTIONS, ...tls, handshakeTimeout: handshake }));
    return this.#secure;
  }

  #wired<S extends Server>(server: S): S {
    keepAllLines(server);
    answerHalfClosed(server);
    configure(server, this.#limits);
    this.#wire(server, ignoreUpgrades(server));
    // Node looks for late requests from when a server says that it listens.
    server.emit('listening');
    this.#servers.push(server);
    return server;
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
