import { fstatSync } from 'node:fs';

/** The priorities of syslog (sd-daemon(3)) by the numbers of pino's levels. */
const PRIORITIES: ReadonlyMap<number, number> = new Map([
  [10, 7],
  [20, 7],
  [30, 6],
  [40, 4],
  [50, 3],
  [60, 2],
]);
const INFORMATION = 6;

/** Whether the descriptor goes to systemd's journal. `stream`: `JOURNAL_STREAM` of the environment, as systemd sets it. */
export function isJournal(stream: string | undefined, descriptor: number): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** What stands in front of a line for the journal, so that `journalctl -p warning` finds it. */
export function priorityOf(level: number): string {
  return `<${PRIORITIES.get(level) ?? INFORMATION}>`;
}

/** `json`: the line as pino makes it, which begins with its level; `shown`: as it is to be written, on one line or more. */
export function withPriority(json: string, shown: string): string {
  const prefix = priorityOf(Number(/^\{"level":(\d+)/.exec(json)?.[1]));
  return shown.replace(/^(?=.)/gm, prefix);
}
