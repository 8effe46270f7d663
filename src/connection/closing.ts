import type { HttpReply } from '../door/contract.ts';
import type { Connection } from './connection.ts';
import { type End, tellingOf } from './end.ts';
import { flush, letGo } from './writing.ts';

/** Ends an accepted connection: what is queued goes out first, and then the close. */
export function close(connection: Connection, end: End): void {
  if (connection.phase === 'closing') return;
  connection.end ??= end;
  if (connection.phase === 'opening') {
    connection.close();
    connection.transport.destroy();
    return;
  }
  flush(connection);
  connection.close();
  letGo(connection);
  if (!connection.outflow.writing) finishClose(connection);
}

/** Sends the close, once nothing waits to be written any more. */
export function finishClose(connection: Connection): void {
  const { end, transport } = connection;
  if (end === undefined) return;
  const { code, reason } = tellingOf(end, transport.kind);
  transport.close(code, reason);
}

/** Answers a request that is not accepted. */
export function reply(connection: Connection, answer: HttpReply): void {
  if (connection.phase !== 'opening') return;
  connection.close();
  if (answer.status >= 400)
    connection.context.log.refused(connection.context.door.name, answer.status, connection.address);
  connection.transport.reply(answer);
}
