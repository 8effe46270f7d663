import { getHeapStatistics } from 'node:v8';

/** What the system tells of memory is read from a file: without a free descriptor it is NaN. */
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

/** What keeps the event loop, by kind. */
export function activeResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
