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

/** State established or close-wait; timer, retransmissions, user, probes, inode. */
const LINE =
  /^ *\d+: [\dA-F:]+ [\dA-F:]+ (?:01|08) [\dA-F]{8}:[\dA-F]{8} (\d\d):[\dA-F]+ ([\dA-F]{8}) +\d+ +(\d+) (\d+) /gm;

/** Inodes of sockets to which the other side has not answered for some time, though it should have. */
export function silentInodes(lines: string): number[] {
  const inodes: number[] = [];
  for (const [, timer, resent = '', probes, inode] of lines.matchAll(LINE)) {
    const unanswered =
      timer === RETRANSMISSION ? Number.parseInt(resent, 16) : timer === PROBE ? Number(probes) : 0;
    if (unanswered >= UNANSWERED) inodes.push(Number(inode));
  }
  return inodes;
}

/** Of all connections. Rejects where there is no such table, as on other systems. */
export async function readSilentInodes(tables: readonly string[] = TABLES): Promise<Set<number>> {
  const silent = new Set<number>();
  for (const table of tables) {
    let rest = '';
    for await (const chunk of createReadStream(table, { encoding: 'latin1' })) {
      const text = rest + String(chunk);
      const end = text.lastIndexOf('\n') + 1;
      for (const inode of silentInodes(text.slice(0, end))) silent.add(inode);
      rest = text.slice(end);
    }
  }
  return silent;
}
