import { readFileSync } from 'node:fs';
import type { Config, NetworkConfig } from '../../config/config.ts';
import { Hidden } from '../../secret/hidden.ts';
import type { MeshSettings } from './network.ts';

/** Whoever is at the network port has no longer than this, whatever clients have: closed within 5 s, timers and all. */
const HANDSHAKE = 4500;

/** What the mesh needs to know of the configuration. Throws when a file cannot be read; a relay alone reads none. */
export function meshSettings({ network, limits, relays }: Config): MeshSettings {
  const { host, port, secret, heartbeat, timeout, pending } = network;
  const handshake = limits.handshake === 0 ? HANDSHAKE : Math.min(limits.handshake, HANDSHAKE);
  const { message } = limits;
  return {
    host,
    port,
    secret,
    heartbeat,
    timeout,
    pending,
    handshake,
    message,
    tls: relays.length === 0 ? null : tlsFiles(network),
  };
}

function tlsFiles({ tls }: NetworkConfig): MeshSettings['tls'] {
  if (tls === null) return null;
  return new Hidden({ cert: readFileSync(tls.cert), key: readFileSync(tls.key), ca: readFileSync(tls.ca) });
}
