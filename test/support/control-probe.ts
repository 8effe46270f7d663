import type { ExecutionContext } from 'ava';
import type { At } from './confirmed.ts';
import { servedTime } from './served-time.ts';
import { connectWs } from './ws-client.ts';

/** Somebody who subscribes to topics that nobody knows, one after the other: each waits for all linked relays to answer. */
export interface ControlProbe {
  /** Milliseconds from the request to its acknowledgement, for each. */
  readonly took: number[];
  /** The most that it was meanwhile for a topic that all know already: what the machine itself takes. */
  machine(): number;
  stop(): void;
}

/** Between an answer and the next request, in milliseconds. */
const PAUSE = 20;

export async function startControlProbe(t: ExecutionContext, at: At, name: string): Promise<ControlProbe> {
  const known = `known to ${name}`;
  const fresh = await startAsking(t, at, (asked) => `probe of ${name} ${asked}`);
  // Beside it and not in turns with it: a relay that stands still for a moment is seen by both.
  const beside = await startAsking(t, at, () => known);
  return {
    took: fresh.took,
    machine: () => Math.max(...beside.took),
    stop: () => {
      for (const one of [fresh, beside]) one.stop();
    },
  };
}

/** Subscribes to one channel after the other, or to the same one again and again; the first answer is not counted. */
async function startAsking(
  t: ExecutionContext,
  at: At,
  channelOf: (asked: number) => string,
): Promise<{ readonly took: number[]; stop(): void }> {
  const client = await connectWs(t, at);
  await client.next();
  const took: number[] = [];
  let asked = 0;
  let since = 0;
  const time = servedTime(t);
  let timer: NodeJS.Timeout | undefined;
  let running = true;
  const ask = () => {
    const channel = channelOf(asked++);
    since = time();
    client.send(JSON.stringify({ type: 'subscribe', channel }));
  };
  ask();
  await client.next();
  client.webSocket.on('message', (data) => {
    const { channel } = JSON.parse(String(data)) as { readonly channel: string };
    took.push(time() - since);
    if (channel !== channelOf(asked)) client.send(JSON.stringify({ type: 'unsubscribe', channel }));
    if (running) timer = setTimeout(ask, PAUSE);
  });
  const stop = () => {
    running = false;
    clearTimeout(timer);
  };
  client.webSocket.on('close', stop);
  t.teardown(stop);
  ask();
  return { took, stop };
}
