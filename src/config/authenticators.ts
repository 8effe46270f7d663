import { isAbsolute, join } from 'node:path';
import type { ApiKeysConfig, AuthenticatorConfig, PasswordEntry } from './config.ts';
import type { Place } from './config-error.ts';
import { evident } from './evident.ts';
import { keyFromText, pinned } from './jwt-keys.ts';
import { type Kind, Refusal, textKind, writtenAs } from './kind.ts';
import { nearest } from './nearest.ts';
import { whyNoPath } from './scalars.ts';

const named = ['None', 'PasswordAuthenticator', 'MyAuthenticator', 'ApiKeys', 'JWT', 'Forward'] as const;

/** What stands at an `authenticator` key: a name of ours, or a module of the user's. */
export type AuthenticatorName = (typeof named)[number] | PluginPath;

export interface PluginPath {
  readonly plugin: string;
  readonly at: Place;
}

const expected = `one of ${named.join(', ')}, or the path of a plugin such as ./plugins/mine.js`;

export const authenticatorName: Kind<AuthenticatorName> = textKind(expected, (text, { at }) => {
  const found = named.find((each) => each === text);
  if (found !== undefined) return found;
  if (isPath(text)) return text.includes('\0') ? undefined : { plugin: text, at };
  const near = nearest(text, named);
  return near === undefined ? undefined : new Refusal(`${expected}; did you mean "${near}"?`);
});

/** The same at the door of wspubsub, where `ApiKeys` is what publishers are judged by anyway, and subscribers are not. */
export const wspubsubAuthenticatorName: Kind<AuthenticatorName | null> = {
  expected: authenticatorName.expected,
  parse: (value, path, context) =>
    value.kind === 'scalar' && value.text === 'ApiKeys'
      ? null
      : authenticatorName.parse(value, path, context),
};

/** A name without a slash is no path, unless it ends as modules do: `None` must not become one by a typing error. */
function isPath(text: string): boolean {
  return /^\.{0,2}\/|\.m?js$/.test(text);
}

/** The settings that stand beside an `authenticator` key. */
export interface AuthenticatorSettings {
  readonly passwords: readonly PasswordEntry[];
  readonly allowReadByDefault: boolean;
  readonly jwtSigningAlgorithms: readonly string[];
  readonly jwtVerificationKey: string | null;
  readonly jwt: {
    readonly jwks: string | null;
    readonly audience: string | null;
    readonly issuer: string | null;
    readonly leeway: number;
    readonly grace: number;
    readonly timeout: number | null;
    readonly recheck: number;
  };
  readonly forward: {
    readonly url: string | null;
    readonly timeout: number | null;
    readonly cache: number;
    readonly recheck: number;
    readonly recheckRate: number;
  };
  readonly authenticatorTimeout: number;
}

/**
 * `apiKeys`: those of the relay. `key`: the path of the `authenticator` key. `folder`: of the configuration file, which
 * files are relative to.
 */
export function authenticatorOf(
  name: AuthenticatorName,
  settings: AuthenticatorSettings,
  apiKeys: ApiKeysConfig,
  key: string,
  folder: string,
): AuthenticatorConfig {
  if (typeof name === 'object')
    return { name: 'Plugin', file: beside(folder, name.plugin), at: name.at, key };
  switch (name) {
    case 'None':
    case 'MyAuthenticator':
      return { name };
    case 'PasswordAuthenticator': {
      const { passwords, allowReadByDefault } = settings;
      return { name, passwords, allowReadByDefault };
    }
    case 'ApiKeys':
      return { name, apiKeys };
    case 'JWT':
      return jwtOf(settings, folder);
    case 'Forward': {
      const { url, cache, recheck, recheckRate } = settings.forward;
      return { name, url: url ?? '', cache, recheck, recheckRate };
    }
  }
}

function jwtOf(settings: AuthenticatorSettings, folder: string): AuthenticatorConfig {
  const { jwtVerificationKey: text, jwtSigningAlgorithms: algorithms } = settings;
  const { jwks, audience, issuer, leeway, grace, recheck } = settings.jwt;
  const key = text === null ? '' : keyFromText(text);
  const keys = typeof key === 'string' ? [] : [{ kid: null, key, algorithms: pinned(key, algorithms) }];
  const source = jwks === null ? null : isUrl(jwks) ? { url: jwks } : { file: beside(folder, jwks) };
  return { name: 'JWT', keys, jwks: source, algorithms, audience, issuer, leeway, grace, recheck };
}

/** Milliseconds for answers: what stands under the authenticator's own name goes first. */
export function timeoutOf(
  name: AuthenticatorName,
  { jwt, forward, authenticatorTimeout }: AuthenticatorSettings,
): number {
  const own = name === 'JWT' ? jwt.timeout : name === 'Forward' ? forward.timeout : null;
  return own ?? authenticatorTimeout;
}

function beside(folder: string, file: string): string {
  return isAbsolute(file) ? file : join(folder, file);
}

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

const httpUrl = (text: string): string | undefined => {
  if (!isUrl(text) || !URL.canParse(text)) return undefined;
  const { username, password, hash } = new URL(text);
  return username === '' && password === '' && hash === '' ? text : undefined;
};

/** Where a server is asked. */
export const url: Kind<string> = writtenAs(
  'text',
  textKind('an http or https URL such as https://auth.example.com/check, without a password in it', httpUrl),
);

/** Where keys are. */
export const jwksSource: Kind<string> = writtenAs(
  'text',
  textKind('a file or an http or https URL with a JSON Web Key Set', (text) => {
    if (isUrl(text)) return httpUrl(text);
    if (evident(text) === 'key set')
      return new Refusal('a file or URL with a key set, and not what is in it');
    return text === '' || text.includes('\0') || text.includes('://') ? undefined : (whyNoPath(text) ?? text);
  }),
);
