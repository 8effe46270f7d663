import { uptime } from '../otp/timer.ts';
import type { Connection, ConnectionArgs } from './connection.ts';
import type { ClosedDetails } from './door-context.ts';
import { type Telling, tellingOf } from './end.ts';
import { dropAll } from './writing.ts';

/** How many topics of a connection that has ended are kept by name; the others are counted. */
const TOPICS_NAMED = 8;

/** Counts what was not delivered, and writes the log line. */
export function ended(connection: Connection): void {
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
export function killed(connection: Connection): void {
  if (connection.ended) return;
  connection.transport.destroy();
  const telling = tellingOf(connection.end ?? { type: 'killed' }, connection.transport.kind);
  // It may have been told to close before, and was not let finish.
  count(connection, { ...telling, dropped: 'crash' });
}
