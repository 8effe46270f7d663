import type { ExecutionContext } from 'ava';
import type { TestRelay } from './relay.ts';
import { connectWs, type WsClient } from './ws-client.ts';

/** One frame of fanfare.1, or the end of the connection: its code and reason. */
export type Frame = Readonly<Record<string, unknown>>;

/** A client that speaks fanfare.1, and has been greeted. */
export interface FanfareClient {
  readonly ws: WsClient;
  readonly hello: Frame;
  say(...frames: readonly Frame[]): void;
  /** The next frame of the relay, or its end. */
  hear(): Promise<Frame>;
  take(count: number): Promise<Frame[]>;
}

export async function fanfareClient(
  t: ExecutionContext,
  relay: TestRelay,
  protocols: readonly string[] = ['fanfare.1'],
): Promise<FanfareClient> {
  const ws = await connectWs(t, relay.port('pusu'), '/', { protocols });
  t.is(ws.webSocket.protocol, 'fanfare.1');
  const hear = async () => {
    const got = await ws.next();
    return typeof got === 'string' ? (JSON.parse(got) as Frame) : (got as unknown as Frame);
  };
  return {
    ws,
    hello: await hear(),
    say: (...frames) => ws.send(...frames.map((frame) => JSON.stringify(frame))),
    hear,
    async take(count) {
      const frames: Frame[] = [];
      while (frames.length < count) frames.push(await hear());
      return frames;
    },
  };
}

/** Without a `since` where that is undefined. */
export function subscribe(channel: string, since?: string): Frame {
  return { type: 'subscribe', channel, since };
}

export function publish(channel: string, content: unknown, more: Frame = {}): Frame {
  return { type: 'publish', channel, content, ...more };
}
