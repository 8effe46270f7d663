import { open } from 'node:fs/promises';
import { type FiledKey, longestKeyFile, parseKeyFile } from '../../config/api-keys.ts';
import { formatError } from '../../config/config-error.ts';
import { OwnWords } from '../../secret/redaction.ts';
import type { StoreLog } from './key-store.ts';

/** Time stamps of files are as coarse as a tick of the kernel's: what was read so soon after a change is read again. */
const COARSE = 1000;
/** Faults of one file that are logged; the rest is more of the same. */
const FAULTS_SHOWN = 3;

/** The keys of a file as they were last seen, and who wants to know when they change. */
export class KeyFile {
  /** Null: there are none to go by, as the file could not be read yet. A new list after each change. */
  keys: readonly FiledKey[] | null = null;
  readonly changed = new Set<() => void>();
  readonly #file: string;
  readonly #log: StoreLog;
  #stamp: string | null = null;
  #text: string | null = null;
  #fault: string | null = null;
  #looking: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(file: string, log: StoreLog) {
    this.#file = file;
    this.#log = log;
  }

  /** Reads the file again if it is another one than before; done, it has seen it as it is now or later. Never rejects. */
  look(): Promise<void> {
    if (this.#looking === null) {
      this.#looking = this.#look().finally(() => {
        this.#looking = null;
      });
      return this.#looking;
    }
    // The one that is under way may have seen the file before it was changed: all who come now wait for the next one.
    this.#next ??= this.#looking.then(() => {
      this.#next = null;
      return this.look();
    });
    return this.#next;
  }

  async #look(): Promise<void> {
    let text: string;
    try {
      const handle = await open(this.#file, 'r');
      try {
        const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs } = await handle.stat({ bigint: true });
        const stamp = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
        if (stamp === this.#stamp) return;
        this.#stamp = Date.now() - Number(mtimeMs) > COARSE ? stamp : null;
        if (size > longestKeyFile * 3) throw new TooLong();
        text = await handle.readFile('utf8');
      } finally {
        await handle.close();
      }
    } catch (error) {
      this.#unread(error);
      return;
    }
    if (text === this.#text) {
      this.#good();
      return;
    }
    const result = parseKeyFile(text, this.#file);
    if (!result.ok) {
      this.#bad(result.errors.slice(0, FAULTS_SHOWN).map(formatError).join('; '));
      return;
    }
    this.#text = text;
    this.keys = result.keys;
    this.#good();
    for (const tell of [...this.changed]) tell();
  }

  #unread(error: unknown): void {
    this.#stamp = null;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    // Nobody has been given a key yet. Later on it is rather an editor at work, or a file system that is away.
    if (code === 'ENOENT' && (this.keys === null || this.#text === null)) {
      this.keys ??= [];
      return;
    }
    this.#bad(code === 'ENOENT' ? 'it is gone' : `reading it failed with ${code}`);
  }

  #good(): void {
    if (this.#fault !== null) this.#log.note('API keys are read again', { file: this.#file });
    this.#fault = null;
  }

  #bad(why: string): void {
    if (this.#fault !== why) {
      const message =
        this.keys === null
          ? 'API keys cannot be read'
          : 'API keys cannot be read; those of before go on to count';
      this.#log.warn(message, { file: this.#file, why: new OwnWords(why) });
    }
    this.#fault = why;
  }
}

class TooLong extends Error {
  readonly code = 'EFBIG';
}
