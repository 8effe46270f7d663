import { type Client, FanfareError, type Options, type Socket, type WebSocketClass } from './api.ts';
import { relayClient, type Urls } from './relay-client.ts';
import { surroundingsOf } from './surroundings.ts';

export type * from './api.ts';
export { FanfareError };

/** A client of the relay at a URL, at one of several, or at the one that a function names for each attempt. */
export function connect(urls: Urls, options: Options = {}): Client {
  return relayClient(urls, options, surroundingsOf(options, open));
}

/** `ws` comes first: it can pause, and Node 20 has none of its own. */
async function open(url: string, protocols: string[]): Promise<Socket> {
  const ws = await import('ws').catch(() => null);
  if (ws !== null) return new ws.WebSocket(url, protocols, { perMessageDeflate: false }) as Socket;
  const { WebSocket } = globalThis as unknown as { WebSocket?: WebSocketClass };
  if (WebSocket === undefined)
    throw new FanfareError('unsupported', 'this Node has no WebSocket: npm install ws');
  return new WebSocket(url, protocols) as Socket;
}
