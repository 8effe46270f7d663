import { getHeapStatistics } from 'node:v8';

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
