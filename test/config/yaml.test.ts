import test from 'ava';
import { accepted, refused } from './support.ts';

test('a fault of the text itself is reported, and what stands before it is judged too', (t) => {
  t.deepEqual(refused('nod: x\nlimits:\n\tping: 5s\nlog: 5\n'), [
    'relay.yaml:1:1 nod: unknown key; did you mean "node"?',
    'relay.yaml:3:1 yaml: spaces, not a tab, as indentation',
  ]);
  t.deepEqual(refused('node: "a\n'), [
    'relay.yaml:2:1 yaml: a bracket, quote, colon, comma or space that is missing here',
  ]);
  t.deepEqual(refused('node: @a'), [
    'relay.yaml:1:7 yaml: quotes around a value that starts with this character',
  ]);
  t.deepEqual(refused('node: !name a'), ['relay.yaml:1:7 yaml: a value without a tag']);
});

test('a second document is refused', (t) => {
  t.deepEqual(refused('node: a\n---\nnode: b\n'), [
    'relay.yaml:3:1 yaml: one document; a second one starts here',
  ]);
  t.is(accepted('---\nnode: a\n...\n').node, 'a');
});

test('a byte order mark and carriage returns do not move columns', (t) => {
  t.deepEqual(refused('\uFEFFnod: a\r\nlog: { levl: info }\r\n'), [
    'relay.yaml:1:1 nod: unknown key; did you mean "node"?',
    'relay.yaml:2:8 log.levl: unknown key; did you mean "level"?',
  ]);
});

test('a text that is not a map of keys is refused', (t) => {
  t.regex(refused('- a').join('\n'), /^relay\.yaml:1:1 relay: a map of keys: node, /);
  t.regex(refused('hello').join('\n'), /^relay\.yaml:1:1 relay: a map of keys: node, /);
  t.deepEqual(refused('? [a]\n: b\n'), ['relay.yaml:1:3 yaml: a plain word as a key']);
  t.deepEqual(refused(': b\n'), ['relay.yaml:1:1 yaml: a plain word as a key']);
});

test('aliases and merge keys stand for what they name; an own key counts before a merged one', (t) => {
  const { doors } = accepted(
    'doors:\n  pusu: &a { host: 127.0.0.1, port: 1 }\n  pinghub: { <<: *a, port: 2 }\n  wspubsub: { <<: [*a], port: 3 }\n',
  );
  t.like(doors.pusu, { host: '127.0.0.1', port: 1 });
  t.like(doors.pinghub, { host: '127.0.0.1', port: 2 });
  t.like(doors.wspubsub, { host: '127.0.0.1', port: 3 });
  t.deepEqual(refused('limits: { ping: &p many, pong: *p }'), [
    'relay.yaml:1:20 limits.ping: a time such as 10s (ms, s, m, h; 0: none), or null',
    'relay.yaml:1:32 limits.pong: a time such as 10s (ms, s, m, h; 0: none), or null',
  ]);
});

test('an alias of nothing, of itself or of what follows is refused', (t) => {
  const expected = 'yaml: an alias of an anchor that stands before it';
  t.deepEqual(refused('node: *a'), [`relay.yaml:1:7 ${expected}`]);
  t.deepEqual(refused('relays: &a [b, *a]'), [`relay.yaml:1:16 ${expected}`]);
  t.deepEqual(refused('node: *a\nrelays: [&a b]'), [`relay.yaml:1:7 ${expected}`]);
  t.deepEqual(refused('limits: { <<: 5 }'), ['relay.yaml:1:11 yaml: a map to merge, or a list of maps']);
});

test('aliases that stand for billions of values are refused', (t) => {
  const levels = ['a0: &a0 [x]'];
  for (let i = 1; i < 12; i++)
    levels.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  t.regex(refused(levels.join('\n')).at(-1) ?? '', /yaml: aliases that stand for at most 100000 values$/);
  const keys = Array.from({ length: 400 }, (_, i) => `k${i}: v`).join(', ');
  const merges = Array(400).fill('- { <<: *m }').join('\n');
  const merged = refused(`node: &m { ${keys} }\nrelays:\n${merges}\n`);
  t.true(merged.some((line) => /at most 100000 values$/.test(line)));
});

test('nesting ends at 50 levels, and deeper nesting is an error and no overflow', (t) => {
  t.regex(refused(`relays: ${'['.repeat(49)}${']'.repeat(49)}`).join('\n'), /relays\[0\]: a relay as/);
  for (const deep of ['[', '{', '- ', '{a: ', '? ']) {
    const lines = refused(deep.repeat(20_000));
    t.is(lines.length, 1, deep);
    t.regex(lines.join('\n'), /^relay\.yaml:1:\d+ yaml: at most 50 levels of nesting$/);
  }
});

test('a text over 1 MiB is refused', (t) => {
  const text = (length: number): string => `#${'x'.repeat(length - 1)}`;
  t.truthy(accepted(text(1_048_576)));
  t.deepEqual(refused(text(1_048_577)), ['relay.yaml:1:1 yaml: at most 1 MiB of text']);
});

test('keys that objects have anyway are keys like any other', (t) => {
  const { authenticator } = accepted(
    'authenticator: PasswordAuthenticator\npasswords: { __proto__: [a], constructor: [b] }',
  );
  t.is(authenticator.name === 'PasswordAuthenticator' && authenticator.passwords.length, 2);
  const { doors } = accepted(
    'doors: { wspubsub: { apikeys: { list: [{ domain: __proto__, key: toString }] } } }',
  );
  const store = doors.wspubsub?.apiKeys;
  t.is(store?.store === 'list' ? store.keys[0]?.domain : null, '__proto__');
  for (const name of ['__proto__', 'constructor', 'toString']) {
    t.regex(refused(`${name}: 5`).join('\n'), /^relay\.yaml:1:1 \w+: unknown key/);
    t.regex(refused(`limits: { ${name}: 5 }`).join('\n'), /^relay\.yaml:1:11 limits\.\w+: unknown key/);
  }
});

test('an error is one line, whatever a key contains', (t) => {
  t.deepEqual(refused('"a\\nb\\u2028c": 1'), [
    'relay.yaml:1:1 "a\\nb?c": unknown key; known here: node, authenticator, authenticator_timeout, ' +
      'passwords, allow_read_by_default, jwt_signing_algorithms, jwt_verification_key, jwt, forward, ' +
      'apikeys, allowed_channels, relays, client_port, network_port, topics, history, doors, network, cluster, admin, var_dir, attach, ' +
      'limits, log',
  ]);
  t.true(refused(`${'k'.repeat(1000)}: 1`).every((line) => line.length < 400));
});
