import test from 'ava';
import { median, notes, type Run, table } from './report.ts';
import type { LoadResult } from './result.ts';
import { scenarios } from './scenarios.ts';

const result: LoadResult = {
  deliveriesPerSecond: 1000,
  cpuPerDelivery: 5,
  p50: 100,
  p99: 200,
  bytesPerConnection: 6000,
  connectsPerSecond: 500,
  cpuPerConnect: 100,
  lost: 0,
  outOfOrder: 0,
  duplicates: 0,
  unexpected: 0,
  closed: 0,
  closedWhy: null,
  stalls: 0,
  published: 10,
  delivered: 10,
  reads: 10,
  serverShare: 1,
  loadShare: 0.5,
  loadShareConnecting: 0.5,
};

function pair(scenario: string, naive: Partial<LoadResult>, fanfare: Partial<LoadResult>, round = 1): Run[] {
  return [
    { scenario, side: 'naive', round, result: { ...result, ...naive } },
    { scenario, side: 'fanfare', round, result: { ...result, ...fanfare } },
  ];
}

function line(runs: readonly Run[], metric: string): string {
  return (
    table(scenarios, runs)
      .split('\n')
      .find((each) => each.trim().startsWith(metric)) ?? ''
  );
}

test('the median of an even count is the middle of the two in the middle', (t) => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([]), null);
});

test('a ratio is that of the medians and is judged at its target', (t) => {
  const runs = [1, 2, 3].flatMap((round) =>
    pair('F1', { deliveriesPerSecond: round }, { deliveriesPerSecond: 25 * round }, round),
  );
  t.regex(line(runs, 'deliveries/s'), /\b2 +50 +25\.00x +at least 25x +met$/);
  const below = pair('F1', { deliveriesPerSecond: 1000 }, { deliveriesPerSecond: 24_999 });
  t.regex(line(below, 'deliveries/s'), /MISSED$/);
});

test('a target that is an upper bound is met up to the bound', (t) => {
  t.regex(line(pair('F4', { p50: 100 }, { p50: 100 }), 'latency p50'), /1\.00x +at most 1x +met$/);
  t.regex(line(pair('F4', { p50: 100 }, { p50: 101 }), 'latency p50'), /MISSED$/);
});

test('lost messages are summed over the rounds and are never met', (t) => {
  const runs = [...pair('F3', {}, { lost: 1 }), ...pair('F3', {}, {}, 2), ...pair('F3', {}, { lost: 2 }, 3)];
  t.regex(line(runs, 'lost'), /0 +3 +0 +MISSED$/);
  t.regex(line(pair('F3', { lost: 9 }, {}), 'lost'), /9 +0 +0 +met$/);
});

test('what the platform does not tell is a dash', (t) => {
  const unknown = { cpuPerDelivery: null };
  t.regex(line(pair('F5', unknown, unknown), 'CPU µs/delivery'), /- +- +- +at most 0\.9x$/);
});

test('what makes figures doubtful is noted', (t) => {
  const found = (scenario: string, naive: Partial<LoadResult>): number =>
    notes(scenarios, pair(scenario, naive, {})).length;
  t.is(found('F1', { serverShare: 0.9, loadShare: 0.97 }), 0);
  t.is(found('F1', { serverShare: 0.9, loadShare: 0.98 }), 1);
  t.is(found('F1', { serverShare: 0.89 }), 1);
  t.is(found('F5', { serverShare: 0.4 }), 0);
  t.is(found('F1', { closed: 1, closedWhy: 'reset' }), 1);
  t.is(found('F1', { unexpected: 1 }), 1);
  t.is(found('F1', { stalls: 1 }), 1);
});
