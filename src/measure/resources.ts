import { readdirSync, readFileSync } from 'node:fs';
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

/** Open file descriptors; null: the system does not tell. */
export function openFiles(): number | null {
  try {
    // One of them is that of the folder.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}

/** The soft limit on them, which Linux always has; null: the system does not tell. */
export function maxOpenFiles(): number | null {
  return numberIn('/proc/self/limits', /^Max open files\s+(\d+)/m);
}

/** Bytes of address space; null: the system does not tell. */
export function virtualMemory(): number | null {
  const kib = numberIn('/proc/self/status', /^VmSize:\s+(\d+) kB/m);
  return kib === null ? null : kib * 1024;
}

function numberIn(file: string, form: RegExp): number | null {
  try {
    const [, digits] = form.exec(readFileSync(file, 'utf8')) ?? [];
    return digits === undefined ? null : Number(digits);
  } catch {
    return null;
  }
}
