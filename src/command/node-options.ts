import { join } from 'node:path';
import { loadPlugins } from '../authenticator/plugin.ts';
import type { Config } from '../config/config.ts';
import { type ConfigError, formatError } from '../config/config-error.ts';
import { type LoadResult, loadConfig } from '../config/load-config.ts';
import { CONFIG_VARIABLE } from '../config/overrides.ts';
import { isOutOfReach, runFolder, runningBelow, runningPid, varRoot } from '../host/run-folder.ts';
import { OwnWords } from '../secret/redaction.ts';
import {
  argumentsIn,
  BAD_CONFIG,
  BadUsage,
  type Command,
  Failed,
  type Help,
  type OptionTable,
  type Place,
} from './command.ts';

/** Options of every command that reads the configuration. */
export const settingsOptions = {
  config: { type: 'string', value: 'FILE', about: 'the configuration of the relay' },
  set: {
    type: 'string',
    multiple: true,
    value: 'KEY=VALUE',
    about: 'overrides one setting of it; may be repeated',
  },
} as const satisfies OptionTable;

/** What finds a node: the same as it was, or is to be, started with. */
export interface SettingsOptions {
  readonly config: string | undefined;
  readonly set: readonly string[];
}

export interface NodeOptions extends SettingsOptions {
  readonly json: boolean;
  /** Milliseconds; undefined: not given. */
  readonly wait: number | undefined;
  readonly words: readonly string[];
}

/** A command on a node. `usage`: without the options that all of these have; `words`: how many operands there may be. */
export function nodeCommand(
  usage: string,
  run: (options: NodeOptions, place: Place) => Promise<number>,
  words: readonly [least: number, most: number] = [0, 0],
  help?: Help,
): Command {
  return {
    ...(help === undefined ? {} : { help }),
    usage: [usage.replace(/^\w+/, '$& [--config FILE] [--set KEY=VALUE]')],
    run: (args, place) => run(nodeOptions(args, words), place),
  };
}

function nodeOptions(args: readonly string[], [least, most]: readonly [number, number]): NodeOptions {
  const { values, positionals } = argumentsIn(args, {
    ...settingsOptions,
    json: { type: 'boolean' },
    wait: { type: 'string' },
  });
  if (positionals.length < least || positionals.length > most) throw new BadUsage();
  const wait = values.wait === undefined ? undefined : Number(values.wait) * 1000;
  if (wait !== undefined && !(wait >= 0)) throw new BadUsage('--wait takes a number of seconds');
  return {
    config: values.config,
    set: values.set ?? [],
    json: values.json === true,
    wait,
    words: positionals,
  };
}

/** The flags that give another process the same options. */
export function asFlags({ config, set }: SettingsOptions): string[] {
  return [...(config === undefined ? [] : ['--config', config]), ...set.flatMap((one) => ['--set', one])];
}

type Good = Extract<LoadResult, { readonly ok: true }>;

/** The configuration. Its faults end the command. */
export function load(options: SettingsOptions, place: Place): Good {
  return goodOf(loadResult(options, place));
}

/** The configuration, and the modules that it names. */
export async function loadWhole(options: SettingsOptions, place: Place) {
  const loaded = load(options, place);
  const { plugins } = goodOf(await loadPlugins(loaded.config));
  for (const warning of loaded.warnings) place.err(`warning: ${formatError(warning)}`);
  return { ...loaded, plugins };
}

function loadResult({ config, set }: SettingsOptions, { env, packageRoot }: Place): LoadResult {
  return loadConfig({ file: fileNamed(config, env), sets: set, env, packageRoot });
}

/** A configuration outside of the release is named by each command, or once for all of them by the variable. */
function fileNamed(config: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  return config ?? (env[CONFIG_VARIABLE] || undefined);
}

function goodOf<T extends { readonly ok: true }>(
  result: T | { readonly ok: false; readonly errors: readonly ConfigError[] },
): T {
  if (result.ok) return result;
  throw new Failed(BAD_CONFIG, ...result.errors.map(formatError));
}

/** The same, for a node that runs. */
export async function loadAgain(options: SettingsOptions, place: Place) {
  const loaded = loadResult(options, place);
  if (!loaded.ok)
    return { ok: false, errors: loaded.errors.map((error) => new OwnWords(formatError(error))) } as const;
  const plugins = await loadPlugins(loaded.config);
  // What a plugin has thrown is in the words of others.
  return plugins.ok
    ? { ...loaded, plugins: plugins.plugins }
    : ({ ok: false, errors: plugins.errors.map(formatError) } as const);
}

export function folderOf(config: Config, file: string): string {
  return runFolder(config.varDir, config.node, file);
}

/** A node as its options say: where it is, and its process if it runs. */
export interface FoundNode {
  readonly folder: string;
  readonly pid: number | undefined;
  /** Milliseconds that it may take until it is drained, 0: as long as it needs; null: not known. */
  readonly drain: number | null;
  /** By its configuration nobody can attach to it. */
  readonly closed: boolean;
  /** Where its folder is out of reach: by which address and as which node it answers. Null: the folder tells all. */
  readonly asked: { readonly node: string; readonly host: string; readonly port: number } | null;
}

/**
 * Finds the node. A configuration that has been broken since must not keep a node from being stopped: then the only one
 * that runs in the usual place is meant.
 */
export function findNode(options: SettingsOptions, place: Place): FoundNode {
  const loaded = loadResult(options, place);
  if (loaded.ok) {
    const folder = folderOf(loaded.config, loaded.file);
    const { node, admin, attach, limits } = loaded.config;
    const pid = runningPid(folder);
    return {
      folder,
      pid,
      drain: limits.drain === 0 ? 0 : limits.drainDelay + limits.drain,
      closed: !attach.enabled,
      asked: pid === undefined && admin !== null && isOutOfReach(folder) ? { node, ...admin } : null,
    };
  }
  const file = fileNamed(options.config, place.env) ?? join(place.packageRoot, 'config', 'relay.yaml');
  const running = runningBelow(varRoot(place.env['FANFARE_VAR_DIR'] || null, file));
  const [only] = running;
  if (running.length === 1 && only !== undefined) return { ...only, drain: null, closed: false, asked: null };
  return goodOf<never>(loaded);
}
