import { describeReason, type ExitReason } from './exit-reason.ts';
import type { Process } from './process.ts';

/** Written when a process crashes. Holds no message contents and no state. */
export interface CrashReport {
  readonly type: 'crash';
  readonly pid: string;
  readonly name: string | null;
  /** The behaviour whose `init` started the process. */
  readonly initialCall: string;
  readonly reason: string;
  readonly stack: readonly string[];
  /** From the parent up to the root. */
  readonly ancestors: readonly string[];
  readonly mailboxLength: number;
  readonly links: readonly string[];
}

/** Written by a supervisor when a child fails: to start, while it runs, to stop in time; and when it gives up itself. */
export interface SupervisorReport {
  readonly type: 'supervisor';
  readonly supervisor: string;
  readonly context: 'start_error' | 'child_terminated' | 'shutdown_error' | 'shutdown';
  readonly reason: string;
  readonly offender: {
    readonly id: string;
    readonly pid: string | null;
    readonly restart: string;
    readonly type: string;
  };
}

export type Report = CrashReport | SupervisorReport;

/** How many links a report names; a supervisor may have thousands. */
const LINKS_NAMED = 10;

export function crashReport(process: Process, reason: ExitReason): CrashReport {
  return {
    type: 'crash',
    pid: process.toString(),
    name: process.name ?? null,
    initialCall: process.behaviour.name,
    reason: describeReason(reason),
    stack: stackOf(reason),
    ancestors: ancestorsOf(process),
    mailboxLength: process.mailboxLength,
    links: [...(process.links ?? [])].slice(0, LINKS_NAMED).map(nameOf),
  };
}

/** A process for people: its name, or what it is or runs and its pid. */
export function nameOf(process: Process): string {
  return process.name ?? `${process.label ?? process.behaviour.name}${process.toString()}`;
}

/** The frames alone: the lines before them repeat the message, some line of which may look like a frame. */
function stackOf(reason: ExitReason): string[] {
  if (typeof reason !== 'object' || !('error' in reason)) return [];
  const { message, stack = '' } = reason.error;
  const lines = stack.slice(Math.max(0, stack.indexOf(message)) + message.length).split('\n');
  return lines.filter((line) => line.startsWith('    at ')).map((line) => line.trim());
}

function ancestorsOf(process: Process): string[] {
  const names: string[] = [];
  for (let at = process.parent; at !== undefined; at = at.parent) names.push(nameOf(at));
  return names;
}
