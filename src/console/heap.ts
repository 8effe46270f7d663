import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';

const MIB = 1024 * 1024;
/** The young generation: three times this, in MiB, unless a flag says otherwise. */
const SEMI_SPACE = 16;

/**
 * Bytes in use of what V8 keeps for longer, and the most that there can be of it. When that is full the process ends,
 * however much the young generation, which counts in the heap's own limit, has left: with a limit of 512 MiB that is at
 * 0.87 of it.
 */
export function longLivedHeap(): { readonly used: number; readonly limit: number } {
  let used = 0;
  for (const { space_name: name, space_used_size: size } of getHeapSpaceStatistics())
    if (!name.startsWith('new_')) used += size;
  const { heap_size_limit: whole } = getHeapStatistics();
  return { used, limit: Math.max(whole / 2, whole - YOUNG) };
}

/** Bytes, by the flags of this process. */
export function youngGeneration(flags: readonly string[]): number {
  const sizes = flags.flatMap((flag) => /^--max[-_]semi[-_]space[-_]size=(\d+)$/.exec(flag)?.[1] ?? []);
  return 3 * MIB * Number(sizes.at(-1) ?? SEMI_SPACE);
}

const YOUNG = youngGeneration([...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv]);
