import type { Authorisation } from '../authenticator/authorisation.ts';
import type { ClientRequest } from '../authenticator/contract.ts';
import type { Permissions, Right } from '../authenticator/permissions.ts';
import type { About, Command, Event, Session } from '../door/contract.ts';
import type { Exit } from '../otp/behaviour.ts';
import type { Self } from '../otp/process.ts';
import type { Timer } from '../otp/timer.ts';
import type { Format } from '../topic/format.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import { Asking } from './asking.ts';
import { Credit } from './credit.ts';
import type { DoorContext, Guard } from './door-context.ts';
import type { End } from './end.ts';
import type { Ending } from './ending-rights.ts';
import { Heartbeat } from './heartbeat.ts';
import { Memberships } from './memberships.ts';
import { Outflow } from './outflow.ts';
import type { Acknowledging } from './silence-server.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { Transport } from './transport.ts';

/** What the transport tells. Payloads are views of a read buffer. */
export type TransportMessage =
  | { readonly type: 'text' | 'binary' | 'body'; readonly payload: Buffer }
  | { readonly type: 'pong' }
  /** Told only of a client that has no right yet. */
  | { readonly type: 'ping' }
  | Farewell
  /** The last one. */
  | { readonly type: 'closed'; readonly code: number };

/** The client's close, or the end of a client that has sent what it may not: nothing more of it is read. */
export interface Farewell {
  readonly type: 'farewell';
  readonly end: Extract<End, { readonly type: 'left' | 'fault' }>;
}

/** All that a connection's handler understands. */
export type ConnectionMessage =
  | MemberMessage
  | TransportMessage
  | Authorisation
  | Exit
  | Acknowledging
  /** What was written has reached the kernel. */
  | { readonly type: 'flushed' }
  | {
      readonly type:
        | 'heartbeat'
        | 'look'
        | 'progress'
        | 'finish'
        | 'still-no-right'
        | 'expire'
        | 'grace-over'
        | 'publish-again';
    }
  | { readonly type: 'no-answer'; readonly question: Question }
  /** Who judges it is another one by now, or grants something else to everybody. */
  | { readonly type: 'reguarded' }
  /** The limits are others by now. */
  | { readonly type: 'relimited' }
  /** Those who judge it now have had time to say what they think of its credentials. */
  | { readonly type: 'confirm-over'; readonly unconfirmed: Unconfirmed }
  /** A join of a topic that was lost has had time to be answered; `since`: when it was lost. */
  | { readonly type: 'rejoin'; readonly topic: Topic; readonly since: number };

/** Something asked of another process, whose answer the session waits for. */
export type Question =
  | { readonly type: 'authorise'; readonly ref: number }
  /** About a client that has given no credential. `first`: what it wants to do, if that is known. */
  | { readonly type: 'introduce'; readonly ref: number; readonly first: Judging['command'] | null }
  | Judging
  /** `as`: how the client calls the topic. */
  | { readonly type: 'join' | 'claim'; readonly topic: string; readonly as: string };

/** By the numbers of their questions. */
export type Unconfirmed = Set<number>;

/** Whether a topic may be used; `command` is performed when it may. */
export interface Judging {
  readonly type: 'judge';
  readonly ref: number;
  readonly right: Right;
  readonly command: Extract<Command, { readonly type: 'join' | 'claim' | 'publish' }>;
}

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
  /** Where the request itself names the topic. */
  readonly about?: About;
  /** Only where the guard needs it; taken out by the handler, as the session is. */
  request?: ClientRequest | undefined;
}

/**
 * opening: not answered yet. open: accepted. finishing: nothing more of what the client sends is handled, and what it
 * has published before is still on its way, to itself too. closing: a close or a reply is on its way.
 */
export type Phase = 'opening' | 'open' | 'finishing' | 'closing';

/** The state of one connection. */
export class Connection {
  readonly self: Self<ConnectionMessage>;
  readonly context: DoorContext;
  readonly guard: Guard;
  /** Of the guard, as it was when this connection was last told of it: a reload may put another one there. */
  needs: Guard['needs'];
  readonly transport: Transport;
  readonly format: Format | null;
  readonly address: string;
  session: Session;
  phase: Phase = 'opening';
  /** All that it may do now. */
  permissions: Permissions;
  /** What of it may end; most connections have nothing of the kind. */
  ending: Ending | undefined = undefined;
  /** Credentials that the one who judges now has not judged yet; see `reguarding.ts`. */
  unconfirmed: Unconfirmed | undefined = undefined;
  /** What the client has given for a credential: the last one was good, or was found wrong and counted. */
  credential: 'none' | 'good' | 'wrong' = 'none';
  /** Where the guard wants to know more than a credential. */
  readonly asking: Asking | undefined;
  /** Who it is, for the log. */
  subject: string | null = null;
  readonly memberships = new Memberships();
  readonly outflow = new Outflow();
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
  inbox: ((TransportMessage & Event) | Farewell)[] | undefined = undefined;
  /** Waits in the inbox for its turn. */
  farewell: Farewell | undefined = undefined;
  /** What is still to be said, and how it ends then, once all that the client has published is fanned out. */
  last: { readonly words: readonly Command[]; readonly end: End } | undefined = undefined;
  paused = false;
  accepted = false;
  readonly heartbeat = new Heartbeat();
  /** On what terms it joins its topics. */
  memberWhile: 'wanted' | 'owned' = 'wanted';
  /** Its end has been counted and logged. */
  ended = false;
  /** Whether a credential of the client's was good for some right. */
  authorised = false;
  /** What ended it, before all else that would have. */
  end: End | undefined = undefined;
  messagesIn = 0;
  messagesOut = 0;

  constructor(self: Self<ConnectionMessage>, args: ConnectionArgs) {
    this.self = self;
    this.context = args.context;
    this.guard = args.guard;
    this.needs = args.guard.needs;
    this.transport = args.transport;
    this.session = args.session as Session;
    args.session = null;
    args.connection = this;
    this.format = args.format;
    this.address = args.address;
    this.permissions = args.guard.anonymous;
    const { guard, about = null, request } = args;
    this.asking = guard.needs === undefined ? undefined : new Asking(about, request);
    args.request = undefined;
  }

  /** What the client sends is no longer handled. */
  get isOver(): boolean {
    return this.phase === 'closing' || this.phase === 'finishing';
  }

  /** Deliveries go to the client. */
  get delivers(): boolean {
    return this.phase === 'open' || this.phase === 'finishing';
  }
}
