import { whole } from '../../attach/text.ts';
import type { Sent, Tally } from './crew.ts';
import type { Expectation, Measured } from './expectation.ts';
import { Latencies } from './latencies.ts';
import { limitOf } from './limit.ts';

/** What a run was asked for. */
export interface Asked {
  readonly publishers: number;
  readonly subscribers: number;
  readonly channels: number;
  readonly size: number;
  /** Messages per second of all publishers together; null: as many as the relay takes. */
  readonly rate: number | null;
}

interface Outcome {
  readonly asked: Asked;
  /** Seconds that were measured. */
  readonly seconds: number;
  readonly sent: readonly Sent[];
  readonly tallies: readonly Tally[];
  /** From 0 to 1; null: the relay cannot be looked into. */
  readonly relayBusy: number | null;
  readonly expectations: readonly Expectation[];
}

/** What has come of a run. */
export interface Report extends Measured {
  readonly asked: Asked;
  readonly seconds: number;
  /** Messages of the whole run, and deliveries that there should have been and were. */
  readonly published: number;
  readonly expected: number;
  readonly received: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly disordered: number;
  readonly gaps: number;
  readonly unanswered: number;
  readonly relayBusy: number | null;
  readonly busy: number;
  readonly limit: string;
  /** Expectations that have not come true. */
  readonly missed: readonly string[];
  readonly ok: boolean;
}

/** Pure. */
export function reportOf({ asked, seconds, sent, tallies, relayBusy, expectations }: Outcome): Report {
  const latencies = new Latencies();
  for (const tally of tallies) latencies.add(tally.latencies);
  const published = sent.flatMap(({ counts }) => counts).reduce((sum, [, count]) => sum + count, 0);
  const measured = total(sent, (one) => one.measured);
  const senders = sent.filter(({ counts }) => counts.length > 0);
  const lost = total(tallies, (one) => one.lost);
  const received = total(tallies, (one) => one.received);
  const faults = {
    lost,
    duplicates: total(tallies, (one) => one.doubles),
    disordered: total(tallies, (one) => one.late),
    gaps: total(tallies, (one) => one.gaps),
    unanswered: total(sent, (one) => one.unanswered),
  };
  const numbers: Measured = {
    p50: latencies.percentile(0.5),
    p90: latencies.percentile(0.9),
    p99: latencies.percentile(0.99),
    'p99.9': latencies.percentile(0.999),
    max: latencies.worst,
    mean: latencies.mean,
    rate: measured / seconds,
    deliveries: latencies.total / seconds,
  };
  const busy = Math.max(0, ...tallies.map((one) => one.busy));
  const strain = {
    asked: asked.rate,
    achieved: numbers.rate,
    ownBusy: busy,
    relayBusy,
    waiting: total(senders, (one) => one.waiting) / Math.max(1, senders.length),
  };
  const missed = expectations.filter(({ of, holds }) => !holds(numbers[of])).map(({ text }) => text);
  return {
    asked,
    seconds,
    published,
    expected: received + lost,
    received,
    ...faults,
    ...numbers,
    relayBusy,
    busy,
    limit: limitOf(strain),
    missed,
    ok: missed.length === 0 && Object.values(faults).every((count) => count === 0),
  };
}

function total<T>(items: readonly T[], read: (item: T) => number): number {
  return items.reduce((sum, item) => sum + read(item), 0);
}

/** The report for people, a line each. */
export function reportLines(report: Report): string[] {
  const { publishers, subscribers, channels, size } = report.asked;
  const { seconds, published, expected, received, lost, duplicates, disordered, gaps, unanswered } = report;
  const faults = [
    `${whole(lost)} of ${whole(expected)} deliveries lost`,
    `${whole(duplicates)} twice`,
    `${whole(disordered)} out of order`,
    `${whole(gaps)} gaps`,
    ...(unanswered > 0 ? [`${whole(unanswered)} messages without an answer`] : []),
  ];
  const bytes = (rate: number) => `${((rate * size) / 1e6).toFixed(1)} MB/s`;
  return [
    `published   ${whole(report.rate)} messages/s, ${bytes(report.rate)}: ${count(publishers, 'publisher')}, ${count(channels, 'channel')}, ${whole(size)} bytes each, ${seconds.toFixed(1)} s measured; ${whole(published)} in all`,
    `delivered   ${whole(report.deliveries)} messages/s, ${bytes(report.deliveries)}: ${count(subscribers, 'subscriber')}; ${whole(received)} in all`,
    `latency     ${(['p50', 'p90', 'p99', 'p99.9', 'max'] as const).map((name) => `${name} ${time(report[name])}`).join('  ')}, from when a message was meant to be sent`,
    `checked     ${faults.join(', ')}`,
    `limit       ${report.limit}`,
    ...report.missed.map((text) => `failed      --expect '${text}'`),
  ];
}

function count(value: number, noun: string): string {
  return `${whole(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function time(milliseconds: number | null): string {
  if (milliseconds === null) return '–';
  if (milliseconds >= 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${milliseconds >= 100 ? Math.round(milliseconds) : Number(milliseconds.toPrecision(2))} ms`;
}
