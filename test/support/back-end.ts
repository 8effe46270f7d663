import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { Arrivals } from './arrivals.ts';
import { freePorts } from './cluster.ts';

/** What a back end was asked. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
}

/** A real HTTP server that answers as it is told to. */
export interface BackEnd {
  readonly url: string;
  readonly port: number;
  readonly asked: Arrivals<Asked>;
  /** Connections that it has had. */
  readonly sockets: Set<Socket>;
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  /** Ends it and all its connections. */
  stop(): Promise<void>;
}

export type Answer = BackEnd['answer'];

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end(body);
  };

/** `port`: where another one was; a free one without it, which nobody takes when it has stopped. It ends with the test. */
export async function startBackEnd(t: ExecutionContext, answer: Answer, port?: number): Promise<BackEnd> {
  const [at = 0] = port === undefined ? await freePorts(1) : [port];
  const asked = new Arrivals<Asked>('requests to the back end');
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const { method = '', url = '', headers, rawHeaders } = request;
    asked.push({ method, url, headers, rawHeaders });
    backEnd.answer(request, response);
  });
  // Those past a thousand, too.
  server.maxHeadersCount = 0;
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(at, '127.0.0.1', resolve);
  });
  const taken = (server.address() as AddressInfo).port;
  const backEnd: BackEnd = {
    url: `http://127.0.0.1:${taken}/`,
    port: taken,
    asked,
    sockets,
    answer,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  t.teardown(() => backEnd.stop());
  return backEnd;
}
