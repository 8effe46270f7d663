import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { eventually } from './arrivals.ts';
import { packageRoot } from './relay-process.ts';

/** Whether this machine has the program that makes a terminal of a pipe: `script` of util-linux. */
export const hasTerminals = /util-linux/.test(
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '',
);

/** The built program on a terminal of 100 columns and 24 rows. */
export interface OnTerminal {
  /** All that it has written so far. */
  screen(): string;
  /** Waits until the screen has had this. */
  shows(what: RegExp): Promise<void>;
  press(keys: string): void;
  readonly exited: Promise<number | null>;
}

/** `redirections`: of the shell, such as `2>FILE`, for a stream that is to be no terminal. */
export function onTerminal(t: ExecutionContext, args: readonly string[], redirections = ''): OnTerminal {
  const words = [process.execPath, join(packageRoot, 'dist', 'start.js'), ...args];
  const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn(
    'script',
    ['-qec', `stty cols 100 rows 24; exec ${command} ${redirections}`, '/dev/null'],
    { cwd: packageRoot, env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm' }, stdio: 'pipe' },
  );
  t.teardown(() => child.kill('SIGKILL'));
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  return {
    screen: () => screen,
    shows: (what) => eventually(() => what.test(screen), `${what} on the screen`),
    press: (keys) => child.stdin.write(keys),
    exited: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code));
    }),
  };
}
