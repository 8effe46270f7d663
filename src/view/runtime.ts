import { arch, availableParallelism, platform } from 'node:os';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connections } from './connections.ts';
import type { NodeView } from './relay-view.ts';
import { topicCount } from './topics.ts';

export interface RuntimeInfo {
  readonly node: string;
  readonly version: string;
  readonly runtime: string;
  readonly pid: number;
  /** Seconds. */
  readonly uptime: number;
  readonly processes: number;
  readonly topics: number;
  readonly spawned: number;
  readonly crashed: number;
  readonly deadLetters: number;
  readonly refusedMessages: number;
  readonly messages: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly memory: Readonly<Record<'rss' | 'heapTotal' | 'heapUsed' | 'external' | 'arrayBuffers', number>>;
  /** What keeps the event loop, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

export function runtimeInfo(node: NodeView): RuntimeInfo {
  const { counters, processes } = node.system;
  const { accounting } = node.topics;
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    node: node.node,
    version: node.version,
    runtime: `Node.js ${process.version}, ${platform()} ${arch()}, ${availableParallelism()} cores`,
    pid: process.pid,
    uptime: Math.round(process.uptime()),
    processes: processes.size,
    topics: topicCount(node),
    spawned: counters.spawned,
    crashed: counters.crashed,
    deadLetters: counters.deadLetters,
    refusedMessages: counters.refused,
    messages: accounting.messages,
    delivered: accounting.delivered,
    dropped: accounting.droppedInAll,
    memory: { rss, heapTotal, heapUsed, external, arrayBuffers },
    resources: activeResources(),
  };
}

export function activeResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

export interface NodeSample {
  /** Seconds since the first one began. */
  readonly at: number;
  readonly messages: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly processes: number;
  readonly rss: number;
  readonly heapUsed: number;
  /** Milliseconds that the event loop came too late. */
  readonly loopDelay: number;
  /** Part of the time that the event loop was busy, from 0 to 1. */
  readonly utilisation: number;
}

/** Looks at the relay `n` times, `period` milliseconds apart; counts are of that time. */
export async function nodeStats(
  node: NodeView,
  n: number,
  period: number,
  signal: AbortSignal,
): Promise<NodeSample[]> {
  const samples: NodeSample[] = [];
  const start = performance.now();
  let last = totals(node);
  for (let i = 0; i < n && !signal.aborted; i++) {
    const due = performance.now() + period;
    await pause(period, signal);
    const loopDelay = Math.max(0, Math.round((performance.now() - due) * 10) / 10);
    const now = totals(node);
    const sample = {
      at: Math.round((performance.now() - start) / 100) / 10,
      messages: now.messages - last.messages,
      delivered: now.delivered - last.delivered,
      dropped: now.dropped - last.dropped,
      processes: node.system.processes.size,
      rss: process.memoryUsage.rss(),
      heapUsed: process.memoryUsage().heapUsed,
      loopDelay,
      utilisation:
        Math.round(performance.eventLoopUtilization(now.loop, last.loop).utilization * 1000) / 1000,
    };
    last = now;
    samples.push(sample);
  }
  return samples;
}

export interface BinLeak {
  /** Bytes outside the heap, before and after everything that can go has gone. */
  readonly before: number;
  readonly after: number;
  readonly released: number;
  /** Who holds most. */
  readonly holders: readonly { readonly ref: string; readonly what: string; readonly bytes: number }[];
}

/** Collects all garbage, which stops the relay for a moment, and says what bytes are left and who holds most. */
export function binLeak(node: NodeView, n: number): BinLeak {
  const before = process.memoryUsage().arrayBuffers;
  collectGarbage();
  const after = process.memoryUsage().arrayBuffers;
  const holders = [
    ...connections(node, 'pending', n).rows.map(({ ref, door, pending }) => ({
      ref,
      what: `waits for a client of ${door}`,
      bytes: pending,
    })),
    ...Array.from(node.topics.all(), (topic) => ({
      ref: topic.toString(),
      what: 'waits to be fanned out',
      bytes: topic.fanOut.queue.reduce((sum, { message }) => sum + message.payload.length, 0),
    })),
  ];
  holders.sort((a, b) => b.bytes - a.bytes);
  return {
    before,
    after,
    released: before - after,
    holders: holders.filter(({ bytes }) => bytes > 0).slice(0, n),
  };
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

function totals(node: NodeView) {
  const { messages, delivered, droppedInAll: dropped } = node.topics.accounting;
  return { messages, delivered, dropped, loop: performance.eventLoopUtilization() };
}

export function pause(period: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, period);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/** The memory of the process. What the system tells of it is read from a file: without a free descriptor it is NaN. */
export function memory(): Omit<NodeJS.MemoryUsage, 'arrayBuffers'> {
  try {
    return process.memoryUsage();
  } catch {
    const { used_heap_size, total_heap_size, external_memory } = getHeapStatistics();
    return {
      rss: Number.NaN,
      heapUsed: used_heap_size,
      heapTotal: total_heap_size,
      external: external_memory,
    };
  }
}

/** The most bytes that the heap can grow to. */
export function heapLimit(): number {
  return getHeapStatistics().heap_size_limit;
}
