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
  return prefixed(shown, Number(/^\{"level":(\d+)/.exec(json)?.[1]));
}

/** Numbers of pino's levels. */
export const WARNING = 40;
export const ERROR = 50;
const STDERR = 2;

/** What is written to standard error, with the end of its last line. */
export function errorLines(text: string, level: typeof WARNING | typeof ERROR = ERROR): string {
  const lines = `${text}\n`;
  return isJournal(process.env['JOURNAL_STREAM'], STDERR) ? prefixed(lines, level) : lines;
}

function prefixed(lines: string, level: number): string {
  return lines.replace(/^(?=.)/gm, priorityOf(level));
}
