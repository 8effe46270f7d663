import type { ExecutionContext } from 'ava';
import { PATIENCE } from './arrivals.ts';
import { connectWs } from './ws-client.ts';

/**
 * The first subscriber of a topic at a relay is let in when all linked relays know of it, and after 250 ms in any case. On
 * a machine that is slow or busy that comes first, and the subscriber may miss what is published elsewhere in that moment.
 */

/** Where a relay's PuSu door is: a port of loopback, or `ws://host:port`. */
export type At = number | string;

/** Milliseconds: an answer that took less has been waited for. */
const IN_TIME = 240;

/** Lets somebody subscribe at a relay whose PuSu door is `at`; comes back once all relays that it is linked to know. */
export async function confirmed<T>(t: ExecutionContext, at: At, subscribe: () => Promise<T>): Promise<T> {
  const since = performance.now();
  const subscribed = await subscribe();
  if (performance.now() - since >= IN_TIME) await allKnow(t, at);
  return subscribed;
}

/**
 * Waits until all relays that one is linked to know of its subscribers so far. What a link confirms is confirmed with all
 * that was before it: so a topic that nobody knew, and that was confirmed in time, says it of the others too.
 */
export async function allKnow(t: ExecutionContext, at: At): Promise<void> {
  const client = await connectWs(t, at);
  await client.next();
  const end = performance.now() + PATIENCE;
  for (let asked = 1, since = 0; ; asked++) {
    const channel = `known ${client.webSocket.url} ${end} ${asked}`;
    since = performance.now();
    client.send(JSON.stringify({ type: 'subscribe', channel }));
    t.is(await client.next(), JSON.stringify({ type: 'subscribe_ok', channel }));
    client.send(JSON.stringify({ type: 'unsubscribe', channel }));
    if (performance.now() - since < IN_TIME) break;
    if (performance.now() > end) throw new Error('no subscription was confirmed in time');
  }
  await client.leave();
}
