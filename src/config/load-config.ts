import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { type Config, configOf } from './config.ts';
import { type ConfigError, inReadingOrder } from './config-error.ts';
import { type Effective, effectiveKeys } from './effective.ts';
import { fileFaults, readTextFile } from './files.ts';
import { relayKeys } from './keys.ts';
import { type ClosedDoor, closedDoors, type Layer, withAliases, withDoors } from './layers.ts';
import { environmentLayers, flagLayers } from './overrides.ts';
import { type Complain, checkTogether, warnAbout, warnOfStart } from './rules.ts';
import type { FileText, Place, Report } from './value.ts';
import { readYaml } from './yaml.ts';

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
      /** Every key, and where it comes from. */
      readonly effective: readonly Effective[];
      readonly closed: readonly ClosedDoor[];
      /** Legal and hardly meant; worth a log line each. */
      readonly warnings: readonly ConfigError[];
      /** What the relay itself will warn of in its log. */
      readonly atStart: readonly ConfigError[];
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
  const { config, warnings, atStart, closed, effective } = result;
  return {
    ok: true,
    config,
    file,
    effective,
    closed,
    warnings: inReadingOrder([...warnings, ...faults.warnings], file),
    atStart,
  };
}

export interface ConfigSources {
  /** The YAML text of the file. */
  readonly text: string;
  /** The file's name, as errors show it. */
  readonly file: string;
  /** `key.path=value`, in the order of the command line. */
  readonly sets: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly hostName: string;
  /** Reads the files that variables name; without it there are none. */
  readonly readText?: (path: string) => FileText;
}

export type ConfigResult =
  | (Readable & {
      readonly ok: true;
      readonly warnings: readonly ConfigError[];
      readonly atStart: readonly ConfigError[];
      readonly closed: readonly ClosedDoor[];
      readonly effective: readonly Effective[];
    })
  | {
      readonly ok: false;
      readonly errors: readonly ConfigError[];
      /** With the defaults in place of what was refused, to look at the files that it names; null: the text is unreadable. */
      readonly readable: Readable | null;
    };

/** A configuration. */
interface Readable {
  readonly config: Config;
  /** Where each value stands that was written; by path. */
  readonly places: ReadonlyMap<string, Place>;
}

/**
 * The configuration that the sources stand for, or every fault in them, in reading order. Pure but for `readText`,
 * and never throws.
 */
export function parseConfig({
  text,
  file,
  sets,
  env,
  hostName,
  readText = () => ({ why: 'there is no file of this name' }),
}: ConfigSources): ConfigResult {
  const errors: ConfigError[] = [];
  const warnings: ConfigError[] = [];
  const report = into(errors);
  const top: Place = { file, line: 1, column: 1 };

  const written = readYaml(text, top, report);
  const unreadable = errors.reduce((first, { line }) => Math.min(first, line), Number.POSITIVE_INFINITY);
  const layers: Layer[] = [
    ...withAliases(withDoors(written, top), report),
    ...withAliases(environmentLayers(env, { report, warn: into(warnings), readText }), report),
    ...withAliases(flagLayers(sets, report), report),
  ];

  const places = new Map<string, Place>();
  const failed = new Set<string>();
  const entries = layers.map((value) => ({ key: '', value, at: value.at }));
  const settings = relayKeys.read(entries, '', { report, places, failed });

  const complainInto =
    (list: ConfigError[]): Complain =>
    (keys, expected) => {
      if (keys.some((key) => failed.has(key))) return;
      const at = keys.map((key) => places.get(key)).find((place) => place !== undefined) ?? top;
      list.push({ ...at, key: keys[0], expected });
    };

  const isText = unreadable === Number.POSITIVE_INFINITY;
  if (isText) checkTogether(settings, complainInto(errors));
  // From the first fault of the text itself on, nothing is known to stand where it was meant to.
  const known = errors.filter(
    (error) => error.key === 'yaml' || error.file !== file || error.line < unreadable,
  );
  const config = configOf(settings, hostName, dirname(file));
  if (known.length > 0) {
    return { ok: false, errors: inReadingOrder(known, file), readable: isText ? { config, places } : null };
  }

  warnAbout(settings, complainInto(warnings));
  const atStart: ConfigError[] = [];
  warnOfStart(settings, complainInto(atStart));
  return {
    ok: true,
    config,
    warnings: inReadingOrder(warnings, file),
    atStart: inReadingOrder(atStart, file),
    closed: closedDoors(written, (door) => settings.doors[door] !== null, places),
    effective: effectiveKeys(layers, { ...settings, node: config.node }),
    places,
  };
}

function into(list: ConfigError[]): Report {
  return (at, key, expected) => list.push({ ...at, key, expected });
}
