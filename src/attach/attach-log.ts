import { appendFileSync } from 'node:fs';
import { redacting } from '../secret/redaction.ts';

/** Who asked for what, a JSON object a line. */
export interface AttachLog {
  write(entry: Readonly<Record<string, unknown>>): void;
}

/** Appends to a file that only its owner reads. A file that cannot be written loses lines and stops nobody. */
export function attachLog(file: string, lost: (error: Error) => void): AttachLog {
  let failing = false;
  return {
    write(entry) {
      try {
        appendFileSync(file, `${JSON.stringify({ time: new Date().toISOString(), ...entry }, redacting)}\n`, {
          mode: 0o600,
        });
        failing = false;
      } catch (error) {
        if (!failing) lost(error as Error);
        failing = true;
      }
    },
  };
}
