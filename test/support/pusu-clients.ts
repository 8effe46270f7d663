import type { ExecutionContext } from 'ava';
import { confirmed } from './confirmed.ts';
import { connectWs, type WsClient } from './ws-client.ts';

/** A relay in this process or another one. */
export interface AnyRelay {
  port(door: string): number | Promise<number>;
}

/** A client at the PuSu door of a relay, past its hello. */
export async function pusu(t: ExecutionContext, relay: AnyRelay): Promise<WsClient> {
  const client = await connectWs(t, await relay.port('pusu'));
  await client.next();
  return client;
}

/** One that listens to a channel, which all linked relays know. */
export async function subscriber(t: ExecutionContext, relay: AnyRelay, channel: string): Promise<WsClient> {
  const client = await pusu(t, relay);
  return confirmed(t, await relay.port('pusu'), async () => {
    client.send(JSON.stringify({ type: 'subscribe', channel }));
    t.is(await client.next(), JSON.stringify({ type: 'subscribe_ok', channel }));
    return client;
  });
}
