import { readFileSync } from 'node:fs';
import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';
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
