import { inspect } from 'node:util';
import test from 'ava';
import { accepted, refused, warned } from './support.ts';

const nats = (more: string) => `cluster: { backplane: nats, servers: [a], ${more} }`;

test('relays link themselves unless a NATS network is named', (t) => {
  t.is(accepted('').cluster.backplane, 'mesh');
  const { cluster } = accepted(
    'cluster: { backplane: nats, servers: [a, "nats://b:4223", "nats://[::1]:1"] }',
  );
  t.deepEqual(cluster.servers, ['a', 'b:4223', '[::1]:1']);
  t.is(cluster.prefix, 'fanfare');
});

test('NATS needs a server, as host or host:port', (t) => {
  t.deepEqual(refused('cluster: { backplane: nats }'), [
    'relay.yaml:1:23 cluster.servers: at least one server, for cluster.backplane nats',
  ]);
  for (const server of ['"tls://a"', '"nats://"', '"a:0"', '"a b"']) {
    t.regex(refused(`cluster: { backplane: nats, servers: [${server}] }`).join(), /cluster\.servers\[0\]: /);
  }
});

test('who the relay is to NATS is said in one way', (t) => {
  t.is(accepted(nats('user: u, password: p')).cluster.user, 'u');
  const { token } = accepted(nats('token: t')).cluster;
  t.is(token?.reveal(), 't');
  t.notRegex(inspect(accepted(nats('user: u, password: hunter2'))), /hunter2/);
  t.is(accepted(nats('credentials: /c')).cluster.credentials, '/c');
  t.deepEqual(refused(nats('user: u')), [
    'relay.yaml:1:49 cluster.user: cluster.user and cluster.password together',
  ]);
  t.regex(refused(nats('password: p')).join(), /cluster\.user and cluster\.password together/);
  t.regex(
    refused(nats('token: t, credentials: /c')).join(),
    /one of cluster\.credentials, cluster\.token, and/,
  );
  t.regex(refused(nats('tls: { cert: c }')).join(), /cert and key together/);
  t.true(accepted(nats('tls: { ca: c }')).cluster.tls.ca === 'c');
});

test('a secret for NATS is the secret, and credentials are the path of a file', (t) => {
  for (const key of ['user: u, password', 'token'])
    for (const [secret, why] of [
      ['/etc/nats/relay.creds', /the path of a file: .*cluster\.credentials names a file of credentials/],
      ['nats://u:p@a:4222', /an address: cluster\.servers names addresses/],
      ['-----BEGIN NATS USER JWT-----', /cluster\.credentials names a file/],
      ['$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW', /is shown the secret itself/],
    ] as const)
      t.regex(refused(nats(`${key}: ${JSON.stringify(secret)}`)).join(), why, secret);
  t.truthy(accepted(nats('token: eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhIn0.c2ln')).cluster.token);
  for (const [path, why] of [
    ['-----BEGIN NATS USER JWT-----\neyJ', /the path of a file, and not what is in it/],
    ['file:///etc/nats/relay.creds', /the path of a file, and no URL/],
    ['"/etc/nats/relay.creds"', /the path of a file, without quotes around it/],
  ] as const)
    t.regex(refused(nats(`credentials: ${JSON.stringify(path)}`)).join(), why);
});

test('a prefix is tokens of plain characters', (t) => {
  t.is(accepted(nats('prefix: a.b-c_1')).cluster.prefix, 'a.b-c_1');
  t.is(accepted(nats(`prefix: ${'a'.repeat(64)}`)).cluster.prefix.length, 64);
  for (const prefix of ['.a', 'a.', 'a..b', '"a.*"', '">"', '""', '"a b"', 'a'.repeat(65)])
    t.regex(refused(nats(`prefix: ${prefix}`)).join(), /cluster\.prefix: a prefix of/, prefix);
});

test('a topic over NATS has a name that its subject can hold, and no order for all relays', (t) => {
  const limited = (length: number) => `${nats('')}\nlimits: { topic_length: ${length} }`;
  t.is(accepted(limited(256)).limits.topicLength, 256);
  for (const length of [0, 257])
    t.deepEqual(refused(limited(length)), ['relay.yaml:2:25 limits.topic_length: from 1 to 256 over NATS']);
  t.regex(
    refused(`${nats('')}\ntopics: [{ pattern: a, ordering: cluster }]`).join(),
    /topics: ordering: relay alone with cluster\.backplane nats; ordering: cluster needs the mesh/,
  );
  t.regex(
    refused(`${nats('')}\ntopics: [{ pattern: a, history: true }]`).join(),
    /topics: no history with cluster\.backplane nats; topics that keep a history need the mesh/,
  );
});

test('lists that are not used are pointed out', (t) => {
  t.deepEqual(warned(`${nats('')}\nrelays: [a]`), [
    'relay.yaml:2:9 relays: not used by cluster.backplane nats',
  ]);
  t.deepEqual(warned('cluster: { servers: [a] }'), [
    'relay.yaml:1:21 cluster.servers: not used unless cluster.backplane is nats',
  ]);
});
