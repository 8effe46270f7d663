import { areFilesShort } from '../application/relay.ts';
import type { Limits } from '../config/config.ts';
import { maxOpenFiles } from '../measure/resources.ts';

/** What systems start processes with. */
const USUAL_LIMIT = 1024;

/** The soft limit on open files, where the system tells it. */
export function descriptorLimit(): number {
  return maxOpenFiles() ?? USUAL_LIMIT;
}

/** What the limit of this process is too low for; null: nothing. */
export function shortageOf(limits: Limits): string | null {
  const openFiles = descriptorLimit();
  if (!areFilesShort(limits, openFiles)) return null;
  return `limits.connections: more than the limit on open files leaves, which is ${openFiles} here`;
}
