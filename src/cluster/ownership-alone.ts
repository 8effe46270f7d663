import { now } from '../otp/timer.ts';
import { keyOf } from './interest-server.ts';
import { inGrace, isOwned, loseTouch, ownedOf, type State, setOwned } from './ownership-state.ts';

/**
 * Owners while there is no other relay: then topics alone know of theirs, and no claim of this relay is in the table.
 */

/** There may be other relays from here on: who owns a topic here has claimed it when it did, before anybody could hear. */
export function adoptOwners(state: State): void {
  const { node, self, wallClock } = state;
  const time = now(self);
  for (const topic of state.topics().all()) {
    const { lifetime } = topic;
    if (lifetime.state !== 'owned' && lifetime.state !== 'grace') continue;
    // It may be known already, or have lost against another one and not have heard of it yet.
    const known = state.table.get(keyOf(topic));
    if (known !== undefined && (known.claims.has(node) || isOwned(known, node))) continue;
    const owned = ownedOf(state, topic);
    const since = Math.round(wallClock() - (time - topic.ownedSince));
    if (lifetime.state === 'owned') {
      setOwned(owned, { node, state: 'owned', since, grace: lifetime.grace, until: 0 });
    } else {
      const left = Math.max(0, Math.round(lifetime.until - time));
      inGrace(state, owned, { node, state: 'grace', since, grace: left, until: 0 }, left);
    }
    owned.told = 'none';
  }
}

/** There is no other relay any more: the owners that they had may come back here, within their grace. */
export function disown(state: State): void {
  const { node, table } = state;
  for (const [key, owned] of table) {
    if (owned.claims.has(node)) table.delete(key);
    else for (const other of [...owned.claims.keys()]) loseTouch(state, owned, other);
  }
}
