import type { WebSocketServer } from 'ws';
import type { AuthenticatorMessage } from '../authenticator/authenticator-server.ts';
import type { Permissions } from '../authenticator/permissions.ts';
import type { Limits } from '../config/config.ts';
import type { Door } from '../door/contract.ts';
import type { ProcessName } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import type { Accounting } from '../topic/accounting.ts';
import type { Publish } from '../topic/message.ts';
import type { Claim, Join, Topic } from '../topic/topic.ts';
import type { ConnectionLog } from './end.ts';

/** What all connections of one door share. */
export interface DoorContext {
  readonly door: Door;
  readonly realm: string;
  readonly guards: Readonly<Record<'authenticator' | 'apikeys' | 'open', Guard>>;
  readonly topics: LiveTopics;
  readonly limits: Limits;
  /** Milliseconds between pings or comments, and how long a pong may take; 0: none. */
  readonly heartbeat: { readonly ping: number; readonly pong: number };
  /** Milliseconds that an owned topic outlives its owner. */
  readonly grace: number;
  readonly counters: DoorCounters;
  readonly webSockets: WebSocketServer;
  readonly attempts: AuthorisationAttempts;
  readonly log: ConnectionLog;
}

/** What connections do with the relay's topics; see `Topics`. */
export interface LiveTopics {
  readonly accounting: Accounting;
  find(realm: string, name: string): Topic | undefined;
  route(system: System, realm: string, request: Join | Claim): boolean;
  publish(system: System, realm: string, name: string, topic: Topic | undefined, message: Publish): boolean;
  isStartedByMessages(name: string): boolean;
}

/** What one door has counted, for its own metrics. Gauges go up and down, the others only up. */
export interface DoorCounters {
  /** Accepted connections that are open now. */
  connections: number;
  /** Messages that came over them. */
  messages: number;
  /** Messages that came as HTTP requests. */
  posts: number;
  /** Deliveries to this door's members. */
  sends: number;
  /** Messages and deliveries that reached nobody. */
  drops: number;
}

export function newDoorCounters(): DoorCounters {
  return { connections: 0, messages: 0, posts: 0, sends: 0, drops: 0 };
}

/** What judges a connection's credentials. */
export interface Guard {
  /** The rights of every connection before any credential. */
  readonly anonymous: Permissions;
  /** The authenticator's process; null where there is none to ask, and every credential grants `anonymous`. */
  readonly server: ProcessName<AuthenticatorMessage> | null;
  /** What it has to know besides a credential; see `Authenticator`. */
  readonly needs?: 'request' | 'topic';
  /** It judges clients without a credential too. */
  readonly asksAll?: true;
  /** Milliseconds after which its answer is not waited for; the authenticator has a shorter limit of its own. Default: 5,000. */
  readonly patience?: number;
}

/** Watches for addresses that try one credential after the other. `now`: milliseconds. */
export interface AuthorisationAttempts {
  failed(address: string, now: number): void;
  /** Whether the address has failed too often, and is to be refused. */
  refuses(address: string, now: number): boolean;
}
