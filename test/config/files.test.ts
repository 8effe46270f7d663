import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { formatError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { selfSigned } from '../support/certificate.ts';
import { writeCredentials } from '../support/nats-credentials.ts';
import { temporaryFolder } from '../support/relay-process.ts';

/** A folder with a configuration: what is wrong with the files that it names, and what is only worth a warning. */
function folderOf(t: ExecutionContext) {
  const folder = temporaryFolder(t);
  const file = join(folder, 'relay.yaml');
  const load = (text: string) => {
    writeFileSync(file, text);
    const result = loadConfig({ file, env: {}, packageRoot: folder });
    const lines = (result.ok ? result.warnings : result.errors).map((error) =>
      formatError(error).replace(file, 'relay.yaml'),
    );
    return { ok: result.ok, lines };
  };
  return { folder, load, write: (name: string, text: string) => writeFileSync(join(folder, name), text) };
}

test('files for NATS are there and what they should be, as those of a door’s TLS are', (t) => {
  const { folder, load, write } = folderOf(t);
  const { credentials } = writeCredentials(folder);
  selfSigned(t, 'a', folder);
  write('words', 'secret words');
  const nats = (more: string) => `cluster:\n  backplane: nats\n  servers: a\n  ${more}\n`;
  const files = 'tls: { ca: cert.pem, cert: cert.pem, key: key.pem }';
  t.deepEqual(load(nats(`credentials: ${credentials}\n  ${files}`)), { ok: true, lines: [] });
  const cases: readonly (readonly [string, string])[] = [
    [
      'credentials: none',
      '4:16 cluster.credentials: a file of credentials (.creds); there is no file of this name',
    ],
    ['credentials: words', '4:16 cluster.credentials: a file of credentials (.creds)'],
    ['credentials: .', '4:16 cluster.credentials: a file of credentials (.creds); this is a directory'],
    [
      'tls: { ca: none }',
      '4:14 cluster.tls.ca: a file with a certificate in PEM; there is no file of this name',
    ],
    ['tls: { ca: words }', '4:14 cluster.tls.ca: a file with a certificate in PEM'],
    [
      'tls: { cert: cert.pem, key: none }',
      '4:31 cluster.tls.key: a private key; there is no file of this name',
    ],
    ['tls: { cert: words, key: key.pem }', '4:16 cluster.tls.cert: a file with a certificate in PEM'],
  ];
  for (const [more, line] of cases)
    t.deepEqual(load(nats(more)), { ok: false, lines: [`relay.yaml:${line}`] });
  t.true(load('cluster: { credentials: none }').ok, 'a mesh has no use for it');
});

test('so is the authority of the links’ certificates', (t) => {
  const { folder, load, write } = folderOf(t);
  selfSigned(t, 'a', folder);
  write('words', 'secret words');
  const tls = (ca: string) => `network: { tls: { cert: cert.pem, key: key.pem, ca: ${ca} } }`;
  t.true(load(tls('cert.pem')).ok);
  for (const ca of ['none', 'words'])
    t.regex(load(tls(ca)).lines.join(), /:1:53 network\.tls\.ca: a file with a cert/);
});

test('a file with a set of keys is there and holds one, wherever it is named', (t) => {
  const { load, write } = folderOf(t);
  write('keys.json', '{"keys":[]}');
  write('words', 'secret words');
  const jwt = (file: string) => `{ authenticator: JWT, jwt: { jwks: ${file} } }`;
  const wanted = 'a file with a JSON Web Key Set';
  t.true(load(jwt('keys.json')).ok);
  t.deepEqual(load(jwt('none')).lines, [
    `relay.yaml:1:36 jwt.jwks: ${wanted}; there is no file of this name`,
  ]);
  t.deepEqual(load(jwt('words')).lines, [`relay.yaml:1:36 jwt.jwks: ${wanted}`]);
  t.deepEqual(load(`doors: { pinghub: ${jwt('none')} }`).lines, [
    `relay.yaml:1:54 doors.pinghub.jwt.jwks: ${wanted}; there is no file of this name`,
  ]);
  t.true(load(jwt('https://id.example/keys')).ok, 'a server may come');
});

test('a file of API keys may come later, and that is said; a folder is none', (t) => {
  const { load, write } = folderOf(t);
  const keys = (file: string) => `apikeys: { file: ${file} }`;
  t.deepEqual(load(keys('none')), {
    ok: true,
    lines: ['relay.yaml:1:18 apikeys.file: a file with API keys; there is no file of this name'],
  });
  t.deepEqual(load(keys('.')), {
    ok: false,
    lines: ['relay.yaml:1:18 apikeys.file: a file with API keys; this is a directory'],
  });
  t.regex(load(`doors: { wspubsub: { ${keys('none')} } }`).lines.join(), / doors\.wspubsub\.apikeys\.file: /);
  write('there', '');
  t.deepEqual(load(keys('there')), { ok: true, lines: [] });
  t.deepEqual(load(''), { ok: true, lines: [] }, 'the one beside the configuration needs no name');
});

test('a log goes to a file, whose folder may still be made', (t) => {
  const { folder, load } = folderOf(t);
  const log = (file: string) => `log: { file: ${join(folder, file)} }`;
  t.deepEqual(load(log('a/b/c.log')), { ok: true, lines: [] });
  t.deepEqual(load('log: { file: /dev/stderr }'), { ok: true, lines: [] });
  t.deepEqual(load(log('.')).lines, [
    'relay.yaml:1:14 log.file: the path of a file to write; this is a directory',
  ]);
  t.regex(
    load(log('relay.yaml/x.log')).lines.join(),
    /log\.file: the path of a file to write; there is no file/,
  );
  if (process.getuid?.() === 0) return;
  mkdirSync(join(folder, 'closed'));
  chmodSync(join(folder, 'closed'), 0o500);
  t.regex(load(log('closed/x.log')).lines.join(), /writing it is not permitted/);
});

test('a plugin is there, wherever it is named', (t) => {
  const { folder, load, write } = folderOf(t);
  const missing = `the path of a plugin; there is no ${join(folder, 'none.js')} that we can read`;
  t.deepEqual(load('authenticator: ./none.js').lines, [`relay.yaml:1:16 authenticator: ${missing}`]);
  t.deepEqual(load('doors: { pusu: { authenticator: ./none.js } }').lines, [
    `relay.yaml:1:33 doors.pusu.authenticator: ${missing}`,
  ]);
  write('mine.js', '');
  t.deepEqual(load('authenticator: ./mine.js'), { ok: true, lines: [] });
});

test('what is wrong with files is told together with what is wrong with other keys', (t) => {
  const { load } = folderOf(t);
  const keys = (text: string) => load(text).lines.map((line) => line.split(' ')[1]);
  t.deepEqual(keys('authenticator: ./none.js\nnod: a\nlimits: { ping: x }\nlog: { file: . }\n'), [
    'authenticator:',
    'nod:',
    'limits.ping:',
    'log.file:',
  ]);
  t.deepEqual(keys('nod: a\nauthenticator: JWT\njwt: { jwks: none }\n'), ['nod:', 'jwt.jwks:']);
  t.deepEqual(keys('network: { secret: short }\ndoors: { pusu: { tls: { cert: none, key: none } } }\n'), [
    'network.secret:',
    'doors.pusu.tls.cert:',
  ]);
  t.false(keys('authenticator: ./none.js\nlog: [\n').includes('authenticator:'), 'the text is unreadable');
});

/** What is wrong with a certificate and key of the PuSu door. */
function tlsFaults(folder: string, cert: string, key: string): readonly string[] | 'ok' {
  const file = join(folder, 'relay.yaml');
  writeFileSync(file, `doors:\n  pusu:\n    tls:\n      cert: ${cert}\n      key: ${key}\n`);
  const result = loadConfig({ file, env: {}, packageRoot: folder });
  return result.ok ? 'ok' : result.errors.map((error) => formatError(error).replace(file, 'relay.yaml'));
}

test('a certificate and its key beside the file are found, whatever the working directory', (t) => {
  const folder = temporaryFolder(t);
  const { cert, key } = selfSigned(t, 'a', folder);
  t.is(tlsFaults(folder, 'cert.pem', 'key.pem'), 'ok');
  t.is(tlsFaults(folder, cert, key), 'ok');
});

test('a file that is missing or no good is an error of the configuration, at its place', (t) => {
  const folder = temporaryFolder(t);
  selfSigned(t, 'a', folder);
  const other = selfSigned(t);
  writeFileSync(join(folder, 'bad.pem'), 'secret words');
  const cert = 'relay.yaml:4:13 doors.pusu.tls.cert:';
  const key = 'relay.yaml:5:12 doors.pusu.tls.key:';
  const cases: readonly (readonly [string, string, string])[] = [
    ['none.pem', 'key.pem', `${cert} a certificate; there is no file of this name`],
    ['.', 'key.pem', `${cert} a certificate; this is a directory`],
    ['bad.pem', 'key.pem', `${cert} a file with a certificate in PEM`],
    ['key.pem', 'key.pem', `${cert} a file with a certificate in PEM`],
    ['cert.pem', 'none.pem', `${key} a private key; there is no file of this name`],
    ['cert.pem', 'bad.pem', `${key} a file with a private key in PEM, without a passphrase`],
    ['cert.pem', 'cert.pem', `${key} a file with a private key in PEM, without a passphrase`],
    ['cert.pem', other.key, `${key} the key of the certificate`],
  ];
  for (const [certFile, keyFile, expected] of cases)
    t.deepEqual(tlsFaults(folder, certFile, keyFile), [expected]);
});
