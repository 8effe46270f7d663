import test from 'ava';
import { variableOf } from '../../src/config/environment.ts';
import { keyPaths, relayKeys } from '../../src/config/keys.ts';
import { accepted, refused } from './support.ts';

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

test('values of flags and variables are YAML', (t) => {
  const { relays, node, doors, limits } = accepted('', {
    env: { FANFARE_RELAYS: '[a, "b:1"]', FANFARE_NODE: '0123' },
    sets: ['doors.pinghub={origin: https://a.example, socket: null}', 'limits={ping: 1s}', 'node='],
  });
  t.deepEqual(relays, ['a', 'b:1']);
  t.is(node, 'host-1');
  t.deepEqual(doors.pinghub?.origin, ['https://a.example']);
  t.is(limits.ping, 1000);
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

test('variables that a platform sets for a service named fanfare, and empty ones, are left alone', (t) => {
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
    FANFARE_LIMITS_PING: '',
    fanfare_x: '1',
    PATH: '/bin',
  };
  t.deepEqual(accepted('', { env }), accepted(''));
});
