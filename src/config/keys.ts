import { addressBlock, host, natsServer, origins, port, proxy, relay, socketPath } from './addresses.ts';
import { apiKeyStores } from './api-keys.ts';
import {
  authenticatorKeys,
  authenticatorName,
  channelPattern,
  channelPatterns,
  wspubsubAuthenticatorName,
} from './authenticators.ts';
import type { Instead } from './evident.ts';
import { listOf, orNull, orOff, wordsOf } from './kind.ts';
import {
  anyText,
  cookieName,
  count,
  filePath,
  flag,
  headSize,
  historyAge,
  historyCount,
  historyShare,
  historySize,
  name,
  nodeName,
  oneOf,
  period,
  size,
  subjectPrefix,
  time,
  timeLimit,
} from './scalars.ts';
import { adminToken, networkSecret, shown } from './secrets.ts';
import {
  alias,
  itemOf,
  key,
  offUnless,
  type Reader,
  type SectionValue,
  section,
  switchable,
  unlessOff,
} from './section.ts';

const KiB = 1024;
const seconds = 1000;

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

/** Keys that every door has; `config/relay.yaml` says what each key does. */
const door = (defaultHost: string, defaultPort: number, realm: string) => ({
  host: key(host, defaultHost),
  port: key(port, defaultPort),
  /** Name space of the door's topics: doors of one realm share topics. */
  realm: key(name, realm),
  /** Null: the relay's. */
  authenticator: key(orNull(authenticatorName), null),
  authenticator_timeout: key(orNull(timeLimit), null),
  ...authenticatorKeys(),
  /** Origins of pages that may connect, in lower case; `scheme://*.host` for all hosts below one. Null: any. */
  origin: key(orNull(origins), null),
  /** The name of the cookie that holds credentials of web pages; null: none does. */
  cookie: key(orNull(cookieName), null),
  tls: section({ cert: key(orNull(filePath), null), key: key(orNull(filePath), null) }),
  /** Addresses, CIDR blocks and `unix:`, whose word on the client's address is taken. */
  trusted_proxies: key(wordsOf('a list of addresses', proxy), []),
  /** Those proxies begin each connection with a PROXY header. */
  proxy_protocol: key(flag, false),
});

/** What holds for some topics, by their names; of several rules that match, the first counts. */
const topicRule = itemOf(
  section({
    /** `*`, `prefix*`, or exactly one topic. */
    pattern: key(orNull(channelPattern), null),
    /** relay: all members at one relay see one order. cluster: all members of all relays do. */
    ordering: key(oneOf(['relay', 'cluster']), 'relay'),
    /** How much of what was published is kept; null: nothing is. */
    history: offUnless(
      section({
        messages: key(historyCount, 100),
        bytes: key(historySize, 256 * KiB),
        /** Of each message. */
        age: key(historyAge, 300 * seconds),
      }),
    ),
  }),
  'a pattern and what holds for it: { pattern: "orders.*", ordering: cluster }',
  ({ pattern, ...rule }) => (pattern === null ? null : { pattern, ...rule }),
);

const doors = {
  pusu: switchable(section(door('0.0.0.0', 55000, 'main'))),
  wspubsub: switchable(
    section({
      ...door('127.0.0.1', 3000, 'wspubsub'),
      authenticator: key(orNull(wspubsubAuthenticatorName), null),
      /** Milliseconds that a topic outlives its owner. */
      grace: key(time, 10 * seconds),
      apikeys: apiKeyStores(null),
    }),
  ),
  pinghub: switchable(
    section({
      ...door('127.0.0.1', 8081, 'main'),
      /** Absolute path of a UNIX socket that takes the place of host and port. */
      socket: key(orNull(socketPath), null),
      /** Port of the plain-text metrics, on the door's host (127.0.0.1 when the door is a socket); null: off. */
      metrics_port: key(orNull(orOff(port)), 8082),
    }),
  ),
};

/** In the order in which doors open. */
export const doorNames = Object.keys(doors) as (keyof typeof doors)[];

/**
 * The table of all keys with their kinds and defaults: sizes in bytes, times in milliseconds, and 0 is none where a limit
 * may be switched off. `config/relay.yaml` says what each key does.
 */
export const relayKeys = section({
  node: key(orNull(nodeName), null),

  authenticator: key(authenticatorName, 'None'),
  authenticator_timeout: key(timeLimit, 2 * seconds),
  ...authenticatorKeys(),
  apikeys: apiKeyStores(60 * seconds),
  /** Channel patterns that bind every door of the PuSu door's realm; null: all channels. */
  allowed_channels: key(orNull(channelPatterns), null),

  /** Every relay of the network, this one included; `host` or `host:port`. */
  relays: key(wordsOf('a list of relays', relay), []),
  client_port: alias(['doors', 'pusu', 'port']),
  network_port: alias(['network', 'port']),

  topics: key(listOf('a list of topics, each { pattern: …, ordering: …, history: … }', topicRule), []),
  history: section({
    /** What all topics together may keep. */
    total: key(historyShare, 64 * 1024 * KiB),
    /** What one client is sent of the past at most. */
    resume: key(historyShare, 1024 * KiB),
  }),

  doors: section(doors),

  network: section({
    host: key(host, '0.0.0.0'),
    port: key(port, 55001),
    /** What the relays share, as its SHA-256 (32 bytes). */
    secret: key(orNull(networkSecret), null),
    heartbeat: key(period, 1 * seconds),
    timeout: key(period, 3 * seconds),
    /** What may wait for one link. */
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
    /** What all subjects begin with. */
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
      /** Names by which it may be asked, beside addresses and `localhost`: any other may be a trap set in the DNS. */
      names: key(wordsOf('a list of host names', host), []),
      /** Which paths there are. */
      observer: key(flag, true),
      metrics: key(flag, true),
      health: key(flag, true),
      /** What the observer page wants to be shown; null: nothing. */
      token: key(orNull(adminToken), null),
      /** The observer page may suspend, end and disconnect. */
      observer_actions: key(flag, false),
      /** A relay is ready only while it is linked to all others. */
      ready_needs_peers: key(flag, false),
    }),
  ),

  /** Folder of what a node makes as it runs, with a folder for each node in it; null: found from the file's place. */
  var_dir: key(orNull(filePath), null),
  /** Who may look into the running node. `eval` off: the named operations only. */
  attach: section({ enabled: key(flag, true), eval: key(flag, true) }),

  limits: section({
    message: key(size, 64 * KiB),
    message_before_auth: key(size, 4 * KiB),
    topic_length: key(count, 256),
    fragments: key(count, 64),
    head: key(headSize, 16 * KiB),
    handshake: key(time, 5 * seconds),
    /** Null: longer for trusted proxies than for others. */
    keep_alive: key(orNull(time), null),
    close: key(time, 1 * seconds),
    /** Null: each door's own. */
    ping: key(orNull(time), null),
    pong: key(orNull(time), null),
    pending: key(size, 1024 * KiB),
    write_stall: key(time, 10 * seconds),
    topics_per_connection: key(count, 128),
    /** Null: 80 % of the file-descriptor limit, found at start. */
    connections: key(orNull(count), null),
    connections_per_address: key(count, 100),
    /** New connections per second and address. */
    connection_rate_per_address: key(count, 20),
    /** Within a minute, from one address. */
    failed_authorisations: key(count, 10),
    /** Messages per second from one connection; from one address where messages are posted. */
    publish_rate: key(count, 0),
    /** Addresses or CIDR blocks free of the limits per address. */
    exempt: key(wordsOf('a list of addresses', addressBlock), ['127.0.0.0/8', '::1']),
    authorise: key(time, 60 * seconds),
    /** From being told to stop to the drain: not ready, and accepting. */
    drain_delay: key(time, 0),
    drain: key(time, 30 * seconds),
  }),

  log: section({
    level: key(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), 'info'),
    /** auto: pretty on a terminal, JSON elsewhere. */
    format: key(oneOf(['auto', 'json', 'pretty']), 'auto'),
    /** Null: standard output. */
    file: key(orNull(filePath), null),
  }),
});

/** Settings as they were written, defaults filled in. */
export type Settings = typeof relayKeys extends Reader<infer T> ? T : never;
export type DoorSettings = SectionValue<ReturnType<typeof door>>;

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
