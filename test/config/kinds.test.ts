import { createHash } from 'node:crypto';
import test from 'ava';
import { nearest } from '../../src/config/kind.ts';
import { accepted, refused, warned } from './support.ts';

const message = (text: string): string =>
  refused(text)
    .join('\n')
    .replace(/^\S+ \S+ /, '');

test('sizes have units of 1024 or 1000, or none', (t) => {
  const size = (text: string): number => accepted(`limits: { pending: 0, message: ${text} }`).limits.message;
  const sizes = ['64KiB', '1MiB', '"2 kib"', '1MB', '3kB', '5B', '65536', '0', '1GiB', '1GB'].map(size);
  t.deepEqual(sizes, [65536, 1048576, 2048, 1e6, 3000, 5, 65536, 0, 1073741824, 1e9]);
  t.is(message('limits: { message: 1025MiB }'), 'a size of at most 1GiB');
  for (const bad of ['64K', '1.5MiB', '-1', '1e3', '0x10', '010', '64 KiB KiB', 'null', '[]', 'true', '']) {
    t.regex(message(`limits: { message: ${bad} }`), /^a size such as 64KiB/, bad);
  }
});

test('times have units', (t) => {
  const time = (text: string): number => accepted(`limits: { drain: ${text} }`).limits.drain;
  t.deepEqual(['500ms', '10s', '1m', '1h', '0', '0s', '596h'].map(time), [
    500,
    1e4,
    6e4,
    36e5,
    0,
    0,
    596 * 36e5,
  ]);
  t.true(time('596h') < 2 ** 31);
  t.is(message('limits: { drain: 597h }'), 'a time of at most 596h');
  t.is(message('limits: { drain: 10 }'), 'a time with its unit: 10ms, 10s, 10m or 10h');
  for (const bad of ['10 sec', '1d', '-1s', '1.5s', 's', '~', '{}']) {
    t.regex(message(`limits: { drain: ${bad} }`), /^a time such as 10s/, bad);
  }
});

test('the head of a request has from 4 KiB to 1 MiB', (t) => {
  const head = (text: string) => accepted(`limits: { head: ${text} }`).limits.head;
  t.deepEqual(['4096', '4KiB', '16KiB', '1MiB', '1048576'].map(head), [4096, 4096, 16384, 1048576, 1048576]);
  t.is(accepted('').limits.head, 16384);
  for (const bad of ['4095', '1048577', '0', '2MiB', '1GiB'])
    t.is(message(`limits: { head: ${bad} }`), 'a size from 4KiB to 1MiB', bad);
});

test('a port is a whole number from 0 to 65535', (t) => {
  const port = (text: string): unknown => accepted(`admin: { port: ${text} }`).admin?.port;
  t.deepEqual(['0', '1', '65535'].map(port), [0, 1, 65535]);
  for (const bad of ['-1', '65536', '80.0', '080', 'http', '[]', '~', 'true', '1e3']) {
    t.is(message(`admin: { port: ${bad} }`), 'a port from 0 to 65535 (0: any free one)', bad);
  }
  t.is(accepted('doors: { pinghub: { metrics_port: false } }').doors.pinghub?.metricsPort, null);
  t.is(accepted('doors: { pinghub: { metrics_port: null } }').doors.pinghub?.metricsPort, null);
  t.is(
    message('doors: { pinghub: { metrics_port: x } }'),
    'a port from 0 to 65535 (0: any free one), or false, or null',
  );
});

test('booleans are the words of YAML 1.1, without quotes', (t) => {
  const flag = (text: string): unknown => {
    const { authenticator } = accepted(
      `authenticator: PasswordAuthenticator\nallow_read_by_default: ${text}`,
    );
    return authenticator.name === 'PasswordAuthenticator' && authenticator.allowReadByDefault;
  };
  t.deepEqual(['true', 'yes', 'On', 'TRUE', 'false', 'No', 'off'].map(flag), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  t.is(message('allow_read_by_default: "true"'), 'true or false, without quotes');
  for (const bad of ['1', 'tRUE', 'y', '~', '[true]'])
    t.is(message(`allow_read_by_default: ${bad}`), 'true or false');
});

test('hosts are names or addresses', (t) => {
  for (const good of ['0.0.0.0', '"::"', '"::1"', 'localhost', 'relay_1.example.com', 'a']) {
    t.truthy(accepted(`admin: { host: ${good} }`), good);
  }
  for (const bad of [
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    'a b',
    '""',
    '"[::1]"',
    'a:1',
    '-a',
    '~',
    `${'a'.repeat(254)}`,
  ]) {
    t.is(message(`admin: { host: ${bad} }`), 'a host name or an IP address', bad);
  }
});

test('a host in a variable or a flag needs no quotes', (t) => {
  for (const written of ['::', '"::"', '::1', 'localhost']) {
    const host = written.replaceAll('"', '');
    t.is(accepted('', { env: { FANFARE_ADMIN_HOST: written } }).admin?.host, host);
    t.is(accepted('', { sets: [`admin.host=${written}`] }).admin?.host, host);
  }
});

test('relays are hosts with or without a port', (t) => {
  const good = ['a', 'a:1', 'a.example:65535', '10.0.0.1', '10.0.0.1:5', '[::1]', '[::1]:5'];
  t.deepEqual(accepted(`relays: ${JSON.stringify(good)}`).relays, good);
  for (const bad of [
    '',
    'a:',
    ':5',
    'a:65536',
    'a:0',
    'a:x',
    'a:b:5',
    '[::1',
    '[a]:5',
    '::1',
    'http://a',
    'a/b',
    '10.0.0.256',
  ]) {
    t.regex(
      refused(`relays: [ok, ${JSON.stringify(bad)}]`).join('\n'),
      /^relay\.yaml:1:14 relays\[1\]: /,
      bad,
    );
  }
  t.is(message('relays: { a: b }'), 'a list of relays');
  t.deepEqual(accepted('relays:').relays, []);
});

test('an origin is a scheme and a host, in lower case, or all hosts below one', (t) => {
  const origin = (text: string): unknown =>
    accepted(`doors: { pinghub: { origin: "${text}" } }`).doors.pinghub?.origin;
  t.deepEqual(origin('https://Chat.Example:8443'), ['https://chat.example:8443']);
  t.deepEqual(origin('http://[::1]:80'), ['http://[::1]:80']);
  t.deepEqual(origin('chrome-extension://abcdef'), ['chrome-extension://abcdef']);
  t.deepEqual(origin('https://*.Example.com'), ['https://*.example.com']);
  t.deepEqual(origin('https://*.example.com:8443'), ['https://*.example.com:8443']);
  t.deepEqual(origin('null'), ['null'], 'in quotes it is an origin');
  for (const bad of [
    '*',
    'chat.example',
    'https://',
    'https://a/',
    'https://a:0',
    'https://a:65536',
    'https://u@a',
    'https://*',
    'https://*.',
    'https://a.*.example',
    'https://*a.example',
    'https://*.10.0.0.1',
    '*://a.example',
    '',
  ]) {
    t.throws(() => origin(bad), { message: /an origin such as/ }, bad);
  }
});

test('a UNIX socket is an absolute path that the system can take', (t) => {
  const socket = (text: string): unknown =>
    accepted(`doors: { pinghub: { socket: ${text} } }`).doors.pinghub?.socket;
  const longest = `/${'s'.repeat(106)}`;
  t.is(socket(longest), longest);
  t.throws(() => socket(`${longest}s`), { message: /at most 107 bytes/ });
  t.throws(() => socket('run/x'), { message: /an absolute path/ });
});

test('exempt addresses are addresses or blocks', (t) => {
  t.deepEqual(accepted('').limits.exempt, ['127.0.0.0/8', '::1']);
  t.deepEqual(accepted('limits: { exempt: [] }').limits.exempt, []);
  const good = ['10.0.0.1', '10.0.0.0/0', '10.0.0.0/32', '::/128', 'fd00::/8'];
  t.deepEqual(accepted(`limits: { exempt: ${JSON.stringify(good)} }`).limits.exempt, good);
  for (const bad of [
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    'a',
    '10.0.0.0/',
    '10.0.0.0/08',
    'fe80::1%eth0',
    '',
  ]) {
    t.is(refused(`limits: { exempt: [${JSON.stringify(bad)}] }`).length, 1, bad);
  }
});

test('passwords are kept as hashes, whichever way they are written', (t) => {
  const sha256 = createHash('sha256').update('0123').digest();
  const expected = [{ sha256, channels: ['news', '12', '*'] }];
  for (const text of [
    '{ 0123: [news, 12, "*"] }',
    '[{ "0123": [news, 12, "*"] }]',
    `{ sha256:${sha256.toString('hex').toUpperCase()}: [news, "12", "*"] }`,
  ]) {
    const { authenticator } = accepted(`authenticator: PasswordAuthenticator\npasswords: ${text}`);
    t.deepEqual(authenticator, {
      name: 'PasswordAuthenticator',
      passwords: expected,
      allowReadByDefault: false,
    });
  }
  t.regex(message(`passwords: { "0123": [], sha256:${sha256.toString('hex')}: [] }`), /^each password once/);
  t.is(message('passwords: { "": [] }'), 'a password that is not empty');
  t.is(message('passwords: { a: }'), 'a list of channel patterns, [] for none');
  t.is(message('passwords: { a: { b: c } }'), 'a list of channel patterns');
  t.is(message('passwords: [a]'), 'a map of passwords, each with a list of channel patterns');
});

test('a path, a key, or the hash of a password is no password, and no API key', (t) => {
  const hash = 'sha512:3c9909afec25354d551dae21590bb26e38d53f2173b8d3dc3eee4c047e7ab1c1';
  for (const [secret, why] of [
    [
      '/run/secrets/password',
      /the path of a file: a variable that ends in _FILE .* write sha256: and the 64 hex/,
    ],
    [hash, /the hash of a secret: a hash is written as sha256: and 64 hex digits/],
    ['postgres://u:p@h/d', /an address/],
    ['AAAAC3NzaC1lZDI1NTE5AAAAIF0J4zSbmhTUvXoY7dGEEDeLNiTXXhwfEoVUSPe2Vs7a', /a key without its armour/],
  ] as const) {
    t.regex(message(`passwords: { ${JSON.stringify(secret)}: [a] }`), why);
    if (!secret.includes('/'))
      t.regex(
        message(`apikeys: { list: [{ domain: a, key: ${JSON.stringify(secret)} }] }`),
        /^an API key, and this looks like /,
      );
  }
});

test('a * stands only at the end of a pattern', (t) => {
  t.deepEqual(accepted('allowed_channels: ["*", user.*, news]').allowedChannels, ['*', 'user.*', 'news']);
  for (const bad of ['"**"', '"*a"', 'a*b', 'a.*.b', 'a**']) {
    t.deepEqual(refused(`allowed_channels:\n  - ok\n  - ${bad}`), [
      'relay.yaml:3:5 allowed_channels[1]: a channel pattern with its * at the end only',
    ]);
  }
  t.is(refused('allowed_channels: ["", ~, "\\ud800"]').length, 3);
});

test('API keys are kept as hashes, one for each domain', (t) => {
  const list = (text: string): string => `doors: { wspubsub: { apikeys: { list: ${text} } } }`;
  const sha256 = createHash('sha256').update('k').digest();
  const { doors } = accepted(
    list(`[{ domain: a, key: k }, { domain: b, sha256: ${sha256.toString('hex')} }]`),
  );
  t.deepEqual(doors.wspubsub?.apiKeys, {
    store: 'list',
    keys: [
      { domain: 'a', sha256 },
      { domain: 'b', sha256 },
    ],
  });
  t.truthy(accepted(list(`[{ domain: ${'d'.repeat(64)}, key: k }]`)));
  for (const bad of [
    `${'d'.repeat(65)}, key: k`,
    'a/b, key: k',
    '"", key: k',
    'a',
    'a, key: k/',
    'a, sha256: k',
    `a, key: k, sha256: ${'0'.repeat(64)}`,
  ]) {
    t.is(refused(list(`[{ domain: ${bad} }]`)).length, 1, bad);
  }
});

test('a slip or two in a word are near; another word is not', (t) => {
  const words = ['pending', 'ping', 'pong', 'port'];
  t.is(nearest('pendign', words), 'pending');
  t.is(nearest('PENDING', words), 'pending');
  t.is(nearest('prot', words), 'port');
  t.is(nearest('host', words), undefined);
  t.is(nearest('x'.repeat(100_000), words), undefined);
});

test('an observer page that others can reach is warned of, unless it wants a token', (t) => {
  const opened = (more: string) => warned(`admin: { host: 0.0.0.0${more} }\ndoors: { pusu: true }`);
  t.regex(opened('').join(), /admin\.host: whoever reaches it sees addresses and topics .*admin\.token/);
  t.regex(opened(', observer_actions: true').join(), /sees and disconnects clients/);
  t.deepEqual(opened(', observer: false'), []);
  t.deepEqual(opened(`, token: ${'t'.repeat(16)}`), []);
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '"::1"'])
    t.deepEqual(warned(`admin: { host: ${host} }\ndoors: { pusu: true }`), [], host);
});

test('the admin port is on unless it is switched off', (t) => {
  t.is(accepted('').admin?.port, 55002);
  t.is(accepted('admin: true').admin?.port, 55002);
  t.is(accepted('admin: { port: 1 }').admin?.port, 1);
  t.is(accepted('admin: { port: 1 }').admin?.observerActions, false);
  t.is(accepted('admin: { port: 1 }').admin?.readyNeedsPeers, false);
  t.is(accepted('admin: { ready_needs_peers: true }').admin?.readyNeedsPeers, true);
  for (const off of ['admin: false', 'admin: null', 'admin: off']) t.is(accepted(off).admin, null, off);
  for (const path of ['observer', 'metrics', 'health'] as const) {
    t.true(accepted('').admin?.[path]);
    t.false(accepted(`admin: { ${path}: false }`).admin?.[path]);
  }
  t.is(accepted('').admin?.token, null);
  t.truthy(accepted(`admin: { token: ${'t'.repeat(16)} }`).admin?.token);
  t.regex(message(`admin: { token: ${'t'.repeat(15)} }`), /at least 16 characters/);
  t.deepEqual(accepted('admin: { names: [relay-1.internal] }').admin?.names, ['relay-1.internal']);
  t.regex(message('admin: { names: [a b] }'), /host name/);
});
