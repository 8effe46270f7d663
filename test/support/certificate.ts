import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { temporaryFolder } from './relay-process.ts';

/** A certificate for 127.0.0.1 that nobody has signed but itself, with its key. */
export interface Certificate {
  /** Paths of the files. */
  readonly cert: string;
  readonly key: string;
  /** The certificate itself, for clients that trust it. */
  readonly ca: Buffer;
}

/** Makes one, in a folder that is gone with the test. */
export function selfSigned(
  t: ExecutionContext,
  name = '127.0.0.1',
  folder = temporaryFolder(t),
): Certificate {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-out', cert, '-keyout', key],
    ],
    { stdio: 'ignore' },
  );
  return { cert, key, ca: readFileSync(cert) };
}
