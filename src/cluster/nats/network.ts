import type { NatsConnection } from '@nats-io/transport-node';
import type { Topics } from '../../topic/topics.ts';
import type { NatsSettings } from './dial.ts';
import type { Heard } from './intake.ts';
import type { Window } from './window.ts';

/** What the link is given, and what tools may read of it. */
export interface NatsNetwork {
  readonly self: Heard;
  readonly settings: NatsSettings;
  readonly topics: () => Topics;
  readonly log: NatsLog;
  readonly stats: NatsStats;
  /** Starts of other relays with the name of this one that the log has named. */
  readonly namesakes: Set<string>;
  /** The connection in use, and what is not confirmed on it. The link alone sets it. */
  open: { readonly connection: NatsConnection; readonly window: Window } | undefined;
}

export interface NatsLog {
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Messages since the start, whatever became of them in the NATS network. */
export interface NatsStats {
  connected: boolean;
  /** How often it was. */
  connects: number;
  /** The server's address, and why there is no connection. */
  server: string | null;
  why: string | null;
  /** Milliseconds from a question to the server to its answer, behind what was handed over before; null: none yet. */
  roundTrip: number | null;
  /** Of messages, handed over and come. */
  bytesOut: number;
  bytesIn: number;
  /** Names of the other relays that are heard of. */
  peers: readonly string[];
  /** Confirmed by the server. */
  sent: number;
  /** Too much was waiting to be confirmed. */
  overflow: number;
  /** There was no connection, or it ended before the server had confirmed them: of these, some may have arrived. */
  unlinked: number;
  /** Longer than the server takes. */
  tooLarge: number;
  received: number;
  /** Came faster than the topics here took them. */
  refused: number;
  /** Came and were none of a relay's. */
  foreign: number;
}

export function newNatsStats(): NatsStats {
  return {
    connected: false,
    connects: 0,
    server: null,
    why: null,
    roundTrip: null,
    bytesOut: 0,
    bytesIn: 0,
    peers: [],
    sent: 0,
    overflow: 0,
    unlinked: 0,
    tooLarge: 0,
    received: 0,
    refused: 0,
    foreign: 0,
  };
}
