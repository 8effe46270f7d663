import { type Client, FanfareError, type Options, type Socket, type WebSocketClass } from './api.ts';
import { relayClient, type Urls } from './relay-client.ts';
import { surroundingsOf } from './surroundings.ts';

export type * from './api.ts';
export { FanfareError };

/** A client of the relay at a URL, at one of several, or at the one that a function names for each attempt. */
export function connect(urls: Urls, options: Options = {}): Client {
  const open = async (url: string, protocols: string[]) => {
    const WebSocket = options.WebSocket ?? (await webSocketClass());
    return new WebSocket(url, protocols) as Socket;
  };
  return relayClient(urls, options, surroundingsOf(open));
}

/** `ws` comes first: it can pause, and Node 20 has none of its own. */
async function webSocketClass(): Promise<WebSocketClass> {
  const ws = await import('ws').catch(() => null);
  if (ws !== null)
    return class extends ws.WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { perMessageDeflate: false });
      }
    };
  const { WebSocket } = globalThis as unknown as { readonly WebSocket?: WebSocketClass };
  if (WebSocket === undefined)
    throw new FanfareError('unsupported', 'this Node has no WebSocket: npm install ws');
  return WebSocket;
}
