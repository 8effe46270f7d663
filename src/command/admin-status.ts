import { isIPv6 } from 'node:net';

/** Milliseconds for an answer. */
const PATIENCE = 2000;

interface Health {
  readonly node?: unknown;
  readonly edges?: readonly { readonly edge: string; readonly why?: string }[];
}

/** How the node is, by what its admin port says: `ready`, `starting`, `draining`; `stopped`: that node does not answer. */
export async function statusAtAdmin({
  node,
  host,
  port,
}: {
  readonly node: string;
  readonly host: string;
  readonly port: number;
}): Promise<string> {
  try {
    const answer = await fetch(`http://${reachable(host)}:${port}/health/ready`, {
      signal: AbortSignal.timeout(PATIENCE),
    });
    const health = (await answer.json()) as Health;
    if (health.node !== node) return 'stopped';
    const own = health.edges?.find(({ edge }) => edge === 'node');
    return own?.why ?? 'ready';
  } catch {
    return 'stopped';
  }
}

/** Where this machine reaches what listens at an address. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}
