import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Authenticator } from '../contract.ts';
import { none } from '../permissions.ts';
import { granting } from './api-keys.ts';
import { KeyFile } from './key-file.ts';
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
