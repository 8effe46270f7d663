import { appendFileSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { Script } from 'node:vm';
import type { NodeClient } from './node-client.ts';

/**
 * The line editor of an attached operator. It runs in the operator's own process: in the node it would cost the node
 * dearly. `^C` gives up the line, or what is being evaluated; `^D` detaches, and leaves the node as it is.
 */
export async function attachTerminal(
  client: NodeClient,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream & { readonly isTTY?: boolean },
): Promise<number> {
  return new Promise((resolve) => new Terminal(client, input, output, resolve).start());
}

const HISTORY_FILE = '.fanfare_history';
const HISTORY = 1000;
const DETACHED = 0;
const LOST = 1;

class Terminal {
  readonly #client: NodeClient;
  readonly #output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly #lines: Interface;
  readonly #terminal: boolean;
  readonly #done: (code: number) => void;
  /** Lines that were read and not evaluated yet: each waits for the one before it. */
  readonly #waiting: string[] = [];
  /** The lines of an unfinished expression. */
  #typed = '';
  #number = 1;
  #busy = false;
  #ended = false;
  #code = DETACHED;

  constructor(
    client: NodeClient,
    input: NodeJS.ReadableStream,
    output: NodeJS.WritableStream & { readonly isTTY?: boolean },
    done: (code: number) => void,
  ) {
    this.#client = client;
    this.#output = output;
    this.#done = done;
    this.#terminal = output.isTTY === true && (input as NodeJS.ReadStream).isTTY === true;
    this.#lines = createInterface({
      input,
      output,
      terminal: this.#terminal,
      history: this.#terminal ? history() : [],
      historySize: HISTORY,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        void client.complete(line).then((names) => done(null, [names, completed(line)]));
      },
    });
  }

  start(): void {
    const { hello } = this.#client;
    this.#client.onSay = (text) => this.#say(text);
    this.#client.onGone = () => {
      this.#say('the node is gone');
      this.#code = LOST;
      this.#lines.close();
    };
    if (this.#terminal) {
      const what = hello.evaluation ? 'h() lists what there is' : 'named operations only; h lists them';
      this.#write(`fanfare ${hello.version}, ${hello.node}, pid ${hello.pid}: ${what}, ^D detaches\n`);
    }
    this.#lines.on('line', (line) => {
      this.#waiting.push(line);
      void this.#next();
    });
    this.#lines.on('SIGINT', () => this.#interrupt());
    this.#lines.on('close', () => {
      this.#ended = true;
      if (this.#waiting.length === 0 && !this.#busy) this.#leave();
      else if (this.#terminal) {
        this.#waiting.length = 0;
        this.#client.cancel();
      }
    });
    this.#prompt();
  }

  async #next(): Promise<void> {
    if (this.#busy) return;
    const line = this.#waiting.shift();
    if (line === undefined) {
      if (this.#ended) this.#leave();
      else this.#prompt();
      return;
    }
    const text = this.#typed === '' ? line : `${this.#typed}\n${line}`;
    if (text.trim() === '') {
      this.#typed = '';
    } else if (this.#client.hello.evaluation && isUnfinished(text) && !this.#ended) {
      this.#typed = text;
    } else {
      this.#typed = '';
      this.#busy = true;
      await this.#evaluate(text);
      this.#busy = false;
      this.#number++;
    }
    await this.#next();
  }

  async #evaluate(text: string): Promise<void> {
    if (this.#terminal) remember(text);
    const style = this.#terminal ? 'colours' : 'lines';
    const { hello } = this.#client;
    const { ok, text: answer } = hello.evaluation
      ? await this.#client.evaluate(text, style)
      : await this.#client.command(text, style);
    const red = !ok && this.#terminal;
    this.#write(`${red ? '\u001b[31m' : ''}${answer}${red ? '\u001b[39m' : ''}\n`);
  }

  #interrupt(): void {
    if (this.#busy) {
      this.#client.cancel();
      return;
    }
    this.#typed = '';
    this.#write('\n');
    // The line that was being typed is given up, too.
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
    this.#prompt();
  }

  /** Text that belongs to no answer goes above the line that is being typed. */
  #say(text: string): void {
    if (this.#terminal && !this.#busy) this.#write(`\r\u001b[K${text}\n`);
    else this.#write(`${text}\n`);
    if (this.#terminal && !this.#busy && !this.#ended) this.#lines.prompt(true);
  }

  #prompt(): void {
    if (!this.#terminal || this.#ended) return;
    const { node } = this.#client.hello;
    this.#lines.setPrompt(
      this.#typed === '' ? `${node} ${this.#number}> ` : `${' '.repeat(node.length)} ... `,
    );
    this.#lines.prompt();
  }

  #leave(): void {
    if (this.#terminal && this.#code === DETACHED) this.#write('\ndetached\n');
    this.#client.close();
    this.#done(this.#code);
  }

  #write(text: string): void {
    this.#output.write(text);
  }
}

/** The part of the line that a completion takes the place of. */
function completed(line: string): string {
  return /topic:[^'"]*$/.exec(line)?.[0] ?? /[\p{ID_Continue}$.?]*$/u.exec(line)?.[0] ?? '';
}

function historyFile(): string {
  return join(homedir(), HISTORY_FILE);
}

/** The newest first, as readline wants it. */
function history(): string[] {
  try {
    return readFileSync(historyFile(), 'utf8').trimEnd().split('\n').slice(-HISTORY).reverse();
  } catch {
    return [];
  }
}

function remember(text: string): void {
  try {
    appendFileSync(historyFile(), `${text.replaceAll('\n', ' ')}\n`, { mode: 0o600 });
  } catch {
    // Without a home there is a history of this session alone.
  }
}

/** Whether the typed text is the beginning of an expression: more lines are to come. Nothing is run. */
export function isUnfinished(text: string): boolean {
  try {
    // A script may not await: each `await` gives way to an operator of the same length.
    new Script(text.replace(/\bfor\s+await\b/g, 'for').replace(/\bawait\b/g, 'void '));
    return false;
  } catch (error) {
    if (!(error instanceof SyntaxError)) return false;
    if (error.message === 'Unexpected end of input' || error.message === 'Unterminated template literal')
      return true;
    return error.message.startsWith('missing ) after argument list') && isAtEnd(error, text);
  }
}

/** V8 shows the line and puts a mark under the place. */
function isAtEnd({ stack = '' }: SyntaxError, text: string): boolean {
  const [, place] = /^[^\n]*:(\d+)\n/.exec(stack) ?? [];
  const lines = text.trimEnd().split('\n');
  const marked = /^( *)\^+$/m.exec(stack.split('\n').slice(2, 3).join('\n'));
  return (
    Number(place) >= lines.length &&
    marked !== null &&
    (marked[1]?.length ?? 0) >= (lines.at(-1) ?? '').trimEnd().length - 1
  );
}
