import type { ExecutionContext } from 'ava';
import type { RelayProcess } from './relay-process.ts';
import { connectWs, type WsClient } from './ws-client.ts';

/** A client at the PuSu door of a relay, past its hello. */
export async function pusu(t: ExecutionContext, relay: Pick<RelayProcess, 'port'>): Promise<WsClient> {
  const client = await connectWs(t, await relay.port('pusu'));
  await client.next();
  return client;
}

/** One that listens to a channel. */
export async function subscriber(
  t: ExecutionContext,
  relay: Pick<RelayProcess, 'port'>,
  channel: string,
): Promise<WsClient> {
  const client = await pusu(t, relay);
  client.send(JSON.stringify({ type: 'subscribe', channel }));
  t.is(await client.next(), JSON.stringify({ type: 'subscribe_ok', channel }));
  return client;
}
