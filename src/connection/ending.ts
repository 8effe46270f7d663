import { uptime } from '../otp/timer.ts';
import { ABNORMAL } from './close-codes.ts';
import { detailsOf } from './closed-details.ts';
import type { Connection, ConnectionArgs } from './connection.ts';
import { drop, dropInFlight } from './writing.ts';

/** Counts what was not delivered, and writes the log line. */
export function ended(connection: Connection, why: 'slow' | 'crash' | 'closed'): void {
  if (connection.ended) return;
  connection.ended = true;
  drop(connection, why);
  dropInFlight(connection, why);
  if (!connection.accepted) return;
  connection.context.counters.connections--;
  writeLog(connection);
}

function writeLog(connection: Connection): void {
  const { context, self, closeCode, closeReason, subject } = connection;
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
      ...(subject === null ? {} : { subject }),
    },
    closeReason === 'slow' ? 'warn' : 'info',
    detailsOf(connection),
  );
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
  connection.closeCode ||= ABNORMAL;
  connection.closeReason ||= 'killed';
  ended(connection, 'crash');
}
