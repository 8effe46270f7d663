import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PluginConfig } from '../config/authenticators.ts';
import type { Config } from '../config/config.ts';
import type { ConfigError } from '../config/config-error.ts';
import type { Plugins } from './authenticator-from.ts';
import { type PluginModule, pluginOf } from './plugin.ts';

export type PluginsResult =
  | { readonly ok: true; readonly plugins: Plugins }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** Loads every module that the configuration names, once, or says what is wrong with them. Never rejects. */
export async function loadPlugins({ authenticator, doors }: Config): Promise<PluginsResult> {
  const configs = [authenticator, ...Object.values(doors).map((door) => door?.authenticator)];
  const plugins = new Map<string, PluginModule>();
  const errors: ConfigError[] = [];
  for (const config of configs) {
    if (config?.name !== 'Plugin') continue;
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
