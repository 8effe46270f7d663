import type { Socket } from 'node:net';
import type { Authorisation } from '../authenticator/authorisation.ts';
import type { ClientRequest } from '../authenticator/contract.ts';
import { isEmpty, type Permissions } from '../authenticator/permissions.ts';
import type { About, Command, Event, HttpReply, Session } from '../door/contract.ts';
import { bytesTaken } from '../http/socket-bytes.ts';
import type { Exit } from '../otp/behaviour.ts';
import { inform, type Self } from '../otp/process.ts';
import { now, sendAfter, uptime } from '../otp/timer.ts';
import type { LossReason } from '../topic/accounting.ts';
import type { Delivery, Format } from '../topic/message.ts';
import type { Left, MemberMessage, Topic } from '../topic/topic.ts';
import { behind } from '../topic/topic-requests.ts';
import type { DoorContext, Guard } from './door-context.ts';
import { type End, INTERNAL_ERROR, type Telling, tellingOf } from './end.ts';
import { Heartbeat } from './heartbeat.ts';
import { Intake, type Question, type Received } from './intake.ts';
import { Judgements } from './judgements.ts';
import { Memberships } from './memberships.ts';
import { Outflow, type Verdict } from './outflow.ts';
import { Rights, type Unconfirmed } from './rights.ts';
import { type Acknowledging, askSilence } from './silence-server.ts';
import type { Transport, TransportMessage } from './transport/transport.ts';

/** All that a connection's handler understands. */
export type ConnectionMessage =
  | MemberMessage
  | Left
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
        | 'give-up'
        | 'publish-again';
    }
  | { readonly type: 'no-answer'; readonly question: Question }
  /** Another guard judges the connection, or its guard grants something else to everybody. */
  | { readonly type: 'reguarded' }
  /** The limits have changed. */
  | { readonly type: 'relimited' }
  /** The new guard has had time to judge the credentials of before. */
  | { readonly type: 'confirm-over'; readonly unconfirmed: Unconfirmed }
  | Rejoin;

/** A join of a topic that was lost has had time to be answered. */
export interface Rejoin {
  readonly type: 'rejoin';
  readonly topic: Topic;
  /** When it was lost. */
  readonly since: number;
}

export interface ConnectionArgs {
  readonly context: DoorContext;
  readonly guard: Guard;
  readonly transport: Transport;
  /** Taken out by the connection: what a child was started with is kept as long as it lives, and this holds a credential. */
  session: Session | null;
  /** Left here by the connection: a handler that was killed cannot say what it has not delivered. */
  connection?: Connection;
  readonly format: Format | null;
  readonly address: string;
  /** Where the request itself names the topic. */
  readonly about?: About;
  /** Only where the guard needs it; taken out by the connection, as the session is. */
  request?: ClientRequest | undefined;
}

/** opening: not answered yet. open: accepted. finishing: see `Intake`. closing: a close or a reply is on its way. */
export type Phase = 'opening' | 'open' | 'finishing' | 'closing';

/** Without `limits.write_stall`, in milliseconds: a connection that is being closed has no pings, which find out that a client is gone. */
const CLOSING_STALL = 10_000;
/** How often the progress of a write under way is looked at, in milliseconds. */
const PROGRESS_PERIOD = 1000;
/** Topics of a connection that has ended that are kept by name; the others are counted. */
const TOPICS_NAMED = 8;

const NOTHING = Buffer.alloc(0);
const FLUSHED: ConnectionMessage = { type: 'flushed' };
const PROGRESS: ConnectionMessage = { type: 'progress' };

/**
 * One client's connection: its parts, its way from the first request to its end, and the writing to its socket. Its handler
 * is `connection-handler.ts`.
 *
 * Each part owns its fields: what the client sends, the open question, credit and rate are the intake's; what waits for the
 * socket, and how the client keeps up, the outflow's; its topics the memberships'; what the guard was asked about topics the
 * judgements'; rights that may end those of `Rights`. What is left is written by the methods of this class alone.
 */
export class Connection {
  readonly self: Self<ConnectionMessage>;
  readonly context: DoorContext;
  readonly guard: Guard;
  readonly transport: Transport;
  readonly format: Format | null;
  readonly address: string;
  readonly intake = new Intake();
  readonly outflow = new Outflow();
  readonly memberships = new Memberships();
  readonly heartbeat = new Heartbeat();
  /** Where the guard wants to know more than a credential. */
  readonly judgements: Judgements | undefined;
  #session: Session;
  #stage: Exclude<Phase, 'finishing'> = 'opening';
  #accepted = false;
  /** What ended it, before all else that would have. */
  #end: End | undefined = undefined;
  /** Messages of the client's that are never published, though nobody has refused them. */
  #unpublished = 0;
  /** gone: nothing comes from its transport any more. ended: its end has been counted and logged. */
  #life: 'here' | 'gone' | 'ended' = 'here';
  #needs: Guard['needs'];
  /** What it may do, until there are `Rights`. */
  #permissions: Permissions;
  /** Made for a connection whose rights may end or change; most have none. */
  #rights: Rights | undefined = undefined;
  #credential: 'none' | 'good' | 'wrong' = 'none';
  #authorised = false;
  #awaitsRoom = false;
  #subject: string | null = null;

  constructor(self: Self<ConnectionMessage>, args: ConnectionArgs) {
    const { guard, about = null, request } = args;
    this.self = self;
    this.context = args.context;
    this.guard = guard;
    this.transport = args.transport;
    this.format = args.format;
    this.address = args.address;
    this.judgements = guard.needs === undefined ? undefined : new Judgements(about, request);
    this.#session = args.session as Session;
    this.#needs = guard.needs;
    this.#permissions = guard.anonymous;
    args.session = null;
    args.request = undefined;
    args.connection = this;
  }

  get phase(): Phase {
    return this.#stage === 'open' && this.intake.finishing !== undefined ? 'finishing' : this.#stage;
  }

  /** It is or was open. */
  get accepted(): boolean {
    return this.#accepted;
  }

  /** Deliveries go to the client. */
  get delivers(): boolean {
    return this.#stage === 'open';
  }

  /** Begins to hear of the client. False: it has gone. */
  attach(): boolean {
    if (this.transport.attach(this.self)) return true;
    this.#close();
    return false;
  }

  /** What the session does first. */
  start(): readonly Command[] {
    return this.#session.start();
  }

  /** Gives the session an event. Returns what it does. */
  step(event: Event): readonly Command[] {
    const [session, commands] = this.#session.step(event);
    // The last one gets no event any more, and the one before it can read what stays unhandled.
    if (commands.at(-1)?.type !== 'close') this.#session = session;
    return commands;
  }

  /** Completes the upgrade, or begins the stream. */
  accept(): void {
    const { self, context, transport } = this;
    if (!transport.accept()) {
      this.#close();
      transport.destroy();
      return;
    }
    this.#stage = 'open';
    this.#accepted = true;
    if (isEmpty(this.permissions)) transport.restrict?.(context.limits.messageBeforeAuth);
    context.counters.connections++;
    sendAfter(self, context.heartbeat.ping, { type: 'heartbeat' });
  }

  /** Answers a request that is not accepted. */
  reply(answer: HttpReply): void {
    const { context, address } = this;
    if (this.#stage !== 'opening') return;
    this.#close();
    if (answer.status >= 400) context.log.refused(context.door.name, answer.status, address);
    this.transport.reply(answer);
  }

  /** Ends an accepted connection: what is queued goes out first, and then the close. Nothing that waits is handled. */
  close(end: End): void {
    if (this.#stage === 'closing') {
      this.intake.close();
      return;
    }
    this.endsBy(end);
    if (this.#stage === 'opening') {
      this.#close();
      this.transport.destroy();
      return;
    }
    this.flush();
    this.#close();
    this.#letGo();
    if (!this.outflow.writing) this.#finishClose();
  }

  /** The client leaves, or has left: it gets its close, and what it sent before may go on waiting for its turn. */
  leave(end: End): void {
    this.endsBy(end);
    this.flush();
    this.#stage = 'closing';
    this.#letGo();
    if (this.#life === 'here' && !this.outflow.writing) this.#finishClose();
  }

  /** The transport has told of its end, which counts where nothing has ended the connection before. */
  lost(end: End): void {
    this.endsBy(end);
    this.#life = 'gone';
  }

  /** The client has gone, and nothing that it sent waits for its turn. */
  get isDone(): boolean {
    return this.#life === 'gone' && !this.intake.holds;
  }

  /** Ends the connection now, without a word to the client. */
  cutOff(end: End): void {
    this.endsBy(end);
    this.transport.destroy();
  }

  /** What would end the connection counts as what did, if nothing has ended it before. */
  endsBy(end: End): void {
    this.#end ??= end;
  }

  /** The handler has ended, in good order or by a crash (`why`). Counts what was not delivered, and writes the log line. */
  ended(why: string | null): void {
    const { transport } = this;
    if (why !== null) {
      this.#end = { type: 'crash', why };
      // A WebSocket closes within its time limit by itself; nobody is left to watch over the end of a stream or an exchange.
      if (this.phase === 'open' && transport.kind === 'websocket')
        transport.close(INTERNAL_ERROR, 'internal error');
      else transport.destroy();
    }
    this.#settle(tellingOf(this.#end ?? { type: 'connection lost' }, transport.kind));
  }

  /** The handler was killed, or never started. */
  killed(): void {
    if (this.#life === 'ended') return;
    this.transport.destroy();
    const telling = tellingOf(this.#end ?? { type: 'killed' }, this.transport.kind);
    // It may have been told to close before, and was not let finish.
    this.#settle({ ...telling, dropped: 'crash' });
  }

  /** What the guard has to know of a client, as it was when the connection was last told of it. */
  get needs(): Guard['needs'] {
    return this.#needs;
  }

  /** Another guard judges the connection. Returns what the guard before had to know. */
  reguard(): Guard['needs'] {
    const before = this.#needs;
    this.#needs = this.guard.needs;
    return before;
  }

  /** All that it may do now. */
  get permissions(): Permissions {
    return this.#rights?.permissions ?? this.#permissions;
  }

  /** Undefined: nothing that it may do ends or changes. */
  get rights(): Rights | undefined {
    return this.#rights;
  }

  /** It has shown some right; until then it may cost little, and stay for a short time. */
  get hasRight(): boolean {
    return (this.judgements !== undefined && this.judgements.size > 0) || !isEmpty(this.permissions);
  }

  /** Adds what a credential grants, which is something. */
  grant({ ref, permissions, terms }: Extract<Authorisation, { readonly type: 'authorised' }>): void {
    this.#authorised = true;
    this.identify(terms?.subject);
    if (terms !== undefined)
      this.#changing().grant({ ref, permissions, terms }, this.guard.anonymous, now(this.self));
    this.transport.restrict?.(0);
  }

  /** Credentials of which the new guard has said nothing yet, and what holds until they have been judged. */
  keep(refs: readonly number[], permissions: Permissions): void {
    this.#changing().keep(refs, permissions);
  }

  /** From now on, everybody's rights are those that the guard gives now. */
  settleRights(): void {
    if (this.#rights === undefined) this.#permissions = this.guard.anonymous;
    else this.#rights.settle(this.guard.anonymous);
  }

  /** Who the client is, for the log; null and undefined say nothing of it. */
  identify(subject: string | null | undefined): void {
    this.#subject = subject ?? this.#subject;
  }

  /** Who the client is, where its authenticator has said so. */
  get subject(): string | null {
    return this.#subject;
  }

  /** Whether a credential of the client's, or its request, was good for some right. */
  get authorised(): boolean {
    return this.#authorised;
  }

  /** What the client has given for a credential: the last one was good, or was found wrong and counted. */
  get credential(): 'none' | 'good' | 'wrong' {
    return this.#credential;
  }

  showed(credential: 'good' | 'wrong'): void {
    this.#credential = credential;
  }

  /** Queues a delivery; `flush` writes it. */
  queue(delivery: Delivery): void {
    const { outflow } = this;
    outflow.push(delivery);
    if (!outflow.writing) return;
    const { pending } = this.context.limits;
    const { writableLength } = this.transport.socket;
    this.#heed(outflow.weigh(writableLength, pending), 'pending', outflow.pending(writableLength));
  }

  /** Queues what the client has asked for of the past. */
  queuePast(delivery: Delivery): void {
    this.outflow.allow(delivery.bytes.length);
    this.queue(delivery);
  }

  /** More is to come, or to be handled, once nothing waits to be written. Asked in each turn: the parts are not looked at. */
  get awaitsRoom(): boolean {
    return this.#awaitsRoom;
  }

  awaitRoom(is: boolean): void {
    this.#awaitsRoom = is;
  }

  /** Of all that was written to the client, what the kernel has taken. */
  get bytesTaken(): number {
    return bytesTaken(this.transport.socket);
  }

  /** Nothing waits to be written. */
  get hasRoom(): boolean {
    const { outflow } = this;
    return !outflow.writing && !outflow.ready;
  }

  /** Writes what is queued, if no write is under way. */
  flush(): void {
    const { outflow } = this;
    const { socket } = this.transport;
    // The kernel may take at once more than one write has.
    while (outflow.ready && socket.writable) this.#write(socket);
  }

  /** The write that was under way is done. */
  flushed(): void {
    const { outflow, context, transport } = this;
    this.#delivered(outflow.arrived());
    this.flush();
    if (this.#stage === 'closing' && !outflow.writing) this.#finishClose();
    this.#heed(outflow.lighten(transport.socket.writableLength, context.limits.pending));
  }

  /** Looks at how a write under way gets on, once a second. */
  checkProgress(): void {
    const { outflow, self, context } = this;
    const { socket } = this.transport;
    const { writeStall, pending } = context.limits;
    const limit = writeStall === 0 && this.#stage === 'closing' ? CLOSING_STALL : writeStall;
    const verdict = outflow.look(socket.writableLength, pending, bytesTaken(socket), now(self), limit);
    if (outflow.watched) sendAfter(self, PROGRESS_PERIOD, PROGRESS);
    // The client may read on, from what the kernel has.
    if (outflow.doubtful) askSilence(self.system, self, socket);
    this.#heed(verdict, 'write_stall', limit);
  }

  /** The kernel has told what was acknowledged: a client that reads only from what the kernel has, reads. */
  acknowledged({ atLeast, atMost }: Acknowledging): void {
    const { outflow, self, context, transport } = this;
    const { writableLength } = transport.socket;
    this.#heed(outflow.acknowledged(atLeast, atMost, now(self), writableLength, context.limits.pending));
  }

  /** Tells a topic that is new to a client behind in others: it must know, too. */
  tellNew(topic: Topic): void {
    if (this.outflow.behind) behind(topic, this.self, true);
  }

  /** What the client has sent is not handled: a message in it is lost. */
  ignore(received: Received): void {
    this.#unpublished += this.#messagesIn(received);
  }

  /** A message of the client's is not published, though nobody has refused it: it is lost. */
  withhold(): void {
    this.#unpublished++;
  }

  /** The same of what a handler that has ended leaves in its mailbox. */
  leaveBehind(received: Received): void {
    if (this.#accepted) this.#lose(this.#messagesIn(received), 'crash');
  }

  /** Counts messages that do not reach the client. */
  drop(count: number, reason: Telling['dropped']): void {
    const { topics, counters } = this.context;
    topics.accounting.drop(count, reason);
    counters.drops += count;
  }

  /** Nothing of what the client sends is handled any more, and nothing is delivered to it. */
  #close(): void {
    this.#stage = 'closing';
    this.intake.close();
  }

  /** Sends the close, once nothing waits to be written any more. */
  #finishClose(): void {
    if (this.#end === undefined) return;
    const { code, reason } = tellingOf(this.#end, this.transport.kind);
    this.transport.close(code, reason);
  }

  #changing(): Rights {
    this.#rights ??= new Rights(this.#permissions);
    return this.#rights;
  }

  #write(socket: Socket): void {
    const taken = this.outflow.take();
    if (taken === undefined) return;
    let count = 0;
    if (Array.isArray(taken)) {
      socket.cork();
      for (const delivery of taken) {
        socket.write(delivery.bytes);
        count += delivery.count;
        if (delivery.acceptedAt !== 0) this.#time(delivery);
      }
      socket.uncork();
    } else {
      socket.write(taken.bytes);
      count = taken.count;
      if (taken.acceptedAt !== 0) this.#time(taken);
    }
    if (socket.writableLength > 0) this.#wait(socket, count);
    else if (socket.errored === null) this.#delivered(count);
    else this.drop(count, 'closed');
  }

  /** The kernel has not taken all: waits for the rest to be gone. */
  #wait(socket: Socket, count: number): void {
    const { outflow, self, context } = this;
    if (!outflow.watched) sendAfter(self, PROGRESS_PERIOD, PROGRESS);
    const { pending } = context.limits;
    this.#heed(outflow.waits(count, socket.writableLength, pending, bytesTaken(socket), now(self)));
    // Written behind the rest, an empty write is done when the rest is. It costs nothing where nothing has to wait.
    socket.write(NOTHING, (error) => {
      if (error == null) inform(self, FLUSHED);
    });
  }

  #delivered(count: number): void {
    const { topics, counters } = this.context;
    topics.accounting.deliver(count);
    counters.sends += count;
  }

  #time({ acceptedAt }: Delivery): void {
    this.context.topics.accounting.latency.observe((now(this.self) - acceptedAt) / 1000);
  }

  #heed(verdict: Verdict, limit: 'pending' | 'write_stall' = 'pending', reached = 0): void {
    switch (verdict) {
      case 'go on':
        return;
      case 'behind':
      case 'caught up':
        for (const topic of this.memberships) behind(topic, this.self, verdict === 'behind');
        return;
      case 'too slow':
        this.#tooSlow({ type: 'slow', limit, reached });
        return;
    }
  }

  #tooSlow(end: End): void {
    this.drop(this.outflow.drop(), 'slow');
    // A stream has no close that a client would have to read.
    if (this.phase !== 'open' || this.transport.kind === 'stream') {
      this.#letGo();
      this.#close();
      this.cutOff(end);
      return;
    }
    this.close(end);
    // Behind what it does not read the client will not see the close in time, but it is there if it reads on.
    this.#finishClose();
  }

  /** A connection that is being closed holds nobody back. */
  #letGo(): void {
    this.#heed(this.outflow.close());
  }

  #settle(telling: Telling): void {
    const { outflow, context } = this;
    if (this.#life === 'ended') return;
    this.#life = 'ended';
    this.drop(outflow.drop() + outflow.arrived(), telling.dropped);
    // A request that was not answered promises nothing.
    if (!this.#accepted) return;
    this.#abandonIntake();
    this.#lose(this.#unpublished, telling.dropped === 'crash' ? 'crash' : 'abandoned');
    context.counters.connections--;
    this.#log(telling);
  }

  /** Nothing of what the client sent is handled any more. */
  #abandonIntake(): void {
    const { intake } = this;
    intake.close();
    const { messages, unjudged } = intake.takeUnhandled();
    this.#unpublished += unjudged;
    for (const message of messages) this.ignore(message);
  }

  /** How many messages the session would have published of this. */
  #messagesIn(received: Received): number {
    if (received.type === 'farewell') return 0;
    const [, commands] = this.#session.step(received);
    return commands.filter(({ type }) => type === 'publish').length;
  }

  /** Counts messages that came and are not published. */
  #lose(count: number, why: LossReason): void {
    const { topics, counters } = this.context;
    topics.accounting.lose(count, why);
    counters.messages += count;
    counters.drops += count;
  }

  /** Of the topics, those are kept that the connection is still in. */
  #log({ code, reason, level, event }: Telling): void {
    const { self, context, address, intake, outflow, memberships } = this;
    const subject = this.#subject;
    const closed = {
      door: context.door.name,
      conn: self.id,
      code,
      reason,
      address,
      in: intake.published,
      out: outflow.messages,
      age: Math.round(uptime(self)),
      ...(this.#unpublished === 0 ? {} : { unpublished: this.#unpublished }),
      ...(subject === null ? {} : { subject }),
    };
    context.log.closed(closed, level, {
      authorised: this.#authorised,
      topics: Array.from(memberships, ({ name }) => name).slice(0, TOPICS_NAMED),
      topicCount: memberships.size,
      owned: memberships.owned?.name ?? null,
      pendingHighWater: outflow.highWater,
      roundTrip: this.heartbeat.roundTrip,
      event,
    });
  }
}
