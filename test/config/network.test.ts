import test from 'ava';
import { sha256 } from '../../src/secret/secret.ts';
import { accepted, refused } from './support.ts';

test('a secret of the network is kept as its hash, and short ones are refused', (t) => {
  t.deepEqual(
    accepted('network: { secret: 0123456789abcdef }').network.secret?.reveal(),
    sha256('0123456789abcdef'),
  );
  const hash = sha256('x').toString('hex');
  t.deepEqual(accepted(`network: { secret: "sha256:${hash}" }`).network.secret?.reveal(), sha256('x'));
  const expected =
    'relay.yaml:1:20 network.secret: a secret of at least 16 characters, or sha256: and 64 hex digits, or null';
  t.deepEqual(refused('network: { secret: 0123456789abcde }'), [expected]);
  t.deepEqual(refused('network: { secret: "sha256:0123456789abcdef" }'), [
    'relay.yaml:1:20 network.secret: 64 hex digits after sha256:',
  ]);
});

test('a path, a key or an address is no secret of the network, and its hash may be one', (t) => {
  for (const [secret, why] of [
    ['/run/secrets/network', /the path of a file: a variable that ends in _FILE/],
    ['relay-1.example.com:55001', /an address: relays names addresses/],
    ['https://vault.example/secret', /an address/],
    ['-----BEGIN PRIVATE KEY-----', /a key without its armour, or a piece of one: network\.tls names files/],
    [`SHA256:${'0a'.repeat(32)}`, /the hash of a secret: a hash is written as sha256: and 64 hex digits/],
  ] as const) {
    const [line = ''] = refused(`network: { secret: ${JSON.stringify(secret)} }`);
    t.regex(
      line,
      /^relay\.yaml:1:20 network\.secret: what all relays of the network know and nobody else, and this/,
    );
    t.regex(line, why);
    t.false(line.includes(secret));
  }
  const hash = sha256('/run/secrets/network');
  t.deepEqual(
    accepted(`network: { secret: "sha256:${hash.toString('hex')}" }`).network.secret?.reveal(),
    hash,
  );
  t.truthy(accepted(`network: { secret: ${'0a'.repeat(32)} }`).network.secret);
});

test('a link is silent for longer than a heartbeat, and neither is none', (t) => {
  t.is(accepted('network: { heartbeat: 100ms, timeout: 101ms }').network.timeout, 101);
  t.deepEqual(refused('network: { heartbeat: 100ms, timeout: 100ms }'), [
    'relay.yaml:1:39 network.timeout: more than network.heartbeat, 100 ms',
  ]);
  t.is(accepted('network: { heartbeat: 10ms }').network.heartbeat, 10);
  for (const none of ['0', '9ms']) {
    t.deepEqual(refused(`network: { heartbeat: ${none} }`), [
      'relay.yaml:1:23 network.heartbeat: a time such as 10s (ms, s, m, h), at least 10ms',
    ]);
  }
});

test('cert, key and ca are given together, relative to the folder of the file', (t) => {
  const { tls } = accepted('network: { tls: { cert: a, key: /b, ca: c } }').network;
  t.deepEqual(tls, { cert: 'a', key: '/b', ca: 'c' });
  t.is(accepted('network: {}').network.tls, null);
  t.deepEqual(refused('network: { tls: { cert: a, key: b } }'), [
    'relay.yaml:1:25 network.tls.ca: cert, key and ca together',
  ]);
});

test('what holds for topics is a list of patterns, each with its ordering', (t) => {
  t.deepEqual(accepted('topics: [{ pattern: "orders.*", ordering: cluster }, { pattern: a }]').topics, [
    { pattern: 'orders.*', ordering: 'cluster', history: null },
    { pattern: 'a', ordering: 'relay', history: null },
  ]);
  t.deepEqual(
    refused('topics: [{ pattern: "a*b" }, { ordering: cluster }, { pattern: a, ordering: all }, 5]'),
    [
      'relay.yaml:1:21 topics[0].pattern: a channel pattern with its * at the end only',
      'relay.yaml:1:30 topics[1]: a pattern and what holds for it: { pattern: "orders.*", ordering: cluster }',
      'relay.yaml:1:77 topics[2].ordering: one of relay, cluster',
      'relay.yaml:1:84 topics[3]: a map of keys: pattern, ordering, history',
    ],
  );
});

test('what topics keep is bounded by rule and in all, and each bound is judged', (t) => {
  const kept = (history: string) =>
    accepted(`topics: [{ pattern: a, history: ${history} }]`).topics[0]?.history;
  const defaults = { messages: 100, bytes: 262_144, age: 300_000 };
  for (const off of ['null', 'false', '~']) t.is(kept(off), null);
  for (const on of ['true', '{}']) t.deepEqual(kept(on), defaults);
  t.deepEqual(kept('{ messages: 1, bytes: 1KiB, age: 1s }'), { messages: 1, bytes: 1024, age: 1000 });
  t.deepEqual(kept('{ messages: 1000000, bytes: 1GiB, age: 596h }'), {
    messages: 1_000_000,
    bytes: 1024 ** 3,
    age: 596 * 3_600_000,
  });
  const refusedRule = (history: string) =>
    refused(`topics: [{ pattern: a, history: ${history} }]`).map((line) => line.replace(/^\S+ /, ''));
  for (const messages of ['0', '1000001', '1.5', 'all'])
    t.deepEqual(refusedRule(`{ messages: ${messages} }`), [
      'topics[0].history.messages: a whole number from 1 to 1000000',
    ]);
  for (const bytes of ['0', '1023B'])
    t.deepEqual(refusedRule(`{ bytes: ${bytes} }`), ['topics[0].history.bytes: a size from 1KiB to 1GiB']);
  t.deepEqual(refusedRule('{ bytes: 1073741825 }'), ['topics[0].history.bytes: a size of at most 1GiB']);
  for (const age of ['0', '999ms'])
    t.deepEqual(refusedRule(`{ age: ${age} }`), ['topics[0].history.age: a time from 1s to 596h']);
  t.deepEqual(refusedRule('{ age: 597h }'), ['topics[0].history.age: a time of at most 596h']);
  t.deepEqual(refusedRule('5'), ['topics[0].history: a map of keys: messages, bytes, age']);

  t.deepEqual(accepted('').history, { total: 64 * 1024 ** 2, resume: 1024 ** 2 });
  t.deepEqual(accepted('history: { total: 64KiB, resume: 64KiB }').history, {
    total: 65_536,
    resume: 65_536,
  });
  t.deepEqual(accepted('history: { total: 1GiB, resume: 1GiB }').history.resume, 1024 ** 3);
  for (const key of ['total', 'resume']) {
    t.deepEqual(refused(`history: { ${key}: 65535 }`), [
      `relay.yaml:1:${14 + key.length} history.${key}: a size from 64KiB to 1GiB`,
    ]);
    t.regex(refused(`history: { ${key}: 1073741825 }`).join(), /a size of at most 1GiB$/);
  }
});
