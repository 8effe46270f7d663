import { isEmpty } from '../authenticator/permissions.ts';
import { textReply } from '../door/replies.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import { describeReason, isOrderly } from '../otp/exit-reason.ts';
import { send } from '../otp/process.ts';
import { now, sendAfter, uptime } from '../otp/timer.ts';
import { Delivery } from '../topic/delivery.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import {
  ABNORMAL,
  GOING_AWAY,
  INTERNAL_ERROR,
  POLICY_VIOLATION,
  TOO_BIG,
  TRY_AGAIN_LATER,
} from './close-codes.ts';
import { detailsOf } from './closed-details.ts';
import { close, reply } from './closing.ts';
import { Connection, type ConnectionArgs, type ConnectionMessage } from './connection.ts';
import { answered, grant, perform, received, refusal, step, updateReading } from './performing.ts';
import {
  checkProgress,
  countDropped,
  drop,
  dropInFlight,
  flush,
  flushed,
  queue,
  tellNew,
} from './writing.ts';

/** How often a member of a topic that was lost tries to join it again, and for how long, in milliseconds. */
const REJOIN_PERIOD = 100;
const REJOIN_LIMIT = 5000;

const HEARTBEAT: ConnectionMessage = { type: 'heartbeat' };

/**
 * The process of one client connection. It gives what happens to the door's session, performs the commands that come
 * back, and writes what its topics deliver. When it ends, however it ends, its socket is closed, and no other.
 */
export const connectionHandler: Behaviour<ConnectionArgs, Connection, ConnectionMessage> = {
  name: 'connection-handler',
  trapExit: true,

  init(self, args) {
    const connection = new Connection(self, args);
    connection.transport.attach(self);
    perform(connection, connection.session.start());
    // Nothing settles after `init`: a greeting goes out here.
    flush(connection);
    const { authorise } = args.context.limits;
    if (authorise > 0 && isEmpty(connection.permissions))
      sendAfter(self, authorise, { type: 'still-no-right' });
    return connection;
  },

  handle(connection, message): Next<Connection> {
    if (message instanceof Delivery) {
      if (connection.phase === 'open') queue(connection, message);
      else countDropped(connection, message.count, 'closed');
      return keep;
    }
    switch (message.type) {
      case 'text':
      case 'binary':
      case 'body':
        if (!isTooBig(connection, message.payload)) received(connection, message);
        return keep;
      case 'credit':
        returned(connection, message.bytes);
        return keep;
      case 'flushed':
        flushed(connection);
        return keep;
      case 'pong':
        if (connection.heartbeat === 'pinged') {
          connection.heartbeat = 'answered';
          connection.roundTrip = Math.round(now(connection.self)) - connection.pingedAt;
        }
        return keep;
      case 'heartbeat':
        heartbeat(connection);
        return keep;
      case 'progress':
        checkProgress(connection);
        return keep;
      case 'authorised':
      case 'unavailable':
        authorisation(connection, message);
        return keep;
      case 'no-answer':
        noAnswer(connection, message.question);
        return keep;
      case 'still-no-right':
        if (connection.phase === 'open' && isEmpty(connection.permissions)) {
          close(connection, POLICY_VIOLATION, 'authorize timeout');
        }
        return keep;
      case 'closed':
        closedByTransport(connection, message.code);
        return stop('normal');
      case 'rejoin':
        rejoin(connection, message.topic, message.since);
        return keep;
      case 'exit':
        return goAway(connection, message);
      default:
        fromTopic(connection, message);
        return keep;
    }
  },

  settle(connection) {
    flush(connection);
    return keep;
  },

  terminate(connection, reason) {
    const crashed = reason !== 'normal' && reason !== 'shutdown';
    if (crashed) {
      connection.closeCode = INTERNAL_ERROR;
      connection.closeReason = 'crash';
      connection.closeEvent = `its process crashed: ${describeReason(reason)}`;
      if (connection.phase === 'open') connection.transport.close(INTERNAL_ERROR, 'internal error');
      else connection.transport.destroy();
    }
    ended(connection, connection.closeReason === 'slow' ? 'slow' : crashed ? 'crash' : 'closed');
  },

  undelivered(message, reason) {
    if (message instanceof Delivery)
      message.accounting.dropped[isOrderly(reason) ? 'closed' : 'crash'] += message.count;
  },
};

/** Counts what was not delivered, and writes the log line. */
function ended(connection: Connection, why: 'slow' | 'crash' | 'closed'): void {
  if (connection.ended) return;
  connection.ended = true;
  drop(connection, why);
  dropInFlight(connection, why);
  if (!connection.accepted) return;
  connection.context.counters.connections--;
  writeLog(connection);
}

function isTooBig(connection: Connection, payload: Buffer): boolean {
  const { messageBeforeAuth } = connection.context.limits;
  if (
    messageBeforeAuth === 0 ||
    payload.length <= messageBeforeAuth ||
    connection.transport.kind === 'exchange'
  )
    return false;
  if (!isEmpty(connection.permissions)) return false;
  close(connection, TOO_BIG, 'authorize first');
  return true;
}

function returned(connection: Connection, bytes: number): void {
  connection.credit.giveBack(bytes);
  if (connection.transport.kind === 'exchange')
    step(connection, { type: 'published', topic: connection.target?.name ?? '' });
  else if (connection.paused) updateReading(connection);
}

/** Ping, and look whether the pong has come when it is due; then wait for the time of the next ping. */
function heartbeat(connection: Connection): void {
  const { context, self, transport, phase } = connection;
  const { ping, pong } = context.heartbeat;
  if (phase !== 'open') return;
  if (connection.heartbeat === 'rest') {
    transport.keepAlive();
    connection.pingedAt = Math.round(now(self));
    connection.heartbeat = transport.kind === 'websocket' && pong > 0 ? 'pinged' : 'rest';
    sendAfter(self, connection.heartbeat === 'pinged' ? pong : ping, HEARTBEAT);
  } else if (connection.heartbeat === 'pinged') {
    connection.closeCode = ABNORMAL;
    connection.closeReason = 'no pong';
    connection.closeEvent = `a ping was not answered within ${pong} ms (limits.pong)`;
    transport.destroy();
  } else {
    connection.heartbeat = 'rest';
    sendAfter(self, Math.max(ping - pong, 0), HEARTBEAT);
  }
}

function authorisation(
  connection: Connection,
  message: Extract<ConnectionMessage, { readonly type: 'authorised' | 'unavailable' }>,
): void {
  const { question } = connection;
  if (question?.type !== 'authorise' || question.ref !== message.ref) return;
  if (message.type === 'unavailable') {
    answered(connection, { type: 'unavailable' });
    return;
  }
  grant(connection, message.permissions);
  connection.authorised ||= !isEmpty(message.permissions);
  answered(connection, { type: 'authorised', granted: !isEmpty(message.permissions) });
}

function noAnswer(connection: Connection, question: Connection['question']): void {
  if (question === undefined || connection.question !== question) return;
  if (question.type === 'authorise') answered(connection, { type: 'unavailable' });
  else answered(connection, refusal(question.type, question.topic, 'unavailable'));
}

function fromTopic(
  connection: Connection,
  message: Exclude<MemberMessage, Delivery | { readonly type: 'credit' }>,
): void {
  const { question, memberships } = connection;
  switch (message.type) {
    case 'joined':
      joined(connection, message.topic);
      return;
    case 'claimed':
      connection.owned = message.topic;
      if (isAsked(question, 'claim', message.topic.name))
        answered(connection, { type: 'claimed', topic: message.topic.name });
      return;
    case 'refused':
      if (message.action === 'publish') step(connection, refusal('publish', message.name, message.why));
      else if (isAsked(question, message.action, message.name))
        answered(connection, refusal(message.action, message.name, message.why));
      // Where nothing is asked it is about a topic that was lost, and will be tried again.
      else if (message.why !== 'unavailable') close(connection, TRY_AGAIN_LATER, 'topic lost');
      return;
    case 'ended':
      memberships.delete(message.topic.name);
      step(connection, { type: 'ended', topic: message.topic.name });
      return;
    case 'lost':
      rejoin(connection, message.topic, now(connection.self));
      return;
  }
}

function joined(connection: Connection, topic: Topic): void {
  const { question, memberships, self } = connection;
  const asked = isAsked(question, 'join', topic.name);
  if (!asked && memberships.get(topic.name) === undefined) {
    // It has left while the topic was lost.
    if (topic.server !== undefined) send(topic.server, { type: 'leave', member: self });
    return;
  }
  memberships.set(topic);
  tellNew(connection, topic);
  if (asked) answered(connection, { type: 'joined', topic: topic.name });
}

function isAsked(question: Connection['question'], type: 'join' | 'claim', topic: string): boolean {
  return question?.type === type && question.topic === topic;
}

/** A topic has gone under its members: they are the ones who know that it is wanted. */
function rejoin(connection: Connection, topic: Topic, since: number): void {
  const { self, context, format, memberships, memberWhile } = connection;
  const { grace, realm, topics } = context;
  const { name } = topic;
  const isOwner = connection.owned === topic;
  const isMember = memberships.get(name) === topic && format !== null;
  if (connection.phase !== 'open' || (!isOwner && !isMember)) return;
  if (now(self) - since >= REJOIN_LIMIT) {
    close(connection, TRY_AGAIN_LATER, 'topic lost');
    return;
  }
  if (isOwner) topics.route(self.system, realm, { type: 'claim', name, member: self, grace });
  if (isMember) {
    const request = {
      type: 'join',
      name,
      member: self,
      format,
      while: memberWhile,
      again: { grace },
    } as const;
    topics.route(self.system, realm, request);
  }
  // What took the topic may be taking its supervisor and router down as well: nobody may be there to answer.
  sendAfter(self, REJOIN_PERIOD, { type: 'rejoin', topic, since });
}

/** A `shutdown` with words is an operator's wish for this connection, and the words are what the client is told. */
function goAway(connection: Connection, { reason }: Exit): Next<Connection> {
  if (connection.phase === 'opening') {
    reply(connection, textReply(503, 'Error: going away.', { 'Retry-After': '1' }));
    return keep;
  }
  const wish = typeof reason === 'object' && 'shutdown' in reason ? reason.shutdown : undefined;
  if (connection.phase === 'open')
    connection.closeEvent =
      wish === undefined ? 'the relay or its door was drained' : 'an operator disconnected it';
  close(connection, GOING_AWAY, wish ?? 'going away');
  return keep;
}

/** What the transport says of the end matters only where we have not ended it ourselves. */
function closedByTransport(connection: Connection, code: number): void {
  if (connection.phase === 'closing' || connection.closeCode !== 0) return;
  connection.closeCode = code;
  connection.closeReason = code === ABNORMAL ? 'connection lost' : 'closed by client';
}

function writeLog(connection: Connection): void {
  const { context, self, closeCode, closeReason } = connection;
  context.log.closed(
    {
      door: context.door.name,
      conn: self.id,
      code: closeCode,
      reason: closeReason,
      address: connection.address,
      in: connection.messagesIn,
      out: connection.messagesOut,
      age: Math.round(uptime(self)),
    },
    closeReason === 'slow' ? 'warn' : 'info',
    detailsOf(connection),
  );
}

/** For the end of a connection that nobody handles any more. */
export function abandon({ transport, connection }: ConnectionArgs): void {
  transport.destroy();
  if (connection === undefined || connection.ended) return;
  connection.closeCode ||= ABNORMAL;
  connection.closeReason ||= 'killed';
  ended(connection, 'crash');
}
