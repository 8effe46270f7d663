import { residents, timersOf } from '../otp/inspect.ts';
import type { System } from '../otp/system.ts';
import { connectionOf, pendingOf } from './connections.ts';

/** All processes of one kind, added up. */
export interface KindCensus {
  count: number;
  mailbox: number;
  /** The longest that a mailbox of a live one has been. */
  highWater: number;
}

export interface Census {
  readonly kinds: ReadonlyMap<string, KindCensus>;
  /** Bytes that wait to be written to clients, and how many clients hold their topics back or do not read. */
  readonly pending: number;
  readonly behind: number;
  readonly stalled: number;
  /** Timers that processes have set. */
  readonly timers: number;
}

/** One look at every process: about a millisecond for ten thousand, so not to be taken more than once a second. */
export function takeCensus(system: System): Census {
  const kinds = new Map<string, KindCensus>();
  let pending = 0;
  let behind = 0;
  let stalled = 0;
  let timers = 0;
  for (const process of residents(system)) {
    const { name } = process.behaviour;
    let kind = kinds.get(name);
    if (kind === undefined) {
      kind = { count: 0, mailbox: 0, highWater: 0 };
      kinds.set(name, kind);
    }
    kind.count++;
    timers += timersOf(process);
    kind.mailbox += process.mailboxLength;
    const highest = Math.max(process.highWater, process.mailboxLength);
    if (highest > kind.highWater) kind.highWater = highest;
    const connection = connectionOf(process);
    if (connection === undefined) continue;
    pending += pendingOf(connection);
    if (connection.outflow.behind) behind++;
    if (connection.outflow.stalled) stalled++;
  }
  return { kinds, pending, behind, stalled, timers };
}
