import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Config, TlsFiles } from './config.ts';
import type { ConfigError, Place } from './config-error.ts';
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

/** What is wrong with the files that doors and the network name; `top` is the place of what stands nowhere. */
export function tlsFaults(
  { doors, network }: Config,
  places: ReadonlyMap<string, Place>,
  top: Place,
): readonly ConfigError[] {
  const named: [string, TlsFiles | null][] = Object.entries(doors).map(([name, door]) => [
    `doors.${name}`,
    door?.tls ?? null,
  ]);
  const faults = [...named, ['network', network.tls] as const].flatMap(([name, files]): ConfigError[] => {
    const result = files === null ? null : readTls(files);
    if (result === null || !('expected' in result)) return [];
    const key = `${name}.tls.${result.file}`;
    return [{ ...(places.get(key) ?? top), key, expected: result.expected }];
  });
  const authority = network.tls === null ? null : readTextFile(network.tls.ca);
  if (authority !== null && 'why' in authority) {
    const key = 'network.tls.ca';
    faults.push({ ...(places.get(key) ?? top), key, expected: `a certificate; ${authority.why}` });
  }
  return faults;
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
