import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Config, TlsFiles } from './config.ts';
import type { ConfigError, Place } from './config-error.ts';

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
  const certText = readText(cert);
  if (typeof certText !== 'string') return { file: 'cert', expected: `a certificate; ${certText.why}` };
  const certificate = attempt(() => new X509Certificate(certText));
  if (certificate === null) return { file: 'cert', expected: 'a file with a certificate in PEM' };
  const keyText = readText(key);
  if (typeof keyText !== 'string') return { file: 'key', expected: `a private key; ${keyText.why}` };
  const privateKey: KeyObject | null = attempt(() => createPrivateKey(keyText));
  if (privateKey === null) {
    return { file: 'key', expected: 'a file with a private key in PEM, without a passphrase' };
  }
  if (!certificate.checkPrivateKey(privateKey))
    return { file: 'key', expected: 'the key of the certificate' };
  const pair = { cert: certText, key: keyText };
  if (attempt(() => createSecureContext(pair)) === null) {
    return { file: 'cert', expected: 'a certificate that is strong enough for TLS, in one chain' };
  }
  return pair;
}

/** What is wrong with the files that doors name; `top` is the place of what stands nowhere. */
export function tlsFaults(
  { doors }: Config,
  places: ReadonlyMap<string, Place>,
  top: Place,
): readonly ConfigError[] {
  return Object.entries(doors).flatMap(([name, door]): ConfigError[] => {
    const files: TlsFiles | null = door?.tls ?? null;
    const result = files === null ? null : readTls(files);
    if (result === null || !('expected' in result)) return [];
    const key = `doors.${name}.tls.${result.file}`;
    return [{ ...(places.get(key) ?? top), key, expected: result.expected }];
  });
}

const reasons = new Map([
  ['ENOENT', 'there is no file of this name'],
  ['ENOTDIR', 'there is no file of this name'],
  ['EISDIR', 'this is a directory'],
  ['EACCES', 'reading it is not permitted'],
]);

function readText(path: string): string | { readonly why: string } {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { why: reasons.get(code) ?? `reading it failed with ${code}` };
  }
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
