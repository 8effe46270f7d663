import test from 'ava';
import { keyPaths, relayKeys } from '../../src/config/keys.ts';
import { variableOf } from '../../src/config/overrides.ts';
import { sha256 } from '../../src/secret/secret.ts';
import { keyPair } from '../support/key-pair.ts';
import { accepted, refused, warned } from './support.ts';

test('a flag counts before a variable, a variable before the file, the file before the default', (t) => {
  const file = 'limits: { ping: 1s, pong: 1s, close: 1m }\n';
  const env = { FANFARE_LIMITS_PING: '2s', FANFARE_LIMITS_PONG: '2s' };
  const { limits } = accepted(file, { env, sets: ['limits.ping=3s', 'limits.ping=4s'] });
  t.deepEqual([limits.ping, limits.pong, limits.close, limits.handshake], [4000, 2000, 60_000, 5000]);
});

test('every key has a variable of its own', (t) => {
  // network_port and network.port share one, as they are one setting.
  const paths = [...keyPaths(relayKeys)].filter(([first]) => first !== 'network_port');
  const names = paths.map(variableOf);
  t.is(new Set(names).size, names.length);
  t.true(names.includes('FANFARE_DOORS_PINGHUB_METRICS_PORT'));
  t.true(names.includes('FANFARE_LIMITS_WRITE_STALL'));
});

test('values of flags and variables are YAML where they are no texts', (t) => {
  const { relays, node, doors, limits } = accepted('', {
    env: { FANFARE_RELAYS: '[a, "b:1"]', FANFARE_NODE: '0123' },
    sets: ['doors.pinghub={origin: https://a.example, socket: null}', 'limits={ping: 1s}', 'node='],
  });
  t.deepEqual(relays, ['a', 'b:1']);
  t.is(node, 'host-1');
  t.deepEqual(doors.pinghub?.origin, ['https://a.example']);
  t.is(limits.ping, 1000);
});

const odd = [
  '#0123456789abcdef',
  'sixteen characters #and a tail',
  '  blanks around it  ',
  '"in double quotes, all of it"',
  "'in single quotes, all of it'",
  'key: value, key: value',
  '[a, b, c, d, e, f]',
  '{ a: b, c: d, e: f }x',
  '*alias-of-nothing',
  '&anchor of nothing',
  '!tag of nothing at all',
  '@reserved-by-yaml',
  '`reserved by yaml`',
  '%percent of something',
  '- not a list, is it',
  '| not a block, is it',
  '> not a block, is it',
  '? not a key, is it',
  'two lines\nof one secret\n',
  'a\tb\\nc\\x41 and so on',
  'sixteen: and a colon:',
  '0x0123456789abcdef',
  '---\n0123456789abcdef',
  'sixteen bytes … é',
];

test('a secret in a variable or a flag is the text, whatever it would be in YAML', (t) => {
  for (const secret of odd) {
    const env = { FANFARE_NETWORK_SECRET: secret, FANFARE_CLUSTER_TOKEN: secret };
    const flags = { sets: [`network.secret=${secret}`, `cluster.token=${secret}`] };
    for (const sources of [{ env }, flags]) {
      const { network, cluster } = accepted('', sources);
      t.deepEqual(network.secret?.reveal(), sha256(secret), secret);
      t.is(cluster.token?.reveal(), secret);
    }
    const jwt = { FANFARE_AUTHENTICATOR: 'JWT', FANFARE_JWT_VERIFICATION_KEY: secret };
    const { authenticator } = accepted('', { env: jwt });
    t.is(authenticator.name === 'JWT' && authenticator.keys[0]?.key.export().toString(), secret);
  }
});

test('so is every other text: paths, URLs, names of users, of audiences and of issuers', (t) => {
  const env = {
    FANFARE_LOG_FILE: '/var/log/a: b #c.log',
    FANFARE_VAR_DIR: '/var/[fanfare]',
    FANFARE_CLUSTER_USER: 'user #1',
    FANFARE_CLUSTER_PASSWORD: '"pass": #word',
    FANFARE_AUTHENTICATOR: 'JWT',
    FANFARE_JWT_ISSUER: 'issuer: #1',
    FANFARE_JWT_AUDIENCE: '12',
    FANFARE_JWT_JWKS: '/keys/a #b',
    FANFARE_APIKEYS_POSTGRES: 'postgres://u:p%23@h/d?a={b}',
  };
  const { log, varDir, cluster, authenticator, apiKeys } = accepted('', { env });
  t.is(log.file, '/var/log/a: b #c.log');
  t.is(varDir, '/var/[fanfare]');
  t.is(cluster.user, 'user #1');
  t.is(cluster.password?.reveal(), '"pass": #word');
  t.like(authenticator, { issuer: 'issuer: #1', audience: '12', jwks: { file: '/keys/a #b' } });
  t.is(apiKeys.store === 'postgres' && apiKeys.url.reveal(), 'postgres://u:p%23@h/d?a={b}');
  t.is(accepted('log: { file: a }', { env: { FANFARE_LOG_FILE: 'null' } }).log.file, null);
  t.is(accepted('log: { file: a }', { sets: ['log.file='] }).log.file, null);
  t.is(
    accepted('network: { secret: 0123456789abcdef }', { sets: ['network.secret=null'] }).network.secret,
    null,
  );
});

test('null is none for a text in a variable or a flag, and what else YAML has for null is the text', (t) => {
  for (const word of ['~', 'NULL', 'Null']) {
    const env = { FANFARE_NETWORK_SECRET: word };
    for (const sources of [{ env }, { sets: [`network.secret=${word}`] }])
      t.regex(refused('', sources).join(), /network\.secret: a secret of at least 16 characters/, word);
    t.is(accepted('', { env: { FANFARE_CLUSTER_TOKEN: word } }).cluster.token?.reveal(), word);
    t.is(accepted('', { sets: [`log.file=${word}`] }).log.file, word);
  }
  const none = { FANFARE_NETWORK_SECRET: 'null', FANFARE_CLUSTER_TOKEN: 'null', FANFARE_LOG_FILE: 'null' };
  const { network, cluster, log } = accepted('', { env: none });
  t.deepEqual([network.secret, cluster.token, log.file], [null, null, null]);
});

test('one word where a list is meant is a list of one, and a variable or flag has commas', (t) => {
  const one = accepted(
    `relays: a
allowed_channels: news.*
authenticator: JWT
jwt_signing_algorithms: RS256
jwt: { jwks: a.json }
cluster: { servers: b }
admin: { names: c }
limits: { exempt: 10.0.0.1 }
doors: { pusu: { trusted_proxies: 10.0.0.1 }, pinghub: { trusted_proxies: "unix:", authenticator: PasswordAuthenticator, passwords: { word: "user.*" } } }
`,
  );
  t.deepEqual(one.relays, ['a']);
  t.deepEqual(one.allowedChannels, ['news.*']);
  t.like(one.authenticator, { algorithms: ['RS256'] });
  t.deepEqual(one.cluster.servers, ['b']);
  t.deepEqual(one.admin?.names, ['c']);
  t.deepEqual(one.limits.exempt, ['10.0.0.1']);
  t.deepEqual(one.doors.pusu?.trustedProxies, ['10.0.0.1']);
  t.deepEqual(one.doors.pinghub?.trustedProxies, ['unix:']);
  t.like(one.doors.pinghub?.authenticator, { passwords: [{ channels: ['user.*'] }] });

  const lists: readonly (readonly [string, string, readonly string[]])[] = [
    ['relays', 'a,b:1', ['a', 'b:1']],
    ['relays', ' a , [::1]:5,[::2] ', ['a', '[::1]:5', '[::2]']],
    ['relays', '[::1]:5,a', ['[::1]:5', 'a']],
    ['relays', '[a, "b:1"]', ['a', 'b:1']],
    ['relays', '- a\n- b', ['a', 'b']],
    ['relays', 'a', ['a']],
    ['relays', '[]', []],
    ['allowed_channels', '*', ['*']],
    ['allowed_channels', 'news.*,*', ['news.*', '*']],
    ['allowed_channels', '"a,b"', ['a,b']],
    ['allowed_channels', '#a,&b', ['#a', '&b']],
    ['doors.pusu.trusted_proxies', '10.0.0.1, ::1,unix:', ['10.0.0.1', '::1', 'unix:']],
    ['doors.pusu.origin', 'https://a,https://b', ['https://a', 'https://b']],
    ['doors.pusu.origin', 'https://a.b,"null"', ['https://a.b', 'null']],
    ['doors.pusu.origin', `"null" , 'file://',https://a.b`, ['null', 'file://', 'https://a.b']],
    ['allowed_channels', `a,"b,c" ,'d''e,'`, ['a', 'b,c', "d'e,"]],
    ['allowed_channels', String.raw`"a\"b,","c"`, ['a"b,', 'c']],
    ['limits.exempt', '10.0.0.0/8,::1', ['10.0.0.0/8', '::1']],
    ['cluster.servers', 'nats://a,b:1', ['a', 'b:1']],
    ['admin.names', 'a.example,b', ['a.example', 'b']],
  ];
  for (const [key, written, read] of lists) {
    const at = (config: unknown) =>
      key
        .replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
        .split('.')
        .reduce((value, name) => Object(value)[name], config);
    const variable = `FANFARE_${key.replaceAll('.', '_').toUpperCase()}`;
    t.deepEqual(at(accepted('', { env: { [variable]: written } })), read, written);
    t.deepEqual(at(accepted('', { sets: [`${key}=${written}`] })), read, written);
  }
  t.is(
    accepted('allowed_channels: [a]', { env: { FANFARE_ALLOWED_CHANNELS: 'null' } }).allowedChannels,
    null,
  );
  t.deepEqual(accepted('allowed_channels: "a,b"').allowedChannels, ['a,b'], 'in a file a comma is a letter');
  t.is(refused('', { sets: ['relays=a,,b'] })[0]?.split(' ')[1], 'relays[1]:');
  t.is(
    refused('', { sets: ['relays=a,b c'] })[0]
      ?.split(' ')
      .slice(0, 2)
      .join(' '),
    '--set:1:10 relays[1]:',
  );
  for (const open of ['a,"b', '"a,b', `a,'b`, 'a,"b"c', '"a"b,c'])
    t.is(refused('', { env: { FANFARE_ALLOWED_CHANNELS: open } }).length, 1, open);
  t.is(
    refused('', { sets: ['relays=a,"b,", "c d"'] })
      .map((line) => line.split(' ', 2).join(' '))
      .join(),
    '--set:1:10 relays[1]:,--set:1:16 relays[2]:',
  );
  t.is(refused('relays: { a: b }').length, 1);
});

test('a public key in a variable has real or escaped line ends', (t) => {
  const { publicKey } = keyPair('P-256');
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  for (const key of [pem, pem.trimEnd(), pem.replaceAll('\n', '\r\n'), pem.replaceAll('\n', '\\n')])
    for (const sources of [
      { env: { FANFARE_AUTHENTICATOR: 'JWT', FANFARE_JWT_VERIFICATION_KEY: key } },
      { sets: ['authenticator=JWT', `jwt_verification_key=${key}`] },
    ]) {
      const { authenticator } = accepted('', sources);
      t.deepEqual(authenticator.name === 'JWT' && authenticator.keys.map((one) => one.algorithms), [
        ['ES256'],
      ]);
    }
});

test('a secret that is written and comes out empty is an error, in every source', (t) => {
  const empty = /comes out empty; null is for none$/;
  const keys = [
    'network.secret',
    'cluster.password',
    'cluster.token',
    'jwt_verification_key',
    'apikeys.postgres',
  ];
  for (const key of keys) {
    const variable = `FANFARE_${key.replace('.', '_').toUpperCase()}`;
    const [above, below = ''] = key.includes('.') ? key.split('.') : [key];
    const inFile = (value: string) => (below === '' ? `${above}:${value}` : `${above}:\n  ${below}:${value}`);
    for (const value of ['', ' ', ' #0123456789abcdef', ` "${' '.repeat(40)}"`, ' "\\t\\u00a0"'])
      t.regex(refused(inFile(value)).join(), empty, key);
    t.regex(refused('', { env: { [variable]: '' } }).join(), empty, key);
    t.regex(refused('', { sets: [`${key}=`] }).join(), empty, key);
    t.regex(refused('', { env: { [variable]: ' '.repeat(40) } }).join(), empty, key);
    t.regex(
      refused('', { env: { [`${variable}_FILE`]: '/empty' }, files: { '/empty': '\n' } }).join(),
      empty,
      key,
    );
    t.truthy(accepted(inFile(' null')), key);
    t.truthy(accepted(inFile(' ~')), key);
  }
  t.deepEqual(accepted('', { env: { FANFARE_LOG_FILE: '', FANFARE_LIMITS_PING: '' } }), accepted(''));
});

test('a variable that ends in _FILE reads the value of a key from a file', (t) => {
  const files = {
    '/run/secrets/network': '#0123456789abcdef ',
    '/run/secrets/line': '#0123456789abcdef \n',
    '/run/secrets/windows': '#0123456789abcdef \r\n',
    '/run/secrets/lines': '#0123456789abcdef \n\n',
    passwords: 'word: ["*"]\n',
    channels: 'news.*, user.*\n',
    level: 'warn\n',
  };
  const secret = (path: string) =>
    accepted('', { env: { FANFARE_NETWORK_SECRET_FILE: path }, files }).network.secret?.reveal();
  for (const name of ['network', 'line', 'windows'])
    t.deepEqual(secret(`/run/secrets/${name}`), sha256('#0123456789abcdef '), name);
  t.deepEqual(secret('/run/secrets/lines'), sha256('#0123456789abcdef \n'), 'one line end, and no more');
  const env = {
    FANFARE_AUTHENTICATOR: 'PasswordAuthenticator',
    FANFARE_PASSWORDS_FILE: 'passwords',
    FANFARE_ALLOWED_CHANNELS_FILE: 'channels',
    FANFARE_LOG_LEVEL_FILE: 'level',
    FANFARE_LIMITS_PING: '2s',
    FANFARE_LIMITS_PING_FILE: '',
  };
  const { authenticator, allowedChannels, log, limits } = accepted('', { env, files });
  t.deepEqual(authenticator.name === 'PasswordAuthenticator' && authenticator.passwords, [
    { sha256: sha256('word'), channels: ['*'] },
  ]);
  t.deepEqual(allowedChannels, ['news.*', 'user.*']);
  t.is(log.level, 'warn');
  t.is(limits.ping, 2000);
});

test('a file that is missing, two values for one key, and a section in a file are errors', (t) => {
  const files = { a: '0123456789abcdef', b: 'ping: 1s', c: 'x' };
  const line = (env: NodeJS.ProcessEnv) => refused('', { env, files }).join('\n');
  t.is(
    line({ FANFARE_NETWORK_SECRET_FILE: '/none' }),
    'FANFARE_NETWORK_SECRET_FILE:1:1 network.secret: the path of a file with the value; there is no file of this name',
  );
  t.is(
    line({ FANFARE_NETWORK_SECRET_FILE: 'a', FANFARE_NETWORK_SECRET: '0123456789abcdef' }),
    'FANFARE_NETWORK_SECRET_FILE:1:1 network.secret: only one of FANFARE_NETWORK_SECRET and FANFARE_NETWORK_SECRET_FILE',
  );
  t.regex(line({ FANFARE_LIMITS_FILE: 'b' }), /^FANFARE_LIMITS_FILE:1:1 .*unknown variable/);
  t.regex(
    line({ FANFARE_LIMITS_PING_FILE: 'c' }),
    /^FANFARE_LIMITS_PING_FILE:1:1 limits\.ping: a time such as/,
  );
  t.regex(
    line({ FANFARE_NETWORK_SECRT_FILE: 'a' }),
    /unknown variable; did you mean FANFARE_NETWORK_SECRET_FILE\?$/,
  );
  t.is(
    line({ FANFARE_NETWORK_SECRET_FILE: '' }),
    'FANFARE_NETWORK_SECRET_FILE:1:1 network.secret: the path of a file with the value',
  );
  t.is(
    accepted('', { env: { FANFARE_LOG_FILE: 'c' }, files }).log.file,
    'c',
    'a key of that name is the key',
  );
});

test('naming a door or a key of it in a flag or variable opens it; false closes it', (t) => {
  const open = (text: string, sets: string[], env: NodeJS.ProcessEnv = {}): string[] =>
    Object.entries(accepted(text, { sets, env }).doors).flatMap(([name, door]) =>
      door === null ? [] : [name],
    );
  t.deepEqual(open('', ['doors.pinghub.port=0']), ['pusu', 'pinghub']);
  t.deepEqual(open('doors: { pusu: true, pinghub: true }', ['doors.pusu=false']), ['pinghub']);
  t.deepEqual(open('', ['doors.pusu=false', 'doors.pusu.port=0']), ['pusu']);
  t.deepEqual(open('', [], { FANFARE_DOORS_PUSU_PORT: '0', FANFARE_DOORS_PUSU: 'false' }), []);
  t.deepEqual(open('doors: { wspubsub: true }', ['doors={pinghub: true}']), ['pinghub']);
  t.is(accepted('doors: { pusu: { port: 7 } }', { sets: ['doors.pusu=true'] }).doors.pusu?.port, 7);
  t.is(accepted('doors: { pusu: { port: 7 } }', { env: { FANFARE_CLIENT_PORT: '8' } }).doors.pusu?.port, 8);
});

test('a fault in a flag is placed inside its argument', (t) => {
  t.deepEqual(
    refused('', {
      sets: [
        'limits.pendng=1',
        'limits.ping=5',
        'limits.ping=[5',
        'relays=[a, "b c"]',
        'relays.0=a',
        'doors.pusu.port=99999',
        '=5',
        'node',
      ],
    }),
    [
      '--set:1:1 set: a setting as key.path=value',
      '--set:1:1 node: a setting as key.path=value',
      '--set:1:8 limits.pendng: unknown key; did you mean "pending"?',
      '--set:1:8 relays: a value set as a whole: relays=…',
      '--set:1:12 relays[1]: a relay as host, host:port or [ipv6]:port, such as relay-1.example.com:55001',
      '--set:1:13 limits.ping: a time with its unit: 5ms, 5s, 5m or 5h',
      '--set:1:15 limits.ping: a bracket, quote, colon, comma or space that is missing here',
      '--set:1:17 doors.pusu.port: a port from 0 to 65535 (0: any free one)',
    ],
  );
});

test('a fault in a variable names the variable, and comes after those of the file and before those of the flags', (t) => {
  const env = {
    FANFARE_LOG_LEVEL: 'inf',
    FANFARE_LIMIT_PENDING: '1',
    FANFARE_RELAYS: '[a',
    FANFARE_QQQQQQQQQQQQQQ: '1',
  };
  t.deepEqual(refused('nod: a', { env, sets: ['nod=a'] }), [
    'relay.yaml:1:1 nod: unknown key; did you mean "node"?',
    'FANFARE_LIMIT_PENDING:1:1 FANFARE_LIMIT_PENDING: unknown variable; did you mean FANFARE_LIMITS_PENDING?',
    'FANFARE_LOG_LEVEL:1:1 log.level: one of trace, debug, info, warn, error, fatal, silent; did you mean "info"?',
    'FANFARE_QQQQQQQQQQQQQQ:1:1 FANFARE_QQQQQQQQQQQQQQ: unknown variable; FANFARE_ and the path of a key, such as FANFARE_LIMITS_PENDING',
    'FANFARE_RELAYS:1:3 relays: a bracket, quote, colon, comma or space that is missing here',
    '--set:1:1 nod: unknown key; did you mean "node"?',
  ]);
});

test('an overridden value is judged too', (t) => {
  t.is(refused('limits: { ping: x }', { sets: ['limits.ping=5s'] }).length, 1);
});

test('an alias and its target in two variables or two flags must agree; across sources the stronger counts', (t) => {
  const env = { FANFARE_CLIENT_PORT: '1', FANFARE_DOORS_PUSU_PORT: '2' };
  t.regex(
    refused('', { env }).join('\n'),
    /^FANFARE_CLIENT_PORT:1:1 client_port: the same value as doors\.pusu\.port/,
  );
  t.regex(
    refused('', { sets: ['doors.pusu.port=1', 'client_port=2'] }).join('\n'),
    /^--set:1:13 client_port: the same/,
  );
  t.is(accepted('client_port: 1', { sets: ['doors.pusu.port=2'] }).doors.pusu?.port, 2);
  t.is(accepted('doors: { pusu: { port: 1 } }', { sets: ['client_port=2'] }).doors.pusu?.port, 2);
});

test('variables that a platform makes for a service named fanfare are left alone, and named in a warning', (t) => {
  const env = {
    FANFARE_SERVICE_HOST: '10.0.0.7',
    FANFARE_SERVICE_PORT: '55000',
    FANFARE_SERVICE_PORT_PUSU: '55000',
    FANFARE_PORT: 'tcp://10.0.0.7:55000',
    FANFARE_PORT_55000_TCP: 'tcp://10.0.0.7:55000',
    FANFARE_PORT_55000_TCP_ADDR: '10.0.0.7',
    FANFARE_PORT_55000_TCP_PROTO: 'tcp',
    FANFARE_RELAY_SERVICE_HOST: '10.0.0.8',
    FANFARE_NETWORK_PORT: 'tcp://10.0.0.9:1',
    FANFARE_NAME: '/web/fanfare',
    FANFARE_VERSION: '0.1.0',
    FANFARE_ENV_NODE_VERSION: '20.19.0',
    FANFARE_RELAY_ENV_PATH: '/bin',
    FANFARE_RELAY_NAME: '/web/fanfare_relay',
  };
  const quiet = { FANFARE_LIMITS_PING: '', fanfare_x: '1', PATH: '/bin' };
  t.deepEqual(accepted('', { env: { ...env, ...quiet } }), accepted(''));
  t.deepEqual(warned('', { env: quiet }), []);
  const [line = '', ...more] = warned('', { env: { ...env, ...quiet } });
  t.deepEqual(more, []);
  t.regex(
    line,
    /^FANFARE_ENV_NODE_VERSION:1:1 environment: no setting, and left alone, as a platform makes it: /,
  );
  for (const name of Object.keys(env)) t.regex(line, new RegExp(`\\b${name}\\b`));
  t.notRegex(line, /10\.0\.0|web/, 'values are not shown');
});

test('what commands read of the environment is no setting, and no slip', (t) => {
  const env = { FANFARE_TOKEN: 's3cret', FANFARE_CONFIG: '/etc/fanfare/relay.yaml' };
  t.deepEqual(accepted('', { env }), accepted(''));
  t.deepEqual(warned('', { env }), []);
  t.regex(refused('', { env: { FANFARE_TOKE: 'x' } }).join('\n'), /unknown variable/);
});

test('a slip in the name of a variable is an error, though a platform makes names like it', (t) => {
  for (const [name, near] of [
    ['FANFARE_NODES', 'FANFARE_NODE'],
    ['FANFARE_NETWORK_SECRT', 'FANFARE_NETWORK_SECRET'],
    ['FANFARE_CLIENT_PROT', 'FANFARE_CLIENT_PORT'],
    ['FANFARE_NETWORK_SECRET_FIEL', 'FANFARE_NETWORK_SECRET_FILE'],
    ['FANFARE_DOORS_PUSU_JWT_VERIFICATION_KEY_FLE', 'FANFARE_DOORS_PUSU_JWT_VERIFICATION_KEY_FILE'],
    ['FANFARE_AUTHENTICATOR_TIMEOT', 'FANFARE_AUTHENTICATOR_TIMEOUT'],
  ] as const)
    t.is(
      refused('', { env: { [name]: 'x' } }).join(),
      `${name}:1:1 ${name}: unknown variable; did you mean ${near}?`,
    );
  for (const after of ['hunter2', 'HUNTER2', 'fiddle'])
    t.is(
      refused('', { env: { [`FANFARE_PASSWORDS_${after}`]: 'x' } }).join(),
      'FANFARE_PASSWORDS_*:1:1 passwords: a value set as a whole, in FANFARE_PASSWORDS',
      'what follows may be a password',
    );
  t.is(refused('', { env: { FANFARE_PORT: '55000' } }).length, 1, 'no address of a platform');
});
