import type { IncomingMessage } from 'node:http';
import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { Arrivals } from './arrivals.ts';

/** How a connection ended: the last thing that a client gets. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** What a client gets, in order: a string for a text frame, a Buffer for a binary one, and at last the end. */
export type Got = string | Buffer | Ended;

export interface WsClient {
  readonly webSocket: WebSocket;
  readonly got: Arrivals<Got>;
  readonly pings: Arrivals<string>;
  next(): Promise<Got>;
  take(count: number): Promise<Got[]>;
  send(...messages: readonly (string | Buffer)[]): void;
  /** Sends text that may not be text. */
  sendAsText(payload: Buffer): void;
  /** Closes, and waits for the end. */
  leave(code?: number): Promise<void>;
}

interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  readonly autoPong?: boolean;
  /** The certificate that is trusted, for wss. */
  readonly ca?: Buffer;
}

/** `at`: a port of loopback, or `wss://127.0.0.1:PORT`, or `ws+unix:` and the rest of such an address. */
function newWebSocket(at: number | string, path: string, options: Options): WebSocket {
  const base = typeof at === 'number' ? `ws://127.0.0.1:${at}` : at;
  return new WebSocket(base + path, [...(options.protocols ?? [])], {
    headers: { ...options.headers },
    perMessageDeflate: false,
    autoPong: options.autoPong ?? true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
}

/** Connects, and is over with the test. Rejects when the upgrade is refused. */
export async function connectWs(
  t: ExecutionContext,
  at: number | string,
  path = '/',
  options: Options = {},
): Promise<WsClient> {
  const webSocket = newWebSocket(at, path, options);
  t.teardown(() => webSocket.terminate());
  const got = new Arrivals<Got>(`client at ${path}`);
  const pings = new Arrivals<string>(`pings to ${path}`);
  webSocket.on('message', (data, isBinary) => got.push(isBinary ? (data as Buffer) : String(data)));
  webSocket.on('ping', (data) => pings.push(String(data)));
  webSocket.on('close', (code, reason) => got.push({ code, reason: String(reason) }));
  await new Promise<void>((resolve, reject) => {
    webSocket.on('open', resolve);
    webSocket.on('error', reject);
  });
  webSocket.on('error', () => undefined);
  return {
    webSocket,
    got,
    pings,
    next: () => got.next(),
    take: (count) => got.take(count),
    send: (...messages) => {
      for (const message of messages) webSocket.send(message);
    },
    sendAsText: (payload) => webSocket.send(payload, { binary: false }),
    leave: async (code) => {
      webSocket.close(code);
      await got.find((one) => typeof one === 'object' && 'code' in one);
    },
  };
}

/** Tries to connect, and returns the answer that is no upgrade. */
export async function refusedWs(
  t: ExecutionContext,
  at: number | string,
  path = '/',
  options: Options = {},
): Promise<{ readonly status: number; readonly body: string; readonly headers: IncomingMessage['headers'] }> {
  const webSocket = newWebSocket(at, path, options);
  t.teardown(() => webSocket.terminate());
  webSocket.on('error', () => undefined);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    webSocket.on('unexpected-response', (_request, answer) => resolve(answer));
    webSocket.on('open', () => reject(new Error('the upgrade was not refused')));
    webSocket.on('close', () => reject(new Error('closed without an answer')));
  });
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body, headers: response.headers };
}
