import { isAbsolute, join } from 'node:path';
import type { ApiKeysConfig } from './api-keys.ts';
import { evident } from './evident.ts';
import { algorithms, keyFromText, pinned, type VerificationKey } from './jwt-keys.ts';
import { type Context, type Kind, nearest, orNull, Refusal, textKind, wordsOf, writtenAs } from './kind.ts';
import { anyText, count, flag, leeway, oneOf, time, timeLimit, whyNoPath } from './scalars.ts';
import { hashed, insteadOfHashed } from './secrets.ts';
import { key, type SectionValue, section } from './section.ts';
import { type Entry, isNull, type Place, type Value } from './value.ts';

const seconds = 1000;

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

const httpUrl = (text: string): string | undefined => {
  if (!isUrl(text) || !URL.canParse(text)) return undefined;
  const { username, password, hash } = new URL(text);
  return username === '' && password === '' && hash === '' ? text : undefined;
};

/** Where a server is asked. */
const url: Kind<string> = writtenAs(
  'text',
  textKind('an http or https URL such as https://auth.example.com/check, without a password in it', httpUrl),
);

/** Where keys are. */
const jwksSource: Kind<string> = writtenAs(
  'text',
  textKind('a file or an http or https URL with a JSON Web Key Set', (text) => {
    if (isUrl(text)) return httpUrl(text);
    if (evident(text) === 'key set')
      return new Refusal('a file or URL with a key set, and not what is in it');
    return text === '' || text.includes('\0') || text.includes('://') ? undefined : (whyNoPath(text) ?? text);
  }),
);

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** pusud's example file has an empty one, where it means none. */
const verificationKey = writtenAs(
  'secret',
  textKind<string | null>('a public key in PEM, or a secret text', (text) => text || null),
);

/** One password, kept as its SHA-256 (32 bytes), and the channel patterns it opens for reading and writing. */
export interface PasswordEntry {
  readonly sha256: Buffer;
  readonly channels: readonly string[];
}

/** `*`, `prefix*`, or exactly one channel. */
export const channelPattern: Kind<string> = textKind(
  'a channel pattern such as news, user.* or "*" (in quotes)',
  (text) => {
    if (text === '' || /\p{Cs}/u.test(text)) return undefined;
    return text.slice(0, -1).includes('*')
      ? new Refusal('a channel pattern with its * at the end only')
      : text;
  },
);

export const channelPatterns = wordsOf('a list of channel patterns', channelPattern);

/**
 * A map of passwords to channel patterns, or a list of such maps, which is the form of pusud's example file. A password
 * is a key here, so paths count the passwords and never name one.
 */
const passwords: Kind<readonly PasswordEntry[]> = {
  expected: 'a map of passwords, each with a list of channel patterns',
  parse(value, path, context) {
    const entries = passwordEntries(value);
    if (entries === undefined) {
      context.report(value.at, path, passwords.expected);
      return undefined;
    }
    const lines = new Map<string, number>();
    const parsed = entries.map((entry, index) => {
      const at = `${path}[${index}]`;
      const sha256 =
        entry.key.trim() === ''
          ? new Refusal('a password that is not empty')
          : hashed(entry.key, 'a password', insteadOfHashed);
      const channels = patternsOf(entry.value, at, context);
      if (sha256 instanceof Refusal) {
        context.report(entry.at, at, sha256.expected);
        return undefined;
      }
      const hex = sha256.toString('hex');
      const before = lines.get(hex);
      lines.set(hex, entry.at.line);
      if (before !== undefined) {
        context.report(entry.at, at, `each password once; this one is already on line ${before}`);
        return undefined;
      }
      return channels && { sha256, channels };
    });
    return parsed.every((password) => password !== undefined) ? parsed : undefined;
  },
};

function patternsOf(value: Value, path: string, context: Context): readonly string[] | undefined {
  if (!isNull(value)) return channelPatterns.parse(value, path, context);
  context.report(value.at, path, `${channelPatterns.expected}, [] for none`);
  return undefined;
}

function passwordEntries(value: Value): readonly Entry[] | undefined {
  if (isNull(value)) return [];
  if (value.kind === 'map') return value.entries;
  if (value.kind === 'list' && value.items.every((item) => item.kind === 'map')) {
    return value.items.flatMap((item) => item.entries);
  }
  return undefined;
}

/** The settings of authenticators, which stand beside the `authenticator` key. */
export const authenticatorKeys = () => ({
  passwords: key(passwords, []),
  allow_read_by_default: key(flag, false),
  jwt_signing_algorithms: key(wordsOf('a list of algorithms', oneOf(algorithms)), []),
  jwt_verification_key: key(orNull(verificationKey), null),
  jwt: section({
    jwks: key(orNull(jwksSource), null),
    audience: key(orNull(anyText('a name')), null),
    issuer: key(orNull(anyText('a name')), null),
    /** Milliseconds by which clocks may differ. */
    leeway: key(leeway, 5 * seconds),
    /** Milliseconds that a connection may stay on after its token has expired. */
    grace: key(time, 10 * seconds),
    timeout: key(orNull(timeLimit), null),
    /** Milliseconds after which a set at a URL is looked at again; 0: as seldom as can be. */
    recheck: key(time, 3 * seconds),
  }),
  forward: section({
    url: key(orNull(url), null),
    timeout: key(orNull(timeLimit), null),
    /** Milliseconds that an answer is kept; 0: not at all. */
    cache: key(time, 0),
    /** Milliseconds after which what was allowed to those who are connected is asked about again; 0: never. */
    recheck: key(time, 3 * seconds),
    /** Such questions in a second, at most; 0: no limit. */
    recheck_rate: key(count, 500),
  }),
});

type Beside = SectionValue<ReturnType<typeof authenticatorKeys>>;

/** The settings that stand beside an `authenticator` key. */
export interface AuthenticatorSettings extends Beside {
  readonly authenticatorTimeout: number;
}

export type AuthenticatorConfig =
  | { readonly name: 'None' }
  | { readonly name: 'MyAuthenticator' }
  | ({ readonly name: 'PasswordAuthenticator' } & Pick<Beside, 'passwords' | 'allowReadByDefault'>)
  | { readonly name: 'ApiKeys'; readonly apiKeys: ApiKeysConfig }
  | JwtConfig
  | ForwardConfig
  | PluginConfig;

export interface JwtConfig extends Omit<Beside['jwt'], 'jwks' | 'timeout'> {
  readonly name: 'JWT';
  /** Keys of the configuration itself. */
  readonly keys: readonly VerificationKey[];
  /** Where more keys are; null: nowhere. */
  readonly jwks: { readonly file: string } | { readonly url: string } | null;
  /** For the keys in `jwks`; empty: the usual one of each key. */
  readonly algorithms: readonly string[];
}

export interface ForwardConfig extends Omit<Beside['forward'], 'url' | 'timeout'> {
  readonly name: 'Forward';
  readonly url: string;
}

/** A module of the user's. */
export interface PluginConfig {
  readonly name: 'Plugin';
  /** Absolute, or relative to the working directory. */
  readonly file: string;
  /** Where it is named. */
  readonly at: Place;
  readonly key: string;
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
      const { timeout, ...forward } = settings.forward;
      return { name, ...forward, url: forward.url ?? '' };
    }
  }
}

function jwtOf(settings: AuthenticatorSettings, folder: string): AuthenticatorConfig {
  const { jwtVerificationKey: text, jwtSigningAlgorithms: algorithms } = settings;
  const { jwks, timeout, ...jwt } = settings.jwt;
  const key = text === null ? '' : keyFromText(text);
  const keys = typeof key === 'string' ? [] : [{ kid: null, key, algorithms: pinned(key, algorithms) }];
  const source = jwks === null ? null : isUrl(jwks) ? { url: jwks } : { file: beside(folder, jwks) };
  return { name: 'JWT', keys, jwks: source, algorithms, ...jwt };
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
