import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Script } from 'node:vm';
import { HISTORY, HistoryFile } from './history-file.ts';
import type { NodeClient } from './node-client.ts';
import { SearchInput } from './search-input.ts';

const HISTORY_FILE = '.fanfare_history';
const DETACHED = 0;
const LOST = 1;

/**
 * The line editor of an attached operator. It runs in the operator's own process: in the node it would cost the node
 * dearly. `^C` gives up the line, or what is being evaluated; `^D` detaches, and leaves the node as it is. Settles with
 * the exit code.
 */
export function attachTerminal(
  client: NodeClient,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number },
  file = new HistoryFile(join(homedir(), HISTORY_FILE)),
): Promise<number> {
  const { node, version, pid, evaluation } = client.hello;
  const isTerminal = output.isTTY === true && (input as NodeJS.ReadStream).isTTY === true;
  const keys = isTerminal ? new SearchInput(input) : null;
  /** The newest first. */
  let known: readonly string[] = isTerminal ? file.lines() : [];
  const lines = createInterface({
    input: keys ?? input,
    output,
    terminal: isTerminal,
    history: [...known],
    historySize: HISTORY,
    removeHistoryDuplicates: true,
    completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
      void client.complete(line).then((names) => done(null, [names, completed(line, names)]));
    },
  });
  /** Lines that were read and not evaluated yet: each waits for the one before it. */
  const waiting: string[] = [];
  /** The lines of an unfinished expression. */
  let typed = '';
  let number = 1;
  let isBusy = false;
  let hasEnded = false;

  const prompt = () => {
    if (!isTerminal || hasEnded) return;
    lines.setPrompt(typed === '' ? `${node} ${number}> ` : `${' '.repeat(node.length)} ... `);
    lines.prompt();
  };
  /** Text that belongs to no answer goes above the line that is being typed. */
  const say = (text: string) => {
    const isBetween = isTerminal && !isBusy;
    output.write(isBetween ? `\r\u001b[K${text}\n` : `${text}\n`);
    if (isBetween && !hasEnded) lines.prompt(true);
  };
  const evaluate = async (text: string) => {
    if (isTerminal) file.add(text);
    const style = isTerminal ? 'colours' : 'lines';
    const answer = await (evaluation
      ? client.evaluate(text, style, output.columns)
      : client.command(text, style, output.columns));
    const red = !answer.ok && isTerminal;
    output.write(`${red ? '\u001b[31m' : ''}${answer.text}${red ? '\u001b[39m' : ''}\n`);
  };
  const empty = () => {
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
  };
  const interrupt = () => {
    if (isBusy) {
      client.cancel();
      return;
    }
    typed = '';
    output.write('\n');
    // The line that was being typed is given up, too.
    empty();
    prompt();
  };
  keys?.serve({
    history: () => (isBusy || hasEnded ? null : known),
    take: () => {
      const { line } = lines;
      empty();
      return line;
    },
    show: (search) => output.write(`\r\u001b[J${search.shown(output.columns ?? 80)}`),
    edit: (line) => {
      output.write('\r\u001b[J');
      prompt();
      lines.write(line);
    },
  });

  return new Promise((resolve) => {
    let code = DETACHED;
    const leave = () => {
      if (isTerminal && code === DETACHED) output.write('\ndetached\n');
      client.close();
      resolve(code);
    };
    const next = async (): Promise<void> => {
      if (isBusy) return;
      const line = waiting.shift();
      if (line === undefined) {
        if (hasEnded) leave();
        else prompt();
        return;
      }
      const text = typed === '' ? line : `${typed}\n${line}`;
      if (text.trim() === '') {
        typed = '';
      } else if (evaluation && isUnfinished(text) && !hasEnded) {
        typed = text;
      } else {
        typed = '';
        isBusy = true;
        await evaluate(text);
        isBusy = false;
        number++;
      }
      await next();
    };
    client.onSay = say;
    client.onGone = () => {
      say('the node is gone');
      code = LOST;
      lines.close();
    };
    if (isTerminal) {
      const what = evaluation ? 'h() lists what there is' : 'named operations only; h lists them';
      output.write(`fanfare ${version}, ${node}, pid ${pid}: ${what}, ^D detaches\n`);
    }
    lines.on('line', (line) => {
      waiting.push(line);
      void next();
    });
    lines.on('history', (history: string[]) => {
      known = [...history];
    });
    lines.on('SIGINT', interrupt);
    lines.on('close', () => {
      hasEnded = true;
      keys?.end();
      if (waiting.length === 0 && !isBusy) leave();
      else if (isTerminal) {
        waiting.length = 0;
        client.cancel();
      }
    });
    prompt();
  });
}

/** The part of the line that offers take the place of: the longest end that each of them begins with. */
export function completed(line: string, offers: readonly string[]): string {
  const [first = ''] = offers;
  for (let length = Math.min(line.length, first.length); length > 0; length--) {
    const end = line.slice(-length);
    if (offers.every((offer) => offer.startsWith(end))) return end;
  }
  return '';
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
