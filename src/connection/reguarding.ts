import { confirm } from '../authenticator/authenticator-server.ts';
import { none } from '../authenticator/permissions.ts';
import { sendAfter } from '../otp/timer.ts';
import { close } from './closing.ts';
import type { Connection, Unconfirmed } from './connection.ts';
import { Ending } from './ending-rights.ts';
import { step } from './performing.ts';
import { confirmed } from './rights.ts';

/**
 * What becomes of a connection when its guard is another one by now, after a reload. Its rights without a credential are
 * at once those that the guard gives; if it has given credentials, those are judged again first, and it keeps what it
 * had meanwhile: who loses nothing notices nothing.
 */

/** Milliseconds that judging again may take; who has not been judged by then has what his credentials were worth before. */
const CONFIRM = 4000;

export function reguard(connection: Connection): void {
  const { guard, asking, self } = connection;
  const before = connection.needs;
  if (connection.phase === 'closing') return;
  connection.needs = guard.needs;
  if (guard.needs === 'topic') {
    // Of who came to a guard of another kind the request is not known any more, and nobody can be asked about half of it.
    if (before !== 'topic') turnOut(connection);
    else if (guard.server !== null && asking !== undefined)
      for (const ref of asking.judged.refs) confirm(guard.server, self, ref);
    return;
  }
  if (before === 'topic' && asking !== undefined) keepUntilConfirmed(connection);
  const unconfirmed: Unconfirmed = new Set(connection.ending?.held.keys());
  if (unconfirmed.size === 0) {
    confirmed(connection);
    return;
  }
  connection.unconfirmed = unconfirmed;
  if (guard.server !== null) for (const ref of unconfirmed) confirm(guard.server, self, ref);
  sendAfter(self, CONFIRM, { type: 'confirm-over', unconfirmed });
}

/** Nobody has judged what is left, or not in time. */
export function confirmOver(connection: Connection, unconfirmed: Unconfirmed): void {
  if (connection.unconfirmed === unconfirmed) confirmed(connection);
}

function turnOut(connection: Connection): void {
  if (connection.accepted) close(connection, { type: 'revoked' });
  else step(connection, { type: 'unavailable' });
}

/** The topics that were judged one by one stay open until the credentials that came with them have been judged. */
function keepUntilConfirmed(connection: Connection): void {
  const { asking } = connection;
  if (asking === undefined) return;
  connection.ending ??= new Ending(none);
  const { ending } = connection;
  for (const ref of asking.offered) ending.held.set(ref, { permissions: none, until: null, grace: 0 });
  ending.lasting = asking.judged.permissions;
  connection.permissions = ending.lasting;
  asking.judged.clear();
}
