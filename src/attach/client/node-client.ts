import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  type Answer,
  type Asker,
  Lines,
  type Outcome,
  type Request,
  SOCKET_FILE,
  SocketAddress,
  type Style,
} from '../protocol.ts';

type Hello = Extract<Answer, { readonly type: 'hello' }>;
type Asked = Request extends infer One ? (One extends Request ? Omit<One, 'id'> : never) : never;

const GONE: Outcome = { ok: false, text: 'the node is gone' };

/** The way to a node's sessions, from another process. */
export class NodeClient {
  readonly hello: Hello;
  onSay: (text: string) => void = () => undefined;
  onGone: () => void = () => undefined;
  readonly #socket: Socket;
  readonly #asker: Asker;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  #lastId = 0;
  #closed = false;

  private constructor(socket: Socket, hello: Hello, asker: Asker) {
    this.#socket = socket;
    this.hello = hello;
    this.#asker = asker;
  }

  /** The node that has this folder. Undefined: no node answers there. */
  static async connect(folder: string, asker: Asker = {}): Promise<NodeClient | undefined> {
    const address = new SocketAddress(join(folder, SOCKET_FILE));
    const socket = connect(address.text);
    socket.setEncoding('utf8');
    let client: NodeClient | undefined;
    const hello = await new Promise<Hello | undefined>((resolve) => {
      const lines = new Lines((line) => {
        const answer = JSON.parse(line) as Answer;
        if (client !== undefined) client.#take(answer);
        else if (answer.type === 'hello') {
          client = new NodeClient(socket, answer, asker);
          resolve(answer);
        }
      });
      socket.on('data', (chunk: string) => lines.take(chunk));
      // Its close follows.
      socket.on('error', () => undefined);
      socket.on('connect', () => address.close());
      socket.on('close', () => {
        address.close();
        resolve(undefined);
        if (client !== undefined) client.#end();
      });
    });
    return hello === undefined ? undefined : client;
  }

  /** `width`: characters of a line of the answer; undefined: any number. */
  evaluate(text: string, style: Style, width?: number): Promise<Outcome> {
    return this.#ask({ type: 'evaluate', text, style, ...within(width) });
  }

  call(name: string, args: readonly unknown[], style: Style, width?: number): Promise<Outcome> {
    return this.#ask({ type: 'call', name, args, style, ...within(width) });
  }

  /** A named operation, as it was typed. */
  command(text: string, style: Style, width?: number): Promise<Outcome> {
    return this.#ask({ type: 'command', text, style, ...within(width) });
  }

  async complete(text: string): Promise<string[]> {
    const { ok, text: json } = await this.#ask({ type: 'complete', text });
    return ok ? (JSON.parse(json) as string[]) : [];
  }

  async status(): Promise<string> {
    return (await this.#ask({ type: 'status' })).text;
  }

  /** Gives up all requests under way. */
  cancel(): void {
    for (const of of [...this.#waiting.keys()]) void this.#ask({ type: 'cancel', of });
  }

  close(): void {
    this.#closed = true;
    this.#socket.end();
  }

  #ask(request: Asked): Promise<Outcome> {
    if (this.#closed || !this.#socket.writable) return Promise.resolve(GONE);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.write(`${JSON.stringify({ ...request, ...this.#asker, id })}\n`);
    });
  }

  #take(answer: Answer): void {
    if (answer.type === 'say') this.onSay(answer.text);
    if (answer.type !== 'answer') return;
    this.#waiting.get(answer.id)?.({ ok: answer.ok, text: answer.text });
    this.#waiting.delete(answer.id);
  }

  #end(): void {
    for (const resolve of this.#waiting.values()) resolve(GONE);
    this.#waiting.clear();
    if (!this.#closed) this.onGone();
    this.#closed = true;
  }
}

function within(width: number | undefined): { readonly width?: number } {
  return width === undefined || width < 1 ? {} : { width };
}

/** `ready`, `starting`, or `unreachable`: no node answers. */
export async function statusOf(folder: string): Promise<string> {
  const client = await NodeClient.connect(folder);
  if (client === undefined) return 'unreachable';
  const status = await client.status();
  client.close();
  return status;
}
