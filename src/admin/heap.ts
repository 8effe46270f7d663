import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';

const MIB = 1024 * 1024;

/**
 * Bytes in use of what V8 keeps for longer, and the most that there can be of it. When that is full the process ends,
 * however much the young generation, which counts in the heap's own limit, has left: with a limit of 512 MiB that is at
 * 0.87 of it. `young`: MiB of the young generation, as V8 would choose; it differs from version to version. Not
 * known yet is undefined, or below zero.
 */
export function longLivedHeap(young?: number): Heap {
  let used = 0;
  for (const { space_name: name, space_used_size: size } of getHeapSpaceStatistics())
    if (!name.startsWith('new_')) used += size;
  const { heap_size_limit: whole } = getHeapStatistics();
  return { used, limit: whole - (youngByFlags(FLAGS, whole) ?? (young ? Math.max(young, 0) * MIB : 0)) };
}

export interface Heap {
  readonly used: number;
  readonly limit: number;
}

/** Bytes of the young generation, by flags for a heap of `whole`. Undefined: V8 chooses without regard to the heap. */
export function youngByFlags(flags: readonly string[], whole: number): number | undefined {
  const semiSpace = megabytes(flags, 'max-semi-space-size');
  if (semiSpace > 0) return 3 * MIB * semiSpace;
  // V8 divides a heap of a given size; this is a little more than the part that it takes.
  return megabytes(flags, 'max-heap-size') > 0 ? whole / 16 : undefined;
}

/** The last one counts. */
function megabytes(flags: readonly string[], name: string): number {
  const values = flags
    .map((flag) => flag.replaceAll('_', '-'))
    .filter((flag) => flag.startsWith(`--${name}=`));
  return Number(values.at(-1)?.split('=')[1] ?? 0);
}

const FLAGS = [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv];
