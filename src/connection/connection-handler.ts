import { isEmpty } from '../authenticator/permissions.ts';
import { textReply, unauthorised } from '../door/replies.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import { describeReason, isOrderly } from '../otp/exit-reason.ts';
import { now, sendAfter, uptime } from '../otp/timer.ts';
import { Delivery } from '../topic/message.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import { leave } from '../topic/topic-server.ts';
import { authorisation, introduce, mayStill, notAnswered } from './authorising.ts';
import { ABNORMAL, INTERNAL_ERROR } from './close-codes.ts';
import { close, reply } from './closing.ts';
import { Connection, type ConnectionArgs, type ConnectionMessage } from './connection.ts';
import type { ClosedDetails } from './door-context.ts';
import { type Telling, tellingOf } from './end.ts';
import type { Question } from './intake.ts';
import {
  answered,
  finished,
  perform,
  publishAgain,
  received,
  refusal,
  step,
  updateReading,
} from './performing.ts';
import { rejoin } from './rejoining.ts';
import { confirmOver, expire, graceOver, regrant, reguard } from './right-changes.ts';
import { type Acknowledging, askSilence } from './silence-server.ts';
import {
  acknowledged,
  checkProgress,
  countDropped,
  dropAll,
  flush,
  flushed,
  queue,
  tellNew,
} from './writing.ts';

const HEARTBEAT: ConnectionMessage = { type: 'heartbeat' };
const LOOK: ConnectionMessage = { type: 'look' };
/** Where there are no pings, in milliseconds until it is looked whether a reload has brought them. */
const UNTIL_ASKED = 30_000;
/** How many topics of a connection that has ended are kept by name; the others are counted. */
const TOPICS_NAMED = 8;

/**
 * The process of one client connection. It gives what happens to the door's session, performs the commands that come
 * back, and writes what its topics deliver. When it ends, however it ends, its socket is closed, and no other.
 *
 * Each part of a connection owns its fields: what the client sends, the open question, credit and rate are the intake's; what
 * waits for the socket, and how the client keeps up, the outflow's; what it may do, and until when, that of its rights; its
 * topics are the memberships'. How it ends is one `End`, and the first one counts.
 */
export const connectionHandler: Behaviour<ConnectionArgs, Connection, ConnectionMessage> = {
  name: 'connection-handler',
  trapExit: true,

  init(self, args) {
    const connection = new Connection(self, args);
    if (!connection.transport.attach(self)) {
      connection.close();
      return connection;
    }
    perform(connection, connection.session.start());
    introduce(connection);
    if (connection.transport.kind === 'exchange') readBody(connection);
    // Nothing settles after `init`: a greeting goes out here.
    flush(connection);
    awaitRight(connection);
    return connection;
  },

  handle(connection, message): Next<Connection> {
    if (message instanceof Delivery) {
      if (connection.delivers) queue(connection, message);
      else countDropped(connection, message.count, 'closed');
      return keep;
    }
    switch (message.type) {
      case 'text':
      case 'binary':
      case 'body':
        connection.transport.handled(message.payload.length);
        if (!isTooMuch(connection, message.payload.length)) received(connection, message);
        return keep;
      case 'farewell':
        received(connection, message);
        return keep;
      case 'finish':
        finished(connection);
        return keep;
      case 'ping':
        connection.transport.handled(0);
        isTooMuch(connection, 0);
        return keep;
      case 'credit':
        returned(connection, message.bytes);
        return keep;
      case 'flushed':
        flushed(connection);
        return keep;
      case 'pong':
        connection.transport.handled(0);
        if (isTooMuch(connection, 0)) return keep;
        connection.heartbeat.answered(now(connection.self));
        return keep;
      case 'heartbeat':
        heartbeat(connection);
        return keep;
      case 'look':
        look(connection);
        return keep;
      case 'acknowledging':
        acknowledging(connection, message);
        return keep;
      case 'publish-again':
        publishAgain(connection);
        return keep;
      case 'progress':
        checkProgress(connection);
        return keep;
      case 'authorised':
      case 'unavailable':
        authorisation(connection, message);
        return keep;
      case 'regranted':
      case 'revoked':
        regrant(connection, message);
        return keep;
      case 'relimited':
        relimited(connection);
        return keep;
      case 'reguarded':
        reguard(connection);
        return keep;
      case 'confirm-over':
        confirmOver(connection, message.unconfirmed);
        return keep;
      case 'expire':
        expire(connection);
        return keep;
      case 'grace-over':
        graceOver(connection);
        return keep;
      case 'no-answer':
        noAnswer(connection, message.question);
        return keep;
      case 'still-no-right':
        stillNoRight(connection);
        return keep;
      case 'closed':
        closedByTransport(connection, message.code);
        return stop('normal');
      case 'rejoin':
        rejoin(connection, message.topic, message.since);
        return keep;
      case 'exit':
        return goAway(connection, message);
      case 'joined':
        joined(connection, message.topic);
        return keep;
      case 'claimed':
        claimed(connection, message.topic);
        return keep;
      case 'refused':
        refused(connection, message);
        return keep;
      case 'ended':
        connection.memberships.delete(message.topic.name);
        step(connection, { type: 'ended', topic: message.topic.name });
        return keep;
      case 'lost':
        rejoin(connection, message.topic, now(connection.self));
        return keep;
    }
  },

  settle(connection) {
    connection.outflow.settle();
    flush(connection);
    return keep;
  },

  terminate(connection, reason) {
    const crashed = reason !== 'normal' && reason !== 'shutdown';
    if (crashed) {
      connection.end = { type: 'crash', why: describeReason(reason) };
      const { transport } = connection;
      // A WebSocket closes within its time limit by itself; nobody is left to watch over the end of another one.
      if (connection.phase === 'open' && transport.kind === 'websocket')
        transport.close(INTERNAL_ERROR, 'internal error');
      else transport.destroy();
    }
    ended(connection);
  },

  salvage: killed,

  undelivered(message, reason) {
    if (message instanceof Delivery)
      message.accounting.drop(message.count, isOrderly(reason) ? 'closed' : 'crash');
  },
};

/** Bytes that a client may have sent before it has any right: all that it makes us hold is among them. */
const BYTES_BEFORE_RIGHTS = 40 * 1024;
/** What a message that waits costs beside its bytes. */
const WAITING_COST = 256;

/** Closes a client that has no right yet and is about to cost more than such a client may. */
function isTooMuch(connection: Connection, size: number): boolean {
  const { transport, intake, context } = connection;
  if (transport.kind !== 'websocket' || connection.hasRight) return false;
  const { messageBeforeAuth } = context.limits;
  if (messageBeforeAuth === 0) return false;
  const cost = transport.socket.bytesRead + intake.waiting * WAITING_COST;
  if (size <= messageBeforeAuth && cost <= BYTES_BEFORE_RIGHTS) return false;
  close(connection, { type: 'authorize first' });
  return true;
}

/** Sets by the limits of now what was set by those of before. All others are read at the time of need. */
function relimited(connection: Connection): void {
  const { transport, accepted, context } = connection;
  const { messageBeforeAuth } = context.limits;
  if (accepted && !connection.hasRight) {
    if (messageBeforeAuth > 0) transport.restrict(messageBeforeAuth);
    else transport.unrestrict();
  }
  awaitRight(connection);
  publishAgain(connection);
}

function awaitRight(connection: Connection): void {
  const { self, context } = connection;
  const { authorise } = context.limits;
  if (authorise === 0 || connection.hasRight) return;
  sendAfter(self, Math.max(authorise - uptime(self), 0), { type: 'still-no-right' });
}

/** Where a question is open, its answer comes in time or not at all. */
function stillNoRight(connection: Connection): void {
  const { phase, intake, transport, self, context } = connection;
  const { authorise } = context.limits;
  if (connection.hasRight) return;
  // A timer may be a fraction of a millisecond early; one that is earlier is of a limit before.
  if (authorise === 0 || uptime(self) + 1 < authorise) return;
  if (phase === 'open') close(connection, { type: 'authorize timeout' });
  else if (transport.kind === 'exchange' && intake.question === undefined) reply(connection, unauthorised);
}

/** A body is read once its credential is good; without one, as much is read as anybody may send. */
function readBody(connection: Connection): void {
  const { transport, context, intake, needs } = connection;
  if (intake.question !== undefined) updateReading(connection);
  // Where the request as a whole is judged it has to be there as a whole.
  else if (needs === 'topic') return;
  else if (isEmpty(connection.rights.permissions)) transport.restrict(context.limits.messageBeforeAuth);
}

function returned(connection: Connection, bytes: number): void {
  const { intake } = connection;
  intake.giveBack(bytes);
  if (intake.finishing !== undefined) {
    if (intake.whole) finished(connection);
  } else if (connection.transport.kind === 'exchange')
    step(connection, { type: 'published', topic: connection.target?.name ?? '' });
  else if (intake.paused) updateReading(connection);
}

/** Pings, and looks for a sign of life when it is due; then waits for the time of the next ping. */
function heartbeat(connection: Connection): void {
  const { context, self, transport, phase, heartbeat } = connection;
  const { ping, pong } = context.heartbeat;
  if (phase !== 'open') return;
  if (!heartbeat.waiting) {
    if (ping === 0) {
      sendAfter(self, UNTIL_ASKED, HEARTBEAT);
      return;
    }
    const asks = transport.kind === 'websocket' && pong > 0;
    // Before the ping is written: over TLS it would look like something that waits for the client.
    if (asks && heartbeat.pings(transport.socket, now(self), connection.intake.paused)) look(connection);
    transport.keepAlive();
    if (transport.kind === 'stream' && pong > 0) sendAfter(self, pong, LOOK);
    sendAfter(self, asks ? pong : ping, HEARTBEAT);
    return;
  }
  const state = heartbeat.over(transport.socket);
  if (state === 'alive') {
    sendAfter(self, Math.max(ping - pong, 0), HEARTBEAT);
  } else if (state === 'doubtful') {
    look(connection);
    sendAfter(self, pong, HEARTBEAT);
  } else {
    connection.end ??= { type: 'no pong', after: pong };
    transport.destroy();
  }
}

function look({ phase, self, transport }: Connection): void {
  if (phase === 'open') askSilence(self.system, self, transport.socket);
}

/** Silent once, the client's machine may be out of reach for a moment. */
function acknowledging(connection: Connection, answer: Acknowledging): void {
  const { context, self, transport, heartbeat } = connection;
  const { pong } = context.heartbeat;
  if (!connection.delivers) return;
  acknowledged(connection, answer);
  heartbeat.acknowledged(transport.socket, answer);
  if (transport.kind !== 'stream' || pong === 0) return;
  const silence = heartbeat.silence(answer, now(self));
  if (silence === null) return;
  if (silence >= pong) {
    connection.end ??= { type: 'no acknowledgement', after: pong };
    transport.destroy();
  } else if (silence === 0) {
    sendAfter(self, pong, LOOK);
  }
}

function noAnswer(connection: Connection, question: Question): void {
  if (connection.intake.question === question) notAnswered(connection, question, false);
}

/** A `shutdown` with words is an operator's wish for this connection, and the words are what the client is told. */
function goAway(connection: Connection, { reason }: Exit): Next<Connection> {
  if (connection.phase === 'opening') {
    reply(connection, textReply(503, 'Error: going away.', { 'Retry-After': '1' }));
    return keep;
  }
  const wish = typeof reason === 'object' && 'shutdown' in reason ? reason.shutdown : undefined;
  close(connection, wish === undefined ? { type: 'drained' } : { type: 'operator', words: wish });
  return keep;
}

/** What the transport says of the end matters only where nothing else has ended it. */
function closedByTransport(connection: Connection, code: number): void {
  const { phase, intake } = connection;
  if (phase === 'closing') return;
  connection.end ??=
    intake.finishing?.end ?? (code === ABNORMAL ? { type: 'connection lost' } : { type: 'left', code });
}

function joined(connection: Connection, topic: Topic): void {
  const { memberships, self, intake } = connection;
  const { question } = intake;
  const asked = isAsked(question, 'join', topic.name);
  if (!asked && memberships.get(topic.name) === undefined) {
    // It has left while the topic was lost.
    leave(topic, self);
    return;
  }
  if (asked && !mayStill(connection, 'read', question.as, topic.name)) {
    // The right has gone while the join was under way.
    leave(topic, self);
    answered(connection, refusal('join', question.as, 'forbidden'));
    return;
  }
  memberships.set(topic);
  tellNew(connection, topic);
  if (!asked) return;
  connection.asking?.judged.joined.set(question.as, topic.name);
  answered(connection, { type: 'joined', topic: question.as });
}

function claimed(connection: Connection, topic: Topic): void {
  const { question } = connection.intake;
  connection.owned = topic;
  if (!isAsked(question, 'claim', topic.name)) return;
  if (mayStill(connection, 'write', question.as, topic.name))
    answered(connection, { type: 'claimed', topic: question.as });
  else answered(connection, refusal('claim', question.as, 'forbidden'));
}

function isAsked<T extends 'join' | 'claim'>(
  question: Question | undefined,
  type: T,
  topic: string,
): question is Extract<Question, { readonly as: string }> {
  return question?.type === type && question.topic === topic;
}

function refused(
  connection: Connection,
  message: Extract<MemberMessage, { readonly type: 'refused' }>,
): void {
  const { question } = connection.intake;
  if (message.action === 'publish') step(connection, refusal('publish', message.name, message.why));
  else if (isAsked(question, message.action, message.name))
    answered(connection, refusal(message.action, question.as, message.why));
  // Where nothing is asked it is about a topic that was lost, and will be tried again.
  else if (message.why !== 'unavailable') close(connection, { type: 'topic lost' });
}

/** Counts what was not delivered, and writes the log line. */
function ended(connection: Connection): void {
  count(connection, tellingOf(connection.end ?? { type: 'connection lost' }, connection.transport.kind));
}

function count(connection: Connection, telling: Telling): void {
  if (connection.ended) return;
  connection.ended = true;
  dropAll(connection, telling.dropped);
  if (!connection.accepted) return;
  connection.context.counters.connections--;
  writeLog(connection, telling);
}

function writeLog(connection: Connection, { code, reason, level, event }: Telling): void {
  const { context, self, subject } = connection;
  context.log.closed(
    {
      door: context.door.name,
      conn: self.id,
      code,
      reason,
      address: connection.address,
      in: connection.messagesIn,
      out: connection.messagesOut,
      age: Math.round(uptime(self)),
      ...(subject === null ? {} : { subject }),
    },
    level,
    detailsOf(connection, event),
  );
}

/** What is kept of a connection that ends. Its topics are those that it is still in. */
function detailsOf(connection: Connection, event: string): ClosedDetails {
  const topics: string[] = [];
  for (const { name } of connection.memberships) {
    if (topics.length === TOPICS_NAMED) break;
    topics.push(name);
  }
  return {
    authorised: connection.authorised,
    topics,
    topicCount: connection.memberships.size,
    owned: connection.owned?.name ?? null,
    pendingHighWater: connection.outflow.highWater,
    roundTrip: connection.heartbeat.roundTrip < 0 ? null : connection.heartbeat.roundTrip,
    event,
  };
}

/** For the end of a connection whose handler could not be started, or has not ended it. */
export function abandon({ transport, connection }: ConnectionArgs): void {
  if (connection === undefined) transport.destroy();
  else killed(connection);
}

/** For the end of a connection that nobody handles any more. */
function killed(connection: Connection): void {
  if (connection.ended) return;
  connection.transport.destroy();
  const telling = tellingOf(connection.end ?? { type: 'killed' }, connection.transport.kind);
  // It may have been told to close before, and was not let finish.
  count(connection, { ...telling, dropped: 'crash' });
}
