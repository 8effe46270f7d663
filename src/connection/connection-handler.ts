import { isEmpty } from '../authenticator/permissions.ts';
import { textReply } from '../door/replies.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import { describeReason, isOrderly } from '../otp/exit-reason.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { Delivery } from '../topic/message.ts';
import type { MemberMessage } from '../topic/topic.ts';
import {
  authorisation,
  awaitRight,
  confirmOver,
  expire,
  graceOver,
  isTooMuch,
  regrant,
  reguard,
  relimited,
  stillNoRight,
} from './authorising.ts';
import { Connection, type ConnectionArgs, type ConnectionMessage } from './connection.ts';
import {
  begin,
  finished,
  gone,
  notAnswered,
  publishAgain,
  received,
  refill,
  step,
  updateReading,
} from './door-commands.ts';
import { ABNORMAL, type End } from './end.ts';
import type { Question } from './intake.ts';
import { bringOn, claimed, joined, left, refused, rejoin } from './joining.ts';
import { type Acknowledging, askSilence } from './silence-server.ts';

const HEARTBEAT: ConnectionMessage = { type: 'heartbeat' };

const LOOK: ConnectionMessage = { type: 'look' };

/** Where there are no pings, in milliseconds until it is looked whether a reload has brought them. */
const UNTIL_ASKED = 30_000;

/**
 * The process of one client connection. It gives what happens to the door's session, performs the commands that come
 * back, and writes what its topics deliver. When it ends, however it ends, its socket is closed, and no other.
 *
 * The rights of a connection may change: a credential is granted, is worth something else by now, or expires; or another
 * guard judges the connection after a reload. Its rights without a credential are at once those that the new guard gives;
 * the credentials that it has given are judged again first, and it keeps what it had meanwhile: a client that loses nothing
 * notices nothing.
 */
export const connectionHandler: Behaviour<ConnectionArgs, Connection, ConnectionMessage> = {
  name: 'connection-handler',
  trapExit: true,
  about: ({ context, address }) => `${context.door.name} ${address}`,

  init(self, args) {
    const connection = new Connection(self, args);
    if (!connection.attach()) return connection;
    begin(connection);
    if (connection.transport.kind === 'exchange') readBody(connection);
    // Nothing settles after `init`: a greeting goes out here.
    connection.flush();
    awaitRight(connection);
    return connection;
  },

  handle(connection, message): Next<Connection> {
    if (message instanceof Delivery) {
      if (connection.delivers) connection.queue(message);
      else connection.drop(message.count, 'closed');
      return keep;
    }
    switch (message.type) {
      case 'text':
      case 'binary':
      case 'body':
        connection.transport.handled?.(message.payload.length);
        if (!isTooMuch(connection, message.payload.length)) received(connection, message);
        return keep;
      case 'farewell':
        received(connection, message);
        return keep;
      case 'finish':
        finished(connection);
        return keep;
      case 'ping':
        connection.transport.handled?.(0);
        isTooMuch(connection, 0);
        return keep;
      case 'credit':
        returned(connection, message.bytes);
        return keep;
      case 'flushed':
        connection.flushed();
        return keep;
      case 'pong':
        connection.transport.handled?.(0);
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
        connection.checkProgress();
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
        return connection.isDone ? stop('normal') : keep;
      case 'give-up':
        connection.intake.close();
        return keep;
      case 'rejoin':
        rejoin(connection, message);
        return keep;
      case 'exit':
        return goAway(connection, message);
      case 'joined':
        joined(connection, message);
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
      case 'left':
        left(connection, message.name);
        return keep;
      case 'portion':
        bringOn(connection, message);
        return keep;
      case 'too-slow':
        connection.memberships.delete(message.topic.name);
        connection.close({ type: 'slow', limit: 'resume' });
        return keep;
      case 'published':
        published(connection, message);
        return keep;
      case 'lost':
        connection.memberships.lose(message.topic, message.at);
        rejoin(connection, { type: 'rejoin', topic: message.topic, since: now(connection.self) });
        return keep;
    }
  },

  settle(connection) {
    connection.outflow.settle();
    connection.flush();
    if (connection.awaitsRoom) refill(connection);
    return connection.isDone ? stop('normal') : keep;
  },

  terminate(connection, reason) {
    connection.ended(reason === 'normal' || reason === 'shutdown' ? null : describeReason(reason));
  },

  salvage(connection) {
    connection.killed();
  },

  undelivered(message, reason, connection) {
    for (const { accounting, count } of deliveriesIn(message))
      accounting.drop(count, isOrderly(reason) ? 'closed' : 'crash');
    if (message instanceof Delivery) return;
    if (message.type === 'text' || message.type === 'binary') connection?.leaveBehind(message);
  },
};

function deliveriesIn(message: ConnectionMessage): readonly Delivery[] {
  if (message instanceof Delivery) return [message];
  return message.type === 'joined' || message.type === 'portion' ? (message.deliveries ?? []) : [];
}

/** A body is read once its credential is good; without one, as much is read as anybody may send. */
function readBody(connection: Connection): void {
  const { transport, context, intake, needs } = connection;
  if (intake.question !== undefined) updateReading(connection);
  // Where the request as a whole is judged it has to be there as a whole.
  else if (needs === 'topic') return;
  else if (isEmpty(connection.permissions)) transport.restrict?.(context.limits.messageBeforeAuth);
}

function returned(connection: Connection, bytes: number): void {
  const { intake } = connection;
  intake.giveBack(bytes);
  if (intake.finishing !== undefined) {
    if (intake.whole) finished(connection);
  } else if (intake.paused) updateReading(connection);
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
    transport.keepAlive?.();
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
    connection.cutOff({ type: 'no pong', after: pong });
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
  connection.acknowledged(answer);
  heartbeat.acknowledged(transport.socket, answer);
  if (transport.kind !== 'stream' || pong === 0) return;
  const silence = heartbeat.silence(answer, now(self));
  if (silence === null) return;
  if (silence >= pong) {
    connection.cutOff({ type: 'no acknowledgement', after: pong });
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
    connection.reply(textReply(503, 'Error: going away.', { 'Retry-After': '1' }));
    return keep;
  }
  step(connection, { type: 'leaving', within: spread(connection.context.counters.connections) });
  const wish = typeof reason === 'object' && 'shutdown' in reason ? reason.shutdown : undefined;
  connection.close(wish === undefined ? { type: 'drained' } : { type: 'operator', words: wish });
  return keep;
}

/** Clients that a door may see come back in one second, and the longest that one of them is to wait, in seconds. */
const RETURNS = 1000;

const LONGEST_SPREAD = 30;

/** Seconds over which so many clients are to come back. */
function spread(clients: number): number {
  return Math.min(Math.max(Math.ceil(clients / RETURNS), 1), LONGEST_SPREAD);
}

/** What the transport says of the end matters only where nothing else has ended it. */
function closedByTransport(connection: Connection, code: number): void {
  const { finishing, farewell } = connection.intake;
  const told: End = code === ABNORMAL ? { type: 'connection lost' } : { type: 'left', code };
  gone(connection, finishing?.end ?? farewell?.end ?? told);
}

function published(
  connection: Connection,
  { name, receipt, at }: Extract<MemberMessage, { readonly type: 'published' }>,
): void {
  step(connection, { type: 'published', topic: name, receipt, ...(at === null ? {} : { at }) });
}

/** For the end of a connection whose handler could not be started, or has not ended it. */
export function abandon({ transport, connection }: ConnectionArgs): void {
  if (connection === undefined) transport.destroy();
  else connection.killed();
}
