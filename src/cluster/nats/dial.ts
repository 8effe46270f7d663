import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  connect,
  credsAuthenticator,
  getResolveFn,
  type NatsConnection,
  type NodeConnectionOptions,
  setTransportFactory,
} from '@nats-io/transport-node';
import { NodeTransport } from '@nats-io/transport-node/lib/node_transport.js';
import type { Config } from '../../config/config.ts';

/** Times in milliseconds, sizes in bytes. */
export interface NatsSettings {
  readonly prefix: string;
  readonly heartbeat: number;
  readonly timeout: number;
  readonly pending: number;
  /** How to connect, but for the servers; files are read for each connection. Throws when one cannot be read. */
  readonly options: () => NodeConnectionOptions;
}

/** Milliseconds. */
const DIAL_TIMEOUT = 5000;
/** The link's own questions show whether the server is there; the client's would come this often, in milliseconds. */
const CLIENT_PING = 2 ** 30;

/** Connects to one of the servers, whichever comes first in an order of chance; rejects as the last of them did. */
export async function dialAny(settings: NatsSettings, servers: readonly string[]): Promise<NatsConnection> {
  let failure: unknown = new Error('there is no server');
  for (const server of shuffled(servers)) {
    try {
      return await dial(settings.options(), server);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function dial(options: NodeConnectionOptions, server: string): Promise<NatsConnection> {
  const { tls } = options;
  const host = hostOf(server);
  // The client would look for `localhost` in the certificate of a server that has no name.
  const named = tls == null || isIP(host) === 0 ? tls : { ...tls, host };
  const connection = connect({
    ...options,
    ...(named === undefined ? {} : { tls: named }),
    servers: server,
    noEcho: true,
    reconnect: false,
    timeout: DIAL_TIMEOUT,
    pingInterval: CLIENT_PING,
    ignoreClusterUpdates: true,
  });
  // `connect` has set a factory of its own, and makes its transport in a later turn.
  const dnsResolveFn = getResolveFn();
  setTransportFactory({
    factory: () => new PatientTransport(),
    ...(dnsResolveFn === undefined ? {} : { dnsResolveFn }),
  });
  return connection;
}

/**
 * The client gives up a server that does not answer in time, and leaves the socket open: for ever, with a server that
 * stands still, and one more with every attempt.
 */
class PatientTransport extends NodeTransport {
  override async connect(...args: Parameters<NodeTransport['connect']>): Promise<void> {
    // There is no socket to destroy as long as TCP itself is connecting; TCP gives up by itself. Destroyed once is enough:
    // the client may not settle after it, and would leave the interval for ever.
    const late = setInterval(() => {
      if (this.socket === undefined) return;
      clearInterval(late);
      this.socket.destroy();
    }, DIAL_TIMEOUT);
    try {
      await super.connect(...args);
    } finally {
      clearInterval(late);
    }
  }
}

/** Of `host`, `host:port` or `[ipv6]:port`. */
function hostOf(server: string): string {
  return /^\[(.*)\]/.exec(server)?.[1] ?? server.replace(/:\d+$/, '');
}

function shuffled(servers: readonly string[]): string[] {
  return servers
    .map((server) => ({ server, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ server }) => server);
}

export function natsSettings({ network, cluster, node }: Config): NatsSettings {
  const { prefix, user, password, token, credentials, tls } = cluster;
  const { heartbeat, timeout, pending } = network;
  const options = (): NodeConnectionOptions => ({
    name: `fanfare ${node}`,
    ...(user === null || password === null ? {} : { user, pass: password.reveal() }),
    ...(token === null ? {} : { token: token.reveal() }),
    ...(credentials === null ? {} : { authenticator: credsAuthenticator(readFileSync(credentials)) }),
    ...(usesTls(tls) ? { tls: tlsFiles(tls) } : {}),
  });
  return { prefix, heartbeat, timeout, pending, options };
}

function usesTls({ required, ca, cert, key }: Config['cluster']['tls']): boolean {
  return required || ca !== null || (cert !== null && key !== null);
}

function tlsFiles({ ca, cert, key }: Config['cluster']['tls']): NonNullable<NodeConnectionOptions['tls']> {
  return {
    ...(ca === null ? {} : { caFile: ca }),
    ...(cert === null || key === null ? {} : { certFile: cert, keyFile: key }),
  };
}
