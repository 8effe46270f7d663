import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { Config } from '../config/config.ts';
import { TOKEN_VARIABLE } from '../config/overrides.ts';
import { BAD_CONFIG, BadUsage, FAILED, Failed, type OptionTable, type Place } from './command.ts';
import { load, settingsOptions } from './node-options.ts';
import { timeIn } from './quantities.ts';

/** Options of every command that is a client of a relay. */
export const reachOptions = {
  url: {
    type: 'string',
    value: 'URL',
    about: 'where the relay is (default: the PuSu door of the configuration)',
  },
  token: {
    type: 'string',
    value: '@FILE',
    about: 'the file that holds the credential; or the variable FANFARE_TOKEN',
  },
  timeout: {
    type: 'string',
    value: 'S',
    about: 'seconds that the relay may be out of reach (default: 10)',
  },
  ...settingsOptions,
} as const satisfies OptionTable;

type ReachValues = {
  readonly [Name in keyof typeof reachOptions]?: (Name extends 'set' ? string[] : string) | undefined;
};

/** Where the relay is, and how the command shows who it is. */
export interface Reach {
  readonly url: string;
  /** Null: no file. */
  readonly tokenFile: string | null;
  /** Milliseconds. */
  readonly timeout: number;
}

const TIMEOUT = 10_000;

export function reachOf(values: ReachValues, place: Place): Reach {
  const { url, token, timeout } = values;
  return {
    url:
      url === undefined
        ? urlOf(load({ config: values.config, set: values.set ?? [] }, place).config)
        : checked(url),
    tokenFile: tokenFileIn(token),
    timeout: timeout === undefined ? TIMEOUT : timeIn('--timeout', timeout),
  };
}

/** The file of a `--token`; null: there is none. */
export function tokenFileIn(token: string | undefined): string | null {
  if (token === undefined) return null;
  if (/^@./.test(token)) return token.slice(1);
  throw new BadUsage('--token takes @FILE: a credential as an argument can be read by others on the machine');
}

function checked(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^wss?:$/.test(url.protocol) || url.hash !== '')
    throw new BadUsage('--url takes an address such as ws://127.0.0.1:55000 or wss://relay.example.com');
  return url.href;
}

/** Where a client of this machine reaches the PuSu door. */
function urlOf({ doors: { pusu } }: Pick<Config, 'doors'>): string {
  if (pusu === null)
    throw new Failed(BAD_CONFIG, 'the configuration has no PuSu door: --url says where the relay is');
  const { host, port, tls } = pusu;
  if (port === 0)
    throw new Failed(
      BAD_CONFIG,
      'doors.pusu.port is 0, so that the port is not known: --url says where the relay is',
    );
  return `${tls === null ? 'ws' : 'wss'}://${reachable(host)}:${port}/`;
}

/** Where this machine reaches what listens at an address. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

/** The credential; the file is read each time that one is asked for, as it may have been renewed. Null: there is none. */
export function credentialOf(
  { tokenFile }: Pick<Reach, 'tokenFile'>,
  { env }: Pick<Place, 'env'>,
): string | null {
  if (tokenFile === null) return env[TOKEN_VARIABLE] || null;
  let text: string;
  try {
    text = readFileSync(tokenFile, 'utf8');
  } catch (error) {
    throw new Failed(FAILED, `--token: ${(error as Error).message}`);
  }
  const token = text.replace(/\r?\n$/, '');
  if (token !== '') return token;
  throw new Failed(FAILED, `--token: ${tokenFile} is empty`);
}
