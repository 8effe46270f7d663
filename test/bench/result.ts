import type { Scenario } from './scenarios.ts';

/** The columns of the report; what they stand for in a scenario, its `sides` say. */
export type Side = 'naive' | 'fanfare';

export interface LoadRequest {
  readonly scenario: Scenario;
  readonly side: Side;
  readonly port: number;
  /** Process to read CPU time and memory of. */
  readonly pid: number;
}

/** Times in microseconds, memory in bytes; null where the platform does not tell or nothing was measured. */
export interface LoadResult {
  readonly deliveriesPerSecond: number;
  readonly cpuPerDelivery: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly bytesPerConnection: number | null;
  readonly connectsPerSecond: number;
  readonly cpuPerConnect: number | null;
  /** Of clients that come all at once: until the last one had what it was to have, and the server's memory above rest at its peak. */
  readonly herdSeconds?: number;
  readonly peakMebibytes?: number | null;
  readonly lost: number;
  readonly outOfOrder: number;
  readonly duplicates: number;
  /** Frames that are no message of the run, publishers' own copies included. */
  readonly unexpected: number;
  /** Connections that the server ended, and why the first one did. */
  readonly closed: number;
  readonly closedWhy: string | null;
  readonly stalls: number;
  readonly published: number;
  readonly delivered: number;
  readonly reads: number;
  /** Shares of one core over the measured time: the load process must stay below the server. */
  readonly serverShare: number | null;
  readonly loadShare: number;
  /** The load process' share of a core while subscribers connect: near 1, it and not the server sets connects/s. */
  readonly loadShareConnecting: number;
}
