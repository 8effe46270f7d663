import { type LinkVitals, MOST_LINKS, type Vitals } from '../measure/vitals.ts';
import type { LinkView, RelayView } from './relay-view.ts';
import { connectionCount, type Sampling } from './sampling.ts';
import { topicCount } from './topics.ts';

/** Seconds that rates are the mean of, and that the longest delay is looked for in. */
const RATE_TIME = 5;
const DELAY_TIME = 30;
/** Milliseconds for which a look at all processes will do: with very many it takes a while. */
const CENSUS_VALID = 10_000;

/** This relay's numbers, from samples that are there already. */
export function vitalsOf(view: RelayView, sampling: Sampling): Vitals {
  const samples = sampling.lately(DELAY_TIME);
  const last = samples.slice(-RATE_TIME);
  const settled = sampling.settled(DELAY_TIME);
  const { pending, behind, stalled } = sampling.census(CENSUS_VALID);
  const newest = samples.at(-1);
  const links = linksByPeer(view.links() ?? []);
  return {
    version: view.version,
    phase: view.phase() === 'ready' && view.admission.shedding ? 'shedding' : view.phase(),
    uptime: Math.round(process.uptime()),
    connections: connectionCount(view),
    topics: topicCount(view),
    in: rounded(mean(last, ({ published }) => published)),
    out: rounded(mean(last, ({ deliveries }) => deliveries)),
    waiting: pending,
    slow: behind + stalled,
    dropped: view.topics.accounting.droppedInAll,
    crashed: view.system.counters.crashed,
    loopDelay: settled.length === 0 ? null : rounded(Math.max(...settled.map(({ loopDelay }) => loopDelay))),
    busy:
      settled.length === 0
        ? null
        : rounded(mean(settled.slice(-RATE_TIME), ({ utilisation }) => utilisation)),
    cpu: rounded(mean(last, ({ cpu }) => cpu)),
    rss: numberOrNull(newest?.rss),
    heap: numberOrNull(newest?.heapUsed),
    linksUp: links.filter(({ up }) => up).length,
    linksDown: links.filter(({ up }) => !up).length,
    links: links.slice(0, MOST_LINKS),
  };
}

function mean<Sample>(samples: readonly Sample[], read: (sample: Sample) => number): number {
  return samples.reduce((sum, sample) => sum + read(sample), 0) / Math.max(1, samples.length);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** What the system does not tell is NaN. */
function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** One for both directions, which is up where both are: the slowest round trip and lag, and what was lost both ways. */
function linksByPeer(links: readonly LinkView[]): LinkVitals[] {
  const peers = new Map<string, LinkVitals>();
  for (const { peer, state, roundTrip, lag, lost } of links) {
    const before = peers.get(peer);
    peers.set(peer, {
      peer,
      up: before?.up !== false && state === 'up',
      roundTrip: roundTrip === null ? (before?.roundTrip ?? null) : tenths(roundTrip),
      lag: lag === null ? (before?.lag ?? null) : tenths(lag),
      lost: (before?.lost ?? 0) + lost,
    });
  }
  return [...peers.values()];
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
