import test from 'ava';
import { differences, type Effective } from '../../src/config/effective.ts';
import { keyPaths, relayKeys } from '../../src/config/keys.ts';
import { parseConfig } from '../../src/config/load-config.ts';

function effective(
  text: string,
  sources: { readonly sets?: readonly string[]; readonly env?: Record<string, string> } = {},
): readonly Effective[] {
  const { sets = [], env = {} } = sources;
  const result = parseConfig({ text, file: 'relay.yaml', sets, env, hostName: 'host' });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.effective;
}

function one(rows: readonly Effective[], key: string): string {
  const found = rows.find((row) => row.key === key);
  return found === undefined ? 'not there' : `${found.value} # ${found.from}`;
}

test('each key has its value and who has said so: the default, a line, a variable, a flag', (t) => {
  const rows = effective('node: a\nlimits:\n  message: 128KiB\n  drain: 5s\n  ping: 1s\n', {
    sets: ['limits.drain=7s'],
    env: { FANFARE_LIMITS_DRAIN: '6s', FANFARE_LIMITS_PING: '9s' },
  });
  t.is(one(rows, 'node'), 'a # relay.yaml:1');
  t.is(one(rows, 'limits.message'), '128KiB # relay.yaml:3');
  t.is(one(rows, 'limits.drain'), '7s # --set');
  t.is(one(rows, 'limits.ping'), '9s # FANFARE_LIMITS_PING');
  t.is(one(rows, 'limits.pong'), 'null # default');
});

test('a default is written as in a file: with its unit, and what is left out is none', (t) => {
  const rows = effective('');
  const defaults = {
    node: 'host',
    'limits.message': '64KiB',
    'limits.authorise': '1m',
    'limits.drain_delay': '0',
    'limits.topic_length': '256',
    'limits.exempt': '[127.0.0.0/8, ::1]',
    'network.heartbeat': '1s',
    authenticator: 'None',
    relays: '[]',
    'attach.eval': 'true',
    'network.secret': 'null',
  };
  for (const [key, value] of Object.entries(defaults)) t.is(one(rows, key), `${value} # default`);
});

test('what is shown can be read again, and comes to the same', (t) => {
  const rows = effective(
    'node: a\nlimits: { message: 100, drain: 90s }\ntopics: [{ pattern: "chat.*", history: { age: 5m } }]\nrelays: [a, "[::1]:7"]\ndoors: { pinghub: { metrics_port: false } }\n',
  );
  const again = effective(asYaml(rows));
  t.deepEqual(differences(rows, again), []);
});

/** One map in another, in flow style. */
function asYaml(rows: readonly Effective[]): string {
  interface Tree {
    [name: string]: Tree | string;
  }
  const tree: Tree = {};
  for (const { key, value } of rows) {
    const path = key.split('.');
    const last = path.pop() as string;
    let at = tree;
    for (const name of path) {
      at[name] ??= {};
      at = at[name] as Tree;
    }
    at[last] = value;
  }
  const text = (node: Tree | string): string =>
    typeof node === 'string'
      ? node
      : `{ ${Object.entries(node)
          .map(([name, below]) => `${name}: ${text(below)}`)
          .join(', ')} }`;
  return text(tree);
}

test('a section that is off is one line', (t) => {
  const rows = effective('admin: false\ndoors: { pusu: {} }\n');
  t.is(one(rows, 'admin'), 'false # relay.yaml:1');
  t.is(one(rows, 'admin.port'), 'not there');
  t.is(one(rows, 'doors.pinghub'), 'false # default');
  t.is(one(rows, 'doors.pusu.port'), '55000 # default');
});

test('no secret is shown, however it is written', (t) => {
  const secret = 'hunter2hunter2hunter2';
  const text = [
    'authenticator: PasswordAuthenticator',
    `passwords: { ${secret}: ["a*"] }`,
    `jwt_verification_key: "${secret}${secret}"`,
    `network: { secret: ${secret} }`,
    `cluster: { password: ${secret}, token: ${secret} }`,
    `apikeys: { list: [{ domain: d, key: ${secret} }] }`,
    `admin: { token: ${secret} }`,
    `doors: { pusu: { authenticator: PasswordAuthenticator, passwords: { ${secret}: ["a*"] } }, wspubsub: { apikeys: { list: [{ domain: d, key: ${secret} }] } } }`,
  ].join('\n');
  const rows = effective(text);
  t.notRegex(JSON.stringify(rows), /hunter2/);
  const hidden = rows.filter(({ value }) => value === '[hidden]').map(({ key }) => key);
  t.deepEqual(hidden, [
    'passwords',
    'jwt_verification_key',
    'apikeys.list',
    'doors.pusu.passwords',
    'doors.wspubsub.apikeys.list',
    'network.secret',
    'cluster.password',
    'cluster.token',
    'admin.token',
  ]);
});

test('every key of the table that is on is there once', (t) => {
  const rows = effective('doors: { pusu: true, wspubsub: true, pinghub: true }').map(({ key }) => key);
  t.is(new Set(rows).size, rows.length);
  const leaves = [...keyPaths(relayKeys)]
    .map((path) => path.join('.'))
    .filter((key, _, all) => !all.some((other) => other.startsWith(`${key}.`)))
    .filter((key) => key !== 'client_port' && key !== 'network_port');
  t.deepEqual(rows, leaves);
});

test('differences name the key, both values, and who has said the second', (t) => {
  const before = effective('node: a\nlimits: { drain: 5s }\n');
  const after = effective('node: a\nlimits: { drain: 6s }\nadmin: false\n');
  t.deepEqual(differences(before, before), []);
  const found = differences(before, after);
  t.deepEqual(found[0], { key: 'admin', before: 'not there', after: 'false', from: 'relay.yaml:3' });
  t.deepEqual(found[1], { key: 'limits.drain', before: '5s', after: '6s', from: 'relay.yaml:2' });
  t.like(found[2], { key: 'admin.host', before: '127.0.0.1', after: 'not there' });
});
