import { isAbsolute, join } from 'node:path';
import { Hidden } from '../secret/hidden.ts';
import { apiKeys } from './api-keys.ts';
import type { ApiKeysConfig } from './config.ts';
import { orNull, textKind, writtenAs } from './kind.ts';
import { filePath, time } from './scalars.ts';
import { key, type Reader, section } from './section.ts';

/** Beside the configuration in use: the store of a relay that names no other. */
export function embeddedIn(folder: string): string {
  return join(folder, 'apikeys.yaml');
}

const postgresUrl = writtenAs(
  'secret',
  textKind('a URL such as postgres://host:5432/database, with user:password@ before the host', (text) =>
    isPostgresUrl(text) ? new Hidden(text) : undefined,
  ),
);

/** Where API keys are: at most one of `list`, `file` and `postgres`. */
export const apiKeyStores = (recheck: number | null) =>
  section({
    list: key(apiKeys, []),
    file: key(orNull(filePath), null),
    postgres: key(orNull(postgresUrl), null),
    recheck: key(orNull(time), recheck),
  });

export type ApiKeyStores = ReturnType<typeof apiKeyStores> extends Reader<infer T> ? T : never;

/** The store that the first of `sections` names which names any; the embedded file, in `folder`, when none does. */
export function apiKeysOf(sections: readonly ApiKeyStores[], folder: string): ApiKeysConfig {
  const { list, file, postgres } = sections.find(namesStore) ?? { list: [], file: null, postgres: null };
  if (list.length > 0) return { store: 'list', keys: list };
  if (postgres !== null) {
    const recheck = sections.map((one) => one.recheck).find((one) => one !== null);
    return { store: 'postgres', url: postgres, recheck: recheck ?? 0 };
  }
  if (file === null) return { store: 'file', file: embeddedIn(folder) };
  return { store: 'file', file: isAbsolute(file) ? file : join(folder, file) };
}

function namesStore({ list, file, postgres }: ApiKeyStores): boolean {
  return list.length > 0 || file !== null || postgres !== null;
}

/** What pg can take apart, too: it leaves out a host before a database, and decodes the parts. */
function isPostgresUrl(text: string): boolean {
  if (!/^postgres(ql)?:\/\/[^\s\p{Cc}]+$/u.test(text)) return false;
  try {
    const { username, password, pathname } = new URL(text.replace('@/', '@host/'));
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
