import type { ApiKeysConfig } from '../config/api-keys.ts';
import type { AuthenticatorConfig } from '../config/authenticators.ts';
import { apiKeys } from './api-keys/api-keys.ts';
import { fileApiKeys } from './api-keys/file-api-keys.ts';
import type { StoreLog } from './api-keys/key-store.ts';
import { postgresApiKeys } from './api-keys/postgres-api-keys.ts';
import { grantOf, isAnswer } from './authorisation.ts';
import type { Answer, Authenticator } from './contract.ts';
import { forwardAuthenticator } from './forward.ts';
import { jwtAuthenticator } from './jwt.ts';
import { passwordAuthenticator } from './password-authenticator.ts';
import { everything, intersection, none, onPatterns, readAndWrite } from './permissions.ts';
import { type Plugins, pluginAuthenticator } from './plugin.ts';

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

/** The authenticator of publishers, over the store that the configuration names. `timeout`: milliseconds for an answer. */
export function apiKeysFrom(config: ApiKeysConfig, log: StoreLog, timeout: number): Authenticator {
  switch (config.store) {
    case 'list':
      return apiKeys(config.keys);
    case 'file':
      return fileApiKeys({ file: config.file, log });
    case 'postgres':
      return postgresApiKeys({ url: config.url, recheck: config.recheck, log, timeout });
  }
}

/**
 * The same authenticator, bound to the topics that `patterns` match: whatever it grants, to anybody, elsewhere there is
 * no right. Throws a RangeError for a malformed pattern.
 */
export function withinChannels(authenticator: Authenticator, patterns: readonly string[]): Authenticator {
  const allowed = onPatterns(patterns, readAndWrite);
  const bound = (answer: Answer): Answer => {
    // What is no answer might come out of the intersection as one.
    if (!isAnswer(answer)) throw new TypeError('the authenticator answered with something else');
    if (!('permissions' in answer)) return intersection(answer, allowed);
    return { ...answer, permissions: intersection(answer.permissions, allowed) };
  };
  return {
    ...authenticator,
    anonymous: grantOf(bound(authenticator.anonymous)).permissions,
    authorise: (question) => {
      const answer = authenticator.authorise(question);
      return 'then' in answer ? answer.then(bound) : bound(answer);
    },
  };
}

/** `None`: everybody may do everything, with any credential and without one. */
export const noneAuthenticator: Authenticator = {
  name: 'None',
  anonymous: everything,
  authorise: () => everything,
};

/** `MyAuthenticator`, pusud's example of an authenticator of one's own: it grants nothing to anybody. */
const myAuthenticator: Authenticator = {
  name: 'MyAuthenticator',
  anonymous: none,
  authorise: () => none,
};
