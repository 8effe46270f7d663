import type { ExecutionContext } from 'ava';
import { eventually } from './arrivals.ts';
import type { AnyRelay } from './pusu-clients.ts';
import { connectWs, type WsClient } from './ws-client.ts';

/**
 * An owner of wspubsub is let in when all linked relays have heard of it, and 250 ms after its claim was granted in any
 * case: on a machine that is slow or busy, subscribers may be refused elsewhere for a moment more.
 */

/** Milliseconds: an owner that was let in sooner is known. */
const IN_TIME = 240;

/** An owner at `relay` that is known to all `relays`. */
export async function owner(
  t: ExecutionContext,
  relay: AnyRelay,
  { key, topic }: { readonly key: string; readonly topic: string },
  relays: readonly AnyRelay[],
): Promise<WsClient> {
  const since = performance.now();
  const client = await connectWs(t, await relay.port('wspubsub'), `/ws/pub/${key}/${topic}`);
  if (performance.now() - since < IN_TIME) return client;
  for (const one of relays) {
    const port = await one.port('wspubsub');
    await eventually(() => isLetIn(t, port, `/ws/sub/${topic}`), 'its owner is known');
  }
  return client;
}

function isLetIn(t: ExecutionContext, port: number, path: string): Promise<boolean> {
  return connectWs(t, port, path).then(
    async (client) => {
      await client.leave();
      return true;
    },
    () => false,
  );
}
