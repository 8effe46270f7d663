/**
 * Versions of the protocol between relays, as WebSocket subprotocols. A relay offers every version that it speaks, and
 * the other side takes the highest that both do: a release speaks its own version and the one before, so that a network
 * can be upgraded relay by relay.
 */
export const VERSIONS: readonly number[] = [1];

const PREFIX = 'fanfare.peer.';

export function offer(versions: readonly number[]): string[] {
  return versions.map((version) => PREFIX + version);
}

/** The versions in a list of subprotocols; null when it names none of this protocol. */
export function offered(header: string | undefined): number[] | null {
  const versions = (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => Number(name.slice(PREFIX.length)))
    .filter((version) => Number.isSafeInteger(version) && version > 0);
  return versions.length === 0 ? null : versions;
}

/** The highest common version; null: none. */
export function negotiate(theirs: readonly number[], ours: readonly number[]): number | null {
  const common = ours.filter((version) => theirs.includes(version));
  return common.length === 0 ? null : Math.max(...common);
}

export function subprotocol(version: number): string {
  return PREFIX + version;
}

/** For both sides' logs: which versions failed to meet. */
export function mismatch(theirs: readonly number[], ours: readonly number[]): string {
  return `peer protocol versions offered: ${theirs.join(', ')}; spoken here: ${ours.join(', ')}`;
}
