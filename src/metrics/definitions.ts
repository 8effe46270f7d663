import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import type { Histogram } from '../measure/histogram.ts';
import { redacted } from '../secret/redaction.ts';

type Labels = Readonly<Record<string, string>>;
type Values = Iterable<readonly [value: number, labels?: Labels]>;
/** A number alone has no labels. */
type Read = () => number | Values;

/** How metrics are declared: each with what reads its values at a scrape. */
export interface Definitions {
  gauge(name: string, help: string, read: Read, labels?: readonly string[]): void;
  counter(name: string, help: string, read: Read, labels?: readonly string[]): void;
  histogram(
    name: string,
    help: string,
    read: () => Iterable<readonly [histogram: Histogram, labels: Labels]>,
  ): void;
}

const PREFIX = 'fanfare_';

export function definitions(registry: Registry): Definitions {
  return {
    gauge(name, help, read, labels = []) {
      const metric: Gauge = new Gauge({
        name: PREFIX + name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect() {
          metric.reset();
          for (const [value, of = {}] of valuesOf(read())) metric.set(redacted(of), value);
        },
      });
    },
    counter(name, help, read, labels = []) {
      const metric: Counter = new Counter({
        name: PREFIX + name,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect() {
          metric.reset();
          for (const [value, of = {}] of valuesOf(read())) metric.inc(redacted(of), value);
        },
      });
    },
    histogram(name, help, read) {
      const full = PREFIX + name;
      // The library counts for itself; what is counted already is given in the shape that it reads.
      const metric = {
        name: full,
        help,
        type: 'histogram',
        aggregator: 'sum',
        reset: () => undefined,
        get: () =>
          Promise.resolve({
            name: full,
            help,
            type: 'histogram',
            aggregator: 'sum',
            values: [...read()].flatMap(([of, labels]) => histogramValues(full, of, redacted(labels))),
          }),
      };
      registry.registerMetric(metric as unknown as Metric);
    },
  };
}

function histogramValues(name: string, { bounds, counts, sum, count }: Histogram, labels: Labels) {
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

function valuesOf(read: number | Values): Values {
  return typeof read === 'number' ? [[read]] : read;
}

export function* byKey(
  counts: Readonly<Record<string, number>>,
  label: string,
): Generator<readonly [number, Labels]> {
  for (const [key, value] of Object.entries(counts)) yield [value, { [label]: key }];
}
