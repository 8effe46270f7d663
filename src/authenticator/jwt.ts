import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { VerificationKey } from '../config/jwt-keys.ts';
import type { Answer, Authenticator } from './contract.ts';
import { Jwks, type JwksSource } from './jwks.ts';
import { fromPatterns, none, type Permissions, type Rights, rightsOf } from './permissions.ts';

export interface JwtOptions {
  readonly keys: readonly VerificationKey[];
  /** Where more keys are; null: nowhere. */
  readonly jwks: JwksSource | null;
  /** For the keys in `jwks`; empty: the usual one of each key. */
  readonly algorithms: readonly string[];
  /** What `aud` must contain; null: a token that is for somebody is not for us. */
  readonly audience: string | null;
  /** What `iss` must be; null: anything. */
  readonly issuer: string | null;
  /** Milliseconds by which clocks may differ. Default: 0. */
  readonly leeway?: number;
  /** Milliseconds that a connection may stay on after its token has expired. */
  readonly grace: number;
  /** Milliseconds that fetching keys may take. */
  readonly timeout: number;
  /** Milliseconds after which keys at a URL are looked at again; 0: as seldom as can be. Default: 0. */
  readonly recheck?: number;
  /** Milliseconds since 1970. */
  readonly wallClock?: () => number;
}

/**
 * `JWT`: the credential is a signed token (RFC 7519) whose claim `channels` says what it opens:
 * `{"user.*": "r", "chat.1": "rw"}`. It is verified by the keys that are ours, with the algorithms that they are for.
 */
export function jwtAuthenticator({
  keys,
  jwks: source,
  algorithms,
  audience,
  issuer,
  leeway = 0,
  grace,
  timeout,
  recheck = 0,
  wallClock = Date.now,
}: JwtOptions): Authenticator {
  const jwks = source === null ? null : new Jwks({ source, algorithms, timeout, recheck });
  const wanted = {
    clockTolerance: leeway / 1000,
    ...(audience === null ? {} : { audience }),
    ...(issuer === null ? {} : { issuer }),
  };

  async function answer(token: string): Promise<Answer> {
    const header = COMPACT.test(token) ? headerOf(token) : null;
    if (header === null) return none;
    const fitting = (all: readonly VerificationKey[]) => all.filter((key) => fits(key, header));
    const options = { ...wanted, algorithms: [header.alg], currentDate: new Date(wallClock()) };
    let claims = await firstOf(token, fitting(keys), options);
    if (claims === 'not its signature' && jwks !== null)
      claims = await firstOf(token, fitting(await jwks.keys((all) => fitting(all).length > 0)), options);
    if (claims === 'untimely') return { permissions: none, subject: null, expires: null, untimely: true };
    return typeof claims === 'string' ? none : grantOf(claims);
  }

  function grantOf({ sub, exp, aud, channels }: JWTPayload): Answer {
    // RFC 7519, section 4.1.3: who does not find himself in `aud` must refuse the token.
    if (audience === null && aud !== undefined) return none;
    const permissions = permissionsOf(channels);
    const expires = exp === undefined ? null : exp * 1000 + leeway;
    return { permissions, subject: subjectOf(sub), expires, grace };
  }

  return {
    name: 'JWT',
    anonymous: none,
    authorise: ({ authorization }) => answer(authorization),
    ...(jwks === null ? {} : { watch: (changed) => jwks.watch(changed) }),
  };
}

/** Three parts of base64url: decoders take more than that. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** Characters of a subject. */
const SUBJECT = 128;

interface Header {
  readonly alg: string;
  readonly kid: string | null;
}

function headerOf(token: string): Header | null {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    if (typeof alg !== 'string') return null;
    return { alg, kid: typeof kid === 'string' ? kid : null };
  } catch {
    return null;
  }
}

/** Where both have a name it is the same name. */
function fits(key: VerificationKey, { alg, kid }: Header): boolean {
  return key.algorithms.includes(alg) && (kid === null || key.kid === null || key.kid === kid);
}

/** untimely: signed by the key, and expired, or not yet valid. */
type Verified = JWTPayload | 'not its signature' | 'untimely' | 'refused';

/** By the first of the keys that the signature is of. */
async function firstOf(
  token: string,
  keys: readonly VerificationKey[],
  options: JWTVerifyOptions,
): Promise<Verified> {
  for (const { key } of keys) {
    const verified = await claimsOf(token, key, options);
    if (verified !== 'not its signature') return verified;
  }
  return 'not its signature';
}

async function claimsOf(
  token: string,
  key: VerificationKey['key'],
  options: JWTVerifyOptions,
): Promise<Verified> {
  try {
    return (await jwtVerify(token, key, options)).payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'not its signature';
    if (isUntimely(error)) return 'untimely';
    if (error instanceof errors.JOSEError) return 'refused';
    throw error;
  }
}

/** What is no time at all, such as a word, is a fault of the token. */
function isUntimely(error: unknown): boolean {
  if (error instanceof errors.JWTExpired) return true;
  return (
    error instanceof errors.JWTClaimValidationFailed &&
    error.claim === 'nbf' &&
    error.reason === 'check_failed'
  );
}

/** Of a claim that is not wholly understood nothing is granted. */
function permissionsOf(channels: unknown): Permissions {
  if (typeof channels !== 'object' || channels === null || Array.isArray(channels)) return none;
  const entries: [string, Rights][] = [];
  for (const [pattern, word] of Object.entries(channels)) {
    const right = rightsOf(word);
    if (right === undefined) return none;
    entries.push([pattern, right]);
  }
  try {
    return fromPatterns(entries);
  } catch (error) {
    if (error instanceof RangeError) return none;
    throw error;
  }
}

function subjectOf(sub: unknown): string | null {
  return typeof sub === 'string' && sub !== '' ? sub.slice(0, SUBJECT) : null;
}
