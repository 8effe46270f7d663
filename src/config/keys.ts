import { addressBlock, host, natsServer, origins, port, proxy, relay, socketPath } from './addresses.ts';
import { apiKeyStores } from './api-key-stores.ts';
import { authenticatorName, jwksSource, url, wspubsubAuthenticatorName } from './authenticators.ts';
import type { Instead } from './evident.ts';
import { algorithms } from './jwt-keys.ts';
import { orNull, orOff, textKind, wordsOf, writtenAs } from './kind.ts';
import { channelPatterns, passwords } from './passwords.ts';
import {
  cookieName,
  count,
  filePath,
  flag,
  headSize,
  leeway,
  name,
  nodeName,
  oneOf,
  period,
  size,
  subjectPrefix,
  time,
  timeLimit,
} from './scalars.ts';
import { networkSecret, shown } from './secrets.ts';
import { alias, key, type Reader, type SectionValue, section, switchable, unlessOff } from './section.ts';
import { topicRules } from './topic-rules.ts';

const KiB = 1024;
const seconds = 1000;

const anyText = (expected: string) =>
  writtenAs(
    'text',
    textKind(expected, (text) => (text === '' ? undefined : text)),
  );

/** pusud's example file has an empty one, where it means none. */
const verificationKey = writtenAs(
  'secret',
  textKind<string | null>('a public key in PEM, or a secret text', (text) => text || null),
);

/** A server of NATS may take signed tokens. */
const insteadOfNatsSecret: Instead = {
  key: 'cluster.credentials names a file of credentials, and cluster.tls files with keys',
  'key set': 'the secret itself stands here',
  path: 'a variable that ends in _FILE reads its value from a file, and cluster.credentials names a file of credentials',
  address: 'cluster.servers names addresses',
  hash: 'a server of NATS is shown the secret itself',
  token: null,
  placeholder: 'the secret itself stands here',
};

/** The settings of authenticators, which stand beside the `authenticator` key. */
const authenticatorKeys = () => ({
  passwords: key(passwords, []),
  allow_read_by_default: key(flag, false),
  jwt_signing_algorithms: key(wordsOf('a list of algorithms', oneOf(algorithms)), []),
  jwt_verification_key: key(orNull(verificationKey), null),
  jwt: section({
    jwks: key(orNull(jwksSource), null),
    audience: key(orNull(anyText('a name')), null),
    issuer: key(orNull(anyText('a name')), null),
    leeway: key(leeway, 5 * seconds),
    grace: key(time, 10 * seconds),
    timeout: key(orNull(timeLimit), null),
    recheck: key(time, 3 * seconds),
  }),
  forward: section({
    url: key(orNull(url), null),
    timeout: key(orNull(timeLimit), null),
    cache: key(time, 0),
    recheck: key(time, 3 * seconds),
    recheck_rate: key(count, 500),
  }),
});

/** Keys that every door has; `config/relay.yaml` says what each key does. */
const door = (defaultHost: string, defaultPort: number, realm: string) => ({
  host: key(host, defaultHost),
  port: key(port, defaultPort),
  realm: key(name, realm),
  authenticator: key(orNull(authenticatorName), null),
  authenticator_timeout: key(orNull(timeLimit), null),
  ...authenticatorKeys(),
  origin: key(orNull(origins), null),
  cookie: key(orNull(cookieName), null),
  tls: section({ cert: key(orNull(filePath), null), key: key(orNull(filePath), null) }),
  trusted_proxies: key(wordsOf('a list of addresses', proxy), []),
  proxy_protocol: key(flag, false),
});

/** The table of all keys with their kinds and defaults. */
export const relayKeys = section({
  node: key(orNull(nodeName), null),

  authenticator: key(authenticatorName, 'None'),
  authenticator_timeout: key(timeLimit, 2 * seconds),
  ...authenticatorKeys(),
  apikeys: apiKeyStores(60 * seconds),
  allowed_channels: key(orNull(channelPatterns), null),

  relays: key(wordsOf('a list of relays', relay), []),
  client_port: alias(['doors', 'pusu', 'port']),
  network_port: alias(['network', 'port']),

  topics: key(topicRules, []),

  doors: section({
    pusu: switchable(section(door('0.0.0.0', 55000, 'main'))),
    wspubsub: switchable(
      section({
        ...door('127.0.0.1', 3000, 'wspubsub'),
        authenticator: key(orNull(wspubsubAuthenticatorName), null),
        grace: key(time, 10 * seconds),
        apikeys: apiKeyStores(null),
      }),
    ),
    pinghub: switchable(
      section({
        ...door('127.0.0.1', 8081, 'main'),
        socket: key(orNull(socketPath), null),
        metrics_port: key(orNull(orOff(port)), 8082),
      }),
    ),
  }),

  network: section({
    host: key(host, '0.0.0.0'),
    port: key(port, 55001),
    secret: key(orNull(networkSecret), null),
    heartbeat: key(period, 1 * seconds),
    timeout: key(period, 3 * seconds),
    pending: key(size, 16 * 1024 * KiB),
    tls: section({
      cert: key(orNull(filePath), null),
      key: key(orNull(filePath), null),
      ca: key(orNull(filePath), null),
    }),
  }),
  cluster: section({
    backplane: key(oneOf(['mesh', 'nats']), 'mesh'),
    servers: key(wordsOf('a list of servers', natsServer), []),
    prefix: key(subjectPrefix, 'fanfare'),
    user: key(orNull(anyText('a name as text')), null),
    password: key(orNull(shown('a password as text', insteadOfNatsSecret)), null),
    token: key(orNull(shown('a token as text', insteadOfNatsSecret)), null),
    credentials: key(orNull(filePath), null),
    tls: section({
      required: key(flag, false),
      ca: key(orNull(filePath), null),
      cert: key(orNull(filePath), null),
      key: key(orNull(filePath), null),
    }),
  }),
  admin: unlessOff(
    section({
      host: key(host, '127.0.0.1'),
      port: key(port, 55002),
      names: key(wordsOf('a list of host names', host), []),
      observer_actions: key(flag, false),
      ready_needs_peers: key(flag, false),
    }),
  ),

  var_dir: key(orNull(filePath), null),
  attach: section({ enabled: key(flag, true), eval: key(flag, true) }),

  limits: section({
    message: key(size, 64 * KiB),
    message_before_auth: key(size, 4 * KiB),
    topic_length: key(count, 256),
    fragments: key(count, 64),
    head: key(headSize, 16 * KiB),
    handshake: key(time, 5 * seconds),
    keep_alive: key(orNull(time), null),
    close: key(time, 1 * seconds),
    ping: key(orNull(time), null),
    pong: key(orNull(time), null),
    pending: key(size, 1024 * KiB),
    write_stall: key(time, 10 * seconds),
    topics_per_connection: key(count, 128),
    connections: key(orNull(count), null),
    connections_per_address: key(count, 100),
    connection_rate_per_address: key(count, 20),
    failed_authorisations: key(count, 10),
    publish_rate: key(count, 0),
    exempt: key(wordsOf('a list of addresses', addressBlock), ['127.0.0.0/8', '::1']),
    authorise: key(time, 60 * seconds),
    drain_delay: key(time, 0),
    drain: key(time, 30 * seconds),
  }),

  log: section({
    level: key(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), 'info'),
    format: key(oneOf(['auto', 'json', 'pretty']), 'auto'),
    file: key(orNull(filePath), null),
  }),
});

/** Settings as they were written, defaults filled in. */
export type Settings = typeof relayKeys extends Reader<infer T> ? T : never;
export type DoorSettings = SectionValue<ReturnType<typeof door>>;

export const doorNames = ['pusu', 'wspubsub', 'pinghub'] as const;

/** Every path below `reader`, sections included, in the table's order: `limits`, `limits.message`, … */
export function* keyPaths(
  reader: Reader<unknown>,
  above: readonly string[] = [],
): Iterable<readonly string[]> {
  for (const [name, below] of reader.keys ?? []) {
    const path = [...above, name];
    yield path;
    yield* keyPaths(below, path);
  }
}
