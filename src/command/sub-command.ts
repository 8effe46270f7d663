import { spawn } from 'node:child_process';
import type { Gap, Message, Subscription } from '#client';
import { safeLine } from '../attach/text.ts';
import {
  argumentsIn,
  BadUsage,
  type Command,
  DONE,
  FAILED,
  Failed,
  NOT_YET,
  type OptionTable,
  type Place,
} from './command.ts';
import { connectTo, failureOf } from './connected-client.ts';
import { aborted } from './interruption.ts';
import { LineOutput } from './line-output.ts';
import { countIn, timeIn } from './quantities.ts';
import { reachOf, reachOptions } from './reach.ts';

const options = {
  count: { type: 'string', value: 'N', about: 'ends after so many messages' },
  wait: { type: 'string', value: 'S', about: 'ends after so many seconds; with --count, 75 if fewer came' },
  since: { type: 'string', value: 'AT', about: 'from a position on; or all, last, now (default)' },
  raw: { type: 'boolean', about: 'contents alone, as they are, on a terminal as well' },
  json: { type: 'boolean', about: 'an object a line, gaps included' },
  'fail-on-gap': { type: 'boolean', about: 'ends with 1 when messages were missed' },
  exec: {
    type: 'string',
    value: 'CMD',
    about: 'runs a shell command for each message, the content at its input',
  },
  ...reachOptions,
} as const satisfies OptionTable;

/** Listens to channels. */
export const subCommand: Command = {
  usage: ['sub CHANNEL… [options]'],
  help: {
    about: [
      'Shows what is published to channels: on a terminal with time and channel, in a pipe the content, a line each.',
      'While its output is not read nothing is read from the relay, and nothing is left out.',
      'Ends with 75 if the relay is out of reach, 77 if it refuses. Once it is connected it waits for the relay to',
      'come back for as long as it takes, unless --timeout is given.',
    ],
    options,
    example: 'sub news --count 1',
  },
  async run(args, place) {
    const { values, positionals: channels } = argumentsIn(args, options);
    if (channels.length === 0 || channels.includes('')) throw new BadUsage();
    if (new Set(channels).size < channels.length) throw new BadUsage('each channel once');
    if (values.exec !== undefined && (values.json || values.raw))
      throw new BadUsage('--exec shows nothing: neither --json nor --raw goes with it');
    if (values.json && values.raw) throw new BadUsage('--json or --raw');
    const count = values.count === undefined ? Number.POSITIVE_INFINITY : countIn('--count', values.count);
    const wait = values.wait === undefined ? null : timeIn('--wait', values.wait);
    const since = sinceIn(values.since);
    const reach = reachOf(values, place);
    const interrupted = place.interruption();
    const screen = place.stdout();
    const output = new LineOutput(screen);
    const reached = await connectTo(reach, place, {
      outage: values.timeout === undefined ? Number.POSITIVE_INFINITY : reach.timeout,
      offline: 'reject',
    });
    const listening = new Listening({
      count,
      failOnGap: values['fail-on-gap'] ?? false,
      show: values.exec === undefined ? shower(output, formOf(values, screen)) : runner(values.exec, place),
      tellGap: values.json ? null : place.err,
    });
    const short = () => (count === Number.POSITIVE_INFINITY ? DONE : NOT_YET);
    const timer = new AbortController();
    try {
      const code = await Promise.race([
        listening.to(channels.map((channel) => reached.client.subscribe(channel, since))),
        reached.lost,
        output.gone.then(() => DONE),
        aborted(interrupted).then(short),
        ...(wait === null ? [] : [after(wait, timer.signal).then(short)]),
      ]);
      if (code === NOT_YET) place.err(`${listening.taken} of ${count} messages have come`);
      await output.flush();
      return code;
    } finally {
      timer.abort();
      listening.end();
      await reached.close();
    }
  },
};

/** `all`, `last`, `now`, or a position, which the relay reads. */
function sinceIn(text: string | undefined): { readonly since?: string } {
  if (text === undefined) return {};
  if (/^(all|last|now|[0-9A-Za-z]+:\d+)$/.test(text)) return { since: text };
  throw new BadUsage('--since takes a position such as 1k3x9p2q:42, or all, last, now');
}

function after(milliseconds: number, given: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    given.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}

type Item = Message | Gap;
type Show = (channel: string, item: Item) => Promise<void>;

interface ListeningArgs {
  readonly count: number;
  readonly failOnGap: boolean;
  readonly show: Show;
  /** Where gaps are told of; null: they are shown. */
  readonly tellGap: ((line: string) => void) | null;
}

/** Takes from all channels, one message at a time. */
class Listening {
  readonly #args: ListeningArgs;
  taken = 0;
  #hasEnded = false;
  /** The message before this one, of whatever channel. */
  #turn: Promise<void> = Promise.resolve();

  constructor(args: ListeningArgs) {
    this.#args = args;
  }

  /** Settles with an exit code when as many have come as were asked for. */
  async to(subscriptions: readonly Subscription[]): Promise<number> {
    return new Promise((resolve, reject) => {
      for (const subscription of subscriptions) this.#read(subscription, resolve).catch(reject);
    });
  }

  end(): void {
    this.#hasEnded = true;
  }

  async #read(subscription: Subscription, finish: (code: number) => void): Promise<void> {
    const { channel } = subscription;
    try {
      for await (const item of subscription) {
        // The next one is asked for when this one is shown: meanwhile the socket is not read.
        const turn = this.#turn.then(() => this.#take(channel, item, finish));
        this.#turn = turn.catch(() => undefined);
        await turn;
        if (this.#hasEnded) return;
      }
    } catch (error) {
      throw failureOf(error, channel);
    }
  }

  async #take(channel: string, item: Item, finish: (code: number) => void): Promise<void> {
    const { count, failOnGap, show, tellGap } = this.#args;
    if (this.#hasEnded) return;
    if (item.type === 'gap') {
      if (tellGap === null) await show(channel, item);
      else tellGap(gapText(channel, item));
      if (!failOnGap) return;
      this.end();
      finish(FAILED);
      return;
    }
    this.taken++;
    await show(channel, item);
    if (this.taken < count) return;
    this.end();
    finish(DONE);
  }
}

export function gapText(channel: string, { missed, why }: Gap): string {
  const many =
    missed === undefined ? 'messages may be' : missed === 1 ? 'a message is' : `${missed} messages are`;
  return `${safeLine(channel)}: ${many} missing (${safeLine(why)})`;
}

type Form = 'terminal' | 'raw' | 'json';

function formOf(
  { json, raw }: { json?: boolean; raw?: boolean },
  screen: { readonly isTTY?: boolean },
): Form {
  if (json) return 'json';
  return raw || screen.isTTY !== true ? 'raw' : 'terminal';
}

function shower(output: LineOutput, form: Form): Show {
  return (channel, item) => output.write(lineOf(form, channel, item, new Date()));
}

/** A message, or in JSON a gap, as a line. */
export function lineOf(form: Form, channel: string, item: Item, now: Date): string {
  if (form === 'json') return JSON.stringify({ channel, ...item });
  const text = item.type === 'gap' ? '' : textOf(item.content);
  if (form === 'raw') return text;
  const time = `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, '0')}`;
  return `\u001b[2m${time}\u001b[22m  \u001b[36m${safeLine(channel)}\u001b[39m  ${safeLine(text)}`;
}

/** A text as it is, and anything else as JSON. */
function textOf(content: unknown): string {
  return typeof content === 'string' ? content : (JSON.stringify(content) ?? '');
}

/** Runs a command for each message and waits for its end. A command that fails ends all. */
function runner(command: string, { env }: Place): Show {
  return async (channel, item) => {
    if (item.type === 'gap') return;
    const child = spawn('/bin/sh', ['-c', command], {
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { ...env, CHANNEL: channel, AT: item.at ?? '' },
    });
    // A command need not read what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(textOf(item.content));
    const outcome = await new Promise<string>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(signal ?? String(code)));
    });
    if (outcome !== '0')
      throw new Failed(FAILED, `the command has ended with ${outcome} at a message of ${safeLine(channel)}`);
  };
}
