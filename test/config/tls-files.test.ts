import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { formatError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { selfSigned } from '../support/certificate.ts';
import { temporaryFolder } from '../support/relay-process.ts';

function errors(folder: string, cert: string, key: string): readonly string[] | 'ok' {
  const file = join(folder, 'relay.yaml');
  writeFileSync(file, `doors:\n  pusu:\n    tls:\n      cert: ${cert}\n      key: ${key}\n`);
  const result = loadConfig({ file, env: {}, packageRoot: folder });
  return result.ok ? 'ok' : result.errors.map((error) => formatError(error).replace(file, 'relay.yaml'));
}

test('a certificate and its key beside the file are found, whatever the working directory', (t) => {
  const folder = temporaryFolder(t);
  const { cert, key } = selfSigned(t, 'a', folder);
  t.is(errors(folder, 'cert.pem', 'key.pem'), 'ok');
  t.is(errors(folder, cert, key), 'ok');
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
    t.deepEqual(errors(folder, certFile, keyFile), [expected]);
});
