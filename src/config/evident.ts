/**
 * What a text evidently is that stands where a secret is meant. Such a text would be taken for the secret itself, and
 * what is public (a key, a path, a hash) would open the door. Random secrets look like none of these.
 */
export type Evident = 'key' | 'key set' | 'path' | 'address' | 'hash' | 'token' | 'placeholder';

/** Null: it may well be a secret. */
export function evident(text: string): Evident | null {
  const bare = withoutQuotes(text.trim());
  const found = looks.find(([, pattern]) => pattern.test(bare));
  if (found !== undefined) return found[0];
  if (isJsonObject(bare)) return 'key set';
  return ofBytes(bare);
}

/** Quotes are part of the text in files of variables, whose readers do not know them. */
function withoutQuotes(text: string): string {
  return /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;
}

const looks: readonly (readonly [Evident, RegExp])[] = [
  // Armour, wherever it stands: what is a whole key in PEM has been taken before.
  ['key', /\b(BEGIN|END) [A-Z0-9 ]*(KEY|CERTIFICATE|JWT|SEED)\b/],
  ['key', /^(ssh-(rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-(ssh|ecdsa)-\S+) AAAA/],
  ['token', /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*$/],
  ['address', /^(?!file:)[a-z][a-z0-9+.-]+:\/\/\S+$/i],
  ['address', /^data:[\w/+.-]*[;,]/],
  ['address', /^\d{1,3}(\.\d{1,3}){3}([:/]\d{1,5})?$/],
  ['address', /^[a-z0-9-]+(\.[a-z0-9-]+)+:\d{2,5}$/i],
  ['path', /^file:[^\s:]/i],
  ['path', /^[<@]?\/(run|var|etc|home|root|opt|usr|tmp|mnt|srv|dev|proc|lib|app|data|conf|vault)\//],
  ['path', /^[<@]?\/(secrets?|config|certs?|keys?|private|workspace|Users|Volumes|Library)\//],
  ['path', /^[<@]?(\/[a-z0-9._-]+){2,}\/?$/],
  ['path', /^[<@]?(~|\.{1,2})(\/[\w.@+ -]+)+\/?$/],
  ['path', /^[A-Za-z]:[\\/][\w. \\/-]+$/],
  ['path', /^\S*[\w-]\.(pem|key|pub|crt|cer|cert|der|pfx|p12|jwk|jwks|json|txt|ya?ml|creds|env)$/i],
  ['path', /^projects\/[^/\s]+\/secrets\/\S+$/],
  ['address', /^arn:aws[\w-]*:\S+$/],
  // Names (RFC 8141, DIDs), keys in hardware (RFC 7512), and what tools replace with a secret, when one of them does.
  ['address', /^(urn:[a-z0-9][a-z0-9-]+:|did:[a-z0-9]+:|pkcs11:[a-z-]+=|jdbc:[a-z0-9]+:)\S+$/i],
  ['address', /^((aws|gcp|google|azure)[+-]?)?(secrets?-?manager|secrets|key-?vault|ssm|kms):[\w/]\S*$/i],
  [
    'address',
    /^(ref\+[a-z0-9]+|(aws|gcp)-?sm|vault|hashivault|k8s|kubernetes|sops|doppler|conjur|akeyless):[\w/]\S*$/i,
  ],
  ['address', /^env(ironment)?:[A-Z_][A-Z0-9_]*$/i],
  ['address', /^@Microsoft\.KeyVault\(\S*\)$/i],
  ['hash', /^(sha-?\d{1,3}|md5|bcrypt|argon2\w*|scrypt|scram-[\w-]+|pbkdf2[\w-]*)[:=$][\w+/=$,.:-]{16,}$/i],
  ['hash', /^\$(1|2[abxy]?|5|6|7|y|argon2\w*|scrypt|pbkdf2[\w-]*)\$[\w./$,=+-]{16,}$/],
  ['hash', /^\{(S?SHA\d*|S?MD5|B?CRYPT)\}[\w./$,=+-]{10,}$/i],
  ['placeholder', /^\$\{[^{}]+\}$|^\$\([^()]+\)$|^\{\{.+\}\}$|^<[A-Za-z][A-Za-z _-]{3,}>$/],
  ['placeholder', /^%[A-Z][A-Z0-9_]{3,}%$|^\$[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/],
];

function isJsonObject(text: string): boolean {
  if (!text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The beginnings of keys and certificates in DER, in hex; so long that no random bytes begin like that. */
const der = new RegExp(
  `^30(?:[0-7].|81..|82....)(?:${[
    // SubjectPublicKeyInfo (RFC 5280) and PKCS #8 (RFC 5958): rsaEncryption, ecPublicKey, X25519 to Ed448.
    '(?:0201..)?30(?:[0-7].|81..)06(?:092a864886f70d01..|072a8648ce3d0201|032b65(?:6e|6f|70|71))',
    // A certificate of version 3 (RFC 5280).
    '30(?:81..|82....)a003020102',
    // An RSA key of PKCS #1 (RFC 8017): the public one, then the private one.
    '02(?:8181|82....)00',
    '02010002(?:8181|82....)00',
    // A private key on a curve (RFC 5915).
    '02010104(?:20|30|42)',
  ].join('|')})`,
);

/** A key without armour: in base64 or hex, of DER, of the wire form of SSH (RFC 4253), of PEM or of a JSON Web Key. */
function ofBytes(text: string): Evident | null {
  const plain = text.replace(/\\[nr]|\s/g, '');
  const digits = /^([0-9a-f]{2}:?){12,}$/i.test(plain) ? plain.replaceAll(':', '') : null;
  if (digits !== null && der.test(digits.toLowerCase())) return 'key';
  if (!/^[\w+/-]{16,}={0,2}$/.test(plain)) return null;
  const bytes = Buffer.from(plain, 'base64');
  if (der.test(bytes.subarray(0, 32).toString('hex'))) return 'key';
  const inside = bytes.toString('latin1');
  if (/^\0\0\0.(ssh-|ecdsa-|sk-)/s.test(inside) || inside.startsWith('-----BEGIN ')) return 'key';
  return isJsonObject(inside) ? 'key set' : null;
}

/** Where each kind of text belongs that stands in a secret's place, in a sentence; null: it may stand there. */
export type Instead = Readonly<Record<Evident, string | null>>;

/** Why `text` is not taken for a secret, without quoting it; null: it is. `wanted`: what should stand there. */
export function mistaken(text: string, wanted: string, instead: Instead): string | null {
  const what = evident(text);
  const place = what === null ? null : instead[what];
  return what === null || place === null ? null : `${wanted}, and this looks like ${called[what]}: ${place}`;
}

const called: Readonly<Record<Evident, string>> = {
  key: 'a key without its armour, or a piece of one',
  'key set': 'JSON, such as a key set',
  path: 'the path of a file',
  address: 'an address',
  hash: 'the hash of a secret',
  token: 'a signed token',
  placeholder: 'a placeholder that was not filled in',
};
