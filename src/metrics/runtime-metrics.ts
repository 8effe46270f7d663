import { performance } from 'node:perf_hooks';
import { memory } from '../view/memory.ts';
import type { RelayView } from '../view/relay-view.ts';
import { heapLimit, type Sampling } from '../view/sampling.ts';
import { byKey, type Definitions } from './definitions.ts';

/** The process that all of it runs in. */
export function runtimeMetrics(
  view: RelayView,
  sampling: Sampling,
  { gauge, counter, histogram }: Definitions,
): void {
  gauge(
    'build_info',
    'What runs: always 1.',
    () => [[1, { version: view.version, node: view.node, node_version: process.version }]],
    ['version', 'node', 'node_version'],
  );
  gauge('start_time_seconds', 'When the process started, since 1970.', () => [
    [Math.round(performance.timeOrigin) / 1000],
  ]);
  histogram(
    'event_loop_delay_seconds',
    'How late a timer of the event loop is, looked at 40 times a second.',
    () => [[sampling.loopDelay, {}]],
  );
  gauge('event_loop_utilisation_ratio', 'Share of the last ten seconds that the event loop was busy.', () => [
    [sampling.utilisation],
  ]);
  counter('event_loop_active_seconds_total', 'Time that the event loop was busy.', () => [
    [performance.eventLoopUtilization().active / 1000],
  ]);
  counter('event_loop_stalls_total', 'Times that the event loop stood still for a second or more.', () => [
    [view.stalls.count],
  ]);
  counter('cpu_seconds_total', 'Processor time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return [[(user + system) / 1e6]];
  });
  gauge(
    'memory_bytes',
    'Memory of the process.',
    () => {
      const { rss, heapUsed, heapTotal, external } = memory();
      return [
        [rss, { kind: 'resident' }],
        [heapUsed, { kind: 'heap_used' }],
        [heapTotal, { kind: 'heap_total' }],
        [external, { kind: 'external' }],
      ];
    },
    ['kind'],
  );
  gauge(
    'resources',
    'What keeps the event loop: sockets, servers, files.',
    () => {
      const counts: Record<string, number> = {};
      for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
      return byKey(counts, 'kind');
    },
    ['kind'],
  );
  gauge('heap_limit_bytes', 'The most that the heap can grow to.', () => [[heapLimit()]]);
  counter('log_lines_lost_total', 'Log lines that their target did not take.', () => [[view.linesLost()]]);
}
