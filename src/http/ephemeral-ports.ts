import { readFileSync } from 'node:fs';

/** LISTEN, as /proc/net/tcp has it (`include/net/tcp_states.h`). */
const LISTENING = '0A';

/** What the system knows of ports; Linux tells. */
export interface PortTables {
  /** /proc/net/tcp and tcp6. */
  readonly sockets: string;
  /** /proc/sys/net/ipv4/ip_local_port_range. */
  readonly range: string;
}

export function portTables(): PortTables {
  return {
    sockets: read('/proc/net/tcp') + read('/proc/net/tcp6'),
    range: read('/proc/sys/net/ipv4/ip_local_port_range'),
  };
}

/**
 * Of a port that could not be had: that an outgoing connection of this machine has it, and what to do. Null: it is somebody
 * who listens, or not known.
 */
export function takenByConnection(port: number, { sockets, range }: PortTables): string | null {
  const [, lowest, highest] = /^(\d+)\s+(\d+)/.exec(range) ?? [];
  if (lowest === undefined || port < Number(lowest) || port > Number(highest)) return null;
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const states = [...sockets.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /gm)]
    .filter(([, local]) => local === hex)
    .map(([, , state]) => state);
  if (states.length === 0 || states.includes(LISTENING)) return null;
  return `by an outgoing connection of this machine, whose ports the system takes from ${lowest} to ${highest}: reserve ${port} by sysctl net.ipv4.ip_local_reserved_ports`;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
