import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

type Kind = number | 'P-256' | 'P-384' | 'P-521' | 'ed25519';

const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;

/**
 * A fresh pair of keys: RSA with so many bits, a named curve, or Ed25519. They are read from PEM, and are not the
 * generated objects: Node 20 stands still for ever when the garbage collector meets the end of a generation while its key
 * is being exported as a JSON Web Key, as both hold one lock.
 */
export function keyPair(kind: Kind): Record<'publicKey' | 'privateKey', KeyObject> {
  const { publicKey, privateKey } = inPem(kind);
  return { publicKey: createPublicKey(publicKey), privateKey: createPrivateKey(privateKey) };
}

/** Spread into the options, the encodings would not choose the overload that returns texts. */
function inPem(kind: Kind): Record<'publicKey' | 'privateKey', string> {
  if (typeof kind === 'number')
    return generateKeyPairSync('rsa', { modulusLength: kind, publicKeyEncoding, privateKeyEncoding });
  if (kind === 'ed25519') return generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding });
  return generateKeyPairSync('ec', { namedCurve: kind, publicKeyEncoding, privateKeyEncoding });
}
