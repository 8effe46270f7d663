import { randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { keyPair } from './key-pair.ts';
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
  const { publicKey, privateKey } = keyPair('P-256');
  const body = certificateBody(name, publicKey.export({ type: 'spki', format: 'der' }));
  const signature = sign('sha256', body, privateKey);
  const ca = pem(sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature)));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, ca);
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { cert, key, ca: Buffer.from(ca) };
}

const HOUR = 3_600_000;

/** RFC 5280, section 4.1; `publicKey`: a SubjectPublicKeyInfo. */
function certificateBody(name: string, publicKey: Buffer): Buffer {
  const called = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
  const validity = sequence(utcTime(Date.now() - HOUR), utcTime(Date.now() + HOUR));
  const constraints = extension('551d13', sequence(der(0x01, Buffer.from([0xff]))));
  const address = extension('551d11', sequence(der(0x87, Buffer.from([127, 0, 0, 1]))));
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ecdsaWithSha256,
    called,
    validity,
    called,
    publicKey,
    der(0xa3, sequence(constraints, address)),
  );
}

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

/** `YYMMDDhhmmssZ`. */
function utcTime(at: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(at).toISOString().slice(2, 19).replace(/\D/g, '')}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** Tag, length and contents (X.690, section 8.1); up to 64 KiB. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), contents]);
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
