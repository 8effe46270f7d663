import type { Hidden } from '../secret/hidden.ts';
import type { Place } from './config-error.ts';
import type { VerificationKey } from './jwt-keys.ts';

/**
 * The relay's configuration as the rest of the code sees it: complete (every default filled in), typed, and in plain
 * units: sizes in bytes, times in milliseconds. Where a limit may be switched off, 0 means none.
 */
export interface Config {
  /** Name of this relay in its network; the host name unless set. */
  readonly node: string;
  /** The authenticator of every door that names none of its own. */
  readonly authenticator: AuthenticatorConfig;
  /** Milliseconds that an authenticator's answer may take. */
  readonly authenticatorTimeout: number;
  /** Where the keys of publishers are, for a door that names no store of its own. */
  readonly apiKeys: ApiKeysConfig;
  /** Channel patterns that bind every door of the PuSu door's realm; null: all channels. */
  readonly allowedChannels: readonly string[] | null;
  /** Every relay of the network, this one included; `host` or `host:port`. */
  readonly relays: readonly string[];
  readonly cluster: ClusterConfig;
  /** What holds for some topics, by their names; of several that match, the first counts. */
  readonly topics: readonly TopicRule[];
  readonly doors: Doors;
  readonly network: NetworkConfig;
  /** Null: off. */
  readonly admin: AdminConfig | null;
  /** Folder of what a node makes as it runs, with a folder for each node in it; null: found from the file's place. */
  readonly varDir: string | null;
  readonly attach: AttachConfig;
  readonly limits: Limits;
  readonly log: LogConfig;
}

export interface Address {
  readonly host: string;
  /** 0: any free port; the one taken is in the `listening` log line. */
  readonly port: number;
}

export interface TopicRule {
  /** `*`, `prefix*`, or exactly one topic. */
  readonly pattern: string;
  /** relay: all members at one relay see one order. cluster: all members of all relays do. */
  readonly ordering: 'relay' | 'cluster';
}

/** Where other relays connect, and how relays are linked. Times in milliseconds, sizes in bytes. */
export interface NetworkConfig extends Address {
  /** What the relays share, as its SHA-256 (32 bytes); null: nothing. */
  readonly secret: Hidden<Buffer> | null;
  readonly heartbeat: number;
  readonly timeout: number;
  /** What may wait for one link; 0: no bound. */
  readonly pending: number;
  /** Both sides show a certificate of the authority `ca`; null: links are not TLS. */
  readonly tls: (TlsFiles & { readonly ca: string }) | null;
}

/** What links the relays, and where it is when it is a NATS network. */
export interface ClusterConfig {
  readonly backplane: 'mesh' | 'nats';
  /** Servers of NATS as `host` or `host:port`. */
  readonly servers: readonly string[];
  /** What all subjects begin with. */
  readonly prefix: string;
  readonly user: string | null;
  readonly password: Hidden<string> | null;
  readonly token: Hidden<string> | null;
  /** Path of a file of credentials. */
  readonly credentials: string | null;
  /** Paths of PEM files; `cert` and `key` both or none. */
  readonly tls: {
    readonly required: boolean;
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
  };
}

export interface AdminConfig extends Address {
  /** Names by which it may be asked, beside addresses and `localhost`: any other may be a trap set in the DNS. */
  readonly names: readonly string[];
  /** The observer page may suspend, end and disconnect. */
  readonly observerActions: boolean;
  /** A relay is ready only while it is linked to all others. */
  readonly readyNeedsPeers: boolean;
}

/** A door that is off is null. */
export interface Doors {
  readonly pusu: PusuDoorConfig | null;
  readonly wspubsub: WspubsubDoorConfig | null;
  readonly pinghub: PinghubDoorConfig | null;
}

interface DoorConfig extends Address {
  /** Name space of the door's topics: doors of one realm share topics. */
  readonly realm: string;
  /** Null: the relay's. */
  readonly authenticator: AuthenticatorConfig | null;
  /** Milliseconds that the answer of its own authenticator may take. */
  readonly authenticatorTimeout: number;
  /** Origins of pages that may connect, in lower case; `scheme://*.host` for all hosts below one. Null: any. */
  readonly origin: readonly string[] | null;
  /** The name of the cookie that holds credentials of web pages; null: none does. */
  readonly cookie: string | null;
  /** Null: the door speaks plain TCP. */
  readonly tls: TlsFiles | null;
  /** Addresses, CIDR blocks and `unix:`, whose word on the client's address is taken. */
  readonly trustedProxies: readonly string[];
  /** Those proxies begin each connection with a PROXY header. */
  readonly proxyProtocol: boolean;
}

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, and those between it and a root. */
  readonly cert: string;
  readonly key: string;
}

export type PusuDoorConfig = DoorConfig;

export interface WspubsubDoorConfig extends DoorConfig {
  /** Milliseconds that a topic outlives its owner. */
  readonly grace: number;
  readonly apiKeys: ApiKeysConfig;
}

export type ApiKeysConfig =
  | { readonly store: 'list'; readonly keys: readonly ApiKey[] }
  /** `file`: its path, which is absolute or relative to the working directory. */
  | { readonly store: 'file'; readonly file: string }
  /** `recheck`: milliseconds between looks at a table that does not tell of its changes; 0: none. */
  | { readonly store: 'postgres'; readonly url: Hidden<string>; readonly recheck: number };

/** A publisher's key for one domain, kept as the SHA-256 of the key: 32 bytes. */
export interface ApiKey {
  readonly domain: string;
  readonly sha256: Buffer;
}

export interface PinghubDoorConfig extends DoorConfig {
  /** Absolute path of a UNIX socket that takes the place of host and port. */
  readonly socket: string | null;
  /** Port of the plain-text metrics, on the door's host (127.0.0.1 when the door is a socket); null: off. */
  readonly metricsPort: number | null;
}

export type AuthenticatorConfig =
  | { readonly name: 'None' }
  | { readonly name: 'MyAuthenticator' }
  | {
      readonly name: 'PasswordAuthenticator';
      readonly passwords: readonly PasswordEntry[];
      readonly allowReadByDefault: boolean;
    }
  | { readonly name: 'ApiKeys'; readonly apiKeys: ApiKeysConfig }
  | JwtConfig
  | ForwardConfig
  | PluginConfig;

export interface JwtConfig {
  readonly name: 'JWT';
  /** Keys of the configuration itself. */
  readonly keys: readonly VerificationKey[];
  /** Where more keys are; null: nowhere. */
  readonly jwks: { readonly file: string } | { readonly url: string } | null;
  /** For the keys in `jwks`; empty: the usual one of each key. */
  readonly algorithms: readonly string[];
  readonly audience: string | null;
  readonly issuer: string | null;
  /** Milliseconds by which clocks may differ. */
  readonly leeway: number;
  /** Milliseconds that a connection may stay on after its token has expired. */
  readonly grace: number;
  /** Milliseconds after which a set at a URL is looked at again; 0: as seldom as can be. */
  readonly recheck: number;
}

export interface ForwardConfig {
  readonly name: 'Forward';
  readonly url: string;
  /** Milliseconds that an answer is kept; 0: not at all. */
  readonly cache: number;
  /** Milliseconds after which what was allowed to those who are connected is asked about again; 0: never. */
  readonly recheck: number;
  /** Such questions in a second, at most; 0: no limit. */
  readonly recheckRate: number;
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

/** One password, kept as its SHA-256 (32 bytes), and the channel patterns it opens for reading and writing. */
export interface PasswordEntry {
  readonly sha256: Buffer;
  readonly channels: readonly string[];
}

/** Sizes in bytes, times in milliseconds, 0 = none (see `config/relay.yaml` for what each one does). */
export interface Limits {
  readonly message: number;
  readonly messageBeforeAuth: number;
  readonly topicLength: number;
  readonly fragments: number;
  readonly head: number;
  readonly handshake: number;
  /** Null: longer for trusted proxies than for others. */
  readonly keepAlive: number | null;
  readonly close: number;
  /** Null: each door's own. */
  readonly ping: number | null;
  readonly pong: number | null;
  readonly pending: number;
  readonly writeStall: number;
  readonly topicsPerConnection: number;
  /** Null: 80 % of the file-descriptor limit, found at start. */
  readonly connections: number | null;
  readonly connectionsPerAddress: number;
  /** New connections per second and address. */
  readonly connectionRatePerAddress: number;
  /** Within a minute, from one address. */
  readonly failedAuthorisations: number;
  /** Messages per second from one connection; from one address where messages are posted. */
  readonly publishRate: number;
  /** Addresses or CIDR blocks free of the limits per address. */
  readonly exempt: readonly string[];
  readonly authorise: number;
  /** From being told to stop to the drain: not ready, and accepting. */
  readonly drainDelay: number;
  readonly drain: number;
}

/** Who may look into the running node, at a socket that only the node's user can open. */
export interface AttachConfig {
  readonly enabled: boolean;
  /** Off: the named operations only. */
  readonly eval: boolean;
}

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** auto: pretty on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Absolute path, or relative to the working directory; null: standard output. */
  readonly file: string | null;
}
