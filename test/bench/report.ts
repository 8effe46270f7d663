import type { LoadResult, Side } from './result.ts';
import type { Scenario } from './scenarios.ts';

export interface Run {
  readonly scenario: string;
  readonly side: Side;
  readonly round: number;
  readonly result: LoadResult;
}

type Metric = keyof LoadResult;

/** What the ratio fanfare / naive must be. */
interface Target {
  readonly scenario: string;
  readonly metric: Metric;
  readonly bound: 'at least' | 'at most';
  readonly ratio: number;
}

const targets: readonly Target[] = [
  { scenario: 'F1', metric: 'deliveriesPerSecond', bound: 'at least', ratio: 25 },
  { scenario: 'F2', metric: 'deliveriesPerSecond', bound: 'at least', ratio: 14 },
  { scenario: 'F2', metric: 'bytesPerConnection', bound: 'at most', ratio: 1.3 },
  { scenario: 'C1', metric: 'connectsPerSecond', bound: 'at least', ratio: 0.9 },
  { scenario: 'F3', metric: 'deliveriesPerSecond', bound: 'at least', ratio: 1.05 },
  { scenario: 'F4', metric: 'p50', bound: 'at most', ratio: 1 },
  { scenario: 'H1', metric: 'deliveriesPerSecond', bound: 'at least', ratio: 0.97 },
  { scenario: 'R1', metric: 'herdSeconds', bound: 'at most', ratio: 1.3 },
  { scenario: 'F5', metric: 'cpuPerDelivery', bound: 'at most', ratio: 0.9 },
];

interface Row {
  readonly metric: Metric;
  readonly title: string;
  readonly digits: number;
  /** The scenarios that show it. */
  readonly only: readonly string[];
}

/** The scenario that is about connecting alone, and that of clients which come back. */
const CONNECTS = 'C1';
const RETURNS = 'R1';
const STEADY = ['F1', 'F2', 'F3', 'F4', 'F5', 'H1'];

/** Shown as medians over the rounds. */
const rows: readonly Row[] = [
  { metric: 'deliveriesPerSecond', title: 'deliveries/s', digits: 0, only: STEADY },
  { metric: 'cpuPerDelivery', title: 'CPU µs/delivery', digits: 3, only: STEADY },
  { metric: 'herdSeconds', title: 'seconds', digits: 2, only: [RETURNS] },
  { metric: 'peakMebibytes', title: 'MiB above rest', digits: 0, only: [RETURNS] },
  { metric: 'p50', title: 'latency p50 µs', digits: 0, only: [...STEADY, RETURNS] },
  { metric: 'p99', title: 'latency p99 µs', digits: 0, only: [...STEADY, RETURNS] },
  { metric: 'bytesPerConnection', title: 'bytes/connection', digits: 0, only: ['F2'] },
  { metric: 'connectsPerSecond', title: 'connects/s', digits: 0, only: ['F2', CONNECTS] },
  { metric: 'cpuPerConnect', title: 'CPU µs/connect', digits: 0, only: ['F2', CONNECTS, RETURNS] },
];

/** Shown as sums over the rounds, and none of it may be: what a correct relay has none of. */
const faults: readonly Omit<Row, 'only'>[] = [
  { metric: 'lost', title: 'lost', digits: 0 },
  { metric: 'outOfOrder', title: 'out of order', digits: 0 },
  { metric: 'duplicates', title: 'duplicates', digits: 0 },
];

/** A load process that is busier than this may itself have been what was measured. */
const BUSY = 0.97;
/** At full speed, a server with less of its core than this was held up by others on the machine, or by the load. */
const HELD_UP = 0.9;

export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The table as lines of text: a heading, then the metrics of each scenario that has runs. */
export function table(scenarios: readonly Scenario[], runs: readonly Run[]): string {
  const cells: string[][] = [['', 'metric', 'naive', 'fanfare', 'ratio', 'target', '']];
  for (const { name, title, sides } of scenarios) {
    const of = (side: Side, metric: Metric): number[] =>
      runs
        .filter((run) => run.scenario === name && run.side === side)
        .flatMap((run) => (typeof run.result[metric] === 'number' ? [run.result[metric]] : []));
    if (!runs.some((run) => run.scenario === name)) continue;
    cells.push([name, sides === undefined ? title : `${title} (${sides} in place of naive and fanfare)`]);
    for (const { metric, title, digits, only } of rows) {
      if (!only.includes(name)) continue;
      const naive = median(of('naive', metric));
      const fanfare = median(of('fanfare', metric));
      const ratio = naive === null || fanfare === null || naive === 0 ? null : fanfare / naive;
      const target = targets.find((each) => each.scenario === name && each.metric === metric);
      cells.push([
        '',
        title,
        figure(naive, digits),
        figure(fanfare, digits),
        ratio === null ? '-' : `${ratio.toFixed(2)}x`,
        target === undefined ? '' : `${target.bound} ${target.ratio}x`,
        target === undefined || ratio === null ? '' : verdict(target, ratio),
      ]);
    }
    for (const { metric, title, digits } of faults) {
      const naive = sum(of('naive', metric));
      const fanfare = sum(of('fanfare', metric));
      cells.push([
        '',
        title,
        figure(naive, digits),
        figure(fanfare, digits),
        '',
        '0',
        fanfare === 0 ? 'met' : 'MISSED',
      ]);
    }
  }
  return align(cells);
}

/** What a reader must know before trusting the table, one line each. */
export function notes(scenarios: readonly Scenario[], runs: readonly Run[]): string[] {
  const fullSpeed = new Set(scenarios.filter(({ pace }) => pace.kind === 'window').map(({ name }) => name));
  return runs.flatMap(({ scenario, side, round, result }) => {
    const where = `${scenario} ${side}, round ${round}:`;
    const found: string[] = [];
    if (result.loadShare > BUSY && result.loadShare > (result.serverShare ?? 1)) {
      found.push(`${where} the load process was busier than the server`);
    }
    if (fullSpeed.has(scenario) && result.serverShare !== null && result.serverShare < HELD_UP) {
      found.push(`${where} the server had ${Math.round(result.serverShare * 100)} % of a core only`);
    }
    if (result.closed > 0) found.push(`${where} ${result.closed} connections closed (${result.closedWhy})`);
    if (result.unexpected > 0) found.push(`${where} ${result.unexpected} unexpected frames`);
    if (result.stalls > 0) found.push(`${where} ${result.stalls} stalls`);
    return found;
  });
}

function verdict({ bound, ratio: wanted }: Target, ratio: number): string {
  return (bound === 'at least' ? ratio >= wanted : ratio <= wanted) ? 'met' : 'MISSED';
}

function sum(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0);
}

function figure(value: number | null, digits: number): string {
  if (value === null) return '-';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Names to the left, figures to the right; a row of two cells is a heading and claims no width for its second one. */
function align(cells: readonly (readonly string[])[]): string {
  const widths = Array.from({ length: 7 }, (_, column) =>
    Math.max(...cells.filter((row) => row.length > 2).map((row) => row[column]?.length ?? 0)),
  );
  widths[0] = 2;
  return cells
    .map((row) =>
      row
        .map((cell, column) => {
          if (row.length === 2) return cell;
          const width = widths[column] ?? 0;
          return column >= 2 && column <= 4 ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
