import type { ExecutionContext } from 'ava';
import { PATIENCE } from './arrivals.ts';
import { type At, confirmed } from './confirmed.ts';
import { connectWs, type WsClient } from './ws-client.ts';

/** Publishes numbered messages at a steady rate. */
export interface Publisher {
  readonly name: string;
  /** Messages sent so far. */
  sent(): number;
  /** Ends the flow with a last message. */
  stop(): void;
}

/** What one subscriber has seen of each publisher. */
export interface Seen {
  first: number;
  last: number;
  count: number;
  duplicates: number;
  reordered: number;
}

export interface Subscriber {
  readonly client: WsClient;
  of(publisher: string): Seen;
  /** Waits for a publisher's last message. */
  end(publisher: Publisher): Promise<void>;
}

const PERIOD = 5;

/** `bytes`: how many each message has beside its number. */
export async function startPublisher(
  t: ExecutionContext,
  at: At,
  channel: string,
  name: string,
  perSecond: number,
  bytes = 0,
): Promise<Publisher> {
  const client = await connectWs(t, at);
  const padding = 'x'.repeat(bytes);
  let sent = 0;
  const publish = (count: number) => {
    for (let i = 0; i < count; i++) {
      sent++;
      client.send(JSON.stringify({ type: 'publish', channel, content: `${name} ${sent} ${padding}` }));
    }
  };
  const timer = setInterval(() => publish(Math.max(1, Math.round((perSecond * PERIOD) / 1000))), PERIOD);
  t.teardown(() => clearInterval(timer));
  return {
    name,
    sent: () => sent,
    stop: () => {
      clearInterval(timer);
      publish(1);
    },
  };
}

export async function startSubscriber(t: ExecutionContext, at: At, channel: string): Promise<Subscriber> {
  const client = await connectWs(t, at);
  await client.next();
  const seen = new Map<string, Seen>();
  const numbers = new Map<string, Set<number>>();
  let awaited: (() => void)[] = [];
  const of = (name: string): Seen => {
    let one = seen.get(name);
    if (one === undefined) {
      one = { first: 0, last: 0, count: 0, duplicates: 0, reordered: 0 };
      seen.set(name, one);
    }
    return one;
  };
  client.webSocket.on('message', (data) => {
    const { type, content } = JSON.parse(String(data)) as { readonly type: string; readonly content: string };
    if (type !== 'publish') return;
    const [name = '', digits] = content.split(' ');
    const number = Number(digits);
    const one = of(name);
    let known = numbers.get(name);
    if (known === undefined) {
      known = new Set();
      numbers.set(name, known);
    }
    if (known.has(number)) one.duplicates++;
    else if (number < one.last) one.reordered++;
    known.add(number);
    if (one.count === 0) one.first = number;
    one.last = Math.max(one.last, number);
    one.count++;
    for (const look of awaited) look();
  });
  await confirmed(t, at, async () => {
    client.send(JSON.stringify({ type: 'subscribe', channel }));
    await client.next();
  });
  return {
    client,
    of,
    end: async (publisher) => {
      const { name } = publisher;
      const number = publisher.sent();
      const come = () => numbers.get(name)?.has(number) === true;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${name} ${number} has not come`)), PATIENCE);
        const look = () => {
          if (!come()) return;
          clearTimeout(timer);
          awaited = awaited.filter((other) => other !== look);
          resolve();
        };
        awaited.push(look);
        look();
      });
    },
  };
}

/** Nothing came twice or out of order. Returns how many of a publisher's messages have not come. */
export function missing(t: ExecutionContext, subscriber: Subscriber, publisher: Publisher): number {
  const { duplicates, reordered, count } = subscriber.of(publisher.name);
  t.is(duplicates, 0, `${publisher.name}: duplicates`);
  t.is(reordered, 0, `${publisher.name}: reordered`);
  return publisher.sent() - count;
}
