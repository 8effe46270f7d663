import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** Writes a server's configuration that knows one user, by its key, and the user's file of credentials. */
export function writeCredentials(folder: string): { readonly config: string; readonly credentials: string } {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  const free = { subs: -1, data: -1, payload: -1 };
  const operatorToken = token('o', operator, operator, { type: 'operator' });
  const accountToken = token('a', account, operator, {
    type: 'account',
    limits: { ...free, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
  });
  const userToken = token('u', user, account, { type: 'user', pub: {}, sub: {}, ...free });
  const config = join(folder, 'nats.conf');
  const preload = `resolver_preload: { ${account.getPublicKey()}: "${accountToken}" }`;
  writeFileSync(config, `operator: "${operatorToken}"\nresolver: MEMORY\n${preload}\n`);
  const credentials = join(folder, 'user.creds');
  writeFileSync(
    credentials,
    `${framed('NATS USER JWT', userToken)}\n${framed('USER NKEY SEED', Buffer.from(user.getSeed()).toString())}`,
  );
  return { config, credentials };
}

/** A JWT as NATS has them (ADR-14): signed with the issuer's key of the kind Ed25519. */
function token(name: string, subject: KeyPair, issuer: KeyPair, nats: object): string {
  const claims = {
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name,
    sub: subject.getPublicKey(),
    nats: { version: 2, ...nats },
  };
  const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex');
  const signed = [
    { typ: 'JWT', alg: 'ed25519-nkey' },
    { jti, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}

function framed(title: string, text: string): string {
  return `-----BEGIN ${title}-----\n${text}\n------END ${title}------\n`;
}
