import test from 'ava';
import { accepted, parse, refused, warned } from './support.ts';

test('an empty text opens the PuSu door alone, with the defaults', (t) => {
  for (const text of ['', '# nothing\n', '---\n', '\uFEFF', '{}', 'doors:\n', 'limits:\nlog: ~\n']) {
    const { doors, network, authenticator, node } = accepted(text);
    t.deepEqual(doors, {
      pusu: {
        host: '0.0.0.0',
        port: 55000,
        realm: 'main',
        authenticator: null,
        authenticatorTimeout: 2000,
        origin: null,
        cookie: null,
        tls: null,
        trustedProxies: [],
        proxyProtocol: false,
      },
      wspubsub: null,
      pinghub: null,
    });
    t.deepEqual(network, {
      host: '0.0.0.0',
      port: 55001,
      secret: null,
      heartbeat: 1000,
      timeout: 3000,
      pending: 16 * 1024 * 1024,
      tls: null,
    });
    t.deepEqual(authenticator, { name: 'None' });
    t.is(node, 'host-1');
  }
});

test('a door is off when it is not named or false, and on when it is true, empty or a map', (t) => {
  const open = (text: string): string[] =>
    Object.entries(accepted(text).doors).flatMap(([name, door]) => (door === null ? [] : [name]));
  t.deepEqual(open('doors: {}'), []);
  t.deepEqual(open('doors: { wspubsub: true }'), ['wspubsub']);
  t.deepEqual(open('doors: { pusu: off, pinghub: {} }'), ['pinghub']);
  t.deepEqual(open('doors:\n  pusu: no\n  pinghub:\n  wspubsub: { port: 0 }\n'), ['wspubsub', 'pinghub']);
  t.deepEqual(refused('doors: { pusu: 5 }'), [
    'relay.yaml:1:16 doors.pusu: a map of keys: host, port, realm, authenticator, authenticator_timeout, passwords, allow_read_by_default, jwt_signing_algorithms, jwt_verification_key, jwt, forward, origin, cookie, tls, trusted_proxies, proxy_protocol',
  ]);
});

test('a door that stays closed has a reason', (t) => {
  const closed = (text: string, sets: string[] = []) => {
    const result = parse(text, { sets });
    return result.ok ? result.closed.map(({ door, why }) => `${door}: ${why}`) : [];
  };
  const silent = 'a configuration that says nothing of doors opens the PuSu door alone';
  t.deepEqual(closed('node: a'), [`wspubsub: ${silent}`, `pinghub: ${silent}`]);
  t.deepEqual(closed('node: a', ['doors.pinghub.port=0']), [`wspubsub: ${silent}`]);
  t.deepEqual(closed('doors: { pinghub: true, wspubsub: false }'), [
    'pusu: doors does not name it',
    'wspubsub: doors.wspubsub is false',
  ]);
  t.deepEqual(closed('doors: { pusu: true, wspubsub: true, pinghub: true }'), []);
});

test('every fault of a file is reported at once, at its line and column', (t) => {
  const text = `authenticator: JWT
nod: x
limits:
  message: 2MB
  pending: 1MiB
  pending: 3MiB
  pendng: 1KiB
  ping: 10
  pong: fast
  connections: -1
  exempt: [10.0.0.0/33, foo]
passwords:
  - hunter2: [a*b, "*"]
  - hunter2: [x]
  - sha256:abc: []
relays: [a, "::1", "[::1]:5", a:0, "a b"]
doors:
  pusu: { port: 65536, realm: "a b" }
  pinghub: { socket: rel, origin: https://x/y, port: 82, metrics_port: 82, porrt: 1 }
  wspubsub:
    port: "3000"
    grace: 1d
    apikeys: { list: [{ domain: a, key: hunter2 }, { domain: a, key: b }, { domain: b }, { hunter2: c }], postgres: hunter2 }
log: 5
`;
  t.deepEqual(refused(text), [
    'relay.yaml:1:16 jwt_verification_key: the key of authenticator: JWT, here or in jwt.jwks',
    'relay.yaml:2:1 nod: unknown key; did you mean "node"?',
    'relay.yaml:5:12 limits.pending: at least limits.message, 2000000 bytes, or 0 (none)',
    'relay.yaml:6:3 limits.pending: each key once; this one is already on line 5',
    'relay.yaml:7:3 limits.pendng: unknown key; did you mean "pending"?',
    'relay.yaml:8:9 limits.ping: a time with its unit: 10ms, 10s, 10m or 10h',
    'relay.yaml:9:9 limits.pong: a time such as 10s (ms, s, m, h; 0: none), or null',
    'relay.yaml:10:16 limits.connections: a whole number from 0 (none) to 1000000000, or null',
    'relay.yaml:11:12 limits.exempt[0]: a prefix length of at most 32',
    'relay.yaml:11:25 limits.exempt[1]: an IP address or a block such as 10.0.0.0/8',
    'relay.yaml:13:15 passwords[0][0]: a channel pattern with its * at the end only',
    'relay.yaml:14:5 passwords[1]: each password once; this one is already on line 13',
    'relay.yaml:15:5 passwords[2]: 64 hex digits after sha256:',
    'relay.yaml:16:13 relays[1]: brackets around an IPv6 address: [::1]',
    'relay.yaml:16:31 relays[3]: a port from 1 to 65535 after the colon',
    'relay.yaml:16:36 relays[4]: a relay as host, host:port or [ipv6]:port, such as relay-1.example.com:55001',
    'relay.yaml:18:17 doors.pusu.port: a port from 0 to 65535 (0: any free one)',
    'relay.yaml:18:31 doors.pusu.realm: a name of at most 64 letters, digits, dots, dashes and underscores',
    'relay.yaml:19:22 doors.pinghub.socket: an absolute path of at most 107 bytes, or null',
    'relay.yaml:19:35 doors.pinghub.origin: an origin such as https://chat.example.com (scheme://host or scheme://host:port, no path; *.host for all below it; "null" or "file://" in quotes), or null',
    'relay.yaml:19:72 doors.pinghub.metrics_port: a port of its own; doors.pinghub.port is 82 too, on the same host',
    'relay.yaml:19:76 doors.pinghub.porrt: unknown key; did you mean "port"?',
    'relay.yaml:21:11 doors.wspubsub.port: a port from 0 to 65535 (0: any free one), without quotes',
    'relay.yaml:22:12 doors.wspubsub.grace: a time such as 10s (ms, s, m, h; 0: none)',
    'relay.yaml:23:52 doors.wspubsub.apikeys.list[1]: one key for each domain; this domain has one already',
    'relay.yaml:23:75 doors.wspubsub.apikeys.list[2]: a domain, and a key or sha256: { domain: example.com, key: … }',
    'relay.yaml:23:92 doors.wspubsub.apikeys.list[3]: unknown key; known here: domain, key, sha256',
    'relay.yaml:23:117 doors.wspubsub.apikeys.postgres: a URL such as postgres://host:5432/database, with user:password@ before the host, or null',
    'relay.yaml:24:6 log: a map of keys: level, format, file',
  ]);
});

test("pusud's settings file starts a relay as it is", (t) => {
  const { authenticator, relays, doors, network, allowedChannels } =
    accepted(`authenticator: PasswordAuthenticator
relays:
  - relay-1.example.com
  - relay-2.example.com:55001
client_port: 56000
network_port: 56001
allowed_channels:
  - user.*
passwords:
  1234: [news]
  true: ["*"]
allow_read_by_default: yes
jwt_signing_algorithms: [HS256]
jwt_verification_key: secret
`);
  t.is(authenticator.name === 'PasswordAuthenticator' && authenticator.allowReadByDefault, true);
  t.deepEqual(relays, ['relay-1.example.com', 'relay-2.example.com:55001']);
  t.is(doors.pusu?.port, 56000);
  t.is(doors.pinghub, null);
  t.is(network.port, 56001);
  t.deepEqual(allowedChannels, ['user.*']);
});

test('an alias and its target may both stand when they are equal', (t) => {
  t.is(accepted('client_port: 5\ndoors: { pusu: { port: 5 } }').doors.pusu?.port, 5);
  t.deepEqual(refused('network: { port: 5 }\nnetwork_port: 6\n'), [
    'relay.yaml:2:15 network_port: the same value as network.port, of which it is an alias, or only one of the two',
  ]);
});

test('an alias is judged as what it stands for, under its own name', (t) => {
  t.deepEqual(refused('client_port: many\nclient_port: 5\nnetwork_prt: 1'), [
    'relay.yaml:2:1 client_port: each key once; this one is already on line 1',
    'relay.yaml:3:1 network_prt: unknown key; did you mean "network_port"?',
  ]);
  t.deepEqual(refused('client_port: many'), [
    'relay.yaml:1:14 client_port: a port from 0 to 65535 (0: any free one)',
  ]);
  t.is(accepted('client_port: 5\ndoors: { pusu: false }').doors.pusu, null);
});

test('the authenticator of a door has its settings at the door', (t) => {
  const { doors, authenticator } = accepted(`authenticator: MyAuthenticator
doors:
  pusu: { authenticator: PasswordAuthenticator, passwords: { a: [b] }, allow_read_by_default: true }
  pinghub: { authenticator: None }
`);
  t.deepEqual(authenticator, { name: 'MyAuthenticator' });
  t.like(doors.pusu?.authenticator, { name: 'PasswordAuthenticator', allowReadByDefault: true });
  t.deepEqual(doors.pinghub?.authenticator, { name: 'None' });
  t.deepEqual(refused('doors: { pinghub: { passwords: { a: [b] } } }'), [
    'relay.yaml:1:32 doors.pinghub.passwords: authenticator: PasswordAuthenticator beside it, at this door',
  ]);
});

test('an authenticator that cannot be chosen is refused with the reason or the nearest name', (t) => {
  const line = (name: string): string => refused(`authenticator: ${name}`).join('\n');
  const names =
    'relay.yaml:1:16 authenticator: one of None, PasswordAuthenticator, MyAuthenticator, ApiKeys, JWT, Forward, ' +
    'or the path of a plugin such as ./plugins/mine.js';
  t.is(line('ApiKey'), `${names}; did you mean "ApiKeys"?`);
  t.is(line('none'), `${names}; did you mean "None"?`);
  t.is(line('PaswordAuthenticator'), `${names}; did you mean "PasswordAuthenticator"?`);
  t.is(line('LDAP'), names);
  t.is(line('null'), names);
});

test('two listeners cannot share a host and a port, unless the port is 0', (t) => {
  const text = (pusu: string, pinghub: string): string => `doors:\n  pusu: ${pusu}\n  pinghub: ${pinghub}\n`;
  t.deepEqual(refused(text('{ host: 127.0.0.1, port: 8081 }', 'true')), [
    'relay.yaml:2:34 doors.pinghub.port: a port of its own; doors.pusu.port is 8081 too, on the same host',
  ]);
  t.is(refused(text('{ port: 9 }', '{ port: 9 }')).length, 1, 'a wildcard takes the address too');
  t.is(refused(text('{ host: "::", port: 9 }', '{ port: 9 }')).length, 1);
  t.is(refused(text('{ port: 55001 }', '{}')).length, 1, 'the network port counts');
  t.truthy(accepted(text('{ port: 0 }', '{ port: 0, host: 0.0.0.0 }')));
  t.truthy(accepted(text('{ host: 127.0.0.2, port: 9 }', '{ port: 9 }')));
  t.truthy(accepted(text('{ port: 8081 }', '{ socket: /run/pinghub.sock }')), 'a socket has no port');
});

test('pending holds at least one message', (t) => {
  t.truthy(accepted('limits: { message: 1KiB, pending: 1024 }'));
  t.deepEqual(refused('limits: { message: 1KiB, pending: 1023 }'), [
    'relay.yaml:1:35 limits.pending: at least limits.message, 1024 bytes, or 0 (none)',
  ]);
  t.deepEqual(refused('limits: { message: 1048577 }'), [
    'relay.yaml:1:20 limits.pending: at least limits.message, 1048577 bytes, or 0 (none)',
  ]);
  t.truthy(accepted('limits: { message: 2MiB, pending: 0 }'));
  t.truthy(accepted('limits: { message: 0, pending: 1 }'));
});

test('a relay without a name is named after its host, and after its network port when that is not the usual one', (t) => {
  t.is(accepted('').node, 'host-1');
  t.is(accepted('network_port: 7').node, 'host-1-7');
  t.is(accepted('node: 1e3\nnetwork_port: 7').node, '1e3');
  for (const bad of ['..', 'a/b', '"a b"', '""', '[a]', '{ a: b }'])
    t.is(refused(`node: ${bad}`).length, 1, bad);
});

test('what is legal and hardly meant is a warning', (t) => {
  t.deepEqual(warned(''), []);
  t.deepEqual(warned('doors: {}\npasswords: { a: [b] }\nallowed_channels: []'), [
    'relay.yaml:1:1 doors: every door is off',
    'relay.yaml:2:12 passwords: not used by authenticator None',
    'relay.yaml:3:19 allowed_channels: an empty list allows no channel; null allows all',
  ]);
  t.deepEqual(warned('authenticator: PasswordAuthenticator'), [
    'relay.yaml:1:16 authenticator: PasswordAuthenticator without passwords lets nobody in',
  ]);
});

test('an error never shows a password or a key', (t) => {
  const secret = 'hunter2';
  const text = `passwords: { ${secret}: [a], ${secret}: { x: y }, "${secret}": x }
jwt_verification_key: [${secret}]
doors:
  wspubsub:
    apikeys:
      list: [${secret}, { domain: a/b, key: ${secret} }, { domain: a, key: "${secret}/" }, { ${secret}: a }]
`;
  t.true(refused(text).length >= 6);
  const broken = [
    'passwords: { hunter2: "\\hunter2" }',
    'passwords:\n  hunter2: !hunter2 @hunter2',
    'passwords: *hunter2',
  ];
  const sources = {
    sets: ['passwords.hunter2=[x]', 'passwords: hunter2', 'passwords={hunter2: [a*b]}'],
    env: { FANFARE_PASSWORDS_HUNTER2: 'x' },
  };
  for (const each of [text, ...broken]) {
    for (const line of refused(each, sources)) t.notRegex(line, /hunter2/i);
  }
});
