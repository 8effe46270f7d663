import { createReadStream } from 'node:fs';

/**
 * What the kernel knows of the TCP connections of this network namespace: the tables that Linux shows in `/proc`
 * (proc_pid_net(5)). Node tells nobody whether what was sent has been acknowledged.
 */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];

/** The timer that runs: for a retransmission, or for a probe of a window that is closed. */
const RETRANSMISSION = '01';
const PROBE = '04';
/** Less may be the loss of a packet. */
const UNANSWERED = 2;

/** Established, or ended by the other side: bytes sent, timer, retransmissions, user, probes, inode. */
const LINE =
  /^ *\d+: [\dA-F:]+ [\dA-F:]+ (?:01|08) ([\dA-F]{8}):[\dA-F]{8} (\d\d):[\dA-F]+ ([\dA-F]{8}) +\d+ +(\d+) (\d+) /gm;

export interface Sent {
  /** Bytes that the kernel has and the other side has not acknowledged. */
  readonly unacknowledged: number;
  /** The other side has not answered for some time, though it should have. */
  readonly silent: boolean;
}

/** By the inodes of the sockets. */
export function sentOf(lines: string, wanted: ReadonlySet<number>): Map<number, Sent> {
  const found = new Map<number, Sent>();
  for (const [, bytes = '', timer, resent = '', probes, inode] of lines.matchAll(LINE)) {
    if (!wanted.has(Number(inode))) continue;
    const unanswered =
      timer === RETRANSMISSION ? Number.parseInt(resent, 16) : timer === PROBE ? Number(probes) : 0;
    found.set(Number(inode), {
      unacknowledged: Number.parseInt(bytes, 16),
      silent: unanswered >= UNANSWERED,
    });
  }
  return found;
}

/** Rejects where there is no such table, as on other systems. */
export async function readSent(
  wanted: ReadonlySet<number>,
  tables: readonly string[] = TABLES,
): Promise<Map<number, Sent>> {
  const found = new Map<number, Sent>();
  for (const table of tables) {
    let rest = '';
    for await (const chunk of createReadStream(table, { encoding: 'latin1' })) {
      const text = rest + String(chunk);
      const end = text.lastIndexOf('\n') + 1;
      for (const [inode, sent] of sentOf(text.slice(0, end), wanted)) found.set(inode, sent);
      rest = text.slice(end);
    }
  }
  return found;
}
