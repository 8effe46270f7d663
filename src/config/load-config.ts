import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { type ConfigError, inReadingOrder } from './config-error.ts';
import { fileFaults, readTextFile } from './files.ts';
import type { ClosedDoor } from './layers.ts';
import { parseConfig } from './parse-config.ts';

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
      readonly closed: readonly ClosedDoor[];
      /** Legal and hardly meant; worth a log line each. */
      readonly warnings: readonly ConfigError[];
    }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** The only impure function here: reads the files and the host's name. Never throws. */
export function loadConfig({ file: named, sets = [], env, packageRoot }: LoadOptions): LoadResult {
  const file = named ?? join(packageRoot, 'config', 'relay.yaml');
  const read = readTextFile(file);
  if ('why' in read) {
    const expected = `a configuration file; ${read.why}`;
    return { ok: false, errors: [{ file, line: 1, column: 1, key: 'file', expected }] };
  }
  const result = parseConfig({
    text: read.text,
    file,
    sets,
    env,
    hostName: hostname(),
    readText: readTextFile,
  });
  const readable = result.ok ? result : result.readable;
  const faults =
    readable === null
      ? { errors: [], warnings: [] }
      : fileFaults(readable.config, readable.places, { file, line: 1, column: 1 });
  const errors = [...(result.ok ? [] : result.errors), ...faults.errors];
  if (!result.ok || errors.length > 0) return { ok: false, errors: inReadingOrder(errors, file) };
  const { config, warnings, closed } = result;
  return {
    ok: true,
    config,
    file,
    closed,
    warnings: inReadingOrder([...warnings, ...faults.warnings], file),
  };
}
