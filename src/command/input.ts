import { FAILED, Failed } from './command.ts';

/** Bytes of one message that are read before it is given up: far more than any relay takes. */
const LONGEST = 64 * 1024 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The lines of the input, one by one, without their ends. `name`: of the input, for what is wrong with it. */
export async function* linesOf(input: AsyncIterable<unknown>, name: string): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  let line = 0;
  const take = (last: Buffer): string => {
    line++;
    const bytes = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    length = 0;
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
    return textOf(bytes.subarray(0, end), `${name}, line ${line}`);
  };
  for await (const chunk of input) {
    const bytes = bytesOf(chunk);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      yield take(bytes.subarray(start, end));
      start = end + 1;
    }
    if (start === bytes.length) continue;
    parts.push(bytes.subarray(start));
    length += bytes.length - start;
    if (length > LONGEST) throw tooLong(`${name}, line ${line + 1}`, LONGEST);
  }
  // A last line without its end is a line.
  if (parts.length > 0) yield take(Buffer.alloc(0));
}

/** All of the input as one text, without the end of its last line, which `echo` and editors write. */
export async function wholeOf(
  input: AsyncIterable<unknown>,
  name: string,
  longest = LONGEST,
): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes = bytesOf(chunk);
    parts.push(bytes);
    length += bytes.length;
    if (length > longest) throw tooLong(name, longest);
  }
  return textOf(Buffer.concat(parts), name).replace(/\r?\n$/, '');
}

function bytesOf(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer, place: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Failed(FAILED, `${place}: not text in UTF-8`);
  }
}

function tooLong(place: string, longest: number): Failed {
  return new Failed(FAILED, `${place}: more than ${longest / 1024 ** 2} MiB`);
}
