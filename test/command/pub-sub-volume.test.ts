import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test from 'ava';
import { LineOutput } from '../../src/command/line-output.ts';
import { eventually } from '../support/arrivals.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { runCommand, runProgram } from './run-command.ts';

const urlOf = (relay: TestRelay) => `ws://127.0.0.1:${relay.port('pusu')}`;

/** Waits until somebody listens to the channel. */
const heard = (relay: TestRelay, channel: string) =>
  eventually(
    () => (relay.relay.topics.find('main', channel)?.members.size ?? 0) > 0,
    `a subscriber of ${channel}`,
  );

const plain = { doors: { pusu: {} } };

test('while nobody reads its output nothing is read from the relay, the publisher waits, and nothing is lost', async (t) => {
  const relay = await startTestRelay(t, { ...plain, limits: { write_stall: '60s', pong: '60s' } });
  const lines: string[] = [];
  let release: () => void = () => undefined;
  const stalled = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sub = runCommand(['sub', 'news', '--count', '8000', '--url', urlOf(relay)], '', {
    stdout: () =>
      new Writable({
        write(chunk, _encoding, done) {
          lines.push(...String(chunk).split('\n').slice(0, -1));
          void stalled.then(() => done());
        },
      }),
  });
  await heard(relay, 'news');
  const padding = 'x'.repeat(1000);
  const input = Array.from({ length: 8_000 }, (_, index) => `${index} ${padding}\n`).join('');
  const publishing = runCommand(['pub', 'news', '--lines', '--url', urlOf(relay)], input);
  await eventually(
    () => [...(relay.relay.topics.find('main', 'news')?.fanOut.behind ?? [])].length > 0,
    'a subscriber that is behind',
  );
  t.true(lines.length <= 1);
  release();
  t.like(await publishing, { code: 0, err: '' });
  t.like(await sub, { code: 0, err: '' });
  t.deepEqual(
    lines.map((line) => Number.parseInt(line, 10)),
    Array.from({ length: 8_000 }, (_, index) => index),
  );
});

test('output that stalls for each line, again and again, leaves nothing behind', async (t) => {
  let written = 0;
  const screen = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      written++;
      setImmediate(done);
    },
  });
  const output = new LineOutput(screen);
  const before = screen.eventNames().map((name) => screen.listenerCount(name));
  for (let i = 0; i < 100; i++) await output.write('x');
  t.is(written, 100);
  t.deepEqual(
    screen.eventNames().map((name) => screen.listenerCount(name)),
    before,
  );
});

test('100 000 lines go through pipes of two programs in order and without loss', async (t) => {
  const relay = await startTestRelay(t, plain);
  const file = join(temporaryFolder(t), 'lines');
  const text = Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`).join('');
  writeFileSync(file, text);
  const sub = runProgram(['sub', 'news', '--count', '100000', '--url', urlOf(relay)]);
  await heard(relay, 'news');
  const { code, err } = await runProgram(
    ['pub', 'news', '--lines', '--url', urlOf(relay)],
    readFileSync(file),
  );
  t.is(code, 0, err);
  const { code: subCode, out } = await sub;
  t.is(subCode, 0);
  t.true(out === text, `${out.length} of ${text.length} characters`);
});
