import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What the program does for one word behind its name. */
export interface Command {
  /** A line each, without the program's name: `apikey list`. */
  readonly usage: readonly string[];
  /** What `--help` says of it below the usage. */
  readonly help?: Help;
  /** The exit code. */
  run(args: readonly string[], place: Place): Promise<number>;
}

export interface Help {
  /** What the command does, in whole sentences, a line each. */
  readonly about: readonly string[];
  readonly options: OptionTable;
  /** One line that can be typed, without the program's name. */
  readonly example: string;
}

/** The options of a command by their names: how they are read, and what `--help` and the shell's completion say of them. */
export type OptionTable = Readonly<Record<string, Option>>;

type Option =
  | { readonly type: 'boolean'; readonly short?: string; readonly about: string }
  | {
      readonly type: 'string';
      readonly short?: string;
      readonly multiple?: boolean;
      /** What stands behind the option: `FILE`, or the words that may: `topics|links`. */
      readonly value: string;
      readonly about: string;
    };

/** Where a command runs. */
export interface Place {
  readonly packageRoot: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  out(line: string): void;
  /** For people: faults, and all that is no result. */
  err(line: string): void;
  /** Standard output, for a command that writes much: it waits for whoever reads there, and the process goes on. */
  stdout(): Screen;
  /** Where a command shows how far it is. */
  stderr(): Screen;
  /** Aborted by SIGINT or SIGTERM, which from the call on end the command in good order; a second signal ends the process. */
  interruption(): AbortSignal;
}

/** A terminal, a pipe or a file. */
export interface Screen extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export const DONE = 0;
/** A start that failed, a crash, or a command that could not do what it should. */
export const FAILED = 1;
/** EX_TEMPFAIL of sysexits.h: the relay is out of reach, or less has come in time than was asked for. */
export const NOT_YET = 75;
/** EX_NOPERM: the relay has refused the credential, or the right to a channel. */
export const REFUSED = 77;
/** EX_CONFIG of sysexits.h. */
export const BAD_CONFIG = 78;

/** The command line makes no sense; the message says why. */
export class BadUsage extends Error {}

/** The command ends with this exit code, once these lines are told. */
export class Failed extends Error {
  readonly code: number;
  readonly lines: readonly string[];

  constructor(code: number, ...lines: readonly string[]) {
    super();
    this.code = code;
    this.lines = lines;
  }
}

/** Options and operands as they were typed. */
export function argumentsIn<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // The message repeats what was typed: only its first sentence names the option.
    const words = error instanceof Error ? /^[^.\n]*/.exec(error.message)?.[0] : 'bad arguments';
    throw new BadUsage(words);
  }
}

/** How the program is called: by its control script in a release, and as it is in the sources. */
export function programOf(packageRoot: string): string {
  return existsSync(join(packageRoot, 'bin', 'fanfare')) ? 'bin/fanfare' : 'node dist/start.js';
}

export function usageOf({ usage }: Command, { packageRoot }: Pick<Place, 'packageRoot'>): string {
  const program = programOf(packageRoot);
  return `usage: ${usage.map((line) => `${program} ${line}`).join('\n       ')}`;
}

/** The answer to `--help`. */
export function helpOf(command: Command, place: Pick<Place, 'packageRoot'>): string {
  const { help } = command;
  const usage = usageOf(command, place);
  if (help === undefined) return usage;
  const options = Object.entries(help.options).map(([name, option]) => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    const value = option.type === 'string' ? ` ${option.value}` : '';
    return [`${short}--${name}${value}`, option.about] as const;
  });
  const width = Math.max(0, ...options.map(([shown]) => shown.length).filter((length) => length <= WIDEST));
  const lines = options.map(([shown, about]) =>
    shown.length > width
      ? `  ${shown}\n  ${' '.repeat(width)}  ${about}`
      : `  ${shown.padEnd(width)}  ${about}`,
  );
  const example = `example: ${programOf(place.packageRoot)} ${help.example}`;
  return [usage, '', ...help.about, '', ...lines, ...(lines.length > 0 ? [''] : []), example].join('\n');
}

/** Characters of an option beside which its explanation stands. */
const WIDEST = 22;
