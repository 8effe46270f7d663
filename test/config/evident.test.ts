import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { evident } from '../../src/config/evident.ts';
import { selfSigned } from '../support/certificate.ts';
import { keyPair } from '../support/key-pair.ts';

const pairs = [
  keyPair(2048),
  keyPair(1024),
  keyPair('P-256'),
  keyPair('P-384'),
  keyPair('P-521'),
  keyPair('ed25519'),
];
type Format = 'spki' | 'pkcs1' | 'pkcs8' | 'sec1';
const der = (key: KeyObject, type: Format) => key.export({ type: type as 'pkcs1', format: 'der' }) as Buffer;
const keys = pairs.flatMap(({ publicKey, privateKey }) => [
  der(publicKey, 'spki'),
  der(privateKey, 'pkcs8'),
  ...(publicKey.asymmetricKeyType === 'rsa' ? [der(publicKey, 'pkcs1'), der(privateKey, 'pkcs1')] : []),
  ...(publicKey.asymmetricKeyType === 'ec' ? [der(privateKey, 'sec1')] : []),
]);
const wrapped = (text: string) => text.replace(/.{64}/g, '$&\n');

test('a key without its armour is a key, in whichever letters it is written', (t) => {
  for (const key of keys) {
    const base64 = key.toString('base64');
    for (const text of [
      base64,
      wrapped(base64),
      wrapped(base64).replaceAll('\n', '\r\n'),
      wrapped(base64).replaceAll('\n', '\\n'),
      ` ${base64}\n`,
      `"${base64}"`,
      key.toString('base64url'),
      key.toString('hex'),
      key.toString('hex').toUpperCase(),
      key.toString('hex').replace(/..(?!$)/g, '$&:'),
    ])
      t.is(evident(text), 'key', text);
    if (base64.length > 128) t.is(evident(base64.slice(0, 64)), 'key', 'its first line alone');
  }
});

test('so are a certificate, pieces of PEM, a key in SSH’s form, and PEM within base64', (t) => {
  const { cert } = selfSigned(t);
  const text = readFileSync(cert, 'utf8');
  t.is(evident(new X509Certificate(text).raw.toString('base64')), 'key');
  const pem = String(pairs[0]?.publicKey.export({ type: 'spki', format: 'pem' }));
  const { d: _, ...point } = pairs[5]?.publicKey.export({ format: 'jwk' }) ?? {};
  const wire = Buffer.concat([
    Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 ', 'latin1'),
    Buffer.from(String(point.x), 'base64url'),
  ]).toString('base64');
  for (const key of [
    pem,
    `"${pem}"`,
    `Public-Key: (2048 bit)\n${pem}`,
    pem.slice(0, 60),
    pem.slice(-60),
    `---- BEGIN SSH2 PUBLIC KEY ----\n${wire}\n---- END SSH2 PUBLIC KEY ----`,
    Buffer.from(pem).toString('base64'),
    wrapped(Buffer.from(text).toString('base64')),
    `ssh-ed25519 ${wire} me@here`,
    wire,
    '-----BEGIN NATS USER JWT-----\neyJ0\n------END NATS USER JWT------',
  ])
    t.is(evident(key), 'key', key);
});

test('a JSON Web Key or a set of them, and any other object in JSON, is a set of keys', (t) => {
  const jwk = JSON.stringify(pairs[2]?.publicKey.export({ format: 'jwk' }));
  for (const set of [jwk, `{"keys":[${jwk}]}`, `\n${jwk}\n`, Buffer.from(jwk).toString('base64'), '{"a":1}'])
    t.is(evident(set), 'key set', set);
  t.is(evident(`{${'x'.repeat(30)}`), null);
});

test('a path, an address, a hash, a token, and what a template should have filled in, are what they look like', (t) => {
  const hash = createHash('sha512').update('x');
  const looks = {
    path: [
      '/run/secrets/jwt',
      '/run/secrets/JWT_KEY',
      '/etc/fanfare/key',
      '/custom/place/of-key',
      '/keys/Public',
      './key',
      '../keys/a b',
      '~/key',
      'file:/x',
      'file:///run/secrets/x',
      'file:key',
      'C:\\keys\\jwt',
      'key.pem',
      'keys/public.key',
      'jwks.json',
      '@/run/secrets/x',
      'projects/1/secrets/jwt/versions/latest',
      '"/run/secrets/jwt"',
    ],
    address: [
      'https://id.example/jwks.json',
      'http://localhost:8080',
      'nats://a:4222',
      'vault://secret/a',
      'postgres://u:p@h/d',
      'data:text/plain;base64,eA==',
      '10.0.0.1',
      '10.0.0.1:55001',
      '10.0.0.0/8',
      'relay-1.example.com:55001',
      'arn:aws:secretsmanager:eu-west-1:1:secret:x',
      'urn:keys:jwt:verification:public:key1',
      'URN:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66',
      'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
      'vault:secret/data/jwt#public_key_here_ab',
      'ref+vault://secret/jwt#/key',
      'op://vault/item/field',
      'secretsmanager:prod/jwt',
      'awssm:prod/jwt',
      'gcp-sm:projects/1/jwt',
      'ssm:/prod/jwt',
      'aws-ssm:/prod/jwt',
      'azurekeyvault:name/jwt',
      'k8s:secret/jwt',
      'env:JWT_SECRET',
      'ENV:JWT_SECRET',
      'pkcs11:token=a;object=jwt',
      '@Microsoft.KeyVault(SecretUri=https://a.vault.azure.net/secrets/jwt)',
    ],
    hash: [
      `sha512:${hash.copy().digest('hex')}`,
      `SHA256:${'0a'.repeat(32)}`,
      `sha-256=${'0a'.repeat(32)}`,
      '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW',
      '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG',
      `{SSHA}${hash.copy().digest('base64')}`,
      'SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2E=$c3RvcmVka2V5:c2VydmVya2V5',
    ],
    token: ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'],
    placeholder: [
      `\${JWT_SECRET}`,
      '$(JWT_SECRET)',
      '{{ jwt_secret }}',
      '<your secret>',
      '$JWT_SECRET',
      '%SECRET%',
    ],
  };
  for (const [look, texts] of Object.entries(looks))
    for (const text of texts) t.is(evident(text), look as ReturnType<typeof evident>, text);
});

test('a random secret, a password that somebody chose, and a sentence may be secrets', (t) => {
  const bytes = fc.uint8Array({ minLength: 8, maxLength: 96 }).map((array) => Buffer.from(array));
  const base32 = fc.string({
    unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'),
    minLength: 16,
    maxLength: 64,
  });
  const secret = fc.oneof(
    bytes.map((buffer) => buffer.toString('base64')),
    bytes.map((buffer) => buffer.toString('base64url')),
    bytes.map((buffer) => buffer.toString('hex')),
    base32,
    fc.uuid(),
    fc.string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 64 }),
    fc.string({ unit: 'grapheme', minLength: 8 }),
    fc
      .array(fc.constantFrom('correct', 'horse', 'battery', 'staple', 'Key', '7'), { minLength: 3 })
      .map((w) => w.join(' ')),
    fc
      .array(fc.constantFrom('correct', 'horse', 'battery', 'Key', '7'), { minLength: 3 })
      .map((w) => w.join('-')),
  );
  fc.assert(
    fc.property(secret, (text) => evident(text) === null),
    { numRuns: 5000 },
  );
  for (const text of [
    'hunter2',
    '',
    '/',
    'a/b',
    '$ecret',
    'p@$$w0rd',
    'ssh-rsa',
    'END',
    '1234',
    '12.5',
    '{',
    '50%',
    'me@example.com',
    'env:',
    'env: prod, it is',
    'vaulted:ceilings',
    'turn:the:tables',
    'urn:',
    'user:pass:word',
    '0123456789abcdef'.repeat(4),
  ])
    t.is(evident(text), null, text);
});
