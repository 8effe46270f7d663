import { closeSync, openSync, readSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { type ConfigError, inReadingOrder } from './config-error.ts';
import { parseConfig } from './parse-config.ts';
import { tlsFaults } from './tls-files.ts';
import { longestText } from './yaml-text.ts';

export interface LoadOptions {
  /** `--config FILE`; without it, `config/relay.yaml` of the package. */
  readonly file?: string | undefined;
  /** The values of all `--set key.path=value`, in their order. */
  readonly sets?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The folder of package.json. */
  readonly packageRoot: string;
}

export type LoadResult =
  | {
      readonly ok: true;
      readonly config: Config;
      /** The file that was read. */
      readonly file: string;
      /** Legal and hardly meant; worth a log line each. */
      readonly warnings: readonly ConfigError[];
    }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** The only impure function here: reads the files and the host's name. Never throws. */
export function loadConfig({ file: named, sets = [], env, packageRoot }: LoadOptions): LoadResult {
  const file = named ?? join(packageRoot, 'config', 'relay.yaml');
  const read = readText(file);
  if ('expected' in read) {
    return { ok: false, errors: [{ file, line: 1, column: 1, key: 'file', expected: read.expected }] };
  }
  const result = parseConfig({ text: read.text, file, sets, env, hostName: hostname() });
  if (!result.ok) return result;
  const { config, warnings, places } = result;
  const errors = inReadingOrder(tlsFaults(config, places, { file, line: 1, column: 1 }), file);
  return errors.length > 0 ? { ok: false, errors } : { ok: true, config, file, warnings };
}

const reasons = new Map([
  ['ENOENT', 'there is none of this name'],
  ['ENOTDIR', 'there is none of this name'],
  ['EISDIR', 'this is a directory'],
  ['EACCES', 'reading it is not permitted'],
]);

/** At most a little more than a configuration may hold, so that a device or a log named by mistake is not read whole. */
function readText(file: string): { text: string } | { expected: string } {
  const buffer = Buffer.alloc(longestText * 3);
  let length = 0;
  try {
    const descriptor = openSync(file, 'r');
    try {
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { expected: `a configuration file; ${reasons.get(code) ?? `reading it failed with ${code}`}` };
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length)) };
  } catch {
    return { expected: 'a configuration file in UTF-8' };
  }
}
