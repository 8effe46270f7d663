import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { commands, runCommand as run } from '../../src/command/main.ts';
import { type Exited, packageRoot } from '../support/relay-process.ts';

/** A command, here and now: as the program runs it, without the time that a process takes. */
export async function runCommand(args: readonly string[], input: string | Buffer = ''): Promise<Exited> {
  const [word = '', ...rest] = args;
  const command = commands.get(word);
  if (command === undefined) throw new Error(`there is no command ${word}`);
  let out = '';
  let err = '';
  const code = await run(command, rest, {
    packageRoot,
    env: {},
    input: Object.assign(new PassThrough().end(input), { isTTY: false }),
    out: (line) => {
      out += `${line}\n`;
    },
    err: (line) => {
      err += `${line}\n`;
    },
  });
  return { code, out, err };
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
