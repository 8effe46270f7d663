import { createReadStream } from 'node:fs';
import type { Client } from '#client';
import { whole } from '../attach/text.ts';
import {
  argumentsIn,
  BadUsage,
  type Command,
  DONE,
  FAILED,
  Failed,
  type OptionTable,
  type Place,
} from './command.ts';
import { connectTo, failureOf } from './connected-client.ts';
import { linesOf, wholeOf } from './input.ts';
import { jsonIn } from './json-content.ts';
import { Progress } from './progress.ts';
import { countIn, rateIn } from './quantities.ts';
import { reachOf, reachOptions } from './reach.ts';

const options = {
  lines: { type: 'boolean', about: 'each line of the input is a message' },
  file: { type: 'string', value: 'FILE', about: 'the input is this file' },
  'json-content': { type: 'boolean', about: 'contents are JSON, not texts' },
  count: { type: 'string', value: 'N', about: 'publishes the message so many times' },
  rate: { type: 'string', value: 'N/s', about: 'at most so many messages a second; also N/m, N/h' },
  json: { type: 'boolean', about: 'says what was published as JSON' },
  ...reachOptions,
} as const satisfies OptionTable;

/** Messages and characters that may be without an answer at a time. */
const UNANSWERED = 1000;
const UNANSWERED_LENGTH = 1024 * 1024;

/** Milliseconds for answers that come after the first refusal. */
const LAST_ANSWERS = 2000;

/** Publishes to a channel, and ends with 0 once the relay has all of it. */
export const pubCommand: Command = {
  usage: ['pub CHANNEL [TEXT | -] [options]'],
  help: {
    about: [
      'Publishes a text to a channel; without one, or with -, what comes by standard input.',
      'Ends with 0 once the relay has all of it, 75 if the relay is out of reach, 77 if it refuses.',
    ],
    options,
    example: "pub news 'Hello'",
  },
  async run(args, place) {
    const { values, positionals } = argumentsIn(args, options);
    const [channel, text] = positionals;
    if (channel === undefined || channel === '' || positionals.length > 2) throw new BadUsage();
    if (values.file !== undefined && text !== undefined)
      throw new BadUsage('--file and a text: which of them?');
    if (values.lines && text !== undefined && text !== '-')
      throw new BadUsage('--lines is for an input, not for a text');
    if (values.lines && values.count !== undefined)
      throw new BadUsage('--count is for one message, not for --lines');
    const rate = values.rate === undefined ? null : rateIn('--rate', values.rate);
    const count = values.count === undefined ? 1 : countIn('--count', values.count);
    const reach = reachOf(values, place);
    const read = values['json-content'] ? jsonIn : (content: string) => content;
    const contents = contentsOf(
      { text, file: values.file, lines: values.lines ?? false, count, read },
      place,
    );
    // What is wrong with the first message is said before there is a connection.
    const first = await contents.next();
    const reached = await connectTo(reach, place, {
      outage: reach.timeout,
      offline: { queue: UNANSWERED_LENGTH * 2 },
    });
    try {
      const publishing = new Publishing(reached.client, channel);
      const progress = new Progress(place.stderr(), () => publishing.progress());
      try {
        await Promise.race([publish(first, contents, publishing, rate), reached.lost]);
      } finally {
        progress.stop();
      }
      if (values.json)
        place.out(JSON.stringify({ channel, published: publishing.answered, at: publishing.at }));
      return DONE;
    } finally {
      await reached.close();
    }
  },
};

interface Source {
  readonly text: string | undefined;
  readonly file: string | undefined;
  readonly lines: boolean;
  readonly count: number;
  read(text: string, place: string): unknown;
}

async function* contentsOf(
  { text, file, lines, count, read }: Source,
  { input }: Place,
): AsyncGenerator<unknown> {
  if (text !== undefined && text !== '-') {
    const content = read(text, 'the text');
    for (let i = 0; i < count; i++) yield content;
    return;
  }
  if (file === undefined && text === undefined && !lines && input.isTTY)
    throw new BadUsage('what is to be published? A text, or - for standard input');
  const name = file ?? 'standard input';
  const stream = file === undefined ? input : createReadStream(file);
  try {
    if (lines) {
      let number = 0;
      for await (const line of linesOf(stream, name)) yield read(line, `${name}, line ${++number}`);
      return;
    }
    const content = read(await wholeOf(stream, name), name);
    for (let i = 0; i < count; i++) yield content;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : new Failed(FAILED, `${name} cannot be read (${code})`);
  }
}

async function publish(
  first: IteratorResult<unknown, unknown>,
  rest: AsyncGenerator<unknown>,
  publishing: Publishing,
  rate: number | null,
): Promise<void> {
  const start = performance.now();
  for (let next = first; !next.done; next = await rest.next()) {
    if (rate !== null) await until(start + (publishing.sent * 1000) / rate);
    await publishing.put(next.value);
  }
  await publishing.end();
}

/** Milliseconds of a wait that one timer of Node's may take. */
const LONGEST = 2 ** 31 - 1;

async function until(time: number): Promise<void> {
  const wait = time - performance.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(wait, LONGEST)));
}

/** Messages of one channel on their way, a bounded number of them without an answer. */
class Publishing {
  readonly #client: Client;
  readonly #channel: string;
  readonly #start = performance.now();
  sent = 0;
  answered = 0;
  /** The position of the last message, where the relay keeps history. */
  at: string | undefined;
  #waiting = 0;
  #waitingLength = 0;
  #failure: Failed | null = null;
  #wake: () => void = () => undefined;

  constructor(client: Client, channel: string) {
    this.#client = client;
    this.#channel = channel;
  }

  /** Settles when there is place for the next one. Rejected when one was not taken: nothing more is sent then. */
  async put(content: unknown): Promise<void> {
    const length = typeof content === 'string' ? content.length : JSON.stringify(content).length;
    while (
      this.#failure === null &&
      (this.#waiting >= UNANSWERED || (this.#waiting > 0 && this.#waitingLength + length > UNANSWERED_LENGTH))
    )
      await this.#change();
    await this.#check();
    const number = ++this.sent;
    this.#waiting++;
    this.#waitingLength += length;
    this.#client
      .publish(this.#channel, content)
      .then(
        (at) => {
          this.answered++;
          this.at = at ?? this.at;
        },
        (error: unknown) => this.#fail(error, number),
      )
      .finally(() => {
        this.#waiting--;
        this.#waitingLength -= length;
        this.#wake();
      });
  }

  /** Settles when the relay has all of them. */
  async end(): Promise<void> {
    while (this.#waiting > 0 && this.#failure === null) await this.#change();
    await this.#check();
    await this.#client.flush().catch((error: unknown) => {
      throw failureOf(error, this.#channel);
    });
  }

  progress() {
    const seconds = Math.max(0.001, (performance.now() - this.#start) / 1000);
    return { part: null, text: `${whole(this.answered)} messages, ${whole(this.answered / seconds)}/s` };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #fail(error: unknown, number: number): void {
    const { code, lines } = failureOf(error, this.#channel);
    this.#failure ??= new Failed(
      code,
      ...lines.map((line) => (number === 1 && this.sent === 1 ? line : `message ${number}: ${line}`)),
    );
  }

  /** Rejected after a failure, once it is known what has become of the messages before and behind it. */
  async #check(): Promise<void> {
    if (this.#failure === null) return;
    const late = new Promise((resolve) => setTimeout(resolve, LAST_ANSWERS).unref());
    while (this.#waiting > 0 && (await Promise.race([this.#change(), late.then(() => 'late')])) !== 'late');
    const { code, lines } = this.#failure;
    const all = this.sent === 1 ? [] : [`the relay has ${this.answered} of ${this.sent} messages`];
    throw new Failed(code, ...lines, ...all);
  }
}
