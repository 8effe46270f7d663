import type { Metric, Registry } from 'prom-client';
import type { Histogram } from '../measure/histogram.ts';
import { redacted } from '../secret/redaction.ts';

type Labels = Readonly<Record<string, string>>;
type Values = Iterable<readonly [value: number, labels: Labels]>;

export type Definitions = ReturnType<typeof definitions>;

interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  value: number;
}

/**
 * How metrics are declared: each with what reads its values at a scrape. A number alone has no labels. `prefix`: what all
 * of their names begin with.
 */
export function definitions(registry: Registry, prefix = 'fanfare') {
  // The library counts for itself; what is counted already is given in the shape that it reads.
  const declare = (type: string, shortName: string, help: string, read: (name: string) => Sample[]) => {
    const name = `${prefix}_${shortName}`;
    const get = () => Promise.resolve({ name, help, type, aggregator: 'sum', values: read(name) });
    registry.registerMetric({ name, help, type, get } as unknown as Metric);
  };
  return {
    gauge(name: string, help: string, read: () => number | Values) {
      declare('gauge', name, help, () => samplesOf(read(), (_, value) => value));
    },
    counter(name: string, help: string, read: () => number | Values) {
      declare('counter', name, help, () => samplesOf(read(), (sum, value) => sum + value));
    },
    histogram(name: string, help: string, read: () => Iterable<readonly [Histogram, Labels]>) {
      declare('histogram', name, help, (full) =>
        [...read()].flatMap(([of, labels]) => histogramSamples(full, of, redacted(labels))),
      );
    },
  };
}

/** Labels that are the same once they are redacted are one sample: a scraper takes none twice. */
function samplesOf(read: number | Values, join: (before: number, value: number) => number): Sample[] {
  if (typeof read === 'number') return [{ labels: {}, value: read }];
  const samples = new Map<string, Sample>();
  for (const [value, of] of read) {
    const labels = redacted(of);
    const key = JSON.stringify(labels);
    const known = samples.get(key);
    if (known === undefined) samples.set(key, { labels, value });
    else known.value = join(known.value, value);
  }
  return [...samples.values()];
}

function histogramSamples(name: string, { bounds, counts, sum, count }: Histogram, labels: Labels): Sample[] {
  let below = 0;
  const buckets = bounds.map((bound, index) => {
    below += counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

export function* byKey(
  counts: Readonly<Record<string, number>>,
  label: string,
): Generator<readonly [number, Labels]> {
  for (const [key, value] of Object.entries(counts)) yield [value, { [label]: key }];
}

/** Counts, where those that are known to be possible and have not come about are 0: an increase from nothing is none. */
export function* withZeros<Of extends Labels>(counts: Values, possible: Iterable<Of>): Values {
  const seen = new Set<string>();
  for (const [count, labels] of counts) {
    seen.add(JSON.stringify(labels));
    yield [count, labels];
  }
  for (const labels of possible) if (!seen.has(JSON.stringify(labels))) yield [0, labels];
}
