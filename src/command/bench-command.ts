import { randomBytes } from 'node:crypto';
import { whole } from '../attach/text.ts';
import { askerOf } from './audit.ts';
import { now } from './bench/clock.ts';
import { SMALLEST } from './bench/content.ts';
import { type Crew, LocalCrew, type Soundings } from './bench/crew.ts';
import { expectationIn } from './bench/expectation.ts';
import { dealt, planOf } from './bench/plan.ts';
import { RelayLoad } from './bench/relay-load.ts';
import { RemoteCrew } from './bench/remote-crew.ts';
import { reportLines, reportOf } from './bench/report.ts';
import {
  argumentsIn,
  BadUsage,
  type Command,
  DONE,
  FAILED,
  type OptionTable,
  type Place,
} from './command.ts';
import { findNode } from './node-options.ts';
import { Progress } from './progress.ts';
import { countIn, rateIn, sizeIn, timeIn } from './quantities.ts';
import { reachOf, reachOptions } from './reach.ts';

const options = {
  publishers: { type: 'string', value: 'N', about: 'connections that publish (default: 1)' },
  subscribers: { type: 'string', value: 'N', about: 'connections that listen (default: 1)' },
  channels: { type: 'string', value: 'N', about: 'channels, which they share evenly (default: 1)' },
  prefix: { type: 'string', value: 'NAME', about: 'what the names of channels begin with (default: bench.)' },
  size: { type: 'string', value: 'BYTES', about: `of each message, from ${SMALLEST} on (default: 128)` },
  rate: {
    type: 'string',
    value: 'N/s',
    about: 'messages of all publishers together, or max: as many as the relay takes (default: 1000/s)',
  },
  duration: { type: 'string', value: 'S', about: 'seconds that are measured (default: 10)' },
  warmup: { type: 'string', value: 'S', about: 'seconds before that (default: 1)' },
  procs: { type: 'string', value: 'N', about: 'processes that share the work (default: 1)' },
  expect: {
    type: 'string',
    multiple: true,
    value: 'WHAT',
    about: "what has to come true, such as 'p99<20ms' or 'rate>=10000'; may be repeated",
  },
  json: { type: 'boolean', about: 'the report as JSON' },
  ...reachOptions,
} as const satisfies OptionTable;

/** Milliseconds for all processes to hear when it starts. */
const HEADSTART = 100;

/** Measures a relay, and proves that nothing was lost, doubled or disordered. */
export const benchCommand: Command = {
  usage: ['bench [options]'],
  help: {
    about: [
      'Publishes and listens, checks that each message has come once and in order, and measures how long it took from',
      'the moment at which it was meant to be sent. Names the limit that was reached.',
      'Ends with 1 after a loss, a duplicate, disorder, a gap, or an --expect that did not come true.',
    ],
    options,
    example: "bench --subscribers 10 --rate 5000/s --expect 'p99<20ms'",
  },
  async run(args, place) {
    const { values, positionals } = argumentsIn(args, options);
    if (positionals.length > 0) throw new BadUsage();
    const asked = {
      publishers: countOr('--publishers', values.publishers, 1),
      subscribers: countOr('--subscribers', values.subscribers, 1),
      channels: countOr('--channels', values.channels, 1),
      size: values.size === undefined ? 128 : sizeIn('--size', values.size),
      rate: values.rate === 'max' ? null : rateIn('--rate', values.rate ?? '1000'),
    };
    if (asked.size < SMALLEST)
      throw new BadUsage(`--size is at least ${SMALLEST}: a message has its own number`);
    const duration = timeIn('--duration', values.duration ?? '10');
    const warmup = timeIn('--warmup', values.warmup ?? '1');
    if (duration <= 0) throw new BadUsage('--duration is above 0');
    const procs = countOr('--procs', values.procs, 1);
    const expectations = (values.expect ?? []).map(expectationIn);
    const reach = reachOf(values, place);
    const run = randomBytes(4).toString('hex');
    const plan = planOf({ ...asked, run, prefix: values.prefix ?? 'bench.' });
    const crews: Crew[] =
      procs === 1
        ? [new LocalCrew(plan, reach, place)]
        : dealt(plan, procs).map((part) => new RemoteCrew(part, reach, place));
    const interrupted = place.interruption();
    let load: RelayLoad | null = null;
    try {
      await all(crews, (crew) => crew.open());
      load = values.url === undefined ? await relayLoad(values, place, warmup + duration) : null;
      const start = now() + HEADSTART;
      const times = { start, measured: start + warmup, end: start + warmup + duration };
      const progress = new Progress(place.stderr(), () => progressOf(crews, times));
      interrupted.addEventListener('abort', () => {
        times.end = Math.min(times.end, now());
        for (const crew of crews) crew.stop();
      });
      try {
        const sent = await all(crews, (crew) => crew.send(times));
        const counts = new Map(sent.flatMap((one) => one.counts));
        const tallies = await all(crews, (crew) => crew.finish(counts));
        progress.stop();
        const seconds = Math.max(0.001, (times.end - times.measured) / 1000);
        const relayBusy = interrupted.aborted || load === null ? null : await load.busy();
        const report = reportOf({ asked, seconds, sent, tallies, relayBusy, expectations });
        if (values.json) place.out(JSON.stringify(report));
        else for (const line of reportLines(report)) place.out(line);
        return report.ok ? DONE : FAILED;
      } finally {
        progress.stop();
      }
    } finally {
      load?.close();
      await all(crews, (crew) => crew.close());
    }
  },
};

function countOr(option: string, text: string | undefined, usual: number): number {
  return text === undefined ? usual : countIn(option, text);
}

function all<R>(crews: readonly Crew[], ask: (crew: Crew) => Promise<R>): Promise<R[]> {
  return Promise.all(crews.map(ask));
}

/** The relay of the configuration, where it runs on this machine and lets its operators in. */
async function relayLoad(
  { config, set }: { readonly config?: string | undefined; readonly set?: string[] | undefined },
  place: Place,
  milliseconds: number,
): Promise<RelayLoad | null> {
  const found = findNode({ config, set: set ?? [] }, place);
  return found.pid === undefined
    ? null
    : RelayLoad.watch(found.folder, askerOf('command', place), milliseconds);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function progressOf(crews: readonly Crew[], { start, end }: Span) {
  const { sent, received } = crews.reduce(
    (sum: Soundings, crew) => {
      const one = crew.soundings();
      return { sent: sum.sent + one.sent, received: sum.received + one.received };
    },
    { sent: 0, received: 0 },
  );
  const seconds = (time: number) => (time / 1000).toFixed(1);
  const gone = Math.min(end, Math.max(start, now())) - start;
  const text = `${seconds(gone)} of ${seconds(end - start)} s, ${whole(sent)} sent, ${whole(received)} delivered`;
  return { part: gone / (end - start), text };
}
