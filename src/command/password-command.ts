import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { sha256 } from '../secret/secret.ts';
import { BadUsage, type Command, DONE, FAILED } from './command.ts';

/** Far more than any password: a file given by mistake is not read to its end. In bytes. */
const LONGEST = 64 * 1024;

export const passwordCommand: Command = {
  usage: ['password hash < FILE'],
  async run(args, { input, out, err }) {
    if (args.length !== 1 || args[0] !== 'hash') throw new BadUsage();
    const password = input.isTTY
      ? await typed(input, () => err('password (it is not shown):'))
      : await piped(input);
    const why = faultOf(password);
    if (why !== null || password === null) {
      err(why ?? 'no password came');
      return FAILED;
    }
    out(`sha256:${sha256(password).toString('hex')}`);
    return DONE;
  },
};

function faultOf(password: string | null): string | null {
  if (password === null) return 'a password is text in UTF-8, of at most 64 KiB';
  if (password.trim() === '') return 'an empty password opens nothing';
  return /[\r\n]/.test(password) ? 'a password is one line' : null;
}

/** Without the end of its line, which `echo` and editors write. */
async function piped(input: NodeJS.ReadableStream): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    length += chunks.at(-1)?.length ?? 0;
    if (length > LONGEST) return null;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r?\n$/, '');
  } catch {
    return null;
  }
}

/** A line of the terminal, which echoes nothing: whatever readline would show of it goes nowhere. */
async function typed(input: NodeJS.ReadableStream, prompt: () => void): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.on('close', () => resolve(''));
    // Not before the terminal has been told to be quiet.
    prompt();
  });
}
