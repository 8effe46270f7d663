import { authorise, forget, offer } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import type { Question as Asked } from '../authenticator/contract.ts';
import { allows, isEmpty, type Right } from '../authenticator/permissions.ts';
import {
  type Attempt,
  type Authorised,
  type Command,
  type Event,
  nothing,
  type Refused,
} from '../door/contract.ts';
import { tooManyAttempts } from '../door/replies.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { Delivery, type Publish } from '../topic/message.ts';
import type { Topic } from '../topic/topic.ts';
import { leave as leaveTopic, portion } from '../topic/topic-requests.ts';
import type { Connection } from './connection.ts';
import type { End } from './end.ts';
import { holdsMessage, type Judging, type Question, type Received } from './intake.ts';

/**
 * Performs what sessions decide. Every door's joins, claims and publishes pass here, and here they are checked against
 * the connection's rights: a door cannot forget to. Where the guard has to be asked first, about a credential, about a
 * client without one, or about a topic, what is to be done waits for its answer.
 *
 * A credential that is not known counts against the client's address, whatever everybody may do without one. So do a key
 * that is not for the domain, and each no where topics are judged: nobody can tell there whether the credential was to
 * blame. A client that gives none tries none out, and a known one that does not open a topic is no guess.
 */

/** Milliseconds until a question counts as not answered, where the guard says nothing else. */
const PATIENCE = 5000;
/** How long a throttled client waits at least, in milliseconds: a timer for each message would cost more than it. */
const THROTTLE_PERIOD = 10;
/** Milliseconds that a client waits which has been refused a topic, where each topic is asked about. */
const REFUSED_PERIOD = 50;
/** The receipt of what an exchange publishes: the answer to its request is what becomes of the message. */
const OF_EXCHANGE = '0';

type Answer = Extract<Authorisation, { readonly type: 'authorised' }>;

/** Begins the session. Where clients without a credential are judged too, asks about one that has begun without. */
export function begin(connection: Connection): void {
  perform(connection, connection.start());
  if (connection.phase !== 'closing' && connection.intake.question === undefined && mayIntroduce(connection))
    introduce(connection, null);
}

/** Gives the session an event, and performs what it says. */
export function step(connection: Connection, event: Event): void {
  if (connection.intake.isOver) return;
  const commands = connection.step(event);
  if (commands.length > 0) perform(connection, commands);
}

function perform(connection: Connection, commands: readonly Command[]): void {
  const last = commands.at(-1);
  if (last?.type === 'close' && connection.phase === 'open' && !connection.intake.whole) {
    finish(connection, commands.slice(0, -1), { ...last, type: 'session' });
    return;
  }
  for (const command of commands) {
    if (connection.intake.isOver) return;
    performOne(connection, command);
  }
}

function performOne(connection: Connection, command: Command): void {
  switch (command.type) {
    case 'publish':
      publish(connection, command);
      return;
    case 'send':
      if (connection.delivers)
        connection.queue(new Delivery(command.bytes, 0, connection.context.topics.accounting));
      return;
    case 'authorise':
      askAboutCredential(connection, command.authorization);
      return;
    case 'join':
      join(connection, command);
      return;
    case 'claim':
      claim(connection, command);
      return;
    case 'leave':
      leave(connection, command);
      return;
    case 'accept':
      connection.accept();
      return;
    case 'alive':
      connection.heartbeat.answered(now(connection.self));
      return;
    case 'reply':
      connection.reply(command);
      return;
    case 'close':
      connection.close({ type: 'session', code: command.code, reason: command.reason });
      return;
  }
}

/**
 * What a client has published leaves in its order: what ends the connection waits for the deliveries that precede it. A
 * topic delivers a message before it gives the credit back.
 */
function finish(connection: Connection, words: readonly Command[], end: End): void {
  connection.intake.finish(words, end);
  updateReading(connection);
  limitFinish(connection);
}

function limitFinish({ context, self }: Connection): void {
  const { close: limit } = context.limits;
  if (limit > 0) sendAfter(self, limit, { type: 'finish' });
}

/** All is delivered, or the time for it is over. */
export function finished(connection: Connection): void {
  const { intake } = connection;
  if (connection.phase === 'closing') return;
  if (intake.farewell !== undefined && intake.holds) {
    outlive(connection, intake.farewell.end);
    return;
  }
  const last = intake.expire();
  if (last === undefined) return;
  for (const command of last.words) performOne(connection, command);
  connection.close(last.end);
}

/**
 * The client leaves or has left. What it sent before goes on waiting for its turn, for as long as an answer may take, or a
 * close: a question is under way, or it was sent faster than `limits.publish_rate`, which a client would get round if all
 * of it were published at its end.
 */
function outlive(connection: Connection, end: End): void {
  const { context, self, guard } = connection;
  connection.leave(end);
  const patience = guard.patience ?? PATIENCE;
  sendAfter(self, Math.max(context.limits.close, patience), { type: 'give-up' });
}

/** Nothing more comes from the client. */
export function gone(connection: Connection, end: End): void {
  const { transport, phase, intake } = connection;
  connection.lost(end);
  // A request that has lost its client is one that the client may send again.
  if (phase === 'open' && transport.kind === 'websocket' && intake.holds) outlive(connection, end);
}

/** What the client has sent: the session's, at once, or once the question that is open has been answered. */
export function received(connection: Connection, message: Received): void {
  switch (connection.intake.receive(message)) {
    case 'handle':
      take(connection, message);
      return;
    case 'queued':
      updateReading(connection);
      if (message.type === 'farewell') limitFinish(connection);
      return;
    case 'dropped':
      connection.ignore(message);
      return;
  }
}

function take(connection: Connection, message: Received): void {
  if (message.type !== 'farewell') step(connection, message);
  else if (connection.phase === 'open' && !connection.intake.whole) finish(connection, nothing, message.end);
  else connection.close(message.end);
}

/** The open question has been answered, or never will be: the session hears of it, and what has waited goes on. */
export function answered(connection: Connection, event: Event): void {
  connection.intake.conclude();
  step(connection, event);
  goOn(connection);
}

/**
 * The open join has been answered. The session says so first; then comes what it has brought of the topic's past, all of
 * which is on its way to the client before anything else of the client's is handled.
 */
export function joinAnswered(connection: Connection, event: Event, deliveries: readonly Delivery[]): void {
  connection.intake.conclude();
  step(connection, event);
  deliver(connection, deliveries);
  connection.flush();
  if (deliveries.length > 0 && connection.delivers && !connection.hasRoom) {
    ask(connection, { type: 'room' });
    connection.awaitRoom(true);
  } else {
    goOn(connection);
  }
}

/** A topic has brought its past, or a portion of it. */
export function bring(connection: Connection, topic: Topic, more: boolean): void {
  if (!more) {
    connection.memberships.caughtUp(topic);
  } else {
    connection.memberships.resume(topic);
    connection.awaitRoom(true);
  }
}

/** Queues what a topic has brought, or counts it as dropped. */
export function deliver(connection: Connection, deliveries: readonly Delivery[]): void {
  for (const delivery of deliveries)
    if (connection.delivers) connection.queuePast(delivery);
    else connection.drop(delivery.count, 'closed');
}

/** Nothing waits for the client: there is room for more of the past. */
export function refill(connection: Connection): void {
  const { intake, memberships, self } = connection;
  if (!connection.hasRoom || !connection.delivers) return;
  if (intake.question?.type === 'room') {
    intake.conclude();
    goOn(connection);
  }
  const topic = memberships.nextPortion();
  if (topic !== undefined) portion(topic, self);
  connection.awaitRoom(memberships.resumes || intake.question?.type === 'room');
}

/** Handles what has waited, as far as it need not wait again. */
function goOn(connection: Connection): void {
  const { intake } = connection;
  for (let next = intake.next(); next !== undefined; next = intake.next()) take(connection, next);
  updateReading(connection);
}

/** Reads from the client, or does not. */
export function updateReading({ intake, transport, heartbeat }: Connection): void {
  switch (intake.turn(transport.kind === 'exchange')) {
    case 'pause':
      heartbeat.deafen();
      transport.pause?.();
      return;
    case 'resume':
      transport.resume?.();
      return;
    case 'same':
      return;
  }
}

function publish(connection: Connection, command: Extract<Command, { type: 'publish' }>): void {
  const { context, self, transport, intake } = connection;
  const exchange = transport.kind === 'exchange';
  const name = usable(connection, 'write', command);
  if (name === undefined) return;
  const { message, key, receipt = exchange ? OF_EXCHANGE : undefined } = command;
  if (exchange && message.payload.length === 0) {
    step(connection, { type: 'published', topic: name });
    return;
  }
  const { publishRate } = context.limits;
  if (publishRate > 0 && !exchange) holdBack(connection, intake.throttle(publishRate, now(self)));
  if (exchange) context.counters.posts++;
  else context.counters.messages++;
  const cost = intake.spend(message.payload.length);
  const topic = targetOf(connection, name);
  const acceptedAt = context.topics.accounting.isTimed() ? now(self) : 0;
  const plain = { type: 'publish', message, from: self, credit: cost, acceptedAt, via: null } as const;
  const marked = receipt !== undefined || key !== undefined;
  const request: Publish = marked ? { ...plain, ...marks(receipt, key) } : plain;
  if (!context.topics.publish(self.system, context.realm, name, topic, request)) {
    intake.giveBack(cost);
    const isNobodyThere = topic?.server === undefined && !context.topics.isStartedByMessages(name);
    const why = isNobodyThere ? 'unheard' : 'refused';
    context.topics.accounting.lose(1, why);
    context.counters.drops++;
    if (receipt !== undefined && isNobodyThere) step(connection, { type: 'published', topic: name, receipt });
    else if (receipt !== undefined) step(connection, refusal(attemptOf(command), 'unavailable'));
    return;
  }
  if (intake.exhausted) updateReading(connection);
}

function marks(receipt: string | undefined, key: string | undefined): Pick<Publish, 'receipt' | 'key'> {
  return { ...(receipt === undefined ? {} : { receipt }), ...(key === undefined ? {} : { key }) };
}

/** The live topic of that name; the last one that was published to is remembered. */
function targetOf({ memberships, context }: Connection, name: string): Topic | undefined {
  const { target } = memberships;
  if (target !== undefined && target.name === name && !target.retired) return target;
  const found = context.topics.find(context.realm, name);
  memberships.aim(found);
  return found;
}

/** Past the rate, the next message waits. */
function holdBack(connection: Connection, wait: number): void {
  if (wait > 0) sendAfter(connection.self, Math.max(wait, THROTTLE_PERIOD), { type: 'publish-again' });
  updateReading(connection);
}

/** A throttled client has waited, or the limit has changed. */
export function publishAgain(connection: Connection): void {
  const { context, self, intake } = connection;
  if (intake.isOver) return;
  // A timer may be a fraction of a millisecond early.
  holdBack(connection, intake.relax(context.limits.publishRate, now(self)));
  goOn(connection);
}

function join(connection: Connection, command: Extract<Command, { type: 'join' }>): void {
  const { context, self, format, memberships } = connection;
  if (format === null) return;
  const name = usable(connection, 'read', command);
  if (name === undefined) return;
  const { topic: as, while: condition, since } = command;
  if (memberships.get(name) !== undefined) {
    connection.judgements?.join(as, name);
    step(connection, { type: 'joined', topic: as });
    return;
  }
  const { topicsPerConnection } = context.limits;
  if (topicsPerConnection > 0 && memberships.size >= topicsPerConnection) {
    step(connection, refusal(attemptOf(command), 'too-many'));
    return;
  }
  memberships.joinWhile(condition);
  const asked = since === undefined ? {} : { since };
  const request = { type: 'join', name, member: self, format, while: condition, ...asked } as const;
  if (context.topics.route(self.system, context.realm, request))
    ask(connection, { type: 'join', topic: name, as, ...asked });
  else step(connection, refusal(attemptOf(command), 'unavailable'));
}

function claim(connection: Connection, command: Extract<Command, { type: 'claim' }>): void {
  const { context, self } = connection;
  const name = usable(connection, 'write', command);
  if (name === undefined) return;
  const { topic: as } = command;
  const request = { type: 'claim', name, member: self, grace: context.grace } as const;
  if (context.topics.route(self.system, context.realm, request))
    ask(connection, { type: 'claim', topic: name, as });
  else step(connection, refusal(attemptOf(command), 'unavailable'));
}

function leave(connection: Connection, { topic: as, isHeard }: Extract<Command, { type: 'leave' }>): void {
  const { judgements, self } = connection;
  const name = judgements === undefined ? as : judgements.leave(as);
  if (connection.needs === 'topic') notNeeded(connection, judgements?.forget('read', as));
  const topic = name === undefined ? undefined : takeOut(connection, name);
  const isTold = topic !== undefined && leaveTopic(topic, self, isHeard === true ? self : undefined);
  if (isHeard !== true) return;
  if (isTold) ask(connection, { type: 'leave', topic: topic.name, as });
  else step(connection, { type: 'left', topic: as });
}

function takeOut({ memberships, rights }: Connection, name: string): Topic | undefined {
  const topic = memberships.get(name);
  memberships.delete(name);
  rights?.forget(name);
  return topic;
}

/** A join or a claim is always answered, if need be by what its router or server leaves undone; a back end may hang. */
function ask(connection: Connection, question: Question): void {
  const { self, guard, intake } = connection;
  if (!('ref' in question)) intake.ask(question);
  else intake.ask(question, sendAfter(self, guard.patience ?? PATIENCE, { type: 'no-answer', question }));
}

export function refusal(attempt: Attempt, why: Refused['why']): Refused {
  return { type: 'refused', ...attempt, why };
}

function attemptOf(command: Judging['command']): Attempt {
  const { type: action, topic } = command;
  return command.type === 'publish' && command.receipt !== undefined
    ? { action, topic, receipt: command.receipt }
    : { action, topic };
}

function askAboutCredential(connection: Connection, authorization: string): void {
  const { guard, judgements, self } = connection;
  if (guard.server === null) {
    step(connection, { type: 'authorised', granted: true });
    return;
  }
  if (connection.needs === 'topic') {
    const ref = connection.intake.nextRef();
    const extra = judgements?.offer(ref, authorization);
    offer(guard.server, questionOf(connection, authorization), self, ref);
    notNeeded(connection, extra);
    connection.showed('good');
    step(connection, { type: 'authorised', granted: true });
    return;
  }
  if (hasFailedTooOften(connection)) return;
  judgements?.introduce();
  askGuard(connection, questionOf(connection, authorization), null, (ref) => ({ type: 'authorise', ref }));
}

function introduce(connection: Connection, first: Judging['command'] | null): void {
  askGuard(connection, questionOf(connection, ''), first, (ref) => ({ type: 'introduce', ref, first }));
}

function mayIntroduce({ guard, judgements }: Connection): boolean {
  return guard.asksAll === true && judgements?.isIntroduced === false;
}

/** The topic that is meant, when it may be used; undefined: it has been refused, or has to be asked about first. */
function usable(connection: Connection, right: Right, command: Judging['command']): string | undefined {
  const { topic } = command;
  if (connection.needs === 'topic') return judged(connection, right, command);
  if (allows(connection.permissions, right, topic)) return topic;
  if (mayIntroduce(connection)) introduce(connection, command);
  // Known by its request as a whole, a client is not asked for a credential.
  else
    refuse(
      connection,
      command,
      connection.authorised && connection.credential === 'none' ? 'denied' : 'forbidden',
    );
  return undefined;
}

/** The topic, where each is judged by itself when it is first used. */
function judged(connection: Connection, right: Right, command: Judging['command']): string | undefined {
  const { judgements, context } = connection;
  const known = judgements?.topicOf(right, command.topic);
  if (known !== undefined) return known;
  if (hasCredential(connection) && hasFailedTooOften(connection)) return undefined;
  if (judgements === undefined) {
    step(connection, withoutAnswer('unavailable', command));
    return undefined;
  }
  const access = judgements.access(right, command.topic, context.limits.topicLength);
  const question = { ...questionOf(connection, judgements.authorization), access };
  askGuard(connection, question, command, (ref) => ({ type: 'judge', ref, right, command }));
  return undefined;
}

/** No right is lost on the way to a topic: what was asked for may still be had when the topic answers. */
export function mayStill(connection: Connection, right: Right, as: string, topic: string): boolean {
  return connection.needs === 'topic'
    ? connection.judgements?.topicOf(right, as) === topic
    : allows(connection.permissions, right, topic);
}

/** `command`: what waits for the answer; null: nothing, or not yet. */
function askGuard(
  connection: Connection,
  asked: Asked,
  command: Judging['command'] | null,
  questionFor: (ref: number) => Question,
): void {
  const { guard, self, intake } = connection;
  const ref = intake.nextRef();
  if (guard.server !== null && authorise(guard.server, asked, self, ref)) ask(connection, questionFor(ref));
  else step(connection, withoutAnswer('unavailable', command));
}

function withoutAnswer(type: 'unavailable' | 'faulty', command: Judging['command'] | null): Event {
  return command === null ? { type } : { type, attempt: attemptOf(command) };
}

function questionOf({ context, address, judgements }: Connection, authorization: string): Asked {
  const request = judgements?.request;
  return { authorization, door: context.door.name, address, ...(request === undefined ? {} : { request }) };
}

/** The guard has answered the open question. What it grants has been granted. */
export function guardAnswered(connection: Connection, question: Question, answer: Answer): void {
  switch (question.type) {
    case 'authorise':
      credentialJudged(connection, answer);
      return;
    case 'introduce':
      introduced(connection, question.first);
      return;
    case 'judge':
      topicJudged(connection, question, answer);
      return;
    case 'join':
    case 'claim':
    case 'leave':
    case 'room':
      return;
  }
}

/** The guard has not answered, or not in time. `faulty`: asking again is no help. */
export function notAnswered(connection: Connection, question: Question, faulty: boolean): void {
  if (holdsMessage(question)) connection.withhold();
  if (question.type !== 'introduce' || question.first !== null) {
    answered(connection, withoutAnswer(faulty ? 'faulty' : 'unavailable', commandOf(question)));
    return;
  }
  // The client has asked for nothing yet: when it does, so will we again.
  connection.intake.conclude();
  goOn(connection);
}

function commandOf(question: Question): Judging['command'] | null {
  if (question.type === 'judge') return question.command;
  return question.type === 'introduce' ? question.first : null;
}

function credentialJudged(
  connection: Connection,
  { permissions, unrecognised, untimely, terms }: Answer,
): void {
  const granted = !isEmpty(permissions);
  const known = granted && unrecognised !== true;
  connection.showed(known ? 'good' : 'wrong');
  if (!known && untimely !== true) countFailure(connection);
  const event: Event = { type: 'authorised', granted, ...termsOf(terms) };
  answered(connection, known ? event : { ...event, unrecognised: true });
}

function termsOf(terms: Answer['terms']): Pick<Authorised, 'subject' | 'expiresIn'> {
  const { subject = null, lasts = null } = terms ?? {};
  return {
    ...(subject === null ? {} : { subject }),
    ...(lasts === null ? {} : { expiresIn: Math.floor(lasts / 1000) }),
  };
}

function introduced(connection: Connection, first: Judging['command'] | null): void {
  const { judgements, transport, intake, context } = connection;
  judgements?.introduce();
  intake.conclude();
  if (transport.kind === 'exchange' && isEmpty(connection.permissions))
    transport.restrict?.(context.limits.messageBeforeAuth);
  if (first !== null) performOne(connection, first);
  goOn(connection);
}

/** What was to be done with the topic is done, or refused. */
function topicJudged(connection: Connection, question: Judging, answer: Answer): void {
  connection.intake.conclude();
  if (remember(connection, question, answer)) performOne(connection, question.command);
  else refuseSlowly(connection, question.command);
  goOn(connection);
}

/** A client that stays, and tries one topic after the other, would have a service of somebody's asked as fast as it answers. */
function refuseSlowly(connection: Connection, command: Judging['command']): void {
  const { intake, self } = connection;
  refuse(connection, command, 'denied');
  if (intake.isOver) return;
  intake.hold();
  sendAfter(self, REFUSED_PERIOD, { type: 'publish-again' });
}

/** False: the topic may not be used. */
function remember(connection: Connection, { right, command }: Judging, answer: Answer): boolean {
  const { ref, permissions, terms } = answer;
  const topic = terms?.topic ?? command.topic;
  if (!allows(permissions, right, topic)) return false;
  connection.identify(terms?.subject);
  for (const each of ['read', 'write'] as const)
    if (allows(permissions, each, topic))
      notNeeded(connection, connection.judgements?.allow(each, command.topic, topic, ref));
  connection.transport.restrict?.(0);
  return true;
}

/** Nobody needs to hear any more when the answer to this question changes. */
function notNeeded({ guard, self }: Connection, ref: number | undefined): void {
  if (ref !== undefined && guard.server !== null) forget(guard.server, self, ref);
}

function refuse(connection: Connection, command: Judging['command'], why: 'forbidden' | 'denied'): void {
  const { needs, guard, context } = connection;
  if ((needs === 'topic' || guard === context.guards.apikeys) && hasCredential(connection))
    countFailure(connection);
  step(connection, refusal(attemptOf(command), why));
}

/** Of a wrong one the failure has been counted already. */
function hasCredential({ credential, needs, judgements }: Connection): boolean {
  if (credential !== 'none') return credential === 'good';
  // A header that our doors cannot read may be a credential to the guard.
  return needs === 'topic' && judgements?.hasAuthorization === true;
}

function countFailure({ context, address, self }: Connection): void {
  context.attempts.failed(address, now(self));
}

/** Refuses a client whose address has. */
function hasFailedTooOften(connection: Connection): boolean {
  const { context, address, self, phase } = connection;
  if (!context.attempts.refuses(address, now(self))) return false;
  if (phase === 'opening') connection.reply(tooManyAttempts);
  else connection.close({ type: 'too many failed authorisations' });
  return true;
}
