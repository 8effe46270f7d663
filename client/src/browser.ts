import { type Client, FanfareError, type Options, type Socket, type WebSocketClass } from './api.ts';
import { relayClient, type Urls } from './relay-client.ts';
import { surroundingsOf } from './surroundings.ts';

export type * from './api.ts';
export { FanfareError };

/** A client of the relay at a URL, at one of several, or at the one that a function names for each attempt. */
export function connect(urls: Urls, options: Options = {}): Client {
  const WebSocket = options.WebSocket ?? (globalThis as unknown as Global).WebSocket;
  return relayClient(
    urls,
    options,
    surroundingsOf((url, protocols) => new WebSocket(url, protocols) as Socket),
  );
}

interface Global {
  readonly WebSocket: WebSocketClass;
}
