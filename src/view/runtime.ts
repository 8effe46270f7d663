import { arch, availableParallelism, platform } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { activeResources } from '../measure/resources.ts';
import { connections } from './connections.ts';
import { pageOf } from './page-of.ts';
import type { NodeView } from './relay-view.ts';
import { topicCount } from './topics.ts';

export function runtimeInfo(node: NodeView) {
  const { counters, processes } = node.system;
  const { accounting } = node.topics;
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    node: node.node,
    version: node.version,
    runtime: `Node.js ${process.version}, ${platform()} ${arch()}, ${availableParallelism()} cores`,
    pid: process.pid,
    /** Seconds. */
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
    /** What keeps the event loop, by kind. */
    resources: activeResources(),
  };
}

/** Looks at the relay `n` times, `period` milliseconds apart; counts are of that time. */
export async function nodeStats(node: NodeView, n: number, period: number, signal: AbortSignal) {
  const samples = [];
  const start = performance.now();
  let last = totals(node);
  for (let i = 0; i < n && !signal.aborted; i++) {
    const due = performance.now() + period;
    await pause(period, signal);
    const late = Math.max(0, performance.now() - due);
    const now = totals(node);
    const { utilization } = performance.eventLoopUtilization(now.loop, last.loop);
    samples.push({
      /** Seconds since the first sample began. */
      at: rounded((performance.now() - start) / 1000, 1),
      messages: now.messages - last.messages,
      delivered: now.delivered - last.delivered,
      dropped: now.dropped - last.dropped,
      processes: node.system.processes.size,
      rss: process.memoryUsage.rss(),
      heapUsed: process.memoryUsage().heapUsed,
      /** Milliseconds that the event loop came too late. */
      loopDelay: rounded(late, 1),
      /** Part of the time that the event loop was busy, from 0 to 1. */
      utilisation: rounded(utilization, 3),
    });
    last = now;
  }
  return samples;
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/**
 * Collects all garbage, which stops the relay for a moment, and says how many bytes are left outside the heap, and which
 * processes hold most of them.
 */
export function binLeak(node: NodeView, n: number) {
  const before = process.memoryUsage().arrayBuffers;
  collectGarbage();
  const after = process.memoryUsage().arrayBuffers;
  const holders = [
    ...connections(node, 'pending', { limit: n }).rows.map(({ ref, door, pending }) => ({
      ref,
      what: `waits for a client of ${door}`,
      bytes: pending,
    })),
    ...Array.from(node.topics.all(), (topic) => ({
      ref: topic.toString(),
      what: 'waits to be fanned out',
      bytes: topic.fanOut.bytes,
    })),
  ].filter(({ bytes }) => bytes > 0);
  return {
    before,
    after,
    released: before - after,
    holders: pageOf(holders, ({ bytes }) => bytes, { limit: n }).rows,
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
