import test from 'ava';
import { parseConfig } from '../../src/config/load-config.ts';
import { keyPair } from '../support/key-pair.ts';
import { accepted, refused, warned } from './support.ts';

const pem = (key: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer }) =>
  String(key.export({ type: 'spki', format: 'pem' }));
const rsa = keyPair(2048);
const smallRsa = keyPair(1024);
const ec = keyPair('P-256');
const secret = 'x'.repeat(32);

const jwt = (key: string, algorithms = '[]') =>
  `authenticator: JWT\njwt_signing_algorithms: ${algorithms}\njwt_verification_key: ${JSON.stringify(key)}\n`;

function keysOf(text: string) {
  const { authenticator } = accepted(text);
  if (authenticator.name !== 'JWT') throw new Error(authenticator.name);
  return authenticator.keys.map(({ key, algorithms }) => [key.type, algorithms]);
}

test('a key is for its usual algorithm, or for those of the named ones that go with it', (t) => {
  t.deepEqual(keysOf(jwt(secret)), [['secret', ['HS256']]]);
  t.deepEqual(keysOf(jwt(pem(rsa.publicKey))), [['public', ['RS256']]]);
  t.deepEqual(keysOf(jwt(pem(ec.publicKey))), [['public', ['ES256']]]);
  t.deepEqual(keysOf(jwt(secret, '[HS512, RS256]')), [['secret', ['HS512']]]);
  t.deepEqual(keysOf(jwt(pem(rsa.publicKey), '[HS256, PS256, RS512]')), [['public', ['RS512', 'PS256']]]);
});

test('a key and algorithms that do not go together are refused, and no error shows the key', (t) => {
  const algorithm = 'an algorithm that goes with jwt_verification_key, which is';
  t.deepEqual(refused(jwt(pem(rsa.publicKey), '[HS256]')), [
    `relay.yaml:2:25 jwt_signing_algorithms: ${algorithm} a public key of the kind rsa`,
  ]);
  t.deepEqual(refused(jwt(secret, '[RS256]')), [
    `relay.yaml:2:25 jwt_signing_algorithms: ${algorithm} a secret text`,
  ]);
  t.regex(refused(jwt(pem(smallRsa.publicKey)))[0] ?? '', /a key of a kind and size that we trust/);
  const privateKey = String(ec.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  t.deepEqual(refused(jwt(privateKey)), [
    'relay.yaml:3:23 jwt_verification_key: the public key: the private one stays with whoever signs',
  ]);
  t.deepEqual(refused(jwt('-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----')), [
    'relay.yaml:3:23 jwt_verification_key: a public key in PEM that can be read',
  ]);
  t.regex(refused(jwt('/etc/key.pem'))[0] ?? '', /looks like the path of a file: the key itself stands here/);
  t.regex(refused('jwt_signing_algorithms: [none]')[0] ?? '', /jwt_signing_algorithms\[0\]: one of HS256/);
});

test('what is evidently no secret does not become one: whoever knows the public text could sign with it', (t) => {
  const spki = rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const set = JSON.stringify(ec.publicKey.export({ format: 'jwk' }));
  const wrong: readonly (readonly [string, RegExp])[] = [
    [spki, /a key without its armour, or a piece of one: a public key stands here in PEM/],
    [pem(rsa.publicKey).split('\n').slice(1, -2).join('\n'), /a key without its armour/],
    [`Subject: relay\n${pem(ec.publicKey)}`, /a key without its armour/],
    ['/run/secrets/jwt', /the path of a file: .*variable that ends in _FILE/],
    ['file:///run/secrets/jwt', /the path of a file|an address/],
    ['https://id.example/jwks.json', /an address: jwt\.jwks names a URL/],
    [set, /a key set: jwt\.jwks names a file or URL/],
    [`sha256:${'0a'.repeat(32)}`, /the hash of a secret: signatures are checked with the secret itself/],
    [`\${JWT_SECRET}`, /a placeholder that was not filled in/],
  ];
  for (const [key, why] of wrong) {
    const [line = ''] = refused(jwt(key));
    t.regex(
      line,
      /^relay\.yaml:3:23 jwt_verification_key: a public key in PEM, or a secret text, and this/,
      key,
    );
    t.regex(line, why, key);
    t.false(line.includes(key));
    const atDoor = `doors: { pusu: { authenticator: JWT, jwt_verification_key: ${JSON.stringify(key)} } }`;
    t.regex(refused(atDoor)[0] ?? '', /doors\.pusu\.jwt_verification_key: a public key in PEM/, key);
  }
});

test('a key in PEM is the same key with escaped line ends, with blanks for them, and with none', (t) => {
  const text = pem(rsa.publicKey);
  for (const end of ['\n', '\r\n', '\\n', '\\r\\n', ' ', '', '\n  '])
    t.deepEqual(keysOf(jwt(text.replaceAll('\n', end))), [['public', ['RS256']]], JSON.stringify(end));
  t.deepEqual(keysOf(`authenticator: JWT\njwt_verification_key: ${text.replaceAll('\n', '\\n')}`), [
    ['public', ['RS256']],
  ]);
  const privateKey = String(ec.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  t.regex(
    refused(jwt(privateKey.replaceAll('\n', '\\n')))[0] ?? '',
    /the private one stays with whoever signs/,
  );
});

test('a secret under 32 bytes is warned of, at a door too', (t) => {
  t.deepEqual(warned(jwt('x'.repeat(32))), []);
  t.deepEqual(warned(jwt('x'.repeat(31))), [
    'relay.yaml:3:23 jwt_verification_key: a secret under 32 bytes can be found out from a token',
  ]);
  t.is(warned('doors: { pusu: { authenticator: JWT, jwt_verification_key: x } }').length, 1);
});

test('JWT wants a key and Forward a URL, beside them', (t) => {
  t.deepEqual(refused('authenticator: JWT'), [
    'relay.yaml:1:16 jwt_verification_key: the key of authenticator: JWT, here or in jwt.jwks',
  ]);
  t.deepEqual(refused('authenticator: Forward'), [
    'relay.yaml:1:16 forward.url: the URL that authenticator: Forward asks',
  ]);
  const elsewhere = 'forward: { url: "http://a/" }\ndoors: { pinghub: { authenticator: Forward } }';
  t.deepEqual(refused(elsewhere), [
    'relay.yaml:2:36 doors.pinghub.forward.url: the URL that authenticator: Forward asks',
  ]);
});

test('an empty key is none, as in pusud’s example', (t) => {
  t.is(accepted('jwt_verification_key: ""').authenticator.name, 'None');
  t.regex(refused('authenticator: JWT\njwt_verification_key: ""')[0] ?? '', /the key of authenticator: JWT/);
});

test('clocks may differ by five seconds, or as much as is set, up to ten minutes', (t) => {
  const leeway = (text: string) => {
    const { authenticator } = accepted(`authenticator: JWT\njwt: { jwks: a.json${text} }`);
    return authenticator.name === 'JWT' && authenticator.leeway;
  };
  t.is(leeway(''), 5000);
  t.is(leeway(', leeway: 0'), 0);
  t.is(leeway(', leeway: 10m'), 600_000);
  t.regex(refused('jwt: { leeway: 600001ms }').join(), /jwt\.leeway: a time of at most 10m$/);
});

test('both names of Ed25519 may be asked for', (t) => {
  const { publicKey } = keyPair('ed25519');
  for (const wanted of ['[]', 'EdDSA', '[Ed25519]'])
    t.deepEqual(keysOf(jwt(pem(publicKey), wanted)), [['public', ['EdDSA', 'Ed25519']]]);
});

test('settings of an authenticator that is not there are refused at a door, and warned of at the top', (t) => {
  t.deepEqual(refused('doors: { pusu: { forward: { url: "http://a/" } } }'), [
    'relay.yaml:1:34 doors.pusu.forward.url: authenticator: Forward beside it, at this door',
  ]);
  t.deepEqual(refused('doors: { pusu: { jwt: { jwks: a.json } } }'), [
    'relay.yaml:1:31 doors.pusu.jwt.jwks: authenticator: JWT beside it, at this door',
  ]);
  t.deepEqual(warned('forward: { url: "http://a/" }\njwt: { jwks: a.json }'), [
    'relay.yaml:1:17 forward.url: not used by authenticator None',
    'relay.yaml:2:14 jwt.jwks: not used by authenticator None',
  ]);
});

test('a set of keys is a file beside the configuration, or a URL', (t) => {
  const jwksOf = (jwks: string, file = 'etc/relay.yaml') => {
    const text = `authenticator: JWT\njwt: { jwks: ${JSON.stringify(jwks)} }`;
    const result = parseConfig({ text, file, sets: [], env: {}, hostName: 'h' });
    if (!result.ok) return result.errors[0]?.expected;
    return result.config.authenticator.name === 'JWT' ? result.config.authenticator.jwks : null;
  };
  t.deepEqual(jwksOf('keys.json'), { file: 'etc/keys.json' });
  t.deepEqual(jwksOf('/keys.json'), { file: '/keys.json' });
  t.deepEqual(jwksOf('https://a.example/keys'), { url: 'https://a.example/keys' });
  for (const bad of ['ftp://a/keys', 'https://u:p@a/keys', 'https://', ''])
    t.is(jwksOf(bad), 'a file or an http or https URL with a JSON Web Key Set, or null', bad);
  t.is(jwksOf('{"keys":[]}'), 'a file or URL with a key set, and not what is in it');
  t.is(jwksOf(pem(ec.publicKey)), 'the path of a file, and not what is in it');
});

test('the URL that is asked is http or https, and holds no password', (t) => {
  const set = (url: string) => `authenticator: Forward\nforward: { url: ${JSON.stringify(url)}, cache: 1s }`;
  t.deepEqual(accepted(set('http://127.0.0.1:81/a?b')).authenticator, {
    name: 'Forward',
    url: 'http://127.0.0.1:81/a?b',
    cache: 1000,
    recheck: 3000,
    recheckRate: 500,
  });
  for (const bad of ['127.0.0.1:81', '/a', 'http://u:p@a/', 'ws://a/', 'http://a/#b']) {
    const [error = ''] = refused(set(bad));
    t.regex(error, /^relay\.yaml:2:17 forward\.url: an http or https URL/, bad);
    t.false(error.includes('u:p'));
  }
});

test('the time for answers is a limit of the relay, of the door, or of the authenticator', (t) => {
  const timeouts = (text: string) => {
    const { authenticatorTimeout, doors } = accepted(text);
    return [authenticatorTimeout, doors.pusu?.authenticatorTimeout];
  };
  const forward = (timeout: string) => `forward: { url: "http://a/"${timeout} }`;
  t.deepEqual(timeouts(''), [2000, 2000]);
  t.deepEqual(timeouts('authenticator_timeout: 1s'), [1000, 1000]);
  t.deepEqual(
    timeouts('authenticator_timeout: 1s\ndoors: { pusu: { authenticator_timeout: 3s } }'),
    [1000, 3000],
  );
  t.deepEqual(timeouts(`authenticator: Forward\n${forward(', timeout: 5s')}`), [5000, 2000]);
  const atDoor = `doors: { pusu: { authenticator: Forward, authenticator_timeout: 3s, ${forward(', timeout: 4s')} } }`;
  t.deepEqual(timeouts(atDoor), [2000, 4000]);
  t.deepEqual(timeouts('authenticator_timeout: 1m'), [60_000, 60_000]);
  for (const bad of ['0', '61s'])
    t.deepEqual(refused(`authenticator_timeout: ${bad}`), [
      'relay.yaml:1:24 authenticator_timeout: a time from 1ms to 1m',
    ]);
});

test('a plugin is a path, relative to the configuration file, and knows where it is named', (t) => {
  const text = 'doors:\n  pinghub:\n    authenticator: ./plugins/mine.js';
  const result = parseConfig({ text, file: '/etc/relay.yaml', sets: [], env: {}, hostName: 'h' });
  t.deepEqual(result.ok && result.config.doors.pinghub?.authenticator, {
    name: 'Plugin',
    file: '/etc/plugins/mine.js',
    at: { file: '/etc/relay.yaml', line: 3, column: 20 },
    key: 'doors.pinghub.authenticator',
  });
  for (const path of ['mine.js', '../mine.mjs', '/opt/mine'])
    t.is(accepted(`authenticator: ${path}`).authenticator.name, 'Plugin', path);
  t.regex(refused('authenticator: Nome')[0] ?? '', /did you mean "None"\?$/);
});

test('ApiKeys is what the wspubsub door has anyway, and the relay’s keys elsewhere', (t) => {
  t.is(accepted('doors: { wspubsub: { authenticator: ApiKeys } }').doors.wspubsub?.authenticator, null);
  const apiKeys = { store: 'file', file: '/etc/keys.yaml' } as const;
  const store = 'apikeys: { file: /etc/keys.yaml }\n';
  t.deepEqual(accepted(`${store}authenticator: ApiKeys`).authenticator, { name: 'ApiKeys', apiKeys });
  t.deepEqual(accepted(`${store}doors: { pusu: { authenticator: ApiKeys } }`).doors.pusu?.authenticator, {
    name: 'ApiKeys',
    apiKeys,
  });
});

test('a password or an API key of blanks alone is an empty one', (t) => {
  for (const blank of ['', ' '.repeat(40), '\\t\\u00a0']) {
    t.regex(
      refused(`passwords: { "${blank}": [a] }`).join(),
      / passwords\[0\]: a password that is not empty$/,
    );
    t.regex(
      refused(`apikeys: { list: [{ domain: a, key: "${blank}" }] }`).join(),
      / apikeys\.list\[0\]\.key: a key without a slash/,
    );
  }
});
