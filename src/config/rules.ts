import type { ApiKeyStores } from './api-keys.ts';
import type { AuthenticatorName, AuthenticatorSettings } from './authenticators.ts';
import { keyFromText, pinned } from './jwt-keys.ts';
import { type DoorSettings, doorNames, type Settings } from './keys.ts';

/**
 * Says what was expected of the first of `keys`, all of which are to blame; the place is that of the first that was
 * written at all.
 */
export type Complain = (keys: readonly [string, ...string[]], expected: string) => void;

/** Rules that bind several keys. */
export function checkTogether(settings: Settings, complain: Complain): void {
  checkPending(settings, complain);
  checkListeners(settings, complain);
  checkNetwork(settings, complain);
  checkNats(settings, complain);
  checkAuthenticator('', settings.authenticator, settings, complain);
  checkApiKeys('apikeys', settings.apikeys, complain);
  for (const name of doorNames) {
    const door = settings.doors[name];
    if (!door) continue;
    checkDoorAuthenticator(`doors.${name}`, door, complain);
    checkAuthenticator(`doors.${name}.`, door.authenticator, door, complain);
    checkEdge(`doors.${name}`, door, complain);
    if ('apikeys' in door) checkApiKeys(`doors.${name}.apikeys`, door.apikeys, complain);
  }
  checkSocket(settings, complain);
}

/** A member that may not hold one message of the greatest size would be closed by it, reading or not. */
function checkPending({ limits }: Settings, complain: Complain): void {
  if (limits.pending === 0 || limits.message === 0 || limits.pending >= limits.message) return;
  complain(
    ['limits.pending', 'limits.message'],
    `at least limits.message, ${limits.message} bytes, or 0 (none)`,
  );
}

function checkNetwork({ network }: Settings, complain: Complain): void {
  const { heartbeat, timeout, tls } = network;
  if (timeout <= heartbeat) {
    complain(['network.timeout', 'network.heartbeat'], `more than network.heartbeat, ${heartbeat} ms`);
  }
  const files = ['cert', 'key', 'ca'] as const;
  const missing = files.find((file) => tls[file] === null);
  if (missing !== undefined && files.some((file) => tls[file] !== null)) {
    complain([`network.tls.${missing}`, 'network.tls.cert', 'network.tls.key'], 'cert, key and ca together');
  }
}

/** The longest name of a topic whose subject a server of NATS takes as it is set up: 4096 bytes are a line at most. */
const longestOverNats = 256;

function checkNats({ cluster, topics, limits }: Settings, complain: Complain): void {
  if (cluster.backplane !== 'nats') return;
  const { servers, user, password, token, credentials, tls } = cluster;
  if (topics.some(({ ordering }) => ordering === 'cluster')) {
    complain(
      ['topics', 'cluster.backplane'],
      'ordering: relay alone with cluster.backplane nats; ordering: cluster needs the mesh (relays)',
    );
  }
  if (topics.some(({ history }) => history !== null)) {
    complain(
      ['topics', 'cluster.backplane'],
      'no history with cluster.backplane nats; topics that keep a history need the mesh (relays), or a relay alone',
    );
  }
  if (servers.length === 0) {
    complain(['cluster.servers', 'cluster.backplane'], 'at least one server, for cluster.backplane nats');
  }
  if ((user === null) !== (password === null)) {
    complain(['cluster.user', 'cluster.password'], 'cluster.user and cluster.password together');
  }
  if ([user, token, credentials].filter((one) => one !== null).length > 1) {
    complain(
      ['cluster.credentials', 'cluster.token', 'cluster.user'],
      'one of cluster.credentials, cluster.token, and cluster.user with its password',
    );
  }
  if ((tls.cert === null) !== (tls.key === null)) {
    complain(['cluster.tls.cert', 'cluster.tls.key'], 'cert and key together');
  }
  if (limits.topicLength === 0 || limits.topicLength > longestOverNats) {
    complain(['limits.topic_length', 'cluster.backplane'], `from 1 to ${longestOverNats} over NATS`);
  }
}

/** Only one store is asked: a key that was revoked in the other would go on to count. */
function checkApiKeys(path: string, { list, file, postgres }: ApiKeyStores, complain: Complain): void {
  const used = [
    ...(postgres === null ? [] : [`${path}.postgres`]),
    ...(file === null ? [] : [`${path}.file`]),
    ...(list.length === 0 ? [] : [`${path}.list`]),
  ];
  const [first, second] = used;
  if (first === undefined || second === undefined) return;
  complain([first, second], `one store of keys; ${second} is another`);
}

interface Listener {
  readonly key: string;
  readonly host: string;
  readonly port: number;
}

function listeners({ doors, network, admin }: Settings): Listener[] {
  const found: Listener[] = [];
  const add = (key: string, host: string, port: number | null): void => {
    if (port !== null) found.push({ key, host, port });
  };
  for (const name of doorNames) {
    const door = doors[name];
    if (door === null) continue;
    const isSocket = 'socket' in door && door.socket !== null;
    if (!isSocket) add(`doors.${name}.port`, door.host, door.port);
    if ('metricsPort' in door)
      add(`doors.${name}.metrics_port`, isSocket ? '127.0.0.1' : door.host, door.metricsPort);
  }
  add('network.port', network.host, network.port);
  if (admin) add('admin.port', admin.host, admin.port);
  return found;
}

function checkListeners(settings: Settings, complain: Complain): void {
  const all = listeners(settings);
  for (const [index, later] of all.entries()) {
    const earlier = all
      .slice(0, index)
      .find((one) => one.port === later.port && later.port !== 0 && overlap(one.host, later.host));
    if (!earlier) continue;
    const hosts = [later.key, earlier.key].map((key) => key.replace(/\w+$/, 'host'));
    const expected = `a port of its own; ${earlier.key} is ${earlier.port} too, on the same host`;
    complain([later.key, earlier.key, ...hosts], expected);
  }
}

/** Whether one port cannot be taken on both hosts: `::` takes the IPv4 addresses too. */
function overlap(a: string, b: string): boolean {
  const takes = (one: string, other: string): boolean =>
    one === '::' || (one === '0.0.0.0' && !other.includes(':'));
  return a.toLowerCase() === b.toLowerCase() || takes(a, b) || takes(b, a);
}

/** Settings that no authenticator reads would look like protection and be none. */
function checkDoorAuthenticator(path: string, door: DoorSettings, complain: Complain): void {
  const { authenticator, passwords, allowReadByDefault, jwtVerificationKey, jwt, forward } = door;
  const needs = (name: AuthenticatorName, key: string, isSet: boolean) => {
    if (isSet && authenticator !== name)
      complain([`${path}.${key}`, `${path}.authenticator`], `authenticator: ${name} beside it, at this door`);
  };
  needs('PasswordAuthenticator', 'passwords', passwords.length > 0);
  needs('PasswordAuthenticator', 'allow_read_by_default', allowReadByDefault);
  needs('JWT', 'jwt_verification_key', jwtVerificationKey !== null);
  needs('JWT', 'jwt.jwks', jwt.jwks !== null);
  needs('Forward', 'forward.url', forward.url !== null);
}

type Checked = Pick<AuthenticatorSettings, 'jwt' | 'forward' | 'jwtVerificationKey' | 'jwtSigningAlgorithms'>;

/** What an authenticator cannot do without, and keys that do not go with the algorithms named for them. */
function checkAuthenticator(
  path: string,
  name: AuthenticatorName | null,
  { jwt, forward, jwtVerificationKey: text, jwtSigningAlgorithms: wanted }: Checked,
  complain: Complain,
): void {
  if (name === 'Forward' && forward.url === null)
    complain([`${path}forward.url`, `${path}authenticator`], 'the URL that authenticator: Forward asks');
  if (name !== 'JWT') return;
  const keyPath = `${path}jwt_verification_key` as const;
  if (text === null) {
    if (jwt.jwks === null)
      complain(
        [keyPath, `${path}authenticator`, `${path}jwt.jwks`],
        'the key of authenticator: JWT, here or in jwt.jwks',
      );
    return;
  }
  const key = keyFromText(text);
  if (typeof key === 'string') complain([keyPath], key);
  else if (pinned(key, wanted).length === 0) {
    const kind =
      key.type === 'secret' ? 'a secret text' : `a public key of the kind ${key.asymmetricKeyType}`;
    complain(
      [`${path}jwt_signing_algorithms`, keyPath],
      wanted.length === 0
        ? `a key of a kind and size that we trust; this is ${kind}`
        : `an algorithm that goes with jwt_verification_key, which is ${kind}`,
    );
  }
}

/** Half of a key pair would look like encryption and be none; a header that nobody may send, like a client's address. */
function checkEdge(
  path: string,
  { tls, trustedProxies, proxyProtocol }: DoorSettings,
  complain: Complain,
): void {
  const [cert, key] = [`${path}.tls.cert`, `${path}.tls.key`];
  if (tls.cert !== null && tls.key === null) complain([key, cert], 'the file of the key, beside tls.cert');
  if (tls.key !== null && tls.cert === null)
    complain([cert, key], 'the file of the certificate, beside tls.key');
  if (proxyProtocol && trustedProxies.length === 0) {
    complain(
      [`${path}.trusted_proxies`, `${path}.proxy_protocol`],
      'the addresses of the proxies that send the PROXY header',
    );
  }
}

/** Connections behind TLS are told apart by their addresses, and connections to a UNIX socket have none. */
function checkSocket({ doors: { pinghub } }: Settings, complain: Complain): void {
  if (pinghub === null || pinghub.socket === null || pinghub.tls.cert === null || !pinghub.proxyProtocol)
    return;
  complain(
    ['doors.pinghub.proxy_protocol', 'doors.pinghub.socket'],
    'false on a UNIX socket with TLS; X-Forwarded-For names the client there',
  );
}

/** What is legal and yet hardly meant. */
export function warnAbout(settings: Settings, complain: Complain): void {
  const { backplane, servers } = settings.cluster;
  if (backplane === 'nats' && settings.relays.length > 0)
    complain(['relays'], 'not used by cluster.backplane nats');
  if (backplane === 'mesh' && servers.length > 0) {
    complain(['cluster.servers'], 'not used unless cluster.backplane is nats');
  }
  const { authenticator, passwords, allowReadByDefault, allowedChannels, doors } = settings;
  const usesPasswords = authenticator === 'PasswordAuthenticator';
  const unused = `not used by authenticator ${typeof authenticator === 'object' ? authenticator.plugin : authenticator}`;
  if (passwords.length > 0 && !usesPasswords) complain(['passwords'], unused);
  if (settings.jwt.jwks !== null && authenticator !== 'JWT') complain(['jwt.jwks'], unused);
  if (settings.forward.url !== null && authenticator !== 'Forward') complain(['forward.url'], unused);
  const weak = (path: string, name: AuthenticatorName | null, text: string | null) => {
    if (name === 'JWT' && text !== null && isShortSecret(text))
      complain([`${path}jwt_verification_key`], 'a secret under 32 bytes can be found out from a token');
  };
  weak('', authenticator, settings.jwtVerificationKey);
  for (const name of doorNames) {
    const door = doors[name];
    if (door) weak(`doors.${name}.`, door.authenticator, door.jwtVerificationKey);
    if (door && door.cookie !== null && door.origin === null) {
      complain(
        [`doors.${name}.cookie`],
        `without doors.${name}.origin it counts for pages of the door's own origin alone`,
      );
    }
  }
  if (usesPasswords && passwords.length === 0 && !allowReadByDefault) {
    complain(['authenticator'], 'PasswordAuthenticator without passwords lets nobody in');
  }
  if (allowedChannels?.length === 0) {
    complain(['allowed_channels'], 'an empty list allows no channel; null allows all');
  }
  if (doorNames.every((name) => doors[name] === null)) complain(['doors'], 'every door is off');
  const { admin } = settings;
  if (admin?.observer && admin.token === null && !isLoopbackHost(admin.host)) {
    const may = admin.observerActions ? 'sees and disconnects clients' : 'sees addresses and topics';
    complain(
      ['admin.host'],
      `whoever reaches it ${may} on the observer page; set admin.token, or admin.observer: false`,
    );
  }
}

/**
 * What a relay of these settings warns of in its log once it has started: known before, so that a check can say it.
 */
export function warnOfStart(settings: Settings, complain: Complain): void {
  for (const name of doorNames) {
    const door = settings.doors[name];
    if (door === null || door.origin !== null || !isOpenToAll(settings, name)) continue;
    if (isLoopbackHost(door.host) || ('socket' in door && door.socket !== null)) continue;
    complain(
      [`doors.${name}.origin`, `doors.${name}.host`, `doors.${name}`],
      'any web page may use this door, through the browser of whoever reads it: set an origin list',
    );
  }
  const { cluster, relays, network } = settings;
  const linked = cluster.backplane === 'mesh' && relays.length > 0;
  if (linked && network.secret === null && network.tls.cert === null) {
    complain(
      ['network.secret', 'relays'],
      'not set: whoever connects from the address of a relay is taken for one',
    );
  }
}

/** Whether clients have rights at a door without any credential. */
function isOpenToAll(
  { allowedChannels, doors, ...relay }: Settings,
  name: (typeof doorNames)[number],
): boolean {
  const door = doors[name];
  if (door === null) return false;
  const inMainRealm = door.realm === doors.pusu?.realm;
  if (name === 'wspubsub' && door.authenticator === null) {
    const isShared = [doors.pusu, doors.pinghub].some((other) => other?.realm === door.realm);
    if (!isShared) return true;
  }
  if (inMainRealm && allowedChannels?.length === 0) return false;
  const { authenticator, allowReadByDefault } = door.authenticator === null ? relay : door;
  return (
    authenticator === 'None' || (authenticator === 'PasswordAuthenticator' && allowReadByDefault === true)
  );
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** RFC 7518, section 3.2: a key is at least as long as the hash. */
function isShortSecret(text: string): boolean {
  const key = keyFromText(text);
  return typeof key !== 'string' && key.type === 'secret' && (key.symmetricKeySize ?? 0) < 32;
}
