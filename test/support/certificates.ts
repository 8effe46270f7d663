import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly ca: string;
  readonly server: Certificate;
  readonly client: Certificate;
}

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** An authority for this test, and certificates that it has signed: for 127.0.0.1, and for a client. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string) => join(folder, name);
  const ca = make([
    '-x509',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-subj',
    '/CN=test authority',
  ])(file('ca.pem'));
  const signed = (name: string): Certificate => {
    const [key, request, cert, extensions] = ['key', 'csr', 'pem', 'ext'].map((end) =>
      file(`${name}.${end}`),
    ) as [string, string, string, string];
    writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    make(['-keyout', key, '-out', request, '-subj', `/CN=${name}`])(request);
    openssl([
      ...['x509', '-req', '-in', request, '-CA', ca, '-CAkey', file('ca.key'), '-CAcreateserial'],
      ...['-days', '2', '-extfile', extensions, '-out', cert],
    ]);
    return { cert, key };
  };
  return { ca, server: signed('server'), client: signed('client') };
}

function make(args: readonly string[]): (made: string) => string {
  openssl([
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    ...args,
  ]);
  return (made) => made;
}

function openssl(args: readonly string[]): void {
  const { status, stderr } = spawnSync('openssl', [...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}
