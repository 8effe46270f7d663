import type { ExecutionContext } from 'ava';
import type { At } from './traffic.ts';
import { connectWs } from './ws-client.ts';

/** Somebody who subscribes to topics that nobody knows, one after the other: each waits for all linked relays to answer. */
export interface ControlProbe {
  /** Milliseconds from the request to its acknowledgement, for each. */
  readonly took: number[];
  stop(): void;
}

/** Between an answer and the next request, in milliseconds. */
const PAUSE = 20;

export async function startControlProbe(t: ExecutionContext, at: At, name: string): Promise<ControlProbe> {
  const client = await connectWs(t, at);
  await client.next();
  const took: number[] = [];
  let asked = 0;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  let running = true;
  const subscribe = () => {
    since = performance.now();
    client.send(JSON.stringify({ type: 'subscribe', channel: `probe of ${name} ${++asked}` }));
  };
  client.webSocket.on('message', () => {
    took.push(performance.now() - since);
    client.send(JSON.stringify({ type: 'unsubscribe', channel: `probe of ${name} ${asked}` }));
    if (running) timer = setTimeout(subscribe, PAUSE);
  });
  const stop = () => {
    running = false;
    clearTimeout(timer);
  };
  client.webSocket.on('close', stop);
  t.teardown(stop);
  subscribe();
  return { took, stop };
}
