import { readFileSync } from 'node:fs';
import { areFilesShort } from '../application/relay.ts';
import type { Limits } from '../config/config.ts';

const DEFAULT_DESCRIPTORS = 1024;

/** The soft limit on open files, where the system tells it. */
export function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    const limit = Number(line?.[1]);
    return Number.isFinite(limit) ? limit : 2 ** 20;
  } catch {
    return DEFAULT_DESCRIPTORS;
  }
}

/** What the limit of this process is too low for; null: nothing. */
export function shortageOf(limits: Limits): string | null {
  const openFiles = descriptorLimit();
  if (!areFilesShort(limits, openFiles)) return null;
  return `limits.connections: more than the limit on open files leaves, which is ${openFiles} here`;
}
