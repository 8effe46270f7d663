import { Hidden } from '../secret/hidden.ts';
import { sha256 } from '../secret/secret.ts';
import { type Instead, mistaken } from './evident.ts';
import { type Kind, Refusal, textKind, writtenAs } from './kind.ts';

/** 32 bytes from 64 hex digits; undefined for anything else. */
export function fromHex(text: string): Buffer | undefined {
  return /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : undefined;
}

const prefix = 'sha256:';

/** A secret that is written plain, or as `sha256:` and its hash; always kept as the hash. */
export function hashed(text: string, wanted: string, instead: Instead): Buffer | Refusal {
  if (text.startsWith(prefix))
    return fromHex(text.slice(prefix.length)) ?? new Refusal('64 hex digits after sha256:');
  const why = mistaken(text, wanted, instead);
  return why === null ? sha256(text) : new Refusal(why);
}

const asHash = 'if it is the secret all the same, write sha256: and the 64 hex digits of its SHA-256';

/** Of a secret that may be written as a hash. */
export const insteadOfHashed: Instead = {
  key: asHash,
  'key set': asHash,
  path: `a variable that ends in _FILE reads its value from a file; ${asHash}`,
  address: asHash,
  hash: 'a hash is written as sha256: and 64 hex digits',
  token: asHash,
  placeholder: asHash,
};

/** A secret that is shown to a server, and so is kept as it is. */
export const shown = (wanted: string, instead: Instead): Kind<Hidden<string>> =>
  writtenAs(
    'secret',
    textKind(wanted, (text) => {
      if (text === '') return undefined;
      const why = mistaken(text, wanted, instead);
      return why === null ? new Hidden(text) : new Refusal(why);
    }),
  );

/** An eavesdropper of one handshake can try out short secrets at leisure. */
const shortestSecret = 16;

const insteadOfNetworkSecret: Instead = {
  ...insteadOfHashed,
  key: `network.tls names files with keys; ${asHash}`,
  address: `relays names addresses; ${asHash}`,
};

/** What several share, kept as the hash. `wanted`: what it is, in words. */
const sharedSecret = (wanted: string, instead: Instead): Kind<Hidden<Buffer>> =>
  writtenAs(
    'secret',
    textKind(`a secret of at least ${shortestSecret} characters, or sha256: and 64 hex digits`, (text) => {
      if (text.length < shortestSecret) return undefined;
      const key = hashed(text, wanted, instead);
      return key instanceof Refusal ? key : new Hidden(key);
    }),
  );

export const networkSecret = sharedSecret(
  'what all relays of the network know and nobody else',
  insteadOfNetworkSecret,
);

export const adminToken = sharedSecret('what those know who may use the observer page', insteadOfHashed);
