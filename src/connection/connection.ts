import type { Authorisation } from '../authenticator/authorisation.ts';
import type { ClientRequest } from '../authenticator/contract.ts';
import { isEmpty } from '../authenticator/permissions.ts';
import type { About, Session } from '../door/contract.ts';
import type { Exit } from '../otp/behaviour.ts';
import type { Self } from '../otp/process.ts';
import type { Format } from '../topic/message.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import { Asking } from './asking.ts';
import type { DoorContext, Guard } from './door-context.ts';
import type { End } from './end.ts';
import { Heartbeat } from './heartbeat.ts';
import { Intake, type Question } from './intake.ts';
import { Memberships } from './memberships.ts';
import { Outflow } from './outflow.ts';
import { Rights, type Unconfirmed } from './rights.ts';
import type { Acknowledging } from './silence-server.ts';
import type { Transport, TransportMessage } from './transport/transport.ts';

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

/** opening: not answered yet. open: accepted. finishing: see `Intake`. closing: a close or a reply is on its way. */
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
  #stage: Exclude<Phase, 'finishing'> = 'opening';
  readonly rights: Rights;
  /** What the client has given for a credential: the last one was good, or was found wrong and counted. */
  credential: 'none' | 'good' | 'wrong' = 'none';
  /** Where the guard wants to know more than a credential. */
  readonly asking: Asking | undefined;
  /** Who it is, for the log. */
  subject: string | null = null;
  readonly memberships = new Memberships();
  readonly outflow = new Outflow();
  /** Where the last message was published that went to a topic this connection is not in. */
  target: Topic | undefined = undefined;
  /** The topic that this connection owns. */
  owned: Topic | undefined = undefined;
  readonly intake = new Intake();
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
    this.rights = new Rights(args.guard.anonymous);
    const { guard, about = null, request } = args;
    this.asking = guard.needs === undefined ? undefined : new Asking(about, request);
    args.request = undefined;
  }

  get phase(): Phase {
    return this.#stage === 'open' && this.intake.finishing !== undefined ? 'finishing' : this.#stage;
  }

  /** It has shown some right; until then it may cost little, and stay for a short time. */
  get hasRight(): boolean {
    return (this.asking !== undefined && this.asking.judged.size > 0) || !isEmpty(this.rights.permissions);
  }

  /** Deliveries go to the client. */
  get delivers(): boolean {
    return this.#stage === 'open';
  }

  accept(): void {
    this.#stage = 'open';
    this.accepted = true;
  }

  /** Nothing of what the client sends is handled any more, and nothing is delivered to it. */
  close(): void {
    this.#stage = 'closing';
    this.intake.close();
  }
}
