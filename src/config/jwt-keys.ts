import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { type Instead, mistaken } from './evident.ts';

/** A key and the algorithms that it verifies: no other may be used with it, whatever a token says of itself. */
export interface VerificationKey {
  /** The key's name in a key set; null: none. */
  readonly kid: string | null;
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
}

const hmac = ['HS256', 'HS384', 'HS512'];
const rsa = ['RS256', 'RS384', 'RS512'];
const pss = ['PS256', 'PS384', 'PS512'];
const curves = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

/** One signature under two names: RFC 8037's, and that of RFC 9864 which is to take its place. */
const ed25519 = ['EdDSA', 'Ed25519'];

/** The signatures that tokens may have (RFC 7518, section 3.1, and RFC 8037); `none` is none of them. */
export const algorithms: readonly string[] = [...hmac, ...rsa, ...pss, ...curves.values(), ...ed25519];

const RSA_BITS = 2048;

/** What a key can verify, the usual one first; empty: nothing that we would trust. */
function algorithmsOf(key: KeyObject): readonly string[] {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  switch (asymmetricKeyType) {
    case undefined:
      return hmac;
    case 'rsa':
    case 'rsa-pss': {
      if ((asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS) return [];
      return asymmetricKeyType === 'rsa' ? [...rsa, ...pss] : pss;
    }
    case 'ec': {
      const algorithm = curves.get(asymmetricKeyDetails?.namedCurve ?? '');
      return algorithm === undefined ? [] : [algorithm];
    }
    case 'ed25519':
      return ed25519;
    default:
      return [];
  }
}

/** Of what a key can do, what is wanted; when nothing is said, its usual algorithm. */
export function pinned(key: KeyObject, wanted: readonly string[]): readonly string[] {
  const able = algorithmsOf(key);
  if (able === ed25519)
    return wanted.length === 0 || wanted.some((algorithm) => able.includes(algorithm)) ? able : [];
  return wanted.length === 0 ? able.slice(0, 1) : able.filter((algorithm) => wanted.includes(algorithm));
}

/** A public key in PEM, or else the secret that signatures are made with. A text: what is wrong with it. */
export function keyFromText(text: string): KeyObject | string {
  if (!text.trimStart().startsWith(BEGIN))
    return mistaken(text, 'a public key in PEM, or a secret text', insteadOfKey) ?? secretKey(text);
  const pem = withLines(text);
  if (isPrivate(pem)) return 'the public key: the private one stays with whoever signs';
  try {
    return createPublicKey(pem);
  } catch {
    return 'a public key in PEM that can be read';
  }
}

const BEGIN = '-----BEGIN ';

const insteadOfKey: Instead = {
  key: 'a public key stands here in PEM, with its lines BEGIN and END',
  'key set': 'jwt.jwks names a file or URL with a key set',
  path: 'the key itself stands here; a variable that ends in _FILE reads it from a file, and jwt.jwks names a file with a key set',
  address: 'jwt.jwks names a URL with a key set',
  hash: 'signatures are checked with the secret itself',
  token: 'tokens come from clients; what they are checked with stands here',
  placeholder: 'the secret itself stands here',
};

function secretKey(text: string): KeyObject {
  return createSecretKey(Buffer.from(text, 'utf8'));
}

/** The ends of lines as PEM has them: variables, and YAML without a block, hold them escaped, as blanks, or not at all. */
function withLines(text: string): string {
  const [, label, body] =
    /^\s*-----BEGIN ([A-Z0-9 ]+)-----(.*)-----END \1-----(?:\\[nr]|\s)*$/s.exec(text) ?? [];
  if (label === undefined || body === undefined || body.includes(BEGIN)) return text;
  const lines = body.replace(/\\+[nr]|\s/g, '').match(/.{1,64}/g) ?? [];
  return [`${BEGIN}${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function isPrivate(text: string): boolean {
  try {
    createPrivateKey(text);
    return true;
  } catch {
    return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
  }
}
