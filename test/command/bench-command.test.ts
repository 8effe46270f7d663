import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { freePorts } from '../support/cluster.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile, runRelay } from '../support/relay-process.ts';
import { isMessage, tamperingProxy } from '../support/tampering-proxy.ts';
import { hasTerminals, onTerminal } from '../support/terminal.ts';
import { runCommand, runProgram } from './run-command.ts';

/** A short run; its report. */
async function bench(url: string, ...args: readonly string[]) {
  const { code, out, err } = await runCommand([
    'bench',
    '--json',
    '--url',
    url,
    ...['--duration', '0.5', '--warmup', '0.1', ...args],
  ]);
  return { code, err, report: out === '' ? null : JSON.parse(out) };
}

test.serial('every message arrives once and in order at every subscriber of its channel', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const shape = ['--publishers', '3', '--subscribers', '4', '--channels', '2', '--size', '200'];
  const url = `ws://127.0.0.1:${relay.port('pusu')}`;
  const { code, report, err } = await bench(url, '--rate', '500/s', ...shape);
  t.is(code, 0, err);
  const { published, rate, p50, p99, max } = report;
  t.true(published > 0 && published <= 300);
  t.like(report, {
    received: published * 2,
    expected: published * 2,
    lost: 0,
    duplicates: 0,
    disordered: 0,
    gaps: 0,
    unanswered: 0,
    ok: true,
  });
  t.is(report.deliveries, rate * 2);
  t.deepEqual(report.asked, { publishers: 3, subscribers: 4, channels: 2, size: 200, rate: 500 });
  t.true(p50 > 0 && p50 <= p99 && p99 <= max);
  if (rate >= 495) t.regex(report.limit, /^the rate that was asked for/);
});

test.serial('as many as the relay takes', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const { code, report, err } = await bench(`ws://127.0.0.1:${relay.port('pusu')}`, '--rate', 'max');
  t.is(code, 0, err);
  t.true(report.published > 0);
  t.is(report.received, report.published);
});

/** What a network has done to the messages of a run. */
interface Done {
  seen: number;
  dropped: number;
  doubled: number;
  swapped: number;
}

/** A run through a proxy that does something to messages. */
async function tampered(
  t: ExecutionContext,
  args: readonly string[],
  tamper: (frame: string, done: Done) => readonly string[],
) {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const done: Done = { seen: 0, dropped: 0, doubled: 0, swapped: 0 };
  const url = await tamperingProxy(t, relay.port('pusu'), (frame) => {
    if (!isMessage(frame)) return [frame];
    done.seen++;
    return tamper(frame, done);
  });
  return { ...(await bench(url, ...args)), done };
}

test.serial(
  'a network that drops one message in a thousand ends it with 1, and the true number',
  async (t) => {
    const many = ['--rate', 'max', '--subscribers', '2', '--duration', '2'];
    const { code, report, done } = await tampered(t, many, (frame, sofar) => {
      if (sofar.seen % 1000 !== 500) return [frame];
      sofar.dropped++;
      return [];
    });
    t.is(code, 1);
    t.true(done.dropped > 0, `${done.seen} messages are too few`);
    t.is(done.seen, report.published * 2);
    t.like(report, {
      lost: done.dropped,
      expected: done.seen,
      received: done.seen - done.dropped,
      duplicates: 0,
      disordered: 0,
      unanswered: 0,
      ok: false,
    });
  },
);

test.serial('the last messages are missed as others are', async (t) => {
  const { code, report } = await tampered(t, ['--rate', 'max'], (frame, { seen }) =>
    seen > 50 ? [] : [frame],
  );
  t.is(code, 1);
  t.like(report, { received: 50, lost: report.published - 50 });
});

test.serial('messages that come twice, or in another order, are told apart', async (t) => {
  let held: string | null = null;
  const { code, report, done } = await tampered(t, ['--rate', 'max'], (frame, sofar) => {
    if (sofar.seen % 20 === 0) {
      sofar.doubled++;
      return [frame, frame];
    }
    if (sofar.seen % 20 === 10) {
      held = frame;
      return [];
    }
    const late = held;
    held = null;
    if (late === null) return [frame];
    sofar.swapped++;
    return [frame, late];
  });
  t.is(code, 1);
  t.true(done.doubled > 0 && done.swapped > 0);
  const lost = held === null ? 0 : 1;
  t.like(report, { lost, duplicates: done.doubled, disordered: done.swapped });
});

test.serial('answers that the network drops are missed, though the messages have come', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  let answers = 0;
  let dropped = 0;
  const url = await tamperingProxy(t, relay.port('pusu'), (frame) => {
    if (!frame.startsWith('{"type":"publish_ok"') || ++answers % 50 !== 25) return [frame];
    dropped++;
    return [];
  });
  const { code, report } = await bench(url, '--rate', '1000/s');
  t.is(code, 1);
  t.true(dropped > 0);
  t.like(report, { lost: 0, unanswered: dropped, ok: false });
});

test.serial('an expectation that does not come true ends it with 1, and is named', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const url = `ws://127.0.0.1:${relay.port('pusu')}`;
  const short = ['--duration', '0.2', '--warmup', '0', '--url', url];
  const good = await runCommand(['bench', ...short, '--expect', 'p99<60s', '--expect', 'rate>10']);
  t.is(good.code, 0, good.out);
  const bad = await runCommand(['bench', ...short, '--expect', 'p99<60s', '--expect', 'p50<1us']);
  t.is(bad.code, 1);
  t.regex(bad.out, /^failed {6}--expect 'p50<1us'$/m);
  t.notRegex(bad.out, /p99<60s/);
  t.regex(bad.out, /^checked {5}0 of [1-9]\d* deliveries lost, 0 twice, 0 out of order, 0 gaps$/m);
});

test.serial('several processes share the work, and add up', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const shape = ['--procs', '3', '--publishers', '2', '--subscribers', '3', '--rate', '400/s'];
  const { code, report, err } = await bench(`ws://127.0.0.1:${relay.port('pusu')}`, ...shape);
  t.is(code, 0, err);
  t.true(report.published > 0);
  t.like(report, { received: report.published * 3, lost: 0 });
});

test.serial(
  'a relay that is not there, or refuses the channel, ends it with 75 and 77, in several processes as well',
  async (t) => {
    const [nobody = 0] = await freePorts(1);
    const relay = await startTestRelay(t, { doors: { pusu: {} }, allowed_channels: ['open.*'] });
    const url = `ws://127.0.0.1:${relay.port('pusu')}`;
    for (const procs of ['1', '2']) {
      const away = await bench(`ws://127.0.0.1:${nobody}`, '--timeout', '3', '--procs', procs);
      t.is(away.code, 75);
      t.regex(away.err, /was out of reach for 3 s: ./);
      const refused = await bench(url, '--procs', procs);
      t.is(refused.code, 77, refused.err);
      t.regex(refused.err, /^bench\.0: permission_denied/m);
      t.like(await bench(url, '--procs', procs, '--prefix', 'open.'), { code: 0 });
    }
  },
);

test.serial('it ends early when it is interrupted, and reports what it has', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const interrupted = new AbortController();
  const running = runCommand(
    ['bench', '--json', '--duration', '1h', '--warmup', '0', '--url', `ws://127.0.0.1:${relay.port('pusu')}`],
    '',
    { interruption: () => interrupted.signal },
  );
  await eventually(() => relay.accounting.delivered >= 100, 'a hundred deliveries');
  interrupted.abort();
  const { code, out } = await running;
  t.is(code, 0);
  const report = JSON.parse(out);
  t.true(report.published >= 100 && report.seconds < 600);
  t.is(report.received, report.published);
});

test.serial('arguments that make no sense are refused before anything is sent', async (t) => {
  for (const [args, words] of [
    [['--size', '63'], /^--size is at least 64/],
    [['--rate', '0'], /^--rate takes a number of messages/],
    [['--expect', 'p99'], /^--expect takes a comparison/],
    [['--publishers', '0'], /^--publishers takes a whole number from 1 on/],
    [['--duration', '0'], /^--duration is above 0/],
    [['more'], /^usage: /],
  ] as const) {
    const { code, out, err } = await runCommand(['bench', ...args]);
    t.is(code, 1);
    t.is(out, '');
    t.regex(err, words);
  }
});

(hasTerminals ? test.serial : test.skip)(
  'on a terminal a bar shows how far it is, and the relay of this machine is looked into',
  async (t) => {
    const file = configFile(t, 'node: measured\nnetwork: { port: 0 }\n');
    const [port = 0] = await freePorts(1);
    const sets = ['--config', file, '--set', `doors.pusu.port=${port}`];
    const relay = runRelay(t, ['start', ...sets], { FANFARE_VAR_DIR: '' });
    await relay.log.find(({ msg }) => msg === 'ready');
    const terminal = onTerminal(t, ['bench', '--duration', '1', ...sets]);
    await terminal.shows(/\[=+ +\] \d\.\d of 2\.0 s, [\d ]+ sent, [\d ]+ delivered/);
    t.is(await terminal.exited, 0);
    t.true(terminal.screen().includes('\r\u001b[Kpublished'), 'the bar gives its place to the report');
    t.regex(terminal.screen(), /limit +.*the relay \d+ % busy/);
    const piped = await runProgram(['bench', '--duration', '0.2', '--warmup', '0', ...sets]);
    t.is(piped.err, '', 'nothing of it where nobody looks');
  },
);
