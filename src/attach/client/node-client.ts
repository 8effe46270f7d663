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
/** Milliseconds in which a node that lives has said something: no turn of its loop lasts so long. */
const PATIENCE = 5000;
/** In so many parts of its patience a client asks again whether the node lives. */
const ASKED_AGAIN = 5;

/** A process has the node's socket, and says nothing: it hangs, or somebody has stopped it. */
export class SilentNode extends Error {
  constructor(patience: number) {
    super(`the node has not answered for ${patience / 1000} s: it hangs, or is stopped`);
  }
}

/** The way to a node's sessions, from another process. */
export class NodeClient {
  readonly hello: Hello;
  onSay: (text: string) => void = () => undefined;
  onGone: () => void = () => undefined;
  readonly #socket: Socket;
  readonly #asker: Asker;
  readonly #patience: number;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  #lastId = 0;
  #closed = false;
  #watch: NodeJS.Timeout | undefined;
  /** How often it was asked since it said something. Counted, not timed: this process may have been stopped itself. */
  #askedInVain = 0;

  private constructor(socket: Socket, hello: Hello, asker: Asker, patience: number) {
    this.#socket = socket;
    this.hello = hello;
    this.#asker = asker;
    this.#patience = patience;
  }

  /**
   * The node that has this folder. Undefined: no node answers there. Rejects with a SilentNode. `patience`: milliseconds for
   * its first word, and later for a sign of life while a request waits.
   */
  static async connect(
    folder: string,
    asker: Asker = {},
    patience = PATIENCE,
  ): Promise<NodeClient | undefined> {
    const address = new SocketAddress(join(folder, SOCKET_FILE));
    const socket = connect(address.text);
    socket.setEncoding('utf8');
    let client: NodeClient | undefined;
    let late: NodeJS.Timeout | undefined;
    const hello = await new Promise<Hello | undefined>((resolve, reject) => {
      late = setTimeout(() => {
        socket.destroy();
        reject(new SilentNode(patience));
      }, patience);
      const lines = new Lines((line) => {
        const answer = JSON.parse(line) as Answer;
        if (client !== undefined) client.#take(answer);
        else if (answer.type === 'hello') {
          client = new NodeClient(socket, answer, asker, patience);
          resolve(answer);
        }
      });
      socket.on('data', (chunk: string) => {
        if (client !== undefined) client.#askedInVain = 0;
        lines.take(chunk);
      });
      // Its close follows.
      socket.on('error', () => undefined);
      socket.on('connect', () => address.close());
      socket.on('close', () => {
        address.close();
        resolve(undefined);
        if (client !== undefined) client.#end();
      });
    }).finally(() => clearTimeout(late));
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

  /** Whether the last request was given up because the node said nothing more. */
  get isSilent(): boolean {
    return this.#askedInVain >= ASKED_AGAIN;
  }

  /** Gives up all requests under way. */
  cancel(): void {
    for (const of of [...this.#waiting.keys()]) void this.#ask({ type: 'cancel', of });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#watch);
    // A node that says nothing never closes its end.
    if (this.isSilent) this.#socket.destroy();
    else this.#socket.end();
  }

  #ask(request: Asked): Promise<Outcome> {
    if (this.#closed || !this.#socket.writable) return Promise.resolve(GONE);
    return new Promise((resolve) => {
      this.#waiting.set(this.#write(request), resolve);
      if (this.#waiting.size > 1) return;
      this.#askedInVain = 0;
      this.#watch = setInterval(() => this.#askWhetherItLives(), this.#patience / ASKED_AGAIN);
    });
  }

  #write(request: Asked): number {
    const id = ++this.#lastId;
    this.#socket.write(`${JSON.stringify({ ...request, ...this.#asker, id })}\n`);
    return id;
  }

  /** A request may take as long as it needs, as long as the node says anything meanwhile. */
  #askWhetherItLives(): void {
    this.#askedInVain++;
    if (!this.isSilent) this.#write({ type: 'status' });
    else this.#settle({ ok: false, text: new SilentNode(this.#patience).message });
  }

  #take(answer: Answer): void {
    if (answer.type === 'say') this.onSay(answer.text);
    if (answer.type !== 'answer') return;
    this.#waiting.get(answer.id)?.({ ok: answer.ok, text: answer.text });
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) clearInterval(this.#watch);
  }

  /** All that waits comes to the same. */
  #settle(outcome: Outcome): void {
    clearInterval(this.#watch);
    for (const resolve of this.#waiting.values()) resolve(outcome);
    this.#waiting.clear();
  }

  #end(): void {
    this.#settle(GONE);
    if (!this.#closed) this.onGone();
    this.#closed = true;
  }
}

function within(width: number | undefined): { readonly width?: number } {
  return width === undefined || width < 1 ? {} : { width };
}

/** `ready`, `starting`, or `unreachable`: no node answers. Rejects with a SilentNode. */
export async function statusOf(folder: string, patience = PATIENCE): Promise<string> {
  const client = await NodeClient.connect(folder, {}, patience);
  if (client === undefined) return 'unreachable';
  const status = await client.status();
  client.close();
  if (client.isSilent) throw new SilentNode(patience);
  return status;
}
