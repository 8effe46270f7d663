import type { ApiKeysConfig } from '../../config/api-keys.ts';
import type { Authenticator } from '../contract.ts';
import { apiKeys } from './api-keys.ts';
import { fileApiKeys } from './file-api-keys.ts';
import type { StoreLog } from './key-store.ts';
import { postgresApiKeys } from './postgres-api-keys.ts';

/** The authenticator of publishers, over the store that the configuration names. `timeout`: milliseconds for an answer. */
export function apiKeysFrom(config: ApiKeysConfig, log: StoreLog, timeout = 2000): Authenticator {
  switch (config.store) {
    case 'list':
      return apiKeys(config.keys);
    case 'file':
      return fileApiKeys({ file: config.file, log });
    case 'postgres':
      return postgresApiKeys({ url: config.url, recheck: config.recheck, log, timeout });
  }
}
