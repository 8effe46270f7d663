import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What the program does for one word behind its name. */
export interface Command {
  /** A line each, without the program's name: `apikey list`. */
  readonly usage: readonly string[];
  /** The exit code. */
  run(args: readonly string[], place: Place): Promise<number>;
}

/** Where a command runs. */
export interface Place {
  readonly packageRoot: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  out(line: string): void;
  /** For people: faults, and all that is no result. */
  err(line: string): void;
}

export const DONE = 0;
/** A start that failed, a crash, or a command that could not do what it should. */
export const FAILED = 1;
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
