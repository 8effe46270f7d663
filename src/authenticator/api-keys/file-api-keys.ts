import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type FiledKey, longestKeyFile, parseKeyFile } from '../../config/api-keys.ts';
import { formatError } from '../../config/config-error.ts';
import { OwnWords } from '../../secret/redaction.ts';
import type { Authenticator } from '../contract.ts';
import { none } from '../permissions.ts';
import { granting } from './api-keys.ts';
import type { StoreLog } from './key-store.ts';

interface FileApiKeys {
  readonly file: string;
  readonly log: StoreLog;
  /** Milliseconds between looks at the file, where the system does not tell of its changes. Default: 2,000. */
  readonly poll?: number;
}

/**
 * API keys in a file, of which it holds the hashes. It is looked at before every answer, so that a key which has been
 * taken out opens nothing from then on; while somebody watches, changes are noticed without a question too. A file
 * that cannot be read leaves the keys as they were; where there have been none, no question is answered.
 */
export function fileApiKeys({ file, log, poll = 2000 }: FileApiKeys): Authenticator {
  const keys = new KeyFile(file, log);
  let read = keys.keys;
  let granted = granting(read ?? []);
  return {
    name: 'ApiKeys',
    anonymous: none,
    async authorise({ authorization }) {
      await keys.look();
      if (keys.keys === null) throw new UnreadKeyFile();
      if (keys.keys !== read) {
        read = keys.keys;
        granted = granting(read);
      }
      return granted(authorization);
    },
    watch: (changed) => watchFile(file, poll, keys, changed),
  };
}

class UnreadKeyFile extends Error {
  readonly code = 'KEY_FILE';
}

function watchFile(file: string, poll: number, keys: KeyFile, changed: () => void): () => void {
  keys.changed.add(changed);
  const look = () => void keys.look();
  // The folder is watched, and not the file: whoever writes a new one and renames it leaves the old one watched.
  const name = basename(file);
  const watcher = folderWatcher(dirname(file), (entry) => {
    if (entry === null || entry === name) look();
  });
  // Network and overlay file systems tell of nothing, and the folder may not be there yet.
  const timer = setInterval(look, poll);
  timer.unref();
  look();
  return () => {
    keys.changed.delete(changed);
    clearInterval(timer);
    watcher?.close();
  };
}

function folderWatcher(folder: string, onEntry: (entry: string | null) => void): { close(): void } | null {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, entry) => onEntry(entry));
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

/** Time stamps of files are as coarse as a tick of the kernel's: what was read so soon after a change is read again. */
const COARSE = 1000;
/** Faults of one file that are logged; the rest is more of the same. */
const FAULTS_SHOWN = 3;

/** The keys of a file as they were last seen, and who wants to know when they change. */
class KeyFile {
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

  /** Reads the file again if it has changed. Settles once the file was seen as it is now or later. Never rejects. */
  look(): Promise<void> {
    if (this.#looking === null) {
      this.#looking = this.#look().finally(() => {
        this.#looking = null;
      });
      return this.#looking;
    }
    // The look that is under way may have seen the file before it was changed: all callers from now on wait for the next.
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
