import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PluginConfig } from '../config/authenticators.ts';
import { authenticatorsOf, type Config } from '../config/config.ts';
import type { ConfigError } from '../config/config-error.ts';
import type { Authenticator, Question } from './contract.ts';
import { fromPatterns, none, type Permissions, type Rights, rightsOf } from './permissions.ts';

/** What a user's module exports, as far as we look at it. */
export interface PluginModule {
  readonly getPermissions: (authorization: string, request: PluginRequest) => unknown;
  readonly watch?: (changed: () => void) => () => void;
}

/** The client's request, as a plugin sees it. */
export interface PluginRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  /** By name in lower case; the values of a repeated one joined by `, `. Without a prototype. */
  readonly headers: Readonly<Record<string, string>>;
  readonly door: string;
  readonly address: string;
}

/** Modules of the user's, by their file. */
export type Plugins = ReadonlyMap<string, PluginModule>;

export type PluginsResult =
  | { readonly ok: true; readonly plugins: Plugins }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** Loads every module that the configuration names, once, or says what is wrong with them. Never rejects. */
export async function loadPlugins(relay: Config): Promise<PluginsResult> {
  const plugins = new Map<string, PluginModule>();
  const errors: ConfigError[] = [];
  for (const [, config] of authenticatorsOf(relay)) {
    if (config.name !== 'Plugin') continue;
    const loaded = await load(config);
    if (typeof loaded === 'string') errors.push({ ...config.at, key: config.key, expected: loaded });
    else plugins.set(config.file, loaded);
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, plugins };
}

async function load({ file }: PluginConfig): Promise<PluginModule | string> {
  const path = resolve(file);
  try {
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href);
    const plugin = pluginOf(module);
    return typeof plugin === 'string' ? `the path of a plugin: ${plugin}` : plugin;
  } catch (error) {
    // No client is there yet, so the message cannot quote one.
    return `a plugin that loads; this one says ${String(error)}`;
  }
}

/** Whether a module is a plugin; a text: what it lacks. */
export function pluginOf(module: Readonly<Record<string, unknown>>): PluginModule | string {
  const { getPermissions, watch } = module;
  if (typeof getPermissions !== 'function') return 'a module that exports a function getPermissions';
  if (watch !== undefined && typeof watch !== 'function') return 'a module whose export watch is a function';
  return module as unknown as PluginModule;
}

/**
 * A user's own authenticator: pusud's `getPermissions(authorization)`, at once or as a promise, gives a map (or a plain
 * object) of patterns with `{ read, write }`, or `r`, `w` or `rw`. Anything else is no answer, and grants nothing.
 */
export function pluginAuthenticator(name: string, plugin: PluginModule): Authenticator {
  const { watch } = plugin;
  return {
    name,
    anonymous: none,
    needs: 'request',
    asksAll: true,
    authorise: async (question) =>
      permissionsOf(await plugin.getPermissions(question.authorization, requestOf(question))),
    ...(watch === undefined ? {} : { watch: (changed) => watch(changed) ?? (() => undefined) }),
  };
}

function requestOf({ request, door, address }: Question): PluginRequest {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of request?.headers ?? []) {
    const lower = name.toLowerCase();
    const before = headers[lower];
    headers[lower] = before === undefined ? value : `${before}, ${value}`;
  }
  return { method: request?.method ?? 'GET', url: request?.target ?? '/', headers, door, address };
}

function permissionsOf(answer: unknown): Permissions {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw wrongShape();
  const entries: Iterable<readonly [unknown, unknown]> =
    answer instanceof Map ? answer : Object.entries(answer);
  return fromPatterns(
    Array.from(entries, ([pattern, value]): [string, Rights] => {
      if (typeof pattern !== 'string') throw wrongShape();
      return [pattern, rightsIn(value)];
    }),
  );
}

function rightsIn(value: unknown): Rights {
  const named = rightsOf(value);
  if (named !== undefined) return named;
  if (typeof value !== 'object' || value === null) throw wrongShape();
  const { read = false, write = false } = value as { readonly read?: unknown; readonly write?: unknown };
  if (typeof read !== 'boolean' || typeof write !== 'boolean') throw wrongShape();
  return { read, write };
}

function wrongShape(): TypeError {
  return new TypeError('getPermissions gives patterns, each with { read, write }, r, w or rw');
}
