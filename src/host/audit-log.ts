import { appendFileSync, constants } from 'node:fs';
import { join } from 'node:path';
import { redacting } from '../secret/redaction.ts';
import type { Audit, AuditEntry } from '../view/audit.ts';

/** Of a node's folder. */
export const AUDIT_FILE = 'audit.log';
/** Characters of one text in a line; an expression at the prompt may be long. */
const LONGEST = 1000;

interface RelayLog {
  note(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/**
 * Who did what to the relay, in a file that only its owner reads. The file is opened for each line, so that it may be
 * renamed at any time. One that cannot be written loses lines and stops nobody. Without a folder the log has the lines.
 */
export function auditLog(folder: string | null, log: RelayLog): Audit {
  if (folder === null) return { write: (entry) => log.note('audit', { ...shortened(entry) }) };
  const file = join(folder, AUDIT_FILE);
  let failing = false;
  return {
    write(entry) {
      try {
        append(file, entry, constants.O_CREAT);
        failing = false;
      } catch (error) {
        if (!failing) log.warn('the audit log cannot be written', { why: (error as Error).message });
        failing = true;
      }
    },
  };
}

/**
 * For another process, such as a command. It makes no file, which would be its own user's and not the node's; what cannot
 * be written is lost without a word.
 */
export function appendToAudit(folder: string, entry: AuditEntry): void {
  try {
    append(join(folder, AUDIT_FILE), entry, 0);
  } catch {
    // The node has never run, or its folder is another user's.
  }
}

function append(file: string, entry: AuditEntry, create: number): void {
  const line = JSON.stringify({ time: new Date().toISOString(), ...shortened(entry) }, redacting);
  const flag = constants.O_WRONLY | constants.O_APPEND | create;
  // The published types know the letters alone.
  appendFileSync(file, `${line}\n`, { mode: 0o600, flag: flag as unknown as string });
}

function shortened({ by, who, what, outcome }: AuditEntry): AuditEntry {
  return { by, who: cut(who), what: cut(what), outcome: cut(outcome) };
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
