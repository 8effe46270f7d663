import { isEmpty } from '../authenticator/permissions.ts';
import { type Command, type Event, nothing, type Refused } from '../door/contract.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { Delivery } from '../topic/message.ts';
import type { Topic } from '../topic/topic.ts';
import { leave as leaveTopic } from '../topic/topic-server.ts';
import { askAuthenticator, usable } from './authorising.ts';
import { close, reply } from './closing.ts';
import type { Connection } from './connection.ts';
import type { End } from './end.ts';
import type { Question, Received } from './intake.ts';
import { forgetJudgement } from './judging.ts';
import { queue } from './writing.ts';

/**
 * Performs what sessions decide. Every door's joins, claims and publishes pass here, and here they are checked against
 * the connection's rights: a door cannot forget to.
 */

/** Milliseconds until a question counts as not answered, where the guard says nothing else. */
const PATIENCE = 5000;

/** Gives the session an event, and performs what it says. */
export function step(connection: Connection, event: Event): void {
  if (connection.intake.isOver) return;
  const [session, commands] = connection.session.step(event);
  connection.session = session;
  if (commands.length > 0) perform(connection, commands);
}

export function perform(connection: Connection, commands: readonly Command[]): void {
  const last = commands.at(-1);
  if (last?.type === 'close' && connection.phase === 'open' && !connection.intake.whole) {
    finish(connection, commands.slice(0, -1), { ...last, type: 'session' });
    return;
  }
  for (const command of commands) {
    if (connection.phase === 'closing') return;
    performOne(connection, command);
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
  const last = connection.intake.expire();
  if (last === undefined) return;
  for (const command of last.words) performOne(connection, command);
  close(connection, last.end);
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
      return;
  }
}

function take(connection: Connection, message: Received): void {
  if (message.type !== 'farewell') step(connection, message);
  else if (connection.phase === 'open' && !connection.intake.whole) finish(connection, nothing, message.end);
  else close(connection, message.end);
}

/** The open question has been answered, or never will be. What has waited for it goes on. */
export function answered(connection: Connection, event: Event): void {
  connection.intake.conclude();
  step(connection, event);
  goOn(connection);
}

/** Handles what has waited, as far as it need not wait again. */
export function goOn(connection: Connection): void {
  const { intake } = connection;
  for (let next = intake.next(); next !== undefined; next = intake.next()) take(connection, next);
  updateReading(connection);
}

/** Reads from the client, or does not. */
export function updateReading({ intake, transport, heartbeat }: Connection): void {
  switch (intake.turn(transport.kind === 'exchange')) {
    case 'pause':
      heartbeat.deafen();
      transport.pause();
      return;
    case 'resume':
      transport.resume();
      return;
    case 'same':
      return;
  }
}
export function performOne(connection: Connection, command: Command): void {
  switch (command.type) {
    case 'publish':
      publish(connection, command);
      return;
    case 'send':
      queue(connection, new Delivery(command.bytes, 0, connection.context.topics.accounting));
      return;
    case 'authorise':
      askAuthenticator(connection, command.authorization);
      return;
    case 'join':
      join(connection, command);
      return;
    case 'claim':
      claim(connection, command);
      return;
    case 'leave':
      leave(connection, command.topic);
      return;
    case 'accept':
      accept(connection);
      return;
    case 'reply':
      reply(connection, command);
      return;
    case 'close':
      close(connection, { type: 'session', code: command.code, reason: command.reason });
      return;
  }
}

function accept(connection: Connection): void {
  const { context, self, transport } = connection;
  if (!transport.accept()) {
    connection.close();
    transport.destroy();
    return;
  }
  connection.accept();
  if (isEmpty(connection.rights.permissions)) transport.restrict(context.limits.messageBeforeAuth);
  context.counters.connections++;
  sendAfter(self, context.heartbeat.ping, { type: 'heartbeat' });
}

function publish(connection: Connection, command: Extract<Command, { type: 'publish' }>): void {
  const { context, self, transport } = connection;
  const exchange = transport.kind === 'exchange';
  const name = usable(connection, 'write', command);
  if (name === undefined) return;
  const { message } = command;
  if (exchange && message.payload.length === 0) {
    step(connection, { type: 'published', topic: name });
    return;
  }
  connection.messagesIn++;
  if (context.limits.publishRate > 0 && !exchange) throttle(connection);
  if (exchange) context.counters.posts++;
  else context.counters.messages++;
  const cost = connection.intake.spend(message.payload.length);
  const topic = targetOf(connection, name);
  const acceptedAt = context.topics.accounting.isTimed() ? now(self) : 0;
  const request = { type: 'publish', message, from: self, credit: cost, acceptedAt, via: null } as const;
  if (!context.topics.publish(self.system, context.realm, name, topic, request)) {
    connection.intake.giveBack(cost);
    context.topics.accounting.lose(1, topic?.server === undefined ? 'unheard' : 'refused');
    context.counters.drops++;
    if (exchange) step(connection, { type: 'published', topic: name });
    return;
  }
  if (connection.intake.exhausted) updateReading(connection);
}

/** How long a throttled client waits at least, in milliseconds: a timer for each message would cost more than it. */
const THROTTLE_PERIOD = 10;

/** Counts a message that is published. Past the rate, the next one waits. */
function throttle(connection: Connection): void {
  const { self, context, intake } = connection;
  holdBack(connection, intake.throttle(context.limits.publishRate, now(self)));
}

function holdBack(connection: Connection, wait: number): void {
  const { self } = connection;
  if (wait > 0) sendAfter(self, Math.max(wait, THROTTLE_PERIOD), { type: 'publish-again' });
  updateReading(connection);
}

/** A throttled client has waited, or the limit is another one. */
export function publishAgain(connection: Connection): void {
  const { context, self, intake } = connection;
  if (intake.isOver) return;
  // A timer may be a fraction of a millisecond early.
  holdBack(connection, intake.relax(context.limits.publishRate, now(self)));
  goOn(connection);
}

/** The live topic of that name; the last one that was published to is remembered. */
function targetOf(connection: Connection, name: string): Topic | undefined {
  const { target, context } = connection;
  if (target !== undefined && target.name === name && !target.retired) return target;
  connection.target = context.topics.find(context.realm, name);
  return connection.target;
}

function join(connection: Connection, command: Extract<Command, { type: 'join' }>): void {
  const { context, self, format, memberships } = connection;
  if (format === null) return;
  const name = usable(connection, 'read', command);
  if (name === undefined) return;
  const { topic: as, while: condition } = command;
  if (memberships.get(name) !== undefined) {
    connection.asking?.judged.joined.set(as, name);
    step(connection, { type: 'joined', topic: as });
    return;
  }
  const { topicsPerConnection } = context.limits;
  if (topicsPerConnection > 0 && memberships.size >= topicsPerConnection) {
    step(connection, refusal('join', as, 'too-many'));
    return;
  }
  connection.memberWhile = condition;
  const request = { type: 'join', name, member: self, format, while: condition } as const;
  if (context.topics.route(self.system, context.realm, request))
    ask(connection, { type: 'join', topic: name, as });
  else step(connection, refusal('join', as, 'unavailable'));
}

function claim(connection: Connection, command: Extract<Command, { type: 'claim' }>): void {
  const { context, self } = connection;
  const name = usable(connection, 'write', command);
  if (name === undefined) return;
  const { topic: as } = command;
  const request = { type: 'claim', name, member: self, grace: context.grace } as const;
  if (context.topics.route(self.system, context.realm, request))
    ask(connection, { type: 'claim', topic: name, as });
  else step(connection, refusal('claim', as, 'unavailable'));
}

function leave(connection: Connection, as: string): void {
  const joined = connection.asking?.judged.joined;
  const name = joined?.get(as) ?? as;
  joined?.delete(as);
  if (connection.needs === 'topic') forgetJudgement(connection, 'read', as);
  // The client may have joined one topic by two names.
  for (const other of joined?.values() ?? []) if (other === name) return;
  const topic = connection.memberships.get(name);
  connection.memberships.delete(name);
  connection.rights.forget(name);
  if (topic !== undefined) leaveTopic(topic, connection.self);
}

/** A join or a claim is always answered, if need be by what its router or server leaves undone; a back end may hang. */
export function ask(connection: Connection, question: Question): void {
  const { self, guard, intake } = connection;
  if (!('ref' in question)) intake.ask(question);
  else intake.ask(question, sendAfter(self, guard.patience ?? PATIENCE, { type: 'no-answer', question }));
}

export function refusal(action: Refused['action'], topic: string, why: Refused['why']): Refused {
  return { type: 'refused', action, topic, why };
}
