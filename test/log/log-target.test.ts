import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LogTarget } from '../../src/log/log-target.ts';
import { eventually } from '../support/arrivals.ts';
import { temporaryFolder } from '../support/relay-process.ts';

const lost = (lines: number) => `lost ${lines}\n`;

function fifo(t: ExecutionContext): { readonly path: string; readonly reader: number } {
  const path = join(temporaryFolder(t), 'fifo');
  t.is(spawnSync('mkfifo', [path]).status, 0);
  // A reader that is there and reads nothing.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { path, reader };
}

function readAll(reader: number): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.alloc(65536);
    try {
      const count = readSync(reader, buffer);
      if (count === 0) break;
      chunks.push(buffer.subarray(0, count));
    } catch {
      break;
    }
  }
  return Buffer.concat(chunks).toString();
}

test('a pipe that nobody reads costs lines and no time; what it did not take is counted and said', async (t) => {
  const { path, reader } = fifo(t);
  t.teardown(() => closeSync(reader));
  const target = new LogTarget(path, lost, 100_000);
  const line = `${'x'.repeat(999)}\n`;
  // Nobody reads: if a write waited for somebody, the test would not come to its end.
  for (let i = 0; i < 1000; i++) {
    target.write(line);
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  t.true(target.lost > 500, `${target.lost} lost`);
  const before = target.lost;
  let text = readAll(reader);
  await eventually(() => {
    text += readAll(reader);
    return text.endsWith(lost(before));
  }, 'the pipe goes on');
  target.write('last\n');
  await eventually(() => {
    text += readAll(reader);
    return text.endsWith('last\n');
  }, 'the last line comes');
  t.is(target.lost, before);
  const whole = text.split('\n').filter((one) => one.startsWith('x'));
  t.true(
    whole.every((one) => one.length === 999),
    'no line is torn',
  );
  t.is(whole.length + before, 1000);
  const said = [...text.matchAll(/^lost (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  t.is(said, before);
});

test('a pipe whose reader has gone costs lines and nothing else', async (t) => {
  const { path, reader } = fifo(t);
  const target = new LogTarget(path, lost);
  closeSync(reader);
  target.write('a\n');
  target.write('b\n');
  await eventually(() => target.lost === 2, 'both are lost');
  target.write('c\n');
  await eventually(() => target.lost === 3, 'and the third');
});

test('a full disk costs lines and nothing else', async (t) => {
  const target = new LogTarget('/dev/full', lost);
  target.write('a\n');
  await eventually(() => target.lost === 1, 'it is lost');
  t.is(target.lost, 1);
});

test('a file gets every line, in order, also at the end of the program', async (t) => {
  const file = join(temporaryFolder(t), 'deep', 'log');
  const target = new LogTarget(file, lost);
  for (let i = 0; i < 5000; i++) target.write(`${i}\n`);
  await eventually(() => readFileSync(file, 'utf8').length > 0, 'the first are written');
  target.write('end\n');
  await eventually(() => readFileSync(file, 'utf8').endsWith('end\n'), 'the last is written');
  t.is(readFileSync(file, 'utf8'), `${Array.from({ length: 5000 }, (_, i) => i).join('\n')}\nend\n`);
  t.is(target.lost, 0);
});

test('flush writes what waits at once', (t) => {
  const file = join(temporaryFolder(t), 'log');
  const target = new LogTarget(file, lost);
  target.write('a\n');
  target.write('b\n');
  target.flush();
  t.is(readFileSync(file, 'utf8'), 'a\nb\n');
});

test('a log that was moved away is opened anew', async (t) => {
  const file = join(temporaryFolder(t), 'log');
  const target = new LogTarget(file, lost);
  target.write('a\n');
  target.flush();
  renameSync(file, `${file}.1`);
  t.is(target.reopen(), 'anew');
  target.write('b\n');
  target.flush();
  t.is(readFileSync(`${file}.1`, 'utf8'), 'a\n');
  t.is(readFileSync(file, 'utf8'), 'b\n');
});

test('a log is made for its owner and its group, and opened anew it has the mode of the one before', (t) => {
  const file = join(temporaryFolder(t), 'log');
  const target = new LogTarget(file, lost);
  t.is(statSync(file).mode & 0o777, 0o640);
  chmodSync(file, 0o600);
  renameSync(file, `${file}.1`);
  t.is(target.reopen(), 'anew');
  t.is(statSync(file).mode & 0o777, 0o600);
  // A file that somebody else has made stays as it was made.
  renameSync(file, `${file}.2`);
  writeFileSync(file, '', { mode: 0o644 });
  chmodSync(file, 0o644);
  t.is(target.reopen(), 'anew');
  t.is(statSync(file).mode & 0o777, 0o644);
});

test('a file that cannot be opened is an error at once', (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  t.throws(() => new LogTarget(join(file, 'log'), lost));
});
