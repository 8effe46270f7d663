import {
  appendFileSync,
  chmodSync,
  closeSync,
  fchmodSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';

/** Lines that a session knows; the file is cut back to so many once it has twice of them. */
export const HISTORY = 1000;
const OWNER_ONLY = 0o600;

/** What an operator has typed, for the sessions to come. It may hold names and contents of clients: only its owner reads it. */
export class HistoryFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The newest first, as readline wants it. */
  lines(): string[] {
    try {
      const lines = readFileSync(this.#path, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
      if (lines.length > 2 * HISTORY) this.#replace(lines.slice(-HISTORY));
      return lines.slice(-HISTORY).reverse();
    } catch {
      return [];
    }
  }

  /** A line that begins with a blank is not remembered, as in shells: it may hold what nobody should read. */
  add(text: string): void {
    const line = text.replaceAll(/\s*\r?\n\s*/g, ' ');
    if (line.trim() === '' || line.startsWith(' ')) return;
    try {
      const file = openSync(this.#path, 'a', OWNER_ONLY);
      try {
        fchmodSync(file, OWNER_ONLY);
        appendFileSync(file, `${line}\n`);
      } finally {
        closeSync(file);
      }
    } catch {
      // Without a home there is a history of this session alone.
    }
  }

  /** Another session may add a line meanwhile, which is lost then: it is a convenience, and no record. */
  #replace(lines: readonly string[]): void {
    const next = `${this.#path}.${process.pid}`;
    writeFileSync(next, `${lines.join('\n')}\n`, { mode: OWNER_ONLY });
    chmodSync(next, OWNER_ONLY);
    renameSync(next, this.#path);
  }
}
