import type { Authorisation } from '../authenticator/authenticator-server.ts';
import type { Permissions } from '../authenticator/permissions.ts';
import type { Session } from '../door/contract.ts';
import type { Exit } from '../otp/behaviour.ts';
import type { Self } from '../otp/process.ts';
import type { Timer } from '../otp/timer.ts';
import type { Format } from '../topic/format.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import { Credit } from './credit.ts';
import type { DoorContext, Guard } from './door-context.ts';
import { Memberships } from './memberships.ts';
import { Outbox } from './outbox.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { Transport } from './transport.ts';

/** What the transport tells. Payloads are views of a read buffer. */
export type TransportMessage =
  | { readonly type: 'text' | 'binary' | 'body'; readonly payload: Buffer }
  | { readonly type: 'pong' }
  /** Told only of a client that has no right yet. */
  | { readonly type: 'ping' }
  /** The last one. `fault`: what the client sent is why. */
  | { readonly type: 'closed'; readonly code: number; readonly fault?: boolean };

/** All that a connection's handler understands. */
export type ConnectionMessage =
  | MemberMessage
  | TransportMessage
  | Authorisation
  | Exit
  /** What was written has reached the kernel. */
  | { readonly type: 'flushed' }
  | { readonly type: 'heartbeat' | 'progress' | 'still-no-right' | 'publish-again' }
  | { readonly type: 'no-answer'; readonly question: Question }
  /** A join of a topic that was lost has had time to be answered; `since`: when it was lost. */
  | { readonly type: 'rejoin'; readonly topic: Topic; readonly since: number };

/** Something asked of another process, whose answer the session waits for. */
export type Question =
  | { readonly type: 'authorise'; readonly ref: number }
  | { readonly type: 'join' | 'claim'; readonly topic: string };

export interface ConnectionArgs {
  readonly context: DoorContext;
  readonly guard: Guard;
  readonly transport: Transport;
  /** Taken out by the handler: what a child was started with is kept as long as it lives, and this holds a credential. */
  session: Session | null;
  /** Left here by the handler: a killed one cannot say what it has not delivered. */
  connection?: Connection;
  readonly format: Format | null;
  readonly address: string;
}

/**
 * opening: not answered yet. open: accepted. closing: a close or a reply is on its way, and what the client sends is no
 * longer handled.
 */
export type Phase = 'opening' | 'open' | 'closing';

/** The state of one connection. */
export class Connection {
  readonly self: Self<ConnectionMessage>;
  readonly context: DoorContext;
  readonly guard: Guard;
  readonly transport: Transport;
  readonly format: Format | null;
  readonly address: string;
  session: Session;
  phase: Phase = 'opening';
  permissions: Permissions;
  readonly memberships = new Memberships();
  readonly outbox = new Outbox();
  readonly credit = new Credit();
  /** Where the last message was published that went to a topic this connection is not in. */
  target: Topic | undefined = undefined;
  /** The topic that this connection owns. */
  owned: Topic | undefined = undefined;
  question: Question | undefined = undefined;
  questionTimer: Timer | undefined = undefined;
  /** Counts what it publishes, where that is limited. */
  publishing: TokenBucket | undefined = undefined;
  /** It has published as much as it may for now: what it sends waits. */
  throttled = false;
  /** What the client has sent since the question was asked, or since it is throttled. */
  inbox: TransportMessage[] | undefined = undefined;
  paused = false;
  accepted = false;
  /** rest: the next beat is a ping. pinged: its pong is due. answered: it has come. */
  heartbeat: 'rest' | 'pinged' | 'answered' = 'rest';
  /** On what terms it joins its topics. */
  memberWhile: 'wanted' | 'owned' = 'wanted';
  /** Has been told to its topics as behind. */
  behind = false;
  /** Has become behind in this very turn. */
  burst = false;
  /** Behind, and not reading: it holds nobody back. */
  stalled = false;
  /** How the writing goes, while a write is under way; see `writing.ts`. */
  stall: { written: number; since: number } | undefined = undefined;
  /** Its end has been counted and logged. */
  ended = false;
  /** The most bytes that have waited to be written to the client. */
  pendingHighWater = 0;
  /** When the last ping went out, and how long the last pong took, in whole milliseconds; -1: none yet. */
  pingedAt = -1;
  roundTrip = -1;
  /** Whether a credential of the client's was good for some right. */
  authorised = false;
  closeCode = 0;
  closeReason = '';
  /** What led to the end, in words for people, where code and reason do not say it. */
  closeEvent = '';
  messagesIn = 0;
  messagesOut = 0;

  constructor(self: Self<ConnectionMessage>, args: ConnectionArgs) {
    this.self = self;
    this.context = args.context;
    this.guard = args.guard;
    this.transport = args.transport;
    this.session = args.session as Session;
    args.session = null;
    args.connection = this;
    this.format = args.format;
    this.address = args.address;
    this.permissions = args.guard.anonymous;
  }
}
