import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from './config.ts';
import { readTextFile } from './text-file.ts';

/** What is wrong with one of the two files. Never quotes them. */
export interface TlsFault {
  readonly file: 'cert' | 'key';
  readonly expected: string;
}

/** A certificate with those between it and a root, and its key: texts in PEM that go together. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** A door's certificate and key, as they are in the files now, or the first thing that is wrong with them. */
export function readTls({ cert, key }: TlsFiles): TlsPair | TlsFault {
  const certFile = readTextFile(cert);
  if ('why' in certFile) return { file: 'cert', expected: `a certificate; ${certFile.why}` };
  const certificate = attempt(() => new X509Certificate(certFile.text));
  if (certificate === null) return { file: 'cert', expected: 'a file with a certificate in PEM' };
  const keyFile = readTextFile(key);
  if ('why' in keyFile) return { file: 'key', expected: `a private key; ${keyFile.why}` };
  const privateKey: KeyObject | null = attempt(() => createPrivateKey(keyFile.text));
  if (privateKey === null) {
    return { file: 'key', expected: 'a file with a private key in PEM, without a passphrase' };
  }
  if (!certificate.checkPrivateKey(privateKey))
    return { file: 'key', expected: 'the key of the certificate' };
  const pair = { cert: certFile.text, key: keyFile.text };
  if (attempt(() => createSecureContext(pair)) === null) {
    return { file: 'cert', expected: 'a certificate that is strong enough for TLS, in one chain' };
  }
  return pair;
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
