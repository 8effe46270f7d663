import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import type { Place, Screen } from '../../src/command/command.ts';
import { commands, runCommand as run } from '../../src/command/main.ts';
import { type Exited, packageRoot } from '../support/relay-process.ts';

/** A command, here and now: as the program runs it, without the time that a process takes. */
export async function runCommand(
  args: readonly string[],
  input: string | Buffer = '',
  more: Partial<Place> = {},
): Promise<Exited> {
  const [word = '', ...rest] = args;
  const command = commands.get(word);
  if (command === undefined) throw new Error(`there is no command ${word}`);
  const said = { out: '', err: '' };
  const code = await run(command, rest, { ...placeOf(said, input), ...more });
  return { code, ...said };
}

/** Where a command runs that neither reads nor writes on a terminal. What it says is added to `said`. */
export function placeOf(said: { out: string; err: string }, input: string | Buffer = ''): Place {
  const to = (part: 'out' | 'err') => (text: string) => {
    said[part] += text;
  };
  return {
    packageRoot,
    env: {},
    input: Object.assign(new PassThrough().end(input), { isTTY: false }),
    out: (line) => to('out')(`${line}\n`),
    err: (line) => to('err')(`${line}\n`),
    stdout: () => screen(to('out')),
    stderr: () => screen(to('err')),
    interruption: () => new AbortController().signal,
  };
}

function screen(take: (text: string) => void): Screen {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      take(chunk.toString());
      done();
    },
  });
}

/** The built program, run to its end. */
export function runProgram(args: readonly string[], input: string | Buffer = ''): Promise<Exited> {
  const child = spawn(process.execPath, [join(packageRoot, 'dist', 'start.js'), ...args], {
    cwd: packageRoot,
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: 'pipe',
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}
