import type { ExecutionContext } from 'ava';
import { awake } from './awake.ts';
import type { At } from './traffic.ts';
import { connectWs } from './ws-client.ts';

/** Somebody who subscribes to topics that nobody knows, one after the other: each waits for all linked relays to answer. */
export interface ControlProbe {
  /** Milliseconds from the request to its acknowledgement, for each. */
  readonly took: number[];
  /** The most that it was for a topic that all know already, one request beside each of the others: what the machine takes. */
  machine(): number;
  stop(): void;
}

/** Between an answer and the next request, in milliseconds. */
const PAUSE = 20;

export async function startControlProbe(t: ExecutionContext, at: At, name: string): Promise<ControlProbe> {
  const client = await connectWs(t, at);
  await client.next();
  const took: number[] = [];
  let slowest = 0;
  const known = `known to ${name}`;
  let asked = 0;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  let running = true;
  const subscribe = (channel: string) => {
    since = awake();
    client.send(JSON.stringify({ type: 'subscribe', channel }));
  };
  const next = () => subscribe(`probe of ${name} ${++asked}`);
  client.send(JSON.stringify({ type: 'subscribe', channel: known }));
  await client.next();
  client.webSocket.on('message', (data) => {
    const { channel } = JSON.parse(String(data)) as { readonly channel: string };
    if (channel !== known) {
      took.push(awake() - since);
      client.send(JSON.stringify({ type: 'unsubscribe', channel }));
      subscribe(known);
      return;
    }
    slowest = Math.max(slowest, awake() - since);
    if (running) timer = setTimeout(next, PAUSE);
  });
  const stop = () => {
    running = false;
    clearTimeout(timer);
  };
  client.webSocket.on('close', stop);
  t.teardown(stop);
  next();
  return { took, machine: () => slowest, stop };
}
