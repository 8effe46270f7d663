import type { AuthenticatorConfig } from '../config/authenticators.ts';
import { apiKeysFrom } from './api-keys/api-keys-from.ts';
import type { StoreLog } from './api-keys/key-store.ts';
import type { Authenticator } from './contract.ts';
import { forwardAuthenticator } from './forward.ts';
import { jwtAuthenticator } from './jwt.ts';
import { myAuthenticator } from './my-authenticator.ts';
import { noneAuthenticator } from './none.ts';
import { passwordAuthenticator } from './password-authenticator.ts';
import { type PluginModule, pluginAuthenticator } from './plugin.ts';

/** Modules of the user's, by their file. */
export type Plugins = ReadonlyMap<string, PluginModule>;

/** The authenticator that the configuration names. `timeout`: milliseconds that an answer may take. */
export function authenticatorFrom(
  config: AuthenticatorConfig,
  timeout: number,
  plugins: Plugins,
  log: StoreLog,
): Authenticator {
  switch (config.name) {
    case 'None':
      return noneAuthenticator;
    case 'MyAuthenticator':
      return myAuthenticator;
    case 'PasswordAuthenticator':
      return passwordAuthenticator(config.passwords, config.allowReadByDefault);
    case 'ApiKeys':
      return apiKeysFrom(config.apiKeys, log, timeout);
    case 'JWT':
      return jwtAuthenticator({ ...config, timeout });
    case 'Forward':
      return forwardAuthenticator({ ...config, timeout });
    case 'Plugin': {
      const plugin = plugins.get(config.file);
      if (plugin === undefined) throw new Error('the plugin is not loaded');
      return pluginAuthenticator(config.file, plugin);
    }
  }
}
