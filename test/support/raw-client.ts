import { request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { Arrivals } from './arrivals.ts';

/** A TCP client that sends bytes as they are. */
export interface RawClient {
  readonly socket: Socket;
  /** All that has come so far, one character for each byte. */
  received(): string;
  send(bytes: string | Buffer): void;
  /** Waits until `text` has come, and returns all that has. */
  until(text: string): Promise<string>;
  /** Waits until the other side has ended the connection, and returns all that has come. */
  end(): Promise<string>;
}

/** `at`: a port of loopback, or the path of a UNIX socket. */
export async function connectRaw(t: ExecutionContext, at: number | string): Promise<RawClient> {
  const socket = typeof at === 'number' ? connect(at, '127.0.0.1') : connect(at);
  t.teardown(() => socket.destroy());
  const states = new Arrivals<{ readonly text: string; readonly ended: boolean }>('raw client');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    states.push({ text, ended: false });
  });
  socket.on('error', () => undefined);
  socket.on('close', () => states.push({ text, ended: true }));
  await new Promise<void>((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('error', reject);
  });
  return {
    socket,
    received: () => text,
    send: (bytes) => socket.write(bytes),
    until: async (wanted) => (await states.find((state) => state.text.includes(wanted), wanted)).text,
    end: async () => (await states.find(({ ended }) => ended, 'the end')).text,
  };
}

/** Sends bytes on a connection of their own, and returns all that comes until the other side ends it. */
export async function rawExchange(
  t: ExecutionContext,
  at: number | string,
  bytes: string | Buffer,
): Promise<string> {
  const client = await connectRaw(t, at);
  client.send(bytes);
  return client.end();
}

/** A well-formed upgrade, header by header; `changes` replaces headers, removes them (null), or repeats them (a list). */
export function upgradeRequest(
  changes: Readonly<Record<string, string | readonly string[] | null>> = {},
  line = 'GET /t HTTP/1.1',
): string {
  const headers: Record<string, string | readonly string[] | null> = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    (values === null ? [] : [values].flat()).map((value) => `${name}: ${value}\r\n`),
  );
  return `${line}\r\n${lines.join('')}\r\n`;
}

/** A text frame as a client sends it, of at most 125 bytes; the mask is zero, so that the payload stays readable. */
export function clientFrame(text: string, opcode = 1): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The certificate that is trusted: the request goes over TLS. */
  readonly ca?: Buffer;
}

/** One HTTP request on a connection of its own. The path is sent as it is. */
export function ask(
  at: number | string,
  path: string,
  { method, headers, body, ca }: Ask = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const where = typeof at === 'number' ? { host: '127.0.0.1', port: at } : { socketPath: at };
    const send = ca === undefined ? request : tlsRequest;
    const outgoing = send(
      { ...where, path, method: method ?? 'GET', headers: { ...headers }, agent: false, ca },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export function post(at: number | string, path: string, body: string | Buffer): Promise<Answer> {
  return ask(at, path, { method: 'POST', body });
}
