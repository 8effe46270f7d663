import { type Client, FanfareError, type Options, type Socket, type WebSocketClass } from './api.ts';
import { relayClient, type Urls } from './relay-client.ts';
import { surroundingsOf } from './surroundings.ts';

export type * from './api.ts';
export { FanfareError };

/** A client of the relay at a URL, at one of several, or at the one that a function names for each attempt. */
export function connect(urls: Urls, options: Options = {}): Client {
  return relayClient(urls, options, surroundingsOf(options, open));
}

function open(url: string, protocols: string[]): Socket {
  const { WebSocket } = globalThis as unknown as { WebSocket: WebSocketClass };
  return new WebSocket(url, protocols) as Socket;
}
