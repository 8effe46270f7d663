import type { NatsConnection } from '@nats-io/transport-node';
import type { Relay } from '../../door/peer/codec.ts';
import type { LinkLog, LocalTopics } from '../backplane.ts';
import type { NatsSettings } from './dial.ts';
import type { Window } from './window.ts';

/** What the link is given, and what tools may read of it. */
export interface NatsNetwork {
  readonly self: Relay;
  readonly settings: NatsSettings;
  readonly topics: () => LocalTopics;
  readonly log: LinkLog;
  readonly stats: NatsStats;
  /** Starts of other relays with the name of this one that the log has named. */
  readonly namesakes: Set<string>;
  /** The connection in use, and what is not confirmed on it. The link alone sets it. */
  open: { readonly connection: NatsConnection; readonly window: Window } | undefined;
}

/** What tools may read of the link, which alone changes it. Messages are those since the start, whatever became of them in NATS. */
export class NatsStats {
  connected = false;
  /** How often it was. */
  connects = 0;
  /** The server's address. */
  server: string | null = null;
  /** Why there is no connection. */
  why: string | null = null;
  /** Milliseconds from a question to the server to its answer, behind what was handed over before, or that it has waited; null: none yet. */
  roundTrip: number | null = null;
  /** Of messages, handed over and come. */
  bytesOut = 0;
  bytesIn = 0;
  /** Names of the other relays that are heard of. */
  peers: readonly string[] = [];
  /** Confirmed by the server. */
  sent = 0;
  /** Too much was waiting to be confirmed. */
  overflow = 0;
  /** There was no connection, or it ended before the server had confirmed them: of these, some may have arrived. */
  unlinked = 0;
  /** Longer than the server takes. */
  tooLarge = 0;
  received = 0;
  /** Came faster than the topics here took them. */
  refused = 0;
  /** Came and were none of a relay's. */
  foreign = 0;
}
